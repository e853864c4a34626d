#!/usr/bin/perl
# What `cnic explain` and `cnic test` say without a router, word by word: tests/golden/explain/NAME.txt is the answer to
# each question below. CNIC_REWRITE=1 rewrites those files: read the difference before it is committed.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

chdir $root or die;    # so that places are the same everywhere
my $golden = 'tests/golden/explain';
my $policy = "$golden/office.cni";
my @voip   = qw(on eth2 from 10.10.0.5 to 198.51.100.9 udp dport 5060);
my @sites  = qw(on eth2 from 10.10.0.5 to 10.20.0.1 tcp sport 3000 dport 80);

my @questions = (
	# name, exit status, arguments
	[ 'ordered',       0, 'explain', $policy, @voip ],
	[ 'ordered-down',  0, 'explain', $policy, @voip, '--down', 'cf1' ],
	[ 'links-down',    0, 'explain', '--down', 'cni', '--down', 'isp', $policy, "@voip" ],
	[ 'verbose',       0, 'explain', '-v', $policy, @voip, qw(when cf1 down) ],
	[ 'weighted',      0, 'explain', $policy, @sites ],
	[ 'weighted-down', 0, 'explain', $policy, @sites, '--down=cf2' ],
	[ 'weighted-any',  0, 'explain', $policy, qw(on eth2 from 10.10.0.5 to 10.20.0.1 tcp dport 80) ],
	[ 'ipv6',          0, 'explain', $policy, qw(on eth2 from 2001:db8:10::5 to 2001:db8:99::1 tcp dport 80) ],
	[ 'ipv6-down',     0, 'explain', $policy, qw(on eth2 from 2001:db8:10::5 to 2001:db8:99::1 udp dport 9 --down cf1) ],
	[ 'masquerade',    0, 'explain', $policy, qw(on eth2 from 10.10.0.5 to 203.0.113.9 tcp dport 443) ],
	[ 'never-steered', 0, 'explain', $policy, qw(on eth2 from 10.10.0.5 to 10.10.0.7) ],
	[ 'otherwise',     0, 'explain', $policy, qw(on eth2 from 172.16.0.1 to 192.88.99.1 icmp echo-request) ],
	[ 'own',           0, 'explain', $policy, qw(on local to 192.88.99.1 udp dport 53) ],
	[ 'json',          0, 'explain', '--json', $policy, @voip ],
	[ 'asks',          1, 'explain', $policy, qw(on eth2 from 10.10.0.5 to 203.0.113.9) ],
	[ 'many',          1, 'explain', $policy, qw(on eth2 from 10.10.0.0/24 to 203.0.113.9) ],
	[ 'none',          1, 'explain', $policy, qw(on eth2 from 10.10.0.5 to 2001:db8::1) ],
	[ 'other-device',  1, 'explain', $policy, qw(on eth3 from 10.10.0.5 to 203.0.113.9) ],
	[ 'other-target',  1, 'explain', '--down', 'cf9', $policy, @voip ],
	[ 'no-grammar',    1, 'explain', $policy, qw(on eth2 fro 10.10.0.5) ],
	[ 'no-packet',     64, 'explain', $policy, $policy ],
	[ 'no-file',       64, 'explain', @voip ],
	[ 'test',          1, 'test', $policy ],
	[ 'test-tap',      1, 'test', '--format=tap', $policy ],
	[ 'test-junit',    1, 'test', '--format=junit', $policy ],
	[ 'test-json',     1, 'test', '--json', $policy ],
);

my %expected = ($policy => 1);
for (@questions) {
	my ($name, $want, @arguments) = @$_;
	my ($status, $out, $err) = cnic($arguments[0], '-q', '--color=never', @arguments[ 1 .. $#arguments ]);
	my $file = "$golden/$name.txt";
	my $text = $out . ($err ? "--- standard error\n$err" : '');
	$expected{$file} = 1;
	is($status, $want, "$name: @arguments") || diag($err);
	spew($file, $text) if $ENV{CNIC_REWRITE} && $status == $want;
	is($text, -e $file ? slurp($file) : undef, '... as expected');
}
for my $file (grep { !$expected{$_} } glob "$golden/*") {
	unlink $file if $ENV{CNIC_REWRITE};
	ok(!-e $file, "$file belongs to a question");
}

# what other programs make of the reports
my ($status, $tap) = cnic('test', '-q', '--format', 'tap', $policy);
spew(scratch() . '/report.tap', $tap);
my ($prove, $said) = sh('prove', '-v', '--exec', 'cat', scratch() . '/report.tap');
like($said, qr/Failed test:\s+3\b/, 'prove reads the TAP') || diag($said);
my ($xml, undef, $err) = sh({ stdin => (cnic('test', '-q', '--format', 'junit', $policy))[1] }, 'python3', '-c', <<'END');
import sys, xml.etree.ElementTree as x
suite = x.parse(sys.stdin).getroot()[0]
assert suite.get("tests") == "4" and suite.get("failures") == "1"
assert [len(case) for case in suite] == [0, 0, 1, 0]
assert suite[2][0].get("type") == "CNI411"
END
is($xml, 0, 'the JUnit report is XML with the same results') || diag($err);

subtest 'reports of other policies' => sub {
	my $dir = scratch();
	my $good = slurp($policy) =~ s/^expect.*//msr;
	spew("$dir/none.cni", $good);
	is((cnic('test', '-q', "$dir/none.cni"))[1], "the policy has no `expect`\n", 'without any');
	like((cnic('test', '-q', '--format=tap', "$dir/none.cni"))[1], qr/^1\.\.0 # SKIP/m, '... in TAP');
	is((cnic('test', '-q', "$dir/none.cni"))[0], 0, '... is no failure');
	spew("$dir/sick.cni", $good =~ s/via cf2 else/via cf3 else/r);
	($status, my $out, my $err) = cnic('test', '-q', '--format=tap', "$dir/sick.cni");
	is($status, 1, 'another error is one more result');
	like($out, qr/^1\.\.1\nnot ok 1 - the policy has no other error\n.*code: CNI103/ms, '... in TAP');
	like($err, qr/^error\[CNI103\]/, '... and shown at its place');
	spew("$dir/odd <&>\".cni", $good . "expect on eth2 to 10.10.0.7 # a \"comment\" & <tag>\n drop;\n");
	($status, $out) = cnic('test', '-q', '--format=junit', "$dir/odd <&>\".cni");
	like($out, qr/classname="[^"<]*odd &lt;&amp;&gt;&quot;\.cni"/, 'names are escaped in XML');
	like($out, qr/name="expect on eth2 to 10\.10\.0\.7 drop;"/, '... comments are no part of them');
	my (undef, $of_failing) = cnic('explain', '-q', $policy, qw(on eth2 to 203.0.113.9 tcp dport 443));
	like($of_failing, qr/^route +web: /m, 'a policy whose expect fails can be asked why');
};
done_testing;
