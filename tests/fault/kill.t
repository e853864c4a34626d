#!/usr/bin/perl
# SIGKILL after every message, and to the program at any time, with traffic flowing: see kill.c.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Basename qw(dirname);
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
relay({ name => 'kill' }, dirname($cnic) . '/tests/fault/kill', '--top', $root, '--program', $cnic);
done_testing;
