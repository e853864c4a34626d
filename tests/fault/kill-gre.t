#!/usr/bin/perl
# SIGKILL after every message with tunnels and traffic through them, in a test machine: see kill.c.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Basename qw(dirname);
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
$ENV{CNIC_VM_TIMEOUT} = $ENV{CNIC_FULL} ? 3600 : 600;
relay({ name => 'kill --tunnels' },
	"$root/tests/vm/run", dirname($cnic) . '/tests/fault/kill', '--tunnels', '--top', $root, '--program', $cnic);
done_testing;
