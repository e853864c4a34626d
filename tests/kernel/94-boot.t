#!/usr/bin/perl
# cnic.service under systemd itself, as at boot: the policy is there before anything is forwarded. See 94-boot.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/lab";
use Kernel;

script();
