#!/usr/bin/perl
# What nobody has changed need not be read again, and what somebody has is: the seal of the table. On the running kernel.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
my $dir  = scratch();
my $n = 12000;    # of fewer, reading them again costs nothing
mkdir "$dir/$_" for 'a', 'b';
wire('router', "eth$_", '', 'far', "far$_", '') for 0 .. 8;
at('router', 'ip address add 10.10.0.1/16 dev eth2');
my @policy = ("$root/tests/bench/policy", '-o');
is((sh(@policy, "$dir/a", 'prefixes', $n))[0], 0, 'a policy of many prefixes');
is((sh(@policy, "$dir/b", '--change', 10, 'prefixes', $n))[0], 0, '... and one with ten others');

# run(COMMAND...): cnic in the router; returns its JSON, and how many requests for elements it sent.
sub run ($what, $want, @arguments) {
	my ($status, $out, $err) = at('router', "strace -qq -f -e trace=sendto -o $dir/trace $cnic @arguments");
	is($status, $want, $what) || diag($out, $err);
	my $n = () = slurp("$dir/trace") =~ /NFT_MSG_GETSETELEM/g;
	return (scalar($out =~ /^\{/ ? from_json($out) : {}), $n);
}

my ($a, $b) = map {"$dir/$_/policy.cni"} 'a', 'b';
my ($json, $read) = run('apply', 0, 'apply', '-y', '--json', $a);
cmp_ok($read, '>', 20, 'its sets were read back');
($json, $read) = run('again', 0, 'apply', '-y', '--json', $a);
ok(!$json->{changed}, '... nothing to do');
cmp_ok($read, '<', 20, '... and few sets were read');
my ($status) = run('status', 0, 'status', '--json');
is($status->{nft}{sealed}, $status->{nft}{generation}, '... since nothing has moved');
($json, $read) = run('ten prefixes changed', 0, 'apply', '-y', '--json', $b);
ok($json->{changed} && $json->{verified}, '... verified');
cmp_ok($json->{messages}, '<', 400, '... in few messages');
run('all of it is there', 0, 'drift', $b);

# somebody takes an element out of a set
my ($set) = (at('router', 'nft list sets table inet cnic'))[1] =~ /set (many\S*shard\S*|\S*\.shard\.\S+) \{/;
my ($element) = (at('router', "nft list set inet cnic $set"))[1] =~ /elements = \{ ([^,\s]+)/;
is((at('router', "nft delete element inet cnic $set '{ $element }'"))[0], 0, "someone takes $element away");
($status) = run('status', 0, 'status', '--json');
isnt($status->{nft}{sealed}, $status->{nft}{generation}, '... tells that something has moved');
($json, $read) = run('drift', 2, 'drift', '--json', $b);
($json, $read) = run('apply', 0, 'apply', '-y', '--json', $b);
ok($json->{changed} && $json->{verified}, '... puts it back');
cmp_ok($read, '>', 20, '... having read all sets');
run('all of it is there again', 0, 'drift', $b);
run('back', 0, 'apply', '-y', '--json', $a);
run('all of it is there', 0, 'drift', $a);

# somebody changes a table of theirs: all is read, and nothing done
at('router', "nft 'add table inet theirs; delete table inet theirs'");
($json, $read) = run('after a change to another table', 0, 'apply', '-y', '--json', $a);
ok(!$json->{changed}, '... nothing to do');
cmp_ok($read, '>', 20, '... as reading all sets showed');
# what was left unread comes back, too, when somebody takes everything away before a change is confirmed
is((at('router', "$cnic apply -y --confirm 1s --no-wait $b"))[0], 0, 'a change that waits');
at('router', 'nft flush ruleset');
for (1 .. 50) {
	last if (at('router', $cnic, 'plan', '--detailed-exitcode', $a))[0] == 0;
	select undef, undef, undef, 0.1;
}
run('it is taken back', 0, 'plan', '--detailed-exitcode', $a);
run('... all of it', 0, 'drift', $a);

# of very many chains, those that were just sent, and those that were read before, need not be read one by one
my $routes = 17_000;
mkdir "$dir/$_" for 'c', 'd';
is((sh(@policy, "$dir/c", 'fields', $routes))[0], 0, 'a policy of many routes');
is((sh(@policy, "$dir/d", '--change', 10, 'fields', $routes))[0], 0, '... and one with ten others');
my ($c, $d) = map {"$dir/$_/policy.cni"} 'c', 'd';
sub asked () { my $n = () = slurp("$dir/trace") =~ /NFT_MSG_GETRULE/g; return $n }
($json) = run('apply', 0, 'apply', '-y', '--json', $c);
ok($json->{changed} && $json->{verified}, '... verified');
cmp_ok(asked(), '<', 200, '... with a chain of each kind');
run('all of it is there, as reading every chain shows', 0, 'drift', $c);
cmp_ok(asked(), '>', $routes, '... one by one');
($json) = run('ten routes changed', 0, 'apply', '-y', '--json', $d);
ok($json->{changed} && $json->{verified}, '... verified');
cmp_ok(asked(), '<', $routes + 200, '... each chain was read once, before');
run('all of it is there', 0, 'drift', $d);
my ($chain) = (at('router', 'nft list chains inet'))[1] =~ /chain (route\.hq\.r77\.\S+) \{/;
is((at('router', "nft flush chain inet cnic $chain"))[0], 0, "someone empties $chain");
($json) = run('apply', 0, 'apply', '-y', '--json', $d);
ok($json->{changed} && $json->{verified}, '... puts it right');
cmp_ok(asked(), '>', 2 * $routes, '... and every chain was read before and after');
run('all of it is there again', 0, 'drift', $d);

run('remove', 0, 'remove', '-y');
unlike((at('router', 'nft list ruleset'))[1], qr/cnic/, 'nothing is left');
done_testing;
