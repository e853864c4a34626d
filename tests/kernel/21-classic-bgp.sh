#!/bin/bash
# T2 with BGP: a daemon, here played by hand, fills the table of the outer packet. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

lab classic
apply "apply" "$examples/t2-classic-bgp.cni"
watch router net far
serve far 53

run at router ip rule
[[ $out =~ from\ 198\.51\.100\.130\ lookup\ ([0-9]+) ]] && table=${BASH_REMATCH[1]}
like "$table" '^[0-9]+$' "a rule leads from the tunnel's address to a table"
fails "which is closed" send lan udp 10.1.0.5 198.18.0.1 53 flows 5 wait 300
saw 0 router ' out gre ' "so nothing leaves"

primary="203.0.113.0/24 via 192.0.2.10 dev eth1.100 proto bird metric 20 table $table"
backup="203.0.113.0/24 via 192.0.2.20 dev eth3.200 proto bird metric 30 table $table"
ok "the daemon fills it" batch router < <(printf 'route add %s\n' "$primary" "$backup")
daemon=$(at router ip route show table "$table" proto bird)
forget
answered "traffic flows" lan udp 10.1.0.5 198.18.0.1 53 flows 10
saw 10 router '^eth1\.100 out gre ' "by the primary"

unchanged "another apply changes nothing" "$examples/t2-classic-bgp.cni"
is "$(at router ip route show table "$table" proto bird)" "$daemon" "the daemon's routes stay"
sed 's/remote 203.0.113.200;/& ttl 32;/' "$examples/t2-classic-bgp.cni" >"$lab_dir/ttl.cni"
apply "so do they when the tunnel changes" "$lab_dir/ttl.cni"
is "$(at router ip route show table "$table" proto bird)" "$daemon" "the daemon's routes are the same"
forget
answered "and traffic flows" lan udp 10.1.0.5 198.18.0.1 53 flows 10
saw 10 router '^eth1\.100 out gre 198\.51\.100\.130 > 203\.0\.113\.200 tos 0x00 ttl 32 ' "as the policy now has it"

echo "route delete $primary" | batch router
outer_by b | batch far
forget
answered "the primary is withdrawn: traffic goes on" lan udp 10.1.0.5 198.18.0.1 53 flows 10
saw 10 router '^eth3\.200 out gre ' "by the backup"
echo "route delete $backup" | batch router
at router ip route replace default dev cf1
forget
fails "both are withdrawn: nothing is answered" send lan udp 10.1.0.5 198.18.0.1 53 flows 10 wait 300
saw 0 router ' out gre ' "no outer packet leaves, by any way or into a tunnel"
at router ip route replace default via 198.51.100.1
forget
fails "nor with main's default to the Internet" send lan udp 10.1.0.5 198.18.0.1 53 flows 10 wait 300
saw 0 router '^eth[0-9.]+ out ' "nothing leaks"
echo "route add $backup" | batch router
answered "one comes back, and so does traffic" lan udp 10.1.0.5 198.18.0.1 53 flows 10

ok "remove" cnic remove
is "$(at router ip -d rule | grep -c "proto 93")" 0 "leaves no rule"
done_testing
