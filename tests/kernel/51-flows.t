#!/usr/bin/perl
# What becomes of flows when the policy changes: followed, kept, translated ones in peace. See 51-flows.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
