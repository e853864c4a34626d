#!/usr/bin/perl
# What is sent for random policies is proven to mean what they say: build-asan's property_test (or $CNIC_PROPERTY), see
# proofs.c.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

relay({ name => 'property_test prove', env => { UBSAN_OPTIONS => 'halt_on_error=1:print_stacktrace=1' } },
	$ENV{CNIC_PROPERTY} // "$root/build-asan/tests/property/property_test", 'prove');
done_testing;
