#!/usr/bin/perl
# `cnic diff --twin` on this kernel: what it says of each class is what the kernel did, and nothing of it stays.
# Tunnels and VLANs may be stand-ins here; see 86-twin-gre.t.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Copy qw(copy);
use JSON::PP   ();
use Lab;
use Test::More;

my $examples = "$root/examples";
my $dir      = scratch();
my $none     = "$dir/none.cni";
spew($none, "link isp { kind internet; device eth0; address 198.51.100.2/30; }\n");

# twin(NAME, STATUS, ARGUMENTS): the document of `diff --twin --json`.
sub twin ($name, $status, @arguments) {
	my ($got, $out, $err) = cnic('diff', '--twin', '--json', @arguments);
	is($got, $status, "$name: exit status") or diag($out, $err);
	return JSON::PP->new->decode($out);
}

# classes(DOCUMENT): of all days, each "DEVICE FAMILY BEFORE -> AFTER" and what the twins did.
sub classes ($json) {
	my @classes = map { $_->{classes}->@* } $json->{meaning}{days}->@*;
	return map { ["$_->{devices}[0] $_->{family} $_->{before}{text} -> $_->{after}{text}", $_->{twin}] } @classes;
}

# all_agree(NAME, DOCUMENT): every class was tried and agrees, but where ordinary routing leads to what is down.
sub all_agree ($name, $json) {
	my @classes = classes($json);
	my @others  = grep { !$_->[1]{agrees} && "$_->[1]{old} $_->[1]{new}" !~ /not tried: it goes to an address on what is down/ }
		@classes;
	ok(@classes > 0, "$name: there are classes");
	is("@{[map {qq($_->[0]: $_->[1]{old}, $_->[1]{new}; )} @others]}", '', "$name: the kernel agrees on all");
	return { map { $_->[0] => $_->[1] } @classes };
}

# with(TEXT): a policy on eth2 with these routes, over a link, an uplink and two tunnels.
my $number = 0;
sub with ($routes) {
	my $file = "$dir/policy" . $number++ . '.cni';
	spew($file, <<~"X" . $routes);
		lan hq { device eth2; prefix 10.1.0.0/16, 2001:db8:10::/48; }
		link cni { kind pni; device eth1; address 192.0.2.11/31, 2001:db8:1::1/127; mss 1400; waive policy; }
		link isp { kind internet; device eth0; address 198.51.100.2/30; }
		X
	return $file;
}

# prime_to(A, B): they have no common divisor, so that shares of A to B are shares of no smaller numbers.
sub prime_to ($a, $b) {
	($a, $b) = ($b, $a % $b) while $b;
	return $a == 1;
}

my $before = (sh('ip -d link; ip rule; ip -6 rule; ip route; nft list ruleset'))[1];

subtest 'links, translation, verdicts, both families' => sub {
	my $file = with(<<~'X');
		policy hq on eth2 {
			route ping icmp echo-request via isp masquerade else drop;
			route dns udp dport 53 drop;
			route mail tcp dport 25 reject;
			route web tcp dport 80 via main masquerade;
			route both sctp dport 1-9 via cni weight 3, isp weight 1 masquerade else reject;
			route esp proto esp via isp else main;
			route rest via cni else reject;
		}
		X
	my $twins = all_agree('a policy', twin('a policy', 0, $none, $file));
	my %want  = (
		'eth2 4 main -> isp masquerade else drop' => 'by eth0 to 198.51.100.1, from 198.51.100.2',
		'eth2 4 main -> drop'                     => 'dropped',
		'eth2 4 main -> reject'                   => 'rejected',
		'eth2 4 main -> main masquerade'          => 'by main, from 192.88.99.0',
		'eth2 4 main -> isp else main'            => 'by eth0 to 198.51.100.1',
		'eth2 4 main -> cni else reject'          => 'by eth1 to 192.0.2.10, mss 1400',
		'eth2 6 main -> drop'                     => 'dropped',
		'eth2 6 main -> reject'                   => 'rejected',
		'eth2 6 main -> cni else reject'          => 'by eth1 to 2001:db8:1::, mss 1400',
	);
	is($twins->{$_}{new}, $want{$_}, $_) for sort keys %want;
	is($twins->{$_}{old}, 'by main', "$_: before") for sort keys %want;
	my ($shared) = grep {/weight/} keys %$twins;
	like($twins->{$shared}{new}, qr/^by eth(?:1 to 192\.0\.2\.10|0 to 198\.51\.100\.1, from 198\.51\.100\.2)$/, $shared);
	$twins = all_agree('the link is down', twin('the link is down', 0, '--down', 'cni', $none, $file));
	is($twins->{'eth2 4 main -> reject'}{new}, 'rejected', 'the link is down: its else');
};

subtest 'what the router itself sends' => sub {
	my $file = with(<<~'X');
		policy own on local {
			route logs udp dport 514 source 192.0.2.11 via cni else drop;
			route dns udp dport 53 drop;
			route mail tcp dport 25 reject;
			route web tcp dport 80 via isp else drop;
			else main;
		}
		X
	my $twins = all_agree('local', twin('local', 0, $none, $file));
	my %want  = (
		'local 4 main -> cni else drop source 192.0.2.11' => 'by eth1 to 192.0.2.10, from 192.0.2.11',
		'local 4 main -> reject'                          => 'rejected',
		'local 4 main -> drop'                            => 'dropped',
		'local 4 main -> isp else drop'                   => 'by eth0 to 198.51.100.1',
		'local 6 main -> reject'                          => 'rejected',
		'local 6 main -> drop'                            => 'dropped',
	);
	is($twins->{$_}{new}, $want{$_}, $_) for sort keys %want;
};

for my $pair ([qw(t1-express fallback)], [qw(masquerade options)], [qw(t2-classic t3-multi-site)], [qw(matches health)]) {
	my $name = "@$pair";
	all_agree($name, twin($name, 0, '--each-failure', map {"$examples/$_.cni"} @$pair));
}

subtest 'for readers' => sub {
	my ($status, $out, $err) = cnic('diff', '--twin', $none, "$examples/ordinary-routing.cni");
	is($status, 0, 'exit status');
	like($out, qr/^  twin     agreed: by main -> by eth0 to 198\.51\.100\.1, from 198\.51\.100\.2$/m, 'beside the class');
	like($out, qr/^Kernel twin: of 1 class, 1 tried, 1 agreed$/m, 'summed up');
	($status, $out) = cnic('diff', $none, "$examples/ordinary-routing.cni");
	unlike($out, qr/^ *(kernel )?twin/im, 'nothing of it without --twin');
	($status, $out) = cnic('diff', '--twin', $none, $none);
	unlike($out, qr/^ *(kernel )?twin/im, 'nor where nothing differs');
};

# A right checksum of UDP-Lite is a wrong one to Linux, which sums it up as UDP: so it starts no flow, and is not translated.
subtest 'a kernel that does otherwise' => sub {
	my $file = with("policy hq on eth2 { route a proto udplite via isp masquerade else drop; else main; }\n");
	my $json = twin('UDP-Lite', 1, $none, $file);
	my ($diag) = grep { $_->{code} eq 'CNI791' } $json->{diagnostics}->@*;
	like($diag->{message} // '', qr/^after, on eth2 from 10\.1\.0\.5 .*: the kernel: by eth0 to 198\.51\.100\.1; the model: .*, from 198\.51\.100\.2$/,
		'is found out');
};

subtest 'more classes than are tried' => sub {
	my $port   = 1000;
	my $routes = join '', map { my $w = $_; map {"\troute r@{[++$port]} udp dport $port via cni weight $w, isp weight $_ else drop;\n"} grep { prime_to($w, $_) } 1 .. 60 }
		190 .. 220;
	my $file = with("policy hq on eth2 {\n${routes}\telse main;\n}\n");
	my $json = twin('many', 0, $none, $file);
	my @classes = classes($json);
	my ($diag) = grep { $_->{code} eq 'CNI792' } $json->{diagnostics}->@*;
	cmp_ok(scalar @classes, '>', 1000, 'there are more');
	is($diag->{message} // '', @classes - 1000 . ' classes of packets were not tried in the kernel twin', 'it is said how many are left out');
	is(scalar(grep { $_->[1]{agrees} } @classes), 1000, 'the others were tried, and agree');
};

subtest 'as nobody, and without a right to namespaces' => sub {
	my $nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups';
	my $cnic   = $ENV{CNIC} // "$root/build/cnic";
	my $copy   = "$dir/cnic";
	copy($cnic, $copy) or die "$copy: $!";
	chmod 0755, $dir, $copy;
	my ($status, $out, $err) = sh("cd $dir && $nobody ./cnic diff --twin none.cni policy0.cni");
	is($status, 0, 'a user may, in a user namespace') or diag($err);
	like($out, qr/^Kernel twin: of (\d+) classes, \1 tried, \1 agreed/m, 'and sees the same');
	($status, $out, $err) = sh("cd $dir && unshare -U sh -c 'echo 0 >/proc/sys/user/max_net_namespaces; exec ./cnic diff --twin none.cni policy0.cni'");
	is($status, 1, 'where there is none to be had');
	like($err, qr/CNI790.*there is no kernel twin.*\n  = help: run it as root/, 'that is said, with its mend');
};

is((sh('ip -d link; ip rule; ip -6 rule; ip route; nft list ruleset'))[1], $before, 'this network is as it was');
done_testing;
