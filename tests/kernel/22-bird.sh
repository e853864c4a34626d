#!/bin/bash
# T2 with BGP, spoken by BIRD on both sides: the outer packet moves when the primary interconnect fails, aloud or in
# silence, the inner flow goes on, and nothing but the tunnel's end is ever announced. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

end=198.51.100.130/32

# await NAME COMMAND...: it succeeds within 15 s; says after how many.
await() {
	local start=${EPOCHREALTIME/./} tries=0
	until "${@:2}" >/dev/null 2>&1; do
		[ $((tries += 1)) -le 120 ] || break
		sleep 0.1
	done
	ok "$1 ($(((${EPOCHREALTIME/./} - start) / 1000)) ms)" "${@:2}"
}

# bird NS [OPTION]...: start it there, with what NS.conf says. tell NS COMMAND...: what it answers.
bird() { at "$1" bird -c "$lab_dir/$1.conf" -s "$lab_dir/$1.ctl" -P "$lab_dir/$1.pid" "${@:2}" || lab_die "bird in $1"; }
tell() { birdcl -s "$lab_dir/$1.ctl" "${@:2}"; }

# edge NS ADDRESS NEIGHBOR DEV TO-FAR FAR [KEY]: the provider's side of an interconnect. It announces more than is needed.
edge() {
	cat >"$lab_dir/$1.conf" <<-X
		log "$lab_dir/$1.log" all;
		router id $2;
		protocol device { }
		protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }
		protocol static { ipv4; route 203.0.113.0/24 via $6; route 198.18.0.0/15 via $6; route 10.1.0.0/16 via $6; }
		protocol bfd { interface "$4" { interval 300 ms; multiplier 3; }; }
		template bgp quick { connect delay time 1; connect retry time 1; error wait time 1, 2; }
		protocol bgp customer from quick {
			debug { states, routes };
			local $2 as 13335;
			neighbor $3 as 64512;
			$7
			bfd;
			allow local as 9; # what comes back is to be seen
			ipv4 { import all; export where source = RTS_STATIC; };
		}
		protocol bgp far from quick {
			local $5 as 13335;
			neighbor $6 as 64500;
			ipv4 { import none; export where source = RTS_BGP; };
		}
	X
	bird "$1"
}

# what_bird_has: BIRD's routes in the router's kernel. outer_way VIA: so that outer packets leave by there.
what_bird_has() { at router ip route show table all proto bird; }
outer_way() { [[ $(what_bird_has) == "203.0.113.0/24 via $1 dev "*" table $table metric 32 "* ]]; }
# far_way VIA: the far side sends outer packets by there.
far_way() { [[ $(at far ip route get 198.51.100.130) == *" via $1 "* ]]; }

# stream NAME PACKETS LOST COMMAND...: a flow of PACKETS, one each 20 ms, with the command in it, loses no more than LOST.
stream() {
	local sent answered
	send lan udp 10.1.0.5 198.18.0.1 53 flows 1 packets "$2" every 20 wait 500 sport 2000 >"$lab_dir/stream" 2>&1 &
	sleep 0.5
	"${@:4}"
	wait $!
	[[ $(<"$lab_dir/stream") =~ sent\ ([0-9]+)\ answered\ ([0-9]+) ]] && sent=${BASH_REMATCH[1]} answered=${BASH_REMATCH[2]}
	result "$((${answered:-0} == 0 || sent - answered > $3))" "$1 ($((sent - answered)) of $sent packets lost)" ||
		diag "$(<"$lab_dir/stream")"
}

# emitted FILE: the router's BIRD gets what cnic writes of it.
emitted() { "$CNIC" compile --emit bird -o "$lab_dir/router.conf" -q "$1"; }

lab classic
lab_routes[a]=
echo "route delete 198.51.100.128/30" | tee >(batch a) >(batch b) >(batch far) >/dev/null
wait
watch router
serve far 53
echo '"between us"' >"$lab_dir/ams.key"
sed "/link cni-a/,/^}/s/13335;/& md5 file \"ams.key\";/" "$examples/t2-classic-bgp.cni" >"$lab_dir/policy.cni"
sed "s/peer-as 13335;/& bfd on;/" "$lab_dir/policy.cni" >"$lab_dir/bfd.cni"

apply "apply" "$lab_dir/policy.cni"
[[ $(at router ip rule) =~ from\ 198\.51\.100\.130\ lookup\ ([0-9]+) ]] && table=${BASH_REMATCH[1]}
ok "cnic writes what BIRD is to do" emitted "$lab_dir/policy.cni"
edge a 192.0.2.10 192.0.2.11 eth0.100 172.31.1.1 172.31.1.2 'password "between us";'
edge b 192.0.2.20 192.0.2.21 eth0.200 172.31.2.1 172.31.2.2
cat >"$lab_dir/far.conf" <<-X
	router id 172.31.1.2;
	protocol device { }
	protocol kernel { ipv4 { import none; export all; }; }
	template bgp quick { connect delay time 1; connect retry time 1; error wait time 1, 2; ipv4 { import all; export none; }; }
	protocol bgp a from quick { local 172.31.1.2 as 64500; neighbor 172.31.1.1 as 13335; }
	protocol bgp b from quick { local 172.31.2.2 as 64500; neighbor 172.31.2.1 as 13335; }
X
bird far
bird router
await "the outer packet's route comes by the primary" outer_way 192.0.2.10
await "and so does the far side's" far_way 172.31.1.1
await "the backup's session is there, too" tell router show route table "'cnic.links.4'" protocol "'cnic.bgp.192.0.2.21'"
answered "traffic flows" lan udp 10.1.0.5 198.18.0.1 53 flows 10
saw 10 router '^eth1\.100 out gre ' "by the primary"
learnt=$(tell router show route table "'cnic.links.4'" where source = RTS_BGP)
is "$(grep -o '^[0-9][0-9./]*' <<<"$learnt")" 203.0.113.0/24 "of all that is announced it takes what leads to the remote end"
is "$(at router ip route show table main proto bird)" "" "main has nothing of it"

daemon=$(what_bird_has)
sessions() { grep -h 'customer: State changed' "$lab_dir"/[ab].log; }
before=$(sessions)
unchanged "another apply changes nothing" "$lab_dir/policy.cni"
sed 's/remote 203.0.113.200;/& tos 16;/' "$lab_dir/policy.cni" >"$lab_dir/tos.cni"
apply "one that changes the tunnel" "$lab_dir/tos.cni"
is "$(what_bird_has)" "$daemon" "leaves the daemon's routes"
is "$(sessions)" "$before" "and its sessions"

restart() {
	kill -KILL "$(<"$lab_dir/router.pid")"
	sleep 0.5
	bird router -R
}
stream "BIRD is killed, and started with -R" 150 0 restart
await "its sessions are back" tell router show route table "'cnic.links.4'" protocol "'cnic.bgp.192.0.2.11'"

mute() { at a nft 'add table netdev mute; add chain netdev mute in { type filter hook ingress device eth0 priority 0; policy drop; };
	add table inet mute; add chain inet mute out { type filter hook postrouting priority 0; oifname "eth0.100" drop; }'; }
unmute() { at a nft 'delete table netdev mute; delete table inet mute'; }
back() {
	"$@"
	await "the primary is back: so is the way" outer_way 192.0.2.10
	await "at the far side, too" far_way 172.31.1.1
}
# only_the_end NAME: of all that the router has announced so far there is nothing but the tunnel's end.
only_the_end() {
	is "$(sed -n 's/.* customer[^ ]* > [a-z]* *\(\[[a-z ]*\] \)*\([0-9./]*\).*/\2/p' "$lab_dir"/[ab].log | sort -u)" "$end" "$1"
}
only_the_end "nothing but the tunnel's end was announced"

# the hold time of 30 s takes its time
if [ -n "${CNIC_FULL-}" ]; then
	await "the way is the primary" outer_way 192.0.2.10
	forget
	stream "the primary falls silent, without BFD: the flow goes on after the hold time" 2250 1800 mute
	await "by the backup" outer_way 192.0.2.20
	await "from the far side, too" far_way 172.31.2.1
	saw some router '^eth3\.200 out gre ' "the outer packet has moved"
	saw 0 router '^eth0 out ' "nothing has left by the Internet meanwhile"
	is "$(at router ip route show table main proto bird)" "" "main has nothing of it"
	only_the_end "and still nothing else was announced"
	stream "nothing is lost on the way back" 1000 0 back unmute
fi

apply "the policy with BFD" "$lab_dir/bfd.cni"
ok "its BGP" emitted "$lab_dir/bfd.cni"
like "$(tell router configure)" 'Reconfigured' "is taken in by birdc configure"
up() { [ "$(tell router show bfd sessions | grep -c ' Up ')" = 2 ]; }
await "BFD is up on both links" up
await "the way is the primary" outer_way 192.0.2.10

forget
stream "the primary loses its carrier: the flow goes on" 150 100 unplug a
ok "by the backup" outer_way 192.0.2.20
ok "from the far side, too" far_way 172.31.2.1
saw some router '^eth3\.200 out gre ' "the outer packet has moved"
is "$(at router ip route show table main proto bird)" "" "main has nothing of it"
only_the_end "nothing but the tunnel's end was announced while it moved"
stream "nothing is lost on the way back" 550 0 back plug a

await "BFD is up on both links again" up
forget
stream "the primary falls silent: the flow goes on" 200 150 mute
ok "by the backup" outer_way 192.0.2.20
ok "from the far side, too" far_way 172.31.2.1
saw some router '^eth3\.200 out gre ' "the outer packet has moved"
back unmute
forget
answered "traffic flows" lan udp 10.1.0.5 198.18.0.1 53 flows 10
saw 10 router '^eth1\.100 out gre ' "by the primary"

ok "remove" cnic remove
gone() { ! tell "$1" show route protocol customer | grep -q "$end"; }
await "takes back what was announced, by the primary" gone a
await "and by the backup" gone b
only_the_end "nothing but the tunnel's end was ever announced"
done_testing
