#!/bin/bash
# What is not cnic's stays untouched, and policies follow each other under traffic. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

lab classic
# things of others: a table with a firewall, NAT and marks of its own, rules, routes, devices, addresses, settings;
# and some that the policy wants as well: the VLAN device, its address, a tunnel's own address
at router nft -f - <<-'X'
	table inet foreign {
		set blocked { type ipv4_addr; flags interval; elements = { 192.0.2.128/25 } }
		chain prerouting { type filter hook prerouting priority -160; ip saddr @blocked drop
			meta mark set meta mark or 0x10000; }
		chain postrouting { type nat hook postrouting priority 110; oifname "dummy0" masquerade; }
	}
	table ip nat {
		chain output { type nat hook output priority -100; }
	}
X
batch router <<-X
	link add dummy0 up type dummy
	address add 172.20.0.1/24 dev dummy0
	link add gre7 up type gre local 172.20.0.1 remote 172.20.0.2 key 7
	link add link eth1 name eth1.100 up type vlan id 100
	address add 192.0.2.11/31 dev eth1.100
	address add 198.51.100.131/32 dev lo
	rule add priority 900 to 172.20.0.0/16 lookup main
	rule add priority 5000 fwmark 0x10000/0xff0000 lookup 77
	rule add priority 1002 iif dummy0 lookup 78
	route add 172.21.0.0/16 via 172.20.0.9 table 77 proto static
	route add 172.22.0.0/16 via 172.20.0.9 metric 1005
	nexthop add id 7 via 172.20.0.9 dev dummy0
X
at router ip -6 rule add priority 901 to 2001:db8:77::/48 lookup 77
setting router ipv4/conf/eth0/rp_filter=1 ipv4/conf/eth3/accept_local=1 ipv4/fib_multipath_hash_policy=2

# foreign: the parts of the router's state that no policy is about.
foreign() {
	at router nft list table inet foreign
	at router nft list table ip nat
	at router ip -d address show dev dummy0
	at router ip -d address show dev gre7
	at router ip -d link show dev eth1.100
	at router ip -4 -d address show dev eth1.100
	at router ip -d rule | grep -v 'proto 93'
	at router ip -6 -d rule | grep -v 'proto 93'
	at router ip -d route show table 77
	at router ip route | grep -v ' dev \(cf[12]\|eth3.200\) '
	at router ip nexthop
	at router grep -s . /proc/sys/net/ipv4/conf/{dummy0,gre7,eth2}/*
}
sleep 1.2 # the kernel takes up to a second to tell of a carrier
before=$(state router) others=$(foreign)

a=$examples/t2-classic.cni b=$lab_dir/b.cni
sed '/^expect/d; s/via cf1 weight 3, cf2 weight 1 else drop/via cf2 then cf1 else drop/' "$a" >"$b"
apply "apply" "$a"
is "$(foreign)" "$others" "what others own is untouched"
watch router far
serve far 53
answered "traffic flows" lan udp 10.1.0.5 198.18.0.1 53 flows 20

# A to B to A, with flows that go on all the while
send lan udp 10.1.0.5 198.18.0.2 53 flows 10 packets 500 every 20 sport 50000 wait 5000 >"$lab_dir/flows" &
flows=$!
sleep 0.5
apply "another policy, under traffic" "$b"
sleep 1.5 # what was captured before is written down by then
forget
sleep 0.3
saw 0 far '^cf1 in udp .* > 198\.18\.0\.2\.' "steers the next packet of every flow"
apply "and the first one again" "$a"
sleep 0.5
saw some far '^cf1 in udp .* > 198\.18\.0\.2\.' "as before"
for _ in 1 2 3 4; do
	for policy in "$b" "$a"; do cnic apply -q "$policy" || result 1 "to and fro"; done
done
wait $flows
is "$(<"$lab_dir/flows")" "sent 5000 answered 5000" "not one packet was lost"
saw 0 router '^eth0 out ' "nor sent astray"
is "$(foreign)" "$others" "what others own is still untouched"
unchanged "another apply has nothing to do" "$a"

# ours, changed by someone else: a rule, its routes, and the chain that all packets meet
read -r priority table < <(at router ip rule | sed -n 's|^\([0-9]*\):.* fwmark 0x1/0xffff lookup \([0-9]*\).*|\1 \2|p')
at router ip rule del priority "$priority"
at router ip route flush table "$table"
at router nft flush chain inet cnic prerouting
apply "apply mends what others broke" "$a"
answered "traffic flows" lan udp 10.1.0.5 198.18.0.3 53 flows 20
unchanged "and then has nothing to do" "$a"

# in the way: a device of someone else's with a tunnel's name
ok "remove" cnic remove
same "$before" "leaves everything as it was, to the byte"
echo "link add cf1 type dummy" | batch router
before=$(state router)
fails "a foreign device with a tunnel's name is refused" cnic apply "$a"
is "$status" 1 "before anything is changed"
like "$err" 'cf1' "the device is named"
same "$before" "and nothing has"
ok "remove without a policy" cnic remove
same "$before" "does nothing"
done_testing
