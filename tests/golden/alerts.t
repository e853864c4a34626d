#!/usr/bin/perl
# The example's alerts: Prometheus' own tool reads them, and finds that they fire when they should; each metric that they
# name is one of cnic's.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $alerts = "$root/examples/metrics/alerts.yml";
my ($status, $out, $err) = sh('promtool', 'check', 'rules', $alerts);
is($status, 0, 'promtool reads them') || diag($out, $err);
($status, $out, $err) = sh('promtool', 'test', 'rules', "$FindBin::Bin/alerts.yml");
is($status, 0, 'they fire when they should') || diag($out, $err);

my %metrics = map { $_ => 1 } slurp("$root/runtime/track/metrics.c") =~ /\b(cnic_[a-z_]+)\b/g;
my @named   = slurp($alerts) =~ /\b(cnic_[a-z_]+)\b/g;
cmp_ok(@named, '>', 10, 'they name metrics');
is("@{[grep { !$metrics{$_} } @named]}", '', 'each is one that there is');
done_testing;
