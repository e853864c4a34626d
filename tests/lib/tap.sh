# TAP and laboratories of network namespaces for tests in bash, which are made to run in a test machine: there perl
# takes seconds, and each exec 18 ms. Sourced; see also in_vm in Lab.pm.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034

tap_count=0 tap_failed=0 tap_planned=
lab_namespaces=()
lab_dir=$(mktemp -d "${TMPDIR:-/tmp}/cnic-test.XXXXXX")
# what is applied in a test is no policy of this machine
export CNIC_STATE_DIR=$lab_dir/revisions

# plan N: say at the start how many checks there will be; or leave it to done_testing.
plan() { tap_planned=$1 && echo "1..$1"; }

# diag TEXT: print it as comments.
diag() { printf '# %s\n' "${1//$'\n'/$'\n# '}"; }

# result STATUS NAME: the check NAME passes where STATUS is 0; returns STATUS.
result() {
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $2"
	fi
	return "$1"
}

# run COMMAND...: run it; set $status, $out and $err (without trailing newlines).
run() {
	status=0
	out=$("$@" 2>"$lab_dir/err") || status=$?
	err=$(<"$lab_dir/err")
}

# ok NAME COMMAND...: the command succeeds. fails NAME COMMAND...: it does not. Both set what run sets.
ok() {
	local name=$1
	shift
	run "$@"
	result "$((status != 0))" "$name" || diag "$* gave $status"$'\n'"$out"$'\n'"$err"
}
fails() {
	local name=$1
	shift
	run "$@"
	result "$((status == 0))" "$name" || diag "$* gave 0"$'\n'"$out"$'\n'"$err"
}

# is GOT WANTED NAME: the same text.
is() {
	local rc=0
	[ "$1" = "$2" ] || rc=1
	result "$rc" "$3" || diag "got:    $1"$'\n'"wanted: $2"
}

# like TEXT REGEX NAME: TEXT holds a match of the extended regular expression. unlike: it holds none.
like() {
	local rc=0
	[[ $1 =~ $2 ]] || rc=1
	result "$rc" "$3" || diag "text:   $1"$'\n'"no match for: $2"
}
unlike() {
	local rc=0
	[[ ! $1 =~ $2 ]] || rc=1
	result "$rc" "$3" || diag "text:   $1"$'\n'"has a match for: $2"
}

# done_testing: the last line of every test.
done_testing() {
	[ -n "$tap_planned" ] || plan "$tap_count"
	exit "$((tap_failed > 0 || tap_planned != tap_count))"
}

# nsname NAME: the full name of this process's namespace NAME, named as Lab.pm names them.
nsname() { echo "cnic-$$-$1"; }

# A laboratory that cannot be built ends the test. (Under ok and fails, which run in a subshell, it ends that.)
lab_die() {
	diag "cannot build the laboratory: $1"
	exit 1
}

# ns NAME...: make namespaces with lo up; they go when the script ends.
ns() {
	local n
	for n; do
		ip netns add "cnic-$$-$n" || lab_die "namespace $n"
		lab_namespaces+=("cnic-$$-$n")
		ip -n "cnic-$$-$n" link set dev lo up
	done
}

# at NAME COMMAND...: run it in a namespace. Not by ip netns exec, which mounts /sys anew.
at() {
	local n=$1
	shift
	nsenter --net="/run/netns/cnic-$$-$n" "$@"
}

# batch NAME <LINES: lines for ip(8) in a namespace.
batch() { ip -n "cnic-$$-$1" -batch - || lab_die "ip in $1"; }

# wire A IF ADDRESSES B IF ADDRESSES: join two namespaces by a veth pair, up and with these addresses, as in Lab.pm.
wire() {
	ip link add name "$2" netns "cnic-$$-$1" type veth peer name "$5" netns "cnic-$$-$4" || lab_die "veth $2, $5"
	batch "$1" < <(lab_addresses "$2" "$3")
	batch "$4" < <(lab_addresses "$5" "$6")
}
lab_addresses() {
	local a
	echo "link set dev $1 up"
	for a in $2; do
		case $a in
		*:*) echo "address add $a dev $1 nodad" ;;
		*) echo "address add $a dev $1" ;;
		esac
	done
}

# What still runs in a namespace of ours was started there by the test.
lab_clean() {
	local n p
	for n in "${lab_namespaces[@]}"; do
		for p in $(ip netns pids "$n"); do kill -KILL "$p"; done
		ip netns delete "$n"
	done 2>/dev/null
	rm -rf "$lab_dir"
}
trap lab_clean EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
