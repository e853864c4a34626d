#!/usr/bin/perl
# The simulator that property.t rests on does what the kernel does: random policies in namespaces of this machine,
# with veths in place of tunnels; see kernel.c.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

relay({ name => 'property_test kernel', env => { UBSAN_OPTIONS => 'halt_on_error=1:print_stacktrace=1' } },
	$ENV{CNIC_PROPERTY} // "$root/build-asan/tests/property/property_test", 'kernel');
done_testing;
