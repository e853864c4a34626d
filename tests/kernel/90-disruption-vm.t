#!/usr/bin/perl
# An update disturbs no packet: on the test machine's older kernel, with tunnels as targets. See 90-disruption.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

$ENV{STREAM} = scratch() . '/stream';
my ($status, undef, $err) = sh("$root/tests/bench/disruption/build", $ENV{STREAM});
BAIL_OUT("stream: $err") if $status;
$ENV{CNIC} //= "$root/build/cnic";
$ENV{$_->[0]} = $_->[1] for ['disruption_gre', 1], ['disruption_prefixes', 500];
in_vm({ timeout => 120 }, "$FindBin::Bin/90-disruption.sh", 1200, 10);
done_testing();
