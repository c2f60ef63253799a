#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A moving party that knows nothing of us: sipp, with a re-INVITE of its own, and with an INVITE with Replaces (RFC 3891).
# Its media is that of two rtp-peers, one at each network.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "sipp as moving party"
net_private "$0" "$@"
HANDOVER_DIGEST='[md5]' # all that sipp knows
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

# ---- steps ---------------------------------------------------------------------------------------

# stranger NAME NETWORK EXTRA-HEADER: sipp there, in the background; its Call-ID is NAME.
stranger() {
	stranger_at=$(net_address mn "$2" 4)
	net_start mn "$1" sipp -sf tests/handover/stranger.xml -m 1 -nostdin -i "$stranger_at" -p 5060 -s alice -au alice \
		-ap alice-secret -key domain "$CONTROLLER_DOMAIN" -key extra "$3" -key again 10.2.0.2 -cid_str "$1" \
		-timeout 60s -timeout_error "$(net_address relay "$2" 4):5060"
}

# shellcheck disable=SC2016 # bash's own
# nudge NAME NETWORK: the INFO that it waits for. (cat, since the shell's own printf would send a datagram a line.)
nudge() {
	net_in relay env CALL_ID="$1" AT="$(net_address mn "$2" 4)" bash -c 'printf -v text "%s\r\n" "INFO sip:alice SIP/2.0" \
		"Via: SIP/2.0/UDP 10.1.0.1:9;branch=z9hG4bK$$" "From: <sip:x>;tag=1" "To: <sip:y>" \
		"Call-ID: $CALL_ID" "CSeq: 1 INFO" "Content-Length: 0" ""
		cat <<<"$text" >/dev/udp/$AT/5060'
}

the_call() {
	controller_segue call list --json | jq -r '.data[0].id'
}

# our_end NUMBER: of the relay's paths towards alice, in order; empty: there is none.
our_end() {
	controller_segue call show "$(the_call)" --json |
		jq -r "[.data.streams[0].paths[] | select(.side == \"a\")][$1].local // empty"
}

peer() { # NAME NETWORK NUMBER SSRC: towards that end of ours
	net_peer mn "$1" --path "$(net_address mn "$2" 4):5004=$(our_end "$3")" --ssrc "$4" --count 5000
}

begin() {
	handover_fixed bob --ssrc 3001 answer
	handover_wait 10 bob registered && stranger "$1" wlan "Subject: first" &&
		handover_wait 20 bob established && net_until 20 test -n "$(our_end 0)" && peer first wlan 0 1001 &&
		net_tell first "send 0 on" &&
		handover_more 50 bob
}

# Nobody speaks, what was on its way has arrived, and the logs are written.
finish() {
	net_tell second stop
	handover_silence bob
	nudge "$1" "$2"
	handover_wait 20 bob ended || return
	net_finish "$1"
	for peer in first second; do
		net_tell $peer quit
	done
	net_finish first second
	handover_tell bob quit
	net_finish bob
}

note_change() {
	handover_uptime_ns "$(controller_segue handover list --json |
		jq '.data[0] | (.began_us + .changed_us) * 1000')" >"$NET_DIR/changed"
}

# The old network's peer speaks until the relay has changed, and is heard for 500 ms more (MP-16); it listens on.
reinvite() {
	begin reinvite && peer second umts 0 1002 && nudge reinvite wlan && net_until 20 handover_reports_now 'any(.state == "finished")' &&
		net_tell first stop && net_tell second "send 0 on" && note_change && handover_more 50 bob && finish reinvite wlan
}

tag_of_answer() { # CALL-ID
	tshark -r "$NET_DIR/sip-mn.pcap" -Y "sip.Status-Code == 200 && sip.CSeq.method == \"INVITE\" && sip.Call-ID == \"$1\"" \
		-T fields -e sip.to.tag 2>/dev/null | head -n 1
}

both_paths() {
	[ -n "$(our_end 1)" ]
}

one_path() {
	[ -z "$(our_end 1)" ]
}

replaces() {
	begin replaced || return
	stranger replaces umts "Replaces: replaced;to-tag=$(tag_of_answer replaced);from-tag=stranger"
	net_until 20 both_paths && peer second umts 1 1002 && net_tell second "send 0 on" &&
		handover_more 50 bob && net_tell first stop && nudge replaced wlan && nudge_twice && handover_more 50 bob &&
		nudge replaces umts && finish replaces umts
}

# The old dialog's sipp renews its session first, and then says BYE.
nudge_twice() {
	net_until 20 renewed && nudge replaced wlan && net_until 20 one_path && net_finish replaced
}

renewed() {
	[ "$(handover_sip mn 'sip.Call-ID == "replaced" && sip.CSeq == "3 ACK"')" = ACK ]
}

# ---- what must be true ---------------------------------------------------------------------------

# What came by both networks is the party's; the second network's is its path 1.
down_once() {
	sed 's/^\(rtp-received,[0-9]*\),0,/\1,1,/' "$NET_DIR/second.csv" >"$NET_DIR/both.csv"
	cat "$NET_DIR/first.csv" >>"$NET_DIR/both.csv"
	(head -n 1 "$NET_DIR/first.csv" && grep -h '^rtp-received' "$NET_DIR/both.csv" | sort -t, -k2,2n) >"$NET_DIR/party.csv"
	# From when somebody listened.
	awk -F, 'NR == FNR { if ($1 == "rtp-sent" && !since) since = $2 + 200000000; next }
		$1 != "rtp-sent" || $2 > since' "$NET_DIR/first.csv" "$NET_DIR/bob.csv" >"$NET_DIR/heard.csv"
	once heard party
}

once() { # SENDER RECEIVER
	"$NET_TOOLS/rtp-report" json x "$NET_DIR/$1.csv" "$NET_DIR/$2.csv" >"$NET_DIR/report.json"
	jq -c '.x | {sent, received_once, lost, doubled, removed}' "$NET_DIR/report.json"
	tests/lib/holds '.x | .sent > 40 and .received_once == .sent and .lost == 0 and .doubled == 0' "$NET_DIR/report.json" >/dev/null
}

# As long as the old path is listened to: the machine may be slow to tell the peer.
old_once() {
	awk -F, -v until="$(($(cat "$NET_DIR/changed") + 450000000))" '$1 != "rtp-sent" || $2 < until' \
		"$NET_DIR/first.csv" >"$NET_DIR/old.csv"
	once old bob
}

old_to_the_end() {
	once first bob
}

check() { # NAME HOW-LONG
	ok "$1: what the old network's peer said came once" "$2"
	ok "$1: what the new network's peer said came once" once second bob
	ok "$1: what the far end said came once, at one of them or both" down_once
	is "$1: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "INVITE 180 200 ACK BYE 200"
	ok "$1: nothing is left" handover_clean
}

if ! command -v sipp >/dev/null; then
	skip "sipp as moving party" "there is no sipp (make setup-check installs it)"
	done_testing
	exit
fi
ok_here "segued runs between two networks and a far end" handover_world
ok_here "its SIP is captured" handover_capture
ok_here "re-INVITE: sipp calls, and its media moves" reinvite
check "re-INVITE" old_once
ok_here "Replaces: another sipp takes the dialog over" replaces
check "Replaces" old_to_the_end
done_testing
