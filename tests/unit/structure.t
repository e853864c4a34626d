#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# structure.t - the rules of the tree that a machine can check: purity, direction of includes, layout, licence tags.
use strict;
use warnings;
use Test::More;
use FindBin;

chdir "$FindBin::Bin/../.." or die $!;
my @files = split /\n/, `git ls-files --cached --others --exclude-standard`;
@files = grep { -f } @files;
my @c = grep { /\.[ch]$/ } @files;

sub slurp { open my $f, '<', $_[0] or die "$_[0]: $!"; local $/; <$f> }

my %unformatted = map { $_ => 1 } `clang-format --dry-run @c 2>&1` =~ /^(\S+?):\d+:\d+: warning/mg;
is join(' ', sort keys %unformatted), '', 'the tree is formatted as .clang-format says';

my @untagged = grep { /\.(?:[chly]|def|sh|pm|t|txt)$/ && !/golden|corpus|CMakeCache/ && slurp($_) !~ /SPDX-License-Identifier: GPL-2\.0-or-later/ }
	@files;
is "@untagged", '', 'every source file has its licence tag';

# compiler/ knows nothing outside itself; grammar/ knows compiler/; runtime/ knows both
my %may = (compiler => qr{^compiler/}, grammar => qr{^(?:compiler|grammar)/|^(?:scan|parse\.tab)\.h$}, runtime => qr{^(?:compiler|grammar|runtime)/});
my @wrong;
for my $file (grep { m{^(?:compiler|grammar|runtime)/.*\.[chly]$} } @files) {
	my ($folder) = $file =~ m{^(\w+)/};
	push @wrong, map { "$file includes $_" } grep { $_ !~ $may{$folder} } slurp($file) =~ /^#include "([^"]+)"/mg;
}
is "@wrong", '', 'includes point one way: runtime to grammar to compiler';

# compiler/ and grammar/ use no files, sockets, clocks or environment
my %pure = map { $_ => 1 } qw(abort calloc free malloc realloc memchr memcmp memcpy memmove memset qsort bsearch snprintf
	vsnprintf strchr strrchr strcmp strncmp strcasecmp strncasecmp strdup strlen strnlen strtoul strtoull strtoll strtol strspn strcspn
	strpbrk strstr strndup __assert_fail __ctype_b_loc __ctype_tolower_loc __errno_location tolower toupper isalnum _GLOBAL_OFFSET_TABLE_
	__stack_chk_fail __popcountdi2 __snprintf_chk __vsnprintf_chk __memcpy_chk __isoc99_sscanf);
# BuDDy stays behind compiler/space/
my @bdd = grep { /\.[ch]$/ && !m{^compiler/space/} && slurp($_) =~ /\bbdd_?\w*\(|<bdd\.h>/ } @files;
is "@bdd", '', 'no name of BuDDy outside of compiler/space/';
# the flex skeleton can read files, and says so in its symbols; its reader is never called: texts come as buffers
my %skeleton = map { $_ => 1 } qw(stdin stdout stderr getc ferror clearerr fileno isatty fread fwrite exit fprintf);
for my $library ('cni_compiler', 'cni_grammar') {
	my ($defined, $undefined) = ({}, {});
	for (split /\n/, `nm build/lib$library.a build/libcni_compiler.a 2>/dev/null`) {
		$defined->{$2} = 1 if /^[0-9a-f]+ ([TDBRVWC]) (\S+)/;
	}
	for (split /\n/, `nm -u build/lib$library.a`) {
		$undefined->{$1} = 1 if /^\s+U (\S+)/;
	}
	ok %$undefined, "build/lib$library.a is there";
	my @impure = sort grep { !$defined->{$_} && !$pure{$_} && !/^bdd_/ && !($library eq 'cni_grammar' && $skeleton{$_}) } keys %$undefined;
	is "@impure", '', "$library is pure";
}

my @local = grep { !/^tests\// && slurp($_) =~ m{/root/|/work/|/home/} } @files;
is "@local", '', 'no path of one machine';
done_testing;
