#!/bin/bash
# 41-probes.sh classic|express: health probes of every direction and type are answered by their ways while policies change
# and the primary interconnect fails; see tests/bench/health. Runs here and in a test machine; $PROBER sends and counts.
# SPDX-License-Identifier: GPL-2.0-or-later
top=$(realpath "$(dirname "$0")/../..")
# shellcheck disable=SC2154 # what run sets
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
# shellcheck source=tests/bench/health/lab.sh
. "$top/tests/bench/health/lab.sh"
# shellcheck source=/dev/null
. "$top/tests/bench/health/$1.sh"

ok "each probe is answered once, and by its way" "$1_run" 1 1
diag "$out"
done_testing
