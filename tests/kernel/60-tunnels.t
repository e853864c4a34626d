#!/usr/bin/perl
# Options of tunnels, as packets show them: key, checksum, sequence, fragments, GRE over IPv6. See 60-tunnels.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
