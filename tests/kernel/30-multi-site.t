#!/usr/bin/perl
# T3, a head office: every application by a way of its own. See 30-multi-site.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
