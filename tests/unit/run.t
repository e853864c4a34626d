#!/usr/bin/perl
# Runs every cmocka program that the build left in build-asan/tests/unit (or $CNIC_UNIT), each as one subtest.
# A program without tests, one that ends early, and a finding of a sanitizer are failures.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $dir      = $ENV{CNIC_UNIT} // "$root/build-asan/tests/unit";
my @programs = grep { -f && -x } glob "'$dir'/*";
ok(@programs > 0, "there are unit tests in $dir");
for my $program (@programs) {
	my ($name) = $program =~ m{([^/]+)$};
	subtest $name => sub {
		# halt: or else UBSan prints its finding and the program succeeds
		relay({
				name => $name,
				env  => { CMOCKA_MESSAGE_OUTPUT => 'TAP', UBSAN_OPTIONS => 'halt_on_error=1:print_stacktrace=1' },
			},
			'timeout', '300', $program);
	};
}
done_testing;
