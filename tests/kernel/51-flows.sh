#!/bin/bash
# What becomes of flows when the policy changes: followed, kept, translated ones in peace. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

# policy ROUTES: of the head office of T3.
policy() {
	sed '/^expect/d; /^policy/,/^}/d; s|common/|'"$examples"'/common/|' "$examples/t3-multi-site.cni"
	printf 'policy office on eth2 {\n%s\nelse drop;\n}\n' "$1"
}

# flow NAME DST PORT SPORT PACKETS: one that goes on, 20 packets a second.
flow() { send lan udp 10.10.0.5 "$2" "$3" sport "$4" packets "$5" every 50 >"$lab_dir/flow.$1" & }

# where DST SPORT DEVICE NAME: from now on that flow arrives at the far side by that device only.
where() {
	sleep 0.2
	forget
	sleep 0.3
	saw some far "^$3 in udp .*\\.$2 > ${1//./\\.}\\." "$4: by $3"
	is "$(grep -E "^[a-z0-9]+ in udp .*\\.$2 > ${1//./\\.}\\." "$lab_dir/far.packets" | cut -d ' ' -f 1 | sort -u)" "$3" "$4: only"
}

lab multi-site
at router nft -f - <<-'X' # an observer behind all translation
	table inet observer {
		chain out { type filter hook postrouting priority 300; oifname "eth0" ip saddr 10.0.0.0/8 counter; }
	}
X
watch far
serve far 53 443 5060
policy 'route voip service voip via cf1 else drop;
	route saas to saas via isp masquerade else drop;
	route rest from office via cf1 else drop;' >"$lab_dir/a.cni"
policy 'route voip service voip via cf2 else drop;
	route saas to saas via cf1 else drop;
	route rest from office via isp masquerade else drop;' >"$lab_dir/b.cni"

apply "the first policy" "$lab_dir/a.cni"
flow voice 198.18.0.1 5060 50001 240
flow saas 203.0.113.130 443 50002 240
flow rest 198.18.0.1 53 50003 240
where 198.18.0.1 50001 cf1 "a plain flow"
where 203.0.113.130 50002 net "a translated flow"
where 198.18.0.1 50003 cf1 "another plain flow"
apply "the second policy" "$lab_dir/b.cni"
where 198.18.0.1 50001 cf2 "the plain flow follows the new policy"
where 203.0.113.130 50002 net "the translated flow keeps its way"
where 198.18.0.1 50003 cf1 "a plain flow whose route now masquerades keeps its way too"
answered "a new flow" lan udp 10.10.0.5 203.0.113.130 443 sport 50012
saw 1 far '^cf1 in udp 10\.10\.0\.5\.50012 ' "takes the new policy's way"
answered "a new flow that is translated" lan udp 10.10.0.5 198.18.0.1 53 sport 50013
saw 1 far '^net in udp 198\.51\.100\.2\.50013 ' "does too"
wait %1 %2 %3
for f in voice saas rest; do is "$(<"$lab_dir/flow.$f")" "sent 240 answered 240" "$f lost nothing"; done

# more changes than there are epochs, with one long flow
flow long 198.18.0.2 5060 50021 140
for i in 1 2 3 4 5; do
	for p in a b; do
		cnic apply -q "$lab_dir/$p.cni" || result 1 "change $i"
	done
done
where 198.18.0.2 50021 cf2 "after ten changes the flow is where the policy says"
wait
is "$(<"$lab_dir/flow.long")" "sent 140 answered 140" "and lost nothing"

for p in a b; do { echo 'options { established keep; }' && cat "$lab_dir/$p.cni"; } >"$lab_dir/$p-keep.cni"; done
apply "a policy that keeps flows" "$lab_dir/a-keep.cni"
flow kept 198.18.0.3 5060 50031 120
where 198.18.0.3 50031 cf1 "a flow"
apply "and another one" "$lab_dir/b-keep.cni"
where 198.18.0.3 50031 cf1 "the flow stays"
answered "a new flow" lan udp 10.10.0.5 198.18.0.3 5060 sport 50032
saw 1 far '^cf2 in udp 10\.10\.0\.5\.50032 ' "takes the new policy's way"
wait
is "$(<"$lab_dir/flow.kept")" "sent 120 answered 120" "and nothing was lost"
ok "what left by the Internet all the while" at router nft list table inet observer
like "$out" 'counter packets 0 ' "never had a private source"
done_testing
