#!/bin/bash
# cnic doctor where it needs GRE, flowtables, modules that come and go, and limits of the whole machine: each condition
# is found, and is gone once the help's own command was run. Runs in a test machine. See also tests/golden/doctor.t.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

lab multi-site
at far ip link delete cf1
at far ip link delete cf2
policy=$lab_dir/policy.cni
cp "$examples/t3-multi-site.cni" "$policy"
cp -r "$examples/common" "$lab_dir/"

# clean NAME: the doctor finds nothing.
clean() {
	ok "$1: exit status 0" cnic doctor "$policy"
	is "$err" "" "and no finding"
}

# found CODE STATUS CHECK TEXT: the doctor says so, and of that check; leaves its command in $mend.
found() {
	run cnic doctor "$policy"
	is "$status" "$2" "$1: exit status $2"
	like "$err" "\[$1\]: .*$4" "names it"
	like "$out" "$3 +(warning|error) " "the check $3 says so"
	mend=$(grep -A9 "$1" <<<"$err" | sed -n 's/^ *= help: //p;T;q')
	mend=${mend##*and: }
	mend=${mend%% (*}
}

# mended NAMESPACE CODE: by the command itself; an empty namespace: on the machine.
mended() {
	ok "mend: $mend" ${1:+at "$1"} bash -c "$mend"
	run cnic doctor "$policy"
	unlike "$err" "$2" "it is gone"
}

clean "before the first apply"
ok "apply" cnic apply "$policy"
clean "after it"
like "$out" 'plan +ok +.* 0 changes' "with nothing to change"

at router ip link set dev eth1 mtu 1400
found CNI753 1 mtu '.eth1. takes only 1400'
mended router CNI753

ok "a flowtable" at router nft -f - <<-X
	table inet fast {
		flowtable f { hook ingress priority 0; devices = { eth2, eth3 }; }
		chain forward { type filter hook forward priority 0; ip protocol { tcp, udp } flow add @f; }
	}
X
found CNI741 1 flowtables 'flowtable f of table inet fast takes flows of device eth[23]'
run at router "$CNIC" doctor --state-dir "$lab_dir/none"
is "$status" 0 "without a policy: exit status 0"
like "$err" '\[CNI742\]' "and a warning"
mended router CNI741
at router nft delete table inet fast

sed 's/type request/type reply/' "$examples/t3-multi-site.cni" >"$policy"
at router nft 'add table inet wall; add chain inet wall in { type filter hook input priority 0; };
	add rule inet wall in ct state invalid drop; add rule inet wall in ct state invalid,untracked counter drop'
run cnic doctor "$policy"
is "$(grep -c CNI746 <<<"$err")" 1 "what drops invalid packets alone does the probes no harm"
found CNI746 0 probes 'table inet wall'
mended router CNI746
at router nft delete table inet wall
cp "$examples/t3-multi-site.cni" "$policy"

at lan ping -qc 1 10.10.0.1 >/dev/null
max=$(at router cat /proc/sys/net/netfilter/nf_conntrack_count)
at router test "$max" -gt 0 && echo "$max" >/proc/sys/net/netfilter/nf_conntrack_max
found CNI745 1 conntrack "conntrack holds $max flows of $max"
mended "" CNI745
echo 262144 >/proc/sys/net/netfilter/nf_conntrack_max

clean "and in the end"
ok "remove" cnic remove
ok "modules are unloaded" rmmod nft_masq ip6_gre ip_gre
ok "and come no more by themselves" bash -c 'echo /bin/false >/proc/sys/kernel/modprobe'
found CNI740 1 kernel 'lacks GRE devices'
like "$err" "nft's masquerade" "and masquerading"
mended "" 'lacks GRE devices'
ok "with masquerading, too" modprobe nft_masq
clean "all parts are there"
done_testing
