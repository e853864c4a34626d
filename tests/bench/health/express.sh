# Express: legacy and unidirectional probes by plain IP, and the refusal of bidirectional ones. Sourced, behind lab.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154

# The interconnects: their device here and there, our address, the provider's, and how it is probed.
express_links=(
	"eth1 a 192.0.2.11 192.0.2.10 legacy { target 172.64.240.252; }"
	"eth3 b 192.0.2.21 192.0.2.20 legacy { target 172.64.240.253; }"
	"eth4 c 192.0.2.31 192.0.2.30 legacy { target 172.64.240.254; }"
	"eth5 d 192.0.2.41 192.0.2.40 legacy { target 172.64.240.255; }"
	"eth6 e 192.0.2.51 192.0.2.50 { direction unidirectional; type request; }"
	"eth7 f 192.0.2.61 192.0.2.60 { direction unidirectional; type reply; }"
	"eth8 g 192.0.2.71 192.0.2.70 { direction unidirectional; type request; target 198.51.100.195; }"
	"eth9 h 192.0.2.81 192.0.2.80 { direction unidirectional; type reply; target 198.51.100.196; }"
)

express_lab() {
	local line dev port ours theirs health target direction type
	health_lab
	for line in "${express_links[@]}"; do
		read -r dev port ours theirs health <<<"$line"
		[ "$port" = a ] || [ "$port" = b ] || health_wire "$dev" "" "$port" "$theirs/31"
		[[ $health =~ target\ ([0-9.]+) ]] && target=${BASH_REMATCH[1]} || target=$ours
		[[ $health =~ direction\ ([a-z]+) ]] && direction=${BASH_REMATCH[1]}
		[[ $health =~ type\ ([a-z]+) ]] && type=${BASH_REMATCH[1]}
		case $health in
		legacy*) health_class "legacy $target" "$port" "$health_servers" "$target" request "$port" "$(express_second "$port")" \
			"$health_rates $([ "$port" != a ] || echo "$health_legacy_rate")" ;;
		*) health_class "$direction $type$([ "$target" = "$ours" ] || echo ", target")" "$port" "$health_servers" "$target" \
			"$type" "$port" "$port" ;;
		esac
	done
	for target in 10.1.0.1 192.0.2.11 198.51.100.2; do
		health_class "LAN to $target" lan 10.1.0.5 $target request lan lan 10
	done
}
express_second() { [ "$1" = a ] && echo - || echo "$1"; }

# express_policies: DIR/1.cni to 4.cni, each another than the one before.
express_policies() {
	local n line dev port ours theirs health track
	for n in 1 2 3 4; do
		{
			echo "lan branch { device eth2; prefix 10.1.0.0/16; }"
			echo "link isp { kind internet; device eth0; address 198.51.100.2/30; }"
			for line in "${express_links[@]}"; do
				read -r dev port ours theirs health <<<"$line"
				[ "$port" = a ] && track="{ every 1s; down 3; up 3; }" || track="off;"
				echo "link $port { kind express; device $dev; address $ours/31; health $health waive policy; track $track }"
			done
			case $n in
			1) echo "policy branch on eth2 { route all via a then b else drop; }" ;;
			2) echo "policy branch on eth2 { route voip udp dport 5060 via c then a else drop; route all via b then a else drop; }" ;;
			3) echo "link x { kind internet; device eth10; address 198.51.100.129/31; }
				policy branch on eth2 { route web tcp dport 80 via x then a else drop; route all via b then a else drop; }" ;;
			4) echo "policy branch on eth2 { route all via a weight 3, b weight 1 else reject; }" ;;
			esac
		} >"$lab_dir/$n.cni"
	done
}

# express_run SECONDS ROUNDS: as classic_run, and what is refused.
express_run() {
	local rc=0 type
	express_lab
	wire router eth10 "" far x 198.51.100.128/31
	express_policies
	health_run "$1" "$2" || rc=1
	for type in request reply; do
		sed "s/\(link b {.*\) health .* waive/\1 health { direction bidirectional; type $type; } waive/" "$lab_dir/1.cni" \
			>"$lab_dir/refused.cni"
		run at router "$CNIC" check "$lab_dir/refused.cni"
		[ "$status" = 1 ] && [[ $err == *'error[CNI207]'* ]] || rc=1
		printf '%-36s %4s refused: %s\n' "bidirectional $type" - "$(grep -m 1 '^error' <<<"$err")"
	done
	return $rc
}
