#!/bin/bash
# Tunnels and VLAN devices that somebody else removes or changes: drift tells, and apply mends just them. Runs in a test
# machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

# drift NAME KIND...: there are differences, in devices, their settings and what stands on them, of these kinds only.
drift() {
	fails "drift: $1" cnic drift
	is "$status" 2 "$1: gives 2"
	is "$(sed -n 's/^\(missing\|changed\) *\([a-z]*\) .*/\1 \2/p' <<<"$out" | sort -u | paste -sd,)" "$2" "$1: is told as that"
	told=$(grep -c '^\(missing\|changed\|not of this policy\) ' <<<"$out")
}

# mend NAME: apply has a step for each difference and no other, and nothing of nft changes.
mend() {
	local before
	before=$(at router nft -a -s list ruleset)
	ok "apply: $1" cnic apply --json "$examples/t3-multi-site.cni"
	is "$(grep -c '"phase": "\(expand\|in-place\|flip\|contract\)",\?$' <<<"$out")" "$((told + 1))" "$1: a step for each, and the last phase"
	is "$(at router nft -a -s list ruleset)" "$before" "$1: nft is as it was"
	ok "no drift: $1" cnic drift
	like "$out" 'no difference from revision' "$1: all is there again"
}

lab multi-site
serve far 5060
ok "apply" cnic apply "$examples/t3-multi-site.cni"
ok "no drift" cnic drift
answered "a packet by the tunnel" lan udp 10.10.0.5 198.18.0.1 5060

at router ip link delete cf1
drift "a tunnel is gone" "missing address,missing device,missing route,missing setting"
like "$out" 'missing +device cf1 ' "the tunnel is named"
mend "a tunnel is gone"
answered "a packet by the new tunnel" lan udp 10.10.0.5 198.18.0.1 5060

at router ip link set cf2 type gre ttl 9
drift "a tunnel has another ttl" "changed device"
like "$out" 'changed +device cf2 .*ttl 9, should be cf2 .*ttl 64 ' "is and should be"
mend "a tunnel has another ttl"

at router ip link set cf2 down
fails "drift: a tunnel is down" cnic drift
like "$out" 'changed +device cf2 ' "is told"
ok "apply: a tunnel is down" cnic apply "$examples/t3-multi-site.cni"
ok "no drift: a tunnel is down" cnic drift

vlan=$(at router ip -o link show type vlan | sed -n '1s/^[0-9]*: \([^@]*\)@.*/\1/p')
at router ip link delete "$vlan"
fails "drift: a VLAN device is gone" cnic drift
like "$out" "missing +device $vlan " "is told"
ok "apply: a VLAN device is gone" cnic apply "$examples/t3-multi-site.cni"
ok "no drift: a VLAN device is gone" cnic drift
answered "a packet by the tunnel over it" lan udp 10.10.0.5 198.18.0.1 5060
done_testing
