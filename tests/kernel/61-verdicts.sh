#!/bin/bash
# reject, drop, else main, and a policy for what the router itself sends. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

# refused NAME ARGUMENTS OF send...: one packet, which an ICMP error answers (the kernel limits their rate).
# silent: nothing answers.
refused() {
	run send "${@:2}" wait 500
	like "$out" '^sent 1 answered 0 errors 1: E(HOST|NET)UNREACH$' "$1"
}
silent() {
	run send "${@:2}" flows 3 wait 300
	is "$out" "sent 3 answered 0" "$1"
}

lab classic
before=$(state router)
cat >"$lab_dir/verdicts.cni" <<-'X'
	lan hq { device eth2; prefix 10.1.0.0/16, 2001:db8:10::/48; }
	link cni { kind classic; device eth1 vlan 100; address 192.0.2.11/31; }
	link isp { kind internet; device eth0; address 198.51.100.2/30; }
	tunnel cf1 {
		kind gre;
		over cni;
		local 198.51.100.130;
		remote 203.0.113.200;
		address 10.100.0.9/31, 2001:db8:ffff::1/127;
		health { direction bidirectional; type request; }
		track off;
	}
	policy hq on eth2 {
		route refused udp dport 9 reject;
		route dead udp dport 10 via cf1 else reject;
		route open udp dport 11 via cf1 else main;
		route dropped udp dport 12 drop;
		route ordinary udp dport 13 via main;
		else reject;
	}
	policy own on local {
		route logs to 198.18.0.1 udp dport 514 source 10.100.0.9 via cf1 else drop;
		route pages to 198.18.0.2 via cf1 else drop;
		else main;
	}
X
apply "apply" "$lab_dir/verdicts.cni"
unchanged "a second apply changes nothing" "$lab_dir/verdicts.cni"
watch router net far lan
serve far 10 11 53 80 514
serve router 80

lan4="lan udp 10.1.0.5 198.18.0.1" lan6="lan udp 2001:db8:10::5 2001:db8:5a::1"
# shellcheck disable=SC2086 # words
{
	refused "reject answers with ICMP" $lan4 9
	refused "over IPv6 too" $lan6 9
	refused "so does the policy's end" $lan4 99
	silent "drop is silent" $lan4 12
	silent "over IPv6 too" $lan6 12
	saw 0 router '^(eth[013].*|cf1) out (udp|tcp|gre)' "nothing of all that leaves"
	answered "the tunnel is up: one route" $lan4 10
	answered "and another" $lan4 11
	saw 2 far '^cf1 in udp 10\.1\.0\.5' "use it"
	send $lan4 13 wait 100 >/dev/null
	saw 1 net '^eth0 in udp 10\.1\.0\.5.*\.13 ' "via main goes by main"
}

answered "what the router sends" router udp - 198.18.0.1 514 flows 3
saw 3 far '^cf1 in udp 10\.100\.0\.9\..*\.514 ' "is steered, with the source that the route gives"
answered "TCP of the router" router tcp - 198.18.0.2 80
mss far cf1 '198\.51\.100\.2' SYN 1436 "has its MSS clamped, though main would have sent it elsewhere"
answered "the rest of it" router udp - 198.18.0.3 53
saw 1 far '^net in udp 198\.51\.100\.2\..*\.53 ' "goes by main"
answered "the router's own far end" router udp - 10.100.0.8 53
saw 1 far '^cf1 in udp 10\.100\.0\.9\..* > 10\.100\.0\.8\.53 ' "is on its link"
answered "the Internet connects to the router" far tcp 203.0.113.210 198.51.100.2 80
saw some far '^net in tcp 198\.51\.100\.2\.80 ' "and is answered where it came from"

forget
at router ip link set dev cf1 down
# shellcheck disable=SC2086
{
	refused "the tunnel is down: else reject" $lan4 10 sport 41000
	refused "over IPv6 too" $lan6 10 sport 41000
	send $lan4 11 wait 100 flows 3 sport 41000 >/dev/null
	saw 3 net '^eth0 in udp 10\.1\.0\.5\..*\.11 ' "else main"
}
fails "else drop, for the router itself" send router udp - 198.18.0.1 514 wait 200
saw 0 net '^eth0 in udp .*\.514 ' "nothing leaks"

ok "remove" cnic remove
same "$before" "leaves everything as it was"
done_testing
