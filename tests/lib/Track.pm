# Track: a laboratory for the tracker. A router between a LAN and a provider, who is to be had by two interconnects and
# an uplink; streams through it, and faults of every kind. With Lab; everything here is exported.
#
#   lan eth0 --- eth2 router eth1 --- a   far
#                            eth3 --- b
#                            eth0 --- net
# SPDX-License-Identifier: GPL-2.0-or-later
package Track;
use v5.36;
use Exporter 'import';
use Lab;
use POSIX ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(track_lab policy_of down_targets routes_of until_so tracker stop_tracker said lose mend
	stream_begin stream_end clock_us spawn);

my $cnic   = $ENV{CNIC} // "$root/build/cnic";
my $stream = "$root/build/tests/bench/stream";
my $first_table = 20000;

sub track_lab () {
	wire('lan', 'eth0', '10.1.0.5/24', 'router', 'eth2', '10.1.0.1/24');
	wire('router', 'eth0', '198.51.100.2/30', 'far', 'net', '198.51.100.1/30');
	wire('router', 'eth1', '192.0.2.11/31 2001:db8:a::1/127', 'far', 'a', '192.0.2.10/31 2001:db8:a::/127');
	wire('router', 'eth3', '192.0.2.21/31 2001:db8:b::1/127', 'far', 'b', '192.0.2.20/31 2001:db8:b::/127');
	batch('lan', "route add default via 10.1.0.1\n");
	batch('router', "route add default via 198.51.100.1\n");
	batch('far', "address add 198.18.0.1/32 dev lo\naddress add 10.200.0.1/32 dev lo\naddress add 10.200.0.2/32 dev lo\n"
			. "route add 10.1.0.0/24 via 198.51.100.2\n");
	at('router', 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
	at('far', 'for d in all default a b net; do sysctl -qw net.ipv4.conf.$d.rp_filter=0; done; '
			. 'sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0');
	return;
}

# policy_of({track_a => FIELDS, track_b => ..., path => PATH, options => FIELDS}): a file.
sub policy_of ($with = {}) {
	state $n = 0;
	my $track   = 'every 50ms; down 3; up 5;';
	my $options = $with->{options} ? "options { $with->{options} }" : '';
	my ($a, $b) = map { $with->{$_} // $track } qw(track_a track_b);
	my $path = $with->{path} // 'a then b else drop';
	my $v6 = $with->{v6} // 0;
	return spew(scratch() . '/track' . $n++ . '.cni', <<"END");
$options
lan office { device eth2; prefix 10.1.0.0/24; }
link a { kind internet; device eth1; address 192.0.2.11/31@{[$v6 ? ', 2001:db8:a::1/127' : '']}; track { $a } }
link b { kind internet; device eth3; address 192.0.2.21/31@{[$v6 ? ', 2001:db8:b::1/127' : '']}; track { $b } }
policy office on eth2 {
	route all via $path;
	else drop;
}
END
}

# ---- what the kernel says ----

# As compiler/state/down.h has it: FNV-1a of the name is the metric of the route that says so.
sub metric ($name) {
	my $hash = 2166136261;
	$hash = (($hash ^ ord) * 16777619) & 0xffffffff for split //, $name;
	return $hash;
}

sub down_targets (@names) {
	@names = qw(a b) if !@names;
	my (undef, $routes) = at('router', 'ip', '-4', 'route', 'show', 'table', $first_table + 16383);
	my %metrics = map { $_ => 1 } $routes =~ /^unreachable default .*metric (\d+)/mg;
	return join ' ', grep { $metrics{ metric($_) } } @names;
}

# The devices that lead on from a path's table, in order.
sub routes_of ($table) {
	my (undef, $routes) = at('router', 'ip', '-4', 'route', 'show', 'table', $first_table + $table);
	my @found = map { /dev (\S+).* metric (\d+)/ ? [$2, $1] : () } grep { /^default via / } split /\n/, $routes;
	return join ' ', map { $_->[1] } sort { $a->[0] <=> $b->[0] } @found;
}

# until_so(SUB, SECONDS): waits, and says whether it came to be.
sub until_so ($sub, $seconds = 10) {
	my $until = time + $seconds;
	until ($sub->()) {
		return 0 if time > $until;
		sleep 0.01;
	}
	return 1;
}

# ---- the tracker ----

my ($tracker, $log);

# tracker(ARGUMENTS): begins one, and waits until it is at work.
sub tracker (@arguments) {
	state $n = 0;
	$log = scratch() . '/tracker' . $n++ . '.log';
	my $netns = '/run/netns/' . ns('router');
	$tracker = fork // die "fork: $!\n";
	if (!$tracker) {
		open STDIN,  '<', '/dev/null';
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', $log;
		no warnings 'exec';
		POSIX::nice(-10);    # as cnic-track.service does
		exec $cnic, 'track', '-v', '--netns', $netns, @arguments;
		POSIX::_exit(127);
	}
	until_so(sub { said() =~ /\d+ targets?, \d+ address|nothing to track/ }) or die "the tracker does not begin: " . said();
	return $tracker;
}

sub said () { return -e $log ? slurp($log) : '' }

# Ends it by a signal, and returns what became of it: the exit status, or minus the signal.
sub stop_tracker ($signal = 'TERM') {
	return if !$tracker;
	kill $signal, $tracker;
	waitpid $tracker, 0;
	$tracker = undef;
	return $? & 127 ? -($? & 127) : $? >> 8;
}

# ---- faults ----

# lose(NAME, DIRECTION, SHARE): packets of an interconnect are lost at the far side: those that come ("to"), go ("from"),
# or both; so many of a hundred.
sub lose ($name, $direction = 'both', $percent = 100) {
	my $some = $percent < 100 ? "numgen random mod 10000 < @{[int($percent * 100)]}" : '';
	my $rules = '';
	$rules .= "add rule netdev lose_$name in $some drop\n" if $direction ne 'from';
	$rules .= "add rule inet lose_$name out oifname $name $some drop\n" if $direction ne 'to';
	my ($status, undef, $err) = at('far', { stdin => <<"END" . $rules }, 'nft', '-f', '-');
add table netdev lose_$name
add chain netdev lose_$name in { type filter hook ingress device $name priority 0; }
add table inet lose_$name
add chain inet lose_$name out { type filter hook postrouting priority 0; }
END
	die $err if $status;
	return;
}

sub mend ($name) {
	at('far', "nft delete table netdev lose_$name; nft delete table inet lose_$name");
	return;
}

# ---- streams ----

sub clock_us () { return int(Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) * 1e6) }

my @stream;

# spawn(NAME, FILE, COMMAND): begin it in a namespace, with its output, and not what it complains of, in a file; returns
# its process.
sub spawn ($name, $out, @command) {
	my $netns = ns($name);    # of this process
	my $pid   = fork // die "fork: $!\n";
	return $pid if $pid;
	no warnings 'exec';
	open STDIN,  '<', '/dev/null';
	open STDOUT, '>', $out;
	open STDERR, '>', '/dev/null';
	exec 'nsenter', "--net=/run/netns/$netns", @command;
	POSIX::_exit(127);
}

# stream_begin(EACH_US): from the LAN to the far side.
sub stream_begin ($each = 1000) {
	my $file = scratch() . '/stream';
	@stream = spawn('far', $file, $stream, 'receive', 9000);
	sleep 0.1;
	push @stream, spawn('lan', '/dev/null', $stream, 'send', '198.18.0.1', 9000, $each);
	until_so(sub { -s $file });
	return;
}

# stream_end(): what came of it: { lost, sent, gap_us (the longest time in which nothing came), gap_from, gap_to (us) }.
sub stream_end () {
	kill 'TERM', $stream[1];
	waitpid $stream[1], 0;
	sleep 0.1;
	kill 'TERM', $stream[0];
	waitpid $stream[0], 0;
	my @came = map { [split ' '] } split /\n/, slurp(scratch() . '/stream');
	my %result = (lost => 0, sent => @came ? $came[-1][0] - $came[0][0] + 1 : 0, gap_us => 0);
	for my $i (1 .. $#came) {
		my ($before, $after) = @came[$i - 1, $i];
		$result{lost} += $after->[0] - $before->[0] - 1 if $after->[0] > $before->[0];
		next if $after->[2] - $before->[2] <= $result{gap_us};
		@result{qw(gap_us gap_from gap_to)} = ($after->[2] - $before->[2], $before->[2], $after->[2]);
	}
	return \%result;
}

END {
	local $?;
	stop_tracker('KILL');
	kill 'KILL', @stream if @stream;
}

1;
