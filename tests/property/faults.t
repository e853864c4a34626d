#!/usr/bin/perl
# Random faults in what is sent for random policies are seen by the proof where a packet shows them: build's
# property_test (or $CNIC_PROPERTY), see faults.c.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

relay({ name => 'property_test faults' },
	$ENV{CNIC_PROPERTY} // "$root/build/tests/property/property_test", 'faults');
done_testing;
