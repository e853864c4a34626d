#!/usr/bin/perl
# Tunnels and VLAN devices that somebody else removes or changes: drift tells, and apply mends just them. See 93-drift.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
