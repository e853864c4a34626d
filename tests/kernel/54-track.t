#!/usr/bin/perl
# The tracker on the running kernel, over plain links: what it does when a link, a direction or a data centre is lost and
# comes back, with an apply meanwhile, killed at every state, and with answers that are none.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Track;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
track_lab();

# apply(POLICY, ARGUMENTS): in the router.
sub apply ($file, @arguments) {
	my ($status, $out, $err) = at('router', $cnic, 'apply', '-y', @arguments, $file);
	is($status, 0, 'applied') || diag($out, $err);
	return;
}

# becomes(DOWN, NAME): just these come to be down.
sub becomes ($down, $name, $seconds = 10) {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(until_so(sub { down_targets() eq $down }, $seconds), $name) || diag('down: ' . down_targets() . "\n" . said());
	return;
}

# holds(DOWN, SECONDS, NAME): and nothing else for so long.
sub holds ($down, $seconds, $name) {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(!until_so(sub { down_targets() ne $down }, $seconds), $name) || diag('down: ' . down_targets() . "\n" . said());
	return;
}

# anew(): another tracker, to which nothing has flapped yet.
sub anew () {
	stop_tracker();
	tracker();
	return;
}

my $plain = policy_of();
apply($plain);
my $both = routes_of(1);
is($both, 'eth1 eth3', 'a before b');

subtest 'losses of every kind, and a stream across' => sub {
	tracker();
	stream_begin();
	sleep 0.5;
	lose('a');
	becomes('a', 'both directions are lost, and the link stays up');
	is(routes_of(1), 'eth3', '... b carries it');
	is(routes_of(2), 'eth1', '... and answers still leave by a');
	sleep 0.2;
	my $seen = stream_end();
	# every x down + timeout is 200 ms; what is more is the machine's. A hundredth of the stream's packets is 10 ms.
	cmp_ok($seen->{lost}, '>', 0, '... packets were lost until then');
	cmp_ok($seen->{gap_us}, '<', 2_000_000, "... and no more than in a moment ($seen->{gap_us} us)");
	stream_begin();
	sleep 0.3;
	mend('a');
	becomes('', 'a is back');
	is(routes_of(1), 'eth1 eth3', '... and carries it');
	sleep 0.3;
	$seen = stream_end();
	is($seen->{lost}, 0, '... without a packet lost');
	anew();
	for my $direction (qw(to from)) {
		lose('a', $direction);
		becomes('a', "what goes $direction the far side is lost");
		mend('a');
		becomes('', '... and comes back');
	}
	anew();
	lose($_) for qw(a b);
	becomes('a b', 'both interconnects are lost');
	is(routes_of(1), '', '... `else` speaks');
	mend('b');
	becomes('a', 'b is back alone');
	is(routes_of(1), 'eth3', '... and carries it');
	mend('a');
	becomes('', 'and a');
	is(stop_tracker(), 0, 'SIGTERM ends it');
	is(routes_of(1), 'eth1 eth3', '... and leaves everything');
};

subtest 'a busy machine, and what it may do' => sub {
	my $pid = tracker();
	sleep 0.6;
	my %status = slurp("/proc/$pid/status") =~ /^(\w+):\s+(.*)$/mg;
	# CAP_NET_ADMIN and CAP_NET_RAW: bits 12 and 13 of linux/capability.h
	is($status{$_}, '0000000000003000', "$_: two capabilities") for qw(CapPrm CapEff);
	is($status{$_}, '0000000000000000', "$_: none") for qw(CapInh CapBnd CapAmb);
	is("$status{NoNewPrivs} $status{Seccomp}", '1 2', 'no new privileges, and a filter of system calls');
	for (1 .. 3) {
		kill 'STOP', $pid;
		sleep 0.7;
		kill 'CONT', $pid;
		holds('', 0.4, 'it had no processor for 0.7 s: answers that came meanwhile are answers');
	}
	kill 'STOP', $pid;
	lose('a');
	sleep 0.5;
	kill 'CONT', $pid;
	becomes('a', 'what is lost meanwhile is found');
	mend('a');
	becomes('', '... and comes back');
	stop_tracker();
	my ($lost) = said() =~ /b 192\.0\.2\.20: \d+ sent, \d+ answered, (\d+) lost/;
	is($lost, 0, 'of the other no probe was lost') || diag(said());
};

subtest 'devices' => sub {
	tracker();
	at('far', 'ip link set dev a down');
	becomes('a', 'without carrier it is down');
	at('far', 'ip link set dev a up');
	becomes('', '... and with it, once it answers, up');
	at('router', 'ip link set dev eth1 down');
	becomes('a', 'set down');
	is(routes_of(1), 'eth3', '... b carries it');
	at('router', 'ip link set dev eth1 up');
	becomes('', '... and up again');
	ok(until_so(sub { routes_of(1) eq 'eth1 eth3' && routes_of(2) eq 'eth1' }),
		'... with the routes that the kernel took away, the way of answers among them') || diag(routes_of(2), said());
	anew();
	at('router', 'ip address delete 192.0.2.11/31 dev eth1');
	becomes('a', 'our address is gone');
	at('router', 'ip address add 192.0.2.11/31 dev eth1');
	becomes('', '... and back');
	at('router', 'ip link delete eth1');
	becomes('a', 'there is no such device');
	is(routes_of(1), 'eth3', '... b carries it');
	wire('router', 'eth1', '192.0.2.11/31', 'far', 'a', '192.0.2.10/31');
	becomes('', 'and it is made again');
	ok(until_so(sub { routes_of(1) eq 'eth1 eth3' && routes_of(2) eq 'eth1' }), '... with its routes') || diag(said());
	at('router', 'ip route delete default via 192.0.2.10 table 20001');
	ok(until_so(sub { routes_of(1) eq 'eth1 eth3' }), 'a route that somebody takes away is put back');
	stop_tracker();
};

subtest 'one that goes up and down is damped' => sub {
	tracker();
	sleep 0.6;
	my $fall = sub { lose('a'); my $so = until_so(sub { down_targets() eq 'a' }); mend('a'); $so };
	my $falls = 0;
	$falls++ while $falls < 8 && $fall->() && until_so(sub { down_targets() eq '' }, 4);
	cmp_ok($falls, '>=', 3, 'three times it comes back as soon as it answers');
	cmp_ok($falls, '<', 8, '... then not');
	becomes('', '... but after a while', 20);
	stop_tracker();
};

subtest 'killed and begun again, at every state' => sub {
	tracker();
	stop_tracker('KILL');
	tracker();
	holds('', 0.5, 'up, and still up');
	lose('a');
	becomes('a', 'down');
	is(stop_tracker('KILL'), -9, '... killed');
	holds('a', 0.5, '... still down');
	tracker();
	holds('a', 0.7, '... and by the next one, while nothing answers');
	stop_tracker('KILL');
	mend('a');
	holds('a', 0.5, 'it comes back while no tracker is there: nobody knows');
	tracker();
	becomes('', '... until one does');
	lose('a');
	sleep 0.1;
	stop_tracker('KILL');
	tracker();
	becomes('a', 'killed between the loss and the verdict: the next one finds it');
	mend('a');
	sleep 0.1;
	stop_tracker('KILL');
	tracker();
	becomes('', '... and so of what comes back');
	my ($status, undef, $err) = at('router', $cnic, 'track');
	is($status, 1, 'a second one');
	like($err, qr/CNI760.*another tracker/, '... is refused');
	stop_tracker();
};

subtest 'an apply meanwhile' => sub {
	tracker();
	lose('a');
	becomes('a', 'a is down');
	my $more = policy_of({ path => 'a weight 3, b weight 1 else drop' });
	apply($more);
	holds('a', 0.5, 'applied: it is still down');
	my (undef, $routes) = at('router', 'ip -4 route show table all proto 93');
	my @by_a = grep { /dev eth1/ } split /\n/, $routes;
	is(@by_a, 1, '... and but for answers nothing leads to it') || diag($routes);
	ok(until_so(sub { said() =~ /revision 2: 2 targets/ }), 'the tracker follows the new policy') || diag(said());
	mend('a');
	becomes('', 'a is back');
	ok(until_so(sub { (at('router', "$cnic drift"))[0] == 0 }), '... and the kernel is as the policy says')
		|| diag((at('router', "$cnic drift"))[1]);
	lose('b');
	becomes('b', 'b is down');
	apply($plain);
	becomes('b', '... and stays so in the next policy');
	mend('b');
	becomes('', '... until it answers');
	# one that takes itself back
	at('router', "$cnic apply -y --no-wait --confirm 2s $more");
	lose('a');
	becomes('a', 'down, while a change awaits its confirmation');
	ok(until_so(sub { (at('router', "$cnic history"))[1] !~ /pending|awaits/ && (at('router', "$cnic drift"))[0] == 0 }),
		'... which does not come: the policy before is back, on a day when a is down')
		|| diag(at('router', "$cnic history; $cnic drift"), said());
	is(down_targets(), 'a', '... and a still is');
	mend('a');
	becomes('', '... until it answers');
	at('router', $cnic, 'remove', '-y');
	is((at('router', 'ip route show table all proto 93; ip -6 route show table all proto 93'))[1], '', 'removed');
	ok(until_so(sub { said() =~ /no policy is applied/ }), '... and there is nothing to track') || diag(said());
	apply($plain);
	lose('a');
	becomes('a', 'applied again: it is tracked again');
	mend('a');
	becomes('', '... both ways');
	stop_tracker();
};

subtest 'two levels, hold, IPv6, passive' => sub {
	apply(policy_of({ track_a => 'target 192.0.2.10, 10.200.0.1, 10.200.0.2; every 50ms; down 3; up 5;',
				v6 => 1, track_b => 'target 2001:db8:b::; every 50ms; down 3; up 5; hold 2s;' }));
	at('far', 'ip address delete 10.200.0.1/32 dev lo');
	tracker();
	holds('', 0.7, 'one of two data centres is gone');
	at('far', 'ip address delete 10.200.0.2/32 dev lo');
	becomes('a', 'both are: a live peer before a dead data centre is down');
	at('far', 'ip address add 10.200.0.1/32 dev lo');
	becomes('', '... and one is enough');
	at('far', 'ip address add 10.200.0.2/32 dev lo');
	lose('b');
	becomes('b', 'IPv6 is probed');
	my $since = time;
	mend('b');
	sleep 0.2;
	becomes('', 'and is up again');
	cmp_ok(time - $since, '>', 1.5, '... when it was held down for two seconds');
	stop_tracker();
	apply(policy_of({ track_a => 'every 50ms; down 3; up 5; passive on;' }));
	tracker();
	sleep 0.6;
	at('far', 'nft add table inet deaf; nft "add chain inet deaf in { type filter hook input priority 0; }"; '
			. 'nft add rule inet deaf in iifname a icmp type echo-request drop');
	# bytes come in by a, without an answer to any probe
	my $ping = spawn('far', '/dev/null', 'ping', '-q', '-i', '0.01', '-I', 'a', '192.0.2.11');
	holds('', 1, 'passive: as long as bytes come in it is up, whether it answers or not');
	kill 'TERM', $ping;
	waitpid $ping, 0;
	stream_begin();
	becomes('a', 'bytes are sent and none come in: it is asked, and does not answer');
	stream_end();
	at('far', 'nft delete table inet deaf');
	becomes('', 'it answers');
	stop_tracker();
	apply($plain);
};

subtest 'answers that are none' => sub {
	# the far side's kernel is silent, and a program answers in its place
	my $forge = "$FindBin::Bin/lab/forge.pl";

	at('far', 'sysctl -qw net.ipv4.icmp_echo_ignore_all=1');
	for my $kind (qw(right id sequence source cookie truncated type checksum twice late device)) {
		tracker();
		becomes('a b', "$kind: nothing answers");
		my $pid = spawn('far', '/dev/null', 'perl', $forge, $kind);
		my $right = $kind =~ /right|twice/;
		if ($right) {
			becomes('', '... and what answers rightly is believed');
		} else {
			holds('a b', 1, '... forged answers are not');
		}
		kill 'KILL', $pid;
		waitpid $pid, 0;
		stop_tracker();
		my ($answered) = said() =~ /a 192\.0\.2\.10: \d+ sent, (\d+) answered/;
		my ($late, $refused) = said() =~ /a 192\.0\.2\.10: .* (\d+) late, (\d+) refused/;
		my ($strays) = said() =~ /(\d+) strays/;
		is($answered, 0, '... none is counted as one') if !$right;
		my $noted = $kind eq 'right' ? $answered : $kind eq 'late' ? $late : $kind eq 'id' ? $strays
			: $kind eq 'type' ? 1 : $refused;
		cmp_ok($noted, '>', 0, '... and they were seen for what they are') || diag(said());
	}
	tracker();
	at('far', 'sysctl -qw net.ipv4.icmp_echo_ignore_all=0');
	becomes('', 'a kernel that answers is believed');
	stop_tracker();
};

subtest 'flows' => sub {
	for my $failback (qw(keep drain flush)) {
		my $word = $failback eq 'drain' ? 'drain 2s' : $failback;
		apply(policy_of({ options => "on-failback $word;", path => 'a masquerade then b masquerade else drop' }));
		tracker();
		stream_begin();
		my $bound = sub { (at('router', 'conntrack -L -p udp --dport 9000 2>/dev/null'))[1] =~ /dst=(192\.0\.2\.\d+) sport=9000/ ? $1 : '' };
		is($bound->(), '192.0.2.11', "$failback: a flow is translated to a's address");
		lose('a');
		becomes('a', '... a is down');
		ok(until_so(sub { $bound->() eq '192.0.2.21' }), '... the flow is begun anew, by b') || diag($bound->());
		mend('a');
		becomes('', '... a is back');
		if ($failback eq 'keep') {
			sleep 0.5;
			is($bound->(), '192.0.2.21', '... the flow stays on b');
			lose('b');
			becomes('b', '... until that is down');
			ok(until_so(sub { $bound->() eq '192.0.2.11' }), '... and goes to a');
			mend('b');
			becomes('', '... b is back');
			sleep 0.3;
			is($bound->(), '192.0.2.11', '... which is nothing to it');
		} elsif ($failback eq 'drain') {
			sleep 0.5;
			is($bound->(), '192.0.2.21', '... the flow stays on b');
			ok(until_so(sub { $bound->() eq '192.0.2.11' }), '... for a time');
		} else {
			ok(until_so(sub { $bound->() eq '192.0.2.11' }), '... and the flow goes back') || diag(said());
		}
		stream_end();
		stop_tracker();
		at('router', 'conntrack -F 2>/dev/null');
	}
};

done_testing;
