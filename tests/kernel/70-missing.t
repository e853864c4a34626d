#!/usr/bin/perl
# What is missing is named and nothing is changed: parts of the kernel, privileges. See 70-missing.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
