#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Media through maps that `segue` and `ip link` share, attached in either order, native and generic;
# what the kernel has freed after detach; maps that `ip link` or another ABI spoilt (MP-14). What
# attach and detach answer and refuse is tests/net/attach.sh.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "media after attach and detach"
net_private "$0" "$@"

pins=/sys/fs/bpf/xdp/globals

by_ip() { # MODE NIC
	case $1 in native) attach_flag=xdpdrv ;; generic) attach_flag=xdpgeneric ;; esac
	net_in relay ip link set dev "$2" "$attach_flag" obj build/bpf/segue.bpf.o sec xdp
}

by_segue() { # MODE NIC: maps of the default size, the only one that `ip link` knows
	net_segue interface attach "$2" --mode "$1"
}

# 20 packets each way between r1 and r2, and what the shared counters say.
media() {
	net_segue stream add one -a 10.0.1.1:4000=10.0.1.2:5000 -b 10.0.2.1:4000=10.0.2.2:6000 || return
	listen n2 up 10.0.2.2:6000
	talk n1 10.0.1.2:5000 10.0.1.1:4000 count 20
	heard up | tee "$NET_DIR/up"
	listen n1 down 10.0.1.2:5000
	talk n2 10.0.2.2:6000 10.0.2.1:4000 count 20
	heard down | tee "$NET_DIR/down"
	net_segue stream show one
	grep -q "packets 20 damaged 0 doubled 0" "$NET_DIR/up" &&
		grep -q "packets 20 damaged 0 doubled 0" "$NET_DIR/down" &&
		net_segue stream show one --json | tests/lib/holds '[.data.paths[].packets] == [20, 20]'
}

modes() {
	for nic in r1 r2; do
		net_in relay ip -o link show dev $nic | grep -oE ' (xdp|xdpgeneric) '
	done | xargs
}

program_ids() {
	for nic in r1 r2; do
		net_in relay ip -d -o link show dev $nic | sed -n 's/.*prog\/xdp[a-z]* id \([0-9]*\).*/\1/p'
	done
}

# The kernel frees maps and programs after a grace period.
freed() { # prog|map ID...
	kind=$1
	shift
	[ $# -gt 0 ] || return
	for id in "$@"; do
		net_until 10 sh -c "! bpftool $kind show id $id >/dev/null 2>&1" || return
	done
}

# The kernel's own two iterators, and the directories that `ip link` makes, are nobody's pins.
nothing_pinned() {
	! find /sys/fs/bpf -mindepth 1 ! -name '*.debug' |
		grep -vE '^/sys/fs/bpf/(xdp|tc|ip)(/globals)?$'
}

check_order() { # MODE FIRST SECOND
	name="$1: $2, then $3"
	must "$name: first" "by_$2" "$1" r1
	must "$name: second" "by_$3" "$1" r2
	# `ip link` gives no NIC slot: attaching joins what is there.
	ok "$name: slots" sh -c '. tests/lib/net.sh
		net_segue interface attach r1 && net_segue interface attach r2'
	case $1 in native) wanted="xdp xdp" ;; generic) wanted="xdpgeneric xdpgeneric" ;; esac
	is "$name: modes" "$(modes)" "$wanted"
	ok "$name: media flows" media
	maps=$(net_segue map list --json | jq '.data[].id') programs=$(program_ids)
	ok "$name: detach" relay_detach
	ok "$name: no pin is left" nothing_pinned
	# shellcheck disable=SC2086 # lists of numbers
	{
		ok "$name: the kernel has freed the programs" freed prog $programs
		ok "$name: the kernel has freed the maps" freed map $maps
	}
}

# ---- maps that are not as they should be ---------------------------------------------------------

spoilt_by_layout() { # ip link, too, refuses loudly and attaches nothing
	mkdir -p $pins
	bpftool map create $pins/sg_stream_v1 type array key 4 value 48 entries 64 \
		name sg_stream_v1 || return
	by_ip native r1 2>"$NET_DIR/error" && return 1
	cat "$NET_DIR/error"
	grep -q "sg_stream_v1" "$NET_DIR/error" && [ -z "$(modes)" ] &&
		bpftool map show pinned $pins/sg_stream_v1 | grep "value 48B"
}

spoilt_by_abi() {
	by_segue native r1 || return
	size=$(bpftool map show pinned $pins/sg_meta_v1 --json | jq .bytes_value)
	# shellcheck disable=SC2046 # bytes
	bpftool map update pinned $pins/sg_meta_v1 key 0 0 0 0 value hex 55 47 45 53 63 00 00 00 \
		$(printf '00 %.0s' $(seq $((size - 8)))) || return
	net_segue interface attach r2 2>"$NET_DIR/error"
	[ $? = 1 ] || return
	cat "$NET_DIR/error"
	grep -q "ABI 99, this program has 1" "$NET_DIR/error" && [ "$(modes)" = xdp ]
}

# --------------------------------------------------------------------------------------------------

relay_world 2
for mode in native generic; do
	check_order $mode segue ip
	check_order $mode ip segue
done
ok "a map of another layout: ip link refuses" spoilt_by_layout
rm -f $pins/sg_*
ok "maps of another ABI: attach refuses" spoilt_by_abi
done_testing
