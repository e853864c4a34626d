#!/usr/bin/perl
# reject, drop, else main, and a policy for what the router itself sends. See 61-verdicts.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
