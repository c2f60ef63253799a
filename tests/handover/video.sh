#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A call of two streams, voice and picture, moves: with each scheme that keeps both legs up for a while, both streams
# lose nothing and nothing comes twice.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "handovers of two streams"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

# with_video FUNCTION SCHEME
with_video() {
	rm -f "$NET_DIR"/*-video.csv
	HANDOVER_FIXED_ARGUMENTS="--video --video-packets $NET_DIR/bob-video.csv"
	"$1" alice bob wlan umts --sequence 65500 --scheme "$2" --video --video-packets "$NET_DIR/alice-video.csv"
}

there_and_back() { # FUNCTION SCHEME
	with_video "$1" "$2" && handover_moves alice umts bob && handover_tell alice move wlan &&
		net_until 20 twice && handover_more 30 alice bob && streams && handover_end alice bob
}

twice() {
	[ "$(grep -c '"event":"released"' "$NET_DIR/alice.log")" = 2 ]
}

streams() {
	net_segue stream list --json | jq '.data | length' >"$NET_DIR/streams"
}

voice_once() {
	handover_once alice bob 1
}

picture_once() {
	handover_once alice-video bob-video 1
}

check() { # NAME FUNCTION SCHEME
	ok_here "$1: a call with voice and picture moves and moves back" there_and_back "$2" "$3"
	is "$1: its streams" "$(cat "$NET_DIR/streams")" 2
	ok "$1: each packet of the voice once" voice_once
	ok "$1: each packet of the picture once" picture_once
	ok "$1: nothing is left" handover_clean
}

ok_here "segued runs between two networks and a far end" handover_world
check "handover" handover_call handover
check "replaces, the callee" handover_called replaces
done_testing
