#!/usr/bin/perl
# What `cnic compile --emit bird` writes: BIRD reads it, of every example and of policies that are told apart here; and what
# it says of keys, of tunnels that share an end or have none of their own, and on a router whose tables have numbers.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

chdir $root or die;    # so that places are the same everywhere
my $dir = scratch();

# bird(TEXT): BIRD's word on a configuration: '' where it takes it.
sub bird ($text) {
	my ($status, $out, $err) = sh('bird', '-p', '-c', spew("$dir/bird.conf", $text));
	return $status ? "$status: $out$err" : '';
}

# emitted(POLICY, ARGUMENTS): what is written of the text, and what is said.
sub emitted ($policy, @more) {
	my ($status, $out, $err) = cnic('compile', '--emit', 'bird', @more, spew("$dir/policy.cni", $policy));
	is($status, 0, 'it compiles') or diag($err);
	return $out;
}

spew("$dir/ams.key", qq("not told"\n));
for my $example (sort glob 'examples/*.cni') {
	my ($status, $out) = cnic('compile', '--emit', 'bird', $example);
	is($status,    0,  $example);
	is(bird($out), '', '... is read by BIRD');
}

my $uplink = "link isp { kind internet; device eth0; address 198.51.100.2/30; }\n";
my $links  = $uplink . <<'X';
lan hq { device eth2; prefix 10.1.0.0/16; }
link a { kind classic; device eth1 vlan 100; address 192.0.2.11/31; bgp { local-as 64512; peer-as 13335; MORE } }
link b { kind classic; device eth3 vlan 200; address 192.0.2.21/31; bgp { local-as 64512; peer-as 13335; } waive policy; }
X
my $policy = "policy hq on eth2 { route all from 10.1.0.0/16 via VIA else drop; else drop; }\n";

# tunnel(NAME, NUMBER, OVER, LOCAL, MORE)
sub tunnel ($name, $n, $over, $local, $more = '') {
	return sprintf "tunnel %s { kind gre; over %s; local %s; remote 203.0.113.%d; address 10.100.0.%d/31; %s }\n", $name,
		$over, $local, 200 + $n, 9 + 2 * $n, $more;
}

sub with ($via, $more, @tunnels) { return $links =~ s/MORE/$more/r . join('', @tunnels) . $policy =~ s/VIA/$via/r }

subtest 'a key' => sub {
	my $text = emitted(with('cf1', 'md5 file "ams.key";', tunnel('cf1', 0, 'a then b', '198.51.100.130')));
	is(bird($text), '', 'in quotes: BIRD takes it');
	spew("$dir/ams.key", "not told\n");
	isnt(bird($text), '', 'without: it does not');
	spew("$dir/ams.key", '');
	isnt(bird($text), '', 'an empty file is no session without a key');
	unlink "$dir/ams.key";
	isnt(bird($text), '', 'nor is none');
	unlike($text, qr/not told/, 'the key does not stand in the configuration');
};

subtest 'tunnels with one end' => sub {
	my $text = emitted(with('cf1 then cf2', '', map { tunnel("cf$_", $_, 'a then b', '198.51.100.130') } 1, 2));
	is(bird($text), '', 'are read by BIRD');
	like($text, qr/^define 'cnic\.wanted\.198\.51\.100\.130' = \[ 203\.0\.113\.201\/32-, 203\.0\.113\.202\/32- \];$/m, 'both are reached');
	is(scalar(() = $text =~ /^protocol kernel /mg), 1, 'by one table');
	is(scalar(() = $text =~ /if net = /g),          2, 'and it is announced once by each link');
};

subtest 'tunnels that probes reach from elsewhere' => sub {
	my $health = 'health { direction unidirectional; type request; %s }';
	my $text   = emitted(with('cf1', '', tunnel('cf1', 0, 'a', '198.51.100.130', sprintf $health, '')));
	like($text, qr/^define 'cnic\.wanted\.198\.51\.100\.130' = \[ 0\.0\.0\.0\/0\+ \];$/m, 'all is wanted');
	$text = emitted(with('cf1', '', tunnel('cf1', 0, 'a', '192.0.2.11', sprintf $health, '')));
	like($text, qr/^define 'cnic\.wanted\.192\.0\.2\.11' = \[ 203\.0\.113\.200\/32- \];$/m, 'not of a link\'s address: by main');
	is(bird($text), '', 'which BIRD reads');
	unlike($text, qr/protocol direct|net = /, 'and which is not announced');
};

subtest 'a long name' => sub {
	my $long = 'a' x 64;
	my $text = emitted(with('cf1', '', tunnel('cf1', 0, 'a then b', '198.51.100.130')) =~ s/\ba\b/$long/gr);
	is(bird($text), '', 'is no name of BIRD\'s');
	like($text, qr/^\tdescription "$long";$/m, 'but told there');
};

subtest 'IPv6 alone' => sub {
	my $text = emitted(<<~'X');
		lan hq { device eth2; prefix 2001:db8:10::/48; }
		link a { kind pni; device eth1; address 2001:db8:a::1/127; bgp { local-as 64512; peer-as 13335; } waive ipv6; }
		tunnel t { kind ip6gre; over a; local 2001:db8:aaaa::1; remote 2001:db8:bbbb::1; address 2001:db8:ffff::1/127;
			waive ipv6; }
		policy hq on eth2 { route all from 2001:db8:10::/48 via t else drop; else drop; }
		X
	is(bird($text), '', 'BIRD reads it');
	like($text, qr/^router id 32\.11\.13\.185;$/m, 'the router id is made of the address');
};

subtest 'a router whose tables have numbers' => sub {
	my ($first, $second) = map {"198.51.100.13$_"} 1, 2;
	my $both = with('cf1 then cf2', '', tunnel('cf1', 1, 'a', $first), tunnel('cf2', 2, 'b', $second));
	my %numbers;
	batch('router', "rule add from $second lookup 36384 priority 1001 protocol 93\n");
	my ($status, $snapshot) = cnic('snapshot', '--netns', ns('router'));
	is($status, 0, 'it has one of a policy before');
	for my $more ([], [ '--state', spew("$dir/before.json", $snapshot) ]) {
		my $text = emitted($both, @$more);
		push $numbers{$1}->@*, $2 while $text =~ /^protocol kernel 'cnic\.kernel\.([\d.]+)' \{\n\tkernel table (\d+);/mg;
	}
	is_deeply(\%numbers, { $first => [ 36384, 36385 ], $second => [ 36385, 36384 ] }, 'which --state keeps');
	($status) = cnic('compile', '--emit', 'bird', '--state', "$dir/none.json", "$dir/policy.cni");
	is($status, 1, 'there must be such a file');
};
done_testing;
