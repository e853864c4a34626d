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
# shellcheck shell=bash disable=SC2154

health_rates=${health_rates:-1 10 300} # probes a second, of each kind

# health_lab [VLAN-A VLAN-B]: build it; without VLANs the interconnects are untagged.
health_lab() {
	health_a=a${1:+.$1} health_b=b${2:+.$2}
	ns lan router far
	for n in lan router far; do
		at $n bash -c 'cd /proc/sys/net && echo 0 >ipv6/conf/default/accept_dad && echo 1 >ipv4/ip_forward &&
			echo 1 >ipv6/conf/all/forwarding && echo 0 >ipv4/conf/all/rp_filter && echo 1 >ipv6/conf/default/keep_addr_on_down'
	done
	at router bash -c 'cd /proc/sys/net/ipv4/conf && echo 1 >all/rp_filter && echo 1 >default/rp_filter'
	wire lan eth0 "10.1.0.5/16 2001:db8:10::5/48" router eth2 "10.1.0.1/16 2001:db8:10::1/48"
	wire router eth1 "" far a "$([ $# != 0 ] || echo 192.0.2.10/31)"
	wire router eth3 "" far b "$([ $# != 0 ] || echo 192.0.2.20/31)"
	wire router eth0 "198.51.100.2/30 2001:db8:c::1/127" far net "198.51.100.1/30 2001:db8:c::/127"
	printf 'route add default via %s\n' 10.1.0.1 2001:db8:10::1 | batch lan
	printf 'route add default via %s\n' 198.51.100.1 2001:db8:c:: | batch router
	{
		[ $# = 0 ] || cat <<-Y
			link add link a name $health_a up type vlan id $1
			link add link b name $health_b up type vlan id $2
			address add 192.0.2.10/31 dev $health_a
			address add 192.0.2.20/31 dev $health_b
			address add 2001:db8:a::/127 dev $health_a nodad
			address add 2001:db8:b::/127 dev $health_b nodad
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
	# in a test machine, whose processor is slow, packets may have to wait for it; elsewhere the limit is the machine's
	[ "$(uname -n)" != cnic-vm ] || echo 20000 >/proc/sys/net/core/netdev_max_backlog
	{
		echo "port lan netns=/run/netns/$(nsname lan) device=eth0"
		echo "port a netns=/run/netns/$(nsname far) device=$health_a"
		echo "port b netns=/run/netns/$(nsname far) device=$health_b"
		echo "port net netns=/run/netns/$(nsname far) device=net"
	} >"$lab_dir/ports"
	: >"$lab_dir/classes"
	: >"$lab_dir/far"
	: >"$lab_dir/tunnels"
}

# The provider's routes to the router's ends: by the primary, or by the backup.
health_by_a() {
	echo "route replace 198.51.100.128/25 via 192.0.2.11"
	echo "route replace 2001:db8:e::/64 via 2001:db8:a::1"
}
health_by_b() {
	echo "route replace 198.51.100.128/25 via 192.0.2.21"
	echo "route replace 2001:db8:e::/64 via 2001:db8:b::1"
}

# ---- what is probed ----

# health_class NAME WHERE THEIRS OURS TYPE FIRST SECOND [RATES]: such probes at every rate; WHERE: into=PORT, routed=PORT.
health_class() {
	local rate
	for rate in ${8:-$health_rates}; do
		echo "class ${1// /_} $2 theirs=$3 ours=$4 type=$5 first=$6 second=$7 rate=$rate ids=$((rate < 64 ? rate : 64))"
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

health_servers=203.0.113.129*20
health_servers6=2001:db8:5a::1000*20

# ---- a run ----

# health_apply FILE: in a phase of its own.
health_apply() {
	echo "phase apply first" >&"$health_control"
	sleep 0.1
	at router "$CNIC" apply -y -q "$1" || lab_die "apply $1"
	echo "phase after first" >&"$health_control"
}

# health_start: begin to probe.
health_start() {
	batch far <"$lab_dir/far"
	cat "$lab_dir/ports" "$lab_dir/classes" >"$lab_dir/spec"
	mkfifo "$lab_dir/control"
	"$PROBER" "$lab_dir/spec" <"$lab_dir/control" >"$lab_dir/table" 2>&1 &
	health_prober=$!
	exec {health_control}>"$lab_dir/control"
}

# health_end: print the table; the exit status is the prober's.
health_end() {
	local rc=0
	echo end >&"$health_control"
	exec {health_control}>&-
	wait "$health_prober" || rc=$?
	cat "$lab_dir/table"
	return $rc
}

# health_failover SECONDS: the primary loses its carrier, and the provider takes the backup; then it comes back.
health_failover() {
	echo "phase failover either" >&"$health_control"
	sleep 0.1
	at far ip link set dev a down
	health_by_b | batch far
	sleep 1
	echo "phase moved second" >&"$health_control"
	sleep "$1"
	echo "phase failback either" >&"$health_control"
	sleep 0.1
	at far ip link set dev a up
	until at router ip -o link show dev eth1 | grep -q LOWER_UP; do sleep 0.1; done
	health_by_a | batch far
	sleep 1
	echo "phase back first" >&"$health_control"
	sleep "$1"
}
