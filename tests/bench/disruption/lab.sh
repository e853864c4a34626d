# The laboratory of the disruption benchmark: a router, all of whose wires end where the stream is sent and counted.
#
#   lan eth2 --- eth2 router a --- a far    peering; with $disruption_gre also the way of the tunnel cf1
#                            b --- b        peering; cf2
#                            c --- c        main's default route: nothing that is steered is ever there
#                            d --- d        internet, masqueraded
#                            e --- e        internet, masqueraded
#
# Sourced, behind tests/lib/tap.sh. $disruption_prefixes: how many each set of each family has (default 10000).
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154

disruption_prefixes=${disruption_prefixes:-10000} # 10900 at most fit into 198.18.0.0/15
disruption_gre=${disruption_gre-}
disruption_mss=${disruption_mss:-20} # by so much the second policy lowers the MSS of a and b

# disruption_lab: build it. The router knows its neighbours for ever: that it has to ask is not what is measured.
disruption_lab() {
	ns lan router far
	# the far sides count, and say nothing
	at lan bash -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	at far bash -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	at router bash -c 'cd /proc/sys/net && echo 1 >ipv4/ip_forward && echo 1 >ipv6/conf/all/forwarding'
	wire lan eth2 "" router eth2 "10.10.0.1/16 2001:db8:10::1/48"
	wire router a "192.0.2.1/31 2001:db8:a::1/127" far a ""
	wire router b "192.0.2.3/31 2001:db8:b::1/127" far b ""
	wire router c "203.0.113.1/31 2001:db8:c::1/127" far c ""
	wire router d 198.51.100.1/31 far d ""
	wire router e 198.51.100.3/31 far e ""
	disruption_macs 02:00:00:00:02 | batch far
	echo "link set dev eth2 address 02:00:00:00:02:10" | batch lan
	{
		disruption_macs 02:00:00:00:01
		disruption_neighbours
		echo "route add default via 203.0.113.0 dev c"
		echo "route add default via 2001:db8:c:: dev c"
	} | batch router
	disruption_spec >"$lab_dir/spec"
}

disruption_macs() {
	local dev i=10
	for dev in eth2 a b c d e; do
		[ "$1 $dev" = "02:00:00:00:02 eth2" ] || echo "link set dev $dev address $1:$i"
		i=$((i + 1))
	done
}

disruption_neighbours() {
	local n
	for n in {5..24}; do
		echo "neigh replace 10.10.0.$n lladdr 02:00:00:00:02:10 dev eth2 nud permanent"
	done
	for n in "192.0.2.0 11 a" "2001:db8:a:: 11 a" "192.0.2.2 12 b" "2001:db8:b:: 12 b" "203.0.113.0 13 c" \
		"2001:db8:c:: 13 c" "198.51.100.0 14 d" "198.51.100.2 15 e"; do
		# shellcheck disable=SC2086 # three words
		set -- $n
		echo "neigh replace $1 lladdr 02:00:00:00:02:$2 dev $3 nud permanent"
	done
}

# disruption_flows: room for all flows, or the kernel would end some to make room for others; those of one packet go soon.
# Only after the first apply does the namespace know conntrack. The limit is the machine's: a test machine (tests/vm/init)
# gets one, others must have it.
disruption_flows() {
	local max
	[ "$(uname -n)" != cnic-vm ] || echo 65536 >/proc/sys/net/netfilter/nf_conntrack_max
	max=$(at router cat /proc/sys/net/netfilter/nf_conntrack_max)
	[ "$max" -ge 65536 ] || lab_die "nf_conntrack_max is $max, and 65536 is wanted"
	at router sh -c "echo 5 >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_syn_sent"
}

# ---- policies ----

# disruption_policies: write DIR/first.cni, DIR/second.cni and their sets. Every path of the one is swapped in the
# other, and a tenth of each set is another; the stream keeps to the rest.
disruption_policies() {
	disruption_policy first a b d e 9
	disruption_policy second b a e d 19 "$disruption_mss"
}

# disruption_policy NAME A B D E OWN [LESS]: of the prefixes whose number ends in 9, those with NUMBER % 20 = OWN; an MSS
# of LESS less by a and b.
disruption_policy() {
	disruption_prefix_file 0 "$6" >"$lab_dir/$1.one"
	disruption_prefix_file 1 "$6" >"$lab_dir/$1.two"
	cat >"$lab_dir/$1.cni" <<-X
		define one = file "$1.one";
		define two = file "$1.two";
		lan hq { device eth2; prefix 10.10.0.0/16, 2001:db8:10::/48; }
		link a { kind peering; device a; address 192.0.2.1/31, 2001:db8:a::1/127; mss $((1400 - ${7-0})); }
		link b { kind peering; device b; address 192.0.2.3/31, 2001:db8:b::1/127; mss $((1300 - ${7-0})); }
		link d { kind internet; device d; address 198.51.100.1/31; mss 1350; }
		link e { kind internet; device e; address 198.51.100.3/31; mss 1250; }
		$(disruption_tunnels)
		policy office on eth2 {
			$([ -z "$disruption_gre" ] || echo "route t1 udp dport 4500 via cf$(tr ab 12 <<<"$2") else drop;
			route t2 udp dport 4501 via cf$(tr ab 12 <<<"$3") else drop;
			route t3 tcp dport 4500 via cf$(tr ab 12 <<<"$2") else drop;")
			route web  tcp dport 80        via $4 masquerade else drop;
			route pull tcp dport 81        via $5 masquerade else drop;
			route call udp dport 3478      via $4 masquerade else drop;
			route voip udp dport 5060-5070 via $2 else drop;
			route bulk udp dport 873       via $3 else drop;
			route one  to one              via $2 else drop;
			route two  to two              via $3 else drop;
			else main;
		}
	X
}

disruption_prefix_file() {
	awk -v n="$disruption_prefixes" -v off="$1" -v own="$2" 'BEGIN {
		for (k = 0; k < n; k++) {
			if (k % 10 == 9 && k % 20 != own)
				continue
			a = 12 * k + 4 * off
			printf "198.%d.%d.%d/30\n", 18 + int(a / 65536), int(a / 256) % 256, a % 256
			printf "2001:db8:1:%x::/64\n", 3 * k + off
		}
	}'
}

disruption_tunnels() {
	local n
	[ -n "$disruption_gre" ] || return 0
	for n in "1 a 192.0.2.1 0 1410" "2 b 192.0.2.3 2 1390"; do
		# shellcheck disable=SC2086 # five words
		set -- $n
		echo "tunnel cf$1 { kind gre; over $2; local $3; remote 192.0.2.$(($4)); address 10.100.0.$((2 * $1 + 1))/31;
			mss $5; health off; track off; }"
	done
}

# ---- the stream ----

# disruption_spec: what the stream is made of; see spec.c. Each class by both policies.
disruption_spec() {
	local dev place i=10 lan="from=10.10.0.5*20" lan6="from=2001:db8:10::5*20"
	local n=$((disruption_prefixes / 10))
	echo "router /run/netns/$(nsname router)"
	for dev in lan a b c d e; do
		place=far
		[ "$dev" != lan ] || place=lan
		echo "port $dev netns=/run/netns/$(nsname $place) device=${dev/lan/eth2} peer=${dev/lan/eth2} mac=02:00:00:00:01:$i"
		i=$((i + 1))
	done
	[ "$n" -le 1000 ] || n=1000
	cat <<-X
		# flows that live through it all
		class one4 kind=udp in=lan $lan to=198.18.0.1*$n step=120 sport=20000 dport=9 flows=1000 share=$((${disruption_gre:+-80} + 205)) first=a second=b
		class two4 kind=udp in=lan $lan to=198.18.0.5*$n step=120 sport=20000 dport=9 flows=1000 share=150 first=b second=a
		class one6 kind=udp in=lan $lan6 to=2001:db8:1::1*$n step=30 sport=20000 dport=9 flows=1000 share=150 first=a second=b
		class two6 kind=udp in=lan $lan6 to=2001:db8:1:1::1*$n step=30 sport=20000 dport=9 flows=1000 share=100 first=b second=a
		class voip kind=udp in=lan $lan to=100.64.0.1*250 step=1 sport=20000 dport=5060 flows=500 share=100 first=a second=b
		class bulk kind=udp in=lan $lan6 to=2001:db8:77::1*250 step=1 sport=20000 dport=873 flows=500 share=50 first=b second=a
		# new flows all the time, each seen by its first packet's MSS and source
		class syn4 kind=syn in=lan $lan to=198.18.0.1*$n step=120 sport=10000 dport=443 share=60 first=a/mss=1400 second=b/mss=$((1300 - disruption_mss))
		class syn6 kind=syn in=lan $lan6 to=2001:db8:1:1::1*$n step=30 sport=10000 dport=443 share=50 first=b/mss=1300 second=a/mss=$((1400 - disruption_mss))
		class web kind=syn in=lan $lan to=100.64.0.1*250 step=1 sport=10000 dport=80 share=60 first=d/src=198.51.100.1/mss=1350 second=e/src=198.51.100.3/mss=1250
		class pull kind=syn in=lan $lan to=100.64.0.1*250 step=1 sport=10000 dport=81 share=20 first=e/src=198.51.100.3/mss=1250 second=d/src=198.51.100.1/mss=1350
		# flows whose translation is fixed
		class call kind=pinned in=lan $lan to=100.64.0.1*250 step=1 sport=20000 dport=3478 flows=200 share=20 first=d/src=198.51.100.1 second=e/src=198.51.100.3
		# flows that sleep through several updates
		class rare kind=udp in=lan $lan to=198.18.0.1*$n step=120 sport=40000 dport=10 flows=500 share=5 first=a second=b
		# flows from outside, and answers to the first of them, which leave by the link that the flow came in by: most
		# answers come before the next packet from outside does
		class in kind=udp in=a from=198.18.0.1*1 to=10.10.0.5*20 step=1 sport=7000 dport=9000 flows=100 share=20 first=lan second=lan
		class back kind=udp in=lan answer=1 from=198.18.0.1*1 to=10.10.0.5*20 step=1 sport=7000 dport=9000 flows=10 share=10 first=a second=a
	X
	[ -z "$disruption_gre" ] || cat <<-X
		class gre1 kind=udp in=lan $lan to=100.64.0.1*250 step=1 sport=20000 dport=4500 flows=500 share=30 first=a/gre second=b/gre
		class gre2 kind=udp in=lan $lan to=100.64.0.1*250 step=1 sport=20000 dport=4501 flows=500 share=30 first=b/gre second=a/gre
		class syngre kind=syn in=lan $lan to=100.64.0.1*250 step=1 sport=10000 dport=4500 share=20 first=a/gre/mss=1410 second=b/gre/mss=1390
	X
}

# ---- a run ----

# disruption_start WAY: build everything, with the first policy in force; set $disruption_to to the commands that lead
# to the second one and back by that way: cnic, or one of usual.sh.
disruption_start() {
	disruption_lab
	disruption_policies
	if [ "$1" = cnic ]; then
		at router "$CNIC" apply -y -q "$lab_dir/first.cni" || lab_die "the first policy"
		disruption_to=("$CNIC apply -y -q $lab_dir/second.cni" "$CNIC apply -y -q $lab_dir/first.cni")
	else
		usual_files
		usual_start
		disruption_to=(". $lab_dir/$1-second" ". $lab_dir/$1-first")
	fi
	disruption_flows
}

# disruption_stream STREAM OPTION...: what that program tells of the stream; see stream.c.
disruption_stream() { "$@" -v "$lab_dir/spec" "${disruption_to[@]}"; }
