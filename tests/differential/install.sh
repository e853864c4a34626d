# In a test machine: each policy named is put into the kernel twice, by `cnic apply`, and by nft, ip and sysctl from
# what `cnic compile` emits; what the kernel holds then is printed, a line "== POLICY WAY PART" before each part.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
. "$(dirname "$0")/../lib/tap.sh"

show() {
	local n=$1 policy=$2 way=$3
	part() {
		echo "== $policy $way $1"
		shift
		at "$n" "$@"
		echo
	}
	part nft nft -j list ruleset
	part ip ip -j -d -batch - <<<$'link show\naddress show\nroute show table all'
	part rule4 ip -j rule
	part rule6 ip -j -6 rule
	part settings grep -r . /proc/sys/net/ipv4/conf /proc/sys/net/ipv4/fib_multipath_hash_policy \
		/proc/sys/net/ipv6/fib_multipath_hash_policy --include=rp_filter --include=accept_local \
		--include=ignore_routes_with_linkdown --include='fib_multipath*'
}

# devices NAME: those that the policy takes for granted; and for `address dhcp`, the default route of main that cnic
# follows. A kernel without dummies has veths, where addresses must not be looked for first.
devices() {
	local device peer
	at "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
	sed -n 's/^# device \(.*\) must be there$/\1/p' <<<"$ip" | while read -r device; do
		[ "$device" = lo ] && continue
		peer=p$device
		if at "$1" ip link add "$device" type dummy 2>/dev/null; then peer=; fi
		[ -z "$peer" ] || printf 'link add %s type veth peer %s\nlink set %s up\n' "$device" "$peer" "$peer"
		printf 'link set %s up\n' "$device"
		if [[ $ip == *"ip route add default dev $device table"* ]]; then
			echo "route add default dev $device"
		fi
	done | batch "$1"
}

i=0
for policy; do
	i=$((i + 1))
	ns "a$i" "b$i"
	ip=$("$CNIC" compile --emit ip "$policy" 2>/dev/null)
	devices "a$i"
	devices "b$i"
	at "a$i" "$CNIC" apply -q -y "$policy" >"$lab_dir/out" 2>&1 || echo "!! $policy: apply: $(<"$lab_dir/out")"
	"$CNIC" compile --emit nft "$policy" 2>/dev/null | at "b$i" nft -f - || echo "!! $policy: nft"
	at "b$i" bash -e <<<"$ip" >"$lab_dir/out" 2>&1 || echo "!! $policy: ip: $(<"$lab_dir/out")"
	show "a$i" "$policy" cnic
	show "b$i" "$policy" tools
done
