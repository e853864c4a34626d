# Mutants: faults seeded into lowering and encoding, one at a time, and whether the proof of the compiler sees them.
# SPDX-License-Identifier: GPL-2.0-or-later
package Mutants;
use v5.36;
use Cwd qw(realpath);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP ();

our @EXPORT_OK = qw(places line_of build_original try_mutant);

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

# places(): every mutant that the rules make: {file, line, rule, text}.
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
					push @places, { file => $file, line => $n, rule => $name,
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

# Those that are written for this, those that tests/bench/policy makes, and the examples.
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
	return (glob("$root/tests/mutants/policies/*.cni"), @made, $few ? () : glob("$root/examples/*.cni"));
}

# ---- making one ----

sub flags ($target) {
	my $text = slurp("$build/CMakeFiles/$target.dir/flags.make");
	my ($defines) = $text =~ /^C_DEFINES = (.*)$/m;
	my ($includes) = $text =~ /^C_INCLUDES = (.*)$/m;
	return "$defines $includes -std=gnu11 -O1 -w";
}

# The program with one file compiled anew: what the object has is not taken from the library. Undefined: it does not build.
sub make ($file, $source) {
	spew("$scratch/mutant.c", $source);
	my $flags = flags($file =~ m{^runtime/} ? 'cni_runtime' : 'cni_compiler');
	system("cc $flags -c $scratch/mutant.c -o $scratch/mutant.o 2>/dev/null") and return;
	my ($link) = slurp("$build/CMakeFiles/cnic.dir/link.txt") =~ /^(.*)$/m;
	$link =~ s/ -o cnic / $scratch\/mutant.o -o $scratch\/cnic /;
	system("cd $build && $link 2>$scratch/link.err") and die slurp("$scratch/link.err");
	return "$scratch/cnic";
}

# ---- trying one ----

# One policy: what became of it, and the digest of what would be sent.
sub prove ($program, $policy) {
	my $text = `timeout 20 $program check --prove --json --diagnostics=json $policy 2>/dev/null`;
	my $status = $?;
	return ('crashed') if $status & 127 || $status >> 8 > 124;
	return ('endless') if $status >> 8 == 124;
	my $json = eval { JSON::PP->new->utf8->decode($text) } // {};
	return ('proven', $json->{proof}{digest}) if $json->{proof};
	my @codes = map { $_->{code} } grep { $_->{severity} eq 'error' } @{ $json->{diagnostics} // [] };
	return ("@codes" =~ /CNI506/ ? 'refuted' : 'refused');
}

my %digests;

sub build_original () {
	for my $policy (policies()) {
		my ($what, $digest) = prove("$build/cnic", $policy);
		die "$policy: $what without any fault\n" if $what ne 'proven';
		$digests{$policy} = $digest;
	}
}

# try_mutant({file, line, text}): 'stillborn' (does not build), 'caught' (by the proof), 'crashed', 'endless', 'refused' (another
# error), 'silent' (the same messages for every policy), or 'survived', with the policy that tells.
sub try_mutant ($mutant) {
	my @lines = split /\n/, slurp("$root/$mutant->{file}"), -1;
	$lines[$mutant->{line} - 1] = $mutant->{text};
	my $program = make($mutant->{file}, join "\n", @lines) // return 'stillborn';
	my $differs;
	for my $policy (policies()) {
		my ($what, $digest) = prove($program, $policy);
		return ($what eq 'refuted' ? 'caught' : $what, $policy) if $what ne 'proven';
		$differs //= $policy if $digest ne $digests{$policy};
	}
	return $differs ? ('survived', $differs) : ('silent');
}

1;
