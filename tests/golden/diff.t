#!/usr/bin/perl
# What `cnic diff` says to a reviewer is exactly tests/golden/diff/NAME: of a reordering without effect, of one prefix, of
# a smaller MSS, of days when something is down, and of a move from one example to another.
# CNIC_REWRITE=1 rewrites those files: read the difference before it is committed.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic   = $ENV{CNIC} // "$root/build/cnic";
my $golden = "$root/tests/golden/diff";
my $dir    = scratch();
sh("cp -r $root/examples/common $dir/");
my ($t2, $t3) = map { slurp("$root/examples/$_.cni") } qw(t2-classic t3-multi-site);
spew("$dir/t2.cni", $t2);
spew("$dir/t3.cni", $t3);

# edited(NAME, TEXT, FROM, TO): NAME.cni is the text with one passage replaced, which must be there.
sub edited ($name, $text, $from, $to) {
	my $at = index $text, $from;
	die "no `$from`" if $at < 0;
	substr($text, $at, length $from) = $to;
	spew("$dir/$name.cni", $text);
	return $text;
}
my ($bulk, $cs1) = map { "\troute $_ via cf2 else drop;\n" } 'bulk service bulk', 'background dscp cs1';
edited('reordered', $t3, $bulk . $cs1, $cs1 . $bulk);
edited('prefix', $t3, '10.30.0.0/16 }',    '10.31.0.0/16 }');
edited('mss',    $t3, 'tos inherit;',      'mss 1400; tos inherit;');
edited('single', $t3, 'ef via cf1 then cf2', 'ef via cf1');
edited('noted',  $t3, 'define office',     "# a word\ndefine office");

# diff(STATUS, ARGUMENTS): run where the files are; returns stdout and stderr.
sub diff ($wanted, @arguments) {
	my ($status, $out, $err) = sh("cd $dir && exec $cnic diff --color=never @arguments");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($status, $wanted, "diff @arguments") || diag($out, $err);
	return ($out, $err);
}

my @shown = (
	['reordered.txt',    't3.cni reordered.cni'],
	['prefix.txt',       't3.cni prefix.cni'],
	['prefix.json',      '--json t3.cni prefix.cni'],
	['mss.txt',          't3.cni mss.cni'],
	['t2-t3.txt',        't2.cni t3.cni'],
	['down.txt',         '--down cf1 t3.cni mss.cni'],
	['each-failure.txt', '--each-failure t3.cni single.cni'],
	['nothing.txt',      't3.cni t3.cni'],
	['text.txt',         '--text --rules t3.cni reordered.cni'],
);
for my $case (@shown) {
	my ($name, $arguments) = @$case;
	my ($out) = diff(0, $arguments);
	spew("$golden/$name", $out) if $ENV{CNIC_REWRITE};
	is($out, -e "$golden/$name" ? slurp("$golden/$name") : undef, '... as expected');
}
my %expected = map { ("$golden/$_->[0]" => 1) } @shown;
for my $file (grep { !$expected{$_} } glob "$golden/*") {
	unlink $file if $ENV{CNIC_REWRITE};
	ok(!-e $file, "$file belongs to a case");
}

diff(2, '--detailed-exitcode t3.cni prefix.cni');
diff(0, '--detailed-exitcode t3.cni t3.cni');
my $json = from_json((diff(0, '--json t3.cni noted.cni'))[0]);
ok($json->{meaning}{known} && $json->{meaning}{same} && !$json->{same_texts}, 'a comment changes the text alone');

subtest 'the JSON has what the text has' => sub {
	my ($text) = diff(0, '--each-failure t3.cni single.cni');
	my $days = from_json((diff(0, '--each-failure --json t3.cni single.cni'))[0])->{meaning}{days};
	is(scalar(() = $text =~ /^Packets/mg), @$days, 'days');
	my @classes = map { $_->{classes}->@* } @$days;
	is(scalar(() = $text =~ /^\S.* -> /mg), @classes, 'classes');
	for my $class (@classes) {
		like($text, qr/, IPv$class->{family}: \Q$class->{before}{text} -> $class->{after}{text}\E$/m, 'fates');
		like($text, qr/such as  \Q$class->{witness}{text}\E$/m, 'a witness');
		like($text, qr/ \Q$_->{text}\E$/m, 'a box') for $class->{boxes}->@*;
		for my $side (map { ($_->{before}, $_->{after}) } $class->{lines}->@*) {
			like($text, qr/\Q$side->{name}, $side->{file}:$side->{line}\E$/m, "the line of $side->{name}");
		}
	}
};

subtest 'beyond the limit' => sub {
	# addresses far apart: hardly two share a node
	my $many = join ', ', map { join '.', unpack 'C4', pack 'N', $_ * 2654435761 % 0xe0000000 } 1 .. 4000;
	edited('many', $t3, 'saas to saas', "saas to { saas, $many }");
	my ($out, $err) = diff(0, '--max-nodes 10000 t3.cni many.cni');
	like($out, qr/^Packets: not known, beyond 10000 nodes$/m, 'it is not known');
	like($err, qr/^warning\[CNI729\]: .*10000 nodes/m, '... which limit');
	like($err, qr/= help: .*--max-nodes/, '... and how there is more room');
	like($out, qr/^\Q$_\E:$/m, "$_ are shown instead") for 'Texts', 'nftables rules on an empty router';
	my $meaning = from_json((diff(0, '--max-nodes 10000 --json t3.cni many.cni'))[0])->{meaning};
	is_deeply([ $meaning->@{qw(known days)} ], [ JSON::PP::false, [] ], 'and so in JSON');
};

subtest 'out of git' => sub {
	my $git = "git -C $dir -c user.name=x -c user.email=x\@example.net";
	my $commit = sub ($what) { is((sh("$git add . && $git commit -qm $what"))[0], 0, "commit $what") };
	is((sh("$git init -q"))[0], 0, 'a repository');
	$commit->('one');
	spew("$dir/common/saas.prefixes", "203.0.113.128/25\n");
	$commit->('two');
	is((diff(0, 'HEAD:t3.cni t3.cni'))[0], "Packets: the same\n", 'what was committed');
	my ($out) = diff(2, '--detailed-exitcode HEAD~1:t3.cni HEAD:./t3.cni');
	like($out, qr/isp masquerade else drop -> .*\n  which    from 10.10.0.0\/16 to 198.18.100.0\/26 /, 'a set is of the same commit');
	like($out, qr/^  before   route saas, HEAD~1:t3.cni:\d+$/m, '... and so is the line');
	is((diff(0, 'HEAD:t3.cni t3.cni --text'))[0], "Packets: the same\n\nTexts: the same\n", 'nothing else differs');
	like((diff(0, '--text HEAD~1:t3.cni t3.cni'))[0], qr/^--- HEAD~1:common\/saas.prefixes\n\+\+\+ common\/saas.prefixes$/m, 'paths');
	mkdir "$dir/folder";
	spew("$dir/folder/a.cni", slurp("$dir/t3.cni") =~ s{"common/}{"../common/}r);
	spew("$dir/folder/b.txt", 'no policy');
	$commit->('three');
	is((diff(0, 'HEAD:folder folder'))[0], "Packets: the same\n", 'a folder, whose includes are above it');
	spew("$dir/out.cni", qq(include "../../etc/x.cni";\n));
	$commit->('four');
	my @wrong = (
		['nowhere:t3.cni',           qr/CNI050.*nowhere:t3.cni: git: /],
		['HEAD:t9.cni',              qr/CNI050.*HEAD:t9.cni: git: path 't9.cni' does not exist/],
		['HEAD:common/../../t3.cni', qr/CNI050.*is outside of the repository/],
		['HEAD:common/none',         qr/CNI050.*does not exist/],
		['HEAD:out.cni',             qr/CNI050.*is outside of the repository\n --> out.cni:1:/],
	);
	like((diff(1, "$_->[0] t3.cni"))[1], $_->[1], "$_->[0] is told of") for @wrong;
};

subtest 'what makes no sense' => sub {
	like((diff(64, '--down cf9 t3.cni mss.cni'))[1], qr/no link or tunnel is called 'cf9'; did you mean 'cf1'\?/, 'a name');
	like((diff(64, "--max-nodes $_ t3.cni mss.cni"))[1], qr/is no number from 10000 to/, "$_ nodes") for qw(9999 9x 99999999999);
};
done_testing;
