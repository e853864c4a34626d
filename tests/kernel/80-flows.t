#!/usr/bin/perl
# Flows over a change of policy: followed, kept, never translated otherwise. See 80-flows.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
