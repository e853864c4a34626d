#!/usr/bin/perl
# The test machine itself: what tests/vm/run promises, and the links and nftables that other tests build on.
# Runs first in its layer: when this fails, look no further.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $vm = "$root/tests/vm/run";
my ($status, $out, $err);

($status, $out, $err) =
	sh({ env => { LAB_WORD => "a 'b'\n\$c" } }, $vm, 'printf %s "$LAB_WORD"; id -u; echo no >&2; exit 7');
is($status, 7, 'the exit status passes');
is($out, "a 'b'\n\$c0\nno\n", 'the environment passes; it is root; stdout and stderr come in one stream');
is($err, '', 'and the runner adds nothing');

($status, $out) = sh($vm, 'printf', '%s|', 'a b', '$HOME', '');
is($out, 'a b|$HOME||', 'several words are run as they stand');
is((sh($vm, '/nonexistent'))[0], 127, 'a missing command gives 127');
is((sh($vm, 'kill -KILL $$'))[0], 137, 'a killed command gives 128 + 9');

# more than any buffer on the way holds, to a reader that is late
($status, $out) = sh("'$vm' 'seq 60000' | (sleep 1; cksum)");
is($out, (sh('seq 60000 | cksum'))[1], 'no output is lost');

my $dir = scratch() . '/a b,c';
mkdir $dir or die;
spew("$dir/old", "old\n");
($status, $out) = sh("cd '$dir' && '$vm' 'cat old; pwd; echo new >old; echo new >more; cat old'");
is($out, "old\n$dir\nnew\n", "it sees the host's files where they are, and its own changes");
is(slurp("$dir/old"), "old\n", 'which do not reach the host');
ok(!-e "$dir/more", 'nor do new files');

($status) = sh("cd '$dir' && '$vm' -w 'echo new >old; mkdir sub; echo more >sub/more; echo out >../out'");
is($status, 0, 'with -w');
is(slurp("$dir/old"),      "new\n",  'changes below the current directory reach the host');
is(slurp("$dir/sub/more"), "more\n", 'and new files');
ok(!-e scratch() . '/out', 'but nothing beside it');

($status, undef, $err) = sh({ env => { CNIC_VM_TIMEOUT => 2 } }, $vm, 'sleep 60');
is($status, 124, 'a command that takes too long is ended');
like($err, qr/longer than 2 s/, 'and that is said');
($status, undef, $err) = sh($vm, 'echo b >/proc/sysrq-trigger; sleep 60');
is($status, 125, 'a machine that breaks down is told from a command that fails');
like($err, qr/broke down/, 'and that is said');

my $mine = (sh('ls /sys/class/net'))[1];
in_vm("$root/tests/kernel/00-vm.sh");
is((sh('ls /sys/class/net'))[1], $mine, "the host's own network is as before");

done_testing;
