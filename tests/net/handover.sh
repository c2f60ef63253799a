#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A moving party, as both applications see it (REQUIREMENTS D.2, D.3; MP-4, MP-5, MP-9, MP-10).
# Six relays at once: native and generic, fast to slow and back, several NICs and one (hairpin). In
# each, five calls move at the same time: IPv4, IPv6, crossing between them both ways, and one whose
# first copy goes over IPv4 and the second over IPv6. Each step waits for what the relay has counted,
# not for the clock: a busy machine takes longer, and the calls last as long as they need.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/tap.sh
. tests/lib/net.sh

cases="native-several-fast_to_slow native-several-slow_to_fast native-hairpin-fast_to_slow
	generic-several-fast_to_slow generic-several-slow_to_fast generic-hairpin-fast_to_slow"
# Name, and the families of the first path, the second path and the far end.
calls="v4:4:4:4 v6:6:6:6 v4-to-v6:4:4:6 v6-to-v4:6:6:4 v4+v6:4:6:4"
packets=20000 # of each party at most: 400 s
patience=100  # seconds for one step
# shellcheck disable=SC2034 # net.sh reads it
NET_SECONDS=500

# ---- one relay (inside its own world) ------------------------------------------------------------

# for_calls FUNCTION: with NAME FIRST SECOND FAR NUMBER of each call.
for_calls() {
	number=0
	for call in $calls; do
		# shellcheck disable=SC2046 # four words
		"$1" $(echo "$call" | tr : ' ') $number
		number=$((number + 1))
	done
}

start_call() {
	port=$((5000 + $5 * 10))
	mn_0=$(net_endpoint mn "$first" "$2" $port)
	mn_1=$(net_endpoint mn "$second" "$3" $port)
	cn_0=$(net_endpoint cn core "$4" $port)
	relay_0=$(net_endpoint relay "$first" "$2" $((30000 + $5 * 10)))
	relay_1=$(net_endpoint relay "$second" "$3" $((31000 + $5 * 10)))
	relay_b=$(net_endpoint relay core "$4" $((32000 + $5 * 10)))
	net_segue stream add "$1" -a "$relay_0=$mn_0" -b "$relay_b=$cn_0"
	net_peer mn "mn-$1" --path "$mn_0=$relay_0" --path "$mn_1=$relay_1" --count $packets \
		--seconds $NET_SECONDS --linger 2000 --ssrc $((1000 + $5)) --rtcp 200
	net_peer cn "cn-$1" --path "$cn_0=$relay_b" --count $packets --seconds $NET_SECONDS --linger 2000 \
		--ssrc $((2000 + $5)) --rtcp 200
	echo "$relay_1=$mn_1" >"$NET_DIR/second-$1"
}

start_media() {
	net_tell "mn-$1" "send 0 on"
	net_tell "cn-$1" "send 0 on"
}

# all CONDITION: is it true of every call, by the relay's counters of its sides?
all() {
	net_segue stream list --json | tests/lib/holds ".data | all($1)" >/dev/null
}

# await CONDITION: one look at all calls a time, since six relays are looked at.
await() {
	tries=$((patience * 3))
	until all "$1"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.3
	done
}

join_path() {
	net_segue path add "$1" a "$(cat "$NET_DIR/second-$1")"
	net_tell "mn-$1" "send 1 on"
}

reports() { # CALL: RTCP of the far end that the relay has had
	net_segue path list "$1" --json | jq '.data[] | select(.side == "b") | .rtcp_packets'
}

leave_path() {
	net_tell "mn-$1" "send 0 off"
	reports "$1" >"$out/leaves-$1"
	net_segue path del "$1" a 0 --no-wait
	reports "$1" >"$out/left-$1"
}

# on_second: another 100 packets of each party on the other path alone; nothing is on its way over the
# first one any more.
on_second() {
	most=$(net_segue stream list --json | jq '[.data[].b | .packets, .sent_packets] | max')
	await ".a.paths == 1 and .b.packets > $most + 100 and .b.sent_packets > $most + 100"
}

stop_media() {
	net_tell "mn-$1" stop
	net_tell "cn-$1" stop
}

end_call() {
	net_finish "mn-$1" "cn-$1"
	$NET_TOOLS/rtp-report json up "$NET_DIR/mn-$1.csv" "$NET_DIR/cn-$1.csv" \
		down "$NET_DIR/cn-$1.csv" "$NET_DIR/mn-$1.csv" >"$out/report-$1.json"
	cp "$NET_DIR/mn-$1.csv" "$NET_DIR/cn-$1.csv" "$out"
}

# run_relay MODE LAYOUT MOVE: what happens; the logs go to $out.
run_relay() {
	case $3 in
	fast_to_slow) first=wlan second=umts ;;
	slow_to_fast) first=umts second=wlan ;;
	esac
	net_topology "$2"
	net_attach "$1"
	net_follow
	for_calls start_call
	for_calls start_media
	await ".a.packets > 90 and .a.sent_packets > 90"
	for_calls join_path
	await ".duplicates > 60 and .a.sent_packets > .b.packets + 60"
	for_calls leave_path
	on_second
	net_tell "$first" cut
	on_second
	for_calls stop_media
	for_calls end_call
	net_segue drop list --json >"$out/drops.json"
	net_stop wlan umts follow
	cp $NET_DIR/*.log $NET_DIR/wlan.json $NET_DIR/umts.json "$out"
}

# ---- what must be true ---------------------------------------------------------------------------

# fate CASE CALL up|down: what became of the packets of a direction.
fate() {
	jq -r ".$3 | \"sent \\(.sent) once \\(.received_once) lost \\(.lost) doubled \\(.doubled)\" +
		\" foreign \\(.foreign) corrupt \\(.corrupt)\" +
		(if .reorder_depth == 0 then \" in order\" elif .reorder_depth <= 6 then
		\" reordered\" else \" reordered by \\(.reorder_depth)\" end)" "$logs/$1/report-$2.json"
}

check_fate() { # CASE CALL DIRECTION
	got=$(fate "$1" "$2" "$3")
	sent=$(echo "$got" | sed -n 's/^sent \([0-9]*\) .*/\1/p')
	wanted="sent $sent once $sent lost 0 doubled 0 foreign 0 corrupt 0"
	# Order changes when the second path is the faster one; else never (D.2, D.3).
	case $1 in
	*slow_to_fast) got=${got% reordered} got=${got% in order} ;;
	*) wanted="$wanted in order" ;;
	esac
	is "$1: $2 $3: every packet exactly once" "$got" "$wanted"
}

# Both paths were really used for a while, in both directions.
copies_met() { # CASE CALL
	tests/lib/holds '.up.sent > 250 and .up.copies_sent - .up.sent > 50 and .down.removed > 50' \
		"$logs/$1/report-$2.json"
}

# What MN sent twice, the relay removed once, and it dropped nothing else.
relay_dropped() { # CASE
	jq -r '[.data[] | select(.fate == "drop" and .count > 0) | "\(.name) \(.count)"] | join(", ")' \
		"$logs/$1/drops.json"
}

second_copies() { # CASE
	jq -s 'map(.up.copies_sent - .up.sent) | add' "$logs/$1"/report-*.json
}

# The sender reports of CN: on the first path until the second alone is left, each once (MP-10). How
# many the relay had before and after it was told so, it said itself.
rtcp_on_active_path() { # CASE CALL
	awk -F, -v leaves="$(cat "$logs/$1/leaves-$2")" -v left="$(cat "$logs/$1/left-$2")" '
		FNR == 1 { file++ }
		file == 1 && $1 == "rtcp-sent" { sent++ }
		file == 2 && $1 == "rtcp-received" { got++; path[$3]++ }
		END {
			printf "sent %d, received %d, by path %d %d; the second should begin after %d to %d\n",
				sent, got, path[0], path[1], leaves, left
			exit !(sent > 0 && got == sent && path[0] >= leaves && path[0] <= left && path[1] > 3)
		}' "$logs/$1/cn-$2.csv" "$logs/$1/mn-$2.csv"
}

# One-way delay at CN before and after the move: 100 ms apart (D.2). The least of 80 packets: a busy
# machine adds to delays, it never takes away.
delay_step() { # CASE
	for half in first last; do
		awk -F, '$1 == "rtp-received" { print int(($2 - $6) / 1000) }' "$logs/$1/cn-v4.csv" |
			if [ $half = first ]; then head -n 80; else tail -n 80; fi | sort -n | head -n 1
	done | {
		read -r before
		read -r after
		step=$((after - before))
		echo "delay $before us, then $after us"
		[ ${step#-} -ge 95000 ] && [ ${step#-} -le 105000 ]
	}
}

nothing_missed() { # CASE: the simulators lost nothing that they did not decide to lose
	tests/lib/holds -s 'all(.[] | .ab, .ba; .missed == 0 and .queue == 0 and .error == 0 and
		.partial_checksum == 0)' "$logs/$1/wlan.json" "$logs/$1/umts.json"
}

check_case() {
	if [ ! -e "$logs/$1/umts.json" ]; then
		ok "$1: the relay ran" sh -c "cat $logs/$1/output $logs/$1/*.log; false"
		return
	fi
	for call in $calls; do
		check_fate "$1" "${call%%:*}" up
		check_fate "$1" "${call%%:*}" down
		ok "$1: ${call%%:*}: both paths carried copies" copies_met "$1" "${call%%:*}"
		ok "$1: ${call%%:*}: RTCP on the active path only" rtcp_on_active_path "$1" "${call%%:*}"
	done
	is "$1: what the relay dropped" "$(relay_dropped "$1")" "duplicate $(second_copies "$1")"
	ok "$1: the delay steps by 100 ms" delay_step "$1"
	ok "$1: the simulators missed nothing" nothing_missed "$1"
}

if [ "${1:-}" = relay ]; then
	net_private "$0" "$@"
	out=$5
	run_relay "$2" "$3" "$4"
	exit
fi

net_need "handover"
logs=$(net_scratch)
trap 'rm -rf "$logs"' EXIT
trap 'exit 143' TERM INT HUP
running=
for each in $cases; do
	mkdir "$logs/$each"
	# shellcheck disable=SC2046 # three words
	setpriv --pdeathsig TERM "$0" relay $(echo "$each" | tr - ' ') "$logs/$each" \
		>"$logs/$each/output" 2>&1 &
	running="$running $!"
done
for process in $running; do
	wait "$process" || true
done
for each in $cases; do
	check_case "$each"
done
done_testing
