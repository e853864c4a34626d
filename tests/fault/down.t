#!/usr/bin/perl
# Targets go down and come back at every message of a change of policy: see down.c.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Basename qw(dirname);
use Lab;
use Test::More;

relay({ name => 'down' }, dirname($ENV{CNIC} // "$root/build/cnic") . '/tests/fault/down', $root);
done_testing;
