#!/bin/bash
# The tracker over GRE tunnels, whose devices stay up whatever happens to their packets: a tunnel is lost, an
# interconnect under it is, the device itself is. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

# probes that a slow machine keeps up with
track='track { every 200ms; down 3; up 3; }'
cat >"$lab_dir/policy.cni" <<-X
	lan hq { device eth2; prefix 10.1.0.0/16; }
	link cni-a { kind classic; device eth1 vlan 100; address 192.0.2.11/31; $track }
	link cni-b { kind classic; device eth3 vlan 200; address 192.0.2.21/31; $track }
	link isp { kind internet; device eth0; address 198.51.100.2/30; }
	tunnel cf1 { kind gre; over cni-a then cni-b; local 198.51.100.130; remote 203.0.113.200; address 10.100.0.9/31;
		health off; $track }
	tunnel cf2 { kind gre; over cni-a then cni-b; local 198.51.100.131; remote 203.0.113.201; address 10.100.0.11/31;
		health off; $track }
	policy hq on eth2 { route all via cf1 then cf2 else drop; else drop; }
X

# As compiler/state/down.h has it: FNV-1a of the name is the metric of the route that says so.
metric() {
	local hash=2166136261 i
	for ((i = 0; i < ${#1}; i++)); do hash=$((((hash ^ $(printf %d "'${1:i:1}")) * 16777619) & 0xffffffff)); done
	echo "$hash"
}
is_down() { at router ip route show table 36383 | grep -q "metric $(metric "$1") "; }
is_up() { ! is_down "$1"; }
# soon NAME COMMAND...: it holds within some seconds.
soon() {
	local i
	for ((i = 0; i < 80; i++)); do
		if "${@:2}"; then break; fi
		sleep 0.1
	done
	ok "$1" "${@:2}" || diag "$(cat "$lab_dir/tracker")"$'\n'"$(at router ip route show table all proto 93)"
}
# leads DEVICE TABLE PREFIX: the best route of it is by this device.
leads() { at router ip route show table "$2" "${@:3}" | head -n 1 | grep -q "dev $1 "; }

lab classic
apply "apply" "$lab_dir/policy.cni"
watch router far
serve far 53
nsenter --net="/run/netns/$(nsname router)" "$CNIC" track -v 2>"$lab_dir/tracker" &
tracker=$!
sleep 3
ok "all is up" test -z "$(at router ip route show table 36383)"
answered "the LAN is answered" lan udp 10.1.0.5 198.18.0.1 53 flows 5 sport 31000
saw 5 far '^cf1 in udp 10\.1\.0\.5' "by the first tunnel"

forget
# the provider's end of one tunnel is deaf: its device here is up, and stays so
at far nft -f - <<-X
	table inet deaf {
		chain in { type filter hook prerouting priority -500; ip protocol gre ip daddr 203.0.113.200 drop; }
	}
X
soon "a tunnel whose packets are lost is down" is_down cf1
ok "its device is not" at router ip link show dev cf1 up
ok "the other is up" is_up cf2
echo "route replace 10.1.0.0/16 dev cf2" | batch far
answered "the LAN is answered" lan udp 10.1.0.5 198.18.0.1 53 flows 5 sport 32000
saw 5 far '^cf2 in udp 10\.1\.0\.5' "by the second tunnel"
at far nft delete table inet deaf
soon "it answers, and is up again" is_up cf1
echo "route replace 10.1.0.0/16 dev cf1" | batch far
forget
answered "flows that were on the second" lan udp 10.1.0.5 198.18.0.1 53 flows 5 sport 32000
saw 5 far '^cf2 in udp 10\.1\.0\.5' "stay on it"
answered "the LAN is answered" lan udp 10.1.0.5 198.18.0.1 53 flows 5 sport 33000
saw 5 far '^cf1 in udp 10\.1\.0\.5' "by the first, in new ones"

# an interconnect is deaf, without a loss of carrier: the outer packets of both tunnels go by the other
underlay=$(at router ip -o rule | sed -n 's/.*from 198\.51\.100\.130 .*lookup \([0-9]*\).*/\1/p')
ok "outer packets go by the first interconnect" leads eth1.100 "$underlay" 203.0.113.200
at a nft -f - <<-X
	table netdev deaf {
		chain in { type filter hook ingress device eth0 priority -500; policy drop; }
	}
X
soon "an interconnect that does not answer is down" is_down cni-a
soon "outer packets go by the second" leads eth3.200 "$underlay" 203.0.113.200
outer_by b | batch far
soon "the tunnel is up by that" is_up cf1
forget
answered "the LAN is answered" lan udp 10.1.0.5 198.18.0.1 53 flows 5 sport 34000
saw some router '^eth3\.200 out gre 198\.51\.100\.130 > 203\.0\.113\.200 ' "by the second interconnect"
at a nft delete table netdev deaf
soon "the first answers again" is_up cni-a
outer_by a | batch far
soon "and carries outer packets again" leads eth1.100 "$underlay" 203.0.113.200

at router ip link delete cf1
soon "a tunnel whose device is gone is down" is_down cf1
echo "route replace 10.1.0.0/16 dev cf2" | batch far
answered "the LAN is answered" lan udp 10.1.0.5 198.18.0.1 53 flows 5 sport 35000
apply "apply makes it again" "$lab_dir/policy.cni"
soon "and it is up, once it answers" is_up cf1
soon "with its routes" leads cf1 20001 default
ok "the kernel is as the policy says" cnic drift

is_bare() { [ -z "$(at router ip route show table all proto 93)" ]; }
ok "remove, while the tracker sees its devices go" cnic remove
soon "nothing is left" is_bare
kill "$tracker"
wait "$tracker"
is "$?" 0 "the tracker ends"
done_testing
