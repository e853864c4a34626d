#!/bin/bash
# Flows that go on while the policy changes lose no packet, and none leaks. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

# policy ROUTES: of the head office of T3.
policy() {
	sed '/^expect/d; /^policy/,/^}/d; s|common/|'"$examples"'/common/|' "$examples/t3-multi-site.cni"
	printf 'policy office on eth2 {\n%s\nelse drop;\n}\n' "$1"
}

# flow NAME DST PORT SPORT PACKETS: one that goes on, 20 packets a second, longer than all that is asked about it.
flow() { send lan udp 10.10.0.5 "$2" "$3" sport "$4" packets "$5" every 50 >"$lab_dir/flow.$1" & }

# where DST SPORT DEVICE NAME: from now on that flow arrives at the far side by that device only.
where() {
	sleep 0.2
	forget
	sleep 0.3
	saw some far "^$3 in udp .*\\.$2 > ${1//./\\.}\\." "$4: by $3"
	run grep -E "^[a-z0-9]+ in udp .*\\.$2 > ${1//./\\.}\\." "$lab_dir/far.packets"
	is "$(cut -d ' ' -f 1 <<<"$out" | sort -u)" "$3" "$4: only"
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
flow voice 198.18.0.1 5060 50001 800
flow saas 203.0.113.130 443 50002 800
flow rest 198.18.0.1 53 50003 800
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
apply "the first policy again" "$lab_dir/a.cni"
wait
for f in voice saas rest; do is "$(<"$lab_dir/flow.$f")" "sent 800 answered 800" "$f lost nothing"; done

ok "what left by the Internet all the while" at router nft list table inet observer
like "$out" 'counter packets 0 ' "never had a private source"
done_testing
