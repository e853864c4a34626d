#!/bin/bash
# T1, an Express interconnect: plain IP to the peer, legacy health checks, fail-closed. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

lab express
before=$(state router)
apply "apply" "$examples/t1-express.cni"
unchanged "a second apply changes nothing" "$examples/t1-express.cni"
watch router net far lan
serve far 53 80
serve router 7
serve lan 53

answered "the LAN is answered" lan udp 10.1.0.5 198.18.0.1 53 flows 20
saw 20 far '^a in udp 10\.1\.0\.5\..* > 198\.18\.0\.1\.53 ' "it leaves by the interconnect, by plain IP"
saw 0 net '10\.1\.0\.5' "and not by the Internet"
answered "TCP" lan tcp 10.1.0.5 198.18.0.1 80
saw some far '^a in tcp 10\.1\.0\.5\..* S mss 1460$' "the MSS is not touched: 1500 bytes fit"

answered "the far side opens connections to the LAN" far udp 198.18.0.1 10.1.0.5 53 flows 5
saw 5 far '^a in udp 10\.1\.0\.5\.53 ' "which are answered by the interconnect"

answered "the router itself goes by main" router udp - 198.18.0.1 53
saw 1 far '^net in udp 198\.51\.100\.2\.' "by the Internet, that is"
answered "the LAN reaches the router" lan udp 10.1.0.5 10.1.0.1 7
answered "at its uplink's address too" lan udp 10.1.0.5 198.51.100.2 7
answered "the Internet reaches the router" far udp 203.0.113.210 198.51.100.2 7
saw 1 far '^net in udp 198\.51\.100\.2\.7 ' "and is answered where it came from"
answered "the interconnect reaches the router" far udp 198.18.0.2 192.0.2.11 7
saw 1 far '^a in udp 192\.0\.2\.11\.7 ' "and is answered by the interconnect, not by main's default"

forget
send far echo - 203.0.113.210 172.64.240.253 request 21
saw 1 far '^a in icmp 172\.64\.240\.253 > 203\.0\.113\.210 .* type 0 .* id 21' "a legacy probe is answered by the link"
saw 0 net ' icmp ' "and by nothing else"

forget
fails "another network of the LAN is dropped" send lan udp 10.10.0.5 198.18.0.1 53 wait 300
fails "and IPv6" send lan udp 2001:db8:10::5 2001:db8:5a::1 53 wait 300
saw 0 router '^eth[013] out (udp|tcp|icmp)' "nothing of that leaves"

forget
unplug a
fails "without carrier the LAN is not answered" send lan udp 10.1.0.5 198.18.0.1 53 flows 5 wait 300
saw 0 router '^eth[03] out ' "and nothing leaves by another way"
saw 0 lan ' icmp ' "drop is silent"
plug a
answered "when carrier returns, so does traffic" lan udp 10.1.0.5 198.18.0.1 53 flows 5

forget
at router ip link set dev eth1 down
fails "the port is down" send lan udp 10.1.0.5 198.18.0.1 53 flows 5 wait 300
saw 0 router '^eth[03] out ' "and nothing leaves by another way, though the kernel took the routes away"
at router ip link set dev eth1 up
apply "apply puts them back" "$examples/t1-express.cni"
answered "and traffic flows" lan udp 10.1.0.5 198.18.0.1 53 flows 5

# nothing but the interconnect: main has no way back to the sources of what comes in, and a loose check would drop it
sed '/^link isp/d' "$examples/t1-express.cni" >"$lab_dir/alone.cni"
at router ip route delete default
apply "a router without an uplink" "$lab_dir/alone.cni"
answered "the far side reaches the LAN" far udp 198.18.0.1 10.1.0.5 53 sport 41000
answered "and the LAN the far side" lan udp 10.1.0.5 198.18.0.1 53 sport 41000
at router ip route add default via 198.51.100.1

ok "status from outside the namespace" "$CNIC" status --netns "$(nsname router)"
like "$out" 'branch +all' "shows the routes"
ok "remove" cnic remove
same "$before" "leaves everything as it was"
done_testing
