#!/usr/bin/perl
# The nft text of every example: nft loads it, and what nft lists of it loads again and lists the same.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my @examples = map { s{^\Q$root\E/}{}r } glob "'$root'/examples/*.cni";
ok(@examples > 0, 'there are examples');
chdir $root or die "$root: $!\n";

# listing(NAMESPACE, TEXT): what nft lists of a text in an emptied namespace.
sub listing ($ns, $text) {
	at($ns, 'nft', 'flush', 'ruleset');
	my ($status, undef, $err) = at($ns, { stdin => $text }, 'nft', '-f', '-');
	is($err, '', 'nft has no complaint') if $status || $err;
	return undef if $status;
	return (at($ns, 'nft', 'list', 'ruleset'))[1];
}

for my $example (@examples) {
	subtest $example => sub {
		my ($status, $text) = cnic('compile', '--emit', 'nft', $example);
		is($status, 0, 'compiles');
		is((cnic('compile', '--emit', 'nft', $example))[1], $text, 'and to the same bytes again');
		my $listed = listing('one', $text);
		like($listed, qr/^table inet cnic \{/, 'nft loads it');
		my ($check, undef, $err) = at('two', { stdin => $listed }, 'nft', '-c', '-f', '-');
		is($check, 0, 'what nft lists passes its check') or diag($err);
		is(listing('two', $listed), $listed, 'and lists the same');
	};
}
done_testing;
