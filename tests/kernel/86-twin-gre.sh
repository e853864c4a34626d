#!/bin/bash
# `cnic diff --twin` with real GRE and VLAN devices. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

# twin NAME ARGUMENTS of diff...: every class that is tried agrees.
twin() {
	local name=$1
	shift
	ok "$name" "$CNIC" diff --twin "$@"
	unlike "$out" 'DIFFERS' "... and no kernel differs"
	unlike "$out" 'stand-ins' "... without stand-ins"
}

before=$(ip -d link)
twin "T2 to T3" "$examples/t2-classic.cni" "$examples/t3-multi-site.cni"
like "$out" 'Kernel twin: of 18 classes, 18 tried, 18 agreed' "... on all classes"
like "$out" 'by cf1 over eth1\.100 to 192\.0\.2\.10, mss 1436 -> dropped' "... by the tunnel, and the tunnel by its VLAN and next hop"
like "$out" 'dropped -> by cf1 over eth1\.100 to 192\.0\.2\.10, mss 1416' "... over IPv6 too"
twin "the first interconnect is down" --down cni-a "$examples/t2-classic.cni" "$examples/t3-multi-site.cni"
like "$out" 'by cf1 over eth3\.200 to 192\.0\.2\.20, mss 1436' "... and cf1 goes by the second"
twin "a tunnel is down" --down cf1 "$examples/t2-classic.cni" "$examples/t3-multi-site.cni"
unlike "$out" 'twin [^'$'\n'']*by cf1' "... and nothing takes it"
twin "GRE over both families, keys, checksums" "$examples/fallback.cni" "$examples/gre-options.cni"
twin "BGP fills the underlay, but not here" "$examples/t2-classic.cni" "$examples/t2-classic-bgp.cni"
is "$(ip -d link)" "$before" "this network is as it was"
done_testing
