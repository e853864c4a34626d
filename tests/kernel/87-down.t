#!/usr/bin/perl
# What the commands make of a target that is down: here iproute2 does in the kernel what the tracker would do, and the
# kernel's own look-ups are asked. In network namespaces without GRE.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic  = $ENV{CNIC} // "$root/build/cnic";
my $saved = scratch() . '/saved.json';
wire('router', "eth$_", '', 'far', "far$_", '') for 0 .. 2;
at('router', 'sysctl -qw net.ipv4.ip_forward=1');
at('router', 'ip address add 10.1.0.1/24 dev eth2');

# policy(NAME, ROUTES): in which a and b are tracked.
sub policy ($name, $routes) {
	return spew(scratch() . "/$name.cni", <<~"END");
		lan office { device eth2; prefix 10.1.0.0/24; }
		link a { kind pni; device eth0; address 192.0.2.1/31; track { every 1s; down 3; up 5; } }
		link b { kind internet; device eth1; address 192.0.2.3/31; track { every 1s; down 3; up 5; } }
		policy office on eth2 {
			$routes
			else drop;
		}
		END
}
my $first  = policy('first',  'route web tcp dport 443 via a then b else drop; route dns udp dport 53 via a else main;');
my $second = policy('second', 'route web tcp dport 443 via b then a else drop; route all via a weight 3, b weight 1 else drop;');

# here(WHAT, STATUS, ARGUMENTS): cnic in the router's namespace; returns stdout and stderr.
sub here ($what, $status, @arguments) {
	my ($got, $out, $err) = at('router', $cnic, @arguments);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($got, $status, $what) || diag($out, $err);
	return ($out, $err);
}

sub json_here (@arguments) {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return from_json((here(@arguments, '--json'))[0]);
}

# FNV-1a of one letter, from the offset basis and the prime of its authors
my %metric = map { $_ => ((2166136261 ^ ord) * 16777619) & 0xffffffff } qw(a b);
my %device = (a => 'eth0', b => 'eth1');
my %peer   = (a => '192.0.2.0', b => '192.0.2.2');

# tables(): those of paths, but for the ways back, by what they are for.
sub tables () {
	my $status = json_here('status', 0, 'status');
	return map { $_->{description} => $_->{table} } grep { $_->{description} !~ /^return / && $_->{table} } $status->{paths}->@*;
}

# goes_down(TARGET): as the tracker would have it. The routes that it takes away are returned.
sub goes_down ($target) {
	my @routes;
	my %tables = tables();
	for my $table (values %tables) {
		for ((at('router', "ip route show table $table"))[1] =~ /^default via \Q$peer{$target}\E .*$/mg) {
			s/ +$//;
			push @routes, "$_ table $table";
		}
	}
	batch('router', join "\n", "route add unreachable default table 36383 metric $metric{$target} proto 93",
		map {"route del $_"} @routes);
	return @routes;
}

sub comes_up ($target, @routes) {
	batch('router', join "\n", "route del unreachable default table 36383 metric $metric{$target} proto 93",
		map {"route add $_"} @routes);
}

# way(PORT, PROTO): where the kernel forwards a packet of the policy, by the mark that `explain --live` says it gets.
sub way ($file, $words) {
	my $json = json_here("explain $words", 0, 'explain', '--live', $file, 'on', 'eth2', 'from', '10.1.0.5', 'to',
		'203.0.113.9', split / /, $words);
	ok($json->{agrees} && $json->{ways}[0]{kernel}{agrees}, '... as the policy says of such a day');
	my $mark = $json->{ways}[0]{mark};
	my (undef, $out) = at('router', "ip route get 203.0.113.9 from 10.1.0.5 iif eth2 mark $mark");
	return $out =~ /dev (eth[01])/ ? $1 : 'nowhere';
}

subtest 'goes down' => sub {
	here('apply', 0, 'apply', '-q', $first);
	is(way($first, 'tcp sport 40000 dport 443 dscp 0'), 'eth0', 'by the first');
	here('a plan', 0, 'plan', '-o', $saved, $second);
	my @routes = goes_down('a');
	is(scalar @routes, 3, 'of two paths, and of a way that flows stay on');
	is(way($first, 'tcp sport 40000 dport 443 dscp 0'), 'eth1', 'by the second');
	here('drift', 0, 'drift', $first);
	like((here('drift --prove', 0, 'drift', '--prove', $first))[0], qr/proven for all packets/, '... proven');
	like((here('apply', 0, 'apply', $first))[0], qr/^nothing to do$/m, '... changes nothing');
	my $status = json_here('status', 0, 'status');
	is_deeply($status->{down}, ['a'], 'status tells');
	my ($text) = here('status', 0, 'status');
	like($text, qr/^Down, as the tracker says: a$/m, '... a reader, too');
	like($text, qr/ a\[eth0 192\.0\.2\.0\] then b\[eth1 192\.0\.2\.2\] else drop +eth1; IPv6 dropped; tracked as down: a$/m,
		'... of the path');
	like($text, qr/ return a\[eth0 192\.0\.2\.0\] +eth0; IPv6 dropped$/m, '... what came in by it is answered by it');
	comes_up('a', @routes);
	here('it comes back', 0, 'drift', $first);
	is_deeply(json_here('status', 0, 'status')->{down}, [], '... and status tells');
	goes_down('a');
};

subtest 'another policy, as it was planned' => sub {
	my $json = from_json((here('apply', 0, 'apply', '--json', $saved))[0]);
	ok($json->{changed} && $json->{verified}, 'a plan from before it went down holds');
	is_deeply(json_here('status', 0, 'status')->{down}, ['a'], 'it is still down');
	is(way($second, 'tcp sport 40000 dport 443 dscp 0'), 'eth1', '... and is not taken');
	here('drift --prove', 0, 'drift', '--prove', $second);
	like((here('the same again', 0, 'apply', $second))[0], qr/^nothing to do$/m, '... changes nothing');
	here('a plan', 0, 'plan', '-o', $saved, $first);
	at('router', "ip route del unreachable default table 36383 metric $metric{a} proto 93");
	here('up, as the tracker left it half-way', 2, 'drift', $second);
	here('apply', 0, 'apply', '-q', $second);
	here('... puts its routes back', 0, 'drift', '--prove', $second);
	here('the plan holds, now that it is up', 0, 'apply', '-q', $saved);
	is(way($first, 'tcp sport 40000 dport 443 dscp 0'), 'eth0', '... and is taken');
};

subtest 'all of them' => sub {
	goes_down($_) for qw(a b);
	here('drift --prove', 0, 'drift', '--prove', $first);
	is(way($first, 'tcp sport 40000 dport 443 dscp 0'), 'nowhere', 'closed');
	here('apply', 0, 'apply', '-q', $second);
	is_deeply(json_here('status', 0, 'status')->{down}, [ 'a', 'b' ], 'both stay down');
	my $state = scratch() . '/state.json';
	here('snapshot', 0, 'snapshot', '-o', $state);
	like((here('plan --state', 0, 'plan', '--state', $state, $second))[0], qr/^nothing to do$/m, 'a saved state says it, too');
};

subtest 'tracked no longer' => sub {
	my $file = spew(scratch() . '/untracked.cni', slurp($second) =~ s/track \{.*?\}/track off;/gr);
	here('apply', 0, 'apply', '-q', $file);
	is_deeply(json_here('status', 0, 'status')->{down}, [], 'what nobody probes is up');
	here('drift --prove', 0, 'drift', '--prove', $file);
	here('apply', 0, 'apply', '-q', $first);
	goes_down('b');
	here('remove', 0, 'remove', '-q');
	is((at('router', 'ip route show table all proto 93'))[1], '', 'and remove takes all of it');
};

done_testing;
