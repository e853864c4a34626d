#!/usr/bin/perl
# T2 with BGP: a daemon, here played by hand, fills the table of the outer packet. See 21-classic-bgp.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
