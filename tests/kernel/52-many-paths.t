#!/usr/bin/perl
# Many paths: packets pass over the rules of paths that are not theirs, and every mark finds its own table, also while
# paths come and go. Nobody's rule is passed over. On the running kernel; GRE is not needed.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic  = $ENV{CNIC} // "$root/build/cnic";
my $links = 40;
wire('router', "eth$_", '', 'far', "far$_", '') for 1 .. $links;
wire('router', 'lan0', '10.1.0.1/24 fd01::1/64', 'lan', 'eth0', '');

# policy(N): a path, and a return path, for each of N links of both families.
sub policy ($n) {
	my $text = "lan office { device lan0; prefix 10.1.0.0/24, fd01::/64; }\n";
	$text .= "link l$_ { kind pni; device eth$_; address 198.51.100." . 2 * $_ . sprintf("/31, 2001:db8::%x/127; }\n", 2 * $_)
		for 1 .. $n;
	$text .= "policy office on lan0 {\n";
	$text .= "\troute r$_ udp dport $_ via l$_ else drop;\n" for 1 .. $n;
	return spew(scratch() . "/$n.cni", "$text\telse drop;\n}\n");
}

sub run ($what, @command) {
	my ($status, $out, $err) = at('router', @command);
	is($status, 0, $what) or diag($out, $err);
	return $out;
}

sub rules ($family) { (at('router', "ip $family rule"))[1] }

# Each link's path, by the mark that its counter's name has, and the kernel's answer to it.
sub found ($n, $what) {
	my ($list, @wrong, %paths) = (at('router', 'nft list counters table inet cnic'))[1];
	$paths{$1} = $2 while $list =~ /counter path\.(\d+) \{\n\s*comment "(?:return )?l(\d+)\[/g;
	is(scalar keys %paths, 2 * $n, "$what: there are as many paths");
	for my $id (keys %paths) {
		for ([ '-4', '203.0.113.9' ], [ '-6', '2001:db8:9::9' ]) {
			my ($family, $to) = @$_;
			my ($status, $out) = at('router', "ip $family route get $to mark $id");
			push @wrong, "$id: $out" if $out !~ / dev eth$paths{$id} table @{[20000 + $id]} /;
		}
	}
	is("@wrong", '', '... each mark finds its table, in both families');
	for my $other (0, 2 * $n + 1, 8191) {
		isnt((at('router', "ip route get 203.0.113.9 mark $other"))[0], 0, "... mark $other finds none");
	}
	unlike(rules($_), qr/unresolved/, "... ip $_ knows where each goes on") for '-4', '-6';
}

for my $n (20, 40, 20, 3, 40) {
	run("$n links", $cnic, 'apply', '-y', '-q', policy($n));
	found($n, "$n links");
	is(rules('-4') =~ /goto/ ? 'some' : 'none', $n > 7 ? 'some' : 'none', '... rules that pass over others, where they are many');
	is(run('again', $cnic, 'apply', policy($n)), "nothing to do\n", '... has nothing to do');
}

run('someone takes one away', 'ip rule del priority 1020 && ip rule del priority 1012');
is((at('router', 'ip route get 203.0.113.9 mark 2'))[0], 0, '... the others are still found');
run('... it comes back', $cnic, 'apply', '-y', '-q', policy(40));
found(40, '... then');

run('someone else has a rule among them', 'ip rule add priority 1035 fwmark 0/0xffff to 192.0.2.0/24 lookup 77');
run('... it is applied to', $cnic, 'apply', '-y', '-q', policy(40));
unlike(rules('-4'), qr/goto|nop/, '... packets of that family meet all rules');
like(rules('-6'), qr/goto/, '... those of the other do not');
found(40, '... then');
run('it goes', 'ip rule del priority 1035');
run('... and the next apply', $cnic, 'apply', '-y', '-q', policy(40));
like(rules('-4'), qr/goto/, '... makes the way short again');

run('remove', $cnic, 'remove', '-y', '-q');
is(rules($_) =~ s/^(0|3276[67]):.*\n//gmr, '', "... leaves no rule, ip $_") for '-4', '-6';
done_testing;
