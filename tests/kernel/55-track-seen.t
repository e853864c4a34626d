#!/usr/bin/perl
# How a tracker is seen, on this kernel: its socket, status and --watch, metrics in a file and by HTTP as Prometheus reads
# them, the journal and syslog, commands; and that none of those who read slowly, hang or talk nonsense holds it up.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $cnic = $ENV{CNIC} // "$root/build/cnic";
my $dir  = scratch();
my $name = ns('router');
wire('lan', 'eth0', '10.1.0.5/24', 'router', 'eth2', '10.1.0.1/24');
wire('router', 'eth1', '192.0.2.11/31', 'far', 'far1', '192.0.2.10/31');
wire('router', 'eth0', '198.51.100.2/30', 'far', 'far0', '198.51.100.1/30');
at('router', 'sysctl -qw net.ipv4.ip_forward=1');
my $policy = spew("$dir/policy.cni", <<'END');
lan branch { device eth2; prefix 10.1.0.0/24; }
link cf { kind pni; device eth1; address 192.0.2.11/31; track { every 50ms; down 3; up 3; } }
link isp { kind internet; device eth0; address 198.51.100.2/30; track { every 50ms; down 3; up 3; } }
policy branch on eth2 {
	route all from 10.1.0.0/24 via cf then isp else drop;
	else drop;
}
END
my ($applied, $out, $err) = at('router', $cnic, 'apply', '-y', '-q', $policy);
is($applied, 0, 'the policy is applied') || BAIL_OUT($out . $err);

# ---- what runs beside the test ----

my $runs = 0;

# start({...}, COMMAND): in the router's namespace; what it says is in files.
sub start (@command) {
	my $options = ref $command[0] ? shift @command : {};
	my $run     = { base => "$dir/run" . $runs++ };
	spew("$run->{base}.$_", '') for qw(out err);
	$run->{pid} = fork // die "fork: $!\n";
	if (!$run->{pid}) {
		%ENV = (%ENV, %{ $options->{env} // {} });
		open STDIN,  '<',  '/dev/null';
		open STDOUT, '>>', "$run->{base}.out";
		open STDERR, '>>', "$run->{base}.err";
		{ no warnings 'exec'; exec 'nsenter', "--net=/run/netns/$name", @command }
		POSIX::_exit(127);
	}
	return $run;
}

sub eventually ($what, $code, $seconds = 20) {
	my $end = time + $seconds;
	while (!$code->()) {
		if (time > $end) {
			local $Test::Builder::Level = $Test::Builder::Level + 1;
			return fail($what);
		}
		sleep 0.02;
	}
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return pass($what);
}

# finish(RUN, SIGNAL): its exit status, or 128 and the signal that ended it.
sub finish ($run, $signal) {
	kill $signal, $run->{pid};
	waitpid $run->{pid}, 0;
	return $? & 127 ? 128 + ($? & 127) : $? >> 8;
}

sub said ($run) { slurp("$run->{base}.out") . slurp("$run->{base}.err") }

# silence(WHETHER): what the far side hears of cf is lost.
sub silence ($on) {
	at('far', $on ? 'nft "add table inet t { chain c { type filter hook input priority 0; iifname far1 drop; }; }"'
		: 'nft delete table inet t');
}

sub status_json () { from_json((at('router', $cnic, 'status', '--json'))[1]) }

sub states () {
	my $track = status_json()->{track};
	return join ' ', map {"$_->{name} $_->{state}"} @{ $track->{targets} // [] };
}

# documents(FILE): of lines of JSON, the whole ones.
sub documents ($file) { map { from_json($_) } grep {/\}$/} slurp($file) =~ /^(.*)\n/mg }

sub events ($file) { grep { $_->{type} eq 'event' } documents($file) }

# metrics(TEXT): each sample's value by its name and labels; dies of what the format's description does not allow.
sub metrics ($text) {
	my (%value, %type, %done, $family);
	for my $line (split /\n/, $text) {
		if ($line =~ /^# HELP (\w+) (.+)$/) {
			die "$1 twice\n" if $done{$1}++;
			$family = $1;
		} elsif ($line =~ /^# TYPE (\w+) (counter|gauge)$/) {
			die "$1 is not $family\n" if $1 ne $family;
			$type{$1} = $2;
		} elsif ($line =~ /^(\w+)((?:\{(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+\})?) (-?[\d.]+(?:e-?\d+)?)$/) {
			my ($metric, $labels, $number) = ($1, $2, $3);
			die "$metric stands among $family\n" if $metric ne $family || !$type{$metric};
			die "$metric$labels twice\n" if exists $value{"$metric$labels"};
			die "$metric is a counter\n" if $type{$metric} eq 'counter' xor $metric =~ /_total$/;
			$value{"$metric$labels"} = $number;
		} else {
			die "what is: $line\n";
		}
	}
	die "no newline at its end\n" if $text !~ /\n\z/;
	return \%value;
}

my $textfile = "$dir/cnic.prom";
my $port     = 9912;

subtest 'none runs' => sub {
	my ($status, $text, $told) = at('router', $cnic, 'status');
	is($status, 0, 'status');
	like($told, qr/^cnic: warning: no tracker runs, and the policy has track for cf, isp: /m, '... says so');
	my $json = status_json();
	is_deeply($json->{track}, { runs => JSON::PP::false(), error => undef, tracked => [ 'cf', 'isp' ] }, '... and in JSON');
	($status, undef, $told) = at('router', $cnic, 'status', '--watch', '--json');
	is($status, 1, 'there are no events');
	like($told, qr/no tracker runs/, '... and why');
};

subtest 'the command line' => sub {
	for (
		[ 'another address', qr/no loopback address/, '--metrics-listen', '192.0.2.11:9912' ],
		[ 'any address',     qr/no loopback address/, '--metrics-listen', '0.0.0.0:9912' ],
		[ 'no port',         qr/a port is/,           '--metrics-listen', '0' ],
		[ 'an open quote',   qr/is no command/,       '--on-change',      q(x 'y) ],
		[ 'no time',         qr/more than none/,      '--hook-timeout',   '0' ],
	) {
		my ($what, $why, @arguments) = @$_;
		my ($status, undef, $told) = at('router', $cnic, 'track', @arguments);
		is($status, 64, $what);
		like($told, $why, '... and why');
	}
	for ([ '5' ], [ '--watch', 'x' ], [ '--watch', '0' ], [ '--watch', '1', '2' ], [ '--watch', '--json', '-o', "$dir/x" ]) {
		my ($status) = at('router', $cnic, 'status', @$_);
		is($status, 64, "status @$_");
	}
};

my $hook = spew("$dir/hook", <<"END");
#!/bin/sh
echo "\$1 \$CNIC_TARGET \$CNIC_STATE \$CNIC_BEFORE \$CNIC_REASON" >>$dir/hooks
[ ! -e $dir/hang ] || sleep 1000
[ ! -e $dir/fail ] || exit 3
END
chmod 0755, $hook;
my @all = ($cnic, 'track', '-v', '--metrics-listen', $port, '--metrics-file', $textfile, '--on-change', "$hook 'a b'",
	'--hook-timeout', '1s');
my $tracker = start(@all);

subtest 'a tracker' => sub {
	eventually('both are up', sub { states() eq 'cf up isp up' });
	my ($status, $text) = at('router', $cnic, 'status');
	like($text, qr/^Tracking .*\n\s+TARGET .*\n\s+cf\s+up\s+2.*Z\s+answers\s+192\.0\.2\.10\s+yes\s+0\.0%\s+\d/m, 'status tells');
	my ($path) = grep { $_->{path} =~ /^cf/ } @{ status_json()->{track}{paths} };
	is($path->{active}, 'cf', 'which target carries the path');
	my $socket = "/run/cnic/netns/$name/track.sock";
	is(sprintf('%o', (stat $socket)[2]), '140600', 'the socket is root\'s alone');
	my ($code) = at('router', 'setpriv', '--reuid=65534', '--clear-groups', '--inh-caps=-all', $cnic, 'status', '--watch',
		'--json');
	is($code, 1, 'another user learns nothing');
	my $second = (at('router', $cnic, 'track'))[0];
	is($second, 1, 'a second one is refused');
	is(states(), 'cf up isp up', '... and leaves the first one\'s socket alone');
};

subtest 'events' => sub {
	my $watch = start($cnic, 'status', '--watch', '--json', '0.3');
	eventually('the state is told', sub { documents("$watch->{base}.out") });
	silence(1);
	eventually('down', sub { (events("$watch->{base}.out"))[0] });
	my ($event) = events("$watch->{base}.out");
	is("@$event{qw(cnic version target before state reason device)}", 'track 1 cf up down peer eth1', 'what happened');
	like($event->{time}, qr/^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'when');
	cmp_ok($event->{routes}, '>', 0, 'routes were changed');
	cmp_ok($event->{switch_seconds}, '>', 0, 'and how long that took');
	is($event->{error}, undef, 'without an error');
	silence(0);
	eventually('up', sub { (events("$watch->{base}.out"))[1] });
	is((events("$watch->{base}.out"))[1]{state}, 'up', 'and back');
	eventually('states, too', sub { 2 < grep { $_->{type} eq 'state' } documents("$watch->{base}.out") });
	is(finish($watch, 'INT'), 0, 'SIGINT ends it well');
	is(slurp("$watch->{base}.err"), '', '... in silence');
	eventually('each change was told to a command', sub { 4 == (() = slurp("$dir/hooks") =~ /\n/g) });
	like(slurp("$dir/hooks"), qr/^a b cf down up peer\na b cf up down answers\n\z/m, '... with what it was');
	like(said($tracker), qr/^cnic: cf is down \(peer\), was up; \d+ routes? in \d+\.\d+ ms$/m, '-v says it');
};

subtest 'in place' => sub {
	my $watch = start($cnic, 'status', '--watch', '0.2');
	eventually('not on a terminal: block by block', sub { 3 < (() = slurp("$watch->{base}.out") =~ /^Paths$/mg) });
	is(finish($watch, 'TERM'), 0, 'SIGTERM ends it well');
	unlike(slurp("$watch->{base}.out"), qr/\033/, '... and without escapes');
	$watch = start({ env => { TERM => 'xterm' } }, 'script', '-qefc', "exec $cnic status --watch 0.2", '/dev/null');
	eventually('on a terminal: over itself', sub { 3 < (() = slurp("$watch->{base}.out") =~ /\033\[H[^\r\n]*\033\[K/g) });
	like(slurp("$watch->{base}.out"), qr/\033\[J/, '... and what was below goes');
	finish($watch, 'TERM');
};

subtest 'metrics' => sub {
	my ($status, $text) = at('router', 'curl', '-sSi', "http://127.0.0.1:$port/metrics");
	is($status, 0, 'by HTTP');
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	like($head, qr{^HTTP/1\.1 200 .*^Content-Type: text/plain; version=0\.0\.4; charset=utf-8\r?$}ms, 'the type');
	my $value = eval { metrics($body) };
	is($@, '', 'the format is as described');
	is($value->{'cnic_track_up{target="cf",device="eth1"}'},                   1, 'cf is up');
	is($value->{'cnic_track_reason{target="cf",device="eth1",reason="answers"}'}, 1, '... since it answers');
	is($value->{'cnic_track_state_changes_total{target="cf",device="eth1"}'},  2, '... after two changes');
	my $probe = '{target="cf",device="eth1",address="192.0.2.10",level="peer"}';
	cmp_ok($value->{"cnic_track_probes_lost_total$probe"}, '>=', 3, 'probes were lost');
	cmp_ok($value->{"cnic_track_probes_sent_total$probe"}, '>=',
		$value->{"cnic_track_probes_lost_total$probe"} + $value->{"cnic_track_probes_answered_total$probe"}, 'no more than sent');
	cmp_ok($value->{"cnic_track_rtt_max_seconds$probe"}, '>=', $value->{"cnic_track_rtt_min_seconds$probe"}, 'round trips');
	cmp_ok($value->{cnic_track_hooks_total}, '>=', 4, 'commands');
	my ($lint, $complaints, $more) = sh({ stdin => $body }, 'promtool', 'check', 'metrics');
	is("$lint$complaints$more", '0', 'promtool has nothing to say');
	for ([ 404, 'http://127.0.0.1:9912/' ], [ 405, '-d', 'x', 'http://127.0.0.1:9912/metrics' ], [ 200, '-I', 'http://127.0.0.1:9912/metrics' ]) {
		my ($code, @arguments) = @$_;
		is((at('router', 'curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', @arguments))[1], $code, "@arguments: $code");
	}
	isnt((at('router', 'curl', '-s', '-m', '2', "http://192.0.2.11:$port/metrics"))[0], 0, 'only on the loopback address');
	eventually('the file has them, too', sub { -e $textfile && slurp($textfile) =~ /_changes_total\{target="cf".*\} 2$/m });
	eval { metrics(slurp($textfile)) };
	is($@, '', '... in the same format');
	is(sprintf('%o', (stat $textfile)[2]), '100644', '... for others to read');
	is_deeply([ grep { !/cnic\.prom$/ } glob("$dir/.cnic* $dir/*.prom") ], [], '... and nothing lies beside it');
};

subtest 'Prometheus itself' => sub {
	my $config = spew("$dir/prometheus.yml", <<"END");
global: { scrape_interval: 500ms, evaluation_interval: 500ms }
rule_files: [$root/examples/metrics/alerts.yml]
scrape_configs:
  - job_name: cnic
    static_configs: [ { targets: ["127.0.0.1:$port"] } ]
END
	my $run = start('prometheus', "--config.file=$config", "--storage.tsdb.path=$dir/tsdb", '--web.listen-address=127.0.0.1:9913');
	my $ask = sub ($query) {
		my (undef, $answer) = at('router', 'curl', '-sG', '--data-urlencode', "query=$query", 'http://127.0.0.1:9913/api/v1/query');
		my $json = eval { from_json($answer) };    # it says something else until it is ready
		return map { $_->{metric}{target} // '' } @{ $json->{data}{result} // [] };
	};
	eventually('it reads them', sub { join(' ', sort($ask->('cnic_track_up == 1'))) eq 'cf isp' }, 60);
	silence(1);
	eventually('it sees the change', sub { join(' ', $ask->('cnic_track_up == 0')) eq 'cf' }, 60);
	eventually('the alert fires', sub { join(' ', $ask->('ALERTS{alertname="CnicTargetDown",alertstate="firing"}')) eq 'cf' }, 60);
	silence(0);
	eventually('and ends', sub { !$ask->('ALERTS{alertname="CnicTargetDown"}') }, 60);
	is(finish($run, 'TERM'), 0, 'the end');
};

subtest 'who holds it up' => sub {
	my $stopped = start($cnic, 'status', '--watch', '--json', '0.1');
	my $watch   = start($cnic, 'status', '--watch', '--json', '60');
	eventually('they watch', sub { documents("$watch->{base}.out") && documents("$stopped->{base}.out") });
	kill 'STOP', $stopped->{pid};
	# somebody who asks for the metrics and reads nothing of them, another who never ends to ask
	my $silent = start($^X, '-MIO::Socket::INET', '-e', <<'END');
my @s = map { IO::Socket::INET->new("127.0.0.1:9912") or die } 1 .. 10;
syswrite $s[$_], $_ % 2 ? "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" : "GET /metr" for 0 .. 9;
print "there\n"; close STDOUT;
sleep 1000;
END
	eventually('so do others', sub { said($silent) =~ /there/ });
	spew("$dir/hang", '');    # and commands hang
	for my $turn (1 .. 3) {
		silence(1);
		eventually("turn $turn: down", sub { $turn * 2 - 1 == events("$watch->{base}.out") });
		silence(0);
		eventually("turn $turn: up", sub { $turn * 2 == events("$watch->{base}.out") });
	}
	is(states(), 'cf up isp up', 'status is told as well');
	is((at('router', 'curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', "http://127.0.0.1:$port/metrics"))[1], 200, 'so are metrics');
	eventually('what hung was killed, and that is told', sub { said($tracker) =~ /^cnic: on-change for cf, \w+: took too long, and was ended by signal 9$/m });
	unlink "$dir/hang";
	eventually('the last state was told at last', sub { slurp("$dir/hooks") =~ /cf up down answers\n\z/ });
	spew("$dir/fail", '');
	silence(1);
	eventually('a failure is told', sub { said($tracker) =~ /^cnic: on-change for cf, down: exit status 3$/m });
	silence(0);
	eventually('... and counted', sub {
		my ($n) = (at('router', 'curl', '-s', "http://127.0.0.1:$port/metrics"))[1] =~ /^cnic_track_hook_failures_total (\d+)$/m;
		$n >= 2;
	});
	unlink "$dir/fail";
	kill 'CONT', $stopped->{pid};
	finish($stopped, 'INT');
	is(finish($watch, 'INT'), 0, 'the other one has seen it all');
	finish($silent, 'KILL');
};

subtest 'at the socket' => sub {
	# talk(SAYS): what it answers until it closes the door
	my $talk = sub ($says) {
		my ($status, $text) = at('router', $^X, '-MSocket', '-e', <<"END", $says);
alarm 30;
socket my \$s, AF_UNIX, SOCK_STREAM, 0 or die;
connect \$s, pack_sockaddr_un("/run/cnic/netns/$name/track.sock") or die;
syswrite \$s, shift;
shutdown \$s, 1;
print while <\$s>;
END
		return map { from_json($_) } split /\n/, $text;
	};
	is(join(' ', map { $_->{type} } $talk->('')), 'state', 'who says nothing gets the state');
	for my $word ("stop\n", "GET / HTTP/1.1\r\n\r\n", "\1\xff" x 4000, "watch\nwatch\n") {
		my @said = $talk->($word);
		is($said[-1]{type}, 'error', 'nonsense gets an error') || diag(explain(\@said));
	}
	my @crowd = map { start($cnic, 'status', '--watch', '--json') } 1 .. 40;
	eventually('a crowd: some find no room', sub { grep { said($_) =~ /too many are reading/ } @crowd });
	cmp_ok(scalar(grep { said($_) !~ /too many/ } @crowd), '>=', 30, 'most of it does');
	finish($_, 'INT') for @crowd;
	eventually('then there is room again', sub { states() eq 'cf up isp up' });
};

subtest 'its end' => sub {
	is(finish($tracker, 'TERM'), 0, 'SIGTERM');
	eventually('the file goes', sub { !-e $textfile });
	ok(!-e "/run/cnic/netns/$name", 'so does the socket');
	$tracker = start(@all);
	eventually('another one', sub { -e $textfile && states() eq 'cf up isp up' });
	my @runners = split ' ', slurp("/proc/$tracker->{pid}/task/$tracker->{pid}/children");
	is(@runners, 1, 'has one process beside it');
	kill 'TERM', @runners;    # as systemd does to all
	is(finish($tracker, 'KILL'), 137, 'SIGKILL');
	eventually('the file goes then, too', sub { !-e $textfile });
	eventually('so does the process', sub { !-e "/proc/$runners[0]" || slurp("/proc/$runners[0]/stat") =~ /^\d+ \(.*\) Z/ });
	ok(-e "/run/cnic/netns/$name/track.sock", 'the socket\'s name stays');
	like((at('router', $cnic, 'status'))[2], qr/no tracker runs/, '... and status knows that none is there');
	$tracker = start(@all);
	eventually('and the next one takes its place', sub { states() eq 'cf up isp up' });
	@runners = split ' ', slurp("/proc/$tracker->{pid}/task/$tracker->{pid}/children");
	kill 'KILL', @runners;
	eventually('without its runner', sub { said($tracker) =~ /the process that runs commands and writes metrics was killed/ });
	silence(1);
	eventually('it tracks all the same', sub { states() eq 'cf down isp up' });
	silence(0);
	eventually('... both ways', sub { states() eq 'cf up isp up' });
	is(finish($tracker, 'TERM'), 0, 'the end');
};

subtest 'a port that is taken' => sub {
	my $other = start($^X, '-MIO::Socket::INET', '-e',
		'my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:9912", Listen => 1, ReuseAddr => 1) or die; print "there\n"; close STDOUT; sleep 1000');
	eventually('by another', sub { said($other) =~ /there/ });
	$tracker = start($cnic, 'track', '--metrics-listen', $port);
	eventually('it tracks', sub { states() eq 'cf up isp up' });
	like(said($tracker), qr/^warning\[CNI780\]: metrics at 9912: Address already in use$/m, 'and says what is not shown');
	is(finish($tracker, 'TERM'), 0, 'the end');
	finish($other, 'KILL');
};

# In a mount namespace of its own: sockets of logs that are not this machine's.
sub with_logs ($script) {
	return start('unshare', '--mount', '--propagation', 'private', 'bash', '-c', <<"END");
mount -t tmpfs tmpfs /run/systemd && mkdir -p /run/systemd/journal /run/log && mount -t tmpfs tmpfs /run/log
mount -t tmpfs tmpfs /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 444 /dev/urandom c 1 9
$script
END
}

subtest 'the journal' => sub {
	my $run = with_logs(<<"END");
/lib/systemd/systemd-journald &
for i in {1..100}; do [ ! -S /run/systemd/journal/stdout ] || break; sleep 0.1; done
systemd-cat -t x bash -c 'JOURNAL_STREAM=\$(stat -L -c %d:%i /proc/self/fd/2) exec $cnic track --on-change /bin/false' &
tracker=\$!
until journalctl -o json CNIC_TARGET=cf CNIC_STATE=down 2>/dev/null | grep -q CNIC; do sleep 0.1; done
until journalctl -o json CNIC_TARGET=cf EXIT_STATUS=1 2>/dev/null | grep -q CNIC; do sleep 0.1; done
kill %systemd-cat; wait %systemd-cat
journalctl -o json >$dir/journal.json
kill %/lib/systemd
echo done
END
	eventually('a tracker', sub { states() eq 'cf up isp up' }, 60) || diag(said($run));
	silence(1);
	eventually('a change', sub { said($run) =~ /^done$/m }, 60) || diag(said($run));
	silence(0);
	finish($run, 'KILL');
	my @lines = map { from_json($_) } split /\n/, slurp("$dir/journal.json");
	my ($line) = grep { ($_->{CNIC_TARGET} // '') eq 'cf' && $_->{CNIC_STATE} eq 'down' && $_->{CNIC_BEFORE} } @lines;
	is($line->{CNIC_BEFORE},       'up',                               'the field of before');
	is($line->{CNIC_REASON},       'peer',                             '... of why');
	is($line->{CNIC_DEVICE},       'eth1',                             '... of the device');
	is($line->{MESSAGE_ID},        '33c8e91aaeed47b4a0af534780b056e0', '... of the message\'s kind');
	is($line->{PRIORITY},          4,                                  'a warning');
	is($line->{SYSLOG_IDENTIFIER}, 'cnic',                             'by cnic');
	like($line->{CNIC_ROUTES}, qr/^[1-9]\d*$/, 'with the routes that were changed');
	like($line->{MESSAGE}, qr/^cf is down \(peer\), was up; \d+ routes? in /, 'for a reader');
	ok((!grep { ($_->{MESSAGE} // '') =~ /^cnic: cf is down/ } @lines), '... and told once');
	ok((grep { ($_->{MESSAGE_ID} // '') eq 'a695dacc6d2846edb22dfcf9107de87a' && $_->{EXIT_STATUS} eq '1' } @lines), 'a command that failed');
};

subtest 'syslog' => sub {
	my $run = with_logs(<<"END");
perl -MSocket -e '
	socket my \$s, AF_UNIX, SOCK_DGRAM, 0 or die;
	bind \$s, pack_sockaddr_un("/dev/log") or die;
	\$| = 1;
	while (defined recv \$s, my \$line, 8192, 0) { print "log: \$line\\n" }' &
for i in {1..100}; do [ ! -S /dev/log ] || break; sleep 0.1; done
exec $cnic track --syslog -q
END
	eventually('a tracker', sub { states() eq 'cf up isp up' }, 60) || diag(said($run));
	silence(1);
	eventually('a change, as RFC 3164 has it',
		sub { said($run) =~ /^log: <28>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d cnic\[\d+\]: cf is down \(peer\), was up; /m });
	silence(0);
	eventually('and back', sub { said($run) =~ /^log: <29>.*: cf is up \(answers\), was down; /m });
	is(slurp("$run->{base}.err"), '', 'nothing on standard error, with -q');
	is(finish($run, 'TERM'), 0, 'the end');
};

subtest 'logs that nobody reads' => sub {
	at('router', 'sysctl -qw net.unix.max_dgram_qlen=1');    # it takes few lines that are not read
	my $run = with_logs(<<"END");
perl -MSocket -e '
	socket my \$s, AF_UNIX, SOCK_DGRAM, 0 or die;
	bind \$s, pack_sockaddr_un("/dev/log") or die;
	sleep 1000' &
for i in {1..100}; do [ ! -S /dev/log ] || break; sleep 0.1; done
exec $cnic track --syslog -v --metrics-listen $port
END
	eventually('a tracker', sub { states() eq 'cf up isp up' }, 60) || diag(said($run));
	for my $turn (1 .. 2) {
		silence(1);
		eventually("turn $turn", sub { states() eq 'cf down isp up' }) || last;
		silence(0);
		eventually("turn $turn: back", sub { states() eq 'cf up isp up' }) || last;
	}
	my ($n) = (at('router', 'curl', '-s', "http://127.0.0.1:$port/metrics"))[1] =~ /^cnic_track_log_dropped_total (\d+)$/m;
	cmp_ok($n, '>', 0, 'lines were dropped, and counted');
	is(finish($run, 'TERM'), 0, 'the end');
};

done_testing;
