#!/usr/bin/perl
# The far side's health probes, of every direction and type, are answered by the right way. See 40-health.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
