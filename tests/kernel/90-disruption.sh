#!/bin/bash
# 90-disruption.sh RATE UPDATES: a stream of packets while the policy is swapped back and forth; see
# tests/bench/disruption. Runs here and in a test machine; $STREAM is the program that sends and counts.
# SPDX-License-Identifier: GPL-2.0-or-later
top=$(realpath "$(dirname "$0")/../..")
# shellcheck disable=SC2154 # what run sets
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
# shellcheck source=tests/bench/disruption/lab.sh
. "$top/tests/bench/disruption/lab.sh"

disruption_start cnic
run disruption_stream "$STREAM" -r "$1" -n "$2"
is "$status" 0 "the stream flows" || diag "$out$err"
declare -A value
while read -r key rest; do [ "$key" = "#" ] || value[$key]=$rest; done <<<"$out"
diag "${value[sent]} packets, ${value[rate]} a second; ${value[median_ms]} ms an update"

is "${value[updates]} ${value[failed]}" "$2 0" "$2 updates are made" || diag "$err"
# none is half of what is sent; each policy is in force for half of the time
result "$((value[by_first] < value[sent] / 10 || value[by_second] < value[sent] / 10))" "and both policies steer" ||
	diag "$out"
result "$((value[lost] > value[machine_drops]))" "no packet is lost" || diag "$out"
is "${value[astray]}" 0 "none takes a path that neither policy gives" || diag "$out"
is "${value[mixed]}" 0 "none is treated partly by the one and partly by the other" || diag "$out"
is "${value[twice]}" 0 "none comes twice" || diag "$out"
is "${value[late]}" 0 "none meets the former policy once cnic has returned" || diag "$out"
is "${value[strange]}" 0 "and the router says nothing of its own" || diag "$out"
done_testing
