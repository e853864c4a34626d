#!/usr/bin/perl
# T2 with BGP, spoken by BIRD on both sides as `cnic compile --emit bird` has it. See 22-bird.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
