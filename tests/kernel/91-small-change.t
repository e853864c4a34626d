#!/usr/bin/perl
# A small change of a large set stays small: of 100,000 prefixes ten are changed, and the kernel gets the pieces that
# hold them, finds the others as they were, and looks up right on both sides of every cut.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Socket qw(inet_ntoa);
use Test::More;
use Time::HiRes qw(time);

my ($prefixes, $changes) = (100_000, 10);
my $cnic = $ENV{CNIC} // "$root/build/cnic";
ns('router');
wire('router', "eth$_", '', 'far', "far$_", '') for 0, 2;

# A /24 in each of the even ones from 16.0.0.0 on, in steps that leave the space crowded here and empty there.
my @members = map { [(16 << 24) + (2 * $_ + int($_ * $_ / 40_000) << 8), 255] } 0 .. $prefixes - 1;

# policy(NAME): a file with a policy of these members.
sub policy ($name) {
	my $set = join ",\n\t", map { inet_ntoa(pack 'N', $_->[0]) . '-' . inet_ntoa(pack 'N', $_->[0] + $_->[1]) } @members;
	return spew(scratch() . "/$name.cni", <<~"END");
		lan office { device eth2; prefix 10.1.0.0/24; }
		link a { kind pni; device eth0; address 192.0.2.1/31; track off; }
		define big = { $set };
		policy own on local { route in to big via a else drop; else drop; }
		policy office on eth2 { route in to big via a else drop; route out not to big via a else drop; else drop; }
		END
}

# here(WHAT, ARGUMENTS): cnic in the router's namespace: its JSON envelope, and the seconds that it took.
sub here ($what, @arguments) {
	my $start = time;
	my ($status, $out, $err) = at('router', $cnic, @arguments, '--json');
	my $took = time - $start;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($status, 0, $what) || diag($err || $out);
	return (from_json($out), $took);
}

# added(ENVELOPE): how many elements are in the sets that a plan adds.
sub added ($envelope) {
	my $sum = 0;
	for my $step ($envelope->{plan}{steps}->@*) {
		next if "$step->{op} $step->{object}" ne 'add set';
		$step->{after} =~ /\((\d+) elements?\)/ and $sum += $1;
	}
	return $sum;
}

# sets(): the handle of each set and map in the kernel, by name.
sub sets () {
	return map {
		my ($status, $out, $err) = at('router', "nft -j -t list $_ inet");
		die $err if $status;
		map { $_->{name} => $_->{handle} } map { values %$_ } grep { $_->{set} || $_->{map} } from_json($out)->{nftables}->@*;
	} 'sets', 'maps';
}

# counted(ROUTE, PACKETS): one packet of the router's own to each address, and how many of them the route counted.
sub counted ($route, @to) {
	my $count = sub { (at('router', "nft list counter inet cnic route.own.$route"))[1] =~ /packets (\d+)/ ? $1 : -1 };
	my $before = $count->();
	my ($status, undef, $err) = at('router', { stdin => join "\n", @to }, $^X, '-MSocket', '-ne', <<~'END');
		BEGIN { socket S, PF_INET, SOCK_DGRAM, 0 or die $! }
		chomp;
		send S, 'x', 0, pack_sockaddr_in(9, inet_aton($_)); # refused where the policy says drop
		END
	is($status, 0, scalar(@to) . ' packets') or diag($err);
	return $count->() - $before;
}

# edges(): both sides of every cut, and of every member that was changed.
sub edges (@changed) {
	my ($index) = grep {/^big\.4\.index\./} keys %{ { sets() } };
	my %cuts    = map { $_ => 1 } (at('router', "nft list map inet cnic $index"))[1] =~ m{([\d./-]+) : }g;
	my @at      = map { ($_->[0], $_->[0] + $_->[1] + 1) } @members[@changed];
	for my $range (keys %cuts) {
		my ($address, $bits, $to) = $range =~ m{^([\d.]+)(?:/(\d+)|-([\d.]+))?$} or die $range;
		my $lo = unpack 'N', pack 'C4', split /\./, $address;
		my $hi = $to ? unpack('N', pack 'C4', split /\./, $to) : $lo + 2**(32 - ($bits // 32)) - 1;
		push @at, $lo, $hi + 1;
	}
	# what is never steered (10.1.0.0/24 and the like), or no address of a packet, tells nothing
	my %edge = map { $_ => 1 } grep { $_ >> 24 > 10 && $_ >> 24 < 127 } map { ($_ - 1, $_) } @at;
	return sort { $a <=> $b } keys %edge;
}

# is_member(ADDRESS): by bisection, since they are in order.
sub is_member ($address) {
	my ($lo, $hi) = (0, scalar @members);
	while ($lo < $hi) {
		my $mid = $lo + $hi >> 1;
		if   ($members[$mid][0] + $members[$mid][1] < $address) { $lo = $mid + 1 }
		else                                                    { $hi = $mid }
	}
	return $lo < @members && $members[$lo][0] <= $address;
}

sub looks_up_right ($what, @changed) {
	my @edges = edges(@changed);
	my (@in, @out);
	push @{ is_member($_) ? \@in : \@out }, inet_ntoa(pack 'N', $_) for @edges;
	cmp_ok(scalar @in, '>', 50, "$what: there are addresses to try");
	is(counted('in',   @in),  scalar @in,  "$what: members are found at every cut");
	is(counted('else', @out), scalar @out, "$what: and nothing else");
}

my ($first, $took_first) = here('apply', 'apply', '--yes', policy('before'));
at('router', 'ip route add default dev eth0');
my %before = sets();
looks_up_right('at first');

my @changed = map { int($_ * $prefixes / $changes) } 0 .. $changes - 1;
$members[$_] = [$members[$_][0] + 64, 127] for @changed;
my $file = policy('after');
my ($plan)                = here('plan', 'plan', $file);
my ($second, $took_second) = here('apply with ten changes', 'apply', '--yes', $file);
my %after = sets();

my ($all, $part) = (added($first), added($plan));
cmp_ok($all, '>=', $prefixes, 'the first apply loads all of it');
cmp_ok($part, '<', 0.05 * $prefixes, 'the second one loads less than a twentieth');
my @kept  = grep { exists $after{$_} } keys %before;
my @moved = grep { $before{$_} != $after{$_} } @kept;
cmp_ok(scalar @kept, '>', 0.9 * keys %before, 'nine in ten sets stay');
is("@moved", '', 'and are the same sets to the kernel');
my %added = map { /^(\S+) / ? ($1 => 1) : () } map { $_->{after} =~ s/^(?:set|map) //r }
	grep { "$_->{op} $_->{object}" eq 'add set' } $plan->{plan}{steps}->@*;
is(join(' ', sort grep { !exists $before{$_} } keys %after), join(' ', sort keys %added), 'the others are what the plan says');
looks_up_right('after the change', @changed);
my ($again) = here('a third apply', 'apply', '--yes', $file);
is($again->{changed}, JSON::PP::false, 'changes nothing');
diag(sprintf '%d prefixes: %d elements in %.2f s; %d changed: %d elements in %.2f s', $prefixes, $all, $took_first,
	$changes, $part, $took_second);
done_testing;
