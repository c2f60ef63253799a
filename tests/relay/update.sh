#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# MP-12: a thousand changes of route a second under full load, and no packet leaves with half-old,
# half-new addresses, none is lost and none is doubled. On a machine that is too busy a veth drops
# what its receiver's queue has no room for: before us at r1, behind us at n2. Its counters say how
# many packets that were, and with them none may be missing.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "changes of route under load"
net_private "$0" "$@"

seconds=5 rate=1000

# sum FIELD FROM TO COPY: over the streams FROM..TO, what `seen` says.
sum() {
	awk -v field="$1" -v from="$2" -v to="$3" -v copy="$4" '
		$1 == "stream" && $2 >= from && $2 <= to && $4 == copy {
			for (i = 5; i < NF; i += 2) if ($i == field) total += $(i + 1)
		}
		END { print total + 0 }' "$NET_DIR/seen"
}

# ours FROM TO FIELD [EVERY]: the same of what our program counted, of every stream or every other.
ours() {
	jq "[.data[] | select(.id >= $1 and .id <= $2 and .id % ${4:-1} == 0) | $3] | add" \
		"$NET_DIR/ours"
}

# left NAME FROM TO COPY EXPECTED: each packet of these streams that we had was delivered, and once;
# otherwise it is among those that n2 had no room for.
left() {
	left_missing=$(($5 - $(sum packets "$2" "$3" "$4")))
	missing=$((missing + left_missing))
	is "$mode: $1: doubled" "$(sum doubled "$2" "$3" "$4")" 0
	ok "$mode: $1: delivered, or no room" test $left_missing -ge 0 -a $left_missing -le "$behind"
}

# at_times NAME FROM TO COPY EXPECTED: the same of streams that do not send all the time.
at_times() {
	left "$@"
	ok "$mode: $1: some, not all" test "$5" -gt 0 -a "$5" -lt $((sent * ($3 - $2 + 1)))
}

run() {
	rm -f "$NET_DIR/changer.log"
	mkfifo "$NET_DIR/go"
	relay_see || return
	# shellcheck disable=SC2086 # words or none
	net_in relay ${NET_URGENT:-} env SEGUE_OBJECT_DIR=build/bpf \
		$RELAY_TOOLS/route-changer $seconds $rate <"$NET_DIR/go" >"$NET_DIR/changer.log" 2>&1 &
	changer=$!
	exec 9>"$NET_DIR/go"
	net_until 20 grep -qs ready "$NET_DIR/changer.log" || {
		cat "$NET_DIR/changer.log"
		return 1
	}
	run_before=$(relay_dropped n1 e0) run_behind=$(relay_dropped relay r2)
	echo go >&9
	net_in n1 $RELAY_TOOLS/rtp-load 128 10.0.1.2:20000 10.0.1.1:30000 $((seconds + 2)) 0 100 \
		>"$NET_DIR/load.log" || return
	wait $changer
	exec 9>&-
	rm "$NET_DIR/go"
	net_until 5 all_taken
	relay_seen
	echo $(($(relay_dropped relay r2) - run_behind)) >"$NET_DIR/behind"
}

# What is on its way when the load ends may wait for a busy machine.
all_taken() {
	net_segue stream list --json >"$NET_DIR/ours"
	echo $(($(relay_dropped n1 e0) - run_before)) >"$NET_DIR/before"
	[ $(($(ours 0 127 .a.packets) + $(cat "$NET_DIR/before"))) = "$(all_sent)" ]
}

all_sent() {
	sed -n 's/^sent \([0-9]*\) of each of \([0-9]*\) .* in turn \([0-9]*\)$/\1 \2 \3/p' \
		"$NET_DIR/load.log" | {
		read -r all_each all_streams all_in_turn
		echo $((all_each * all_streams + all_in_turn))
	}
}

# batches: packets wait for a thread, so that one poll takes many: what leaves by one path then shares a
# NIC's queue with what leaves by two. A thread that comes late loses packets before they reach us.
batches() { # 0|1
	net_in relay unshare --mount sh -c "mount -t sysfs sysfs /sys && echo $1 >/sys/class/net/r1/threaded"
}

# dropped_by_us: other than where a direction is closed.
dropped_by_us() {
	net_segue drop list --json |
		jq -c '[.data[] | select(.count > 0 and .name != "direction") | [.name, .count]]'
}

# nothing_amiss: what reached us left whole, once, and by its own path.
nothing_amiss() {
	is "$mode: doubled" "$(sum doubled 0 127 0) $(sum doubled 0 127 1)" "0 0"
	ok "$mode: streams that stay arrive" test "$(sum packets 120 127 0)" -gt 0
	ok "$mode: second copies arrive" test "$(sum packets 0 99 1)" -gt 0
	is "$mode: copies without a path" "$(drops copy)" 0
}

relay_load_world
for mode in native batches generic; do
	must "$mode: attach" relay_attach "$(echo $mode | sed s/batches/native/)" r1 r2
	[ $mode != batches ] || must "$mode: packets wait for a thread" batches 1
	must "$mode: load and changes" run
	diag "$mode: $(cat "$NET_DIR/load.log")"
	diag "$mode: $(cat "$NET_DIR/changer.log")"
	sent=$(relay_sent)
	is "$mode: changes refused" \
		"$(sed -n 's/^changes [0-9]* failed \([0-9]*\) .*/\1/p' "$NET_DIR/changer.log")" 0
	ok "$mode: they were $rate a second" test \
		"$(sed -n 's/.* a second \([0-9]*\) .*/\1/p' "$NET_DIR/changer.log")" -gt $((rate * 9 / 10))
	is "$mode: packets with mixed addresses" "$(grep -E '^(mixed|tuples)' "$NET_DIR/seen" |
		sed 's/tuples [0-9]* //')" "mixed 0 unnoted 0"
	diag "$mode: $(grep ^tuples "$NET_DIR/seen")"
	before=$(cat "$NET_DIR/before") behind=$(cat "$NET_DIR/behind")
	diag "$mode: no room before us $before, behind us $behind"
	is "$mode: what was sent reached us, or r1 had no room for it" \
		$(($(ours 0 127 .a.packets) + before)) "$(all_sent)"
	if [ $mode = batches ]; then
		nothing_amiss
		batches 0
		relay_detach
		continue
	fi
	missing=0
	is "$mode: dropped, but in a direction that is closed" "$(dropped_by_us)" '[]'
	left "streams that move" 0 99 0 "$(ours 0 99 .a.packets)"
	left "second copies beside a move" 0 99 1 "$(ours 0 99 .a.packets 2)"
	ok "$mode: hundreds of them moves" test \
		"$(sed -n 's/.*(moves \([0-9]*\),.*/\1/p' "$NET_DIR/changer.log")" -gt 500
	left "the first path while the second comes and goes" 100 109 0 "$(ours 100 109 .a.packets)"
	at_times "the second path that comes and goes" 100 109 1 \
		"$(ours 100 109 '.b.sent_packets - .a.packets')"
	at_times "a direction that closes and opens" 110 119 0 \
		$(($(ours 110 119 .a.packets) - $(drops direction)))
	left "streams that stay" 120 127 0 "$(ours 120 127 .a.packets)"
	is "$mode: what did not arrive, n2 had no room for" $missing "$behind"
	relay_detach
done
done_testing
