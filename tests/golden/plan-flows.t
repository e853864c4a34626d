#!/usr/bin/perl
# What a plan says of the flows that are there is what becomes of them: those whose NAT is fixed keep their path, and
# the others go by the new policy. With traffic, in network namespaces without GRE.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
wire('router', 'eth0', '', 'far', 'far0', '198.51.100.1/30');
wire('router', 'eth1', '', 'far', 'far1', '192.0.2.10/31');
wire('router', 'eth2', '10.1.0.1/24', 'lan', 'eth0', '10.1.0.2/24');
at('router', 'sysctl -qw net.ipv4.ip_forward=1');
batch('lan', "route add default via 10.1.0.1\n");
# where each flow leaves, behind all translation
is((at('router', { stdin => <<'END' }, 'nft', '-f', '-'))[0], 0, 'an observer');
table inet observer {
	set seen { type ifname . inet_service; flags dynamic; size 100; }
	chain out { type filter hook postrouting priority 300; meta l4proto udp add @seen { meta oifname . udp sport }; }
}
END

# policy(ROUTES, OPTIONS): a file of it.
sub policy ($routes, $options = '') {
	state $n = 0;
	return spew(scratch() . '/' . $n++ . '.cni', <<"END");
$options
lan office { device eth2; prefix 10.1.0.0/24; }
link isp { kind internet; device eth0; address 198.51.100.2/30; }
link cf { kind express; device eth1; address 192.0.2.11/31; health legacy { target 172.64.240.253; }
          track { target 192.0.2.10, 10.200.0.1; every 1s; down 3; up 5; } }
policy office on eth2 {
$routes
	else drop;
}
END
}
my ($one, $two, $three) = map { "203.0.113.$_" } 1 .. 3;
my $first  = policy("route one to $one via cf else drop; route two to $two via isp masquerade else drop;"
		. "route three to $three via cf else drop;");
my @second = ("route one to $one via isp else drop; route two to $two via cf else drop;"
		. "route three to $three via isp masquerade else drop;");
my $second = policy(@second);

# here(WHAT, STATUS, ARGUMENTS): cnic in the router's namespace; returns stdout and stderr.
sub here ($what, $status, @arguments) {
	my ($got, $out, $err) = at('router', $cnic, @arguments);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($got, $status, $what) || diag($out, $err);
	return ($out, $err);
}

# sends(): a packet of each of the three flows; returns where each left, by its number.
sub sends () {
	at('router', 'nft flush set inet observer seen');
	my ($status, undef, $err) = at('lan', $^X, '-MIO::Socket::INET', '-e', <<'END');
for my $n (1 .. 3) {
	my $s = IO::Socket::INET->new(Proto => 'udp', LocalPort => 50000 + $n, PeerAddr => "203.0.113.$n:53") or die $@;
	$s->send('x');
}
END
	die $err if $status;
	select undef, undef, undef, 0.1;
	return { reverse((at('router', 'nft list set inet observer seen'))[1] =~ /"(\w+)" \. 5000(\d)/g) };
}

# fates(PLAN): what it says, as path, translated, flows and fate.
sub fates ($plan) {
	return [ sort map { "$_->{flows} " . ($_->{translated} ? 'translated ' : '') . "by $_->{path}: $_->{fate}" } @{ $plan->{by_path} } ];
}

like((here('apply', 0, 'apply', $first))[0], qr/^(?!.*^flows:)/ms, 'the first policy finds no flows of its own');
is_deeply(sends(), { 1 => 'eth1', 2 => 'eth0', 3 => 'eth1' }, 'flows by the first policy');
unlike((here('plan of the same', 0, 'plan', $first))[0], qr/^flows:/m, '... tells of no flows');

my ($cf, $isp) = ('cf[eth1 192.0.2.10] else drop', 'isp[eth0 198.51.100.1] masquerade else drop');
my ($text) = here('plan of the second', 0, 'plan', $second);
like($text, qr/^flows: 3 on paths of the present policy; 1 steered anew; 2 kept there until they end, since their NAT is fixed$/m,
	'... counts them');
my $flows = from_json((here('plan --json', 0, 'plan', '--json', $second))[0])->{flows};
is_deeply([ @$flows{qw(known kept may_be_kept)} ], [ 3, 2, 0 ], '... in JSON');
is_deeply(fates($flows), [ "1 by $cf: follows", "1 by $cf: keeps until it ends", "1 translated by $isp: keeps until it ends" ],
	'... by path');

$flows = from_json((here('by DSCP', 0, 'plan', '--json', policy('route x dscp ef via isp masquerade else drop;'
	. 'route y via cf else drop;')))[0])->{flows};
is_deeply([ @$flows{qw(known kept may_be_kept)} ], [ 3, 1, 2 ], '... what is not known is a bound');
$flows = from_json((here('keep', 0, 'plan', '--json', policy(@second, 'options { established keep; }')))[0])->{flows};
is_deeply([ @$flows{qw(known kept may_be_kept)} ], [ 3, 3, 0 ], '... all are kept');
$flows = from_json((here('remove', 0, 'remove', '-n', '--json'))[0])->{flows};
is_deeply([ @$flows{qw(known kept may_be_kept)} ], [ 3, 0, 0 ], '... none is kept');
my $snapshot = scratch() . '/snapshot.json';
here('snapshot', 0, 'snapshot', '-o', $snapshot);
my $json = from_json((here('plan --state', 0, 'plan', '--json', '--state', $snapshot, $second))[0]);
ok(exists $json->{flows} && !defined $json->{flows}, '... knows of no flows');

like((here('apply of the second', 0, 'apply', $second))[0], qr/^flows: 3 .*; 1 steered anew; 2 kept there /m, '... says the same');
is_deeply(sends(), { 1 => 'eth0', 2 => 'eth0', 3 => 'eth1' }, '... and so it is: one follows, two stay');
is((here('drift', 0, 'drift', $second))[0], "no difference from the policy\n", 'a path that stays for its flows is no drift');
at('router', 'conntrack -F 2>/dev/null');
is((here('drift without them', 0, 'drift', $second))[0], "no difference from the policy\n", '... nor when they have ended');
is_deeply(sends(), { 1 => 'eth0', 2 => 'eth1', 3 => 'eth0' }, 'new flows go by the second policy');
done_testing;
