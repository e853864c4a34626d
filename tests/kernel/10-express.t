#!/usr/bin/perl
# T1, an Express interconnect: plain IP to the peer, legacy health checks, fail-closed. See 10-express.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
