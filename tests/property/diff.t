#!/usr/bin/perl
# What is said to differ between random pairs of policies, against the naive reading of both:
# build-asan's property_test (or $CNIC_PROPERTY), see meanings.c.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

relay({ name => 'property_test diff', env => { UBSAN_OPTIONS => 'halt_on_error=1:print_stacktrace=1' } },
	$ENV{CNIC_PROPERTY} // "$root/build-asan/tests/property/property_test", 'diff');
done_testing;
