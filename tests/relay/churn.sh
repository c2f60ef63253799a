#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Streams created and deleted at 5000 a second beside traffic in 100 others: the traffic is exact (but
# for what a veth has no room for, on a machine that is too busy), nothing is left over afterwards, and
# the address sanitizer has nothing to say. Then the same with the churning process killed in mid-work:
# the next one finds whole maps.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "streams that come and go"
net_private "$0" "$@"

seconds=4 rate=5000 streams=100 pps=50000

churn() { # PROGRAM ARGUMENT...
	net_in relay env SEGUE_OBJECT_DIR=build/bpf "$@"
}

churn_into() { # FILE PROGRAM ARGUMENT...
	into=$1
	shift
	churn "$@" >"$NET_DIR/$into"
}

# traffic_beside SECONDS COMMAND...: both at once. What arrived is in $NET_DIR/seen.
traffic_beside() {
	beside=$1
	shift
	relay_see || return
	no_room=$(($(relay_dropped n1 e0) + $(relay_dropped relay r2)))
	net_start n1 load $RELAY_TOOLS/rtp-load $streams 10.0.1.2:20000 10.0.1.1:30000 "$beside" $pps
	"$@"
	beside_result=$?
	wait "$(cat "$NET_DIR/load.pid")"
	relay_seen
	echo $(($(relay_dropped n1 e0) + $(relay_dropped relay r2) - no_room)) >"$NET_DIR/no_room"
	cat "$NET_DIR/load.log"
	return $beside_result
}

exact() {
	sent=$(relay_sent) no_room=$(cat "$NET_DIR/no_room")
	echo "sent $sent in each, no room for $no_room; then what came:"
	grep -E "^(tuples|mixed)" "$NET_DIR/seen"
	grep ^stream "$NET_DIR/seen" | awk -v each="$sent" -v streams=$streams -v no_room="$no_room" '
		{ count++; missing += each - $6; doubled += $8; second += $4 }
		$6 != each { print }
		END { exit !(count == streams && missing == no_room && !doubled && !second) }' &&
		grep -q "^tuples $streams mixed 0 unnoted 0" "$NET_DIR/seen"
}

# 32 lives, each killed one step of a change further on than the one before: an addition and a removal
# together have fewer steps, so there is a death at each of them. The next life recovers what the
# last left half-done. Nothing here is up to the clock: that all died at work can be demanded.
steps=600 lives=32
killed_in_work() {
	dirty=0
	for life in $(seq $lives); do
		churn $RELAY_TOOLS/churn run 5 $rate $((life * 200)) $((steps + life)) 2>"$NET_DIR/killed"
		case $? in 137) ;; *)
			cat "$NET_DIR/killed"
			return 1
			;;
		esac
		dirty=$((dirty + $(churn $RELAY_TOOLS/churn dirty)))
	done
	echo "$dirty of $lives died while they changed something" >"$NET_DIR/dirty"
	churn $RELAY_TOOLS/churn sweep && [ $dirty -eq $lives ]
}

check() { # NAME PROGRAM
	before=$(churn $RELAY_TOOLS/churn count)
	ok "$1: $rate a second for $seconds s" traffic_beside $((seconds + 1)) \
		churn_into rate "$2" run $seconds $rate
	diag "$1: $(cat "$NET_DIR/rate"), traffic $(cat "$NET_DIR/load.log")"
	diag "$1: no room for $(cat "$NET_DIR/no_room")"
	ok "$1: traffic is exact" exact
	ok "$1: everything rests and is freed" churn "$2" sweep
	is "$1: streams, ports and next hops as before" "$(churn $RELAY_TOOLS/churn count)" "$before"
}

RELAY_CAPACITY=4096
relay_load_world
net_in relay ip addr add 10.0.1.8/24 dev r1
net_in relay ip neigh add 10.0.1.20 lladdr 02:00:00:00:01:00 dev r1 nud permanent
must "attach" relay_attach native r1 r2
must "$streams streams that stay" churn $RELAY_TOOLS/churn keep $streams
check "plain" $RELAY_TOOLS/churn
# A busy machine may not give us the time; that one CPU would do is what can be tested.
ok "plain: one CPU is enough for $rate a second" test \
	"$(sed -n 's/.* CPU \([0-9]*\) us each/\1/p' "$NET_DIR/rate")" -lt $((1000000 / rate))
if [ -x build/san/tests/relay/churn ]; then
	check "address sanitizer" build/san/tests/relay/churn
else
	skip "address sanitizer" "build/san/tests/relay/churn is not built: make SAN=1 check-programs"
fi
before=$(churn $RELAY_TOOLS/churn count)
ok "killed in mid-work, $lives times" traffic_beside 7 killed_in_work
diag "killed: $(cat "$NET_DIR/dirty")"
ok "killed: traffic is exact" exact
is "killed: streams, ports and next hops as before" "$(churn $RELAY_TOOLS/churn count)" "$before"
ok "killed: the maps still take streams" sh -c '. tests/lib/net.sh
	net_segue stream add last -a 10.0.1.1:29000=10.0.1.2:5000 -b 10.0.2.1:29000=10.0.2.2:6000 &&
	net_segue stream show last && net_segue stream del last'
done_testing
