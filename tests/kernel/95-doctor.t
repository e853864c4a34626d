#!/usr/bin/perl
# cnic doctor with GRE, flowtables and modules that come and go. See 95-doctor.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
