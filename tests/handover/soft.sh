#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Soft handovers with the Handover header: the caller moves to the slow network and back to the fast one, the callee
# does, both do; the old network dies before its BYE. Both applications get each sequence number exactly once
# (scenarios 1, 2, 3, 6).
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "soft handovers"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

far_end_sip="INVITE 180 200 ACK BYE 200"

nothing_dropped() { # but copies
	handover_drops | awk '$1 != "duplicate" && $2 > 0 { print; bad = 1 } END { exit bad }'
}

# ---- 1 -------------------------------------------------------------------------------------------

streams() {
	net_segue stream list --json | jq '.data | length'
}

# The relay has the call from the answer on, and no sooner.
anchored() {
	handover_fixed bob --answer-ms 600000 answer
	handover_wait 10 bob registered || return
	handover_mobile alice wlan umts --sequence 65500 call "sip:bob@$CONTROLLER_DOMAIN"
	handover_wait 20 alice ringing && [ "$(streams)" = 0 ] && handover_tell bob answer && handover_up alice bob &&
		[ "$(streams)" = 1 ] && handover_more 50 alice bob && handover_end alice bob
}

check_anchored() {
	ok_here "1: a call is anchored" anchored
	ok "1: each packet once, in order" handover_once alice bob
	is "1: the caller's SIP" "$(handover_seen_by alice mn)" "$far_end_sip"
	is "1: the far end's SIP" "$(handover_seen_by bob cn)" "$far_end_sip"
	ok "1: nothing was dropped" nothing_dropped
	ok "1: nothing is left" handover_clean
}

# ---- 2, 3 ----------------------------------------------------------------------------------------

# As 2 says: the old network is gone for good when its leg is.
slower() {
	handover_call alice bob wlan umts --sequence 65500 && handover_moves alice umts bob &&
		net_tell wlan cut && handover_more 30 alice bob &&
		handover_reports 'length == 1 and all(.state == "finished" and .first_new_us != null)' &&
		controller_segue handover list --json >"$NET_DIR/slower.json" && handover_end alice bob
	handover_result=$?
	net_tell wlan heal
	return $handover_result
}

report_of_slower() {
	jq -c '.data[0]' "$NET_DIR/slower.json"
	tests/lib/holds '.data[0] | .scheme == "handover" and .side == "a" and .lost == 0 and .copies_removed >= 15 and
		(.skew_ms - 100 | fabs) < 30 and 0 < .changed_us and .changed_us <= .answered_us and
		.answered_us < .first_new_us and .first_new_us < .ended_us and
		.by == "relay" and .doubled == 0 and .reordered == 0 and .late == 0' "$NET_DIR/slower.json" >/dev/null
}

check_slower() {
	ok_here "2: wlan to umts, then wlan is gone" slower
	ok "2: each packet once, in order" handover_once alice bob
	ok "2: the way up is 100 ms longer" handover_step alice bob 100
	ok "2: the way down is 100 ms longer" handover_step bob alice 100
	is "2: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "$far_end_sip"
	is "2: the moving party's new leg" "$(handover_sip mn "sip.Call-ID in {$(joined_call_ids)}")" \
		"INVITE 200 ACK BYE 200"
	is "2: the old leg's BYE came from wlan" "$(bye_network)" 10.1.0.2
	ok "2: the registrar was told once" registrar_told_once
	is "2: the first REGISTER of each call's caller is challenged, and from then on nothing" "$(challenged)" \
		"1 REGISTER,1 REGISTER"
	ok "2: segued's report" report_of_slower
	ok "2: nothing but copies was dropped" nothing_dropped
	ok "2: nothing is left" handover_clean
}

faster() {
	handover_call alice bob umts wlan --sequence 65500 && handover_moves alice wlan bob &&
		handover_reports 'length == 1 and all(.lost == 0 and .doubled == 0 and .late == 0 and
			.reordered >= 1 and .reordered <= 8)' && handover_end alice bob
}

check_faster() {
	ok_here "3: umts to wlan" faster
	ok "3: each packet once, at most 6 late" handover_once alice bob 1
	ok "3: the way up is 100 ms shorter" handover_step alice bob -100
	ok "3: the way down is 100 ms shorter" handover_step bob alice -100
	is "3: the moving party's new leg" "$(handover_sip mn "sip.Call-ID == \"$(last_joined)\"")" "INVITE 200 ACK BYE 200"
	is "3: the old leg's BYE came from umts" "$(bye_network)" 10.2.0.2
	is "3: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "$far_end_sip"
	ok "3: nothing is left" handover_clean
}

# The Call-IDs of INVITEs with Handover, as a set.
joined_call_ids() {
	tshark -r "$NET_DIR/sip-mn.pcap" -Y 'sip.Method == "INVITE" && sip.msg_hdr contains "Handover:"' -T fields \
		-e sip.Call-ID 2>/dev/null | sort -u | sed 's/.*/"&"/' | paste -sd, -
}

last_joined() {
	tshark -r "$NET_DIR/sip-mn.pcap" -Y 'sip.Method == "INVITE" && sip.msg_hdr contains "Handover:"' -T fields \
		-e sip.Call-ID 2>/dev/null | tail -n 1
}

# What was challenged at mn so far.
challenged() {
	tshark -r "$NET_DIR/sip-mn.pcap" -Y "sip.Status-Code == 401 || sip.Status-Code == 407" -T fields -e sip.Call-ID \
		-e sip.CSeq 2>/dev/null | sort -u | cut -f 2 | paste -sd, -
}

# HH-20: one REGISTER after the move, of those that were answered 200.
registrar_told_once() {
	handover_at=$(handover_said alice released .at_us)
	jq -s -c --argjson at "$handover_at" '[.[] | select(.event == "registered")] |
		[length, (last | .network), (last | .at_us > $at)]' "$NET_DIR/alice.log" | tee "$NET_DIR/told"
	grep -qx '\[2,"umts",true\]' "$NET_DIR/told"
}

# ---- 6 -------------------------------------------------------------------------------------------

gone_before_bye() {
	handover_call alice bob wlan umts --sequence 65500 --manual-release &&
		handover_moves alice umts bob moved && sleep 0.2 && net_tell wlan cut &&
		sleep 1.2 && handover_tell alice release && handover_wait 20 alice released &&
		handover_more 30 alice bob && handover_reports 'all(.state == "finished" and .lost == 0)' &&
		handover_end alice bob
	handover_result=$?
	net_tell wlan heal
	return $handover_result
}

check_gone_before_bye() {
	ok_here "6: wlan is gone before its BYE, which comes over umts" gone_before_bye
	ok "6: each packet once, in order" handover_once alice bob
	is "6: the old dialog's BYE came from umts" "$(bye_network)" 10.2.0.2
	ok "6: nothing is left" handover_clean
}

bye_network() {
	tshark -r "$NET_DIR/sip-mn.pcap" -Y "sip.Method == \"BYE\" && sip.Call-ID == \"$(handover_call_id alice)\"" \
		-T fields -e ip.src 2>/dev/null | sort -u
}

# ---- the callee, and both ------------------------------------------------------------------------

callee() {
	handover_called alice bob wlan umts --sequence 65500 && handover_moves alice umts bob &&
		handover_moves alice wlan bob && handover_end alice bob
}

check_callee() {
	ok_here "callee: moves to umts and back" callee
	ok "callee: each packet once, at most 6 late" handover_once alice bob 1
	is "callee: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "$far_end_sip"
	ok "callee: nothing is left" handover_clean
}

# Both in mn: alice on wlan and bob on umts.
both_call() {
	handover_mobile bob umts wlan --sequence 65500 answer
	handover_wait 10 bob registered || return
	handover_mobile alice wlan umts --sequence 65500 call "sip:bob@$CONTROLLER_DOMAIN"
	handover_up alice bob
}

both_in_turn() {
	both_call && handover_moves alice umts bob && handover_moves bob wlan alice && handover_end alice bob
}

both_at_once() {
	both_call && handover_tell alice move umts && handover_tell bob move wlan &&
		handover_wait 20 alice released && handover_wait 20 bob released && handover_more 30 alice bob &&
		handover_end alice bob
}

check_both() {
	ok_here "both: one after the other" both_in_turn
	ok "both: each packet once" handover_once alice bob 2
	ok "both: nothing is left" handover_clean
	ok_here "both: at the same time" both_at_once
	ok "both at once: each packet once" handover_once alice bob 2
	ok "both at once: nothing is left" handover_clean
}

# ---- what waited for segued counts ---------------------------------------------------------------

# The request comes when segued has no time for it: 0.5 s, less the way of 0.11 s and what the mover takes.
queued() {
	handover_call alice bob wlan umts || return
	kill -STOP "$(cat "$NET_DIR/segued.pid")"
	handover_tell alice move umts
	sleep 0.5
	kill -CONT "$(cat "$NET_DIR/segued.pid")"
	handover_wait 20 alice released &&
		handover_reports 'length == 1 and all(.changed_us > 200000 and .changed_us < 600000)' &&
		handover_end alice bob
}

metric() { # SERIES
	net_in relay curl -sS --max-time 20 http://127.0.0.1:9810/metrics | awk -v series="$1" '$1 == series { print $2 }'
}

slow_ones() { # handovers with more than 50 ms until the map had changed
	echo $(($(metric segue_handover_map_seconds_count) - $(metric 'segue_handover_map_seconds_bucket{le="0.05"}')))
}

check_queued() {
	finished='segue_handovers_total{scheme="handover",outcome="finished"}'
	before=$(metric "$finished")
	slow=$(slow_ones)
	ok_here "a request that waits for segued: from its arrival on, says the report" queued
	is "metrics: it is counted" "$(metric "$finished")" $((before + 1))
	is "metrics: as a slow one" "$(slow_ones)" $((slow + 1))
	is "metrics: none runs" "$(metric segue_handovers_running)" 0
}

ok_here "segued runs between two networks and a far end" handover_world "http: 127.0.0.1:9810"
ok_here "its SIP is captured" handover_capture
check_anchored
check_slower
check_faster
check_gone_before_bye
check_callee
check_both
check_queued
done_testing
