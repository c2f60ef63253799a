#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The other ways to move: backup sessions (scenario 5), a plain re-INVITE when the old network is dead (7), REGISTER
# and re-INVITE (12), Replaces (14). What each costs at both applications, and what was said on the wire.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "schemes of handover"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

far_end_sip="INVITE 180 200 ACK BYE 200"

# now_us: CLOCK_MONOTONIC as the logs have it, to 10 ms.
now_us() {
	awk '{ printf "%d\n", $1 * 1000000 }' /proc/uptime
}

moved_of() { # NAME EXPRESSION: of its last move
	jq -r ".moves[-1] | $2" "$NET_DIR/$1.json"
}

# ---- 5: backup session ---------------------------------------------------------------------------

withhold_ack() {
	net_until 20 controller_log 'handover .*backup took over' && net_tell umts "drop port=5060"
}

backup() {
	handover_call alice bob wlan umts --sequence 65500 --scheme backup --backup umts --manual-release &&
		handover_wait 20 alice standby || return
	handover_tell alice move umts
	withhold_ack && sleep 2 && net_tell umts nodrop && handover_wait 20 alice good &&
		handover_reports 'length == 1 and all(.scheme == "backup" and .state == "finished" and .lost == 0)' &&
		handover_more 30 alice bob && handover_tell alice release && handover_wait 20 alice released &&
		handover_end alice bob
}

# The Call-ID that both legs have.
backup_sip() {
	handover_sip mn "sip.Call-ID == \"$(handover_call_id alice)\" && $1"
}

# When the first packet came by umts, and when the ACK of the re-INVITE left: seconds of CLOCK_REALTIME.
ack_at() {
	tshark -r "$NET_DIR/sip-mn.pcap" -Y "sip.Method == \"ACK\" && ip.src == 10.2.0.2" -T fields -e frame.time_epoch \
		2>/dev/null | tail -n 1
}

first_by_umts() {
	awk -F, '$1 == "rtp-received" && $3 == 1 { print $2 / 1e9; exit }' "$NET_DIR/alice.csv"
}

# ACKs that did not come through: the one that did was 2 s after the packets.
before_ack() {
	handover_offset=$(awk -v now="$(date +%s.%N)" '{ printf "%.3f", now - $1 }' /proc/uptime)
	echo "first packet $(first_by_umts), ACK $(ack_at), offset $handover_offset"
	awk -v packet="$(first_by_umts)" -v ack="$(ack_at)" -v offset="$handover_offset" \
		'BEGIN { exit !(packet > 0 && ack - offset - packet > 1) }'
}

down_gap() { # ms between two packets at alice that took the way of umts, the change itself counted: 100 ms of delay
	awk '{ print; exit !($1 < 100 + 60) }' <<END
$(jq .down.max_gap_ms "$NET_DIR/report.json")
END
}

registered_twice() {
	controller_log 'alice@example.net registers: 2 bindings, 1 before'
}

check_backup() {
	ok_here "5: a leg stands by, then takes over, its ACK withheld" backup
	ok "5: each packet once" handover_once alice bob
	ok "5: packets come by the new network before the ACK" before_ack
	ok "5: no gap but that of the longer way" down_gap
	is "5: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "$far_end_sip"
	is "5: the backup leg: INVITE, re-INVITE" "$(backup_sip 'ip.addr == 10.2.0.2 && sip.CSeq.method != "BYE"')" \
		"INVITE 200 ACK INVITE 200 ACK"
	ok "5: the registrar knew both networks" registered_twice
	is "5: and heard of the change once, with both in one REGISTER" "$(swaps)" 1
	ok "5: nothing is left" handover_clean
}

# PH-11: REGISTERs with two contacts that both have a quality.
swaps() {
	tshark -r "$NET_DIR/sip-mn.pcap" -Y 'sip.Method == "REGISTER" && sip.auth && sip.msg_hdr matches "(?s)if_q=.*if_q="' \
		-T fields -e sip.CSeq -e sip.Call-ID 2>/dev/null | sort -u | wc -l
}

# ---- 7: the old network is dead ------------------------------------------------------------------

outage() { # [SECONDS before]
	handover_call alice bob wlan umts --sequence 65500 --scheme reinvite && sleep "${1:-0}" || return
	net_tell wlan cut
	cut_us=$(now_us)
	sleep 0.3
	handover_moves alice umts bob &&
		handover_reports 'length == 1 and all(.scheme == "re-invite" and .state == "finished" and
			.copies_removed == 0)' && handover_end alice bob
	handover_result=$?
	net_tell wlan heal
	return $handover_result
}

# C: the outage, the request's way (110 ms) and back, and what the clock of 10 ms does not see.
outage_only() {
	handover_report alice bob
	bound=$((($(moved_of alice .answered_us) - cut_us + 19999) / 20000 + 2))
	echo "lost: up $(handover_lost up), down $(handover_lost down), at most $bound"
	jq -c 'map_values({doubled, reordered})' "$NET_DIR/report.json"
	[ "$(handover_lost up)" -gt 10 ] && [ "$(handover_lost up)" -le $bound ] &&
		[ "$(handover_lost down)" -gt 10 ] && [ "$(handover_lost down)" -le $bound ] &&
		tests/lib/holds 'all(.up, .down; .doubled == 0 and .reordered == 0)' "$NET_DIR/report.json" >/dev/null
}

# Each challenge is good for a second only: the one that alice knows is older.
check_stale() {
	controller_stop
	HANDOVER_NONCE=1s handover_configure
	ok_here "7: segued runs again, with nonces of a second" controller_start
	ok_here "7, stale: wlan is dead, and alice's credentials are old" outage 2
	ok "7, stale: lost: what the outage itself cost, and a round trip more" outage_only
	is "7, stale: the re-INVITE twice (HH-18)" "$(re_invites)" "INVITE 407 ACK INVITE 200 ACK BYE 200"
	is "7, stale: since it was stale" "$(stale_challenges)" "true"
	is "7, stale: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "$far_end_sip"
	ok "7, stale: nothing is left" handover_clean
	controller_stop
	handover_configure
	ok_here "7: and with those of five minutes" controller_start
}

re_invites() {
	handover_sip mn "ip.addr == 10.2.0.2 && sip.Call-ID == \"$(handover_call_id alice)\""
}

stale_challenges() { # to re-INVITEs
	tshark -r "$NET_DIR/sip-mn.pcap" -Y "sip.Status-Code == 407 && sip.CSeq.method == \"INVITE\" &&
		ip.addr == 10.2.0.2 && sip.Call-ID == \"$(handover_call_id alice)\"" -T fields -e sip.Proxy-Authenticate \
		2>/dev/null | grep -o 'stale=[a-z]*' | sort -u | cut -d = -f 2
}

check_outage() {
	ok_here "7: wlan is dead, the call goes on over umts" outage
	ok "7: lost: what the outage itself cost" outage_only
	is "7: a re-INVITE, no more" "$(handover_sip mn "ip.addr == 10.2.0.2 && sip.Call-ID == \"$(handover_call_id alice)\"")" \
		"INVITE 200 ACK BYE 200"
	is "7: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "$far_end_sip"
	ok "7: nothing is left" handover_clean
}

# ---- 12: the registrar first ---------------------------------------------------------------------

contacts() { # of alice
	controller_segue registration list --json | jq -r '[.data[] | select(.aor | startswith("alice")) |
		.contact] | join(" ")'
}

only_at() { # ADDRESS
	contacts
	contacts | grep -qE "^[^ ]*@$1:[0-9]+[^ ]*\$"
}

reregister() { # ARGUMENT...
	handover_stay alice bob wlan umts --sequence 65500 --scheme reregister "$@" && handover_moves alice umts bob &&
		net_until 10 only_at 10.2.0.2
}

# Bob calls back: alice is where she is now.
called_back() {
	handover_silence alice bob
	handover_tell alice bye
	handover_wait 20 bob ended || return
	handover_tell bob "call sip:alice@$CONTROLLER_DOMAIN"
	net_until 20 answered_again || return
	handover_tell bob bye
	net_until 20 ended_again || return
	for party in alice bob; do
		handover_tell $party quit
	done
	net_finish alice bob
}

answered_again() {
	[ "$(grep -c '"event":"established"' "$NET_DIR/alice.log")" = 2 ] &&
		[ "$(handover_said alice established .network)" = umts ]
}

ended_again() {
	[ "$(grep -c '"event":"ended"' "$NET_DIR/alice.log")" = 2 ]
}

check_reregister() {
	ok_here "12: REGISTER, then re-INVITE" reregister
	is "12: in that order" "$(handover_sip mn 'ip.addr == 10.2.0.2 && frame.time_epoch > '"$mark")" \
		"REGISTER 200 INVITE 200 ACK"
	ok_here "12: the next call reaches the new address" called_back
	ok "12: nothing is left" handover_clean
	in_turn=$(moved_of alice '.answered_us - .asked_us')
	ok_here "12: both at once" reregister --parallel
	ok_here "12: likewise" called_back
	at_once=$(moved_of alice '.answered_us - .asked_us')
	diag "answered after $((in_turn / 1000)) ms in turn, $((at_once / 1000)) ms at once"
	ok "12: at once is a registrar's round trip faster" test $((in_turn - at_once)) -ge 200000
	ok "12: nothing is left" handover_clean
}

# ---- 14: Replaces --------------------------------------------------------------------------------

replaces() {
	handover_stay alice bob wlan umts --sequence 65500 --scheme replaces && handover_moves alice umts bob &&
		handover_reports 'length == 1 and all(.scheme == "replaces" and .state == "finished" and .lost == 0)' &&
		net_until 10 only_at 10.2.0.2 && handover_silence alice bob && handover_report alice bob
}

check_replaces() {
	ok_here "14: the new dialog replaces the old one" replaces
	ok "14: each packet once, in order" handover_once alice bob
	is "14: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "INVITE 180 200 ACK"
	ok_here "14: the next call reaches the new network" called_back
	ok "14: nothing is left" handover_clean
}

mark=$(date +%s.%N)
ok_here "segued runs between two networks and a far end" handover_world
ok_here "its SIP is captured" handover_capture
check_backup
check_outage
check_stale
check_replaces
mark=$(date +%s.%N)
check_reregister
done_testing
