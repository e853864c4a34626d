#!/bin/bash
# cnic.service under systemd itself, as at boot: the policy is there before anything is forwarded. Runs in a test machine,
# which is the router; systemd is process 1 of a namespace in it.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

unset CNIC_STATE_DIR # what is applied here is the machine's policy
cat >"$lab_dir/policy.cni" <<'END'
lan office { device eth2; prefix 10.1.0.0/24; }
link isp { kind internet; device eth0; address 198.51.100.2/30; }
policy office on eth2 {
	route all from 10.1.0.0/24 via isp else drop;
	else drop;
}
END

# device NAME: is there, and has carrier.
device() {
	ip link add "$1" type veth peer name "far-$1"
	ip link set "far-$1" up
	ip link set "$1" up
	until ip link show dev "$1" | grep -q LOWER_UP; do sleep 0.1; done
}

# go_down: the kernel forgets, as when the machine goes down.
go_down() {
	"$CNIC" remove -q --state-dir "$lab_dir/elsewhere" >/dev/null
	echo 0 >/proc/sys/net/ipv4/ip_forward
}

# unit NAME: from standard input; no unit of the host's is wanted but those that are named.
unit() { { echo "[Unit]" && echo "DefaultDependencies=no" && cat; } >"/run/systemd/system/$1"; }

# boot COMMAND: systemd comes up with cnic.service and systemd-sysctl.service; then COMMAND runs; its output is $out.
boot() {
	printf '%s\n' "$1" >"$lab_dir/command"
	rm -f "$lab_dir/out" "$lab_dir/done"
	unshare --pid --fork --mount --mount-proc --kill-child env container=test /lib/systemd/systemd --system \
		--unit=boot.target --log-target=console --show-status=no >"$lab_dir/log" 2>&1 &
	for ((i = 0; i < 600; i++)); do
		[ ! -e "$lab_dir/done" ] || break
		sleep 0.1
	done
	kill -9 $! && wait $! 2>/dev/null
	out=$(<"$lab_dir/out") || diag "$(<"$lab_dir/log")"
}
show() { sed -n "s/^$1=//p" <<<"$out"; }

mkdir -p /run/systemd/system /run/sysctl.d /var/lib /usr/local/sbin
mount -t tmpfs -o mode=0755 none /var/lib
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
cp "$CNIC" /usr/local/sbin/cnic
sed 's,^\(Exec[a-zA-Z]*=\)[^-]*/cnic,\1/usr/local/sbin/cnic,' "${CNIC%/*}/cnic.service" >/run/systemd/system/cnic.service
echo 'net.ipv4.ip_forward = 1' >/run/sysctl.d/99-test.conf
unit boot.target <<END
Wants=cnic.service systemd-sysctl.service command.service
END
unit command.service <<END
After=cnic.service systemd-sysctl.service
[Service]
Type=oneshot
StandardOutput=file:$lab_dir/out
StandardError=inherit
ExecStart=bash $lab_dir/command
ExecStopPost=touch $lab_dir/done
END

device eth0
device eth2
ok "a policy is applied" "$CNIC" apply "$lab_dir/policy.cni"
go_down
times="systemctl show -p ActiveState,Result,ExecMainExitTimestampMonotonic cnic.service
systemctl show -p ExecMainStartTimestampMonotonic systemd-sysctl.service
cat /proc/sys/net/ipv4/ip_forward | sed s/^/Forward=/"

boot "$times"
is "$(show ActiveState) $(show Result)" "active success" "after a boot the unit is active"
is "$(show Forward)" 1 "the machine forwards"
restored=$(show ExecMainExitTimestampMonotonic) forwards=$(show ExecMainStartTimestampMonotonic)
ok "and the policy was there before it did" test "${restored:-0}" -gt 0 -a "${restored:-0}" -le "${forwards:-0}"
ok "the kernel holds the policy" "$CNIC" plan --detailed-exitcode "$lab_dir/policy.cni"
ok "there is one revision" "$CNIC" history
is "$(wc -l <<<"$out")" 3 "and restoring makes no other"

# a device that is made later than that
go_down
ip link delete eth2
declare -f device >"$lab_dir/device"
boot "$times
nft list tables | sed s/^/Table=/
. $lab_dir/device
device eth2
for ((i = 0; i < 300; i++)); do
	[ \"\$(systemctl show -P ActiveState cnic.service)\" != active ] || break
	sleep 0.1
done
echo Later=\$(systemctl show -P ActiveState cnic.service)"
is "$(show Forward)" 1 "without a device the boot goes on"
unlike "$(show ActiveState)" '^active$' "the unit is not active"
is "$(show Table)" "" "and nothing is half there"
is "$(show Later)" active "when the device comes, it is"
ok "the kernel holds the policy" "$CNIC" plan --detailed-exitcode "$lab_dir/policy.cni"
done_testing
