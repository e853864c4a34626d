#!/usr/bin/perl
# Flows that go on while the policy changes lose no packet, and none leaks. See 51-flows.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
