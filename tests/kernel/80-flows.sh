#!/bin/bash
# Flows over a change of policy: followed, kept, and never translated otherwise than they began. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

# policy FILE PATH [OPTIONS]: all of UDP takes that path.
policy() {
	cat >"$lab_dir/$1.cni" <<-X
		options { rp-filter off; $3 }
		lan hq { device eth2; prefix 10.10.0.0/16; }
		link cni { kind pni; device eth1 vlan 100; address 192.0.2.11/31; }
		link isp { kind internet; device eth0; address 198.51.100.2/30; }
		tunnel cf1 {
			kind gre; over cni; local 198.51.100.130; remote 203.0.113.200; address 10.100.1.1/31;
			health { direction bidirectional; type request; } track off;
		}
		tunnel cf2 {
			kind gre; over isp; local 198.51.100.2; remote 203.0.113.201; address 10.100.1.3/31;
			health { direction bidirectional; type request; } track off;
		}
		policy office on eth2 { route all proto udp via $2 else drop; else drop; }
	X
}

# takes DEVICE SPORT NAME: one packet of that flow arrives at the far side by that device, and is answered.
takes() {
	forget
	answered "$3" lan udp 10.10.0.5 198.18.0.1 53 sport "$2"
	saw 1 far "^$1 in udp .*\\.53 " "$3: by $1"
}

# to FILE: the policy changes; said only when it fails.
to() { cnic apply -q "$lab_dir/$1.cni" >"$lab_dir/apply" 2>&1 || { cat "$lab_dir/apply"; lab_die "apply $1"; }; }

# paths: what the router has of them.
paths() { at router nft list counters table inet cnic | sed -n 's/.*comment "\(.*\)"/\1/p'; }

lab multi-site
policy one cf1
policy two cf2
policy kept cf2 "established keep;"
policy out "isp masquerade"
watch far net
serve far 53

to one
takes cf1 43000 "a flow"
to two
takes cf2 43000 "the next packet of it, under another policy"
takes cf2 43001 "and a new flow"

to one
takes cf1 43002 "a flow that will be kept"
to kept
takes cf1 43002 "stays, under a policy that keeps"
takes cf2 43003 "and a new flow does not"
like "$(paths)" '^cf1\[4\] else drop' "its path is still there"
at router conntrack -F 2>/dev/null
to kept
unlike "$(paths)" '^cf1\[4\] else drop' "and goes once no flow is on it"
unchanged "for good" "$lab_dir/kept.cni"

to out
takes net 43004 "a flow that is masqueraded"
saw 1 far '^net in udp 198\.51\.100\.2\.' "has the router's address"
to one
takes net 43004 "keeps its way, for its NAT is fixed"
saw 1 far '^net in udp 198\.51\.100\.2\.' "and the router's address"
takes cf1 43005 "a new flow does not"
to out
forget
takes cf1 43005 "and one that is not masqueraded cannot begin to be"
takes net 43006 "as new ones are"
saw 0 net ' udp 10\.10\.' "no private address ever leaves by the uplink"

# Seven changes bring the same epoch again: what a sleeping flow has in conntrack from the last time must not count.
to one
takes cf1 43007 "a flow that sleeps"
for file in two one two one two one; do to $file; done
epoch=$(at router nft list chain inet cnic prerouting | sed -n 's/.*jump steer\.\([0-9]\)\..*/\1/p')
to two
is "$(at router nft list chain inet cnic prerouting | sed -n 's/.*jump steer\.\([0-9]\)\..*/\1/p')" $((epoch % 7 + 1)) "epochs come round"
takes cf2 43007 "wakes under another policy, and follows it"
done_testing
