#!/usr/bin/perl
# A fault at every message of every transition that this machine's kernel can make: see fault.c.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Basename qw(dirname);
use Lab;
use Test::More;

relay({ name => 'fault' }, dirname($ENV{CNIC} // "$root/build/cnic") . '/tests/fault/fault', '--top', $root);
done_testing;
