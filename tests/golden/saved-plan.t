#!/usr/bin/perl
# plan -o and apply of what it wrote: applied while nothing has moved, refused with what has where something did, and
# nothing is changed then. In network namespaces without GRE.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
wire('router', 'eth0', '', 'far', 'far0', '');
wire('router', 'eth2', '', 'far', 'far2', '');
my $folder = scratch() . '/policy';
mkdir $folder or die;
my $nets   = spew("$folder/nets.prefixes", "10.1.0.0/24\n");
my $links  = spew("$folder/links.cni", "link isp { kind internet; device eth0; address 198.51.100.2/30; }\n");
my $policy = spew("$folder/policy.cni", <<'END');
include "links.cni";
var PORT = 443;
define nets = file "nets.prefixes";
lan office { device eth2; prefix 10.1.0.0/24; }
policy office on eth2 {
	route web tcp dport $PORT via isp else drop;
	route all from nets via isp else drop;
	else drop;
}
END
my %texts = map { $_ => slurp($_) } $nets, $links, $policy;
my $saved = scratch() . '/saved.json';

# here(WHAT, STATUS, ARGUMENTS): cnic in the router's namespace; returns stdout and stderr.
sub here ($what, $status, @arguments) {
	my ($got, $out, $err) = at('router', $cnic, @arguments);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($got, $status, $what) || diag($out, $err);
	return ($out, $err);
}

sub everything () {
	return join '', map { (at('router', $_))[1] } 'ip -4 addr', 'ip rule', 'ip -6 rule', 'ip -4 route show table all',
		'ip -6 route show table all proto 93', 'nft -a -s list ruleset';
}

# refused(WHAT, REGEX): apply of the saved plan gives 6, says why, and changes nothing.
sub refused ($what, $why, @arguments) {
	my $before = everything();
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my (undef, $err) = here($what, 6, 'apply', @arguments, $saved);
	like($err, qr/^error\[CNI717\]/m, '... as stale');
	like($err, $why, '... and says what has moved');
	is(everything(), $before, '... and nothing was changed');
}

my $original = everything();
subtest 'written' => sub {
	my ($text) = here('plan', 0, 'plan', $policy);
	my ($out) = here('plan -o', 0, 'plan', '-o', $saved, $policy);
	is($out, $text, '... prints the plan as ever');
	is(sprintf('%o', (stat $saved)[2] & 07777), 600, '... and only its owner can read the file');
	my $json = from_json(slurp($saved));
	is_deeply([ @$json{qw(cnic version)} ], [ 'plan', 1 ], '... which says what it is');
	is_deeply([ map { $_->{path} } @{ $json->{saved}{texts} } ], [ $policy, $links, $nets ], '... names all its texts')
		|| diag(explain($json->{saved}));
	is_deeply($json->{plan}, from_json((here('plan --json', 0, 'plan', '--json', $policy))[0])->{plan}, '... has the steps');
	($out) = here('plan -o --json', 0, 'plan', '--json', '-o', "$saved.2", $policy);
	is_deeply(from_json($out)->{plan}, $json->{plan}, '... gives the envelope');
	is(slurp("$saved.2"), slurp($saved), '... and the same bytes');
	here('--detailed-exitcode', 2, 'plan', '--detailed-exitcode', '-o', $saved, $policy);
	is(everything(), $original, '... and nothing was changed');
	here('a folder that is not there', 1, 'plan', '-o', scratch() . '/no/such', $policy);
	my ($status, undef, $err) = at('router', { stdin => $texts{$links} }, $cnic, 'plan', '-o', $saved, '-');
	is($status, 1, 'standard input');
	like($err, qr/cannot be read again/, '... cannot be saved');
	($status) = at('router', $cnic, 'plan', '-o', "$saved.bad", "$policy.none");
	is($status, 1, 'a policy with errors');
	ok(!-e "$saved.bad", '... leaves no file');
};

subtest 'stale' => sub {
	for my $file ($policy, $links, $nets) {
		spew($file, "$texts{$file}# another\n");
		refused("$file has changed", qr/the policy has changed: `\Q$file\E`$/m);
		spew($file, $texts{$file});
	}
	rename $links, "$links.away";
	refused('a file is gone', qr/the policy has come to have errors/);
	rename "$links.away", $links;
	at('router', 'ip rule add priority 400 from 203.0.113.9 lookup 9 protocol 93');
	refused('a rule of ours more', qr/what the router holds of cnic has changed\n.*now also `delete rule priority 400/);
	at('router', 'ip rule del priority 400');
	at('router', 'ip address add 198.51.100.2/30 dev eth0');
	refused('a foreign address', qr/something else on the router has changed.*no longer `add address 198\.51\.100\.2/s);
	at('router', 'ip address del 198.51.100.2/30 dev eth0');
};

subtest 'held' => sub {
	at('router', 'ip rule add priority 401 from 203.0.113.9 lookup 9');
	my ($out) = here('apply -n', 0, 'apply', '-n', $saved);
	like($out, qr/^ +\+ route +default via 198\.51\.100\.1 /m, '... shows it');
	my $json = from_json((here('apply', 0, 'apply', '--json', $saved))[0]);
	ok($json->{ok} && $json->{changed} && $json->{verified}, '... is carried out');
	is_deeply($json->{plan}, from_json(slurp("$saved.2"))->{plan}, '... as planned');
	here('and gives what the policy would', 0, 'plan', '--detailed-exitcode', $policy);
	refused('a second time', qr/what the router holds of cnic has changed/);
	my ($status, $shown) = sh({ stdin => "n\n" }, 'nsenter', '--net=/run/netns/' . ns('router'), 'script', '-qec',
		"$cnic remove -y; $cnic apply $saved", '/dev/null');
	is($status, 0, 'on a terminal');
	unlike($shown, qr/\[y\/N\]/, '... nothing is asked');
	here('plan of nothing', 0, 'plan', '-o', $saved, $policy);
	like((here('its apply', 0, 'apply', $saved))[0], qr/^nothing to do$/m, '... does nothing');
};

subtest 'as it was given' => sub {
	here('remove', 0, 'remove', '-q');
	my $cwd = "cd $folder && $cnic";
	is((at('router', "$cwd plan --set PORT=8443 -o ../saved.json policy.cni"))[0], 0, 'relative, with a variable');
	my $json = from_json((here('apply from elsewhere', 0, 'apply', '--json', $saved))[0]);
	ok($json->{changed}, '... finds the policy');
	here('the variable had its value', 0, 'plan', '--detailed-exitcode', '--set', 'PORT=8443', $policy);
	here('remove', 0, 'remove', '-q');
	is((at('router', "$cwd plan -o ../saved.json ."))[0], 0, 'a folder');
	spew("$folder/more.cni", '');
	refused('a file more', qr/the policy has changed: `[^`]*more\.cni` \(new\)$/m);
	unlink "$folder/more.cni";
	here('a file less', 0, 'apply', '-q', $saved);
	is((at('router', "$cwd snapshot -o ../snapshot.json"))[0], 0, 'a snapshot');
	here('plan --state', 0, 'plan', '--state', scratch() . '/snapshot.json', '-o', $saved, $links, $policy);
	here('its apply', 0, 'apply', '-q', $saved);
};

subtest 'usage' => sub {
	here('two operands', 64, 'apply', $saved, $policy);
	here('two operands, the other way', 64, 'apply', $policy, $saved);
	here('--set', 64, 'apply', '--set', 'PORT=1', $saved);
	like((here('plan of a saved plan', 1, 'plan', $saved))[1], qr/is a saved plan/, '... says so');
};

subtest 'damaged' => sub {
	my $whole = slurp($saved);
	my $digest = 'f' x 63;
	my %broken = (
		'an end too early' => substr($whole, 0, length($whole) / 2),
		'an envelope'      => (at('router', $cnic, 'plan', '--json', $policy))[1],
		'no plan'          => '{}',
		'another document' => $whole =~ s/"cnic": "plan"/"cnic": "snapshot"/r,
		'another version'  => $whole =~ s/"version": 1/"version": 2/r,
		'a version too large' => $whole =~ s/"version": 1/"version": 4294967297/r,
		'no texts'         => $whole =~ s/"texts": /"text": /r,
		'a digest too short' => $whole =~ s/"state": "[0-9a-f]+"/"state": "$digest"/r,
		'a digest that is none' => $whole =~ s/"steps": "[0-9a-f]/"steps": "G/r,
		'a negative size'  => $whole =~ s/"size": /"size": -/r,
		'a size beyond all' => $whole =~ s/"size": /"size": 99999999999999999999/r,
		'a relative folder' => $whole =~ s/"directory": "/"directory": "x/r,
		'operands that are no texts' => $whole =~ s/"operands": \[/"operands": [ 1, /r,
		'two of one key'   => $whole =~ s/"version": 1,/"version": 1, "version": 1,/r,
		'a NUL'            => $whole =~ s/"directory": "/"directory": "\/\\u0000/r,
		'no UTF-8'         => $whole =~ s/"directory": "/"directory": "\/\xff/r,
		'depth'            => '{"saved": ' . '[' x 100000,
	);
	my $before = everything();
	for my $what (sort keys %broken) {
		spew($saved, $broken{$what});
		like((here($what, 1, 'apply', $saved))[1], qr/^error\[CNI718\]: \Q$saved\E/, '... is told');
	}
	spew($saved, '{');
	open my $large, '+<', $saved or die;
	truncate $large, 300 << 20;
	close $large;
	like((here('300 MiB', 1, 'apply', $saved))[1], qr/^error\[CNI718\]: .* has more than 256 MiB/, '... are too many');
	is(everything(), $before, 'and nothing was changed');
};
done_testing;
