#!/usr/bin/perl
# A number that stood for another path means nothing to conntrack any more when a path is given it: what earlier policies
# left in the marks of flows is cleared before packets can meet it. On the running kernel; GRE is not needed.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
wire('router', "eth$_", '', 'far', "far$_", '') for 0, 1, 3;
wire('router', 'eth2', '10.1.0.1/24', 'lan', 'eth0', '10.1.0.2/24');

# policy(LINKS, OPTIONS): all that is steered goes by link 0; links are by number.
sub policy ($links, $options = '') {
	state $n = 0;
	my $text = join '', map {"link l$_ { kind pni; device eth$_; address 198.51.100." . (2 * $_) . "/31; }\n"} @$links;
	return spew(scratch() . '/' . $n++ . '.cni', <<"END");
options { $options }
lan office { device eth2; prefix 10.1.0.0/24; }
${text}policy office on eth2 { route all from 10.1.0.0/24 via l0 else drop; else drop; }
END
}

sub apply ($what, $policy) {
	my ($status, $out, $err) = at('router', $cnic, 'apply', '-y', '-q', $policy);
	is($status, 0, $what) || diag($out, $err);
}

# number(PATH): of the path whose description begins with that.
sub number ($path) {
	my ($n) = (at('router', 'nft list counters table inet cnic'))[1] =~ /counter path\.(\d+) \{\n\s*comment "\Q$path\E/
		or die "no path $path";
	return $n;
}

# flow(PORT, MARK), mark(PORT): a flow as conntrack has it.
sub flow ($port, $mark) {
	my ($status, undef, $err) = at('router', 'conntrack', '-I', '-p', 'udp', '-s', '203.0.113.9', '-d', '10.1.0.2',
		'--sport', $port, '--dport', 53, '--timeout', 600, '--mark', $mark);
	die $err if $status;
}

sub mark ($port) {
	my ($mark) = (at('router', "conntrack -L -p udp --sport $port"))[1] =~ /mark=(\d+)/;
	return $mark;
}

apply('three links', policy([ 0, 1 ]));
my $gone = number('return l1[');
flow(1001, $gone);
flow(1002, 0x10000 | $gone);    # a bit of someone else's
apply('one of them goes', policy([0]));
apply('another comes', policy([ 0, 3 ]));
is(number('return l3['), $gone, 'it is given the number');
my $none = 0x1fff;    # no path has that number
is(mark(1001), $none, 'a flow that came in by the former link is not taken for one of the new link');
is(mark(1002), 0x10000 | $none, 'bits outside the mask stay');

my ($stays, $lives) = (number('return l0['), number('l0['));
flow(1003, $stays);
flow(1004, 1 << 13 | $lives);
apply('a link goes', policy([0]));
is(mark(1003), $stays, 'flows of paths that stay keep theirs');
is(mark(1004), 1 << 13 | $lives, '... with their epoch');

flow(1005, 3 << 13 | $lives);
flow(1006, $stays);
at('router', 'nft flush ruleset');
apply('someone took the table away', policy([0]));
is(mark($_), 0, 'nothing that conntrack has counts any more') for 1003 .. 1006;
is(mark(1002), 0x10000, '... of what is ours');

done_testing;
