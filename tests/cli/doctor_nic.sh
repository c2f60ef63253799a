#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# segue doctor on kernel and NICs: each finding is provoked. Where the machine of the test is not such a one, it is
# made to look like it (machine.so): kernel, files, and what a NIC's driver answers. The rest is real.
# Not provoked: a NIC that strips VLAN tags, since a veth does not, and a kernel without BTF.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "the doctor's findings about NICs"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/cli/doctor_lib.sh
. tests/cli/doctor_lib.sh
PINS=/sys/fs/bpf/xdp/globals
OTHER=/sys/fs/bpf/second/globals
pretend="" pins=$PINS

doctor_says() {
	# shellcheck disable=SC2086 # words
	net_in relay env SEGUE_OBJECT_DIR=build/bpf LD_PRELOAD="$PWD/build/tests/cli/machine.so" $pretend \
		build/segue --pin-dir "$pins" doctor --json
}

file() { # PATH TEXT: stands for the file of that path
	mkdir -p "$NET_DIR/root${1%/*}" && echo "$2" >"$NET_DIR/root$1"
}

attach() { # NIC native|generic
	net_segue interface attach "$1" --mode "$2" --capacity 64 >/dev/null
}

attach_other() {
	net_in relay ip link add d0 type bridge && net_in relay ip link set d0 up && attach d0 generic
}

check_kernel() {
	ok "this kernel" finds ok kernel 'Linux [0-9]'
	pretend=MACHINE_RELEASE=5.10.0
	ok "one that is too old" finds problem kernel 'Linux 5.10.0 is older than 5.18'
	pretend=MACHINE_ROOT=$NET_DIR/root
	file /proc/sys/net/core/bpf_jit_enable 0
	ok "no compiler" finds warning jit 'compiler is off'
	file /proc/sys/net/core/bpf_jit_enable 1
	ok "a compiler" finds ok jit 'compiler is on'
	file /proc/self/cgroup 0::/segue.slice
	file /sys/fs/cgroup/segue.slice/memory.max 100000000
	ok "a limit for memory" finds warning memlock 'limit of 100000000 bytes'
	file /sys/fs/cgroup/segue.slice/memory.max max
	ok "none" finds ok memlock 'has no limit here'
	pretend=
}

check_nics() {
	ok "a native NIC and a generic one" finds ok redirect 'r2: nothing known against'
	pretend="MACHINE_NIC=r2 MACHINE_DRIVER=ice"
	ok "a driver that sends nothing without a program of its own" finds problem redirect 'r2: driver ice sends'
	ok "and has a native mode" finds warning mode 'r2: generic mode, although driver ice'
	pretend=
	ok "offloads of a veth" finds ok offloads 'r1: none'
	pretend="MACHINE_NIC=r1 MACHINE_FLAGS=0x8000"
	ok "LRO" finds problem offloads 'r1: LRO'
	pretend="MACHINE_NIC=r1 MACHINE_FEATURE=rx-gro-hw"
	ok "hardware GRO" finds warning offloads 'r1: hardware GRO'
	pretend="MACHINE_NIC=r1 MACHINE_FEATURE=rx-gro-list"
	ok "another feature" finds ok offloads 'r1: none'
	pretend=
	ok "an MTU of a page" finds ok mtu 'v0: 1500'
	net_in relay ip link set dev v0 mtu 9000
	ok "one of several" finds warning mtu 'v0: an MTU of 9000'
	ok "its cure works" cured mtu
	ok "and is one" finds ok mtu 'v0: 1500'
}

check_queues() {
	ok "the queues of a veth" finds ok queues 'r1: its driver has no queues that matter'
	if [ "$(nproc)" = 1 ]; then
		skip "fewer queues than CPUs" "there is one CPU"
		return
	fi
	pretend="MACHINE_NIC=d0 MACHINE_DRIVER=mlx5_core MACHINE_QUEUES=1,64"
	ok "fewer queues than CPUs, where each CPU needs its own" finds problem queues 'd0: 1 for .* driver mlx5_core drops'
	pretend="MACHINE_NIC=d0 MACHINE_DRIVER=mlx5_core MACHINE_QUEUES=1,1"
	ok "the cure, where it cannot have more" cure_is queues 'interrupts of all NICs to the first 1 CPUs'
	pretend="MACHINE_NIC=d0 MACHINE_DRIVER=igb MACHINE_QUEUES=1,64"
	ok "where they are shared" finds warning queues 'd0: 1 for .* have to share'
	ok "its cure is one for each CPU" cure_is queues "ethtool -L d0 combined $(nproc)\$"
	pretend="MACHINE_NIC=d0 MACHINE_DRIVER=igb MACHINE_QUEUES=1,1"
	ok "where there are no more" finds ok queues 'd0: 1 for .* cannot have more'
	pretend="MACHINE_NIC=d0 MACHINE_DRIVER=mlx5_core MACHINE_QUEUES=64,64"
	ok "one for each" finds ok queues 'd0: 64 for'
	pretend=
}

cure_is() { # CHECK PATTERN
	doctor_says | jq -r --arg check "$1" '.data.findings[] | select(.check == $check and .result != "ok").cure' |
		tee "$NET_DIR/cure" | grep -q "$2" || {
		cat "$NET_DIR/cure"
		return 1
	}
}

# clone VALUE: what the relay's experiment found of copies in generic mode (enum sg_generic_clone), as on another kernel.
clone() {
	map=$PINS/sg_meta_v1
	at=$(bpftool btf dump map pinned $map value | sed -n "s/.*'generic_clone' .*bits_offset=\([0-9]*\).*/\1/p")
	bpftool -j map lookup pinned $map key 0 0 0 0 >"$NET_DIR/meta" || return
	# shellcheck disable=SC2046 # a word for each byte
	bpftool map update pinned $map key 0 0 0 0 value $(jq -r --argjson at "$((at / 8))" --arg value "$1" \
		'.value | .[$at] = $value | .[]' "$NET_DIR/meta")
}

check_copies() {
	ok "copies of which nothing is known" finds ok generic-copies 'no NIC is concerned'
	ok "on another kernel they share their bytes" clone 0x02
	ok "where a NIC is generic" finds warning generic-copies '[a-z0-9]+: copies of a packet share their bytes'
	ok "on this one they may not" clone 0x01
	ok "then none is concerned" finds ok generic-copies 'no NIC is concerned'
}

check_pins() {
	ok "one set of maps" finds ok other-pins 'no second set'
	ln -s sg_drop_v1 $PINS/sg_drop_v0
	ok "a pin of another version" finds warning other-pins '1 pins of another layout'
	rm $PINS/sg_drop_v0
	net_segue interface detach r2 --force >/dev/null
	net_segue --pin-dir $OTHER interface attach r2 --mode generic --capacity 64 >/dev/null
	pins=$OTHER
	ok "a second set of maps" finds problem other-pins '/sys/fs/bpf/tc/globals: a second set'
	ok "its cure works" cured other-pins
	ok "and is one" finds ok other-pins 'no second set'
}

controller_network
net_veth relay v0 alice v1 # without a native program at either end, which would bound the MTU
ok "r1 is native" attach r1 native
ok "r2 is generic" attach r2 generic
ok "v0 is generic" attach v0 generic
ok "d0, no veth, is generic" attach_other
check_kernel
check_nics
check_queues
check_copies
check_pins
done_testing
