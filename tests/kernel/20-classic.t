#!/usr/bin/perl
# T2, two Classic interconnects, where cnic writes the outer packet's way. See 20-classic.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
