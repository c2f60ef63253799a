#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The demo does what the README shows: it passes, tells the story, and leaves a picture and two recordings.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/docs/lines.sh
net_need "the demo"

told() { # in this order
	told_rest=$(cat "$out/story")
	for told_line in "is registered" "telephone rings" "they talk" "segue call list" \
		"over UMTS: INVITE with Handover" \
		"lets WLAN go" "WLAN is gone" "over WLAN: INVITE with Handover" "lets UMTS go" "segue handover list" \
		"hangs up" "alice to bob" "bob to alice" PASS; do
		case $told_rest in
		*"$told_line"*) told_rest=${told_rest#*"$told_line"} ;;
		*)
			echo "'$told_line' was not told, or not in its place"
			cat "$out/story"
			return 1
			;;
		esac
	done
}

# Seconds of PCM, 8000 Hz, 16 bits, behind a header of 44 bytes: as long as the call.
recorded() {
	recorded_bytes=$(wc -c <"$1")
	head -c 4 "$1" | grep -q RIFF && [ "$recorded_bytes" -gt 200000 ]
}

# Some samples are not silence (0xff and 0xd5 are, encoded; decoded they are small).
heard() {
	[ "$(tail -c +45 "$1" | tr -d '\000\377' | wc -c)" -gt 50000 ]
}

drawn() {
	grep -c '<circle' "$out/demo.svg"
	[ "$(grep -c '<circle' "$out/demo.svg")" -gt 3000 ] && tail -n 1 "$out/demo.svg" | grep -q '</svg>'
}

# typed LINE: at that prompt, as the README shows it.
typed() {
	grep -F -- "$1" "$out/story"
}

passes() { # MODE
	setpriv --pdeathsig TERM tests/demo/run "$1" "$out" >"$out/story" 2>&1 || {
		cat "$out/story"
		return 1
	}
}

out=$(net_scratch)
trap 'rm -rf "$out"' EXIT
trap 'exit 143' TERM INT HUP
ok "the demo passes" passes native
ok "it tells what happens" told
ok "its picture shows every packet" drawn
for party in alice bob; do
	ok "$party's recording is as long as the call" recorded "$out/$party-heard.wav"
	ok "... and not silent" heard "$out/$party-heard.wav"
done
docs_each typed demo
ok "without XDP in the driver it passes, too" passes generic
ok "another mode is refused" sh -c "! tests/demo/run quantum '$out' 2>/dev/null"
done_testing
