#!/usr/bin/perl
# The benchmark of comparing and proving measures: every row is there, with figures, each comparison was exact, and each proof
# succeeded. Times are not judged.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my ($status, $out, $err) = sh("$root/tests/bench/space/run", '--quick');
is($status, 0, 'it ends well') || diag($out . $err);
is($err, '', 'and says nothing else');
for my $what ('100 routes of five fields', '1000 prefixes') {
	like($out, qr/^\Q$what\E, 10 other(?: +[\d.]+){6} +[1-9]\d*$/m, "$what, some of them others: classes");
	like($out, qr/^\Q$what\E, proven(?: +[\d.]+){6} +[1-9]\d*$/m, "$what: proven");
	like($out, qr/^\Q$what\E, a comment more(?: +-?[\d.]+){6} +0$/m, "$what, with a comment: none");
}
is(scalar(() = $out =~ /^\d/mg), 6, 'these are all');
done_testing;
