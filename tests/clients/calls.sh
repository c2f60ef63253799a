#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Phones that people use, headless: baresip and linphonec register with segued and call each other.
# What left one phone's network interface arrives at the other's, each sequence number once.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
net_need "real phones"
net_private "$0" "$@"
. tests/controller/lib.sh
. tests/clients/lib.sh

registered() {
	controller_segue registration list | grep -q "^$1@$CONTROLLER_DOMAIN"
}

# A stream of the relay that has passed so many packets both ways.
talked() { # PACKETS
	controller_segue stream list --json |
		tests/lib/holds --argjson n "$1" '[.data[] | .. | objects | select(has("packets")) | .packets] |
			length > 0 and min >= $n' >/dev/null
}

no_stream() {
	[ "$(controller_segue stream list --json | jq '.data | length')" = 0 ]
}

# crossed FROM-CAPTURE FROM-ADDRESS TO-CAPTURE TO-ADDRESS
crossed() {
	clients_rtp "$1" "$2" >"$NET_DIR/left"
	clients_rtp "$3" "$4" >"$NET_DIR/arrived"
	clients_crossed "$NET_DIR/left" "$NET_DIR/arrived" && return
	controller_segue drop list
	controller_segue nexthop list
	controller_segue interface list
	return 1
}

heard_tone() { # WAV
	sox "$1" -n stat 2>&1 | awk '/RMS.*amplitude/ { rms = $3 }
		END { print "RMS", rms; exit !(rms > 0.02) }'
}

# call NAME CALLER CALLEE: from ringing to the end, captured at both ends.
call() {
	for end in alice bob; do
		clients_capture $end "at-$end"
	done
	ok "$1: rings" clients_dial "$2" "$3"
	ok "$1: is answered, and both are heard" clients_answer_and "$3" net_until 20 talked 100
	ok "$1: ends" clients_hang_up "$2"
	ok "$1: nothing is left in the relay" net_until 10 no_stream
	sleep 0.3 # the last packets reach the captures
	net_stop at-alice at-bob
	ok "$1: alice to bob, each packet once" crossed at-alice 10.0.1.2 at-bob 10.0.2.1
	ok "$1: bob to alice, each packet once" crossed at-bob 10.0.2.2 at-alice 10.0.1.1
}

for tool in baresip linphonec sox tshark nc; do
	command -v $tool >/dev/null || missing="${missing:-} $tool"
done
if [ -n "${missing:-}" ]; then
	skip "real phones" "missing:$missing (make setup-check installs them)"
	done_testing
	exit
fi
ok "segued runs" clients_world
baresip_start alice 4 udp manual
linphonec_start bob
ok "baresip registers" net_until 10 registered alice
ok "linphonec registers" net_until 20 registered bob
call "baresip calls linphonec" alice bob
call "linphonec calls baresip" bob alice
ok "each hears a tone: linphonec" heard_tone "$CLIENTS_DIR/bob/heard.wav"
net_stop alice
ok "each hears a tone: baresip" heard_tone "$(find "$CLIENTS_DIR/alice" -name '*dec*.wav' | head -n 1)"
done_testing
