#!/usr/bin/perl
# Commit-confirm: a change that is not confirmed takes itself back, whoever is killed meanwhile. On the running kernel;
# GRE is not needed.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $cnic = $ENV{CNIC} // "$root/build/cnic";
my $name = ns('router');
wire('lan', 'eth0', '10.1.0.5/24', 'router', 'eth2', '10.1.0.1/24');
wire('router', 'eth0', '198.51.100.2/30', 'far', 'far0', '198.51.100.1/30');
wire('router', 'eth1', '', 'far', 'far1', '198.51.100.5/30');
batch('lan', "route add default via 10.1.0.1\n");
batch('router', "route add default via 198.51.100.1\n");
batch('far', "address add 203.0.113.9/32 dev lo\naddress add 2001:db8:9::9/128 dev lo\n"
		. "address add 2001:db8:5::7/127 dev far1 nodad\n");
at('router', 'sysctl -qw net.ipv4.ip_forward=1');

# policy(NAME, ROUTES, TRACK, ADDRESSES): a file; more addresses begin with a comma.
sub policy ($file, $routes, $track = '', $addresses = '') {
	return spew(scratch() . "/$file.cni", <<"END");
lan office { device eth2; prefix 10.1.0.0/24; }
link isp { kind internet; device eth0; address 198.51.100.2/30; }
link alt { kind internet; device eth1; address 198.51.100.6/30$addresses; $track }
policy office on eth2 {
$routes
	else drop;
}
END
}
my $a = policy('a', 'route all via isp masquerade else drop;');
my $b = policy('b', 'route all via alt masquerade else drop;');

# ---- what the router holds ----

sub everything () {
	return join '', map { (at('router', $_))[1] } 'ip -4 addr', 'ip rule', 'ip -6 rule', 'ip -4 route show table all',
		'ip -6 route show table all proto 93', 'nft -s list ruleset',
		'sysctl -a -r "(rp_filter|accept_local|linkdown|hash_policy)$" 2>/dev/null';
}

sub lines ($text) { join "\n", sort split /\n/, $text }

# is_back(BEFORE, POLICY, NAME): the same again, but for the turn of the epoch, which names and marks tell of. POLICY
# undef: none, and then it is the same byte for byte.
sub is_back ($before, $policy, $what) {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $now = everything();
	if ($policy) {
		s/^table inet cnic \{.*?^\}\n//ms for $before, $now;
		my ($status, $out, $err) = at('router', $cnic, 'plan', '--detailed-exitcode', $policy);
		is($status, 0, "$what: the policy is what it was") || diag($out, $err);
	}
	return is($now, $before, "$what: the router is as it was");
}

# ---- runs that go on ----

# start({env, terminal}, ARGUMENTS): cnic in the router's namespace; what it says is in files.
my $runs = 0;
sub start (@arguments) {
	my $options = ref $arguments[0] ? shift @arguments : {};
	my $run = { base => scratch() . '/run' . $runs++ };
	my @command = ('nsenter', "--net=/run/netns/$name", $cnic, @arguments);
	spew("$run->{base}.$_", '') for qw(out err);
	$run->{pid} = fork // die "fork: $!\n";
	if (!$run->{pid}) {
		POSIX::setsid();
		%ENV = (%ENV, %{ $options->{env} // {} });
		open STDIN,  '<', '/dev/null';
		open STDOUT, '>', "$run->{base}.out";
		open STDERR, '>', "$run->{base}.err";
		@command = ('script', '-qefc', "@command", '/dev/null') if $options->{terminal};
		{ no warnings 'exec'; exec { $command[0] } @command }
		POSIX::_exit(127);
	}
	return $run;
}

sub said ($run) { slurp("$run->{base}.err") . slurp("$run->{base}.out") }

# eventually(SECONDS, CODE): whether it becomes true by then.
sub eventually ($seconds, $code) {
	my $end = time + $seconds;
	while (!$code->()) {
		return 0 if time > $end;
		sleep 0.01;
	}
	return 1;
}

# applied(RUN): waits until it awaits its confirmation; returns the process that does.
sub applied ($run) {
	eventually(10, sub { said($run) =~ /is applied; / }) or die 'not applied: ', said($run);
	my ($child) = split ' ', slurp("/proc/$run->{pid}/task/$run->{pid}/children");
	return $child;
}

# finish(RUN): its exit status, or 128 and its signal.
sub finish ($run) {
	waitpid $run->{pid}, 0;
	return $? & 127 ? 128 + ($? & 127) : $? >> 8;
}

sub is_gone ($pid) { !-e "/proc/$pid" || slurp("/proc/$pid/stat") =~ /^\d+ \(.*\) Z/ }

sub here ($what, $status, @arguments) {
	my ($got, $out, $err) = at('router', $cnic, @arguments);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($got, $status, $what) || diag($out, $err);
	return ($out, $err);
}

sub revisions () { map { m{/(\d+)$} ? $1 + 0 : () } glob "$ENV{CNIC_STATE_DIR}/revisions/*" }
sub is_pending () { -e "$ENV{CNIC_STATE_DIR}/revisions/pending" }

# ---- the tests ----

my $empty = everything();

subtest 'the first policy on an empty router' => sub {
	my $run = start('apply', '-y', '--confirm', '1s', $a);
	applied($run);
	isnt(everything(), $empty, 'it is applied');
	is(finish($run), 5, 'and is not confirmed');
	like(said($run), qr/^error\[CNI716\]: not confirmed within 1 s: the former policy is back/m, '... which is told');
	is_back($empty, undef, 'afterwards');
	ok(!is_pending() && !revisions(), 'no revision is left');
};

my $held;
subtest 'confirmed' => sub {
	my $run = start('apply', '--json', '-y', '--confirm', '20s', '-m', 'the first', $a);
	applied($run);
	my ($out) = here('confirm', 0, 'confirm', '--json');
	is(from_json($out)->{revision}, 2, '... of the second number: one is never given twice');
	is(finish($run), 0, 'the apply ends well');
	my $json = from_json(slurp("$run->{base}.out"));
	ok($json->{ok} && $json->{changed} && $json->{kept} && $json->{verified}, '... and says so');
	is_deeply([ revisions() ], [2], 'the revision is kept');
	here('there is nothing more to confirm', 1, 'confirm');
	$held = everything();
};

subtest 'not confirmed' => sub {
	my $run = start('apply', '-y', '--json', '--confirm', '500ms', $b);
	is(finish($run), 5, 'exit status 5');
	my $json = from_json(slurp("$run->{base}.out"));
	ok(!$json->{ok} && !$json->{changed} && !$json->{kept}, '... and JSON');
	is_back($held, $a, 'afterwards');
	$run = start('apply', '-y', '--confirm', '500ms', policy('bad', 'route all via isp masquerade else reject;'));
	is(finish($run), 5, 'a change of one word');
	is_back($held, $a, 'afterwards');
	is_deeply([ revisions() ], [2], 'nothing is kept');
};

subtest 'remove' => sub {
	my $run = start('remove', '-y', '--confirm', '600ms');
	applied($run);
	is(everything(), $empty, 'all is gone');
	is(finish($run), 5, 'and not confirmed');
	is_back($held, $a, 'afterwards');
};

subtest 'a router that held something else than the last revision' => sub {
	at('router', 'ip rule del priority 1012');
	my $drifted = everything();
	is(finish(start('apply', '-y', '--confirm', '300ms', $b)), 5, 'not confirmed');
	is(lines(everything()), lines($drifted), 'it is as it was, but for the order of what was made again');
	here('apply mends it', 0, 'apply', '-y', '-q', $a);
};
$held = everything();

subtest 'while it waits' => sub {
	my $run   = start('apply', '-y', '--confirm', '20s', $b);
	my $child = applied($run);
	my (undef, $err) = here('another apply', 6, 'apply', '-y', '--lock-timeout', '50ms', $a);
	like($err, qr/^error\[CNI705\]: process $child awaits the confirmation of revision \d+$/m, '... is told of it');
	like($err, qr/`cnic confirm`.*`cnic rollback`/, '... and what to do');
	my ($out) = here('status', 0, 'status', '--json');
	like(from_json($out)->{awaits}{deadline}, qr/^2\d{3}-\d\d-\d\dT.*Z$/, '... tells of it, too');
	here('another number', 1, 'confirm', '99999');
	here('what is no number', 64, 'confirm', 'x');
	my ($status) = at('router', 'setpriv', '--reuid=65534', '--clear-groups', '--inh-caps=-all', $cnic, 'confirm');
	is($status, 1, 'another user may not');
	# whoever comes, and whatever they say
	my ($ok) = at('router', $^X, '-MSocket', '-e', <<'END');
my @open;
for my $i (0 .. 59) {
	socket my $s, AF_UNIX, SOCK_SEQPACKET, 0 or die;
	connect $s, pack 'S a*', AF_UNIX, "\0cnic.confirm" or die "connect: $!";
	send $s, ('x', 'y' x 5000, pack('LLL', 0x636e0001, 77, 0), pack('LLL', 1, 1, 0), '')[$i % 5], 0 if $i % 3;
	push @open, $s;
}
sleep 1;
END
	is($ok, 0, 'sixty of them');
	ok(!is_gone($child), 'it goes on');
	here('rollback', 0, 'rollback', '-y');
	is(finish($run), 5, 'it was taken back');
	is_back($held, $a, 'afterwards');
};

subtest 'SIGTERM' => sub {
	my $run = start('apply', '-y', '--confirm', '20s', $b);
	kill 'TERM', applied($run);
	is(finish($run), 5, 'takes it back at once');
	like(said($run), qr/ended by SIGTERM/, '... and says why');
	is_back($held, $a, 'afterwards');
};

subtest 'the caller is killed' => sub {
	for my $how ('its process', 'its session') {
		my $run   = start('apply', '-y', '--confirm', '1s', $b);
		my $child = applied($run);
		kill 'KILL', $how eq 'its session' ? -$run->{pid} : $run->{pid};
		is(finish($run), 137, $how);
		isnt(everything(), $held, '... the change stands');
		ok(eventually(5, sub { is_gone($child) }), '... for its time');
		is_back($held, $a, '... afterwards');
		ok(!is_pending(), '... nothing is pending');
	}
	my $run = start({ terminal => 1 }, 'apply', '-y', '--confirm', '1s', $b);
	eventually(10, sub { said($run) =~ /is applied; / }) or die said($run);
	kill 'KILL', $run->{pid};
	is(finish($run), 137, 'its terminal');
	ok(eventually(5, sub { !is_pending() }), '... the change goes with its time');
	eventually(5, sub { (at('router', $cnic, 'plan', '--detailed-exitcode', $a))[0] == 0 });
	is_back($held, $a, '... afterwards');
};

subtest 'the process that waits is killed' => sub {
	my $run = start('apply', '-y', '--confirm', '20s', $b);
	kill 'KILL', applied($run);
	is(finish($run), 5, 'the caller takes over');
	like(said($run), qr/the process that makes the change was killed: the former policy is back/, '... and says so');
	is_back($held, $a, 'afterwards');
	ok(!is_pending(), 'nothing is pending');
};

subtest 'both are killed' => sub {
	for my $what ('confirm', 'apply', 'rollback') {
		my $run   = start('apply', '-y', '--confirm', '20s', $b);
		my $child = applied($run);
		kill 'KILL', $run->{pid};
		finish($run);
		kill 'KILL', $child;
		eventually(5, sub { is_gone($child) });
		ok(is_pending(), 'it is still pending');
		if ($what eq 'confirm') {
			here('confirm keeps it', 0, 'confirm');
			ok(!is_pending(), '... as a revision');
			here('and the policy before is applied again', 0, 'apply', '-y', '-q', $a);
			$held = everything();
		} elsif ($what eq 'rollback') {
			here('rollback goes to the last confirmed one', 0, 'rollback', '-y', '-q');
			is_back($held, $a, 'afterwards');
		} else {
			my (undef, $err) = here('another apply goes on', 0, 'apply', '-y', $a);
			like($err, qr/^note\[CNI725\]: revision \d+ was never confirmed/m, '... with a note');
			is_back($held, $a, 'afterwards');
		}
	}
	my $run   = start('apply', '-y', '--confirm', '400ms', $b);
	my $child = applied($run);
	kill 'KILL', $run->{pid}, $child;
	finish($run);
	sleep 1.5;
	here('its time is over: no confirm', 1, 'confirm');
	here('apply', 0, 'apply', '-y', '-q', $a);
};
$held = everything();

# orphan(POLICY): applies it and kills those that would take it back; its number.
sub orphan ($policy) {
	my $run   = start('apply', '-y', '--confirm', '60s', $policy);
	my $child = applied($run);
	kill 'KILL', $run->{pid}, $child;
	finish($run);
	eventually(5, sub { is_gone($child) });
	ok(is_pending(), "$policy is applied, and nobody would take it back");
	return said($run) =~ /revision (\d+) is applied/ ? $1 : die said($run);
}

subtest 'killed, and the router holds something else' => sub {
	my @before = revisions();
	my $number = orphan($b);
	# as after a loss of power
	here('the kernel forgets', 0, 'remove', '-y', '-q', '--state-dir', scratch() . '/elsewhere');
	my (undef, $err) = here('no confirm', 1, 'confirm');
	like($err, qr/^error\[CNI715\]: the router does not hold revision $number/m, '... says why');
	like($err, qr/help: .*`cnic rollback --confirm 120s $number`/, '... and what to do');
	is_deeply([ revisions() ], \@before, '... nothing is kept');
	ok(is_pending(), '... it is pending');
	here('restore', 0, 'restore');
	ok(!is_pending(), '... nothing is pending');
	(undef, $err) = here('no confirm', 1, 'confirm');
	like($err, qr/^error\[CNI715\]: nothing awaits/m, '... says why');
	is_deeply([ revisions() ], \@before, '... nothing is kept');
	$number = orphan($b);
	at('router', 'ip route flush table all proto 93');
	here('no confirm of a part', 1, 'confirm', $number);
	here('it is applied anew, and kept', 0, 'rollback', '-y', '-q', $number);
	ok(!is_pending(), '... nothing is pending');
	here('... and back', 0, 'apply', '-y', '-q', $a);
	$held = everything();
};

subtest 'killed, and a later change fails' => sub {
	my $c = policy('c', 'route all via isp masquerade else reject;');
	here("the one before $a", 0, 'apply', '-y', '-q', $c);
	here($a, 0, 'apply', '-y', '-q', $a);
	my $number = orphan($b);
	is(finish(start('apply', '-y', '--confirm', '300ms', $c)), 5, 'not confirmed');
	ok(is_pending(), '... what was killed is pending again');
	like((here('history', 0, 'history'))[0], qr/^ +$number .*never confirmed/m, '... history');
	my (undef, $err) = here('rollback', 0, 'rollback', '-y');
	like($err, qr/revision $number was never confirmed: back to revision \d+/, '... goes back from it');
	here('... to the last confirmed one', 0, 'plan', '--detailed-exitcode', $a);
	$number = orphan($b);
	is(finish(start('apply', '-y', '--confirm', '300ms', $c)), 5, 'not confirmed');
	here('confirm keeps what the router holds again', 0, 'confirm', $number);
	here('... and back', 0, 'apply', '-y', '-q', $a);
	$held = everything();
};

# busy(SECONDS): a daemon that answers to our first rule by changing addresses of another device, for so long. Returns its
# process once it listens.
sub busy ($seconds) {
	pipe my $ready, my $tell or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		my @in = ('nsenter', "--net=/run/netns/$name", 'ip');
		open my $rules, '-|', @in, 'monitor', 'rule' or POSIX::_exit(1);
		my @changes = map { my $batch; open $batch, '|-', "@in -force -batch - 2>/dev/null" or POSIX::_exit(1); $batch } 0, 1;
		my @lines = map { "address add 198.18.0.$_/32 dev eth2\naddress del 198.18.0.$_/32 dev eth2\n" x 100 } 1, 2;
		sleep 0.3;    # until they listen
		close $tell;
		readline $rules;
		my $end = time + $seconds;
		while (time < $end) { syswrite $changes[$_], $lines[$_] for 0, 1 }
		close $_ for @changes;
		POSIX::_exit(0);
	}
	close $tell;
	readline $ready;
	return $pid;
}

subtest 'a router that others change' => sub {
	my $pid = busy(1);
	# the daemon is not to wait for us
	my ($status, $out, $err) = at('router', 'nice', '-n', '19', $cnic, 'apply', '-y', '-q', $b);
	is($status, 0, 'for a second from its first rule on: it is applied') || diag($out, $err);
	waitpid $pid, 0;
	here('... and back', 0, 'apply', '-y', '-q', $a);
	$held = everything();
};

subtest 'on a terminal' => sub {
	for ([ "y\ny", 0, 'yes' ], [ "y\nn", 5, 'no' ], [ "y\n", 5, 'an empty answer' ]) {
		my ($input, $want, $what) = @$_;
		my ($status, $shown) = sh({ stdin => "$input\n" }, 'nsenter', "--net=/run/netns/$name", 'script', '-qec',
			"$cnic apply --confirm 2s $b", '/dev/null');
		is($status, $want, $what);
		like($shown, qr/Keep it\? \[y\/N\]/, '... it was asked');
		$want ? is_back($held, $a, '... afterwards') : here('... and back', 0, 'apply', '-y', '-q', $a);
		$held = everything();
	}
};

subtest '--no-wait' => sub {
	my $begin = time;
	my ($out) = here('apply', 0, 'apply', '-y', '--json', '--confirm', '1500ms', '--no-wait', $b);
	cmp_ok(time - $begin, '<', 1.2, '... does not wait');
	my $awaits = from_json($out)->{awaits};
	like($awaits->{deadline}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, '... tells until when');
	ok(eventually(5, sub { !is_pending() }), '... it goes back by itself');
	eventually(5, sub { (at('router', $cnic, 'plan', '--detailed-exitcode', $a))[0] == 0 });
	is_back($held, $a, '... afterwards');
	($out) = here('again', 0, 'apply', '-y', '--json', '--confirm', '20s', '--no-wait', $b);
	here('... and confirmed', 0, 'confirm', from_json($out)->{awaits}{revision});
	here('... and back', 0, 'apply', '-y', '-q', $a);
	# a pipe that is read to its end does not wait for the process that stays
	$begin = time;
	at('router', "$cnic apply -y -q --confirm 5s --no-wait $b 2>&1 | cat");
	cmp_ok(time - $begin, '<', 3, 'a pipe is closed');
	here('... and confirmed', 0, 'confirm');
	here('without --confirm', 64, 'apply', '-y', '--no-wait', $a);
	here('... and back', 0, 'apply', '-y', '-q', $a);
	$held = everything();
};

subtest '--gate' => sub {
	my $good = policy('good', 'route all via alt masquerade else drop;',
		'track { target 198.51.100.5, 203.0.113.9; every 50ms; up 3; }');
	my $begin = time;
	my (undef, $err) = here('the peer and what is beyond it answer', 0, 'apply', '-y', '--gate', '--confirm', '5s', $good);
	cmp_ok(time - $begin, '<', 3, '... soon');
	like($err, qr/kept as revision/, '... kept');
	here('... and back', 0, 'apply', '-y', '-q', $a);
	$held = everything();
	my $bad = policy('dead', 'route all via alt masquerade else drop;',
		'track { target 198.51.100.5, 203.0.113.66; every 50ms; up 3; }');
	(undef, $err) = here('one is silent', 5, 'apply', '-y', '--gate', '--confirm', '700ms', $bad);
	like($err, qr/^error\[CNI724\]: alt: 203\.0\.113\.66 answered 0 times/m, '... which is named');
	unlike($err, qr/198\.51\.100\.5 answered/, '... alone');
	is_back($held, $a, 'afterwards');
	my $six = policy('six', 'route all via alt else drop;',
		'track { target 2001:db8:5::7, 2001:db8:9::9; every 50ms; up 3; }', ', 2001:db8:5::6/127');
	(undef, $err) = here('over IPv6', 0, 'apply', '-y', '--gate', '--confirm', '5s', $six);
	here('... and back', 0, 'apply', '-y', '-q', $a);
	$held = everything();
	at('far', 'ip -6 addr del 2001:db8:9::9/128 dev lo');
	(undef, $err) = here('silent over IPv6', 5, 'apply', '-y', '--gate', '--confirm', '700ms', $six);
	like($err, qr/^error\[CNI724\]: alt: 2001:db8:9::9 answered 0 times/m, '... which is named');
	unlike($err, qr/2001:db8:5::7 answered/, '... alone');
	is_back($held, $a, 'afterwards');
	batch('far', "address add 2001:db8:9::9/128 dev lo\n");
	batch('router', "address add 2001:db8:1::1/64 dev eth2 nodad\n");
	for (['203.0.113.9', '10.1.0.1', '10.1.0.0/24 via 198.51.100.6'],
		['2001:db8:9::9', '2001:db8:1::1', '2001:db8:1::/64 via 2001:db8:5::6'])
	{
		my ($target, $source, $route) = @$_;
		my $from = policy('from', 'route all via alt else drop;',
			"track { target $target; source $source; every 50ms; up 3; }", ', 2001:db8:5::6/127');
		(undef, $err) = here("from $source, which cannot be answered", 5, 'apply', '-y', '--gate', '--confirm', '700ms', $from);
		like($err, qr/^error\[CNI724\]: alt: \Q$target\E answered 0 times/m, '... which is told');
		batch('far', "route add $route\n");
		here('... and once it can', 0, 'apply', '-y', '--gate', '--confirm', '5s', $from);
		here('... and back', 0, 'apply', '-y', '-q', $a);
	}
	batch('router', "address delete 2001:db8:1::1/64 dev eth2\n");
	$held = everything();
	my %ssh = (env => { SSH_CONNECTION => '198.51.100.5 50000 198.51.100.6 22' });
	is(finish(start(\%ssh, 'apply', '-y', '--gate', '--confirm', '5s', $good)), 0, 'the way to the caller');
	my $run = start(\%ssh, 'remove', '-y', '--gate', '--confirm', '500ms');
	is(finish($run), 5, 'the way to the caller is cut off');
	like(said($run), qr/^error\[CNI724\]: the way to 198\.51\.100\.5, /m, '... which is told');
	here('... and back', 0, 'apply', '-y', '-q', $a);
	$held = everything();
};

subtest 'flows that begin meanwhile' => sub {
	my $server = open(my $ready, '-|', 'nsenter', '--net=/run/netns/' . ns('far'), $^X, '-MIO::Socket::INET', '-e', <<'END') or die;
$| = 1;
my $s = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '203.0.113.9', LocalPort => 7) or die $!;
print "ready\n";
while (my $peer = $s->recv(my $x, 99)) { my (undef, $host) = sockaddr_in($peer); $s->send(inet_ntoa($host), 0, $peer) }
END
	readline $ready;
	my $run = start('apply', '-y', '--confirm', '1s', $b);
	applied($run);
	# by which address of ours the far side sees the same flow, now and later; and a new one, later
	my ($status, $seen, $err) = sh('nsenter', '--net=/run/netns/' . ns('lan'), $^X, '-MIO::Socket::INET', '-e', <<'END');
sub new { IO::Socket::INET->new(Proto => 'udp', PeerAddr => '203.0.113.9', PeerPort => 7, LocalPort => $_[0]) or die $! }
sub ask { my ($s) = @_; $s->send('x'); my $x = ''; eval { local $SIG{ALRM} = sub { die }; alarm 2; $s->recv($x, 99); alarm 0 }; print "$x\n" }
my $s = new(40001);
ask($s);
sleep 2;
ask($s);
ask(new(40002));
END
	is(finish($run), 5, 'not confirmed');
	is($seen, "198.51.100.6\n198.51.100.6\n198.51.100.2\n", 'a translated flow keeps its way, a new one has the former')
		|| diag($err);
	kill 'TERM', $server;
	close $ready;
	at('router', 'conntrack -F');
	here('... and back', 0, 'apply', '-y', '-q', $a);
	$held = everything();
};

subtest 'a full disk' => sub {
	my $dir = scratch() . '/full';
	mkdir $dir;
	my ($status, $out, $err) = at('router', "unshare -m sh -c 'mount -t tmpfs -o size=16k,nr_inodes=20 none $dir &&"
			. " { head -c 100000 /dev/zero >$dir/x; CNIC_STATE_DIR=$dir $cnic apply -y --json $b; }' 2>&1");
	is($status, 1, 'an error');
	like($out, qr/"CNI713"/, '... of the state folder');
	unlike($out, qr/"messages"/, '... and no message was sent');
	is(everything(), $held, '... nothing was changed');
	($status, $out) = at('router', "unshare -m sh -c 'mount -t tmpfs -o ro none $dir && CNIC_STATE_DIR=$dir $cnic apply -y --confirm 1s $b' 2>&1");
	is($status, 1, 'a disk that cannot be written to');
	is(everything(), $held, '... nothing was changed');
};

subtest 'the lock' => sub {
	my $run = start('apply', '-y', '--confirm', '600ms', $b);
	applied($run);
	here('who waits for it gets it', 0, 'apply', '-y', '-q', '--lock-timeout', '10s', $a);
	is(finish($run), 5, 'after the other went back');
	my $lock = open(my $ready, '-|', 'nsenter', "--net=/run/netns/$name", $^X, '-MSocket', '-e', <<'END') or die;
$| = 1;
socket my $s, AF_UNIX, SOCK_STREAM, 0 or die;
bind $s, pack 'S a*', AF_UNIX, "\0cnic.lock" or die;
listen $s, 9 or die;
print "held\n";
sleep 60;
END
	readline $ready;
	my (undef, $err) = here('a holder', 6, 'apply', '-y', '--lock-timeout', '100ms', $b);
	like($err, qr/process $lock of user 0/, '... is named');
	kill 'KILL', $lock;
	close $ready;
	here('when it is killed the lock is free', 0, 'apply', '-y', '-q', '--lock-timeout', '1s', $a);
};

subtest 'removed and confirmed' => sub {
	my $run = start('remove', '-y', '--confirm', '20s');
	applied($run);
	here('confirm', 0, 'confirm');
	is(finish($run), 0, 'removed');
	is(everything(), $empty, 'the router is empty again');
};

done_testing;
