#!/usr/bin/perl
# The tracker's benchmark measures: every row is there, nothing was lost when a path came back, and no probe of many was.
# Times are not judged.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my ($status, $out, $err) = sh("$root/tests/bench/track/run", '--quick', 1, 0.02);
is($status, 0, 'it ends well') || diag($out . $err);
is($err, '', 'and says nothing else');
for my $way ('carrier', 'both directions', 'to the far side', 'from the far side', '1 % of packets') {
	like($out, qr{^\Q$way\E .* \d+ / \d+ / \d+ .* \d+$}m, "$way: figures");
	like($out, qr{^\Q$way\E .* 0$}m, '... and nothing was lost at the return') if $way !~ /%/;
}
like($out, qr/of \d+ probes were lost, and the path changed \d+ times/, 'flaps');
for my $links (2, 100) {
	my ($user, $kernel, $woken, $memory, $sent, $lost) =
		$out =~ /^$links links, .* each\s+([\d.]+) %\s+([\d.]+) %\s+(\d+)\s+([\d.]+)\s+(\d+)\s+(\d+)$/m;
	ok($sent && $sent > 1000, "$links links: probes of all addresses") || diag($out);
	cmp_ok($lost, '<', $sent / 100, '... and answers');
	cmp_ok($memory, '<', 100, '... within bounds');
}
done_testing;
