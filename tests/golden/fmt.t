#!/usr/bin/perl
# cnic fmt: the layout of each example is its own layout, and changes nothing but white space;
# --check, --diff and -w agree with it. tests/golden/fmt.in becomes exactly tests/golden/fmt.out.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my ($status, $out, $err) = cnic('fmt', "$root/tests/golden/fmt.in");
is($status, 0,                               'fmt.in is formatted') || diag($err);
is($out,    slurp("$root/tests/golden/fmt.out"), 'the layout is as expected');

my @examples = glob "'$root/examples/'*.cni";
cmp_ok(@examples, '>', 5, 'there are examples');
for my $file (@examples) {
	my $name = $file =~ s{.*/}{}r;
	my ($once_status, $once) = cnic('fmt', $file);
	is($once_status, 0, "$name is formatted");
	my ($twice_status, $twice) = cnic({ stdin => $once }, 'fmt', '-');
	is($twice, $once, "$name: the layout of the layout is the same");
	is($once =~ s/\s+//gr, slurp($file) =~ s/\s+//gr, "$name: only white space changes");
}

my $messy = spew(scratch() . '/messy.cni', "lan a{prefix 10.0.0.0/8;}\n");
is((cnic('fmt', '--check', $messy))[0], 1, '--check fails where the layout is another');
like((cnic('fmt', '--diff', $messy))[1], qr/^-lan a\{prefix 10\.0\.0\.0\/8;\}\n\+lan a \{ prefix 10\.0\.0\.0\/8; \}$/m,
	'--diff shows both');
is((cnic('fmt', '-w', $messy))[0], 0,                                   '-w writes');
is(slurp($messy),                  "lan a { prefix 10.0.0.0/8; }\n",    '... the layout');
is((cnic('fmt', '--check', $messy))[0], 0,                              '... and --check is content');
my ($bad, $nothing, $why) = cnic({ stdin => "lan a {\n" }, 'fmt', '-');
is($bad,     1,           'what does not parse is not formatted');
is($nothing, '',          '... and nothing is written');
like($why,   qr/CNI004/,  '... but the reason');
done_testing;
