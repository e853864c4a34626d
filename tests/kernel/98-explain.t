#!/usr/bin/perl
# `cnic explain --live` on the running kernel: what it says is what packets do, which member of a weighted path a flow is
# on among it; and where the router does otherwise than the policy, or the kernel than the rules, it says so.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic   = $ENV{CNIC} // "$root/build/cnic";
my $policy = <<'END';
lan office { device eth2; prefix 10.1.0.0/24, 2001:db8:1::/64; }
link a { kind internet; device eth0; address 198.51.100.2/30, 2001:db8:a::2/127; }
link b { kind internet; device eth1; address 198.51.100.6/30, 2001:db8:b::2/127; }
policy office on eth2 {
	route web tcp dport 443 via a then b else drop;
	route both to { 203.0.113.0/25, 2001:db8:99::/48 } via a weight 3, b weight 2 else reject;
	route no to 203.0.113.128/26 reject;
	route out to 192.0.2.0/24 via main;
	route hide to 203.0.113.192/26 via b masquerade else drop;
	else drop;
}
policy own on local {
	route dns udp dport 53 source 198.51.100.6 via b else main;
	else main;
}
END
my $file = spew(scratch() . '/policy.cni', $policy);
wire('router', 'eth0', '', 'far', 'far0', '198.51.100.1/30 2001:db8:a::3/127');
wire('router', 'eth1', '', 'far', 'far1', '198.51.100.5/30 2001:db8:b::3/127');
wire('router', 'eth2', '10.1.0.1/24 2001:db8:1::1/64', 'host', 'eth0', '10.1.0.5/24 2001:db8:1::5/64');
batch('host', "route add default via 10.1.0.1\nroute add default via 2001:db8:1::1\n");
at('router', 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
is((at('router', $cnic, 'apply', '-qy', $file))[0], 0, 'the policy is applied');

my @from = qw(on eth2 from 10.1.0.5 to);
my @from6 = qw(on eth2 from 2001:db8:1::5 to);

# live(WHAT, STATUS, ARGUMENTS): in the router, live; returns its JSON.
sub live ($what, $want, @packet) {
	my ($status, $out, $err) = at('router', $cnic, 'explain', '--live', '--json', $file, @packet);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($status, $want, $what) || diag($out, $err);
	return $out =~ /^\{/ ? from_json($out) : {};
}

subtest 'the policy, the rules and the kernel agree' => sub {
	my @cases = (
		# packet, outcome, routing, device
		[ [ @from, qw(203.0.113.9 tcp dport 443) ],  'via',    'unicast',     'eth0' ],
		[ [ @from6, qw(2001:db8:9::1 tcp dport 443) ], 'via',  'unicast',     'eth0' ],
		[ [ @from, qw(203.0.113.130 proto 47) ],     'reject', 'unreachable', undef ],
		[ [ @from, qw(203.0.113.200 udp dport 53) ], 'via',    'unicast',     'eth1' ],
		[ [ @from, qw(192.0.2.1 udp dport 53) ],     'main',   'main',        undef ],
		[ [ @from, qw(10.1.0.1) ],                   'main',   'local',       'lo' ],
		[ [ @from, qw(9.9.9.9 icmp echo-request) ],  'drop',   undef,         undef ],
	);
	for (@cases) {
		my ($packet, $outcome, $routing, $device) = @$_;
		my $json = live("@$packet", 0, @$packet);
		my $way = $json->{ways}[0];
		is($json->{decision}{outcome}, $outcome, "... $outcome");
		is($way->{routing}, $routing, '... is routed so');
		is($way->{kernel}{device}, $device, '... by the kernel, too');
		ok($json->{agrees} && !grep({ $_->{code} =~ /CNI72[68]/ } @{ $json->{diagnostics} }), '... as the policy says');
	}
	my $way = live('NAT', 0, @from, qw(203.0.113.200 udp dport 53))->{ways}[0];
	ok($way->{leaves_by}[0]{masquerade}, '... is masqueraded');
	is($way->{rule}{line}, 9, '... the rule has its line');
	is($way->{route}{line}, 9, '... and so has the route');
	ok((grep { $_->{line} && $_->{chain} =~ /^route\.office\.hide/ } @{ $way->{nft} }), '... and the nft rule');
};

# counters(): packets by path.
sub counters () {
	my ($status, $out) = at('router', 'nft list counters table inet cnic');
	return $out =~ /counter (path\.\d+) \{[^}]*?packets (\d+)/gs;
}

subtest 'the member that the hash chooses is the one that packets take' => sub {
	my %seen;
	for my $case ([ 'UDP', \@from, '203.0.113.9', 'udp' ], [ 'UDP over IPv6', \@from6, '2001:db8:99::9', 'udp' ]) {
		my ($what, $on, $to, $proto) = @$case;
		for my $port (20001 .. 20012) {
			my $json = live("$what from port $port", 0, @$on, $to, $proto, 'sport', $port, qw(dport 9));
			my $path = $json->{ways}[ $json->{chosen} ]{path};
			my %before = counters();
			my $family = $to =~ /:/ ? 'INET6, LocalAddr => "2001:db8:1::5"' : 'INET, LocalAddr => "10.1.0.5"';
			at('host', 'perl', '-MIO::Socket::IP', '-e',
				"my \$s = IO::Socket::IP->new(Family => AF_$family, Proto => 'udp', LocalPort => $port, "
				. "PeerAddr => '$to', PeerPort => 9) or die; \$s->send('x')");
			my %after = counters();
			my @moved = grep { $after{$_} > $before{$_} } sort keys %after;
			is("@moved", $path, "... is on $path");
			$seen{$path}++;
		}
	}
	cmp_ok(keys %seen, '>', 1, 'flows are on several paths');
	my $json = live('without a source port', 0, @from, qw(203.0.113.9 udp dport 9));
	is($json->{chosen}, undef, '... the member is not known');
	is_deeply([ map { "$_->{weight}/$_->{of}" } @{ $json->{ways} } ], [ '3/5', '2/5' ], '... the shares are');
};

# live_until(WHAT, PACKET): asks until the kernel has noticed, which may take it a second; returns the last answer.
sub live_until ($what, @packet) {
	my $json;
	for (1 .. 50) {
		my ($status, $out) = at('router', $cnic, 'explain', '--live', '--json', $file, @packet);
		$json = from_json($out);
		return $json if !$status && $what->($json);
		select undef, undef, undef, 0.1;
	}
	return $json;
}

subtest 'a link without carrier' => sub {
	my @web = (@from, qw(203.0.113.9 tcp dport 443));
	batch('far', "link set dev far0 down\n");
	my $json = live_until(sub ($json) { $json->{down}[0] }, @web);
	is_deeply($json->{down}, ['a'], '... is down');
	is($json->{ways}[0]{kernel}{device}, 'eth1', '... the kernel takes the other');
	is($json->{decision}{targets}[0], 'b', '... as the policy says');
	batch('far', "link set dev far0 up\naddress replace 2001:db8:a::3/127 dev far0 nodad\n");
	$json = live_until(sub ($json) { !$json->{down}[0] }, @web);
	is($json->{ways}[0]{kernel}{device}, 'eth0', '... and comes back to it');
};

# differs(WHAT, CODE, DO, UNDO, PACKET, PATTERN): what is done shows as this difference, and is gone once it is undone.
sub differs ($what, $code, $do, $undo, $packet, $pattern) {
	subtest $what => sub {
		is((at('router', $do))[0], 0, '... is done');
		my $json = live('... differs', 2, @$packet);
		my ($told) = grep { $_->{code} eq $code } @{ $json->{diagnostics} };
		like($told->{message} // '', $pattern, "... $code") || diag(told_all($json));
		is((at('router', $undo))[0], 0, '... is undone');
		live('... no longer differs', 0, @$packet);
	};
}
sub told_all ($json) { join "\n", map {"$_->{code} $_->{message}"} @{ $json->{diagnostics} } }

my $web = [ @from, qw(203.0.113.9 tcp dport 443) ];
differs('a rule of somebody else\'s', 'CNI728',
	'ip route add default via 198.51.100.5 && ip rule add priority 500 from 10.1.0.0/24 lookup main',
	'ip rule del priority 500 && ip route del default', $web, qr/^the kernel routes it via 198.51.100.5 dev eth1 table 254/);
differs('forwarding that is off', 'CNI728', 'sysctl -qw net.ipv4.ip_forward=0',
	'sysctl -qw net.ipv4.ip_forward=1', $web, qr/^the kernel refuses it: No route to host/);
differs('a chain that was emptied', 'CNI726', 'nft flush chain inet cnic prerouting', "$cnic apply -qy $file", $web,
	qr/^the policy says `via a`; what is installed does otherwise$/);
differs('a route that was taken away', 'CNI726', 'ip route del default via 198.51.100.1 table 20001',
	"$cnic apply -qy $file", $web, qr/^the policy says `via a`/);

subtest 'another policy' => sub {
	spew($file, $policy =~ s/via a then b/via b then a/r);
	my $json = live('differs', 2, @$web);
	ok(!$json->{agrees}, '... says so');
	is($json->{decision}{targets}[0], 'b', '... the policy says b');
	is($json->{ways}[0]{leaves_by}[0]{target}, 'a', '... what is installed goes by a');
	is($json->{ways}[0]{rule}{line}, undef, '... and the rule has no line there') || diag($json->{ways}[0]{rule}{text});
	spew($file, $policy);
};

subtest 'the router\'s own packets' => sub {
	my $way = live('DNS', 0, qw(on local to 203.0.113.9 udp dport 53))->{ways}[0];
	is($way->{kernel}{device}, 'eth1', '... leaves by b');
	is($way->{leaves_by}[0]{source}, '198.51.100.6', '... with the source that it is given');
	live('an address that is not the router\'s', 0, qw(on local from 10.9.9.9 to 203.0.113.9 udp dport 53));
};

# selectors that cnic never writes: only the kernel knows what they select
subtest 'a foreign rule that is not this packet\'s' => sub {
	at('router', 'ip rule add priority 600 ipproto tcp dport 444 lookup main');
	my $way = live('agrees', 0, @$web)->{ways}[0];
	is($way->{routing}, 'foreign', '... is left to the kernel');
	is($way->{kernel}{device}, 'eth0', '... which goes where the policy says');
	at('router', 'ip rule del priority 600');
};
differs('a foreign rule that is', 'CNI728', 'ip rule add priority 600 ipproto tcp dport 443 prohibit',
	'ip rule del priority 600', $web, qr/^the kernel refuses it: Permission denied/);

subtest 'what cannot be asked' => sub {
	my $json = live('no source', 1, qw(on eth2 to 203.0.113.9 tcp dport 443));
	ok((grep { $_->{code} eq 'CNI413' } @{ $json->{diagnostics} }), '... is asked for');
	is((at('router', $cnic, 'explain', '--live', '--down', 'a', $file, @$web))[0], 64, 'what would be, of what is');
	is((at('router', $cnic, 'explain', '--live', $file, @$web, qw(when a down)))[0], 64, '... in the packet\'s words');
};

is((at('router', $cnic, 'remove', '-qy'))[0], 0, 'remove');
my $json = live('nothing is installed', 2, @$web);
is($json->{ways}[0]{routing}, 'main', '... so that main decides');
done_testing;
