#!/usr/bin/perl
# What is not cnic's stays untouched, and policies follow each other under traffic. See 50-foreign.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
