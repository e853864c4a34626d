#!/usr/bin/perl
# The language's reference (grammar/README.md) is complete and right: each word of the scanner and each field of the
# resolver's tables is in it, each example parses, and the first, which is a whole policy, compiles.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $reference = slurp("$root/grammar/README.md");
my $prose = $reference =~ s/^```.*?^```$//gmsr;
my %told = map { $_ => 1 } map { /[a-z0-9-]+/g } $prose =~ /`([^`\n]+)`/g;

my ($table) = slurp("$root/grammar/scan.l") =~ /keywords\[\] = \{(.*?)\n\};/s;
my @keywords = $table =~ /\{ "([^"]+)"/g;
cmp_ok(@keywords, '>', 30, 'the scanner has keywords');
is("@{[grep { !$told{$_} } @keywords]}", '', 'each is in the reference');

my (@fields, @words);
for my $file (glob "'$root/compiler/resolve/'*.c") {
	my $text = slurp($file);
	push @fields, $text =~ /\.name = "([a-z0-9-]+)"/g;
	push @words, map { /\{ "([a-z0-9-]+)"/g } $text =~ /struct cni_word \w+\[\] = \{(.*?)\};/gs;
}
cmp_ok(@fields, '>', 40, 'the resolver has fields');
is("@{[grep { !$told{$_} } @fields]}", '', 'each is in the reference');
cmp_ok(@words, '>', 80, 'the resolver has words');
is("@{[grep { !$told{$_} && !/^(?:cs|af)\d/ } @words]}", '', 'each is in the reference');

my @examples = $reference =~ /^```cni\n(.*?)^```$/gms;
cmp_ok(@examples, '>', 8, 'there are examples');
for my $i (keys @examples) {
	my ($status, undef, $err) = cnic({ stdin => $examples[$i] }, 'fmt', '-');
	is($status, 0, "example $i parses") || diag($err);
}
my ($status, undef, $err) = cnic({ stdin => $examples[0] }, 'check', '-');
is($status, 0, 'the whole policy compiles') || diag($err);
done_testing;
