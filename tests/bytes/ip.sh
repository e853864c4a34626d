#!/bin/bash
# Runs in a test machine for ip.t: each policy by cnic and by the ip commands of `cnic compile --emit ip`, both under
# strace. Prints for each what was sent, and what the kernel then holds.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

router() {
	ns "$1"
	batch "$1" <<-X
		link add eth0 up type dummy
		link add eth1 up type dummy
		link add eth2 up type dummy
		link add eth3 up type dummy
	X
}
holds() {
	local what
	for what in "link" "address" "rule" "-6 rule" "route show table all" "-6 route show table all"; do
		# shellcheck disable=SC2086 # words
		at "$1" ip -d -j $what
		echo
	done
}

for policy; do
	router "c$policy"
	router "i$policy"
	"$CNIC" compile --emit ip "examples/$policy.cni" 2>/dev/null | grep '^ip ' >"$lab_dir/ip.sh"
	echo "=== $policy"
	at "c$policy" strace -qq -e trace=sendmsg,sendto -e abbrev=none -e signal=none -s 65536 -o "$lab_dir/trace" \
		"$CNIC" apply -y "examples/$policy.cni" >/dev/null 2>"$lab_dir/err" || cat "$lab_dir/err"
	sed 's/^/cnic: /' "$lab_dir/trace"
	at "i$policy" strace -f -qq -e trace=sendmsg,sendto -e abbrev=none -e signal=none -s 65536 -o "$lab_dir/trace" \
		sh -e "$lab_dir/ip.sh" 2>"$lab_dir/err" || cat "$lab_dir/err"
	sed 's/^/ip: /' "$lab_dir/trace"
	holds "c$policy" | sed 's/^/cnic= /'
	holds "i$policy" | sed 's/^/ip= /'
done
