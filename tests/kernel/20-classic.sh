#!/bin/bash
# T2, two Classic interconnects, where cnic writes the outer packet's way. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

# shared NAME REGEX: of 200 flows, 3 of 4 by cf1 (150 ± 4 standard deviations).
shared() {
	local n1 n2
	saw 200 far "^cf[12] in $2" "$1"
	n1=$(seen far "^cf1 in $2") n2=$(seen far "^cf2 in $2")
	result "$((n1 < 125 || n1 > 175))" "3 to 1 over the tunnels ($n1 and $n2)"
}

lab classic
at router nft -f - <<-'X' # an observer: what the router itself is offered
	table inet observer {
		chain input { type filter hook input priority 0; tcp flags syn tcp option maxseg size 1436 counter; }
	}
X
before=$(state router)
apply "apply" "$examples/t2-classic.cni"
watch router net far lan
serve far 53 80
serve router 80
serve lan 53 80

sleep 1.5 # until devices are up
{ at router ip monitor all >"$lab_dir/ip.monitor"; } 2>/dev/null &
{ at router nft monitor >"$lab_dir/nft.monitor"; } 2>/dev/null &
sleep 0.3
unchanged "a second apply sends nothing that changes anything" "$examples/t2-classic.cni"
sleep 0.2
is "$(cat "$lab_dir"/*.monitor)" "" "and the kernel tells of no change"

for i in 10.1.0.5\ 198.18.0.4 2001:db8:10::5\ 2001:db8:5a::4; do # neighbours find each other
	# shellcheck disable=SC2086
	send lan udp $i 53 flows 20 >/dev/null
done
forget
answered "200 flows are answered" lan udp 10.1.0.5 198.18.0.1 53 flows 200
shared "by the tunnels" 'udp 10\.1\.0\.5\.'
saw 0 router '^eth(1\.100|1) out gre 198\.51\.100\.131 ' "outer packets of cf2 do not leave by the first interconnect"
saw 0 router '^eth(3\.200|3) out gre 198\.51\.100\.130 ' "nor those of cf1 by the second"
answered "and over IPv6" lan udp 2001:db8:10::5 2001:db8:5a::1 53 flows 200
shared "by the tunnels" 'udp 2001:db8:10::5\.'
saw 0 net ' (udp|gre|icmp6?) ' "nothing leaves by the Internet"
forget
answered "a flow of many packets" lan udp 10.1.0.5 198.18.0.2 53 flows 10 packets 20
is "$(grep -E '^cf[12] in udp' "$lab_dir/far.packets" | cut -d ' ' -f 1,4 | sort -u | wc -l)" 10 "stays in one tunnel"

forget
for i in 1 2 3 4; do
	send lan tcp 10.1.0.5 198.18.0.$i 80 >/dev/null
	send lan tcp 2001:db8:10::5 2001:db8:5a::$i 80 >/dev/null
done
mss far 'cf[12]' '10\.1\.0\.5' SYN 1436 "MSS in the SYN from the LAN"
mss lan eth0 '198\.18\.0\.[1-4]' SYN-ACK 1436 "in the SYN-ACK to it"
mss far 'cf[12]' '2001:db8:10::5' SYN 1416 "and over IPv6"
mss lan eth0 '2001:db8:5a::[1-4]' SYN-ACK 1416 "in both directions"
saw 0 far '^cf[12] in tcp .* mss 14[46]0$' "no SYN gets through as it was"
saw 0 lan '^eth0 in tcp .* mss 14[46]0$' "and no SYN-ACK"
for dev in cf1 cf2; do
	forget
	printf 'route replace %s\n' "10.1.0.0/16 dev $dev advmss 1460" "2001:db8:10::/48 dev $dev advmss 1440" | batch far
	answered "the far side connects by $dev" far tcp 198.18.0.1 10.1.0.5 80
	answered "and over IPv6" far tcp 2001:db8:5a::1 2001:db8:10::5 80
	mss lan eth0 '198\.18\.0\.1' SYN 1436 "MSS in the SYN to the LAN"
	mss far $dev '10\.1\.0\.5' SYN-ACK 1436 "and in the SYN-ACK, which takes $dev"
	mss lan eth0 '2001:db8:5a::1' SYN 1416 "the same over IPv6"
	mss far $dev '2001:db8:10::5' SYN-ACK 1416 "and back"
	answered "the far side connects to the router" far tcp 198.18.0.2 10.1.0.1 80
	mss far $dev '10\.1\.0\.1' SYN-ACK 1436 "whose SYN-ACK takes $dev too"
	saw 0 net ' tcp ' "and not the Internet"
done
ok "the SYNs that reached the router" at router nft list table inet observer
like "$out" "maxseg size 1436 counter packets 2 " "were clamped as well"

forget
unplug a
outer_by b | batch far
answered "the primary interconnect fails: traffic goes on" lan udp 10.1.0.5 198.18.0.3 53 flows 40
saw some router '^eth3\.200 out gre 198\.51\.100\.130 ' "in cf1 by the backup"
saw 0 router '^eth1.* out gre' "and nothing by the primary"
answered "over IPv6 too" lan udp 2001:db8:10::5 2001:db8:5a::3 53 flows 40
unchanged "apply has nothing to do" "$examples/t2-classic.cni"
plug a
outer_by a | batch far
forget
answered "it comes back" lan udp 10.1.0.5 198.18.0.4 53 flows 40
saw some router '^eth1\.100 out gre 198\.51\.100\.130 ' "and cf1 returns to it"
saw 0 router '^eth3\.200 out gre 198\.51\.100\.130 ' "wholly"

# what a routing daemon may do to main
forget
at router ip route replace default dev cf1
answered "main's default points into a tunnel: traffic goes on" lan udp 10.1.0.5 198.18.0.1 53 flows 20
saw 0 router '^cf[12] out gre ' "no outer packet enters a tunnel"
unplug a
unplug b
send lan udp 10.1.0.5 198.18.0.1 53 flows 20 wait 300 >/dev/null
saw 0 router '^cf[12] out gre ' "nor when both interconnects fail"
at router ip route replace default via 198.51.100.1
forget
send lan udp 10.1.0.5 198.18.0.2 53 flows 20 wait 300 >/dev/null
send lan udp 2001:db8:10::5 2001:db8:5a::2 53 flows 20 wait 300 >/dev/null
saw 0 router '^eth[0-9.]+ out (udp|gre) ' "and nothing leaks by the Internet"
plug a
plug b
answered "both come back" lan udp 10.1.0.5 198.18.0.1 53 flows 20

ok "remove" cnic remove
same "$before" "leaves everything as it was"
done_testing
