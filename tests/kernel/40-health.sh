#!/bin/bash
# The far side's health probes, of every direction and type, are answered by the right way. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

lab classic
# four tunnels and one with legacy probes, from one far endpoint each
batch far < <(
	for n in 1 2 3 4 5; do
		echo "address add 203.0.113.$((220 + n))/32 dev lo"
		far_tunnel t$n 203.0.113.$((220 + n)) 198.51.100.$((n < 5 ? 127 + n : 2)) "10.100.2.$((2 * n))/31" \
			"2001:db8:fffe::$((2 * n))/127"
	done
)
# a firewall of someone else's: what conntrack cannot place is dropped (and multicast listeners are none of it)
at router nft -f - <<-'X'
	table inet firewall {
		chain judge { icmpv6 type > 129 accept; ct state invalid counter drop; }
		chain early { type filter hook prerouting priority 10; iif lo accept; jump judge; }
		chain input { type filter hook input priority 10; iif lo accept; jump judge; }
		chain forward { type filter hook forward priority 10; jump judge; }
	}
X
before=$(state router)

# tunnel NUMBER LOCAL LINK HEALTH
tunnel() {
	echo "tunnel t$1 { kind gre; over $3; local $2; remote 203.0.113.$((220 + $1)); ttl 64; track off;"
	echo "	address 10.100.2.$((2 * $1 + 1))/31, 2001:db8:fffe::$((2 * $1 + 1))/127; health $4 }"
}
{
	cat <<-X
		lan hq { device eth2; prefix 10.1.0.0/16, 2001:db8:10::/48; }
		link cni { kind classic; device eth1 vlan 100; address 192.0.2.11/31; }
		link isp { kind internet; device eth0; address 198.51.100.2/30; }
		policy hq on eth2 { route all via t1 then t2 then t3 then t4 then t5 else drop; }
	X
	tunnel 1 198.51.100.128 cni "{ direction bidirectional; type request; }"
	tunnel 2 198.51.100.129 cni "{ direction bidirectional; type reply; }"
	tunnel 3 198.51.100.130 cni "{ direction unidirectional; type request; }"
	tunnel 4 198.51.100.131 cni "{ direction unidirectional; type reply; }"
	tunnel 5 198.51.100.2 isp "legacy { target 172.64.240.254; }"
} >"$lab_dir/health.cni"
apply "apply" "$lab_dir/health.cni"
unchanged "a second apply changes nothing" "$lab_dir/health.cni"
watch router net far

# probe NAME DEVICE SRC DST TYPE ID WAY ANSWER-SRC ANSWER-DST ICMP-TYPE: sent into a tunnel; its answer, and no other,
# comes by WAY.
probe() {
	forget
	send far echo "$2" "$3" "$4" "$5" "$6"
	saw 1 far "^$7 in icmp6? ${8//./\\.} > ${9//./\\.} .* type ${10} code 0 id $6\$" "$1"
	saw 1 far "^[a-z0-9]* in icmp.* id $6\$" "$1: once"
}
probe "request, bidirectional: through the tunnel" t1 10.100.2.2 10.100.2.3 request 11 t1 10.100.2.3 10.100.2.2 0
probe "and over IPv6" t1 2001:db8:fffe::2 2001:db8:fffe::3 request 12 t1 2001:db8:fffe::3 2001:db8:fffe::2 129
probe "reply, bidirectional: sent back through the tunnel" \
	t2 10.100.2.5 10.100.2.4 reply 21 t2 10.100.2.5 10.100.2.4 0
probe "and over IPv6" t2 2001:db8:fffe::5 2001:db8:fffe::4 reply 22 t2 2001:db8:fffe::5 2001:db8:fffe::4 129
probe "request, unidirectional: beside the tunnel" \
	t3 203.0.113.210 198.51.100.130 request 31 a 198.51.100.130 203.0.113.210 0
probe "reply, unidirectional: beside the tunnel" \
	t4 198.51.100.131 203.0.113.210 reply 41 a 198.51.100.131 203.0.113.210 0
probe "legacy: by the tunnel that it came in by" \
	t5 203.0.113.210 172.64.240.254 request 51 t5 172.64.240.254 203.0.113.210 0
probe "a public address inside the tunnel" t1 203.0.113.210 10.100.2.3 request 61 t1 10.100.2.3 203.0.113.210 0
for i in 1 2 3 4 5; do send far echo t2 10.100.2.5 10.100.2.4 reply 7$i; done
saw 5 far '^t2 in icmp 10\.100\.2\.5 .* id 7' "probes of the reply type again and again"
ok "the firewall's counters" at router nft list table inet firewall
unlike "$out" 'packets [1-9]' "nothing was invalid to conntrack"

ok "remove" cnic remove
same "$before" "leaves everything as it was, the firewall too"
done_testing
