#!/usr/bin/perl
# `cnic drift --prove`: what somebody changes in a router counts by what it does to packets. On the running kernel; with
# tunnels in 99-drift-prove-gre.t.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
wire('router', "eth$_", '', 'far', "far$_", '') for 0 .. 3;
batch('router', "address add 10.9.0.1/24 dev eth3\n");
my $policy = spew(scratch() . '/policy.cni', <<'END');
lan office { device eth2; prefix 10.1.0.0/24; }
link isp { kind internet; device eth0; address 198.51.100.2/30; }
link cf  { kind express; device eth1; address 192.0.2.11/31; health legacy { target 172.64.240.253; }
           track { target 192.0.2.10, 10.200.0.1; every 1s; down 3; up 5; } }
policy office on eth2 {
	route web tcp dport 443 via cf then isp masquerade else drop;
	route some to 198.18.0.0/24 via cf else drop;
	route all from 10.1.0.0/24 via isp masquerade else drop;
	else drop;
}
END

# router(COMMAND): somebody else does this; dies where it fails.
sub router ($command) {
	my ($status, $out, $err) = at('router', $command);
	die "$command: $err" if $status;
	return $out;
}

sub apply () {
	my ($status, undef, $err) = at('router', $cnic, 'apply', '-q', $policy);
	is($status, 0, 'apply') || diag($err);
}

# The name of the chain or map that begins like this: its content is part of it.
sub named ($kind, $start) {
	my ($name) = router('nft -t list table inet cnic') =~ /^\s*$kind (\Q$start\E\S*) \{/m;
	return $name // die "no $kind $start";
}

apply();
my ($status, $out, $err) = at('router', $cnic, 'drift', '--prove');
is($status, 0, 'what was applied is proven') || diag($out, $err);
is($out, "no difference from revision 1\nwhat is installed does what the policy says (proven for all packets)\n", '... in words');
is((at('router', $cnic, 'drift', '--prove', '--json'))[1] =~ /"answer": ?"proven"/, 1, '... and as JSON');

my ($first) = router('ip rule') =~ /^(\d+):\s.*fwmark 0x1\/.*proto 93/m;
my ($table) = router('ip rule') =~ /fwmark 0x1\/\S+ lookup (\d+)/;
my $before = $first - 1;
my $steer  = named('chain', 'steer.1');
my $office = named('chain', 'policy.office');
my $else   = named('chain', 'route.office.else');
my $device = named('map', 'device');
my $mine   = 'type filter hook prerouting priority mangle; policy accept;';
my $proven = qr/^what is installed does what the policy says/m;
my $shape  = qr/$proven.*\n\d+ differences? (?:is|are) in shape only$/m;
my $clear  = qr/^what is installed cannot be judged: /m;
my $wrong  = qr/^what is installed does not do what the policy says\n  /m;

# What somebody does, how it is undone (apply comes before that), the exit status, and what is said.
my @changes = (
	# of nft
	['a rule that counts', "nft insert rule inet cnic $office counter log", '', 0, $shape],
	['a rule that steers', "nft insert rule inet cnic $office ip daddr 198.18.7.0/24 tcp dport 443 accept", '',
		2, qr/$wrong.*on eth2.*198\.18\.7\..*443.*\n    the policy: eth1 via .*\n    the router: main/],
	['a rule that no packet meets', "nft insert rule inet cnic $office ip daddr 198.18.7.0/24 ip daddr 198.18.8.0/24 accept", '', 0, $shape],
	['a rule with a set of its own', "nft insert rule inet cnic $office tcp dport '{ 80, 8080 }' drop", '', 2, qr/$wrong.*\n.*\n    the router: drop/],
	['the same, for what is dropped anyway', "nft insert rule inet cnic $else ip saddr != 10.1.0.0/24 ip daddr '{ 203.0.113.7, 203.0.113.9 }' udp dport 53 drop", '', 0, $shape],
	['a rule that limits', "nft insert rule inet cnic $office limit rate 10/second drop", '', 2, qr/${clear}chain \Q$office\E: the expression `limit`/],
	['an element is gone', "nft delete element inet cnic $device '{ \"eth2\" }'", '', 2, qr/$wrong.* on eth2/],
	['a rule is gone', "nft flush chain inet cnic $steer", '', 2, $wrong],
	['a chain drops at its end', "nft 'add chain inet cnic prerouting { type filter hook prerouting priority mangle; policy drop; }'",
		"nft 'add chain inet cnic prerouting { $mine }'", 2, qr/$wrong.*\n    the policy: main.*\n    the router: drop/],
	['a dormant table', "nft 'add table inet cnic { flags dormant; }'", "nft 'add table inet cnic'", 2, $wrong],
	['the table is gone', 'nft delete table inet cnic', '', 2, $wrong],
	['a rule by marks of others', "nft insert rule inet cnic $office meta mark 0x00110000 accept", '', 2, qr/${clear}chain \Q$office\E: a rule asks for marks/],
	['a chain at another hook', "nft 'add chain inet cnic theirs { type filter hook forward priority 0; policy drop; }'", '', 2,
		qr/${clear}the chain `theirs` is at a hook/],
	# of other tables
	['others filter and mark with bits of theirs', "nft 'table ip theirs { chain c { type filter hook prerouting priority -200;
		tcp dport 22 meta mark set meta mark and 0xff00ffff or 0x00770000 ; ip saddr 192.0.2.99 drop; }; }'",
		'nft delete table ip theirs', 0, $proven],
	['others mark with bits of ours', "nft 'table ip theirs { chain c { type filter hook prerouting priority -200; tcp dport 22 meta mark set 1; }; }'",
		'nft delete table ip theirs', 2, qr/${clear}table theirs, chain c: /],
	['others restore a mark of ours', "nft 'table inet theirs { chain c { type route hook output priority -200; meta mark set ct mark; }; }'",
		'nft delete table inet theirs', 2, qr/${clear}table theirs, chain c: /],
	# of ip rules
	['a rule before ours', "ip rule add pref $before from 10.1.0.0/25 lookup 77; ip route add default dev eth3 table 77",
		"ip rule delete pref $before; ip route flush table 77", 2, qr/$wrong.*from 10\.1\.0\..*\n.*\n    the router: eth3/],
	['a rule before ours that stops', "ip rule add pref $before to 198.18.9.0/24 prohibit", "ip rule delete pref $before",
		2, qr/$wrong.*to 198\.18\.9\..*\n.*\n    the router: reject/],
	['a rule before ours to an empty table', "ip rule add pref $before from 10.1.0.0/25 lookup 77", "ip rule delete pref $before", 0, $proven],
	['a rule before ours for what is left to main', "ip rule add pref $before iif eth3 lookup 77; ip route add default dev eth3 table 77",
		"ip rule delete pref $before; ip route flush table 77", 0, $proven],
	['a rule before ours that is not understood', "ip rule add pref $before ipproto tcp dport 80 lookup 77", "ip rule delete pref $before",
		2, qr/${clear}ip rule $before \(IPv4\): it has `dport`/],
	['the same behind ours', 'ip rule add pref 30000 ipproto tcp dport 80 lookup 77', 'ip rule delete pref 30000', 0, $proven],
	['main before ours', "ip rule add pref $before lookup main", "ip rule delete pref $before", 2, qr/$wrong.*\n.*\n    the router: main/],
	['a rule of ours is gone', "ip rule delete pref $first", '', 2, $wrong],
	['a rule before ours by marks of others', "ip rule add pref $before fwmark 0/0x110000 lookup 77", "ip rule delete pref $before",
		2, qr/${clear}ip rule $before asks for marks/],
	# of routes
	['a route is gone', "ip route delete default via 192.0.2.10 table $table", '', 2,
		qr/$wrong.*dport 443.*\n    the policy: eth1 via .* then eth0 via .*\n    the router: eth0 via /],
	['a route in two halves', "ip route delete default via 192.0.2.10 table $table;
		for half in 0.0.0.0/1 128.0.0.0/1; do ip route add \$half via 192.0.2.10 dev eth1 metric 10 table $table; done",
		"for half in 0.0.0.0/1 128.0.0.0/1; do ip route delete \$half table $table; done", 0, $shape],
	['one half', "ip route delete default via 192.0.2.10 table $table; ip route add 0.0.0.0/1 via 192.0.2.10 dev eth1 metric 10 table $table",
		"ip route delete 0.0.0.0/1 table $table", 2, $wrong],
	['a longer route', "ip route add 203.0.113.0/28 dev eth3 table $table", "ip route delete 203.0.113.0/28 table $table", 2,
		qr/$wrong.*to 203\.0\.113\./],
	['a route of a type that is not known', "ip route add throw 203.0.113.0/28 table $table", "ip route delete throw 203.0.113.0/28 table $table", 2, $clear],
	# what no proof is about
	['a setting', 'sysctl -qw net.ipv4.conf.eth0.rp_filter=1', '', 2, qr/$proven.*\n1 difference is of devices/],
);

for my $change (@changes) {
	my ($what, $do, $undo, $want, $like) = @$change;
	subtest $what => sub {
		router($do);
		my ($status, $out, $err) = at('router', $cnic, 'drift', '--prove');
		is($status, $want, 'exit status');
		like($out, $like, 'what is said') || diag($err);
		router($undo) if $undo;
		apply();
		is((at('router', $cnic, 'drift', '--prove'))[0], 0, 'and back');
	};
}

subtest 'JSON' => sub {
	router("nft insert rule inet cnic $office ip daddr 198.18.7.0/24 tcp dport 443 accept");
	my ($status, $out) = at('router', $cnic, 'drift', '--prove', '--json');
	my $proof = from_json($out)->{proof};
	is($status, 2, 'exit status');
	is($proof->{answer}, 'refuted', 'the answer');
	like($proof->{counterexample}{packet}, qr/198\.18\.7\./, 'the packet');
	like($proof->{counterexample}{is}, qr/^main/, 'its fate');
	apply();
};

# Every example that needs no tunnel or VLAN here, is proven as it was installed.
for my $example (qw(masquerade matches options router-traffic t1-express variables)) {
	wire($example, "eth$_", '', "$example-far", "far$_", '') for 0 .. 2;
	my @policy = "$root/examples/$example.cni";
	my ($status, undef, $err) = at($example, $cnic, 'apply', '-q', @policy);
	is($status, 0, "$example: apply") || diag($err);
	($status, my $out) = at($example, $cnic, 'drift', '--prove', @policy);
	is($status, 0, "$example: is proven") || diag($out);
}
done_testing;
