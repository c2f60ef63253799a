#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# `segue follow`: next hops follow the kernel's neighbours, routes and links, NICs that return are
# attached again, and sources are learned by the rules (DESIGN, "Learning a source").
#
#   n1 (side A) --r1-- relay --r2-- n2 (10.8.0.2 on lo)   two gateways to the same far end, side B
#                             --r3-- n3 (10.8.0.2 on lo)
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "following"
net_private "$0" "$@"

far=10.8.0.2
calls=300 # that share the gateway
seq=1 # of what n1 sends: it goes on, so that no packet is a copy of an earlier one

# flows NAME NAMESPACE: 10 packets from n1 all arrive at the far end there.
flows() {
	listen "$2" ear $far:6000
	talk n1 10.0.1.2:5000 10.0.1.1:4000 count 10 seq $seq
	seq=$((seq + 10))
	is "$mode: $1" "$(heard ear)" \
		"$far:6000 packets 10 damaged 0 doubled 0 ttl 63-63 tos 0-0 from 10.0.2.1:4000"
}

# hop GATEWAY FIELD: of the next hop in use.
hop() {
	net_segue nexthop list --json | jq -r ".data[] | select(.gateway == \"$1\" and .paths > 0) | .$2"
}

# becomes SECONDS WANTED COMMAND...: its output is WANTED, or will be in time.
becomes() {
	becomes_tries=$(($1 * 25)) becomes_wanted=$2
	shift 2
	until [ "$("$@")" = "$becomes_wanted" ]; do
		becomes_tries=$((becomes_tries - 1))
		[ $becomes_tries -gt 0 ] || {
			echo "$*: $("$@"), wanted $becomes_wanted"
			return 1
		}
		sleep 0.02
	done
}

said() { # PATTERN: in what follow says
	net_until 3 grep -qE "$1" "$NET_DIR/follow.log" || {
		cat "$NET_DIR/follow.log"
		return 1
	}
}

# ---- next hops -----------------------------------------------------------------------------------

# Microseconds from the start of the command that makes the netlink event to the last packet for
# the old MAC; "none" after it.
last_to() { # MAC SINCE
	tcpdump -n -tt -r "$NET_DIR/wire.pcap" "ether dst $1 and udp port 6000" 2>/dev/null |
		awk -v since="$2" '{ last = $1 } END {
			after = (last - since) * 1e6
			print (last && after > 0) ? int(after) : "none"
		}'
}

mac_changes() {
	old=$(net_mac n2 e0) new=02:00:00:00:99:$mac_number
	mac_number=$((mac_number + 1))
	net_start n2 wire tcpdump --immediate-mode -U -n -i e0 -Q in -w "$NET_DIR/wire.pcap" udp port 6000
	net_until 5 grep -qs "listening on" "$NET_DIR/wire.log"
	net_start n1 steady $RELAY_TOOLS/rtp-end send 10.0.1.2:5000 10.0.1.1:4000 \
		count 1500 gap 500 seq $seq
	seq=$((seq + 1500))
	sleep 0.3
	net_in n2 ip link set dev e0 address $new
	event=$(date +%s.%6N)
	net_in relay ip neigh replace 10.0.2.2 lladdr $new dev r2 nud reachable
	wait "$(cat "$NET_DIR/steady.pid")"
	net_stop wire
	is "$mode: MAC: the next hop has it, for all $((calls + 1)) calls" \
		"$(hop 10.0.2.2 destination_mac) $(hop 10.0.2.2 paths)" "$new $((calls + 1))"
	last=$(last_to "$old" "$event")
	diag "$mode: microseconds from the command to the last packet for the old MAC: $last"
	# The command and follow have to be given a CPU first; the machine may be busy.
	ok "$mode: MAC: no packet goes to the old one after the event" \
		test "$([ "$last" = none ] && echo 0 || echo "$last")" -lt 50000
	ok "$mode: MAC: packets go to the new one" test "$(tcpdump -n -r "$NET_DIR/wire.pcap" \
		"ether dst $new" 2>/dev/null | wc -l)" -gt 100
	flows "MAC: media arrives" n2
}

neighbour_fails() {
	net_in n2 ip link set dev e0 arp off
	net_in relay ip neigh change 10.0.2.2 dev r2 nud failed
	ok "$mode: neighbour fails: the next hop is unusable" becomes 3 false hop 10.0.2.2 usable
	before=$(drops next-hop)
	talk n1 10.0.1.2:5000 10.0.1.1:4000 count 5 seq $seq
	seq=$((seq + 5))
	is "$mode: neighbour fails: packets are counted" "$(drops next-hop)" $((before + 5))
	net_in n2 ip link set dev e0 arp on
	ok "$mode: neighbour returns: found by itself" becomes 10 true hop 10.0.2.2 usable
	flows "neighbour returns: media arrives" n2
}

route_moves() {
	net_in relay ip route replace $far via 10.0.3.2
	ok "$mode: route moves: every path has the other next hop" \
		becomes 3 $((calls + 1)) hop 10.0.3.2 paths
	flows "route moves: media arrives there" n3
	net_in relay ip route replace $far via 10.0.2.2
	ok "$mode: route moves back" becomes 3 $((calls + 1)) hop 10.0.2.2 paths
	flows "route moves back: media arrives" n2
}

link_fails() {
	net_in n2 ip link set dev e0 down
	ok "$mode: link down: the next hop is unusable" becomes 3 false hop 10.0.2.2 usable
	net_in n2 ip link set dev e0 up
	ok "$mode: link up: usable again" becomes 5 true hop 10.0.2.2 usable
	flows "link up: media arrives" n2
}

nic_returns() {
	net_in relay ip link del r2
	ok "$mode: NIC gone: its next hop is unusable" becomes 3 0 usable_hops 10.0.2.2
	net_veth relay r2 n2 e0
	net_in n2 ip link set dev e0 xdp obj "$NET_PASS" sec xdp
	net_in relay ip addr add 10.0.2.1/24 dev r2
	net_in n2 ip addr add 10.0.2.2/24 dev e0
	net_in relay ip route replace $far via 10.0.2.2
	ok "$mode: NIC returned: attached again, in $mode mode" becomes 5 "$mode" nic_mode
	ok "$mode: NIC returned: all paths have a usable next hop" \
		becomes 5 $((calls + 1)) usable_paths 10.0.2.2
	flows "NIC returned: media arrives" n2
}

usable_hops() {
	net_segue nexthop list --json |
		jq "[.data[] | select(.gateway == \"$1\" and .usable and .paths > 0)] | length"
}

usable_paths() {
	net_segue nexthop list --json |
		jq "[.data[] | select(.gateway == \"$1\" and .usable) | .paths] | add // 0"
}

nic_mode() {
	net_segue interface list --json | jq -r '.data[] | select(.name == "r2" and .ours) | .mode'
}

# Nobody was asked yet where 10.0.3.2 is: installing asks, and the first packet leaves.
resolved_at_install() {
	net_in relay ip neigh flush dev r3
	must "$mode: unresolved next hop: installed" net_segue stream add fresh \
		-a 10.0.1.1:4100=10.0.1.2:5100 -b 10.0.3.1:4100=10.0.3.2:6100
	listen n3 ear 10.0.3.2:6100
	talk n1 10.0.1.2:5100 10.0.1.1:4100
	is "$mode: unresolved next hop: the first packet arrives" "$(heard ear)" \
		"10.0.3.2:6100 packets 1 damaged 0 doubled 0 ttl 63-63 tos 0-0 from 10.0.3.1:4100"
	net_segue stream del fresh >/dev/null
}

# ---- sources -------------------------------------------------------------------------------------

# learner NAME OPTION...: a stream whose side A was signalled as 10.0.1.2:5200.
learner() {
	learner_name=$1
	shift
	net_segue stream add "$learner_name" -a "10.0.1.1:$port=10.0.1.2:5200" \
		-b "10.0.3.1:$port=10.0.3.2:6200" "$@" >/dev/null
}

remote_of() { # STREAM: where side A is believed to be
	net_segue stream show "$1" --json |
		jq -r '[.data.paths[] | select(.side == "a" and .state == "live")][0].remote'
}

from() { # ENDPOINT SEQ SSRC [COUNT]
	talk n1 "$1" "10.0.1.1:$port" seq "$2" ssrc "$3" count "${4:-1}"
}

in_the_window() {
	port=$((port + 4))
	must "$mode: learning: stream" learner nat --learn a
	from 10.0.1.2:5299 1 7
	ok "$mode: learning: a source in the window" becomes 3 10.0.1.2:5299 remote_of nat
	listen n1 ear 10.0.1.2:5299
	talk n3 10.0.3.2:6200 "10.0.3.1:$port" count 10
	is "$mode: learning: media goes there" "$(heard ear)" \
		"10.0.1.2:5299 packets 10 damaged 0 doubled 0 ttl 63-63 tos 0-0 from 10.0.1.1:$port"
	net_segue stream del nat >/dev/null
}

prefix() {
	port=$((port + 4))
	must "$mode: prefix: stream" learner near --learn a=31
	before=$(drops source)
	from 10.0.1.4:5200 1 7
	ok "$mode: prefix: a source outside is refused" said "near a 0: 10.0.1.4:5200 refused: .*prefix"
	is "$mode: prefix: dropped, counted" "$(drops source)" $((before + 1))
	is "$mode: prefix: the party stays" "$(remote_of near)" 10.0.1.2:5200
	sleep 0.05 # a path reports a source at most every 20 ms
	from 10.0.1.3:5200 1 7
	ok "$mode: prefix: one inside is learned" becomes 3 10.0.1.3:5200 remote_of near
	net_segue stream del near >/dev/null
}

after_the_window() {
	port=$((port + 4))
	must "$mode: later: stream" learner late --learn a --learn-window 1
	from 10.0.1.2:5200 100 7 5 # 100 to 104 are heard
	sleep 1.2
	from 10.0.1.2:5300 105 8
	ok "$mode: later: another SSRC is refused" said "late a 0: 10.0.1.2:5300 refused: .*SSRC"
	sleep 0.05
	from 10.0.1.2:5301 104 7
	ok "$mode: later: a sequence that does not continue is refused" \
		said "late a 0: 10.0.1.2:5301 refused: .*sequence"
	sleep 0.05
	from 10.0.1.2:5302 4000 7
	ok "$mode: later: a sequence far ahead is refused" \
		said "late a 0: 10.0.1.2:5302 refused: .*sequence"
	is "$mode: later: the party stays" "$(remote_of late)" 10.0.1.2:5200
	sleep 0.05
	from 10.0.1.2:5303 105 7
	ok "$mode: later: its own continuation is learned" becomes 3 10.0.1.2:5303 remote_of late
	net_segue stream del late >/dev/null
}

spoofed() {
	port=$((port + 4))
	must "$mode: spoofed: stream" learner strict
	before=$(drops source)
	from 10.0.1.3:5200 1 9 10
	ok "$mode: spoofed: refused" said "strict a 0: 10.0.1.3:5200 refused: .*does not learn"
	is "$mode: spoofed: dropped, counted" "$(drops source)" $((before + 10))
	is "$mode: spoofed: counted for the path" "$(net_segue stream show strict --json |
		jq '[.data.paths[] | select(.side == "a")][0].dropped.source')" 10
	is "$mode: spoofed: the party stays" "$(remote_of strict)" 10.0.1.2:5200
	net_segue stream del strict >/dev/null
}

# --------------------------------------------------------------------------------------------------

far_end() { # NIC
	net_in "n$1" ip addr add $far/32 dev lo
	net_in "n$1" ip route add 10.0.2.1 via "10.0.$1.1" 2>/dev/null
}

relay_world 3
far_end 2
far_end 3
for host in 3 4; do
	net_in n1 ip addr add 10.0.1.$host/24 dev e0
done
net_in relay ip route add $far via 10.0.2.2
mac_number=10 port=20000
for mode in native generic; do
	must "$mode: attach" relay_attach $mode r1 r2 r3
	must "$mode: stream" net_segue stream add one \
		-a 10.0.1.1:4000=10.0.1.2:5000 -b 10.0.2.1:4000=$far:6000
	seq 1 $calls | awk -v far=$far '{ printf "c%d -a 10.0.1.1:%d=10.0.1.2:%d -b 10.0.2.1:%d=%s:%d\n",
		$1, 8000 + 2 * $1, 8000 + 2 * $1, 8000 + 2 * $1, far, 8000 + 2 * $1 }' >"$NET_DIR/lines"
	must "$mode: $calls more" net_segue stream add --batch "$NET_DIR/lines"
	rm -f "$NET_DIR"/follow.log "$NET_DIR"/wire.*
	net_follow
	sleep 0.3
	flows "media arrives" n2
	mac_changes
	neighbour_fails
	route_moves
	link_fails
	nic_returns
	resolved_at_install
	in_the_window
	prefix
	after_the_window
	spoofed
	ok "$mode: follow is still there" net_alive follow
	net_stop follow
	diag "$mode: $(cut -c 1-100 "$NET_DIR/follow.log")"
	relay_detach
done
done_testing
