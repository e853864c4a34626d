#!/usr/bin/perl
# Revisions by the program: history, rollback, restore and diff, what is left by a killed one, damage, and disks that
# cannot be written. In network namespaces without GRE; the store by itself is tests/unit/store_test.c's.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic  = $ENV{CNIC} // "$root/build/cnic";
my $dir   = scratch();
my $state = "$dir/state";
$ENV{CNIC_STATE_DIR} = $state;

# machine(NAME): a router with the devices that the policies name.
sub machine ($name) {
	# link-local addresses come in their own time, and would show as changes
	at($name, 'for f in all default; do echo 1 >/proc/sys/net/ipv6/conf/$f/addr_gen_mode; done');
	wire($name, 'eth0', '', "$name-far", 'far0', '');
	wire($name, 'eth2', '', "$name-far", 'far2', '');
	for my $device (qw(eth0 eth2)) {
		my $tries = 100;
		select undef, undef, undef, 0.05 while $tries-- && (at($name, "ip link show dev $device"))[1] =~ /NO-CARRIER/;
	}
}
machine('router');

# policy(PREFIX): the text of one that steers a prefix.
sub policy ($prefix) {
	return <<"END";
lan office { device eth2; prefix $prefix; }
link isp { kind internet; device eth0; address 198.51.100.2/30; }
policy office on eth2 {
	route all from $prefix via isp else drop;
	else drop;
}
END
}
my $one = spew("$dir/one.cni", policy('10.1.0.0/24'));
my $two = spew("$dir/two.cni", policy('10.2.0.0/24'));

# here(WHAT, STATUS, {...}, ARGUMENTS): cnic in the router's namespace; returns stdout and stderr.
sub here ($what, $status, @arguments) {
	my @options = ref $arguments[0] ? shift @arguments : ();
	my ($got, $out, $err) = at('router', @options, $cnic, @arguments);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($got, $status, $what) || diag($out, $err);
	return ($out, $err);
}

# history(): its revisions, newest first.
sub history () {
	my ($status, $out, $err) = at('router', $cnic, 'history', '--json');
	return from_json($out)->{revisions};
}
sub numbers () { join ' ', map { $_->{number} } @{ history() } }

# holds(POLICY): whether the kernel holds just this.
sub holds ($file, $name = 'router') {
	my ($status, $out, $err) = at($name, $cnic, 'plan', '--detailed-exitcode', $file);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($status, 0, "... the router holds $file") || diag($out, $err);
}
sub kernel () {
	join '', map { (at('router', $_))[1] } 'nft -s list ruleset', 'ip rule', 'ip route show table all', 'ip -4 addr';
}

subtest 'nothing yet' => sub {
	my ($out) = here('history', 0, 'history');
	is($out, "no revisions in $state\n", '... says so');
	is_deeply(history(), [], '... in JSON too');
	like((here('restore', 0, 'restore'))[1], qr/no confirmed revision: nothing is restored/, '... says so');
	like((here('rollback', 1, 'rollback'))[1],        qr/CNI714.*no revision before the present one/, '... says so');
	like((here('rollback 1', 1, 'rollback', '1'))[1], qr/CNI714.*there is no revision 1/,             '... says so');
	here("rollback $_", 64, 'rollback', $_) for qw(x 0 1x 99999999999 /etc);
	ok(!-e $state, '... and made no folder');
};

subtest 'apply, history' => sub {
	here('apply', 0, 'apply', '-m', "first\nof\e[31m all", $one);
	here('apply', 0, 'apply', '--no-prove', $two);
	here('apply again', 0, 'apply', $two);
	my @list = @{ history() };
	is(join(' ', map { $_->{number} } @list), '2 1', 'newest first; what changes nothing is none');
	is_deeply([ sort keys %{ $list[0] } ], [qw(deadline digest message number proof_seconds proven removed state time user)], '... keys');
	is($list[1]{message}, "first\nof\e[31m all", '... the message as it was');
	is($list[0]{message}, undef,                 '... or none');
	is($list[0]{state},   'confirmed',           '... confirmed');
	ok(!$list[0]{proven} && !defined $list[0]{proof_seconds}, '... not proven, by choice');
	# where the machine is slow, patience may end first
	is(!!$list[1]{proven}, defined $list[1]{proof_seconds}, '... proven, and how long it took');
	like($list[0]{time},   qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, '... when');
	like($list[0]{digest}, qr/^[0-9a-f]{64}$/,                     '... what');
	isnt($list[0]{digest}, $list[1]{digest}, '... another');
	my ($out) = here('history', 0, 'history');
	my @lines = split /\n/, $out;
	is($lines[0], "Revisions in $state", '... a title');
	like($lines[2], qr/^ +2 +20\S+ +\S+ +[0-9a-f]{12} +no +-$/,                     '... a row');
	like($lines[3], qr/^ +1 +20\S+ +\S+ +[0-9a-f]{12} +(?:in \d\.\d\d s|no) +first of \[31m all$/,    '... on one line, with no escape');
	my ($mode) = (sh("find $state -type d ! -perm 0700 -o -type f ! -perm 0600"))[1];
	is($mode, '', '... for the owner alone');
};

subtest 'rollback' => sub {
	my $before = kernel();
	my ($plan) = here('rollback -n', 0, 'rollback', '-n');
	like($plan, qr/to add/, '... shows the plan');
	is(kernel(),  $before, '... and changes nothing');
	is(numbers(), '2 1',   '... and keeps nothing');
	# the texts are the revision's: no file is read
	rename $one, "$one.away";
	here('rollback', 0, 'rollback');
	rename "$one.away", $one;
	holds($one);
	is(history()->[0]{message}, 'rollback to 1', '... is a revision');
	is(history()->[0]{digest}, history()->[2]{digest}, '... of the same texts');
	here('rollback of the rollback', 0, 'rollback');
	holds($two);
	my ($out) = here('rollback 1', 0, 'rollback', '1', '--json', '-m', 'why');
	my $json = from_json($out);
	is_deeply([ @$json{qw(to revision changed)} ], [ 1, 5, JSON::PP::true ], '... in JSON');
	is(history()->[0]{message}, 'why', '... with a word of its own');
	holds($one);
	is(numbers(), '5 4 3 2 1', '... all in the history');
};

subtest 'remove, and back' => sub {
	here('remove', 0, 'remove');
	ok(history()->[0]{removed}, '... a revision without a policy');
	like((here('history', 0, 'history'))[0], qr/^ +6 .* \(no policy\)$/m, '... in text');
	like((here('restore', 0, 'restore'))[1], qr/revision 6 is there already, which is a router without a policy/,
		'... there is nothing to restore');
	here('rollback', 0, 'rollback');
	holds($one);
	here('rollback to no policy', 0, 'rollback', '6');
	is((here('status', 0, 'status'))[0], "no policy is installed\n", '... none is');
	is(numbers(), '8 7 6 5 4 3 2 1', '... all in the history');
};

subtest 'standard input, --set, folders' => sub {
	my $text = policy('$net') =~ s/^/var net = 10.7.0.0\/24;\n/r;
	here('apply -', 0, { stdin => $text }, 'apply', '--set', 'net=10.8.0.0/24', '-');
	mkdir "$dir/folder";
	my ($office, $rest) = policy('nets') =~ /^(.*?\n.*?\n)(.*)/s;
	spew("$dir/folder/a.cni", $office =~ s/nets/10.9.0.0\/24/r);
	spew("$dir/folder/b.cni", qq{define nets = file "nets.txt";\n$rest});
	spew("$dir/folder/nets.txt", "10.9.0.0/24\n");
	here('apply FOLDER', 0, 'apply', "$dir/folder");
	sh("mv $dir/folder $dir/away");
	here('rollback', 0, 'rollback');
	my ($rules) = at('router', 'nft', 'list', 'table', 'inet', 'cnic');
	like((at('router', 'nft list table inet cnic'))[1], qr/10\.8\.0\.0\/24/, '... to standard input, as it was set');
	here('rollback', 0, 'rollback');
	like((at('router', 'nft list table inet cnic'))[1], qr/10\.9\.0\.0\/24/, '... to the folder and its prefix file');
	sh("mv $dir/away $dir/folder");
	holds("$dir/folder");
};

subtest 'restore' => sub {
	my $before = numbers();
	machine('again');
	my ($status, $out, $err) = at('again', $cnic, 'restore');
	is($status, 0, 'after a boot') || diag($out, $err);
	like($err, qr/^cnic: revision 12 is restored$/m, '... says what it did');
	holds("$dir/folder", 'again');
	is(numbers(), $before, '... is no new revision');
	($status, $out, $err) = at('again', $cnic, 'restore', '--json');
	is(from_json($out)->{revision}, 12, '... in JSON');
	ok(!from_json($out)->{changed}, '... and once is enough');
};

subtest 'what was never confirmed' => sub {
	# as a process leaves it that is killed while it applies
	sh("cp -a $state/revisions/000001 $state/revisions/pending && "
			. "sed -i 's/\"number\": 1,/\"number\": 13,/' $state/revisions/pending/meta.json");
	is_deeply([ @{ history()->[0] }{qw(number state deadline)} ], [ 13, 'unconfirmed', undef ], 'history');
	like((here('history', 0, 'history'))[0], qr/^ +13 .* \(never confirmed\) first/m, '... in text');
	sh("cp -a $state/revisions/pending $dir/left");
	my (undef, $err) = here('rollback', 0, 'rollback');
	like($err, qr/revision 13 was never confirmed: back to revision 12/, 'rollback goes back to the last confirmed one');
	holds("$dir/folder");
	is(history()->[0]{state}, 'confirmed', '... and nothing is left of it');
	sh("cp -a $dir/left $state/revisions/pending");
	(undef, $err) = here('restore', 0, 'restore');
	like($err, qr/revision 13 was never confirmed, and is passed over/, 'restore passes over it');
	like($err, qr/revision 12 is there already/,                        '... for the one before');
	is(history()->[0]{state}, 'confirmed', '... and nothing is left of it');
	here('apply', 0, 'apply', $one);
	is(history()->[0]{number} > 13, 1, '... but its number is not given again');
};

subtest 'what awaits its confirmation' => sub {
	my $before = numbers();
	here('apply --confirm', 0, 'apply', '--confirm', '60s', '--no-wait', $two);
	my $awaits = history()->[0];
	is($awaits->{state}, 'awaiting', 'history');
	like($awaits->{deadline}, qr/^20\S+Z$/, '... until when');
	like((here('history', 0, 'history'))[0], qr/\(awaits `cnic confirm` until 20\S+Z\)/, '... in text');
	like((here('rollback -n', 0, 'rollback', '-n'))[1], qr/would be taken back/, 'rollback -n says what would be');
	holds($two);
	my ($out) = here('rollback', 0, 'rollback', '--json');
	ok(from_json($out)->{taken_back}, 'rollback takes it back');
	holds($one);
	is(numbers(), $before, '... and it is gone');
};

subtest 'damage' => sub {
	my $before = kernel();
	spew("$state/revisions/000003/meta.json", '{');
	my ($out, $err) = here('history', 0, 'history');
	like($err, qr/warning\[CNI720\]: .*revision 000003 is damaged: meta\.json: line 1/, 'history warns');
	unlike($out, qr/^ +3 /m, '... passes over it');
	like($out, qr/^ +$_ /m, "... and lists $_") for 1, 2, 4;
	like((here('rollback 3', 1, 'rollback', '3'))[1], qr/error\[CNI713\]: .*revision 000003 is damaged/, 'rollback does not');
	spew("$state/revisions/000002/0", policy('10.3.0.0/24'));
	like((here('rollback 2', 1, 'rollback', '2'))[1], qr/error\[CNI713\]: .*digest/, 'nor to a text that was edited');
	is(kernel(), $before, '... and nothing was changed');
	my ($last) = split / /, numbers();
	my $meta = slurp(my $file = sprintf '%s/revisions/%06d/meta.json', $state, $last);
	spew($file, '');
	like((here('restore', 1, 'restore'))[1], qr/error\[CNI713\]/, 'restore takes no other for the last one');
	spew($file, $meta);
};

# refused(WHAT, LIKE, COMMAND): `cnic apply` in a shell's line, in whose mounts the state folder cannot be used.
sub refused ($what, $like, $command, $file = $two) {
	my $before = kernel();
	my ($status, $out, $err) = at('router', "unshare -m sh -c '$command && exec $cnic apply $file'");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($status, 1, $what) || diag($out, $err);
	like($err, $like, '... says why');
	is(kernel(), $before, '... and nothing was changed');
}

subtest 'folders that cannot be used' => sub {
	refused('read-only', qr/CNI713.*Read-only/, "mount --bind $state $state && mount -o remount,ro,bind $state");
	my $large = spew("$dir/large.cni", ('# ' . 'x' x 100 . "\n") x 400 . policy('10.2.0.0/24'));
	refused('full', qr/CNI713.*No space left/, "mount -t tmpfs -o size=16k,mode=0700 none $state", $large);
	refused('writable by others', qr/CNI713.*others may write/, "mount -t tmpfs -o mode=0777 none $state");
	refused('of somebody else', qr/CNI713.*belongs to user 7/, "mount -t tmpfs -o mode=0700,uid=7 none $state");
	refused('no folder', qr/CNI713.*Not a directory/, "true", "--state-dir $one $two");
	my ($status, undef, $err) = sh('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', $cnic, 'history');
	is($status, 1, 'of root') || diag($err);
	like($err, qr/CNI713.*Permission denied/, '... says why');
};

subtest 'on the disk before anything is changed' => sub {
	here('remove', 0, 'remove');
	my ($status, undef, $err) = at('router', "strace -o $dir/trace $cnic apply $two");
	is($status, 0, 'apply') || diag($err);
	my $order = join '', map { /^fsync/ ? 'F' : /^rename/ ? 'R' : /^openat\(.*\/proc\/sys\/net.*O_WRONLY/ ? 'S' : () }
		split /\n/, slurp("$dir/trace");
	# a text, meta.json, their folder; its name; the change; the name that it keeps
	like($order, qr/^FFFRFS*RF$/, 'each name is given to what is on the disk, and is on it itself before the next step');
};

subtest 'diff' => sub {
	my ($out) = here('diff FILE FILE', 0, 'diff', '--text', '--rules', $one, $two);
	like($out, qr{^Packets: \d+ class}, '... of the packets first');
	like($out, qr/^Texts:\n--- \Q$one\E\n\+\+\+ \Q$two\E\n/m, '... of the texts, whatever they are called');
	like($out, qr/^-lan office .*10\.1\.0\.0.*\n\+lan office .*10\.2\.0\.0/m,        '... lines');
	like($out, qr/^nftables rules on an empty router:\n--- \Q$one\E \(nft\)\n/m,     '... of the rules');
	like($out, qr/^Devices, routes and ip rules on an empty router: the same$/m,     '... of the rest');
	here('diff --detailed-exitcode', 2, 'diff', '--detailed-exitcode', $one, $two);
	($out) = here('diff of the same', 0, 'diff', '--detailed-exitcode', $one, $one);
	unlike($out, qr/^[-+@]/m, '... says nothing more');
	spew("$dir/noted.cni", "# a word\n" . policy('10.1.0.0/24'));
	($out) = here('diff --json', 0, 'diff', '--json', '1', "$dir/noted.cni");
	my $json = from_json($out);
	is_deeply([ @$json{qw(same_texts same_rules)} ], [ JSON::PP::false, JSON::PP::true ], 'a comment is no rule');
	is($json->{texts}[0]{path}, "$dir/noted.cni", '... its path');
	like($json->{texts}[0]{diff}, qr/^--- 1:\Q$one\E\n.*^\+# a word$/ms, '... and what differs');
	is_deeply($json->{rules}, { nft => '', ip => '' }, '... and nothing else');
	here('diff of revisions', 0, 'diff', '--detailed-exitcode', '1', '5');
	($out) = here('diff of no policy', 2, 'diff', '--detailed-exitcode', '--text', '6', '1');
	like($out, qr/^eth\d, IPv4: main -> .*\n(?:  .*\n)*  before   no policy\n  after    \S.*, 1:\S+:\d+\n/m, '... was main');
	like($out, qr/^--- \/dev\/null\n\+\+\+ 1:/m, '... is all new');
	mkdir "$dir/other";
	sh("cp $dir/folder/* $dir/other && sed -i s/10.9.0.0/10.9.9.0/ $dir/other/nets.txt");
	$json = from_json((here('diff of folders', 0, 'diff', '--json', "$dir/folder", "$dir/other"))[0]);
	is_deeply([ map { $_->{path} } @{ $json->{texts} } ], ["$dir/other/nets.txt"], '... file by file, wherever they are');
	spew("$dir/12", policy('10.1.0.0/24'));
	$json = from_json((here('a file like a number', 0, 'diff', '--json', "$dir/12", $one))[0]);
	ok($json->{same_texts}, '... by its path');
	like((here('diff 1 99', 1, 'diff', '1', '99'))[1], qr/CNI714.*no revision 99/, '... says so');
	here('diff - -', 64, 'diff', '-', '-');
	here('diff --set 1 5', 64, 'diff', '--set', 'a=1', '1', '5');
	is((here('diff live FILE', 0, 'diff', 'live', $two))[0], "Packets: the same\n", '... that is live');
	($out) = here('diff live OTHER', 2, 'diff', '--detailed-exitcode', 'live', $one);
	like($out, qr/^  before   route all, live:\Q$two\E:\d+\n  after    never steered: lan office, \Q$one\E:\d+$/m, '... and where');
	($out) = here('plan', 0, 'plan', $one);
	like($out, qr/^Packets: \d+ class.*\n(?:.*\n)*  after    never steered: lan office, \Q$one\E:\d+$/m, '... says so, too');
	is_deeply(from_json((here('plan --json', 0, 'plan', '--json', $one))[0])->{meaning}{days}[0]{down}, [], '... in JSON');
	unlike((here('plan of the same', 0, 'plan', $two))[0], qr/^Packets/m, '... has nothing to say');
	is((at('router', q{ip rule del pref $(ip rule | sed -n 's/^\\(10[0-9]*\\):.*/\\1/p' | head -n 1)}))[0], 0, 'a rule goes');
	my (undef, $note) = here('diff live, with drift', 0, 'diff', 'live', $two);
	like($note, qr/live: the kernel differs from revision \d+ in \d+ place/, '... is told of');
	unlike((here('plan with drift', 0, 'plan', $one))[0], qr/^Packets/m, '... is not compared');
	my ($status, undef, $err) = sh('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all',
		'sh', '-c', "cd / && exec $cnic diff - /dev/null < /dev/null");
	is($status, 0, 'files need no privilege') || diag($err);
};

done_testing;
