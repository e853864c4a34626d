# Kernel: for the tests in tests/kernel, which are bash scripts that run in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
package Kernel;
use v5.36;
use Exporter 'import';
use File::Basename qw(basename dirname);
use Lab;
use Test::More;

our @EXPORT = qw(traffic script);

my $lab = dirname(__FILE__);

# traffic(): build the program that sends and watches packets; its path, also in $ENV{TRAFFIC}.
sub traffic () {
	$ENV{TRAFFIC} = scratch() . '/traffic';
	my ($status, undef, $err) = sh('sh', $lab . '/build', $ENV{TRAFFIC});
	BAIL_OUT("traffic: $err") if $status;
	return $ENV{TRAFFIC};
}

# script(): the test is the script of its own name, in a test machine.
sub script () {
	traffic();
	$ENV{CNIC} //= "$root/build/cnic";
	in_vm({ timeout => $ENV{CNIC_FULL} ? 600 : 120 }, $0 =~ s/\.t$/.sh/r);
	done_testing();
}

1;
