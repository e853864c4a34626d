# The laboratory of the kernel tests and of the quick start: a router between a LAN and a provider, in namespaces.
#
#   lan eth0 --- eth2 router eth1 --- eth0 a   eth1 --- a   far
#                            eth3 --- eth0 b   eth1 --- b
#                            eth0 --- eth0 net eth1 --- net
#
# a and b are two interconnects, net is the Internet uplink, far is the provider with its GRE endpoints, and
# whatever lies behind it. Sourced, with tests/lib/tap.sh; $CNIC and $TRAFFIC name the two programs.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154

lab_top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../..")
# shellcheck source=tests/lib/tap.sh
. "$lab_top/tests/lib/tap.sh"
CNIC=${CNIC:-$lab_top/build/cnic}
# shellcheck disable=SC2034 # for the tests
examples=$lab_top/examples

# lab express|classic|multi-site: build it for that topology of examples/. The router has its LAN, an uplink with a
# default route in main (where steered traffic must not go), forwarding, and strict reverse-path filtering.
lab() {
	local n
	ns lan router a b net far
	for n in a b net router far; do
		setting "$n" ipv4/ip_forward=1 ipv6/conf/all/forwarding=1 ipv4/conf/all/rp_filter=0 \
			ipv6/conf/default/accept_dad=0
	done
	setting router ipv4/conf/all/rp_filter=1
	wire lan eth0 "10.1.0.5/16 10.10.0.5/16 2001:db8:10::5/48" router eth2 "10.1.0.1/16 10.10.0.1/16 2001:db8:10::1/48"
	wire router eth0 198.51.100.2/30 net eth0 198.51.100.1/30
	wire router eth1 "" a eth0 ""
	wire router eth3 "" b eth0 ""
	wire a eth1 172.31.1.1/30 far a 172.31.1.2/30
	wire b eth1 172.31.2.1/30 far b 172.31.2.2/30
	wire net eth1 172.31.3.1/30 far net 172.31.3.2/30
	batch lan <<-X
		route add default via 10.1.0.1
		route add default via 2001:db8:10::1
	X
	echo "route add default via 198.51.100.1" | batch router
	echo "route add default via 172.31.3.2" | batch net
	interconnect a 192.0.2.10/31 192.0.2.11 172.31.1.2 "$([ "$1" = express ] || echo 100)"
	interconnect b 192.0.2.20/31 192.0.2.21 172.31.2.2 200
	{
		for n in 203.0.113.{200,201,210} 198.18.0.{1..4} 203.0.113.130 10.20.0.1 10.30.0.1 10.200.0.1; do
			echo "address add $n/32 dev lo"
		done
		for n in 1 2 3 4; do echo "address add 2001:db8:5a::$n/128 dev lo nodad"; done
		echo "route add 198.51.100.0/30 via 172.31.3.1"
		"far_$1"
	} | batch far
	# the kernel takes up to a second to tell of a carrier
	until [ "$(ip -n "$(nsname router)" -o -6 address show scope link | wc -l)" = 4 ]; do sleep 0.1; done
}

# setting NS KEY=VALUE...: below /proc/sys/net.
# shellcheck disable=SC2016 # for the other bash to expand
setting() { at "$1" bash -c 'for s; do echo "${s#*=}" >"/proc/sys/net/${s%%=*}"; done' - "${@:2}"; }

# interconnect NS ADDRESS ROUTER FAR VLAN: a side of an interconnect; no VLAN: untagged.
interconnect() {
	local dev=eth0${5:+.$5}
	batch "$1" <<-X
		${5:+link add link eth0 name $dev up type vlan id $5}
		address add $2 dev $dev
		route add default via $4
	X
	lab_routes[$1]="
		route add 198.51.100.128/30 via $3
		route add 172.64.240.252/30 via $3
		route add 10.1.0.0/24 via $3"
	batch "$1" <<<"${lab_routes[$1]}"
}
declare -A lab_routes

# unplug a|b: that interconnect's router port loses its carrier; plug: it comes back.
unplug() { at "$1" ip link set dev eth0 down; }
plug() {
	at "$1" ip link set dev eth0 up
	batch "$1" <<<"${lab_routes[$1]}"
}

far_express() {
	cat <<-X
		route add 10.1.0.0/24 via 172.31.1.1
		route add 172.64.240.252/30 via 172.31.1.1
		route add 192.0.2.10/31 via 172.31.1.1
	X
}

# advmss: the far side offers what fits an Ethernet, so that a lower MSS is the router's doing.
far_classic() {
	outer_by a
	far_tunnel cf1 203.0.113.200 198.51.100.130 10.100.0.8/31 2001:db8:ffff::/127
	far_tunnel cf2 203.0.113.201 198.51.100.131 10.100.0.10/31 2001:db8:ffff::2/127
	cat <<-X
		route add 10.1.0.0/16 dev cf1 advmss 1460
		route add 2001:db8:10::/48 dev cf1 advmss 1440
	X
}

far_multi-site() {
	outer_by a
	far_tunnel cf1 203.0.113.200 198.51.100.130 10.100.1.0/31 2001:db8:ffff::/127
	far_tunnel cf2 203.0.113.201 198.51.100.2 10.100.1.2/31 2001:db8:ffff::2/127
	cat <<-X
		route add 10.10.0.0/16 dev cf1 advmss 1460
		route add 2001:db8:10::/48 dev cf1 advmss 1440
	X
}

# far_tunnel NAME LOCAL REMOTE ADDRESS...
far_tunnel() {
	local name=$1 local=$2 remote=$3 a
	shift 3
	echo "link add $name up mtu 1476 type gre local $local remote $remote ttl 64"
	for a; do echo "address add $a dev $name"; done
}

# outer_by a|b: the far side sends its outer packets by this interconnect, as the provider's BGP would have it.
outer_by() {
	case $1 in
	a) echo "route replace 198.51.100.128/30 via 172.31.1.1" ;;
	b) echo "route replace 198.51.100.128/30 via 172.31.2.1" ;;
	esac
}

# ---- traffic ----

# watch NS...: note every packet there from now on; forget: all that was noted so far.
watch() {
	local n
	for n; do at "$n" "$TRAFFIC" watch "$lab_dir/$n.packets" || lab_die "watch $n"; done
}
forget() {
	local f
	sleep 0.1
	for f in "$lab_dir"/*.packets; do : >"$f"; done
}

# seen NS REGEX: how many packets' lines match. The line begins "DEVICE in|out ", see watch.c.
seen() { grep -cE -- "$2" "$lab_dir/$1.packets"; }

# saw NUMBER NS REGEX NAME: exactly so many, which may take a moment to arrive. SOME: at least one.
saw() {
	local count tries=0
	[ "$1" != 0 ] || sleep 0.2
	until count=$(seen "$2" "$3"); [ "$count" -ge "${1/some/1}" ] || [ $((tries += 1)) -gt 20 ]; do sleep 0.1; done
	if [ "$1" = some ]; then
		result "$((count == 0))" "$4"
	else
		result "$((count != $1))" "$4"
	fi || diag "$count packets in $2 match: $3"$'\n'"$(tail -n 12 "$lab_dir/$2.packets")"
}

# send NS udp|tcp|echo ARGUMENTS: see traffic.c. answered NAME NS ARGUMENTS: the same, as a check.
send() {
	local n=$1
	shift
	at "$n" "$TRAFFIC" "$@"
}
answered() {
	local name=$1
	shift
	ok "$name" send "$@"
}

# serve NS PORT...: echo there.
serve() { send "$1" serve "${@:2}" || lab_die "serve in $1"; }

# mss NS DEVICE SRC SYN|SYN-ACK VALUE NAME: so it arrived there.
mss() {
	local flags='S'
	[ "$4" = SYN ] || flags='S\.'
	saw some "$1" "^$2 in tcp $3\.[0-9]+ > .* $flags mss $5\$" "$6"
}

# ---- the program ----

# cnic ARGUMENTS: the program in the router's namespace.
cnic() { at router "$CNIC" "$@"; }

# apply NAME FILE...: it succeeds. unchanged NAME FILE...: and sends no message that changes anything.
apply() { ok "$1" cnic apply "${@:2}"; }
unchanged() {
	run cnic apply --json "${@:2}"
	like "$status $out" '^0 .*"messages": *0[,}]' "$1" || diag "$err"
}

# state NS: everything in a namespace that cnic could change, as sorted text without counts.
# same TEXT NAME: the router's state is still this.
state() { all_state "$1" | sed 's/ packets [0-9]* bytes [0-9]*//' | LC_ALL=C sort; }
same() {
	ok "$2" diff <(cat <<<"$1") <(state router)
}
all_state() {
	at "$1" nft list ruleset
	at "$1" ip -d link
	at "$1" ip -d address
	at "$1" ip -d -4 rule
	at "$1" ip -d -6 rule
	at "$1" ip -d -4 route show table all
	at "$1" ip -d -6 route show table all
	at "$1" ip nexthop
	at "$1" grep -rs . /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf /proc/sys/net/ipv4/fib_multipath_hash_policy \
		/proc/sys/net/ipv6/fib_multipath_hash_policy
}
