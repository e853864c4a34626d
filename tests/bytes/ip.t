#!/usr/bin/perl
# What cnic sends over rtnetlink against what ip(8) sends for the same devices, addresses, rules and routes, attribute
# by attribute; and what the kernel holds after the one and after the other.
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Lab;
use Test::More;

my @policies = qw(gre-options t2-classic);

# decode(STRING): an attribute's bytes as strace prints them.
sub decode ($text) { return $text =~ s/\\x([0-9a-f]{2})/chr hex $1/ger }

# device_data(BYTES): IFLA_INFO_DATA, which strace leaves as bytes, as words "DATA.type=hex".
sub device_data ($bytes) {
	my @words;
	while (length $bytes >= 4) {
		my ($len, $type) = unpack 'vv', $bytes;
		last if $len < 4;
		push @words, sprintf 'DATA.%d=%s', $type & 0x3fff, unpack 'H*', substr($bytes, 4, $len - 4);
		$bytes = substr $bytes, ($len + 3) & ~3;
	}
	return @words;
}

# message(TEXT): one netlink message in a form that does not depend on order, numbering and what is left out or zero.
sub message ($text) {
	my ($type) = $text =~ /nlmsg_type=(RTM_\w+)/;
	my ($header) = $text =~ /^[^}]*\}, \{([^}]*)\}/;
	$header =~ s{/\*.*?\*/|ifi_type=\w+, |ifa_flags=\w+, |rtm_table=\w+, }{}g;
	my @words;
	if ($text =~ s/\{nla_len=\d+, nla_type=RTA_MULTIPATH\}, (\[.*\])\]\]//) {
		push @words, 'RTA_MULTIPATH=' . $1 =~ s/nla_len=\d+, |rtnh_len=\d+, //gr;
	}
	while ($text =~ /nla_type=(?:NLA_F_NESTED\|)?(\w+)\}, (?!\[)((?:"[^"]*"|[^\]"])+)/g) {
		my ($attribute, $value) = ($1, $2);
		$value =~ s/"\.\.\./"/;
		if ($attribute eq 'IFLA_INFO_DATA') { push @words, device_data(decode($value =~ s/^"|"$//gr)) }
		else                                { push @words, "$attribute=$value" }
	}
	# said by cnic alone: its mark, and that no duplicate is looked for. Said by ip alone: what is the default anyway;
	# and of ip6gre a limit beside the flag that there is none, flags of an encapsulation that there is not, and
	# the version of ERSPAN
	@words = grep { !/^(?:IFA_PROTO|IFA_FLAGS)=|=(?:0+|inet_pton\(AF_INET6, "::"\))$/ } @words;
	@words = grep { !/^DATA\.(?:11=04|15=0200|22=01)$/ } @words;
	return join ' ', $type, $header, sort @words;
}

# messages(TRACE): those that make something, sorted.
sub messages ($trace) {
	my @made;
	for my $line (split /\n/, $trace) {
		while ($line =~ /\{nlmsg_len=\d+, (nlmsg_type=RTM_NEW\w+.*?)(?=\{nlmsg_len=|iov_len|$)/g) {
			my $made = $1;
			push @made, message($made) if $made =~ /NLM_F_CREATE/;
		}
	}
	return sort @made;
}

# same(OURS, THEIRS, NAME): two lists hold the same; shows only what they do not.
sub same ($ours, $theirs, $name) {
	my (%more, @differences);
	$more{$_}++ for @$ours;
	$more{$_}-- for @$theirs;
	push @differences, ($more{$_} > 0 ? "cnic alone: $_" : "ip alone: $_") for grep { $more{$_} } sort keys %more;
	ok(!@differences, $name) or diag(join "\n", @differences);
}

# holding(LINES): what ip shows, without what differs in any two namespaces, and without the marks.
sub holding ($lines) {
	my $json = JSON::PP->new->canonical->pretty;
	my @parts;
	for my $line (split /\n/, $lines) {
		next if $line !~ m{^\[};    # nothing to show
		my $list = from_json($line);
		for my $item (@$list) {
			delete @{$item}{qw(address permaddr link_netnsid ifalias ifindex txqlen broadcast)};
			for my $address (@{ $item->{addr_info} // [] }) {
				delete @{$address}{qw(nodad tentative dadfailed protocol valid_life_time preferred_life_time)};
			}
			$item->{addr_info} = [sort { $a->{local} cmp $b->{local} } grep { $_->{local} !~ /^fe80/ } @{ $item->{addr_info} }]
				if $item->{addr_info};
		}
		# the modules leave devices of their own in the namespace that is there first
		push @parts, grep {
			($_->{dst} // '') !~ /^fe80|^ff00/
				&& ($_->{ifname} // '') !~ /^(?:gre|gretap|erspan|ip6gre|ip6tnl|tunl|sit)0$/
		} @$list;
	}
	return map { $json->encode($_) } @parts;
}

my ($status, $out) = sh("$root/tests/vm/run", 'bash', "$root/tests/bytes/ip.sh", @policies);
is($status, 0, 'the test machine ran');
my %said;
my $policy = '';
for (split /\n/, $out) {
	if    (/^=== (.*)/)             { $policy = $1 }
	elsif (/^(cnic|ip)([:=]) (.*)/) { $said{$policy}{"$1$2"} .= "$3\n" }
	elsif (/\S/)                    { diag($_) }
}
for (@policies) {
	my %s = %{ $said{$_} // {} };
	my @sent = messages($s{'cnic:'} // '');
	ok(@sent > 20, "$_: there are messages");
	same(\@sent, [messages($s{'ip:'} // '')], "$_: cnic sends what ip sends");
	same([holding($s{'cnic='} // '')], [holding($s{'ip='} // '')], "$_: and the kernel holds the same");
}
done_testing;
