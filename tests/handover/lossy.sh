#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Both networks lose 5 % of the voice, each on its own, while both legs are up (scenario 10): what the applications miss
# is what both networks lost, packet by packet; nothing comes twice.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "lossy networks"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

packets=1000 # 20 s

lossy() { # PERCENT
	for link in wlan umts; do
		net_tell $link "loss $1"
	done
}

# Dice of its own: with one seed both networks would lose the same packets.
other_dice() {
	net_stop umts && net_path umts 110 --seed 7
}

lossy_call() {
	HANDOVER_FIXED_ARGUMENTS="--ssrc 2001"
	handover_call alice bob wlan umts --sequence 65500 --ssrc 1001 --manual-release || return
	for link in wlan umts; do
		net_tell $link "lossy rtp"
	done
	handover_moves alice umts bob moved && handover_more 20 alice bob && lossy 5 &&
		net_until 60 handover_has_heard bob $((packets + $(handover_heard bob))) && lossy 0 &&
		handover_more 20 alice bob && handover_tell alice release && handover_wait 20 alice released &&
		handover_end alice bob
}

# lost_on LINK SSRC: sequence numbers that the simulator says it lost.
lost_on() {
	awk -F, -v ssrc="$2" '$3 == "loss" && $5 == "rtp" && $9 == ssrc { print $10 }' "$NET_DIR/$1.csv" | sort
}

lost_for() { # SENDER RECEIVER
	$NET_TOOLS/rtp-report lost x "$NET_DIR/$1.csv" "$NET_DIR/$2.csv" | sort
}

# 5 % of 1000 is 50 +- 7; 0.25 % is 2.5 +- 1.6.
plausible() { # COUNT LEAST MOST
	echo "$1 lost"
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

check_direction() { # SENDER RECEIVER SSRC
	name="$1 to $2"
	lost_on wlan "$3" >"$NET_DIR/wlan-lost"
	lost_on umts "$3" >"$NET_DIR/umts-lost"
	comm -12 "$NET_DIR/wlan-lost" "$NET_DIR/umts-lost" >"$NET_DIR/both-lost"
	ok "10: $name: wlan loses 5 %" plausible "$(wc -l <"$NET_DIR/wlan-lost")" 15 100
	ok "10: $name: umts loses 5 %" plausible "$(wc -l <"$NET_DIR/umts-lost")" 15 100
	ok "10: $name: both lose 0.25 %" plausible "$(wc -l <"$NET_DIR/both-lost")" 0 12
	is "10: $name: lost = what both lost" "$(lost_for "$1" "$2" | tr '\n' ' ')" \
		"$(tr '\n' ' ' <"$NET_DIR/both-lost")"
	diag "$(wc -l <"$NET_DIR/wlan-lost") and $(wc -l <"$NET_DIR/umts-lost"), both: $(wc -l <"$NET_DIR/both-lost")"
}

none_twice() {
	handover_report alice bob
	jq -c 'map_values({sent, received_once, lost, doubled, reorder_depth})' "$NET_DIR/report.json"
	tests/lib/holds 'all(.up, .down; .doubled == 0 and .foreign == 0)' "$NET_DIR/report.json" >/dev/null
}

ok_here "segued runs between two networks and a far end" handover_world 'handover: {window: 120s}'
ok_here "its networks lose independently" other_dice
ok_here "10: both legs are up for 20 s on lossy networks" lossy_call
net_stop wlan umts # their logs are whole
check_direction alice bob 1001
check_direction bob alice 2001
ok "10: nothing twice" none_twice
ok "10: nothing is left" handover_clean
done_testing
