#!/usr/bin/perl
# Health probes by plain IP, as over Express, are answered whatever changes: on this machine's own kernel. See 41-probes.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $prober = scratch() . '/prober';
my ($status, undef, $err) = sh("$root/tests/bench/health/build", $prober);
BAIL_OUT("prober: $err") if $status;
my %env = (PROBER => $prober, CNIC => $ENV{CNIC} // "$root/build/cnic", health_rates => '1 10 300');
relay({ name => '41-probes.sh', env => \%env }, 'bash', "$FindBin::Bin/41-probes.sh", 'express');
done_testing();
