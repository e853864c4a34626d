#!/usr/bin/perl
# What `cnic apply` installs of every example is what nft, ip and sysctl install of the text that cnic emits. Of the
# policies that $CNIC_HERE names instead, which have no tunnels, it is tried without a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Lab;
use Test::More;

chdir $root or die "$root: $!\n";
my @examples = map { s{^\Q$root\E/}{}r } $ENV{CNIC_HERE} ? split ' ', $ENV{CNIC_HERE} : glob "'$root'/examples/*.cni";
my @machine  = $ENV{CNIC_HERE} ? () : "$root/tests/vm/run";
my $json     = JSON::PP->new->utf8->canonical->pretty;

my ($status, $out) = sh(@machine, 'bash', 'tests/differential/install.sh', @examples);
is($status, 0, 'the test machine ran to its end');
is_deeply([ $out =~ /^!! (.*)/mg ], [], 'everything loads');
my %got;
$got{"$1 $3"}{$2} = $4 while $out =~ /^== (\S+) (\w+) (\w+)\r?\n(.*?)(?=^(?:==|!!) |\z)/msg;

sub pick ($record, @fields) { return { map { ($_ => $record->{$_}) } grep { exists $record->{$_} } @fields } }

# Of nft's list: no handles, in no order but that of rules within a chain, and without what only a live router has.
sub nft ($text) {
	my (%objects, %rules);
	for my $item (@{ from_json($text)->{nftables} }) {
		my ($kind, $object) = %$item;
		next if $kind eq 'metainfo' || ($kind eq 'set' && $object->{name} eq 'former');
		delete $object->{handle};
		if   ($kind eq 'rule') { push @{ $rules{ $object->{chain} } }, $object->{expr} }
		else                   { $objects{"$kind $object->{name}"} = $object }
	}
	return { objects => \%objects, rules => \%rules };
}

# Of ip's lists: what cnic decides, sorted. Addresses and routes that the kernel makes by itself hold random parts.
sub sorted (@records) { return [ sort map { $json->encode($_) } @records ] }

sub ip ($text) {
	my ($links, $devices, $routes) = map { from_json($_) } split /\n/, $text;
	my @addresses;
	for my $device (@$devices) {
		push @addresses, map { [ $device->{ifname}, $_->{local}, $_->{prefixlen} ] }
			grep { $_->{scope} ne 'link' } @{ $device->{addr_info} };
	}
	return {
		links     => sorted(map { pick($_, qw(ifname link mtu group linkinfo operstate)) } @$links),
		addresses => sorted(@addresses),
		routes    => sorted(grep { $_->{dst} !~ /^f[ef]/ } @$routes),
	};
}

my %part = (
	nft      => \&nft,
	ip       => \&ip,
	rule4    => sub ($text) { sorted(@{ from_json($text) }) },
	rule6    => sub ($text) { sorted(@{ from_json($text) }) },
	settings => sub ($text) { [ sort split /\s*\n/, $text ] },
);

for my $example (@examples) {
	subtest $example => sub {
		for my $what (sort keys %part) {
			my $both = $got{"$example $what"};
			ok(defined $both->{cnic} && defined $both->{tools}, "$what was listed both times") or next;
			is_deeply($part{$what}->($both->{cnic}), $part{$what}->($both->{tools}), "$what is the same");
		}
	};
}
done_testing;
