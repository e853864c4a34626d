#!/bin/bash
# T3, a head office: every application by a way of its own. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

# by DEVICE NAME PORT DST ARGUMENTS: five flows are answered, and arrived at the far side by that device.
# New ones each time: a known flow keeps its way.
by() {
	answered "$2" lan udp "${src:-10.10.0.5}" "$4" "$3" flows 5 sport $((sport += 10)) "${@:5}"
	saw 5 far "^$1 in udp ${from:-10\.10\.0\.5}\\..* > ${4//./\\.}\\.$3 " "$2: by $1"
	saw 5 far "^(cf1|cf2|net|a|b) in udp .*\\.$3 " "$2: and by nothing else"
	forget
}

sport=41000

# counted ROUTE: what status says that it classified.
counted() {
	run cnic status
	[[ $out =~ office\ +"$1"\ +([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}

lab multi-site
before=$(state router)
apply "apply" "$examples/t3-multi-site.cni"
unchanged "a second apply changes nothing" "$examples/t3-multi-site.cni"
watch router net far lan
serve far 53 443 445 5060 12000
serve lan 53

by cf1 "voice by port" 5060 198.18.0.1
by cf1 "voice by port range" 12000 198.18.0.1
by cf1 "voice by DSCP" 53 198.18.0.1 tos 0xb8
by cf2 "background by DSCP" 53 198.18.0.1 tos 0x20
by cf1 "the rest" 53 198.18.0.1
answered "bulk" lan tcp 10.10.0.5 198.18.0.1 445
saw some far '^cf2 in tcp 10\.10\.0\.5\..*\.445 ' "bulk: by cf2"
saw 0 far '^(cf1|net) in tcp ' "bulk: only"
forget
src=2001:db8:10::5 from=2001:db8:10::5
by cf1 "voice over IPv6" 5060 2001:db8:5a::1
by cf2 "background over IPv6" 53 2001:db8:5a::1 tos 0x20
by cf1 "the rest over IPv6" 53 2001:db8:5a::1
unset src
from='198\.51\.100\.2'
by net "software as a service, masqueraded" 443 203.0.113.130
unset from

answered "other sites" lan udp 10.10.0.5 10.20.0.1 53 flows 200
n1=$(seen far '^cf1 in udp') n2=$(seen far '^cf2 in udp')
is $((n1 + n2)) 200 "by the tunnels"
result "$((n1 < 125 || n1 > 175))" "3 to 1 ($n1 and $n2)"
forget
answered "flows of many packets" lan udp 10.10.0.5 10.30.0.1 53 flows 10 packets 10
is "$(grep -E '^cf[12] in udp' "$lab_dir/far.packets" | cut -d ' ' -f 1,4 | sort -u | wc -l)" 10 "stay in their tunnels"

forget
send lan udp 10.10.0.5 198.18.0.1 5060 tos 0xb8 sport 42000 >/dev/null
send lan udp 2001:db8:10::5 2001:db8:5a::1 5060 tos 0xb8 sport 42000 >/dev/null
send lan udp 10.10.0.5 198.18.0.1 53 tos 0x20 sport 42000 >/dev/null
saw 1 router '^eth1\.100 out gre .* > 203\.0\.113\.200 tos 0xb8 .*: udp 10' "cf1 copies DSCP to the outer packet"
saw 1 router '^eth1\.100 out gre .* > 203\.0\.113\.200 tos 0xb8 .*: udp 2001' "of IPv6 too"
saw 1 router '^eth0 out gre .* > 203\.0\.113\.201 tos 0x00 .*: udp 10\.10\.0\.5\.' "cf2 does not, nor masquerade"
saw 0 far '^cf[12] in (udp|tcp) 198\.51\.100\.2' "no inner packet is, in any tunnel"

forget
printf 'route replace %s dev cf2\n' 10.10.0.0/16 2001:db8:10::/48 | batch far
answered "flows from the far side by cf2" far udp 198.18.0.1 10.10.0.5 53 flows 10
saw 10 far '^cf2 in udp 10\.10\.0\.5\.53 ' "are answered by cf2"
answered "over IPv6" far udp 2001:db8:5a::1 2001:db8:10::5 53 flows 10
saw 10 far '^cf2 in udp 2001:db8:10::5\.53 ' "by cf2"
saw 0 far '^(cf1|net) in udp ' "and nothing else"
printf 'route replace %s dev cf1\n' 10.10.0.0/16 2001:db8:10::/48 | batch far

forget
answered "the router itself goes by main" router udp - 198.18.0.1 53
saw 1 far '^net in udp 198\.51\.100\.2\.' "by the Internet"
answered "and its LAN is near" router udp - 10.10.0.5 53
saw 0 far ' 10\.10\.0\.5' "not by a tunnel"

# falling back: a tunnel device goes away
forget
at router ip link set dev cf1 down
printf 'route replace %s dev cf2\n' 10.10.0.0/16 2001:db8:10::/48 | batch far
answered "cf1 is down: voice goes on" lan udp 10.10.0.5 198.18.0.2 5060 flows 5 wait 300
saw 5 far '^cf2 in udp .*\.5060 ' "by cf2"
answered "the other sites too" lan udp 10.10.0.5 10.20.0.1 53 flows 40 sport 50000
at router ip link set dev cf2 down
forget
fails "both are down: the rest is not answered" send lan udp 10.10.0.5 198.18.0.2 53 flows 5 wait 300
saw 0 router '^(eth0|eth1.*|cf.) out udp' "and nothing leaves by the Internet"
answered "what goes straight out still does" lan udp 10.10.0.5 203.0.113.130 443 flows 5
printf 'route replace %s dev cf1\n' 10.10.0.0/16 2001:db8:10::/48 | batch far
apply "apply mends it" "$examples/t3-multi-site.cni"
answered "voice by cf1 again" lan udp 10.10.0.5 198.18.0.3 5060 flows 5

# status, from the kernel
voice=$(counted voip)
send lan udp 10.10.0.5 198.18.0.4 5060 flows 7 packets 3 sport 52000 >/dev/null
is "$(counted voip)" $((voice + 7)) "status counts the flows of a route"
ok "status as JSON" cnic status --json
like "$out" '"voip"' "names the routes"

ok "remove" cnic remove
same "$before" "leaves everything as it was"
done_testing
