#!/usr/bin/perl
# forge.pl KIND: answers every ICMP echo that comes in here, wrongly in one respect ("right": in none). Run where the
# kernel itself does not answer (net.ipv4.icmp_echo_ignore_all).
# SPDX-License-Identifier: GPL-2.0-or-later
use v5.36;
use Socket;
use Time::HiRes qw(sleep);

my ($kind) = @ARGV;
socket(my $in,  AF_INET, SOCK_RAW, 1)   or die "socket: $!\n";    # ICMP
socket(my $out, AF_INET, SOCK_RAW, 255) or die "socket: $!\n";    # with headers of our own

sub checksum ($data) {
	my $sum = 0;
	$sum += $_ for unpack 'n*', length($data) % 2 ? "$data\0" : $data;
	$sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
	return ~$sum & 0xffff;
}

# answer(FROM, TO, TYPE, ID, SEQUENCE, REST): as a packet of the network.
sub answer ($from, $to, $type, $id, $sequence, $rest, $spoilt = 0) {
	my $icmp = pack 'CCnnna*', $type, 0, 0, $id, $sequence, $rest;
	substr $icmp, 2, 2, pack 'n', checksum($icmp) ^ $spoilt;
	my $packet = pack('CCnnnCCna4a4', 0x45, 0, 20 + length $icmp, 0, 0, 64, 1, 0, $from, $to) . $icmp;
	send $out, $packet, 0, pack_sockaddr_in(0, $to);
	return;
}

my @late;
while (defined recv $in, my $packet, 65536, 0) {
	my ($from, $to) = unpack 'x12 a4 a4', $packet;
	my ($type, undef, undef, $id, $sequence, $rest) = unpack 'CCnnna*', substr $packet, (ord($packet) & 15) * 4;
	next if $type != 8;
	my ($source, $answer_type, $spoilt) = ($to, 0, 0);
	my $other = inet_aton(inet_ntoa($to) eq '192.0.2.10' ? '192.0.2.20' : '192.0.2.10');
	if    ($kind eq 'id')        { $id       ^= 1 }
	elsif ($kind eq 'sequence')  { $sequence ^= 0x4000 }
	elsif ($kind eq 'source')    { $source = inet_aton('198.18.0.1') }
	elsif ($kind eq 'cookie')    { substr $rest, 3, 1, chr(ord(substr $rest, 3, 1) ^ 1) }
	elsif ($kind eq 'truncated') { $rest = substr $rest, 0, 4 }
	elsif ($kind eq 'type')      { $answer_type = 3 }
	elsif ($kind eq 'checksum')  { $spoilt = 0x0101 }
	elsif ($kind eq 'late') {
		push @late, [$to, $from, 0, $id, $sequence, $rest];
		next if @late < 7;    # three turns of two addresses: 150 ms, of a timeout of 50
		answer(@{ shift @late });
		next;
	} elsif ($kind eq 'device') {
		# by the uplink, where the router has the address as well
		setsockopt($out, SOL_SOCKET, 25, "net\0") or die "SO_BINDTODEVICE: $!\n";
	}
	answer(@$_) for ([$source, $from, $answer_type, $id, $sequence, $rest, $spoilt]) x ($kind eq 'twice' ? 2 : 1);
}
