#!/usr/bin/perl
# `cnic diff --twin` where the kernel has GRE and VLANs: nothing is a stand-in. See 86-twin-gre.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
