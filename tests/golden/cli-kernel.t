#!/usr/bin/perl
# The commands that talk to a kernel, in network namespaces without GRE: plan, apply, status, snapshot and remove, their
# exit statuses and envelopes, the lock, the question, and what is said to those who may not. What the traffic does is
# tests/kernel/'s.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
my $name = ns('router');
wire('router', 'eth0', '', 'far', 'far0', '');
wire('router', 'eth2', '', 'far', 'far2', '');
my $policy = spew(scratch() . '/policy.cni', <<'END');
lan office { device eth2; prefix 10.1.0.0/24; }
link isp { kind internet; device eth0; address 198.51.100.2/30; }
policy office on eth2 {
	route all from 10.1.0.0/24 via isp else drop;
	else drop;
}
END

# here(WHAT, STATUS, ARGUMENTS): cnic in the router's namespace; returns stdout and stderr.
sub here ($what, $status, $command, @arguments) {
	my ($got, $out, $err) = at('router', $cnic, $command, @arguments);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($got, $status, $what) || diag($out, $err);
	return ($out, $err);
}

sub json_here (@arguments) {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return from_json((here(@arguments, '--json'))[0]);
}

# everything(): what the kernel holds, but for counters, and for what IPv6 sets up by itself and in its own time.
sub everything () {
	return join '', map { (at('router', $_))[1] } 'ip -4 addr', 'ip rule', 'ip -6 rule', 'ip -4 route show table all',
		'ip -6 route show table all proto 93', 'nft -s list ruleset',
		'sysctl -a -r "(ip_forward|rp_filter|accept_local|send_redirects|linkdown|hash_policy)$" 2>/dev/null';
}

# eventually(FLAG): the kernel tells of a carrier in its own time.
sub eventually ($flag) {
	for (1 .. 100) {
		return if (at('router', 'ip link show dev eth0'))[1] =~ /\b$flag\b/;
		select undef, undef, undef, 0.1;
	}
	die "eth0 never came to $flag\n";
}

my $before = everything();

subtest 'nothing installed' => sub {
	is((here('status', 0, 'status'))[0], "no policy is installed\n", '... says so');
	ok(!json_here('status --json', 0, 'status')->{installed}, '... in JSON too');
	is((here('remove', 0, 'remove'))[0] =~ /nothing/, 1, '... removes nothing');
	is(json_here('remove --json', 0, 'remove')->{changed}, JSON::PP::false, '... and changes nothing');
};

my $steps;
subtest 'plan' => sub {
	my ($text) = here('plan', 0, 'plan', $policy);
	like($text, qr/^ +\+ route +default via 198\.51\.100\.1 dev eth0 .*\[\Q$policy\E:\d+\]$/m, '... tells what and why');
	here('plan --detailed-exitcode', 2, 'plan', '--detailed-exitcode', $policy);
	my $json = json_here('plan --json', 0, 'plan', $policy);
	$steps = $json->{plan}{steps};
	ok($json->{changed}, '... there are changes');
	my %phases = map { $_->{phase} => 1 } @$steps;
	is_deeply([ sort keys %phases ], [qw(expand flip in-place)], '... in their phases');
	my %ops;
	$ops{ $_->{op} }++ for @$steps;
	is($json->{plan}{summary}{$_}, $ops{$_} // 0, "... summary of $_") for qw(add change replace delete);
	my ($route) = grep { $_->{object} eq 'route' && $_->{text} =~ /198\.51\.100\.1/ } @$steps;
	is_deeply([ @$route{qw(op before file)} ], [ 'add', undef, $policy ], '... a step has its place');
	is($route->{after}, $route->{text}, '... and its text');
	cmp_ok($route->{line}, '>=', 1, '... its line');
	is(everything(), $before, '... and nothing was changed');
	my ($alias) = here('compare is plan', 0, 'compare', $policy);
	is($alias, $text, '... the same');
	is((here('apply -n', 0, 'apply', '-n', $policy))[0], $text, '... as apply --dry-run');
	is(everything(), $before, '... and nothing was changed');
};

my $applied;
subtest 'apply' => sub {
	my $json = json_here('apply', 0, 'apply', $policy);
	ok($json->{ok} && $json->{changed} && $json->{verified}, '... ok, changed, verified');
	is_deeply($json->{plan}{steps}, $steps, '... as planned');
	cmp_ok($json->{messages}, '>', 0, '... by messages');
	$applied = everything();
	isnt($applied, $before, '... the kernel is another');
	$json = json_here('apply again', 0, 'apply', $policy);
	ok($json->{ok} && !$json->{changed}, '... changes nothing');
	is($json->{messages}, 0, '... by no message');
	is(everything(), $applied, '... and the kernel is the same');
	here('plan --detailed-exitcode', 0, 'plan', '--detailed-exitcode', $policy);
	my ($out, $err) = here('apply -q', 0, 'apply', '-q', $policy);
	is("$out$err", '', '... says nothing');
};

subtest 'status' => sub {
	my ($text, $err) = here('status', 0, 'status');
	like($text, qr/^Paths\n +ID +PACKETS +BYTES +PATH +NOW\n +1 +0 +0 +isp\S* \S+ else drop +eth0\b/m, '... of paths');
	like($text, qr/^Routes.*\n +POLICY +ROUTE +PACKETS +BYTES\n +office +all +0 +0\n/m, '... of routes');
	unlike($text, qr/ $/m, '... without spaces at the ends of lines');
	my $json = json_here('status --json', 0, 'status');
	ok($json->{installed}, '... installed');
	my ($path) = @{ $json->{paths} };
	my ($live) = grep { $_->{live} && $_->{family} eq 'ipv4' } @{ $path->{routes} };
	is($live->{hops}[0]{device}, 'eth0', '... the live hop');
	is_deeply([ map { "$_->{policy}.$_->{route}" } @{ $json->{routes} } ], [ 'office.all', 'office.else' ], '... routes');
	my ($setting) = grep { $_->{name} eq 'rp_filter' && $_->{device} eq 'eth0' } @{ $json->{settings} };
	ok(defined $setting->{former}, '... settings with what they were');

	at('router', 'sysctl -qw net.ipv4.ip_forward=0');
	like((here('forwarding off', 0, 'status'))[1], qr/warning: net\.ipv4\.ip_forward is 0/, '... is warned about');
	at('router', 'sysctl -qw net.ipv4.ip_forward=1');
	unlike((here('forwarding on', 0, 'status'))[1], qr/ip_forward/, '... not');
	at('far', 'ip link set far0 down');
	eventually('NO-CARRIER');
	like((here('no carrier', 0, 'status'))[0], qr/dropped \(down: eth0\)/, '... the path is closed');
	at('far', 'ip link set far0 up');
	eventually('LOWER_UP');
	like((here('carrier', 0, 'status'))[0], qr/else drop +eth0\b/, '... and open');
	at('router', "ip $_ rule del priority 1012") for qw(-4 -6);
	like((here('a rule is gone', 0, 'status'))[1], qr/path 1 .* has lost its ip rules/, '... is warned about');
	here('apply mends it', 0, 'apply', $policy);
};

subtest 'snapshot' => sub {
	my $file = scratch() . '/snapshot.json';
	is(json_here('snapshot', 0, 'snapshot')->{cnic}, 'snapshot', '... is an envelope');
	is((here('-o', 0, 'snapshot', '-o', $file))[0], '', '... is written');
	is((cnic('plan', '--detailed-exitcode', '--state', $file, $policy))[0], 0, '... and planned against elsewhere');
	my $other = spew(scratch() . '/other.cni', slurp($policy) =~ s/\Qroute all from 10.1.0.0\/24\E/route all from 10.1.0.0\/25/r);
	my @there = cnic('plan', '--json', '--state', $file, $other);
	is_deeply(from_json($there[1])->{plan}, json_here('plan', 0, 'plan', $other)->{plan}, '... the same as live');
	my $json = json_here('a change', 0, 'apply', $other);
	ok($json->{changed}, '... is one');
	ok((grep { $_->{phase} eq 'contract' && $_->{op} eq 'delete' && $_->{before} && !defined $_->{file} }
		@{ $json->{plan}{steps} }), '... what goes has no place in the policy');
};

subtest 'namespaces' => sub {
	is((cnic('status', '--netns', $name))[1], (here('status', 0, 'status'))[0], 'by name');
	is((cnic('status', '--netns', "/run/netns/$name"))[1], (here('status', 0, 'status'))[0], 'by path');
	is((cnic('apply', '--netns', ns('far'), $policy))[0], 1, 'the other one has no such devices');
};

subtest 'the lock' => sub {
	my $holder = open(my $said, '-|', 'nsenter', "--net=/run/netns/$name", $^X, '-MSocket', '-e', <<'END') or die;
$| = 1;
socket my $s, AF_UNIX, SOCK_STREAM, 0 or die;
bind $s, pack 'S a*', AF_UNIX, "\0cnic.lock" or die;
listen $s, 9 or die;
print "held\n";
sleep 60;
END
	is(readline $said, "held\n", 'somebody holds it');
	my ($out, $err) = here('apply', 6, 'apply', '--lock-timeout', '100ms', $policy);
	like($err, qr/^error\[CNI705\]/, '... is told so');
	here('remove', 6, 'remove', '--lock-timeout', '0');
	here('plan needs none', 0, 'plan', $policy);
	here('nor does status', 0, 'status');
	kill 'TERM', $holder;
	close $said;
	here('apply goes on', 0, 'apply', $policy);
};

# asked(ANSWER, ARGUMENTS): cnic on a terminal; returns the exit status and what was shown.
sub asked ($answer, @arguments) {
	my ($status, $out) = sh({ stdin => "$answer\n" }, 'nsenter', "--net=/run/netns/$name", 'script', '-qec',
		"$cnic @arguments", '/dev/null');
	return ($status, $out);
}

subtest 'the question' => sub {
	my $now = everything();
	my ($status, $shown) = asked('n', 'remove', '--color=never');
	is($status, 1, 'no');
	like($shown, qr/ - route .*Apply these changes\? \[y\/N\]/s, '... after the plan was shown');
	is(everything(), $now, '... changes nothing');
	($status) = asked('', 'remove');
	is($status, 1, 'an empty answer is no');
	is(everything(), $now, '... changes nothing');
	($status, $shown) = asked('y', 'remove');
	is($status, 0, 'yes');
	isnt(everything(), $now, '... goes ahead');
	($status, $shown) = asked('n', 'apply', '-y', $policy);
	is($status, 0, '-y does not ask');
	unlike($shown, qr/\[y\/N\]/, '... at all');
	($status, $shown) = asked('n', 'remove', '--no-input');
	unlike($shown, qr/\[y\/N\]/, '--no-input neither');
	($status, $shown) = asked('n', 'remove');
	is($status, 0, 'nothing to change is nothing to ask');
	unlike($shown, qr/\[y\/N\]/, '... either');
};

subtest 'without the right' => sub {
	for my $command ([ 'plan', $policy ], [ 'apply', $policy ], ['remove'], ['status'], ['snapshot']) {
		my ($status, $out, $err) = at('router', 'setpriv', '--inh-caps=-all', '--bounding-set=-all', $cnic, @$command);
		is($status, 1, "$command->[0]");
		like($err, qr/CAP_NET_ADMIN/, '... names the capability');
	}
};

subtest 'remove' => sub {
	here('apply', 0, 'apply', $policy);
	my $json = json_here('remove', 0, 'remove');
	ok($json->{changed} && $json->{verified}, '... changed, verified');
	at('router', 'sysctl -qw net.ipv4.ip_forward=0');
	is(everything(), $before, '... all is as it was');
};

# what others have in the tables that the policy wants, before it is applied and while it is
subtest 'routes of others' => sub {
	my $route = 'default via 198.51.100.1 dev eth0 table 20001';
	for my $there (0, 1) {
		here('applied', 0, 'apply', '-q', $policy) if $there;
		at('router', 'ip address add 198.51.100.2/30 dev eth0');
		for my $foreign ("$route metric 0", "$route metric 15 onlink", $there ? () : "$route metric 10 onlink",
			'blackhole default table 20001 metric 99') {
			is((at('router', "ip route add $foreign"))[0], 0, "a route of someone else: $foreign");
			my $now = everything();
			like((here('plan', 1, 'plan', $policy))[1], qr/^error\[CNI553\]: table 20001 .* 0\.0\.0\.0\/0 /m, '... plan tells');
			like((here('apply', 1, 'apply', $policy))[1], qr/CNI553/, '... apply refuses');
			is(everything(), $now, '... before anything is changed');
			like((here('drift', 2, 'drift', $policy))[0], qr/table 20001 has a route/, '... and drift tells') if $there;
			at('router', "ip route del $foreign");
		}
		here('all is well without', 0, 'apply', '-q', $policy);
		here('remove', 0, 'remove', '-q');
		at('router', 'ip address del 198.51.100.2/30 dev eth0');
	}
	at('router', "ip address add 198.51.100.2/30 dev eth0; ip route add $route metric 10");
	my $now = everything();
	here('one that is just the same is used', 0, 'apply', '-q', $policy);
	unlike((at('router', 'ip route show table 20001'))[1], qr/default via.*proto 93/, '... and not made again');
	here('... it is no drift', 0, 'drift', $policy);
	is(json_here('... nor changed by another apply', 0, 'apply', $policy)->{messages}, 0, '... by no message');
	here('remove', 0, 'remove', '-q');
	is(everything(), $now, '... nor removed');
	at('router', 'ip address del 198.51.100.2/30 dev eth0');
	is(everything(), $before, 'all is as it was');
};

subtest 'what is broken off' => sub {
	my ($status, undef, $err) = at('router', "$cnic apply -y $policy >/dev/full");
	is($status, 1, 'a plan that cannot be shown');
	like($err, qr/cannot write standard output: No space left/, '... is told of');
	is(everything(), $before, '... and not carried out');
	($status, undef, $err) = at('router', "$cnic apply -y --json $policy >/dev/full");
	is($status, 1, 'an answer in JSON that cannot be written');
	like($err, qr/the change was made all the same/, '... comes when all is done');
	my $after = everything();
	here('remove', 0, 'remove', '-q');
	for my $ms (map { 3 * $_ } 1 .. 8) {
		($status) = at('router', sprintf "timeout --preserve-status -s TERM %.3f $cnic apply -y -q $policy", $ms / 1000);
		my $now = everything();
		ok($now eq $before || $now eq $after, "ended after $ms ms (exit status $status): all or nothing") || diag($now);
		ok($status || $now eq $after, '... and the exit status is right');
		here('remove', 0, 'remove', '-q');
	}
};

done_testing;
