#!/bin/bash
# Options of tunnels, as packets show them: key, checksum, sequence, fragments, GRE over IPv6. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

lab classic
echo "address add 2001:db8:0:1::1/64 dev eth0 nodad
	address add 2001:db8:0:f::1/64 dev eth1 nodad
	route add 2001:db8:f::/48 via 2001:db8:0:f::2" | batch net
batch far <<-X
	address add 2001:db8:0:f::2/64 dev net nodad
	address add 2001:db8:f::1/128 dev lo nodad
	address add 203.0.113.1/32 dev lo
	address add 203.0.113.2/32 dev lo
	route add 2001:db8:0:1::/64 via 2001:db8:0:f::1
	link add keyed up mtu 1464 type gre local 203.0.113.1 remote 198.51.100.2 ttl 64 key 7 csum seq
	link add big up mtu 1500 type gre local 203.0.113.2 remote 198.51.100.2 ttl 64
	link add six up mtu 1456 type ip6gre local 2001:db8:f::1 remote 2001:db8:0:1::2 encaplimit none
	address add 10.99.0.4/31 dev six
	address add 10.21.0.1/32 dev lo
	address add 10.22.0.1/32 dev lo
	address add 2001:db8:22::1/128 dev lo nodad
	route add 10.10.0.0/24 dev keyed advmss 1460
	route replace 10.10.0.0/16 dev six advmss 1460
	route replace 2001:db8:10::/48 dev six advmss 1440
X
before=$(state router)
apply "apply" "$examples/gre-options.cni"
unchanged "a second apply changes nothing" "$examples/gre-options.cni"
watch router net far lan
serve far 53 80

answered "a tunnel with key, checksum and sequence numbers" lan udp 10.10.0.5 10.20.0.1 53 flows 5 tos 0xb8
saw 5 router '^eth0 out gre .* > 203\.0\.113\.1 tos 0xb8 ttl 32 .*csum key 7 seq : udp' "as the policy has it"
answered "TCP in it" lan tcp 10.10.0.5 10.20.0.1 80
mss far keyed '10\.10\.0\.5' SYN 1424 "MSS in the SYN"
mss lan eth0 '10\.20\.0\.1' SYN-ACK 1424 "and in the SYN-ACK"

answered "a full packet with DF through a tunnel that fragments" lan udp 10.10.0.5 10.21.0.1 53 size 1472
saw some router '^eth0 out gre 198\.51\.100\.2 > 203\.0\.113\.2 ' "is sent in its tunnel"
saw 0 lan '^eth0 in icmp' "nobody asks for smaller ones"
answered "TCP in it" lan tcp 10.10.0.5 10.21.0.1 80
mss far big '10\.10\.0\.5' SYN 1400 "MSS as written"
send lan udp 10.10.0.5 10.20.0.1 53 size 1472 wait 300 >/dev/null
saw some lan '^eth0 in icmp .* type 3 code 4 ' "a tunnel that does not asks for smaller packets"

answered "GRE over IPv6" lan udp 10.10.0.5 10.22.0.1 53 flows 5
saw 5 router '^eth0 out gre 2001:db8:0:1::2 > 2001:db8:f::1 .*: udp 10\.' "carries IPv4"
answered "and IPv6" lan udp 2001:db8:10::5 2001:db8:22::1 53 flows 5
saw 5 router '^eth0 out gre 2001:db8:0:1::2 > 2001:db8:f::1 .*: udp 2001' "in IPv6"
answered "TCP in it" lan tcp 2001:db8:10::5 2001:db8:22::1 80
mss far six '2001:db8:10::5' SYN 1396 "MSS for IPv6"
answered "and over IPv4" lan tcp 10.10.0.5 10.22.0.1 80
mss far six '10\.10\.0\.5' SYN 1416 "MSS for IPv4"

forget
send lan udp 10.10.0.5 198.18.0.1 53 wait 100 >/dev/null
saw 1 net '^eth0 in udp 10\.10\.0\.5\..* > 198\.18\.0\.1\.53 ' "what no route matches goes by main"
ok "remove" cnic remove
same "$before" "leaves everything as it was"
done_testing
