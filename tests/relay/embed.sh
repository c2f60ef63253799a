#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The library inside a process with one event loop, as the controller uses it (embed.c): one handle that
# changes streams and follows, next hops that are never waited for, and other processes that read and
# change the same maps meanwhile.
#
#   n1 (side A) --r1-- relay --r2-- n2 (10.8.0.2 on lo)   two gateways to the same far end
#                             --r3-- n3 (10.8.0.2 on lo)
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "the library in an event loop"
net_private "$0" "$@"

far=10.8.0.2
log=$NET_DIR/embed.log

start() {
	mkfifo "$NET_DIR/embed.in"
	# shellcheck disable=SC2086 # words or none
	nsenter --net=/run/netns/relay $NET_URGENT env SEGUE_OBJECT_DIR=build/bpf \
		$RELAY_TOOLS/embed <"$NET_DIR/embed.in" >"$log" 2>&1 &
	echo $! >"$NET_DIR/embed.pid"
	exec 8>"$NET_DIR/embed.in"
}

said() { # PATTERN
	net_until 10 grep -qE "$1" "$log" || {
		echo "wanted: $1"
		tail -n 20 "$log"
		return 1
	}
}

# calls NAME PORT FAR-ADDRESS [PARTY]: one stream, from n1's 10.0.1.2 or PARTY.
calls() {
	echo "add $1 10.0.1.1:$2 ${4:-10.0.1.2}:5000 10.0.2.1:$2 $3:6000" >&8
}

tries() { # NAME: how many it took
	sed -n "s/^done add $1 after \([0-9]*\) tries/\1/p" "$log"
}

hop_of() { # NAME SIDE: gateway and MAC of the next hop of a stream's first path
	index=$(net_segue path list "$1" --json |
		jq ".data[] | select(.side == \"$2\" and .index == 0) | .nexthop")
	net_segue nexthop list --json |
		jq -r ".data[] | select(.index == $index) | \"\(.gateway) \(.destination_mac)\""
}

unresolved_neighbours() {
	calls first 4000 10.0.2.2
	ok "a next hop without a neighbour: added when it has answered" said "^done add first after"
	ok "... of which the first was too early" test "$(tries first)" -gt 1
	calls second 4002 10.0.2.2
	ok "a known neighbour" said "^done add second after"
	is "... succeeds at once" "$(tries second)" 1
}

silent_neighbours() {
	before=$(net_segue stream list --json | jq -c '[.data[].name]')
	for each in 1 2 3 4 5; do
		calls "silent-$each" 41${each}0 10.0.2.2 10.0.1.9$each
	done
	calls third 4004 10.0.2.2
	ok "beside silent neighbours others are served" said "^done add third after 1 tries"
	ok "... before the silent ones are given up" sh -c "! grep -q '^failed' $log"
	for each in 1 2 3 4 5; do
		ok "silent neighbour $each: given up by the caller" \
			said "^failed add silent-$each: Operation now in progress .*is being resolved"
	done
	is "... and nothing was changed" "$(net_segue stream list --json | jq -c '[.data[].name]')" \
		"$(echo "$before" | jq -c '. + ["third"]')"
}

media() {
	listen n2 ear 10.0.2.2:6000
	talk n1 10.0.1.2:5000 10.0.1.1:4000 count 10
	is "media passes" "$(heard ear)" \
		"10.0.2.2:6000 packets 10 damaged 0 doubled 0 ttl 63-63 tos 0-0 from 10.0.2.1:4000"
	ok "the first packet is told of, by the one who follows" said "^event first-packet side a slot 0"
	echo "info first" >&8
	ok "a path says when its first and its last packet came" \
		said "^path a 0 packets 10 first [0-9]+ last [0-9]+"
	ok "... and that there was none" said "^path b 0 packets 0 first -1 last -1"
	ok "... the first before the last" awk '/^path a 0 packets 10/ { exit !($6 < $8) }' "$log"
}

kernel_changes() {
	new=02:00:00:00:99:01
	net_in relay ip neigh replace 10.0.2.2 lladdr $new dev r2 nud permanent
	calls fourth 4006 10.0.2.2
	ok "a neighbour has another MAC: a stream is added" said "^done add fourth after 1 tries"
	is "... to the new one" "$(hop_of fourth b)" "10.0.2.2 $new"
	ok "... and following has told of it" said "^follow 1 .*10.0.2.2 on r2 is at $new"
	net_in relay ip neigh del 10.0.2.2 dev r2
	calls far-2 4008 $far
	ok "a route by one gateway" said "^done add far-2 after"
	is "... is used" "$(hop_of far-2 b | cut -d' ' -f1)" 10.0.2.2
	net_in relay ip route replace $far via 10.0.3.2
	calls far-3 4010 $far
	ok "by another" said "^done add far-3 after"
	is "... the next stream leaves there" "$(hop_of far-3 b | cut -d' ' -f1)" 10.0.3.2
	ok "... and following moves the ones before" said "^follow 2 .*to 10.0.3.2 on r3"
	net_in relay ip link set r3 down
	calls far-4 4012 $far
	ok "a link is down: refused at once" said "^failed add far-4: .*"
	net_in relay ip link set r3 up
}

# others COUNT: another process adds, lists and deletes.
others() {
	for each in $(seq "$1"); do
		net_segue stream add "cli-$each" -a "10.0.1.1:$((8000 + each * 4))=10.0.1.2:5000" \
			-b "10.0.2.1:$((8000 + each * 4))=10.0.2.2:6000" >/dev/null || return
		[ "$(net_segue stream list --json | jq ".data | any(.name == \"cli-$each\")")" = true ] || return
		net_segue stream del "cli-$each" >/dev/null || return
	done
}

other_processes() {
	net_in relay ip neigh replace 10.0.2.2 lladdr "$(net_mac n2 e0)" dev r2 nud permanent
	for each in $(seq 60); do
		calls "own-$each" $((20000 + each * 4)) 10.0.2.2
		echo "path own-$each 10.0.2.1:$((20002 + each * 4)) 10.0.2.2:7000" >&8
		[ $((each % 20)) != 0 ] || sleep 0.1
	done &
	feeder=$!
	ok "another process adds, reads and deletes meanwhile" others 25
	wait $feeder
	ok "every stream of ours was added" said "^done path own-60 after"
	is "... and second path" "$(grep -cE '^done (add|path) own-' "$log")" 120
	for each in $(seq 60); do
		echo "del own-$each" >&8
	done
	ok "and deleted" said "^done del own-60"
	is "what is left is what should be" \
		"$(net_segue stream list --json | jq -c '[.data[].name] | sort')" \
		'["far-2","far-3","first","fourth","second","third"]'
}

relay_world 3
net_in n2 ip addr add $far/32 dev lo
net_in n3 ip addr add $far/32 dev lo
net_in relay ip route add $far via 10.0.2.2
must "attach" relay_attach native r1 r2 r3
start
must "one handle, one loop" net_until 20 grep -qs ready "$log"
unresolved_neighbours
silent_neighbours
media
kernel_changes
other_processes
is "no call and no turn of the loop was slow" "$(grep -c ^slow "$log")" 0
grep ^slow "$log" | sort | uniq -c | sed 's/^/# /'
exec 8>&-
wait "$(cat "$NET_DIR/embed.pid")"
is "ends with its input" $? 0
done_testing
