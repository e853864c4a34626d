#!/usr/bin/perl
# An update disturbs no packet: on this machine's own kernel. See 90-disruption.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $stream = scratch() . '/stream';
my ($status, undef, $err) = sh("$root/tests/bench/disruption/build", $stream);
BAIL_OUT("stream: $err") if $status;
my %env = (STREAM => $stream, CNIC => $ENV{CNIC} // "$root/build/cnic");
relay({ name => '90-disruption.sh', env => \%env }, 'bash', "$FindBin::Bin/90-disruption.sh", 20000, 20);
done_testing();
