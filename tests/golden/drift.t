#!/usr/bin/perl
# What other daemons do to a router that cnic has made: drift tells of it and changes nothing, and apply mends just
# that. In network namespaces without GRE.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
my @devices = ([ eth0 => 'far0' ], [ eth1 => 'far1' ], [ eth2 => 'far2' ]);
wire('router', $_->[0], '', 'far', $_->[1], '') for @devices;
my $policy = spew(scratch() . '/policy.cni', <<'END');
lan office { device eth2; prefix 10.1.0.0/24; }
link isp { kind internet; device eth0; address 198.51.100.2/30; }
link cf  { kind express; device eth1; address 192.0.2.11/31; health legacy { target 172.64.240.253; }
           track { target 192.0.2.10, 10.200.0.1; every 1s; down 3; up 5; } }
policy office on eth2 {
	route web tcp dport 443 via cf then isp masquerade else drop;
	route all from 10.1.0.0/24 via isp masquerade else drop;
	else drop;
}
END

# here(WHAT, STATUS, ARGUMENTS): cnic in the router's namespace; returns stdout and stderr.
sub here ($what, $status, @arguments) {
	my ($got, $out, $err) = at('router', $cnic, @arguments);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($got, $status, $what) || diag($out, $err);
	return ($out, $err);
}

# router(COMMAND): somebody else does this; dies where it fails.
sub router ($command) {
	my ($status, $out, $err) = at('router', $command);
	die "$command: $err" if $status;
	return $out;
}

# handles(): all of cnic's table with the handles by which its parts are told from new ones of the same content, and
# rules and routes; but for counters' values.
sub handles () {
	return join '', map { router($_) } 'nft -a -s list ruleset', 'ip rule', 'ip -6 rule',
		'ip route show table all proto 93', 'ip -6 route show table all proto 93', 'ip -4 address';
}

# told(TEXT): the differences that were told, without places.
sub told ($text) { [ map { s/  \[.*//r } grep { !/^no difference|^\d+ difference/ } split /\n/, $text ] }

subtest 'before anything' => sub {
	my (undef, $err) = here('drift', 1, 'drift');
	like($err, qr/^error\[CNI727\].*cnic drift FILE/s, '... has nothing to compare with, and says how to go on');
	my ($out) = here('with a policy that was never applied', 2, 'drift', $policy);
	like($out, qr/^missing +table inet cnic$/m, '... misses all of it');
	here('--set without FILE', 64, 'drift', '--set', 'A=1');
};

here('apply', 0, 'apply', '-q', $policy);
is((here('drift', 0, 'drift'))[0], "no difference from revision 1\n", 'nothing differs from the revision');
is((here('drift FILE', 0, 'drift', $policy))[0], "no difference from the policy\n", 'nor from the policy');
my $json = from_json((here('drift --json', 0, 'drift', '--json'))[0]);
is_deeply([ @$json{qw(drift ignored against)} ],
	[ [], 0, { revision => 1, pending => JSON::PP::false, removed => JSON::PP::false } ], '... in JSON');

my $table   = 'table 20002 proto 93';
my @vanish = (
	# what, command, lines of drift, messages of apply, whether nft's handles stay
	[ 'a rule', 'ip rule del priority 1012',
		[ 'missing             rule priority 1012 fwmark 0x1/0xffff lookup 20001 protocol 93' ], 1, 1 ],
	[ 'a route', "ip route del default via 198.51.100.1 dev eth0 $table metric 10",
		[ "missing             route default via 198.51.100.1 dev eth0 $table metric 10" ], 1, 1 ],
	[ 'a guard', "ip -6 route del blackhole default $table metric 4278198272",
		[ "missing             route ipv6 blackhole default $table metric 4278198272" ], 1, 1 ],
	[ 'an address and what stands on it', 'ip address del 198.51.100.2/30 dev eth0', [
		'missing             address 198.51.100.2/30 dev eth0',
		'missing             route default via 198.51.100.1 dev eth0 table 20001 proto 93 metric 20',
		"missing             route default via 198.51.100.1 dev eth0 $table metric 10",
		'missing             route default via 198.51.100.1 dev eth0 table 20003 proto 93 metric 10',
		# the way that its flows stay on
		'missing             route default via 198.51.100.1 dev eth0 table 20005 proto 93 metric 10',
	], 5, 1 ],
	[ 'a setting', 'sysctl -qw net.ipv4.conf.eth0.rp_filter=1',
		[ 'changed             setting eth0 rp_filter = 1, should be 2' ], 1, 1 ],
	[ 'rules of a base chain', 'nft flush chain inet cnic prerouting', [ 'missing             rules prerouting (1 rule)' ],
		1, 0 ],
	[ 'rules of all base chains', 'for c in prerouting output nat_postrouting; do nft flush chain inet cnic $c; done',
		[ map { "missing             rules $_ (1 rule)" } qw(nat_postrouting output prerouting) ], 3, 0 ],
	[ 'rules of a chain', 'nft flush chain inet cnic $(nft list chains inet | grep -o "policy\.office\.[0-9a-f]*")',
		[ qr/^changed             chain policy\.office\.\S+ \(0 rules\), should be policy\.office\.\S+ \(11 rules\)$/ ], 11, 0 ],
	[ 'elements of a set', 'nft flush set inet cnic $(nft list sets inet | grep -o "never\.4\.[0-9a-f]*")',
		[ qr/^changed             set never\.4\.\S+ \(0 elements\), should be never\.4\.\S+ \(\d+ elements\)$/ ], 2, 1 ],
	[ 'a rule too many', 'ip rule add priority 500 from 203.0.113.9 lookup 77 protocol 93',
		[ 'not of this policy  rule priority 500 from 203.0.113.9/32 lookup 77 protocol 93' ], 1, 1 ],
	[ 'a route too many', 'ip route add 203.0.113.0/24 dev eth1 table 77 protocol 93',
		[ qr/^not of this policy  route 203\.0\.113\.0\/24 dev eth1 table 77 proto 93/ ], 1, 1 ],
);
my $whole = handles();
for (@vanish) {
	my ($what, $command, $lines, $messages, $stays) = @$_;
	subtest $what => sub {
		router($command);
		my $damaged = handles();
		my ($out) = here('drift', 2, 'drift');
		my $told = told($out);
		is(scalar @$told, scalar @$lines, '... as many differences') || diag($out);
		for my $i (0 .. $#$lines) {
			if   (ref $lines->[$i]) { like($told->[$i], $lines->[$i], '... is told') }
			else                    { is($told->[$i], $lines->[$i], '... is told') }
		}
		is(handles(), $damaged, '... and nothing was changed');
		my $applied = from_json((here('apply', 0, 'apply', '--json', $policy))[0]);
		is(scalar @{ $applied->{plan}{steps} }, scalar @$lines, '... mends just that')
			|| diag(map { "$_->{op} $_->{text}\n" } @{ $applied->{plan}{steps} });
		is($applied->{messages}, $messages, '... by as many messages');
		my ($now, $was) = (handles(), $whole);
		# the kernel numbers what comes new
		s/ # handle \d+$//mg for $stays ? () : ($now, $was);
		is(join("\n", sort split /\n/, $now), join("\n", sort split /\n/, $was), '... and all else is as it was');
		here('nothing is left', 0, 'drift');
	};
	$whole = handles();
}

subtest 'the whole table' => sub {
	router('nft delete table inet cnic');
	my ($out) = here('drift', 2, 'drift');
	my $told = told($out);
	is($told->[0], 'missing             table inet cnic', '... is told');
	ok(!(grep { !/^missing +(table|counter|set|chain|rules) / } @$told), '... and what was in it') || diag($out);
	my $json = from_json((here('apply', 0, 'apply', '--json', $policy))[0]);
	is_deeply([ grep { $_->{object} !~ /^(?:table|counter|set|chain|base-chain)$/ } @{ $json->{plan}{steps} } ], [],
		'... is mended alone');
	here('nothing is left', 0, 'drift');
};

subtest 'JSON and --ignore' => sub {
	router('sysctl -qw net.ipv4.conf.eth0.rp_filter=1 && ip rule del priority 1012');
	my $json = from_json((here('drift --json', 2, 'drift', '--json'))[0]);
	my ($setting, $rule) = @{ $json->{drift} };
	is_deeply([ @$setting{qw(what object is should file line)} ],
		[ 'changed', 'setting', 'setting eth0 rp_filter = 1', 'setting eth0 rp_filter = 2', $policy, 2 ], '... a setting');
	is_deeply([ @$rule{qw(what object is should)} ],
		[ 'missing', 'rule', undef, 'rule priority 1012 fwmark 0x1/0xffff lookup 20001 protocol 93' ], '... a rule');
	my ($out) = here('--ignore', 2, 'drift', '--ignore', 'setting eth0 rp_filter*');
	like($out, qr/\Amissing +rule .*\n1 difference from revision \d+; 1 ignored\n\z/, '... leaves it out, and says so');
	($out) = here('--ignore twice', 0, 'drift', '--ignore', 'setting *', '--ignore', 'rule priority 1012*');
	like($out, qr{^no difference from revision \d+; 2 ignored$}, '... leaves both out');
	$json = from_json((here('--ignore --json', 0, 'drift', '--json', '--ignore', '*'))[0]);
	is($json->{ignored}, 2, '... counts in JSON too');
	here('apply', 0, 'apply', '-q', $policy);
};

subtest 'another policy' => sub {
	my $other = spew(scratch() . '/other.cni', slurp($policy) =~ s/tcp dport 443/tcp dport 444/r);
	my ($out) = here('drift', 2, 'drift', $other);
	like($out, qr/^missing +chain policy\.office\./m, '... misses its own');
	like($out, qr/^not of this policy  chain policy\.office\./m, '... and finds the first one');
	unlike($out, qr/ rule | route | address | device | setting /, '... in what differs only');
};

subtest 'a device' => sub {
	router('ip link delete eth1');
	my ($out) = here('drift', 2, 'drift');
	is_deeply(told($out), [
		'missing             device eth1',
		'missing             setting eth1 ignore_routes_with_linkdown = 1',
		'missing             setting eth1 rp_filter = 2',
		'missing             address 192.0.2.11/31 dev eth1',
		'missing             route default via 192.0.2.10 dev eth1 table 20001 proto 93 metric 10',
		'missing             route default via 192.0.2.10 dev eth1 table 20004 proto 93 metric 10',
		'missing             route default via 192.0.2.10 dev eth1 table 20005 proto 93 metric 20',
	], '... takes with it what stood on it');
	wire('router', 'eth1', '', 'far', 'far1', '');
	my $json = from_json((here('apply', 0, 'apply', '--json', $policy))[0]);
	is_deeply([ sort map { $_->{object} } grep { $_->{object} ne 'set' } @{ $json->{plan}{steps} } ],
		[qw(address route route route setting setting)], '... which comes back with it');
	here('nothing is left', 0, 'drift');
};

subtest 'removed' => sub {
	here('remove', 0, 'remove', '-q');
	my ($out) = here('drift', 0, 'drift');
	like($out, qr/^no difference from revision \d+, a router without a policy$/, '... is compared with nothing');
	router('ip rule add priority 500 from 203.0.113.9 lookup 77 protocol 93');
	($out) = here('drift', 2, 'drift');
	like($out, qr/\Anot of this policy  rule priority 500 /, '... and what is there is too much');
};
done_testing;
