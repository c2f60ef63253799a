#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Forged media to the four ports of a call while alice and bob talk: ten million packets (SPOOF_COUNT=N: so many), no
# two alike, from sources that have the party's address, or its port, or neither. None is taken,
# nothing of the call changes, and both hear each other without a gap.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/controller/lib.sh
. tests/flood/lib.sh

net_need "forged media"
net_private tests/flood/spoof.sh
CONTROLLER_LEVEL=warning
COUNT=${SPOOF_COUNT:-10000000}
ROUND=1000000

world() {
	controller_network
	controller_nic 3 mallory
	controller_configure
	sed -i 's|^  interfaces:|&\n    - {name: r3, address: 10.0.3.1, attach: native}|' "$CONTROLLER_CONFIG"
	controller_start && controller_subscriber alice bob
}

paths() {
	controller_segue path list "$stream" --json
}

# The packets of both have come, so that their SSRCs are known.
media_flows() {
	paths | tests/lib/holds '[.data[] | select(.state == "live" and .packets > 50 and .ssrc > 0)] | length == 2' >/dev/null 2>&1
}

# What no forged packet may change.
standing() {
	paths | jq -S '[.data[] | {side, index, state, local, remote, local_rtcp_port, remote_rtcp_port, send, listen, active,
		ssrc, duplicates, late, lost, mtu, dropped: (.dropped | del(.source))}]'
}

dropped() { # packets of no party, by side
	paths | jq -c '[.data[].dropped.source]'
}

# The four ports, each with the party that it belongs to.
targets() {
	paths | jq -r '.data[] | select(.state == "live") | (.local | split(":")[0]) as $own |
		(.remote | split(":")[0]) as $party |
		"\(.local)=\(.remote)/\(.ssrc)", "r\($own):\(.local_rtcp_port)=\($party):\(.remote_rtcp_port)/\(.ssrc)"'
}

drops() { # of all reasons but that one
	net_segue drop list --json | jq -c '[.data[] | select(.name != "source" and .fate != "pass") | {name, count}]'
}

# forge: until so many have met the relay; where the veth is too slow for some, there are further ones.
forge() {
	forged=0 forge_next=0 forge_rounds=0
	forge_macs=$(net_mac relay r3),$(net_mac mallory e0)
	forge_targets=$(targets)
	forge_start=$(date +%s%N)
	while [ $forged -lt "$COUNT" ] && [ $forge_rounds -lt $((COUNT / ROUND * 2 + 5)) ]; do
		forge_some=$((COUNT - forged < ROUND ? COUNT - forged : ROUND))
		# shellcheck disable=SC2086 # a word for each port
		net_in mallory build/tests/flood/forge build/tests/flood/forge.bpf.o e0 $forge_some $forge_next \
			"$forge_macs" $forge_targets || return
		forge_next=$((forge_next + forge_some)) forge_rounds=$((forge_rounds + 1))
		forged=$(($(flood_drops source) - before_source))
	done
	forge_ms=$((($(date +%s%N) - forge_start) / 1000000))
	[ "$(echo "$forge_targets" | wc -l)" = 4 ] && [ $forged -ge "$COUNT" ] && [ $forged -le $forge_next ] || {
		echo "$forged of $forge_next, to: $forge_targets"
		return 1
	}
}

rtcp_packets() {
	paths | jq '[.data[].rtcp_packets] | add'
}

# recorded SIDE RECEIVER: what the call record says came from that side is what the other party heard.
recorded() {
	jq -c . "$NET_DIR/cdr" "$NET_DIR/$2.json"
	tests/lib/holds --slurpfile heard "$NET_DIR/$2.json" --arg side "$1" '.data[0].details.streams[0].paths |
		(map(select(.side == $side)) | length == 1 and .[0].packets == $heard[0].media.received and
		.[0].duplicates == 0 and .[0].late == 0 and .[0].lost == 0) and
		(map(select(.side != $side)) | .[0].sent_packets == $heard[0].media.received)' "$NET_DIR/cdr" >/dev/null
}

ok_here "segued runs" world
party bob bob 5060 answer
ok "bob is registered" net_until $FLOOD_PATIENCE has bob registered
party alice alice 5060 call "sip:bob@$CONTROLLER_DOMAIN"
ok "alice and bob talk" talk alice bob
stream=$(controller_segue stream list --json | jq -r '.data[0].name')
ok "and are heard" net_until 10 media_flows
before=$(standing) before_source=$(flood_drops source) before_drops=$(drops) before_rtcp=$(rtcp_packets)
ok_here "$COUNT forged packets to the four ports, no two alike" forge
diag "$forged packets in $((forge_ms / 1000)).$((forge_ms % 1000 / 100)) s: each dropped for its source"
is "the call's paths are what they were, SSRCs and counters of trouble included" "$(standing)" "$before"
is "each side has dropped its half" "$(dropped)" "[$((forged / 2)),$((forged / 2))]"
is "no other reason has grown" "$(drops)" "$before_drops"
grown=$(($(rtcp_packets) - before_rtcp))
# At most one in 2.5 s of each party (RFC 3550 6.2).
ok "RTCP is that of the parties: $grown" test $grown -le $((forge_ms / 1250 + 2))
hang_up alice bob
ok "alice heard bob and bob heard alice, each packet once" whole alice bob 100
controller_segue cdr list --last 1 --json >"$NET_DIR/cdr"
ok "the record has no packet from alice that bob did not hear" recorded a bob
ok "and none from bob that alice did not hear" recorded b alice
ok_here "segued ends" controller_stop
done_testing
