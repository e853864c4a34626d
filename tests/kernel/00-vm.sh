#!/bin/bash
# Runs in a test machine for 00-vm.t: the kernel parts, the host's tools, and the laboratory of tap.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

ns a b
wire a eth0 "10.0.0.1/24 fd00::1/64" b eth0 "10.0.0.2/24 fd00::2/64"
ok "ping" at a ping -q -c 1 -W 5 10.0.0.2
ok "ping over IPv6" at a ping -q -c 1 -W 5 fd00::2

ok "VRF, dummy, ifb, VLAN, GRE and GRE over IPv6" batch a <<X
link add red up type vrf table 100
link add d0 up type dummy
link add i0 type ifb
link add link eth0 name eth0.7 up type vlan id 7
link add g0 mtu 1476 type gre local 10.0.0.1 remote 10.0.0.2 ttl 255
link add g1 type gre local 10.0.0.1 remote 10.0.0.2 key 5
link add g6 type ip6gre local fd00::1 remote fd00::2 encaplimit none
link set g1 master red
address add 10.1.0.1/31 dev g0
link set g0 up
X
batch b <<X
link add g0 mtu 1476 up type gre local 10.0.0.2 remote 10.0.0.1 ttl 255
address add 10.1.0.0/31 dev g0
X
ok "packets pass through GRE" at a ping -q -c 1 -W 5 10.1.0.0

ok "nft: nat, masquerade, ct, fib, jhash, reject, log, limit, maps" at a nft -f - <<'X'
table inet t {
	map m { typeof ip daddr : meta mark; flags interval; elements = { 10.9.0.0/16 : 7 } }
	chain prerouting {
		type nat hook prerouting priority dstnat
		tcp dport 80 dnat ip to jhash ip saddr mod 2 map { 0 : 10.0.0.2, 1 : 10.0.0.3 }
	}
	chain postrouting {
		type nat hook postrouting priority srcnat
		oifname "g0" masquerade
	}
	chain mangle {
		type route hook output priority mangle
		ct state new ct mark set jhash ip saddr . ip daddr mod 16
		meta mark set ip daddr map @m
		meta mark set ct mark
		tcp flags syn tcp option maxseg size set rt mtu
	}
	chain input {
		type filter hook input priority filter
		ct state established,related accept
		fib saddr . iif oif missing drop
		ip6 nexthdr icmpv6 fib daddr type local accept
		limit rate 5/second log prefix "x" counter
		tcp dport 9 reject with tcp reset
		udp dport 9 reject with icmpx port-unreachable
	}
}
table netdev n {
	chain c { type filter hook ingress device "eth0" priority 0; ip saddr 192.0.2.1 drop; }
}
X
ok "nft lists it as JSON" at a nft -j list ruleset

at b ping -q -c 1 -W 5 10.0.0.1 >/dev/null
ok "conntrack lists" at a conntrack -L
like "$out" "src=10.0.0.2 dst=10.0.0.1" "and sees the ping"

at a tcpdump -n --immediate-mode -c 1 -i eth0 -w "$lab_dir/pcap" ip proto gre 2>"$lab_dir/tcpdump" &
until grep -q listening "$lab_dir/tcpdump"; do sleep 0.05; done
at a ping -q -c 1 -W 5 10.1.0.0 >/dev/null
wait $!
run tcpdump -n -r "$lab_dir/pcap"
like "$out" "GREv0" "tcpdump sees GRE"

ok "perl" perl -e 1
ok "a module that is not loaded yet" modprobe nft_xfrm
ok "process substitution" bash -c 'cat <(:)'
done_testing
