#!/usr/bin/perl
# `cnic drift --prove` of every example, with its tunnels and VLAN devices. See 99-drift-prove-gre.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
