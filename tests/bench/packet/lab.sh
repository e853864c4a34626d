# The laboratory of the packet benchmark: routers, each with a policy of its own, between the ends of their wires.
#
#   end xI --- eth2 router I isp --- ispI end    isp: main's default route
#                            p0  --- 0pI         p0 …: links that policies lead to
#                            p1  --- 1pI
#
# The ends throw away what they get, which is for another station, and count it. Sourced, behind tests/lib/tap.sh.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154

shopt -s lastpipe # what fails at the end of a pipe ends the script
packet_mac=02:00:00:00:00:99 # of nobody
declare -A packet_index=()

# packet_count, packet_ms: packets and milliseconds that end a trial; with packet_here (our folder) and CNIC they are
# the script's to set.

# packet_start: compile the sender, unless $FLOOD is there, and make the namespace of all ends.
packet_start() {
	[ -n "${FLOOD-}" ] || packet_build "$lab_dir/flood" || lab_die "flood"
	packet_quiet_ns end
}
packet_build() {
	FLOOD=$1
	cc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wvla -Werror -O2 -o "$1" "$packet_here/flood.c"
}

# packet_quiet_ns NAME: a namespace whose devices say nothing of their own.
packet_quiet_ns() {
	ns "$1"
	at "$1" bash -c 'cd /proc/sys/net && echo 1 | tee ipv6/conf/{all,default}/disable_ipv6 >/dev/null &&
		echo 1 >ipv4/ip_forward && echo 0 >ipv4/conf/all/rp_filter && echo 0 >ipv4/conf/default/rp_filter'
}

# packet_router NAME LINKS: a router that knows its neighbours for ever.
packet_router() {
	local name=$1 links=$2 i=${#packet_index[@]} k
	packet_index[$name]=$i
	packet_quiet_ns "$name"
	{
		echo "link add name eth2 address 02:00:00:00:00:01 type veth peer name x$i netns $(nsname end)"
		echo "address add 10.1.255.1/16 dev eth2"
		echo "link set dev eth2 up"
		packet_wire isp "isp$i" 203.0.113.0 203.0.113.1
		echo "route add default via 203.0.113.0"
		for ((k = 0; k < links; k++)); do
			packet_wire "p$k" "${k}p$i" "$(packet_peer "$k")" "$(packet_ours "$k")"
		done
	} | batch "$name"
	{
		printf 'link set dev %s up\n' "x$i" "isp$i"
		for ((k = 0; k < links; k++)); do echo "link set dev ${k}p$i up"; done
	} | batch end
}
packet_wire() {
	echo "link add name $1 type veth peer name $2 netns $(nsname end)"
	echo "address add $4/31 dev $1"
	echo "link set dev $1 up"
	echo "neighbour add $3 lladdr $packet_mac dev $1 nud permanent"
}
packet_peer() { echo "10.$((192 + $1 / 250)).$(($1 % 250)).0"; }
packet_ours() { echo "10.$((192 + $1 / 250)).$(($1 % 250)).1"; }

# packet_prefix I: where route I leads, without its /24. The last argument of each policy says what comes there.
packet_prefix() { echo "100.$((64 + $1 / 256)).$(($1 % 256)).0"; }

# The policies have N routes, route I by link I % LINKS: neighbours are never alike.
#
# packet_cnic N LINKS FIELDS: by destination; with FIELDS also by source, protocol and both ports. Then all values stand
# in many routes, but no two routes have source and destination in common; only one in a hundred is a broad one, which
# overlaps all of the others.
packet_cnic() {
	awk -v n="$1" -v links="$2" -v fields="${3-}" 'BEGIN {
		print "options { provider other; }\nlan hq { device eth2; prefix 10.1.0.0/16; }"
		for (i = 0; i < links; i++)
			printf "link p%d { kind internet; device p%d; address 10.%d.%d.1/31; track off; }\n",
				i, i, 192 + int(i / 250), i % 250
		print "policy hq on eth2 {"
		for (i = 0; i < n; i++) {
			to = fields ? int(i / 100) % 100 : i
			if (fields && i % 100 == 50) {
				printf "\troute r%d from 10.1.0.0/16 to 100.64.0.0/10 udp sport 1024-9999 dport %d via p%d else drop;\n",
					i, 6000 + int(i / 100), i % links
				continue
			}
			printf "\troute r%d to 100.%d.%d.0/24 ", i, 64 + int(to / 256), to % 256
			if (fields)
				printf "from 10.1.%d.0/24 %s sport 1024-%d dport %d ", i % 100, i % 3 == 1 ? "tcp" : "udp",
					4000 + i % 7 * 1000, 5000 + i % 50
			printf "via p%d else drop;\n", i % links
		}
		print "\telse main;\n}"
	}'
}
# packet_fields I: source, destination and destination port of route I with FIELDS. packet_to I: without.
packet_fields() { echo "10.1.$(($1 % 100)).0 100.64.$(($1 / 100 % 100)).0 $((5000 + $1 % 50))"; }
packet_to() { echo "10.1.7.0 $(packet_prefix "$1") 5000"; }
packet_none() { echo "10.1.7.0 172.16.0.0 5000"; }

# packet_apply NAME FILE: cnic's own policy. packet_tables NAME: what others need.
packet_apply() {
	at "$1" "$CNIC" apply "$2" >"$lab_dir/apply" 2>&1 || lab_die "$(cat "$lab_dir/apply")"
}
packet_tables() {
	echo "route add default via $(packet_peer 0) dev p0 table 100
		route add default via $(packet_peer 1) dev p1 table 101" | batch "$1"
}

# packet_rules NAME N: ip rules, sent in descending priority, which is 50 times faster.
packet_rules() {
	packet_tables "$1"
	awk -v n="$2" 'BEGIN {
		for (i = n - 1; i >= 0; i--)
			printf "rule add priority %d to 100.%d.%d.0/24 lookup %d\n", 1000 + i, 64 + int(i / 256), i % 256, 100 + i % 2
	}' | batch "$1"
}

# packet_nft NAME N: linear rules that set a mark.
packet_nft() {
	packet_tables "$1"
	printf 'rule add priority 100%d fwmark %d lookup 10%d\n' 0 1 0 1 2 1 | batch "$1"
	awk -v n="$2" 'BEGIN {
		print "table inet bench { chain prerouting { type filter hook prerouting priority mangle;"
		for (i = 0; i < n; i++)
			printf "ip daddr 100.%d.%d.0/24 meta mark set %d accept\n", 64 + int(i / 256), i % 256, 1 + i % 2
		print "}; }"
	}' | at "$1" nft -f - || lab_die "nft"
}

# packet_fib NAME N: routes of a table of their own, for what comes in by eth2.
packet_fib() {
	{
		echo "rule add priority 1000 iif eth2 lookup 102"
		awk -v n="$2" -v peers="$(packet_peer 0) $(packet_peer 1)" 'BEGIN {
			split(peers, via)
			for (i = 0; i < n; i++)
				printf "route add 100.%d.%d.0/24 via %s table 102\n", 64 + int(i / 256), i % 256, via[1 + i % 2]
		}'
	} | batch "$1"
}

# packet_conntrack NAME: flows are tracked, and that is all.
packet_conntrack() {
	at "$1" nft 'table inet bench { chain prerouting {
		type filter hook prerouting priority mangle; ct state new accept; }; }' || lab_die "nft"
}

# packet_way NAME OUT SOURCE DESTINATION DPORT: as flood has it; OUT is the router's device.
packet_way() {
	local i=${packet_index[$1]} out
	case $2 in
	p*) out=${2#p}p$i ;;
	*) out=$2$i ;;
	esac
	echo "/run/netns/$(nsname "$1"),x$i,$out,$3,$4,$5"
}

# packet_flood known|new WAY...: what flood prints of them.
packet_flood() {
	local option=()
	[ "$1" = new ] || option=(-k)
	"$FLOOD" "${option[@]}" -n "$packet_count" -t "$packet_ms" "/run/netns/$(nsname end)" "${@:2}"
}
