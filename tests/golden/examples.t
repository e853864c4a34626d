#!/usr/bin/perl
# Every example compiles to exactly tests/golden/examples/NAME.{nft,ip,json}, one with BGP to NAME.bird, and to the same
# bytes a second time.
# CNIC_REWRITE=1 rewrites those files: read the difference before it is committed.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

chdir $root or die;    # so that places are the same everywhere
my $golden   = 'tests/golden/examples';
my @examples = map { m{^examples/(.*)\.cni$} } glob 'examples/*.cni';
cmp_ok(@examples, '>', 0, 'there are examples');

my %expected;
for my $name (@examples) {
	my @bird = slurp("examples/$name.cni") =~ /^\s*bgp\b/m ? 'bird' : ();
	for my $emit (qw(nft ip json), @bird) {
		my @compile = ('compile', '--emit', $emit, "examples/$name.cni");
		my ($status, $out, $err) = cnic(@compile);
		is($status, 0, "$name compiles to $emit") || diag($err);
		my $file = "$golden/$name.$emit";
		$expected{$file} = 1;
		spew($file, $out) if $ENV{CNIC_REWRITE} && !$status;
		is($out, -e $file ? slurp($file) : undef, '... as expected');
		is((cnic(@compile))[1], $out, '... the same bytes again');
	}
}
for my $file (grep { !$expected{$_} } glob "$golden/*") {
	unlink $file if $ENV{CNIC_REWRITE};
	ok(!-e $file, "$file belongs to an example");
}
done_testing;
