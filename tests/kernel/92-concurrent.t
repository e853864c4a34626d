#!/usr/bin/perl
# Two hundred processes at once that apply two policies in turn, or look: of those that apply, one after the other gets
# the lock, and the others say who has it; whoever looks sees one policy, whole.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use POSIX qw(_exit);
use Socket qw(inet_ntoa);
use Test::More;
use Time::HiRes qw(sleep time);

my $cnic  = $ENV{CNIC} // "$root/build/cnic";
my $waves = $ENV{CNIC_FULL} ? 6 : 1;
my @kinds = ((('apply') x 8, ('status') x 6, ('drift') x 4, ('snapshot') x 2) x 10);
# from nft(8)'s and the kernel's lists: NFT_JUMP, NFT_GOTO, NFT_META_MARK
my ($jump, $goto, $mark_key) = (-3, -4, 3);

my $netns = '/run/netns/' . ns('router');
wire('router', "eth$_", '', 'far', "far$_", '') for 0 .. 2;

# policy(NAME, FIRST, SECOND, NET): all of it differs from the other one: order of the links, names, addresses.
sub policy ($name, $first, $second, $net) {
	my $prefixes = join ', ', map { inet_ntoa(pack 'N', ($net << 24) + ($_ << 9)) . '/24' } 1 .. 400;
	return spew(scratch() . "/$name.cni", <<~"END");
		lan office { device eth2; prefix 10.1.0.0/24; }
		link a { kind pni; device eth0; address 192.0.2.1/31, 2001:db8:a::1/127; track off; }
		link b { kind internet; device eth1; address 192.0.2.3/31; track off; }
		define known = { $prefixes };
		policy office on eth2 {
			route $name-known to known via $first then $second else drop;
			route $name-web tcp dport 443 via $second else reject;
			route $name-rest via $first weight 3, $second weight 1 else drop;
		}
		policy own on local {
			route $name-known to known via $second then $first else drop;
			else main;
		}
		END
}
my %file = (one => policy('one', 'a', 'b', 20), two => policy('two', 'b', 'a', 60));

# ---- what a snapshot shows ----

# walk(SNAPSHOT): what packets meet, by kind and name; all that there is; and each mark that is given, with the counter
# of its way. Dies of a part that is not there.
sub walk ($snapshot) {
	my %has  = map { my $kind = $_; $kind => { map { $_->{name} => $_ } $snapshot->{$kind}->@* } } qw(chains sets counters);
	my @todo = map { [chains => $_->{name}] } grep { $_->{type} && $_->{rules} } $snapshot->{chains}->@*;
	my (%seen, @marks);
	my $go = sub ($verdict, $to) { push @todo, [chains => $to] if $verdict == $jump || $verdict == $goto };
	while (my $next = shift @todo) {
		my ($kind, $name) = @$next;
		my $record = $has{$kind}{$name} // die "$kind: no $name\n";
		next if $seen{$kind}{$name}++;
		$go->(@$_[0, 1]) for ($record->{verdicts} // [])->@*;
		for my $rule (($record->{rules} // [])->@*) {
			my ($bits, $counter);
			for my $x ($rule->{exprs}->@*) {
				my $op = $x->{op} // 'meta';
				push @todo, [sets => $x->{name}] if $op eq 'lookup';
				$go->($x->{key}, $x->{name}) if $op eq 'verdict';
				push @todo, [counters => $counter = $x->{name}] if $op eq 'counter';
				$bits = unpack 'L', pack 'H8', $x->{b} // 0 if $op eq 'bitwise';
				push @marks, [$bits, $counter] if $op eq 'meta-set' && $x->{key} == $mark_key;
			}
		}
	}
	return (\%seen, \%has, @marks);
}

# table_of(SNAPSHOT, MARK): the devices that a mark's table leads to over IPv4, in order; dies where it is not closed.
sub table_of ($snapshot, $mark) {
	my @rules = grep { $_->{owned} && ($_->{mark} // 0) == $mark && $_->{mask} && ($_->{family} // 'ipv4') eq 'ipv4' }
		$snapshot->{rules}->@*;
	die "mark $mark: " . @rules . " rules\n" if @rules != 1;
	my @routes = sort { $a->{metric} <=> $b->{metric} }
		grep { $_->{table} == $rules[0]{table} && ($_->{family} // 'ipv4') eq 'ipv4' } $snapshot->{routes}->@*;
	my $last = pop @routes // die "mark $mark: no routes\n";
	die "mark $mark: open\n" if ($last->{type} // 'unicast') eq 'unicast';
	return join ' ', map { map { $_->{device} } $_->{hops}->@* } @routes;
}

# policy_of(SNAPSHOT): which policy it is; dies if it is none, or parts of both.
sub policy_of ($snapshot) {
	my ($seen, $has, @marks) = walk($snapshot);
	$seen->{chains}{$_} or die "$_ is empty\n" for qw(output prerouting);
	my @routes = sort grep { /^route\./ && !/else$/ } keys $seen->{counters}->%*;
	my ($name) = $routes[0] =~ /(\w+)-known$/ or die "no routes\n";
	my $all = join ' ', map {"route.$_"} "office.$name-known", "office.$name-rest", "office.$name-web", "own.$name-known";
	die "routes @routes\n" if "@routes" ne $all;
	for (@marks) {
		my ($mark, $counter) = @$_;
		my $way = $has->{counters}{$counter}{comment};
		next if $way =~ /^main/;
		my $leads   = table_of($snapshot, $mark & 0xffff);
		my $devices = join ' ', $way =~ /\[(eth\d)/g;
		die "$way leads to $leads\n" if $devices ne $leads;
	}
	return $name;
}

# ---- processes ----

# start(KIND, NUMBER, GATE): one of them, which begins when the gate is closed, and leaves its output in files.
sub start ($kind, $number, $gate) {
	my $file    = $file{ $number % 2 ? 'one' : 'two' };
	my $timeout = (0, '20ms', '300ms', '3s', '60s')[$number / 2 % 5];
	my %command = (
		apply    => ['apply', '--yes', '--json', '--lock-timeout', $timeout, $file],
		status   => ['status', '--json'],
		drift    => ['drift', '--json', $file],
		snapshot => ['snapshot'],
	);
	my $base = scratch() . "/$number";
	my $pid  = fork // die "fork: $!\n";
	return { kind => $kind, base => $base, pid => $pid } if $pid;
	open STDIN,  '<', '/dev/null';
	open STDOUT, '>', "$base.out" or _exit(126);
	open STDERR, '>', "$base.err" or _exit(126);
	close $gate->[1];
	readline $gate->[0];
	# those who look would be done before the first change
	sleep $number / 80 if $kind ne 'apply';
	exec 'nsenter', "--net=$netns", $cnic, $command{$kind}->@* or _exit(127);
}

# wave(NUMBER): all of them at once; each with its exit status and output.
sub wave ($wave) {
	pipe my $wait, my $open or die "pipe: $!\n";
	my @all   = map { start($kinds[$_ * 7 % @kinds], $_, [$wait, $open]) } 0 .. $#kinds;
	my $begin = time;
	close $open;
	for my $process (@all) {
		waitpid $process->{pid}, 0;
		$process->{status} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
		($process->{out}, $process->{err}) = map { slurp("$process->{base}.$_") } qw(out err);
	}
	diag(sprintf 'wave %d: %d processes at once, all done after %.1f s', $wave, scalar @all, time - $begin);
	return @all;
}

# none(WHAT, PROCESSES): there are none; else a few are shown.
sub none ($what, @bad) {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(!@bad, $what) and return;
	diag(scalar(@bad) . ' are not so');
	for (@bad[0 .. ($#bad < 3 ? $#bad : 3)]) {
		my ($said) = $_->{out} =~ /"diagnostics": (\[.*?\n  \])/s;
		diag(join ' ', $_->{kind}, "status $_->{status}", $_->{why} // '', $_->{err}, $said // substr $_->{out}, 0, 600);
	}
}

my ($status, undef, $err) = at('router', $cnic, 'apply', '--yes', $file{one});
is($status, 0, 'a policy is there') or diag($err);

for my $wave (1 .. $waves) {
	my @all   = wave($wave);
	my %of    = map { my $kind = $_; $kind => [grep { $_->{kind} eq $kind } @all] } qw(apply status drift snapshot);
	my %pids  = map { $_->{pid} => 1 } $of{apply}->@*;
	my @done  = grep { $_->{status} == 0 } $of{apply}->@*;
	my @moved = grep { eval { from_json($_->{out})->{changed} } } @done;

	none('apply does it, or says that it is locked, and by whom', grep {
		my ($holder) = $_->{out} =~ /process (\d+) of user 0 is changing this network/;
		!($_->{status} == 0 || ($_->{status} == 6 && $holder && $pids{$holder}))
	} $of{apply}->@*);
	none('status shows a state', grep { $_->{status} || !eval { from_json($_->{out})->{ok} } } $of{status}->@*);
	none('drift tells of a difference, or of none', grep {
		my $json = eval { from_json($_->{out}) };
		!$json || !($_->{status} == 0 && !$json->{drift}->@* || $_->{status} == 2 && $json->{drift}->@*)
	} $of{drift}->@*);
	my %shown;
	none('snapshots show one policy, whole', grep {
		my $policy = $_->{status} ? undef : eval { policy_of(from_json($_->{out})) };
		$shown{ $policy // '' }++;
		$_->{why} = $@;
		!$policy
	} $of{snapshot}->@*);
	cmp_ok(scalar @moved, '>=', 5, 'policies were changed meanwhile');
	diag(sprintf 'apply: %d done, %d of them changed something, %d locked; snapshots: %s', scalar @done, scalar @moved,
		scalar(grep { $_->{status} == 6 } $of{apply}->@*), join ', ', map {"$shown{$_} of $_"} sort keys %shown);

	my (undef, $last) = at('router', $cnic, 'snapshot');
	my $policy = eval { policy_of(from_json($last)) };
	ok($policy, 'in the end there is one policy') or diag($@);
	my ($drifts, $out, $why) = at('router', $cnic, 'drift');
	is($drifts, 0, 'the one that was applied last') or diag($out . $why);
	my ($again, $json) = at('router', $cnic, 'apply', '--yes', '--json', $file{$policy});
	is_deeply([$again, from_json($json)->{changed}], [0, JSON::PP::false], 'and wholly so: the same again changes nothing');
}
done_testing;
