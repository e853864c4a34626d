#!/usr/bin/perl
# The tracker over GRE tunnels, whose devices stay up whatever happens to their packets. See 54-track-gre.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
