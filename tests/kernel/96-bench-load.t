#!/usr/bin/perl
# The benchmark of loading works: each way does its work at small sizes, and no row of its tables is missing. No time is
# judged here.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my ($status, $out, $err) = sh("$root/tests/bench/load/run", '--quick');
is($status, 0,  'it succeeds') || diag($out);
is($err,    '', 'without complaints');

# row(NAME): the row's cells behind its name.
sub row ($name) { return $out =~ /^\Q$name\E  +(.*)$/m ? split(' ', $1) : () }

for my $name ('1000 prefixes', '100 fields') {
	my @cells = row($name);
	is(scalar @cells, 18, "$name: all columns are there");
	# its own time may be too little to be seen, and then what is divided by it or by the kernel's
	is(join(' ', grep { !/^[\d.]+$/ } @cells[0 .. 16]), '', "$name: with a number in each");
}
my %messages = ('compile --emit json' => 0, 'plan of 10 changes' => 0, 'apply of the same' => 0, 'the same, nft moved' => 0);
for my $name (sort(keys %messages), 'apply of 10 changes') {
	my $sent = (row($name))[10] // 'missing';
	if   (defined $messages{$name}) { is($sent, 0, "$name: it is there, and changes nothing") }
	else                            { like($sent, qr/^[1-9]\d*$/, "$name: it is there, and changes something") }
}
is(scalar row('nft -c -f of a tenth'), 11, 'nft -c -f of a tenth: it is there');
is(join(' ', grep { !/^[\d.]+$/ } row('1000 routes')), '', '1000 routes: with a number in each column');
is(scalar row('1000 routes'), 5, '1000 routes: all columns are there');

for my $kind (qw(prefixes fields to paths)) {
	my @folders = map { scratch() . "/$kind$_" } '', '.again', '.changed';
	mkdir $_ for @folders;
	sh("$root/tests/bench/policy", '-o', $folders[0], $kind, 100);
	sh("$root/tests/bench/policy", '-o', $folders[1], $kind, 100);
	sh("$root/tests/bench/policy", '-o', $folders[2], '--change', 3, $kind, 100);
	is((cnic('check', "$_/policy.cni"))[0], 0, "$kind: a policy that cnic takes") for @folders[0, 2];
	is((sh('diff', '-r', @folders[0, 1]))[0], 0, "$kind: the same for the same seed");
	is(scalar(() = (sh('diff', '-r', @folders[0, 2]))[1] =~ /^>/mg), 3, "$kind: and as much else as asked for");
}
done_testing;
