#!/usr/bin/perl
# What goes with the program onto a router, as `cmake --install` puts it there: cnic.service, whose command runs here
# under the unit's own limits (capabilities, system calls, kinds of sockets), as far as that can be had without systemd
# running; what systemd-networkd and ip(8) are told.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use File::Basename qw(dirname);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Socket;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
my $dir  = scratch();
my $tree = "$dir/tree";
my ($status, $out, $err) = sh({ env => { DESTDIR => $tree } }, 'cmake', '--install', dirname($cnic));
is($status, 0, 'installs') || diag($out, $err);
my ($unit_file) = grep { -e } glob "$tree/usr{,/local}/lib/systemd/system/cnic.service";
my $unit = slurp($unit_file // '/dev/null');

# said(KEY): the values of a key of the unit.
sub said ($key) { $unit =~ /^\Q$key\E=(.*)$/mg }

subtest 'the unit' => sub {
	my ($got, $said, $complaints) = sh('systemd-analyze', 'verify', "--root=$tree", 'cnic.service');
	is($got, 0, 'systemd-analyze verify');
	is("$said$complaints", '', '... has nothing to say');
	my %before = map { $_ => 1 } map { split ' ' } said('Before');
	ok($before{$_}, "runs before $_") for qw(systemd-sysctl.service network-pre.target);
	is_deeply([ said('DefaultDependencies') ], ['no'],  '... which the default dependencies would not let it');
	is_deeply([ said('ExecStop') ],            [],      'stopping it takes no policy away');
	is_deeply([ said('RemainAfterExit') ],     ['yes'], '... nor does the end of its command');
	is_deeply([ said('StateDirectoryMode') ],  ['0700'], 'revisions are for root');
	is_deeply([ said('CapabilityBoundingSet') ], ['CAP_NET_ADMIN'], 'one capability');
	is_deeply([ said('ExecReload') ], [ said('ExecStart') ], 'reloading is restoring');
};

# What a machine had when it went down.
my $state = $ENV{CNIC_STATE_DIR} = "$dir/state";
my $policy = spew("$dir/policy.cni", <<'END');
lan office { device eth2; prefix 10.1.0.0/24; }
link isp { kind internet; device eth0; address 198.51.100.2/30; }
policy office on eth2 {
	route all from 10.1.0.0/24 via isp else drop;
	else drop;
}
END

# device(NAMESPACE, NAME): is there, and has carrier.
sub device ($name, $device) {
	wire($name, $device, '', "$name-far", "far$device", '');
	my $tries = 100;
	select undef, undef, undef, 0.05 while $tries-- && (at($name, "ip link show dev $device"))[1] =~ /NO-CARRIER/;
}
device('before', $_) for qw(eth0 eth2);
($status, $out, $err) = at('before', $cnic, 'apply', $policy);
is($status, 0, 'a policy is applied, and the machine goes down') || diag($out, $err);

my ($command) = said('ExecStart');
my $limits = 'setpriv --no-new-privs --bounding-set=-all,+net_admin --inh-caps=-all';

# boot(PREFIX): the unit's command in the new namespace.
sub boot ($prefix = '') { return at('after', "$prefix $limits $tree$command") }

subtest 'a device that comes late' => sub {
	device('after', 'eth0');
	my ($got, undef, $complaints) = boot();
	is($got, 1, 'fails') || diag($complaints);
	like($complaints, qr/CNI550.*eth2/, '... says which it is');
	is((at('after', 'nft list ruleset; ip rule | grep -v "from all lookup"'))[1], '', '... and nothing was changed');
	is_deeply([ said('Restart') ],               ['on-failure'], '... and will be tried again');
	is_deeply([ said('StartLimitIntervalSec') ], ['0'],          '... for as long as it takes');
	device('after', 'eth2');
};

my $after = ns('after');

# allowed(FILTER): the system calls that systemd's filter of this name lets through.
sub allowed ($filter) {
	my ($got, $list) = sh('systemd-analyze', 'syscall-filter', $filter);
	return map { /^ +(\@\S+)$/ ? allowed($1) : /^ +(\w+)$/ ? $1 : () } split /\n/, $list;
}

subtest 'as at boot' => sub {
	my ($got, $said, $complaints) = boot("strace -f -o $dir/trace");
	is($got, 0, 'restored with one capability') || diag($said, $complaints);
	like($complaints, qr/^cnic: revision 1 is restored$/m, '... says so');
	my ($same, $plan) = at('after', $cnic, 'plan', '--detailed-exitcode', $policy);
	is($same, 0, '... the kernel holds the policy') || diag($plan);
	my $trace = slurp("$dir/trace");
	my %may   = map  { $_ => 1 } map { allowed($_) } map { split ' ' } said('SystemCallFilter');
	my %does  = map  { $_ => 1 } $trace =~ /^\d+ +(\w+)\(/mg;
	ok(keys %may > 100 && keys %does > 10, '... system calls were seen');
	is_deeply([ grep { !$may{$_} } sort keys %does ], [], '... each of which the unit allows');
	my %family = map { $_ => 1 } $trace =~ /\bsocket\((\w+)/g;
	my %open   = map { $_ => 1 } map { split ' ' } said('RestrictAddressFamilies');
	is_deeply([ grep { !$open{$_} } sort keys %family ], [], '... and each kind of socket');
	is_deeply([ $trace =~ /\bopenat\([^,]*, "((?!\/proc\/sys\/net\/)[^"]*)", O_(?:WRONLY|RDWR)/g ], [],
		'... and no file but settings of the network is written to');
	($got, $said, $complaints) = boot();
	is($got, 0, 'reloaded') || diag($said, $complaints);
	like($complaints, qr/revision 1 is there already/, '... which changes nothing');
};

subtest 'the tracker' => sub {
	my ($file) = grep { -e } glob "$tree/usr{,/local}/lib/systemd/system/cnic-track.service";
	$unit = slurp($file // '/dev/null');
	# what of other packages it refers to
	sh("mkdir -p $tree/bin $tree/usr/lib/systemd/system && cp /bin/kill $tree/bin/");
	spew("$tree/usr/lib/systemd/system/$_.target", "[Unit]\nDescription=$_\n") for qw(sysinit basic shutdown);
	my ($got, $said, $complaints) = sh('systemd-analyze', 'verify', "--root=$tree", 'cnic-track.service');
	is("$got$said$complaints", '0', 'systemd-analyze verify has nothing to say') || diag($said, $complaints);
	is_deeply([ said('CapabilityBoundingSet') ], ['CAP_NET_RAW CAP_NET_ADMIN'], 'two capabilities');
	is_deeply([ said('Restart'), said('Type') ], [qw(always notify)], 'it is begun again, and says when it is ready');
	my ($track) = said('ExecStart');
	# what systemd would hear
	socket my $hear, PF_UNIX, SOCK_DGRAM, 0 or die "socket: $!\n";
	bind $hear, pack_sockaddr_un("$dir/notify") or die "bind: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open STDERR, '>', '/dev/null';
		@ENV{qw(NOTIFY_SOCKET WATCHDOG_USEC)} = ("$dir/notify", 400_000);
		exec 'nsenter', '--net=/run/netns/' . $after, 'strace', '-f', '-o', "$dir/trace-track",
			split(' ', $limits =~ s/net_admin/net_admin,+net_raw/r), split ' ', "$tree$track";
	}
	my $heard = '';
	for (1 .. 100) {
		my $bits = '';
		vec($bits, fileno $hear, 1) = 1;
		recv $hear, my $words, 4096, 0 if select $bits, undef, undef, 0.1;
		$heard .= "$words\n" if defined $words;
		last if $heard =~ /READY=1/ && 3 <= (() = $heard =~ /WATCHDOG=1/g);
	}
	like($heard, qr/READY=1/, 'it is ready');
	like($heard, qr/STATUS=0 targets/, '... says what it does');
	like($heard, qr/(?:WATCHDOG=1\n.*){3}/s, '... and that it lives');
	kill 'TERM', map { split } slurp("/proc/$pid/task/$pid/children");
	waitpid $pid, 0;
	is($?, 0, '... until it is stopped');
	my $trace = slurp("$dir/trace-track");
	my %may   = map { $_ => 1 } map { /^@/ ? allowed($_) : $_ } map { split ' ' } said('SystemCallFilter');
	my %does  = map { $_ => 1 } $trace =~ /^\d+ +(\w+)\(/mg;
	is_deeply([ grep { !$may{$_} } sort keys %does ], [], 'the unit allows each system call that was seen');
	my %family = map { $_ => 1 } $trace =~ /\bsocket\((\w+)/g;
	my %open   = map { $_ => 1 } map { split ' ' } said('RestrictAddressFamilies');
	is_deeply([ grep { !$open{$_} } sort keys %family ], [], '... and each kind of socket');
};

subtest 'systemd-networkd and ip(8)' => sub {
	my ($conf) = grep { -e } glob "$tree/usr{,/local}/lib/systemd/networkd.conf.d/10-cnic.conf";
	is_deeply([ grep { /^[^#]/ } split /\n/, slurp($conf // '/dev/null') ],
		[qw([Network] ManageForeignRoutingPolicyRules=no ManageForeignRoutes=no)], 'foreign rules and routes are left alone');
	my ($names) = grep { -e } glob "$tree/{,usr/local/}etc/iproute2/rt_protos.d/cnic.conf";
	my (undef, $rules) = at('after', "unshare -m sh -c 'mount -t tmpfs none /etc/iproute2 && "
			. "mkdir /etc/iproute2/rt_protos.d && cp $names /etc/iproute2/rt_protos.d/ && ip rule show'");
	like($rules, qr/fwmark \S+ lookup \d+ proto cnic$/m, 'rules are shown as cnic\'s');
};

done_testing;
