#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What a forwarded packet looks like (MP-1, MP-4): IPv4, IPv6 and crossing between them, one and two
# copies, through several NICs and out of the NIC that it came in on, tagged and untagged. Receiving
# kernels judge checksums by accepting packets, and tcpdump does on the wire.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "families"
net_private "$0" "$@"

nics=16 # as many as there can be (SG_NICS)
wires=4 # of them with a capture
packets=20
port=30000

# What comes in at every party from the relay, for as long as a mode is tested.
capture_all() {
	rm -f "$NET_DIR"/wire*.log
	for nic in $(seq $wires); do
		net_start "n$nic" "wire$nic" tcpdump --immediate-mode -l -n -vv -e -i e0 -Q in udp and not port 5353
	done
	for nic in $(seq $wires); do
		net_until 5 grep -qs "listening on" "$NET_DIR/wire$nic.log"
	done
	expected=0 expected_bare=0
}

# Every packet's checksum is as tcpdump computes it; only IPv4 that came without goes without.
check_wires() {
	net_until 3 sh -c "[ \$(cat $NET_DIR/wire*.log | grep -c 'udp sum ok') -ge $expected ]"
	for nic in $(seq $wires); do
		net_stop "wire$nic"
	done
	cat "$NET_DIR"/wire*.log >"$NET_DIR/wires"
	is "$mode: UDP checksums on the wires: right" "$(grep -c 'udp sum ok' "$NET_DIR/wires")" $expected
	is "$mode: UDP checksums on the wires: none" "$(grep -c 'no cksum' "$NET_DIR/wires")" $expected_bare
	is "$mode: any wrong or cut short" "$(grep -cE 'bad |truncated' "$NET_DIR/wires")" 0
	is "$mode: any VLAN tag" "$(grep -c '802.1Q' "$NET_DIR/wires")" 0
}

# expect FAMILY OPTION...: one copy of every packet will be on a wire.
expect() {
	case "$*" in
	4*nocheck*) expected_bare=$((expected_bare + packets)) ;;
	*) expected=$((expected + packets)) ;;
	esac
}

# report ENDPOINT TTL TOS FROM: a line of `heard` when all arrived as they should.
report() {
	echo "$1 packets $packets damaged 0 doubled 0 ttl $2-$2 tos $3-$3 from $4"
}

add() { # NAME SIDE-A SIDE-B OPTION...
	add_name=$1 add_a=$2 add_b=$3
	shift 3
	net_segue stream add "$add_name" -a "$add_a" -b "$add_b" "$@" >/dev/null
}

# one_copy FAMILY FAMILY FROM-NIC TO-NIC [SENDER-OPTION...]: n$3 sends to n$4.
one_copy() {
	from=$(at "$(address "$1" "$3" 2)" 5000) a=$(at "$(address "$1" "$3" 1)" $port)
	to=$(at "$(address "$2" "$4" 2)" 6000) b=$(at "$(address "$2" "$4" 1)" $((port + 2)))
	name="$mode: IPv$1 to IPv$2, r$3 to r$4${5:+, $5}"
	from_ns=n$3 to_ns=n$4
	port=$((port + 4))
	family=$2
	shift 4
	must "$name: stream" add "s$port" "$a=$from" "$b=$to"
	listen "$to_ns" ear "$to"
	talk "$from_ns" "$from" "$a" count $packets ttl 40 tos 0xb8 "$@"
	is "$name: accepted; TTL one less, DSCP kept" "$(heard ear)" "$(report "$to" 39 184 "$b")"
	expect "$family" "$@"
	net_segue stream del "s$port" >/dev/null
}

# two_copies FAMILY FAMILY-1 NIC-1 FAMILY-2 NIC-2 FROM-NIC [SENDER-OPTION...]: from n$6 with family
# $1, a copy to n$3 and a copy to n$5.
two_copies() {
	from=$(at "$(address "$1" "$6" 2)" 5000) a=$(at "$(address "$1" "$6" 1)" $port)
	to_1=$(at "$(address "$2" "$3" 2)" 6000) b_1=$(at "$(address "$2" "$3" 1)" $((port + 2)))
	to_2=$(at "$(address "$4" "$5" 2)" 6002) b_2=$(at "$(address "$4" "$5" 1)" $((port + 4)))
	name="$mode: IPv$1 on r$6 to IPv$2 on r$3 and IPv$4 on r$5${7:+, $7}"
	from_ns=n$6 ns_1=n$3 ns_2=n$5
	port=$((port + 6))
	family_1=$2 family_2=$4
	shift 6
	must "$name: stream" add "s$port" "$a=$from" "$b_1=$to_1"
	must "$name: second path" net_segue path add "s$port" b "$b_2=$to_2"
	listen "$ns_1" ear_1 "$to_1"
	listen "$ns_2" ear_2 "$to_2"
	talk "$from_ns" "$from" "$a" count $packets ttl 40 tos 0xb8 "$@"
	is "$name: the first copy" "$(heard ear_1)" "$(report "$to_1" 39 184 "$b_1")"
	is "$name: the second copy" "$(heard ear_2)" "$(report "$to_2" 39 184 "$b_2")"
	expect "$family_1" "$@"
	expect "$family_2" "$@"
	net_segue stream del "s$port" >/dev/null
}

dscp_set() {
	name="$mode: DSCP set to 46"
	must "$name: stream" add dscp "10.0.1.1:$port=10.0.1.2:5000" \
		"[fd00:2::1]:$port=[fd00:2::2]:6000" --dscp 46
	listen n2 ear "[fd00:2::2]:6000"
	talk n1 10.0.1.2:5000 "10.0.1.1:$port" count $packets tos 0x21
	# The two bits beside DSCP are ECN (RFC 3168): they are not ours to change.
	is "$name: ECN kept" "$(heard ear)" \
		"$(report "[fd00:2::2]:6000" 63 185 "[fd00:2::1]:$port")"
	expect 6
	net_segue stream del dscp >/dev/null
	port=$((port + 2))
}

ttl_ends() {
	name="$mode: TTL 1"
	must "$name: stream" add ttl "10.0.1.1:$port=10.0.1.2:5000" "10.0.2.1:$port=10.0.2.2:6000"
	listen n2 ear 10.0.2.2:6000
	talk n1 10.0.1.2:5000 "10.0.1.1:$port" count 5 ttl 1
	talk n1 10.0.1.2:5000 "10.0.1.1:$port" count $packets ttl 2 seq 100
	is "$name: is not forwarded, TTL 2 is" "$(heard ear)" \
		"10.0.2.2:6000 packets $packets damaged 0 doubled 0 ttl 1-1 tos 0-0 from 10.0.2.1:$port"
	is "$name: is counted" "$(drops ttl)" 5
	expect 4
	net_segue stream del ttl >/dev/null
	port=$((port + 2))
}

# A stream from every NIC to the next, in a ring.
ring() {
	for nic in $(seq $nics); do
		next=$((nic % nics + 1))
		must "$mode: ring: stream $nic" add "ring$nic" "10.0.$nic.1:$port=10.0.$nic.2:7000" \
			"[fd00:$next::1]:$port=[fd00:$next::2]:7002"
		listen "n$next" "ear_$nic" "[fd00:$next::2]:7002"
	done
	for nic in $(seq $nics); do
		talk "n$nic" "10.0.$nic.2:7000" "10.0.$nic.1:$port" count $packets ssrc "$nic"
	done
	for nic in $(seq $nics); do
		next=$((nic % nics + 1))
		is "$mode: ring: r$nic to r$next" "$(heard "ear_$nic")" \
			"$(report "[fd00:$next::2]:7002" 63 0 "[fd00:$next::1]:$port")"
		[ $next -gt $wires ] || expect 6
		net_segue stream del "ring$nic" >/dev/null
	done
	port=$((port + 2))
}

# A tagged frame in: there need be no VLAN device for that.
vlan_in() {
	name="$mode: VLAN-tagged in, untagged out"
	must "$name: stream" add vlan "10.0.1.1:$port=10.0.1.2:5000" "10.0.2.1:$port=10.0.2.2:6000"
	must "$name: second path" net_segue path add vlan b \
		"[fd00:3::1]:$port=[fd00:3::2]:6000"
	listen n2 ear_1 10.0.2.2:6000
	listen n3 ear_2 "[fd00:3::2]:6000"
	net_in n1 $RELAY_TOOLS/tagged e0 "$(net_mac relay r1)" 5 10.0.1.2:5000 "10.0.1.1:$port" $packets
	is "$name: IPv4 copy" "$(heard ear_1)" "$(report 10.0.2.2:6000 63 0 "10.0.2.1:$port")"
	is "$name: IPv6 copy" "$(heard ear_2)" "$(report "[fd00:3::2]:6000" 63 0 "[fd00:3::1]:$port")"
	expect 4
	expect 6
	net_segue stream del vlan >/dev/null
	port=$((port + 2))
}

# one_too_many: the 17th NIC.
one_too_many() {
	net_segue interface attach r$((nics + 1)) 2>"$NET_DIR/error"
	[ $? = 1 ] && cat "$NET_DIR/error" && grep -q "one more than $nics interfaces" "$NET_DIR/error" &&
		! net_in relay ip link show dev r$((nics + 1)) | grep xdp
}

relay_world $((nics + 1))
for mode in native generic; do
	# shellcheck disable=SC2046 # a word for each NIC
	must "$mode: attach" relay_attach $mode $(seq -f r%.0f $nics)
	ok "$mode: one NIC more is refused" one_too_many
	capture_all
	one_copy 4 4 1 2
	one_copy 6 6 1 2
	one_copy 4 6 1 2
	one_copy 6 4 2 1
	one_copy 4 4 1 2 nocheck
	one_copy 4 6 1 2 nocheck
	one_copy 4 6 1 2 size 33 nocheck
	one_copy 4 4 1 1
	one_copy 4 6 1 1
	one_copy 6 4 1 1
	two_copies 4 4 2 4 3 1
	two_copies 4 4 2 6 3 1
	two_copies 6 4 2 6 2 1
	two_copies 4 4 2 6 2 1 nocheck
	two_copies 6 6 1 4 1 1
	two_copies 4 4 1 4 1 1
	two_copies 4 4 1 6 4 1
	dscp_set
	ttl_ends
	ring
	vlan_in
	check_wires
	relay_detach
done
done_testing
