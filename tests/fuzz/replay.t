#!/usr/bin/perl
# Runs every text of tests/fuzz/corpus, and every example, through the program that the sanitizers watch ($CNIC_ASAN), and
# all messages of tests/fuzz/corpus-proof through the proof: whatever they are, the program says what is wrong and ends by
# itself.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic  = $ENV{CNIC_ASAN} // "$root/build-asan/cnic";
my %watch = (env => { UBSAN_OPTIONS => 'halt_on_error=1', ASAN_OPTIONS => 'exitcode=99' });
my @texts = (glob("'$root/tests/fuzz/corpus/'*"), glob("'$root/examples/'*.cni"));

cmp_ok(@texts, '>', 20, 'there are texts');
for my $file (@texts) {
	my $name = $file =~ s{^\Q$root\E/}{}r;
	for my $command (['compile', '--emit', 'nft'], ['fmt']) {
		my ($status, $out, $err) = sh({ %watch, stdin => slurp($file) }, 'timeout', '60', $cnic, @$command, '-');
		ok($status == 0 || $status == 1, "$command->[0] $name ends by itself") || diag("status $status: $err");
		unlike($err, qr/Sanitizer|runtime error|Assertion/, "$command->[0] $name: nothing found");
		ok($status == 0 || $err ne '', "$command->[0] $name: a failure is explained");
	}
}

# Messages, for the proof: each by itself, so that one that ends the program is named.
my $replay = $ENV{CNIC_REPLAY_PROOF} // "$root/build-asan/tests/fuzz/replay_proof";
my @inputs = glob("'$root/tests/fuzz/corpus-proof/'*");
cmp_ok(@inputs, '>', 5, 'there are messages');
for my $file (@inputs) {
	my $name = $file =~ s{^\Q$root\E/}{}r;
	my ($status, $out, $err) = sh({%watch}, 'timeout', '60', $replay, $file);
	is($status, 0, "the proof of $name ends by itself") || diag($err);
	unlike($err, qr/Sanitizer|runtime error|Assertion/, "$name: nothing found");
}
done_testing;
