# Lab: what tests in Perl drive the program with: running commands, network namespaces of their own, test machines.
# Test with Test::More; everything here is exported. Run from the top of the tree, as tests/run does.
# SPDX-License-Identifier: GPL-2.0-or-later
package Lab;
use v5.36;
use Cwd qw(realpath);
use Exporter 'import';
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP ();
use POSIX ();
use Test::More;

our @EXPORT = qw($root sh cnic slurp spew scratch from_json ns at batch wire relay in_vm);

# The top of the tree.
our $root = realpath(dirname(__FILE__) . '/../..');

my $owner = $$;    # a forked child must not clean up
my (%namespaces, $scratch);

# scratch(): a directory for this test's files, removed at its end.
sub scratch { $scratch //= tempdir('cnic-test.XXXXXX', TMPDIR => 1, CLEANUP => 1) }

# What is applied in a test is no policy of this machine: revisions go with the test.
$ENV{CNIC_STATE_DIR} = scratch() . '/revisions';

sub slurp ($file) { open my $in, '<:raw', $file or die "$file: $!\n"; local $/; readline($in) // '' }

sub spew ($file, $text) {
	open my $out, '>:raw', $file or die "$file: $!\n";
	print $out $text;
	close $out or die "$file: $!\n";
	return $file;
}

sub from_json ($text) { JSON::PP->new->utf8->decode($text) }

# sh({stdin => TEXT, env => {...}}, COMMAND): run it and return its exit status (128 + the signal that ended it),
# its stdout and its stderr. One word is read by the shell, several are run as they stand. The options may be left
# out; stdin is empty.
sub sh (@command) {
	my $options = ref $command[0] ? shift @command : {};
	state $runs = 0;
	my $base = scratch() . '/sh' . $$ . '.' . $runs++;
	spew("$base.in", $options->{stdin} // '');
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		%ENV = (%ENV, %{ $options->{env} // {} });
		open STDIN,  '<', "$base.in"  or POSIX::_exit(126);
		open STDOUT, '>', "$base.out" or POSIX::_exit(126);
		open STDERR, '>', "$base.err" or POSIX::_exit(126);
		no warnings 'exec';
		if   (@command == 1) { exec '/bin/sh', '-c', $command[0] }
		else                 { exec { $command[0] } @command }
		print STDERR "$command[0]: $!\n";
		POSIX::_exit(127);
	}
	waitpid $pid, 0;
	my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	my @result = ($status, slurp("$base.out"), slurp("$base.err"));
	unlink map {"$base.$_"} qw(in out err);
	return @result;
}

# cnic(ARGUMENTS): as sh, of the program under test: $CNIC or build/cnic.
sub cnic (@arguments) {
	my @options = ref $arguments[0] ? shift @arguments : ();
	return sh(@options, $ENV{CNIC} // "$root/build/cnic", @arguments);
}

# must(COMMAND): for the building of a laboratory, where failure is the end of the test.
sub must (@command) {
	my ($status, $out, $err) = sh(@command);
	die "@command[ref $command[0] ? 1 : 0 .. $#command]: $err" if $status;
	return $out;
}

# ns(NAME): the full name of this process's namespace NAME, which is made when it is new. All are removed at the end.
# Names hold the maker's process id, so that tests do not meet, and what a killed one left behind can be told.
sub ns ($name) {
	sweep() if !%namespaces;
	my $full = "cnic-$$-$name";
	return $full if $namespaces{$full};
	must('ip', 'netns', 'add', $full);
	$namespaces{$full} = 1;
	must('ip', '-n', $full, 'link', 'set', 'lo', 'up');
	return $full;
}

# at(NAME, {...}, COMMAND): as sh, in the namespace NAME.
sub at ($name, @command) {
	my @options = ref $command[0] ? shift @command : ();
	@command = ('/bin/sh', '-c', @command) if @command == 1;
	return sh(@options, 'nsenter', '--net=/run/netns/' . ns($name), @command);
}

# batch(NAME, LINES): lines for ip(8) in the namespace NAME; dies of a failure.
sub batch ($name, $lines) { must({ stdin => $lines }, 'ip', '-n', ns($name), '-batch', '-') }

# wire(A, IF, ADDRESSES, B, IF, ADDRESSES): join two namespaces by a veth pair, up and with these addresses
# ("10.0.0.1/24 fd00::1/64"; IPv6 ones are usable at once).
sub wire ($a, $a_if, $a_addresses, $b, $b_if, $b_addresses) {
	must('ip', 'link', 'add', 'name', $a_if, 'netns', ns($a), 'type', 'veth', 'peer', 'name', $b_if, 'netns', ns($b));
	for ([$a, $a_if, $a_addresses], [$b, $b_if, $b_addresses]) {
		my ($ns, $if, $addresses) = @$_;
		batch($ns, join '', "link set dev $if up\n",
			map { "address add $_ dev $if" . (/:/ ? ' nodad' : '') . "\n" } split ' ', $addresses);
	}
}

# remove(NAME): what still runs in a namespace of ours was started there by the test. A tracker that is killed leaves its
# socket's name.
sub remove ($full) {
	my (undef, $pids) = sh('ip', 'netns', 'pids', $full);
	kill 'KILL', split ' ', $pids if $pids;
	sh('ip', 'netns', 'delete', $full);
	unlink "/run/cnic/netns/$full/track.sock";
	rmdir "/run/cnic/netns/$full";
}

# sweep(): remove the namespaces of processes that are gone.
sub sweep () {
	for my $file (glob '/run/netns/cnic-*') {
		$file =~ m{/(cnic-(\d+)-[^/]*)$} or next;
		remove($1) if !-e "/proc/$2";
	}
}

# relay({...}, COMMAND): run a command that prints TAP and make its results this test's own, and the last one that it
# ran to its end: exit status 0 and as many results as planned (each plan of several, as cmocka prints them). Skipped
# is failed. What else it prints is shown when something fails.
sub relay (@command) {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $options = ref $command[0] ? shift @command : {};
	my ($planned, $seen, $failed, @other) = (0, 0, 0);
	local %ENV = (%ENV, %{ $options->{env} // {} });
	my $pid = open(my $tap, '-|') // die "fork: $!\n";
	if (!$pid) {
		open STDIN,  '<',  '/dev/null';
		open STDERR, '>&', \*STDOUT;
		no warnings 'exec';
		exec { $command[0] } @command;
		print "$command[0]: $!\n";
		POSIX::_exit(127);
	}
	while (my $line = <$tap>) {
		chomp $line;
		my $said = $line =~ s/^# ?//r;    # a comment is shown as one
		if ($line =~ /^1\.\.(\d+)/) {
			$planned += $1;
		} elsif ($line =~ /^(not )?ok\b\s*\d*(?:\s*-)?\s*(.*)/) {
			my ($not, $name) = ($1, $2);
			$seen++;
			$not = 1 if $name =~ /#\s*(?:skip|todo)\b/i;
			$failed++ if $not;
			Test::More::ok(!$not, $name);
			diag($_) for $not ? splice @other : ();
			@other = ();
			next;
		}
		if   ($failed) { diag($said) }
		else           { push @other, $said; shift @other if @other > 50 }
	}
	close $tap;
	my $status = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
	my $name   = $options->{name} // "@command";
	my $whole  = Test::More::ok($status eq '0' && $planned && $planned == $seen, "$name ran to its end")
		|| diag("exit status $status; $planned results planned, $seen seen") && 0;
	diag($_) for $whole || $failed ? () : @other;
	return $whole && !$failed;
}

# in_vm({write => 1, timeout => SECONDS}, SCRIPT, ARGUMENTS): relay a bash script that prints TAP (tests/lib/tap.sh)
# from a test machine, which sees the tree and $ENV{CNIC}. Perl is slow in there, a run is not: use bash, and one
# machine for many checks.
sub in_vm (@command) {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $options = ref $command[0] ? shift @command : {};
	my %env = $options->{timeout} ? (CNIC_VM_TIMEOUT => $options->{timeout}) : ();
	return relay({ name => $command[0] =~ s{^\Q$root\E/}{}r, env => \%env },
		"$root/tests/vm/run", $options->{write} ? '-w' : (), 'bash', @command);
}

# A signal must end in END too.
for my $signal (qw(HUP INT TERM)) {
	my %number = (HUP => 1, INT => 2, TERM => 15);
	$SIG{$signal} = sub { exit 128 + $number{$signal} };
}

END {
	if ($$ == $owner) {
		local $?;    # the test's exit status
		remove($_) for keys %namespaces;
	}
}

1;
