#!/bin/bash
# What is missing is named and nothing is changed: parts of the kernel, privileges. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

lab multi-site
at far ip link delete cf1
at far ip link delete cf2
before=$(state router)

# nobody COMMAND...: with no capability at all.
nobody() { at router setpriv --bounding-set=-all --inh-caps=-all "$@"; }
fails "apply without privileges" nobody "$CNIC" apply "$examples/t3-multi-site.cni"
is "$status" 1 "gives 1"
like "$err" 'CAP_NET_ADMIN' "and names the capability"
fails "remove without privileges" nobody "$CNIC" remove
like "$err" 'CAP_NET_ADMIN' "says the same"
ok "check needs none" nobody "$CNIC" check "$examples/t3-multi-site.cni"

same "$before" "nothing was changed"

# lacks MODULE OPTION FILE STATUS: the kernel is without it; apply fails, names both, and leaves nothing changed: 3
# where it had begun, 1 where the first message was refused.
lacks() {
	fails "apply without $1" cnic apply "$3"
	is "$status" "$4" "gives $4"
	like "$err" "$1" "names the module"
	like "$err" "$2" "and the kernel's option"
	like "$err" "${3##*/}:[0-9]+:[0-9]+" "at the line that needs it"
	same "$before" "nothing was changed"
}
ok "masquerading is taken from the kernel" rmmod nft_masq
ok "and GRE" rmmod ip6_gre ip_gre
ok "and the loading of modules" bash -c 'echo 1 >/proc/sys/kernel/modules_disabled'
before=$(state router)
lacks ip_gre CONFIG_NET_IPGRE "$examples/t3-multi-site.cni" 3
sed 's/eth4/eth2/' "$examples/ordinary-routing.cni" >"$lab_dir/masquerade.cni"
lacks nft_masq CONFIG_NFT_MASQ "$lab_dir/masquerade.cni" 1
done_testing
