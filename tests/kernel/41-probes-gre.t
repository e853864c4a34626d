#!/usr/bin/perl
# Health probes through GRE tunnels are answered whatever changes: on the test machine's older kernel. See 41-probes.sh.
# At 300 a second it has the speed for two kinds; tests/bench/health/run has the others.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

$ENV{PROBER} = scratch() . '/prober';
my ($status, undef, $err) = sh("$root/tests/bench/health/build", $ENV{PROBER});
BAIL_OUT("prober: $err") if $status;
$ENV{CNIC} //= "$root/build/cnic";
$ENV{$_->[0]} = $_->[1]
	for ['health_rates', '1 10'], ['health_fast', 'bidirectional request|bidirectional reply'], ['health_legacy_rate', ''];
in_vm({ timeout => 300 }, "$FindBin::Bin/41-probes.sh", 'classic');
done_testing();
