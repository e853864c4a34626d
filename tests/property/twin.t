#!/usr/bin/perl
# Random pairs of policies: what `cnic diff` says of their witnesses is what the kernel does with them. Seeds are
# fixed; with --full half of them are of the clock. A failure names its seed: SEED=N SHOW=1 property_test plan shows the pair.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lab;
use Test::More;

my $program = $ENV{CNIC_PROPERTY} // "$root/build-asan/tests/property/property_test";
my $pairs   = $ENV{CNIC_FULL} ? 400 : 40;
my ($old, $new) = map { scratch() . "/$_.cni" } qw(old new);
my ($n_pairs, $n_classes, $n_tried, @others) = (0, 0, 0);

# policy(SEED): its text, which is shown as comments, before what is said of it.
sub policy ($seed) {
	my (undef, $shown) = sh({ env => { SEED => $seed, SHOW => 1 } }, $program);
	return join '', map { s/^# //mgr } $shown =~ /^((?:# (?!(?:warning|error|note)\[|\d+ policies).*\n)*)/;
}

for my $i (1 .. $pairs) {
	my $seed = $i % 2 || !$ENV{CNIC_FULL} ? $i : time * 1000 + $i;
	my ($a, $b) = (policy($seed), policy($seed + 1000));
	spew($old, $a);
	spew($new, $b);
	my ($status, $out) = cnic('diff', '--twin', '--json', $old, $new);
	my $json = JSON::PP->new->decode($out);
	next if grep { $_->{severity} eq 'error' && $_->{code} !~ /^CNI79/ } $json->{diagnostics}->@*;    # refused
	$n_pairs++;
	my @differ = map { $_->{message} } grep { $_->{code} =~ /^CNI79/ } $json->{diagnostics}->@*;
	push @others, "seed $seed: exit status $status" if $status && !@differ;
	# Linux takes a right checksum of UDP-Lite for a wrong one, and translates none: tests/kernel/85-twin.t
	push @others, map {"seed $seed: $_"} grep { !/ udplite .* the model: .*, from / } @differ;
	my @classes = map { $_->{classes}->@* } $json->{meaning}{days}->@*;
	$n_classes += @classes;
	$n_tried   += grep { $_->{twin}{agrees} } @classes;
}
is(join("\n", @others), '', 'the kernel does what is said');
note("$n_pairs pairs, $n_classes classes, $n_tried tried and agreed");
ok($n_pairs > $pairs / 4,        'most pairs were compared') or diag($n_pairs);
ok($n_tried > $n_classes * 0.95, 'most classes were tried') or diag("$n_tried of $n_classes");
done_testing;
