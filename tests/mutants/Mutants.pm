# Mutants: faults seeded into lowering and encoding, one at a time, and whether the proof of the compiler sees them.
#
# A file is compiled anew with its fault, or with all of its faults (Schemata.pm), and its functions take the place of the
# right ones: linked in front of the library, or loaded in front of it where the libraries are shared ones. probe.c says
# what becomes of policies then.
# SPDX-License-Identifier: GPL-2.0-or-later
package Mutants;
use v5.36;
use Cwd qw(realpath);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Temp qw(tempdir);

use lib dirname(__FILE__);
use Schemata qw(schemata);

our @EXPORT_OK = qw(places line_of build_original try_mutant try_mutants try_others);

our $root = realpath(dirname(__FILE__) . '/../..');
my $build = $ENV{CNIC_BUILD} // "$root/build";
my $scratch = tempdir('cnic-mutants.XXXXXX', TMPDIR => 1, CLEANUP => 1);

sub slurp ($file) { open my $in, '<', $file or die "$file: $!\n"; local $/; readline($in) // '' }

sub spew ($file, $text) { open my $out, '>', $file or die "$file: $!\n"; print $out $text; close $out or die "$file: $!\n" }

# ---- what is done to the source ----

# [name, pattern, replacement]: each place where the pattern matches a line of code is a mutant.
our @rules = (
	['== becomes !=',        qr/ == /,                       ' != '],
	['!= becomes ==',        qr/ != /,                       ' == '],
	['< becomes <=',         qr/ < /,                        ' <= '],
	['<= becomes <',         qr/ <= /,                       ' < '],
	['> becomes >=',         qr/ > /,                        ' >= '],
	['>= becomes >',         qr/ >= /,                       ' > '],
	['&& becomes ||',        qr/ && /,                       ' || '],
	['|| becomes &&',        qr/ \|\| /,                     ' && '],
	['+ becomes -',          qr/(?<=[\w)\]]) \+ (?=[\w(])/,  ' - '],
	['- becomes +',          qr/(?<=[\w)\]]) - (?=[\w(])/,   ' + '],
	['one more',             qr/(?<![\w.>-])(\d+)(?=[,;) ])(?!\s*\*\/)/, sub { $1 + 1 }],
	['no condition',         qr/(?<=\t)if \(.*\)$/,          'if (1)'],
	['a condition turned',   qr/(?<=\t)if \((?!!)(.*)\)$/,   sub {"if (!($1))"}],
	['not left out',         qr/(?<=[ (])!(?=[\w(])/,        ''],
	['a call left out',      qr/(?<=\t)\w+\([^;]*\);$/,      ';'],
	['a step left out',      qr/(?<=\t)continue;$/,          ';'],
	['sides swapped',        qr/ \? ([^:?;,]+) : ([^:?;,()]+)(?=[;,)])/, sub {" ? $2 : $1"}],
	['true becomes false',   qr/\btrue\b/,                   'false'],
	['false becomes true',   qr/\bfalse\b/,                  'true'],
	['IPv4 becomes IPv6',    qr/\bCNI_V4\b/,                 'CNI_V6'],
	['low becomes high',     qr/(?<=[.>])lo\b/,              'hi'],
	['high becomes low',     qr/(?<=[.>])hi\b/,              'lo'],
	['byte order',           qr/\bhtonl\(/,                  '('],
	['shifted less',         qr/(<<|>>) (8|16|24)/,          sub {"$1 " . ($2 - 1)}],
	['goto becomes jump',    qr/\bNFT_GOTO\b/,               'NFT_JUMP'],
	['jump becomes goto',    qr/\bNFT_JUMP\b/,               'NFT_GOTO'],
	['return becomes accept', qr/\bNFT_RETURN\b/,            'NF_ACCEPT'],
	['drop becomes accept',  qr/\bNF_DROP\b/,                'NF_ACCEPT'],
	['accept becomes drop',  qr/\bNF_ACCEPT\b/,              'NF_DROP'],
	['from becomes to',      qr/\bCOL_FROM\b/,               'COL_TO'],
	['in becomes out',       qr/\bNFT_META_IIFNAME\b/,       'NFT_META_OIFNAME'],
	['at least becomes more', qr/\bNFT_CMP_GTE\b/,           'NFT_CMP_GT'],
	['at most becomes less', qr/\bNFT_CMP_LTE\b/,            'NFT_CMP_LT'],
	['equal becomes unequal', qr/\bNFT_CMP_EQ\b/,            'NFT_CMP_NEQ'],
);

# What a proof of a policy by itself cannot speak of: devices and settings, and what depends on the router.
my %beside = map { $_ => 1 } qw(compiler/lower/devices.c compiler/lower/live.c compiler/lower/former.c
	runtime/netlink/encode_link.c runtime/netlink/encode_setting.c);

sub files () {
	return grep { !$beside{$_} } map {s{^\Q$root\E/}{}r}
		glob("$root/compiler/lower/*.c $root/runtime/netlink/encode*.c $root/runtime/netlink/expr.c $root/runtime/netlink/attrs.c");
}

# places(): every mutant that the rules make: {number, file, line, rule, was, text}: `text` stands in place of the line `was`.
sub places () {
	my @places;
	for my $file (files()) {
		my ($n, $comment) = (0, 0);
		for my $line (split /\n/, slurp("$root/$file")) {
			$n++;
			my $code = $line !~ m{^\s*(?:/?\*|//|#)} && !$comment;
			$comment = $line =~ m{/\*(?!.*\*/)} || ($comment && $line !~ m{\*/});
			next if !$code || $line =~ /assert\(|^(?:static|struct|enum|bool|void|const|size_t|uint)\b[^=]*[,({]$/;
			for my $rule (@rules) {
				my ($name, $pattern, $to) = @$rule;
				while ($line =~ /$pattern/g) {
					my ($begin, $end) = ($-[0], $+[0]);
					my $with = ref $to ? $to->() : $to;
					push @places, { number => @places + 1, file => $file, line => $n, rule => $name, was => $line,
						text => substr($line, 0, $begin) . $with . substr($line, $end) };
				}
			}
		}
	}
	return @places;
}

# line_of(FILE, CODE): where that line of code is, which must be once.
sub line_of ($file, $code) {
	my @lines = split /\n/, slurp("$root/$file");
	my @at = grep { $lines[$_] =~ /^\s*\Q$code\E$/ } 0 .. $#lines;
	die "$file: `$code` is there ", scalar @at, " times\n" if @at != 1;
	return $at[0] + 1;
}

# ---- what it is tried on ----

our $few;    # only those that are enough for the sample

# Random policies that show what the others do not: small sets that are cut, maps of few, what is lowered on top of another.
# These are proven soon.
my @seeds = (20260124 .. 20260129, 20260132);

# Those that are written for this, those that tests/bench/policy makes, the examples, and random ones.
sub policies () {
	my @made = map {
		my ($kind, $n) = @$_;
		my $dir = "$scratch/$kind$n";
		if (!-d $dir) {
			mkdir $dir;
			system("$root/tests/bench/policy", '-o', $dir, $kind, $n) and die "tests/bench/policy failed\n";
		}
		"$dir/policy.cni";
	} ($few ? ['paths', 20] : (['fields', 24], ['to', 12], ['paths', 20], ['prefixes', 600]));
	return (glob("$root/tests/mutants/policies/*.cni"), @made, $few ? () : (glob("$root/examples/*.cni"), map { ($_, "$_+") } @seeds));
}

# Other tests, by folder. What is quick, and likely to tell, comes first; property is the simulator's, on random policies.
my $here  = join ' ', map {"examples/$_.cni"} qw(matches masquerade router-traffic);
my %tests = (
	'runtime/netlink' => ['unit/netlink', 'differential/installed'],
	'compiler/lower'  => [
		'golden/examples', map({"unit/$_"} qw(map lower emit_nft emit skips ways proof plan)),
		map({"golden/$_"} qw(bird explain cli diff)), 'differential/installed', 'golden/drift', 'unit/drift', 'property',
	],
);

# ---- making them ----

my $shared = -e "$build/libcni_compiler.so";
my $so     = "$scratch/mutant.so";

sub flags ($file) {
	my $target = $file =~ m{^runtime/} ? 'cni_runtime' : 'cni_compiler';
	my $text   = slurp("$build/CMakeFiles/$target.dir/flags.make");
	my ($defines)  = $text =~ /^C_DEFINES = (.*)$/m;
	my ($includes) = $text =~ /^C_INCLUDES = (.*)$/m;
	$defines =~ s/-Dcni_\w+_EXPORTS//;
	return "$defines $includes -std=gnu11 -DNDEBUG -fPIC -w";
}

# The errors, if any.
sub compile ($file, $source, $object) {
	spew("$scratch/mutant.c", $source);
	return `cc @{[flags($file)]} -fmax-errors=0 -c $scratch/mutant.c -o $object 2>&1`;
}

sub share (@objects) {
	system("cc -shared @objects -o $so -L$build -Wl,-rpath,$build -lcni_runtime -lcni_compiler") and die "no $so\n";
	return "LD_PRELOAD=$so $build/tests/mutants/probe";
}

# The probe with one file compiled anew, as a command. Undefined: it does not build.
sub make ($mutant) {
	my @lines = split /\n/, slurp("$root/$mutant->{file}"), -1;
	$lines[$mutant->{line} - 1] = $mutant->{text} if $mutant->{line};
	my $object = "$scratch/mutant.o";
	return if compile($mutant->{file}, join("\n", @lines), $object) =~ /error:/;
	return share($object) if $shared;
	my ($link) = slurp("$build/tests/CMakeFiles/mutant_probe.dir/link.txt") =~ /^(.*)$/m;
	$link =~ s{ -o \S+ }{ $object -o $scratch/probe } or die "link.txt has no -o\n";
	system("cd $build/tests && $link") and die "$mutant->{file} does not link\n";
	return "$scratch/probe";
}

# The probe with all of them, as a command, and those that are in it. Wants shared libraries.
sub make_all (@mutants) {
	my (@objects, @taken, %of);
	push @{ $of{ $_->{file} } }, $_ for @mutants;
	for my $file (sort keys %of) {
		my $object = "$scratch/" . ($file =~ s{/}{-}gr) . '.o';
		my @good   = @{ $of{$file} };
		while (1) {
			(my $text, @good) = schemata(slurp("$root/$file"), @good);
			my %wrong = map { $_ => 1 } compile($file, $text, $object) =~ /^mutant\.(\d+):.* error:/mg or last;
			@good = grep { !$wrong{ $_->{number} } } @good;
		}
		push @objects, $object;
		push @taken,   @good;
	}
	spew("$scratch/chosen.c", "#include <stdlib.h>\nint cni_mutant;\n__attribute__((constructor)) static void choose(void)\n"
		. "{\n\tconst char *text = getenv(\"CNI_MUTANT\");\n\n\tcni_mutant = text ? atoi(text) : 0;\n}\n");
	return (share(@objects, "$scratch/chosen.c -fPIC"), @taken);
}

# ---- trying them ----

my (@cases, %digests);

# What tells most comes first, and what is told soonest. The other tests of these folders pass as long as nothing is wrong.
sub build_original (@folders) {
	my @known = map { [split ' '] } split /\n/, join '', map {`echo 0 | $build/tests/mutants/probe $_`} policies();
	@known = grep { $_->[2] ne 'refused' || $_->[1] !~ /^\d/ } @known;    # a random policy may be wrong
	die "$_->[1]: $_->[2] without any fault\n" for grep { $_->[2] ne 'proven' } @known;
	@cases   = map { $_->[1] } sort { ($b->[1] =~ /^\d|layers/) <=> ($a->[1] =~ /^\d|layers/) || $a->[5] <=> $b->[5] } @known;
	%digests = map { $_->[1] => $_ } @known;
	make({ file => (files())[0] }) if @folders;
	for my $folder (@folders) {
		my $fails = other_tests($folder, 0);
		die "$fails fails without any fault\n" if $fails;
	}
}

# A word for what the probe says of one mutant, and the policy that tells.
sub judge (@tried) {
	my $last = $tried[-1] // ['', '', 'crashed'];
	return ($last->[2] eq 'refuted' ? 'caught' : $last->[2], $last->[1]) if $last->[2] !~ /^(?:same|other|proven)$/ || @tried != @cases;
	my ($other)  = grep { $_->[2] =~ /^(?:other|proven)$/ } @tried;
	my ($texts)  = grep { $_->[4] ne $digests{ $_->[1] }[4] } @tried;
	my ($golden) = grep { substr($_->[4], 0, 16) ne substr($digests{ $_->[1] }[4], 0, 16) } grep { $_->[1] =~ m{/examples/} } @tried;
	return ('golden', $golden->[1]) if $golden;
	return $other ? ('survived', $other->[1]) : $texts ? ('beside', $texts->[1]) : ('silent', '');
}

# One for each number, in their order, as soon as it is known.
sub probe ($program, $numbers, $tell) {
	spew("$scratch/numbers", join "\n", @$numbers, '');
	my @left = @$numbers;
	open my $out, '-|', join ' ', $program, map({"$_=$digests{$_}[3]"} @cases), "<$scratch/numbers 2>/dev/null" or die "$program: $!\n";
	my @tried;
	while (my $line = readline $out) {
		my @words = split ' ', $line;
		while ($words[0] != $left[0]) {
			$tell->(shift @left, judge(@tried));
			@tried = ();
		}
		push @tried, \@words;
	}
	for my $number (@left) {
		$tell->($number, judge(@tried));
		@tried = ();
	}
}

# try_mutant({file, line, text}): a word, and the policy that tells. Words: 'stillborn' (does not build), 'caught' (by the
# proof), 'crashed', 'endless', 'refused' (another error), 'large' (for the proof); of those that are proven for every policy:
# 'golden' (what is printed of an example is another text), 'survived' (other messages), 'beside' (the same messages, other
# texts), 'silent' (the same of both).
sub try_mutant ($mutant) {
	my $program = make($mutant) // return 'stillborn';
	my @said;
	probe($program, [0], sub (@answer) { @said = @answer[1, 2] });
	return @said;
}

my %together;    # what is in one object

# try_mutants(TELL, MUTANTS): the same of many; TELL is called with each, its word and the policy.
sub try_mutants ($tell, @mutants) {
	my ($program, @together) = make_all(@mutants);
	%together = map { $_->{number} => $_ } @together;
	probe($program, [sort { $a <=> $b } keys %together], sub ($number, @said) { $tell->($together{$number}, @said) });
	system('cp', $so, "$scratch/together.so");
	$tell->($_, try_mutant($_)) for grep { !$together{ $_->{number} } } @mutants;
}

# try_others(MUTANT): of those that try_mutants() has tried; the test that fails, if one does.
sub try_others ($mutant) {
	if   ($together{ $mutant->{number} }) { system('cp', "$scratch/together.so", $so) }
	else                                  { make($mutant) }
	return other_tests($mutant->{file} =~ s{/[^/]*$}{}r, $mutant->{number});
}

# ---- the other tests ----

# other_tests(FOLDER, NUMBER): the first that fails with that mutant of those that were made last; undefined: none does.
sub other_tests ($folder, $number) {
	die "needs a build with -DBUILD_SHARED_LIBS=ON\n" if !$shared;
	my $with = "CNI_MUTANT=$number LD_PRELOAD=$so";
	spew("$scratch/cnic", qq{#!/bin/sh\n$with exec $build/cnic "\$@"\n});
	chmod 0755, "$scratch/cnic";
	for my $name (@{ $tests{$folder} }) {
		my $command =
			  $name =~ m{^unit/(\w+)} ? "$with timeout 120 $build/tests/unit/$1_test"
			: $name eq 'property'     ? "$with timeout 300 $build/tests/property/property_test"
			:                           "CNIC=$scratch/cnic CNIC_HERE='$here tests/mutants/policies/layers.cni' timeout 120 prove -Q tests/$name.t";
		return $name if system("cd $root && { $command; } >/dev/null 2>&1");
	}
	return;
}

1;
