#!/usr/bin/perl
# The laws of plans, of undoing and of changes cut off, over random pairs of policies on a model of the kernel:
# build-asan's property_test (or $CNIC_PROPERTY), see pairs.c.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

relay({ name => 'property_test plan', env => { UBSAN_OPTIONS => 'halt_on_error=1:print_stacktrace=1' } },
	$ENV{CNIC_PROPERTY} // "$root/build-asan/tests/property/property_test", 'plan');
done_testing;
