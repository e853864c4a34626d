#!/usr/bin/perl
# The packet benchmark measures: every row is there, and every packet went where its policy says. Times are not judged.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my ($status, $out, $err) = sh("$root/tests/bench/packet/run", '--quick');
is($status, 0, 'it ends well') || diag($out . $err);
is($err, '', 'and says nothing else');

# rows by way, routes and flows: nine figures (first, last, none: ns, / empty, / one), then what was lost
my %rows;
for my $line (split /\n/, $out) {
	my ($name, @parts) = split / *\| */, $line =~ s/^(.{20}) +(\S+) (new|known|any) +/$1|$2 $3|/r;
	$rows{"$name $parts[0]"} = [(map { [split] } @parts[1 .. 3]), $parts[4]] if @parts == 5;
}

sub row ($name, @wanted) {
	my ($ns, $empty, $one, $lost) = ($rows{$name} // [[], [], [], undef])->@*;
	my $is_figure = sub ($match, $text) { $wanted[$match] ? ($text // '') =~ /^\d+(\.\d+)?$/ : ($text // '') eq '-' };
	my @bad = grep {
		my $match = $_;
		grep { !$is_figure->($match, $_->[$match]) } $ns, $empty, $one
	} 0 .. 2;
	ok(!@bad, "$name: figures") || diag($out);
	is($lost, 0, "$name: no packet went astray");
}

for my $flows (qw(new known)) {
	row("$_ - $flows", 0, 0, 1) for 'no policy', 'conntrack alone';
	for my $n (1, 10) {
		row("$_ $n $flows", 1, 1, 1) for 'cnic, by destination', 'cnic, by five fields', 'cnic, a path each';
	}
}
for my $n (1, 10) {
	row("$_ $n any", 1, 1, 1) for 'ip rules', 'linear nft rules', 'routes of a table';
}
is(keys %rows, 22, 'these are all');
done_testing();
