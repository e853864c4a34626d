#!/usr/bin/perl
# cnic doctor: a clean router has no finding; each condition that can be brought about in a namespace is found, with its
# code and exit status, and is gone once the mend that the help gives was done. GRE, flowtables and missing parts of the
# kernel are tests/kernel/91-doctor's; files that a host has or has not, tests/unit/doctor_test's.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my $cnic = $ENV{CNIC} // "$root/build/cnic";
my %env  = (CNIC_STATE_DIR => scratch() . '/state', PATH => scratch() . "/bin:$ENV{PATH}");
my $base = <<'END';
lan office { device eth2; prefix 10.1.0.0/24; }
link isp { kind internet; device eth0; address 198.51.100.2/30; }
policy office on eth2 {
	route all from 10.1.0.0/24 via isp else drop;
	else drop;
}
END
my $file = scratch() . '/policy.cni';

for (qw(eth0 eth1 eth2)) { wire('router', $_, '', 'far', "far$_", '') }
batch('router', <<'END');
address add 198.51.100.2/30 dev eth0
address add 203.0.113.2/30 dev eth1
route add default via 198.51.100.1
END
my $inside;    # a process in whose namespaces commands are run; undefined: the router's network alone
must_do('sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0');
spew($file, $base);

# in_router(COMMAND)
sub in_router ($command) {
	return at('router', { env => \%env }, $command) if !$inside;
	return sh({ env => \%env }, 'nsenter', '-t', $inside, '--mount', '--net', '--', '/bin/sh', '-c', $command);
}

sub must_do ($command) {
	my ($status, $out, $err) = in_router($command);
	die "$command: $out$err" if $status;
}

# doctor(FILES): exit status, findings by code, results of checks by name.
sub doctor (@files) {
	my ($status, $out, $err) = in_router("$cnic doctor --json @files");
	my $json = eval { from_json($out) } or die "cnic doctor: $out$err";
	my %found;
	push @{ $found{ $_->{code} } }, $_ for @{ $json->{diagnostics} };
	return ($status, \%found, { map { $_->{name} => $_ } @{ $json->{checks} } });
}

sub clean ($what, @files) {
	my ($status, $found, $checks) = doctor(@files ? @files : $file);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(join(' ', "exit $status", map { map { "$_->{code}: $_->{message}" } @{ $found->{$_} } } sort keys %$found),
		'exit 0', $what);
	return $checks;
}

# The command in a help, which may have words before it.
sub command_of ($help) {
	return $help =~ s/^.*(?:needs it|here): //r =~ s/GATEWAY/198.51.100.1/r =~ s/DEVICE/eth0/r;
}

# finds(NAME, CODE, STATUS, CHECK, CONDITION, MESSAGE, policy/also/after => …): brings a condition about, finds it, does
# what its help says, and sees it gone. `also`: other codes that come with it; `after`: what is left to take away.
sub finds ($name, $code, $status, $check, $condition, $message, %other) {
	subtest "$code: $name" => sub {
		spew($file, $other{policy} // $base);
		must_do($condition);
		my ($got, $found, $checks) = doctor($file);
		is($got, $status, "... exit status $status");
		is(join(' ', sort keys %$found), join(' ', $code, @{ $other{also} // [] }), '... that code') || diag(explain($found));
		my $finding = $found->{$code}[0];
		is($finding->{severity}, $status ? 'error' : 'warning', '... its severity');
		like($finding->{message}, $message, '... names what it is about');
		is($checks->{$check}{result}, $status ? 'error' : 'warning', "... the check `$check` says so");
		if ($finding->{help} =~ /^in the policy: (options \{.*?\})/) {
			spew($file, "$base$1\n");
			ok(!(doctor($file))[1]{$code}, "... gone with $1");
			spew($file, $base);
		}
		if ($finding->{help} !~ /^in the policy: [^:]*$/) {
			my $mend = command_of($finding->{help});
			my ($failed, $out, $err) = in_router($mend);
			is($failed, 0, "... mend: $mend") || diag($out, $err);
			ok(!(doctor($file))[1]{$code}, '... gone then');
		}
		must_do($other{after}) if $other{after};
		spew($file, $base);
		clean('... and the router is clean');
	};
}

# ---- a clean router ----

subtest 'a clean router' => sub {
	my $checks = clean('... has no finding');
	is(join(' ', map { "$_=$checks->{$_}{result}" } grep { $checks->{$_}{result} ne 'ok' } sort keys %$checks), '',
		'... every check is ok');
	my (undef, $before) = in_router('ip rule; ip route show table all; ip -d link; ip addr; nft list ruleset; sysctl -a 2>/dev/null | grep rp_filter');
	my ($status, $out, $err) = in_router("$cnic doctor $file");
	is("$status$err", '0', '... says nothing on standard error');
	like($out, qr/^ +check +result +looked at\n(?: +\S+ +ok +\S.*\n){10,}\z/m, '... and lists what was looked at');
	my (undef, $after) = in_router('ip rule; ip route show table all; ip -d link; ip addr; nft list ruleset; sysctl -a 2>/dev/null | grep rp_filter');
	is($after, $before, '... nothing was changed');
};

subtest 'without a policy' => sub {
	my ($status, $found, $checks) = doctor();
	is($status, 0, '... exit status 0');
	is_deeply($found, {}, '... no finding');
	is($checks->{'rp-filter'}{result}, 'unknown', '... what needs one is unknown');
	like($checks->{'rp-filter'}{detail}, qr/^no policy/, '... and says why');
	is($checks->{$_}{result}, 'ok', "... $_ is looked at all the same") for qw(mark-rules mark-setters kernel untracked);
};

subtest 'without privilege' => sub {
	my ($status, $out, $err) =
		in_router("chmod 755 " . scratch() . "; setpriv --reuid 65534 --clear-groups --bounding-set -all $cnic doctor --json $file");
	SKIP: {
		skip 'the program cannot be reached by everybody', 3 if $status > 100;
		my %checks = map { $_->{name} => $_ } @{ from_json($out)->{checks} };
		is($status, 0, '... exit status 0');
		is($checks{$_}{result}, 'unknown', "... $_ is unknown") for qw(mark-rules kernel);
	}
};

subtest 'a policy with mistakes' => sub {
	spew($file, $base =~ s/via isp/via ips/r);
	my ($status, $found) = doctor($file);
	is($status, 1, '... exit status 1');
	is(join(' ', sort keys %$found), 'CNI103', '... the mistake is told');
	spew($file, $base);
};

# ---- marks ----

finds('an ip rule takes what is marked', 'CNI734', 1, 'mark-rules',
	'ip route add default dev eth1 table 99; ip rule add fwmark 0x1/0xff lookup 99 priority 50',
	qr/priority 50 from all fwmark 0x1\/0xff lookup 99/, after => 'ip route flush table 99');
finds('an ip rule looks at bits of the mask', 'CNI735', 0, 'mark-rules', 'ip rule add fwmark 0x4000/0x4000 lookup 98 priority 2000',
	qr/0x4000 of the mark.*Kubernetes/);
finds('an ip rule of IPv6', 'CNI735', 0, 'mark-rules', 'ip -6 rule add fwmark 0x80 lookup 98 priority 2000', qr/0x80 of the mark/);

my %rules = (
	'a number'          => ['meta mark set 0x10000',                              qr/the whole packet's mark/],
	'some bits'         => ['meta mark set meta mark and 0xffff00ff or 0x4000',   qr/bits 0xff00 of the packet's mark/],
	'one bit'           => ['meta mark set meta mark or 0x2000',                  qr/bits 0x2000 of the packet's mark.*portmap/],
	'the flow\'s mark'  => ['ct mark set meta mark',                              qr/the whole flow's mark/],
	'a map'             => ['meta mark set ip saddr map { 192.0.2.1 : 0x10000 }', qr/the whole packet's mark/],
);
for my $what (sort keys %rules) {
	finds("an nft rule writes $what", 'CNI736', 0, 'mark-setters',
		"nft 'add table inet other; add chain inet other pre { type filter hook prerouting priority 0; }; add rule inet other pre ip daddr 192.0.2.1 $rules{$what}[0]'",
		$rules{$what}[1], after => 'nft delete table inet other');
}
subtest 'bits that are not cnic\'s' => sub {
	must_do("nft 'add table inet other; add chain inet other pre { type filter hook prerouting priority 0; }; "
		. "add rule inet other pre meta mark set meta mark and 0xff00ffff or 0x40000; "
		. "add rule inet other pre ct mark set ct mark or 0x80000; add rule inet other pre meta mark 0x1 accept' && "
		. "ip rule add fwmark 0x80000/0xff0000 lookup 52 priority 100");
	clean('... are no finding');
	must_do('nft delete table inet other; ip rule del priority 100');
};

# ---- flows ----

finds('packets kept out of conntrack', 'CNI743', 0, 'untracked',
	"nft 'add table ip raw; add chain ip raw pre { type filter hook prerouting priority -300; }; add rule ip raw pre ip daddr 192.0.2.1 notrack'",
	qr/chain pre of table ip raw/, after => 'nft delete table ip raw');

# ---- routing ----

finds('a rule before cnic\'s', 'CNI750', 1, 'rule-order',
	'ip route add default dev eth1 table 97; ip rule add from 10.1.0.0/16 lookup 97 priority 60',
	qr/priority 60 from 10\.1\.0\.0\/16 lookup 97/, after => 'ip rule del priority 32000; ip route flush table 97');
finds('main before cnic\'s', 'CNI750', 1, 'rule-order', 'ip rule add lookup main priority 70',
	qr/priority 70 from all lookup 254/, after => 'ip rule del priority 32000');
# a path for each of what may come after the targets, and the other way round
my $many = $base =~ s/^link isp .*\n\K/link alt { kind internet; device eth1; address 203.0.113.2\/30; }\n/mr;
for my $n (1 .. 15) {
	my $targets = ('isp', 'alt', 'isp then alt', 'alt then isp', 'isp masquerade')[ $n % 5 ];
	my $otherwise = ('drop', 'reject', 'main')[ $n % 3 ];
	$many =~ s/^(?=\troute all)/\troute r$n udp dport $n via $targets else $otherwise;\n/m;
}
subtest 'CNI754: a rule among many of cnic\'s' => sub {
	must_do('ip rule add to 192.0.2.0/24 lookup 97 priority 1015');
	clean('... is no finding where there are few');
	spew($file, $many);
	my ($status, $found) = doctor($file);
	is($status, 0, '... exit status 0');
	is(join(' ', keys %$found), 'CNI754', '... that code') || diag(explain($found));
	like($found->{CNI754}[0]{message}, qr/priority 1015 .* 1000 to 1050/, '... names it');
	must_do('ip rule del priority 1015; ip rule add to 192.0.2.0/24 lookup 97 priority 999');
	clean('... gone where it comes before');
	must_do('ip rule del priority 999');
	spew($file, $base);
};
subtest 'rules that leave the policy\'s packets alone' => sub {
	must_do('ip route add default dev eth1 table 97; ip rule add from 172.16.0.0/16 lookup 97 priority 61; '
		. 'ip rule add iif eth1 lookup 97 priority 62; ip rule add to 192.0.2.0/24 lookup 97 priority 63; '
		. 'ip rule add lookup 96 priority 64; ip rule add lookup main suppress_prefixlength 0 priority 65; '
		. 'ip rule add from 10.1.0.0/24 lookup 97 priority 30000');
	clean('... are no finding');
	must_do('for p in 61 62 63 64 65 30000; do ip rule del priority $p; done; ip route flush table 97');
};
finds('a route in a table of cnic\'s', 'CNI748', 1, 'tables', 'ip route add 192.0.2.0/24 dev eth1 table 20001', qr/192\.0\.2\.0\/24 .* table 20001/);
finds('a blackhole in a table of cnic\'s', 'CNI748', 1, 'tables', 'ip -6 route add blackhole 2001:db8::/32 table 20001 metric 7',
	qr/blackhole 2001:db8::\/32/);
finds('a route of protocol 93', 'CNI747', 0, 'tables', 'ip route add 192.0.2.0/24 dev eth1 proto 93', qr/192\.0\.2\.0\/24 in main/);
finds('a rule of protocol 93', 'CNI747', 0, 'tables', 'ip rule add tos 0x10 lookup 97 priority 80 protocol 93', qr/priority 80/);
finds('a device of group 25454', 'CNI747', 0, 'tables', 'ip link set dev eth1 group 25454', qr/`eth1`/);

my $main = $base =~ s/\telse drop;/\telse main;/r;
finds('a link without a gateway', 'CNI752', 1, 'main-default', 'ip route replace default via 203.0.113.1 dev eth1', qr/by `eth0`/,
	policy => $base =~ s/address \S+;/address dhcp;/r, after => 'ip route del default metric 1000; ip route replace default via 198.51.100.1 dev eth0');

# ---- settings ----

my $keep = "$base\noptions { rp-filter keep; }\n";
finds('strict rp_filter', 'CNI737', 1, 'rp-filter',
	'ip route replace default via 203.0.113.1 dev eth1; sysctl -qw net.ipv4.conf.eth0.rp_filter=1', qr/strict on `eth0`/,
	policy => $keep, after => 'ip route replace default via 198.51.100.1 dev eth0; sysctl -qw net.ipv4.conf.eth0.rp_filter=0');
finds('strict rp_filter by "all"', 'CNI737', 1, 'rp-filter',
	'ip route replace default via 203.0.113.1 dev eth1; sysctl -qw net.ipv4.conf.all.rp_filter=1', qr/strict on `eth0`/,
	policy => $keep, after => 'ip route replace default via 198.51.100.1 dev eth0; sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0');
finds('loose rp_filter and no default', 'CNI738', 1, 'rp-filter', 'ip route del default', qr/loose on `eth0`/);
finds('no default for `else main`', 'CNI751', 0, 'main-default',
	'ip route del default; sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0', qr/IPv4/,
	policy => "$main\noptions { rp-filter keep; }\n");
finds('no forwarding', 'CNI739', 1, 'forwarding', 'sysctl -qw net.ipv4.ip_forward=0', qr/net\.ipv4\.ip_forward is 0/);
finds('no forwarding on a device', 'CNI739', 1, 'forwarding', 'sysctl -qw net.ipv4.conf.eth2.forwarding=0', qr/conf\.eth2\.forwarding/);

# ---- in the policy's way ----

subtest 'an object in the way' => sub {
	must_do('ip route add default dev eth1 table 20001 metric 4278198272');
	my ($status, $found, $checks) = doctor($file);
	is($status, 1, '... exit status 1');
	ok(keys %$found, '... there are findings');
	must_do('ip route flush table 20001');
	clean('... and none without it');
};

# ---- daemons: programs of their names, and commands that do here what theirs do ----

# daemon(NAME): such a process in the router, with an /etc and a /run of its own.
sub daemon ($name) {
	mkdir scratch() . '/bin';
	my $program = scratch() . "/bin/$name";
	sh("cp \"\$(command -v sleep)\" $program");
	must_do("(unshare -m sh -c 'mount -t tmpfs none /etc && mount -t tmpfs none /run && mkdir -p /etc/systemd /etc/iproute2 "
		. "/etc/NetworkManager/conf.d /run/NetworkManager/devices && exec $program 600' >/dev/null 2>&1 </dev/null & echo \$!) >"
		. scratch() . '/pid');
	my $pid = slurp(scratch() . '/pid') + 0;
	for (1 .. 100) {
		last if slurp("/proc/$pid/comm") eq substr($name, 0, 15) . "\n";
		select undef, undef, undef, 0.05;
	}
	return $inside = $pid;
}

sub program ($name, $text) { mkdir scratch() . '/bin'; chmod 0755, spew(scratch() . "/bin/$name", "#!/bin/sh\n$text\n") }

daemon('systemd-networkd');
program('systemctl', 'test "$*" = "restart systemd-networkd"');
finds('systemd-networkd takes rules away', 'CNI730', 1, 'networkd', 'true', qr/every ip rule.*by default/, also => ['CNI731'],
	after => 'rm /etc/systemd/networkd.conf.d/* && printf "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n" >/etc/systemd/networkd.conf');
finds('systemd-networkd takes routes away', 'CNI731', 0, 'networkd',
	'printf "[Network]\nManageForeignRoutingPolicyRules=no\n" >/etc/systemd/networkd.conf', qr/routes/);
my $other = $inside;
undef $inside;
is((doctor($file))[0], 1, 'systemd-networkd in this network namespace counts, be it of another mount namespace');
kill 'KILL', $other;
clean('no such process, no finding');

daemon('NetworkManager');
my ($index) = (in_router('ip -o link show dev eth0'))[1] =~ /^(\d+):/;
program('nmcli', qq{case "\$*" in "device set eth0 managed no") echo "[device]\nmanaged=false" >/run/NetworkManager/devices/$index;; "general reload") ;; *) exit 1;; esac});
finds('NetworkManager manages a device', 'CNI732', 0, 'network-manager', "printf '[device]\nmanaged=true\n' >/run/NetworkManager/devices/$index",
	qr/`eth0`/);
finds('a name for a table', 'CNI749', 0, 'tables', "echo '20001 isp' >/etc/iproute2/rt_tables", qr/table 20001 `isp`/, after => 'rm /etc/iproute2/rt_tables');
kill 'KILL', $inside;
undef $inside;

# ---- the last confirmed revision, and formats ----

subtest 'the last confirmed revision' => sub {
	my ($status, $out, $err) = in_router("$cnic apply -y -q --state-dir $env{CNIC_STATE_DIR} $file");
	is($status, 0, 'apply') || diag($out, $err);
	my $checks = clean('... an applied policy leaves the router clean', '');
	is($checks->{'rp-filter'}{result}, 'ok', '... and is known without its file');
	like($checks->{plan}{detail}, qr/0 changes/, '... which has nothing to change');
	must_do('sysctl -qw net.ipv4.ip_forward=0');
	my ($code) = in_router("$cnic doctor -q");
	is($code, 1, '... with which it is judged');
	my (undef, $sarif, $rest) = in_router("$cnic doctor --diagnostics=sarif");
	is(from_json($sarif)->{runs}[0]{results}[0]{ruleId}, 'CNI739', '... in SARIF, and nothing else on standard output');
	like((in_router("$cnic doctor --diagnostics=github"))[1], qr/\A::error .*CNI739/, '... as an annotation');
	must_do('sysctl -qw net.ipv4.ip_forward=1');
};

done_testing;
