# The laboratory of health probes: a router, and a far side that is at the other end of all its wires.
#
#   lan eth0 --- eth2 router eth1 --- a   far   an interconnect: the primary
#                            eth3 --- b         another one: the backup
#                            eth0 --- net       main's default route
#
# The router is as a distribution has it, only stricter: reverse-path filtering is strict by default, and a firewall of
# somebody else's drops what conntrack cannot place. Sourced, behind tests/lib/tap.sh; $PROBER is the program that
# build makes, $CNIC the other one.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

health_rates=${health_rates:-1 10 300} # probes a second, of each kind
health_fast=${health_fast-} # kinds that also come 300 times a second, with | between them
health_legacy_rate=${health_legacy_rate-700} # of one legacy target, more

# health_lab [VLAN-A VLAN-B]: build it; without VLANs the interconnects are untagged.
health_lab() {
	local n
	ns lan router far
	for n in ports classes far tunnels by_a by_b; do : >"$lab_dir/$n"; done
	for n in lan router far; do
		at $n bash -c 'cd /proc/sys/net && echo 0 >ipv6/conf/default/accept_dad && echo 1 >ipv4/ip_forward &&
			echo 1 >ipv6/conf/all/forwarding && echo 0 >ipv4/conf/all/rp_filter && echo 1 >ipv6/conf/default/keep_addr_on_down'
	done
	at router bash -c 'cd /proc/sys/net/ipv4/conf && echo 1 >all/rp_filter && echo 1 >default/rp_filter'
	wire lan eth0 "10.1.0.5/16 2001:db8:10::5/48" router eth2 "10.1.0.1/16 2001:db8:10::1/48"
	health_wire eth0 "198.51.100.2/30 2001:db8:c::1/127" net "198.51.100.1/30 2001:db8:c::/127"
	health_wire eth1 "" a "$([ $# != 0 ] || echo 192.0.2.10/31)"
	health_wire eth3 "" b "$([ $# != 0 ] || echo 192.0.2.20/31)"
	echo "link set dev eth2 address 02:00:00:00:00:02" | batch router
	printf 'route add default via %s\n' 10.1.0.1 2001:db8:10::1 | batch lan
	printf 'route add default via %s\n' 198.51.100.1 2001:db8:c:: | batch router
	{
		[ $# = 0 ] || cat <<-Y
			link add link a name a.$1 up type vlan id $1
			link add link b name b.$2 up type vlan id $2
			address add 192.0.2.10/31 dev a.$1
			address add 192.0.2.20/31 dev b.$2
			address add 2001:db8:a::/127 dev a.$1 nodad
			address add 2001:db8:b::/127 dev b.$2 nodad
		Y
		# the ends of its tunnels, and the servers that probe
		echo "route add local 203.0.113.0/24 dev lo"
		echo "route add local 2001:db8:5a::/64 dev lo"
	} | batch far
	at router nft -f - <<-'Y'
		table inet firewall {
			chain judge { icmpv6 type > 129 accept; ct state invalid counter drop; }
			chain early { type filter hook prerouting priority 10; iif lo accept; jump judge; }
			chain input { type filter hook input priority 10; iif lo accept; jump judge; }
			chain forward { type filter hook forward priority 10; jump judge; }
		}
	Y
	[ $# = 0 ] || sed -i "s/device=a /device=a.$1 /; s/device=b /device=b.$2 /" "$lab_dir/ports"
	# in a test machine, whose processor is slow, packets may have to wait for it; elsewhere the limit is the machine's
	[ "$(uname -n)" != cnic-vm ] || echo 20000 >/proc/sys/net/core/netdev_max_backlog
	echo "router /run/netns/$(nsname router)" >>"$lab_dir/ports"
	echo "port lan netns=/run/netns/$(nsname lan) device=eth0 mac=02:00:00:00:00:02" >>"$lab_dir/ports"
}

# health_wire ethN ADDRESSES PORT ADDRESSES: from the router to the far side's port, which is a class's `into`.
health_wire() {
	wire router "$1" "$2" far "$3" "$4"
	echo "link set dev $1 address 02:00:00:00:00:0${1#eth}" | batch router
	echo "port $3 netns=/run/netns/$(nsname far) device=$3 mac=02:00:00:00:00:0${1#eth}" >>"$lab_dir/ports"
}

# The provider's routes to the router's tunnels: by the primary, or by the backup.
health_outer() {
	printf 'route replace %s via %s\n' 198.51.100.128/25 192.0.2.11 2001:db8:e::/64 2001:db8:a::1 >"$lab_dir/by_a"
	printf 'route replace %s via %s\n' 198.51.100.128/25 192.0.2.21 2001:db8:e::/64 2001:db8:b::1 >"$lab_dir/by_b"
}

# ---- what is probed ----

# health_class NAME WHERE THEIRS OURS TYPE FIRST SECOND [RATES]: such probes, sent into the port WHERE, at every rate.
health_class() {
	local rate rates=${8:-$health_rates}
	[[ "|$health_fast|" != *"|$1|"* ]] || rates+=" 300"
	for rate in $rates; do
		echo "class ${1// /_} into=$2 theirs=$3 ours=$4 type=$5 first=$6 second=$7 rate=$rate ids=$((rate < 64 ? rate : 64))"
	done >>"$lab_dir/classes"
}

# health_tunnel N LOCAL OVER HEALTH [KIND]: the tunnel tN on both sides, whose far end is 203.0.113.N, or 2001:db8:5a::N.
health_tunnel() {
	local n=$1 local=$2 kind=${5:-gre} remote=203.0.113.$1
	[ "$kind" = gre ] || {
		remote=2001:db8:5a::$n
		echo "address add $remote/128 dev lo nodad" >>"$lab_dir/far" # a route of type local is not enough for ip6gre
	}
	cat >>"$lab_dir/tunnels" <<-Y
		tunnel t$n {
			kind $kind; over $3; local $local; remote $remote; health $4 track off;
			address 10.100.$n.1/31, 2001:db8:ff:$n::1/127;
		}
	Y
	{
		echo "link add t$n up type ${kind/ip6gre/ip6gre encaplimit none} local $remote remote $local ttl 64"
		echo "address add 10.100.$n.0/31 dev t$n"
		echo "address add 2001:db8:ff:$n::/127 dev t$n nodad"
	} >>"$lab_dir/far"
	echo "port t$n netns=/run/netns/$(nsname far) device=t$n" >>"$lab_dir/ports"
}

health_servers='203.0.113.129*20'
health_servers6='2001:db8:5a::1000*20'

# ---- a run ----

# health_run SECONDS ROUNDS: probe, with DIR/1.cni in force, and print the table. DIR/2.cni to 4.cni and the first again are
# applied ROUNDS times; then the primary loses its carrier, and the provider takes the backup; then it comes back. Then the
# same once more, but it falls silent, and the tracker notices. So many seconds before, between and after. The exit status
# is the prober's.
health_run() {
	local n control prober tracker rounds=$2 rc=0
	at router "$CNIC" apply -y -q "$lab_dir/1.cni" || lab_die "the policy"
	cat "$lab_dir/by_a" "$lab_dir/far" | batch far
	"$CNIC" track --netns "/run/netns/$(nsname router)" 2>"$lab_dir/tracker" &
	tracker=$!
	cat "$lab_dir/ports" "$lab_dir/classes" >"$lab_dir/spec"
	mkfifo "$lab_dir/control"
	"$PROBER" "$lab_dir/spec" <"$lab_dir/control" &
	prober=$!
	exec {control}>"$lab_dir/control"
	sleep "$1"
	while [ $((rounds -= 1)) -ge 0 ]; do
		for n in 2 3 4 1; do
			phase apply first
			at router nice "$CNIC" apply -y -q "$lab_dir/$n.cni" || lab_die "policy $n"
			phase after first
			sleep "$1"
		done
	done
	phase failover either
	at far ip link set dev a down
	moved "$1" moved
	phase failback either
	at far ip link set dev a up
	moved_back "$1" back
	phase silence either
	at far nft 'add table netdev mute; add chain netdev mute in { type filter hook ingress device a priority 0; policy drop; };
		add chain netdev mute out { type filter hook egress device a priority 0; policy drop; }'
	echo "mute a" >&"$control"
	until is_down; do sleep 0.1; done
	moved "$1" moved2
	phase heard either
	echo "unmute a" >&"$control"
	at far nft delete table netdev mute
	moved_back "$1" back2
	echo end >&"$control"
	exec {control}>&-
	wait "$prober" || rc=$?
	kill "$tracker"
	wait "$tracker" || rc=$?
	return $rc
}

# moved SECONDS NAME: the provider takes the backup; moved_back SECONDS NAME: the primary again. Once that is done, so many
# seconds in a phase of that name.
moved() {
	batch far <"$lab_dir/by_b"
	sleep 1
	phase "$2" second
	sleep "$1"
}
moved_back() {
	while is_down; do sleep 0.1; done
	batch far <"$lab_dir/by_a"
	sleep 1
	phase "$2" first
	sleep "$1"
}

# is_down: the tracker says so of the primary; see compiler/state/down.h.
is_down() { at router ip route show table 36383 2>/dev/null | grep -q unreachable; }

# phase NAME WANTED: see prober.c. The prober may be waiting for the processor.
phase() {
	echo "phase $1 $2" >&"$control"
	sleep 0.1
}
