#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# MP-12: a thousand changes of route a second under full load, and no packet leaves with half-old,
# half-new addresses, none is lost and none is doubled.
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

# once NAME FROM TO COPY [SENT]: each packet of these streams exactly once.
once() {
	is "$mode: $1: delivered, doubled" \
		"$(sum packets "$2" "$3" "$4") $(sum doubled "$2" "$3" "$4")" \
		"${5:-$((sent * ($3 - $2 + 1)))} 0"
}

# at_most_once NAME FROM TO COPY: some, but none twice.
at_most_once() {
	is "$mode: $1: doubled" "$(sum doubled "$2" "$3" "$4")" 0
	ok "$mode: $1: some, not all" test "$(sum packets "$2" "$3" "$4")" -gt 0 -a \
		"$(sum packets "$2" "$3" "$4")" -lt $((sent * ($3 - $2 + 1)))
}

run() {
	rm -f "$NET_DIR/changer.log"
	mkfifo "$NET_DIR/go"
	relay_see || return
	nsenter --net=/run/netns/relay env SEGUE_OBJECT_DIR=build/bpf $RELAY_TOOLS/route-changer $seconds $rate \
		<"$NET_DIR/go" >"$NET_DIR/changer.log" 2>&1 &
	changer=$!
	exec 9>"$NET_DIR/go"
	net_until 20 grep -qs ready "$NET_DIR/changer.log" || {
		cat "$NET_DIR/changer.log"
		return 1
	}
	echo go >&9
	net_in n1 $RELAY_TOOLS/rtp-load 128 10.0.1.2:20000 10.0.1.1:30000 $((seconds + 2)) 0 100 \
		>"$NET_DIR/load.log" || return
	wait $changer
	exec 9>&-
	rm "$NET_DIR/go"
	heard seen >"$NET_DIR/seen"
}

# batches: packets wait for a thread, so that one poll takes many: what leaves by one path then shares a
# NIC's queue with what leaves by two. A thread that comes late loses packets before they reach us.
batches() { # 0|1
	net_in relay unshare --mount sh -c "mount -t sysfs sysfs /sys && echo $1 >/sys/class/net/r1/threaded"
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
	if [ $mode = batches ]; then
		nothing_amiss
		batches 0
		relay_detach
		continue
	fi
	in_turn=$(sed -n 's/.* in turn \([0-9]*\)/\1/p' "$NET_DIR/load.log")
	once "streams that move" 0 99 0 "$in_turn"
	copies=$(awk '$1 == "stream" && $2 < 100 && $2 % 2 == 0 && $4 == 0 { n += $6 } END { print n }' \
		"$NET_DIR/seen")
	once "second copies beside a move" 0 99 1 "$copies"
	ok "$mode: hundreds of them moves" test \
		"$(sed -n 's/.*(moves \([0-9]*\),.*/\1/p' "$NET_DIR/changer.log")" -gt 500
	once "the first path while the second comes and goes" 100 109 0
	at_most_once "the second path that comes and goes" 100 109 1
	at_most_once "a direction that closes and opens" 110 119 0
	once "streams that stay" 120 127 0
	diag "$(net_segue drop list | awk '$3 > 0')"
	relay_detach
done
done_testing
