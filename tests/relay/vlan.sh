#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A NIC whose parties are in a VLAN: the next hop comes from a real VLAN device, its neighbour is found by ARP and
# ND through the tag, media goes out tagged and comes in tagged, alone and as one of two copies.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "VLAN devices"
net_private "$0" "$@"

packets=20
port=30000

# vlan_device NAMESPACE DEVICE HOST: tag 5 on that NIC. XDP sees a tag only where it stands in the frame.
vlan_device() {
	net_in "$1" ethtool -K "$2" txvlan off rxvlan off &&
		net_in "$1" ip link add link "$2" name "$2.5" type vlan id 5 &&
		net_in "$1" ip addr add "10.5.0.$3/24" dev "$2.5" &&
		net_in "$1" ip addr add "fd05::$3/64" dev "$2.5" nodad &&
		net_in "$1" ip link set "$2.5" up
}

in_vlan() { # FAMILY HOST
	[ "$1" = 4 ] && echo "10.5.0.$2" || echo "fd05::$2"
}

report() { # ENDPOINT FROM
	echo "$1 packets $packets damaged 0 doubled 0 ttl 63-63 tos 0-0 from $2"
}

# both_ways MODE FAMILY: n1, untagged, and n2, tagged, send to each other.
both_ways() {
	name="$1: IPv$2"
	a_own=$(at "$(address "$2" 1 1)" $port) a=$(at "$(address "$2" 1 2)" 5000)
	b_own=$(at "$(in_vlan "$2" 1)" $port) b=$(at "$(in_vlan "$2" 2)" 6000)
	must "$name: stream" net_segue stream add "vlan$2" -a "$a_own=$a" -b "$b_own=$b"
	listen n2 ear "$b"
	talk n1 "$a" "$a_own" count $packets
	is "$name: untagged to tagged" "$(heard ear)" "$(report "$b" "$b_own")"
	listen n1 ear "$a"
	talk n2 "$b" "$b_own" count $packets
	is "$name: tagged to untagged" "$(heard ear)" "$(report "$a" "$a_own")"
	net_segue stream del "vlan$2" >/dev/null
	port=$((port + 2))
}

# Copies in generic mode are refused where they would share their bytes (tests/kernels/guest.sh).
may_refuse() {
	[ "$1" = generic ] && grep -q 'share their bytes' "$NET_DIR/error"
}

# copies MODE: one copy leaves the same NIC tagged, the other untagged.
copies() {
	bare_own=10.0.2.1:$port bare=10.0.2.2:6000 tagged_own=10.5.0.1:$port tagged=10.5.0.2:6002
	must "$1: stream" net_segue stream add copies -a "10.0.1.1:$port=10.0.1.2:5000" -b "$bare_own=$bare"
	if ! net_segue path add copies b "$tagged_own=$tagged" 2>"$NET_DIR/error"; then
		ok "$1: a second path is refused for what this kernel cannot do" may_refuse "$1"
		net_segue stream del copies >/dev/null
		return
	fi
	listen n2 ear_1 "$bare"
	listen n2 ear_2 "$tagged"
	talk n1 10.0.1.2:5000 "10.0.1.1:$port" count $packets
	is "$1: the copy without a tag" "$(heard ear_1)" "$(report "$bare" "$bare_own")"
	is "$1: the copy with a tag" "$(heard ear_2)" "$(report "$tagged" "$tagged_own")"
	net_segue stream del copies >/dev/null
	port=$((port + 2))
}

relay_world 2
if ! vlan_device relay r2 1 2>"$NET_DIR/error"; then
	skip "VLAN devices" "this kernel has none; tests/bpf/test_rewrite covers the tag, make check-kernels this"
	done_testing
	exit
fi
must "a VLAN at the party" vlan_device n2 e0 2
for mode in native generic; do
	must "$mode: attach" relay_attach $mode r1 r2
	both_ways $mode 4
	both_ways $mode 6
	copies $mode
	relay_detach
done
done_testing
