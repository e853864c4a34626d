# Classic: every direction and type over real GRE tunnels, which have two interconnects. Sourced, behind lab.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154

# Those that are described below, in parts that the test machine has the speed for at 300 probes a second.
classic_parts=(
	"bi_request bi_reply"
	"bi_request_target bi_reply_target"
	"uni_request uni_reply uni_link"
	"uni_request_target uni_reply_target"
	"ip6gre legacy_a"
	"legacy_b"
)

# classic_kinds [KIND...]: these of them, or all.
classic_kinds() {
	local kind
	# shellcheck disable=SC2068 # words
	[ $# -gt 0 ] || set -- ${classic_parts[@]}
	health_lab 100 200
	health_outer
	for kind; do "classic_$kind"; done
	classic_lan
}

# both N HEALTH: a tunnel that has an end of its own, and both interconnects.
both() { health_tunnel "$1" "198.51.100.$((128 + $1))" "cni-a then cni-b" "$2"; }

# inside N NAME TYPE THEIRS OURS: its probes come back through the tunnel. outside: beside it.
inside() { health_class "$2" "t$1" "$4" "$5" "$3" "t$1/a" "t$1/b"; }
outside() { health_class "$2" "t$1" "$4" "$5" "$3" a b; }

classic_bi_request() {
	both 1 "{ direction bidirectional; type request; }"
	inside 1 "bidirectional request" request 10.100.1.0 10.100.1.1
	inside 1 "bidirectional request, IPv6" request 2001:db8:ff:1:: 2001:db8:ff:1::1
}
classic_bi_reply() {
	both 2 "{ direction bidirectional; type reply; }"
	inside 2 "bidirectional reply" reply 10.100.2.0 10.100.2.1
	inside 2 "bidirectional reply, IPv6" reply 2001:db8:ff:2:: 2001:db8:ff:2::1
}
classic_bi_request_target() {
	both 3 "{ direction bidirectional; type request; target 198.51.100.195; }"
	inside 3 "bidirectional request, target" request 10.100.3.0 198.51.100.195
	both 17 "{ direction bidirectional; type request; target 2001:db8:7a::17; }"
	inside 17 "bidirectional request, target, IPv6" request 2001:db8:ff:17:: 2001:db8:7a::17
}
classic_bi_reply_target() {
	both 4 "{ direction bidirectional; type reply; target 198.51.100.196; }"
	inside 4 "bidirectional reply, target" reply 10.100.4.0 198.51.100.196
	both 18 "{ direction bidirectional; type reply; target 2001:db8:7a::18; }"
	inside 18 "bidirectional reply, target, IPv6" reply 2001:db8:ff:18:: 2001:db8:7a::18
}
classic_uni_request() {
	both 5 "{ direction unidirectional; type request; }"
	outside 5 "unidirectional request" request "$health_servers" 198.51.100.133
}
classic_uni_reply() {
	both 6 "{ direction unidirectional; type reply; }"
	outside 6 "unidirectional reply" reply "$health_servers" 198.51.100.134
}
classic_uni_request_target() {
	both 7 "{ direction unidirectional; type request; target 198.51.100.199; }"
	outside 7 "unidirectional request, target" request "$health_servers" 198.51.100.199
	both 19 "{ direction unidirectional; type request; target 2001:db8:7a::19; }"
	outside 19 "unidirectional request, target, IPv6" request "$health_servers6" 2001:db8:7a::19
}
classic_uni_reply_target() {
	both 8 "{ direction unidirectional; type reply; target 198.51.100.200; }"
	outside 8 "unidirectional reply, target" reply "$health_servers" 198.51.100.200
	both 20 "{ direction unidirectional; type reply; target 2001:db8:7a::20; }"
	outside 20 "unidirectional reply, target, IPv6" reply "$health_servers6" 2001:db8:7a::20
}
# the end of these tunnels is a link's address: they live and die with that link
classic_uni_link() {
	health_tunnel 13 192.0.2.11 cni-a "{ direction unidirectional; type request; }"
	health_class "unidirectional request, end of a link" t13 "$health_servers" 192.0.2.11 request a -
	health_tunnel 14 192.0.2.21 cni-b "{ direction unidirectional; type reply; }"
	health_class "unidirectional reply, end of a link" t14 "$health_servers" 192.0.2.21 reply b b
	health_tunnel 15 198.51.100.2 isp "{ direction unidirectional; type reply; }"
	health_class "unidirectional reply, by the Internet" t15 "$health_servers" 198.51.100.2 reply net net
}
classic_ip6gre() {
	health_tunnel 21 2001:db8:e::15 "cni-a then cni-b" "{ direction unidirectional; type request; }" ip6gre
	health_class "ip6gre: unidirectional request" t21 "$health_servers6" 2001:db8:e::15 request a b
	health_tunnel 22 2001:db8:e::16 "cni-a then cni-b" "{ direction bidirectional; type reply; }" ip6gre
	health_class "ip6gre: bidirectional reply" t22 10.100.22.0 10.100.22.1 reply t22/a t22/b
}
classic_legacy_a() { legacy 9 252 && legacy 10 253; }
classic_legacy_b() { legacy 11 254 && legacy 12 255 "$health_legacy_rate"; }

# legacy N LAST-BYTE [RATE]: RATE is one more.
legacy() {
	both "$1" "legacy { target 172.64.240.$2; }"
	health_class "legacy 172.64.240.$2" "t$1" "$health_servers" "172.64.240.$2" request "t$1/a" "t$1/b" "$health_rates ${3-}"
}

# What the LAN asks of the router's own addresses comes back to it.
classic_lan() {
	local to
	for to in 10.1.0.1 192.0.2.11 198.51.100.2; do
		health_class "LAN to $to" lan 10.1.0.5 $to request lan lan 10
	done
}

# classic_policies: DIR/1.cni to 4.cni, each another than the one before.
classic_policies() {
	local n first second
	[[ $(<"$lab_dir/tunnels") =~ tunnel\ (t[0-9]+) ]] && first=${BASH_REMATCH[1]}
	second=$(sed -n 's/^tunnel \(t[0-9]*\).*/\1/p' "$lab_dir/tunnels" | tail -n 1)
	for n in 1 2 3 4; do
		{
			cat <<-Y
				lan hq { device eth2; prefix 10.1.0.0/16, 2001:db8:10::/48; }
				link cni-a { kind classic; device eth1 vlan 100; address 192.0.2.11/31, 2001:db8:a::1/127; waive ipv6, policy;
					track { every 1s; down 3; up 3; } }
				link cni-b { kind classic; device eth3 vlan 200; address 192.0.2.21/31, 2001:db8:b::1/127; waive ipv6, policy; }
				link isp { kind internet; device eth0; address 198.51.100.2/30, 2001:db8:c::1/127; }
			Y
			cat "$lab_dir/tunnels"
			case $n in
			1) echo "policy hq on eth2 { route all via $first then $second else drop; }" ;;
			2) echo "policy hq on eth2 { route voip udp dport 5060 via $first then $second else drop;
				route all via $second then $first else drop; }" ;;
			3) echo "tunnel t99 { kind gre; over cni-b then cni-a; local 198.51.100.250; remote 203.0.113.99;
				address 10.100.99.1/31; health { direction bidirectional; type reply; } track off; }
				policy hq on eth2 { route new tcp dport 80 via t99 then $first else drop; route all via $second then $first else drop; }" ;;
			4) echo "policy hq on eth2 { route all via $first weight 3, $second weight 1 else reject; }" ;;
			esac
		} >"$lab_dir/$n.cni"
	done
}

# classic_run SECONDS ROUNDS [KIND...]: so long before, between and after; the four policies are gone through so often.
classic_run() {
	classic_kinds "${@:3}"
	classic_policies
	health_run "$1" "$2"
}
