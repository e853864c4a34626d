#!/usr/bin/perl
# A fault at every message of the transitions with tunnels, in a test machine: see fault.c.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Basename qw(dirname);
use Lab;
use Test::More;

$ENV{CNIC_VM_TIMEOUT} = $ENV{CNIC_FULL} ? 36000 : 600;
relay({ name => 'fault --tunnels' },
	"$root/tests/vm/run", dirname($ENV{CNIC} // "$root/build/cnic") . '/tests/fault/fault', '--tunnels', '--top', $root);
done_testing;
