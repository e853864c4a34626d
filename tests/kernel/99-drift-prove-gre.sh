#!/bin/bash
# Every example, as it was installed, is proven; without one of its routes it is not. Runs in a test machine.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/kernel/lab/lab.sh
. "$(dirname "$0")/lab/lab.sh"

i=0
for policy in "$examples"/*.cni; do
	i=$((i + 1))
	ns "a$i"
	for n in 0 1 2 3 4; do
		printf 'link add eth%d type dummy\nlink set eth%d up\n' "$n" "$n"
	done | batch "a$i"
	cnic() { at "a$i" "$CNIC" "$@"; }
	name=$(basename "$policy" .cni)
	ok "$name: apply" cnic apply -q "$policy"
	ok "$name: is proven" cnic drift --prove "$policy"
	like "$out" 'what is installed does what the policy says' "$name: is told as that"
	read -r table <<<"$(at "a$i" ip -4 route show table all proto 93 | sed -n 's/^default via .* table \([0-9]*\) .*/\1/p')"
	[ -n "$table" ] || continue
	at "a$i" ip -4 route flush table "$table"
	fails "$name: a table is empty" cnic drift --prove "$policy"
	like "$out" 'what is installed does not do what the policy says' "$name: is found out"
done
done_testing
