#!/usr/bin/perl
# The command line without a kernel: exit statuses, usage, JSON envelopes, formats of diagnostics, files and folders,
# colours, and what becomes of output that cannot be written. cli-kernel.t has the commands that need a kernel.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
my $good = <<'END';
lan office { device eth2; prefix 10.1.0.0/24; }
link isp { kind internet; device eth0; address 198.51.100.2/30; }
policy office on eth2 {
	route all from 10.1.0.0/24 via isp else drop;
	else drop;
}
END
my $bad  = $good =~ s/via isp/via ips/r;
my $dir  = scratch();
my $file = spew("$dir/good.cni", $good);
my $sick = spew("$dir/sick.cni", $bad);

# run(WHAT, STATUS, ARGUMENTS): the status must be this; returns stdout and stderr.
sub run ($what, $status, @arguments) {
	my ($got, $out, $err) = cnic(@arguments);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($got, $status, $what) || diag($out, $err);
	return ($out, $err);
}

# envelope(WHAT, STATUS, ARGUMENTS): as run; returns stdout decoded, which must be an envelope of that command.
sub envelope ($what, $status, @arguments) {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($out, $err) = run($what, $status, @arguments);
	my $json = eval { from_json($out) };
	ok($json && $json->{version} == 1 && ref $json->{diagnostics} eq 'ARRAY' && exists $json->{ok},
		"$what: an envelope of version 1") || diag($out);
	is($err, '', "$what: nothing on standard error") if $status != 64;
	return $json;
}

subtest 'usage' => sub {
	my @wrong = (
		[ [],                                            qr/no command given/ ],
		[ ['chek'],                                      qr/unknown command 'chek'; did you mean 'check'\?/ ],
		[ ['xyzzyplugh'],                                qr/unknown command 'xyzzyplugh'$/m ],
		[ ['check'],                                     qr/check: FILE\.\.\. is missing/ ],
		[ [ 'check', '--josn', $file ],                  qr/unknown option '--josn'; did you mean '--json'\?/ ],
		[ [ 'check', '-Z', $file ],                      qr/unknown option '-Z'/ ],
		[ [ 'check', '--emit', 'nft', $file ],           qr/unknown option '--emit'/ ],
		[ [ 'check', '--json=yes', $file ],              qr/'--json' takes no value/ ],
		[ [ 'check', $file, '--diagnostics' ],           qr/'--diagnostics' needs a value: text\|json\|sarif\|github/ ],
		[ [ 'check', '--diagnostics=sarf', $file ],      qr/'sarf' is none of .*; did you mean 'sarif'\?/ ],
		[ [ 'check', '--color=blue', $file ],            qr/'blue' is none of auto\|always\|never/ ],
		[ [ 'compile', '--emit', 'nftables', $file ],    qr/'nftables' is none of nft\|ip\|bird\|json/ ],
		[ [ 'apply', '--lock-timeout', '3y', $file ],    qr/'3y' is no time/ ],
		[ [ 'apply', '--lock-timeout', '25h', $file ],   qr/'25h' is no time/ ],
		[ [ 'status', $file ],                           qr/status: '\Q$file\E' is one too many/ ],
		[ [ 'help',   'chek' ],                          qr/unknown command 'chek'; did you mean 'check'\?/ ],
		[ [ 'explain-code', 'CNI4x7' ],                  qr/there is no code 'CNI4x7'/ ],
		[ [ 'explain-code', '1', '2' ],                  qr/'2' is one too many/ ],
		[ [ 'fmt', '-w', '--check', $file ],             qr/-w writes/ ],
		[ [ 'fmt', '-w', '-' ],                          qr/-w needs a file/ ],
		[ [ 'fmt', $file, $sick ],                       qr/name one file, or say -w, --check or --diff/ ],
	);
	for (@wrong) {
		my ($arguments, $why) = @$_;
		my ($out, $err) = run("cnic @$arguments", 64, @$arguments);
		is($out, '', '... says nothing on standard output');
		like($err, $why, '... and why on standard error');
	}
};

subtest 'help and version' => sub {
	my ($help) = run('cnic help', 0, 'help');
	my @commands = $help =~ /^  ([a-z-]+)  +\w/mg;
	is("@commands", 'check compile plan apply confirm rollback history diff explain test drift doctor restore status track remove snapshot fmt explain-code version help', 'all commands');
	is((run('cnic -h', 0, '-h'))[0], $help, '-h is help');
	for my $command (@commands) {
		my ($of) = run("cnic help $command", 0, 'help', $command);
		like($of, qr/^Usage: cnic $command /m, "... of $command");
		is((run("cnic $command --help", 0, $command, '--help'))[0], $of, "... and $command --help is the same");
		unlike($of, qr/^.{101}/m, '... in lines that can be read');
	}
	is((run($_, 0, 'help', $_))[0], (run('plan', 0, 'help', 'plan'))[0], "$_ is plan") for qw(compare);
	like((run('-V', 0, '-V'))[0], qr/^cnic \d+\.\d+\.\d+\n\z/, 'the version');
	is((run($_->[0], 0, @$_))[0], (run('version', 0, 'version'))[0], "@$_ is version")
		for ['--version'], [ 'check', '-V' ];
	is(envelope('version --json', 0, '--json', 'version')->{cnic}, 'version', 'options may stand before the command');
};

subtest 'check' => sub {
	my ($out, $err) = run('a good policy', 0, 'check', $file);
	is("$out$err", '', '... nothing is said of it');
	($out, $err) = run('a bad policy', 1, 'check', $sick);
	is($out, '', '... messages are no data');
	like($err, qr/^error\[CNI\d{3}\]: .*ips.*\n\s+--> \Q$sick\E:4:33\n/m, '... and name code and place');
	unlike($err, qr/\e/, '... without colours where there is no terminal');
	like((run('colours always', 1, 'check', '--color=always', $sick))[1], qr/\e\[/, '... with colours');
	unlike((run('colours never', 1, 'check', '--color=never', $sick))[1], qr/\e/, '... without');
	run('standard input', 0, { stdin => $good }, 'check', '-');
	($out, $err) = run('with its proof', 0, 'check', '--prove', $file);
	like($err, qr/^cnic: proven: \d+ bytes of messages mean what the policy says, in \d+ maps of packets/, '... which says what it took');
	my $proof = from_json((run('the same as JSON', 0, 'check', '--prove', '--json', $file))[0])->{proof};
	ok($proof->{proven} && $proof->{digest} =~ /^[0-9a-f]{64}$/ && $proof->{maps} > 10, '... with the digest of what would be sent');
	like((run('bad standard input', 1, { stdin => $bad }, 'check', '-'))[1], qr/--> <stdin>:4:33/, '... has a name');
	like((run('a file that is not there', 1, 'check', "$dir/none.cni"))[1], qr/none\.cni: No such file/, '... is named');
	like((run('an empty name', 1, 'check', ''))[1], qr/No such file/, '... is none');
	my $both = (run('every mistake', 1, { stdin => $bad . "link isp { kind internet; device eth9; }\n" }, 'check', '-'))[1];
	cmp_ok(scalar(() = $both =~ /^error\[/mg), '>=', 2, '... is in one run');
};

subtest 'check: what is left' => sub {
	my $policy = <<~'CNI';
		lan branch { device eth2; prefix 10.1.0.0/24; }
		link isp { kind internet; device eth0; address 198.51.100.2/30; }
		define some = file "some.prefixes";
		policy branch on eth2 {
			route half to 20.0.0.0/9 via isp masquerade else drop;
			route some to some via isp masquerade else drop;
			route all to 20.0.0.0/8 dscp 4 via isp masquerade else drop;
			else drop;
		}
		CNI
	spew("$dir/left.cni", $policy);
	spew("$dir/some.prefixes", join '', map {"20.$_.0.0/24\n"} 0 .. 9, 200);
	my $quiet = (run('without --shadowed', 0, 'check', "$dir/left.cni"))[1];
	like($quiet, qr/CNI430.*sees 10 of the 11 destinations that it names: to 20\.0\.0\.0\/24; .*; \.\.\.$/m,
		'what a file names and the route never sees is one warning');
	like($quiet, qr/left of it: to 20\.200\.0\.0\/24$/m, '... with what is left');
	unlike($quiet, qr/CNI431/, '... and no word of other overlaps');
	my $told = (run('--shadowed', 0, 'check', '--shadowed', "$dir/left.cni"))[1];
	like($told, qr/CNI431\]: route `all` loses packets to 2 routes above/, '... tells of them');
	like($told, qr/`half` takes 50\.0% of IPv4: to 20\.0\.0\.0\/9 dscp 4$/m, '... how much each takes');
	like($told, qr/`some` takes less than 0\.1% of IPv4: to 20\.200\.0\.0\/24 dscp 4$/m, '... be it little');
	like($told, qr/left of it: to 20\.128\.0\.0-20\.199\.255\.255, 20\.200\.1\.0-20\.255\.255\.255 dscp 4$/m,
		'... and what is left');
	spew("$dir/some.prefixes", "20.200.0.0/16\n20.200.3.0/24\n20.200.0.0/16\n2001:db8::/32\n");
	like((run('lines within others', 0, 'check', "$dir/left.cni"))[1],
		qr/^note\[CNI034\]: .*some\.prefixes has 2 lines of IPv4 that others hold already/m, '... are one note');
};

subtest 'several files' => sub {
	my ($lan, $link, $policy) = $good =~ /^(lan[^\n]*\n)(link[^\n]*\n)(.*)/s or die;
	mkdir "$dir/parts" or die;
	spew("$dir/parts/20-policy.cni", $policy);
	spew("$dir/parts/10-link.cni",   $link);
	spew("$dir/parts/notes.txt",     'no policy');
	my $part = spew("$dir/lan.cni", $lan);
	run('a file and a folder are one policy', 0, 'check', $part, "$dir/parts");
	run('... alone they lack something', 1, 'check', "$dir/parts/20-policy.cni");
	is((run('in this order', 0, 'compile', $part, "$dir/parts"))[0], (run('in one file', 0, 'compile', $file))[0],
		'they become the same');
	mkdir "$dir/empty" or die;
	run('an empty folder', 1, 'check', "$dir/empty");
	run('--set', 0, { stdin => "var uplink = eth7;\n" . $good =~ s/eth0/\$uplink/r }, 'check', '--set', 'uplink=eth0', '-');
	my ($nft) = run('--set is seen', 0, { stdin => "var uplink = eth7;\n" . $good =~ s/eth0/\$uplink/r },
		'compile', '--set', 'uplink=eth0', '-');
	is($nft, (cnic('compile', $file))[1], '... as if it were written');
	like((run('a file without an end', 1, 'check', '/dev/zero'))[1], qr/^error\[CNI057\]/, '... is left at its first NUL');
	run('--set of nothing', 1, 'check', '--set', 'novalue', $file);
};

subtest 'JSON' => sub {
	my $json = envelope('check', 0, 'check', '--json', $file);
	is($json->{cnic}, 'check', '... of check');
	ok($json->{ok}, '... is ok');
	is_deeply($json->{diagnostics}, [], '... and there are no diagnostics');
	$json = envelope('check of a bad one', 1, 'check', '--json', $sick);
	ok(!$json->{ok}, '... is not ok');
	my ($d) = @{ $json->{diagnostics} };
	is_deeply([ sort keys %$d ],
		[qw(code column end_column end_line file help label line message related severity)], '... all keys');
	like($d->{code}, qr/^CNI\d{3}$/, '... code');
	is_deeply([ @$d{qw(severity file line column end_line end_column)} ], [ 'error', $sick, 4, 33, 4, 36 ], '... place');
	ok(!envelope('no place', 1, 'check', '--json', "$dir/none.cni")->{diagnostics}[0]{file}, '... is null');

	my $state = envelope('compile --emit json', 0, 'compile', '--emit', 'json', $file)->{state};
	is_deeply([ sort keys %$state ], [qw(addresses links nft routes rules settings)], '... the kinds of records');
	is_deeply([ sort keys %{ $state->{nft} } ], [qw(chains counters family sets table)], '... of nft');
	ok((grep { $_->{device} eq 'eth0' && $_->{address} eq '198.51.100.2/30' } @{ $state->{addresses} }), '... an address');
	ok((grep { $_->{to} eq 'default' && ($_->{hops}[0]{via} // '') eq '198.51.100.1' } @{ $state->{routes} }),
		'... a route');
	ok((grep { $_->{name} eq 'route.office.all' } @{ $state->{nft}{counters} }), '... a counter');
	my ($prerouting) = grep { $_->{name} eq 'prerouting' } @{ $state->{nft}{chains} };
	is($prerouting->{base}{hook}, 'prerouting', '... a base chain');
	like($prerouting->{rules}[0], qr/^jump /, '... and its rule in the words of nft');
	ok((grep { @{ $_->{elements} } } @{ $state->{nft}{sets} }), '... elements of sets');
	for my $emit (qw(nft ip bird)) {
		my ($text) = run("--emit $emit", 0, 'compile', '--emit', $emit, $file);
		is(envelope("--emit $emit --json", 0, 'compile', '--json', '--emit', $emit, $file)->{$emit}, $text,
			'... holds the text');
	}
	# a command line that is not understood has its answer in JSON, too
	for (
		[ undef,   qr/^no command given$/,         '--json' ],
		[ undef,   qr/^unknown command 'chek'/,    'chek', '--json' ],
		[ 'check', qr/^check: FILE\.\.\. is missing/, 'check', '--json' ],
		[ 'check', qr/^unknown option '--josn'/,   'check', '--josn', $file, '--json' ],
		)
	{
		my ($command, $why, @arguments) = @$_;
		$json = envelope("cnic @arguments", 64, @arguments);
		is($json->{cnic}, $command, '... of what was meant');
		ok(!$json->{ok}, '... is not ok');
		like($json->{error}, $why, '... and tells why');
	}
	# names of files need not be UTF-8
	my $odd = spew("$dir/\xff.cni", $bad);
	is(envelope('a name that is no UTF-8', 1, 'check', '--json', $odd)->{diagnostics}[0]{file}, "$dir/\x{fffd}.cni",
		'... is shown as well as can be');
};

subtest 'explain-code' => sub {
	my $all = envelope('explain-code --json', 0, 'explain-code', '--json')->{codes};
	cmp_ok(@$all, '>', 50, 'there are codes');
	my @keys = qw(code example mend reason severity title);
	is(scalar(grep { "@{[sort keys %$_]}" ne "@keys" } @$all), 0, 'each with all of its parts');
	is_deeply([ map { $_->{code} } @$all ], [ sort map { $_->{code} } @$all ], 'in order');
	my ($list) = run('the list', 0, 'explain-code');
	is(scalar(() = $list =~ /^CNI\d{3}  (?:error  |warning|note   )  \S/mg), @$all, '... has a line for each');
	my ($text) = run('CNI417', 0, 'explain-code', 'CNI417');
	like($text, qr/^CNI417 \(error\): \S/, '... is explained');
	is((run("as $_", 0, 'explain-code', $_))[0], $text, "... $_ is the same") for qw(cni417 417);
	is_deeply(envelope('one of them', 0, 'explain-code', '--json', '417')->{codes},
		[ grep { $_->{code} eq 'CNI417' } @$all ], '... as in the list');
	my ($known) = grep { $_->{code} eq 'CNI417' } @$all;
	ok(index($text, $known->{example} =~ s/^(?=.)/    /mgr) > 0, '... with its example');
	envelope('a code that is none', 64, 'explain-code', '--json', '0');
};

subtest 'formats of diagnostics' => sub {
	my ($out, $err) = run('sarif', 1, 'check', '--diagnostics=sarif', $sick);
	is($err, '', '... is data');
	my $sarif = from_json($out);
	is($sarif->{version}, '2.1.0', '... of version 2.1.0');
	my ($one) = @{ $sarif->{runs} };
	is($one->{tool}{driver}{name}, 'cnic', '... by cnic');
	my ($result) = @{ $one->{results} };
	my $rule = $one->{tool}{driver}{rules}[ $result->{ruleIndex} ];
	is($rule->{id}, $result->{ruleId}, '... each result has its rule');
	ok($rule->{shortDescription}{text} && $rule->{fullDescription}{text}, '... which is described');
	is($result->{level}, 'error', '... a level');
	my $place = $result->{locations}[0]{physicalLocation};
	is($place->{artifactLocation}{uri}, $sick, '... a file');
	is_deeply($place->{region}, { startLine => 4, startColumn => 33, endLine => 4, endColumn => 36 }, '... a region');
	is_deeply(from_json((run('nothing to say', 0, 'check', '--diagnostics=sarif', $file))[0])->{runs}[0]{results}, [],
		'... is a run without results');
	my $wide = spew("$dir/wide name.cni", "# \n" . $bad =~ s/route all/route \x{c3}\x{a9} all/r);
	my $at = from_json((run('sarif counts characters', 1, 'check', '--diagnostics=sarif', $wide))[0])
		->{runs}[0]{results}[0]{locations}[0]{physicalLocation};
	is($at->{artifactLocation}{uri}, "$dir/wide%20name.cni", '... and escapes what is no URI');
	is_deeply([ @{ $at->{region} }{qw(startColumn endColumn)} ], [ 8, 9 ], '... not bytes');

	($out) = run('github', 1, 'check', '--diagnostics=github', $sick);
	like($out, qr/^::error file=\Q$sick\E,line=4,endLine=4,col=33,endColumn=36,title=CNI\d{3} [^:]+::\S/m,
		'... is an annotation');
	unlike($out, qr/^(?!::(?:error|warning|notice) ).+/m, '... and nothing else');
	my $comma = spew("$dir/a,b:c%.cni", $bad);
	like((run('github escapes', 1, 'check', '--diagnostics=github', $comma))[0], qr/file=\Q$dir\E\/a%2Cb%3Ac%25\.cni,/,
		'... what would end a value');

	($out, $err) = run('json', 1, 'check', '--diagnostics=json', $sick);
	is(from_json($out)->{diagnostics}[0]{line}, 4, '... has them');
	($out, $err) = run('with data of its own', 1, 'compile', '--diagnostics=json', $sick);
	is($out, '', '... a command keeps standard output for it');
	is(from_json($err)->{diagnostics}[0]{line}, 4, '... and diagnostics are messages');
};

subtest 'quiet and verbose' => sub {
	my ($warned) = grep { $_->{severity} eq 'warning' && $_->{example} } @{ from_json((cnic('explain-code', '--json'))[1])->{codes} };
	my $about = spew("$dir/warned.cni", $warned->{example});
	like((run('a warning', 0, 'check', $about))[1], qr/^warning\[$warned->{code}\]/m, '... is shown');
	is((run('-q', 0, 'check', '-q', $about))[1], '', '... and left out');
	like((run('-q', 1, 'check', '-q', $sick))[1], qr/^error/, 'errors are not');
	like((run('-v', 0, 'check', '-v', $file))[1], qr/^cnic: /, '-v says more');
};

subtest 'output' => sub {
	my ($nft) = run('compile', 0, 'compile', $file);
	like($nft, qr/^table inet cnic \{\n.*\n\}\n\z/s, '... writes nft by default');
	my ($out, $err) = run('-o', 0, 'compile', '-o', "$dir/out.nft", $file);
	is("$out$err", '', '... nothing on standard output');
	is(slurp("$dir/out.nft"), $nft, '... all of it in the file');
	chmod 0640, "$dir/out.nft";
	run('an existing file', 0, 'compile', '-o', "$dir/out.nft", '--emit', 'ip', $file);
	is((stat "$dir/out.nft")[2] & 0777, 0640, '... keeps its mode');
	my $ip = slurp("$dir/out.nft");
	isnt($ip, $nft, '... and gets the new content');
	run('a failure', 1, 'compile', '-o', "$dir/out.nft", $sick);
	is(slurp("$dir/out.nft"), $ip, '... leaves it as it was');
	symlink 'out.nft', "$dir/link.nft" or die;
	run('a link', 0, 'compile', '-o', "$dir/link.nft", $file);
	ok(-l "$dir/link.nft", '... stays a link');
	is(slurp("$dir/out.nft"), $nft, '... to the new content');
	is((run('-o -', 0, 'compile', '-o', '-', $file))[0], $nft, '... is standard output');
	is((sh("$cnic compile -o /dev/stdout $file | cat"))[1], $nft, '... and so is /dev/stdout');
	ok(!glob("$dir/.*cnic*"), 'no file is left over');
	like((run('-o into nowhere', 1, 'compile', '-o', "$dir/none/x", $file))[1], qr/cannot write .*: No such file/, '... fails');
	my ($status, $none, $why) = sh("$cnic compile $file >/dev/full");
	is($status, 1, 'a full disk is an error');
	like($why, qr/cannot write standard output: No space left/, '... which is named');
	($status, $none, $why) = sh("$cnic compile $file >&-");
	is($status, 1, 'so is a closed standard output');
	(undef, $status) = sh("bash -c '$cnic compile $file | true; echo \${PIPESTATUS[0]}'");
	like($status, qr/^[01]$/, 'a reader that is gone is no crash');
	($status, $none, $why) = sh("$cnic check $sick 2>&-");
	is($status, 1, 'without a standard error too, the status is told');
};

subtest 'fmt' => sub {
	my $messy = spew("$dir/messy.cni", $good =~ s/device eth0;/   device\teth0;/r =~ s/ else drop;\n\}/ else drop;}/r);
	is((run('to standard output', 0, 'fmt', $messy))[0], $good, '... the layout');
	isnt(slurp($messy), $good, '... and the file is as it was');
	is((run('--check', 1, 'fmt', '--check', $messy, $file))[0], "$messy\n", '... lists what differs');
	my ($diff) = run('--diff', 0, 'fmt', '--diff', $messy);
	like($diff, qr/^--- \Q$messy\E\n\+\+\+ \Q$messy\E \(formatted\)\n\@\@ -\d+,\d+ \+\d+,\d+ \@\@\n/, '... is a unified diff');
	is((run('--check --diff', 1, 'fmt', '--check', '--diff', $messy))[0], $diff, '... both');
	my $files = envelope('fmt --json', 1, 'fmt', '--json', '--check', $messy, $file)->{files};
	is_deeply([ map { $_->{changed} ? 1 : 0 } @$files ], [ 1, 0 ], '... tells which');
	chmod 0600, $messy;
	run('-w', 0, 'fmt', '-w', $messy);
	is(slurp($messy), $good, '... writes');
	is((stat $messy)[2] & 0777, 0600, '... and keeps the mode');
	my $inode = (stat $messy)[1];
	run('-w again', 0, 'fmt', '-w', $messy);
	is((stat $messy)[1], $inode, '... what is right is not written');
	run('what it includes is not read', 0, { stdin => qq{include "none.cni";\n} }, 'fmt', '-');
	run('a folder', 0, 'fmt', '--check', "$dir/parts");
};

subtest 'planning without a kernel' => sub {
	my $empty = spew("$dir/empty.json", '{"cnic": "snapshot", "version": 1, "forwarding": [true, true]}');
	my $json  = envelope('plan --state', 1, 'plan', '--json', '--state', $empty, $file);
	ok(exists $json->{changed} && !$json->{changed}, '... changed is told even of a failure');
	like($json->{diagnostics}[0]{message}, qr/no device/, '... a router without the devices');
	run('no snapshot', 1, 'plan', '--state', $file, $file);
	run('no file', 1, 'plan', '--state', "$dir/none.json", $file);
	run('a folder', 1, 'plan', '--state', $dir, $file);
	like((run('no such namespace', 1, 'status', '--netns', 'cnic-none'))[1],
		qr{/var/run/netns/cnic-none: No such file}, '... is named');
	like((run('a file that is no namespace', 1, 'status', '--netns', $file))[1], qr/\Q$file\E is none/, '... too');
};

done_testing;
