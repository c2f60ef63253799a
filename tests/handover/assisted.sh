#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Require: handover across segued (handover.anchor: auto). A far end that supports the extension duplicates, and media
# goes past the relay (scenario 4); one that answers 420 is asked again and served by the relay (scenario 2).
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "handovers by the far end"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

# Past the relay means by the kernel's own forwarding here.
world() {
	handover_world "handover: {anchor: auto}" || return
	net_in relay sh -c '. tests/lib/net.sh; net_sysctl ipv4/ip_forward=1 ipv6/conf/all/forwarding=1'
}

# in_call NAMESPACE NAME FILTER FIELD...: of the messages of the party's first leg there.
in_call() {
	in_where=$1 in_filter="sip.Call-ID == \"$(handover_call_id "$2")\" && $3"
	shift 3
	for in_field in "$@"; do
		shift
		set -- "$@" -e "$in_field"
	done
	tshark -r "$NET_DIR/sip-$in_where.pcap" -Y "$in_filter" -T fields "$@" 2>/dev/null | sort -u
}

description() { # NAMESPACE NAME FILTER: what the SDP says of where and who
	in_call "$1" "$2" "$3 && sdp" sdp.owner sdp.connection_info sdp.media
}

# same NAMESPACE NAME NAMESPACE NAME FILTER: what the second got is what the first said (one who had to prove who it
# is said it twice, in two versions).
same() {
	same_got=$(description "$3" "$4" "$5")
	printf '%s\n' "$same_got"
	[ -n "$same_got" ] && description "$1" "$2" "$5" | grep -Fxe "$same_got"
}

required() { # NAME: what its first INVITE there required
	in_call cn "$1" 'sip.Method == "INVITE"' sip.Require
}

# The Handover header that the far end should have got: its own leg as it knows it.
own_leg() { # NAME
	handover_said "$1" established '"\(.call_id);to-tag=\(.local_tag);from-tag=\(.remote_tag)"'
}

# joined cn|mn VALUE FIELD: of the INVITEs whose Handover header has that value there.
joined() {
	tshark -r "$NET_DIR/sip-$1.pcap" -Y "sip.Method == \"INVITE\" && sip.msg_hdr contains \"Handover: $2\"" \
		-T fields -e "$3" 2>/dev/null | sort -u
}

past_the_relay() {
	[ "$(net_segue stream list --json | jq '.data | length')" = 0 ] &&
		controller_segue call list --json | tests/lib/holds '[.data[] | .anchored] == [false]' >/dev/null
}

anchored() {
	[ "$(net_segue stream list --json | jq '.data | length')" = 1 ]
}

# The far end has one network, and removes the copies that come there itself: what its application got.
once() { # [DEPTH]
	handover_report alice bob || return
	jq -c --slurpfile far "$NET_DIR/bob.json" '{up: (.up | {sent, lost}), far: ($far[0].media | {received, lost, duplicates, sources}),
		down: (.down | {sent, received_once, lost, doubled, reorder_depth, copies_received})}' \
		"$NET_DIR/report.json"
	tests/lib/holds --argjson depth "${1:-0}" --slurpfile far "$NET_DIR/bob.json" '.up.sent as $sent |
		(.down | .sent > 60 and .received_once == .sent and .lost == 0 and .doubled == 0 and
			.reorder_depth <= $depth and .copies_received > .sent) and
		(.up | .sent > 60 and .lost == 0) and
		($far[0].media | .received == $sent and .lost == 0 and .duplicates > 0 and
			.sources == 1)' "$NET_DIR/report.json" >/dev/null
}

# ---- 4 -------------------------------------------------------------------------------------------

assisted() {
	HANDOVER_FIXED_ARGUMENTS=--accept-handover
	handover_call alice bob wlan umts --sequence 65500 && past_the_relay && handover_moves alice umts bob &&
		past_the_relay && net_tell wlan cut && handover_more 30 alice bob &&
		handover_reports 'length == 1 and all(.state == "finished" and .by == "far-end" and
			.lost == null and .copies_removed == null and .changed_us == null)' && handover_end alice bob
	assisted_result=$?
	net_tell wlan heal
	return $assisted_result
}

check_assisted() {
	ok_here "4: the far end supports it; wlan to umts, then wlan is gone" assisted
	ok "4: each packet once, in order" once
	ok "4: the way up is 100 ms longer" handover_step alice bob 100
	ok "4: the way down is 100 ms longer" handover_step bob alice 100
	is "4: the far end was asked" "$(required bob)" handover
	ok "4: the offer is untouched" same mn alice cn bob 'sip.Method == "INVITE"'
	ok "4: the answer is untouched" same cn bob mn alice 'sip.Status-Code == 200'
	is "4: the far end's first leg" "$(handover_seen_by bob cn)" "INVITE 180 200 ACK BYE 200"
	is "4: the mover named its own leg" "$(joined mn "$(handover_said alice established \
		'"\(.call_id);to-tag=\(.remote_tag);from-tag=\(.local_tag)"')" sip.Require)" handover
	is "4: the far end got the name of its own" "$(joined cn "$(own_leg bob)" sip.Require)" handover
	is "4: the far end's second leg" \
		"$(handover_sip cn "sip.Call-ID == \"$(joined cn "$(own_leg bob)" sip.Call-ID)\"")" \
		"INVITE 200 ACK BYE 200"
	ok "4: nothing is left" handover_clean
}

# ---- the callee moves ----------------------------------------------------------------------------

callee() {
	HANDOVER_FIXED_ARGUMENTS=--accept-handover
	handover_called alice bob wlan umts --sequence 65500 --accept-handover && past_the_relay &&
		handover_moves alice umts bob && handover_moves alice wlan bob && past_the_relay &&
		handover_end alice bob
}

check_callee() {
	ok_here "4: the callee moves to umts and back" callee
	ok "4: callee: each packet once, at most 6 late" once 6
	is "4: callee: the far end got the name of its own leg" "$(joined cn "$(own_leg bob)" sip.Require)" handover
	ok "4: callee: nothing is left" handover_clean
}

# ---- late anchoring ------------------------------------------------------------------------------

# A far end that knows the extension, and has no more to give than one leg (HH-9).
HANDOVER_ONE_LEG="--accept-handover --legs 1"

late_in_maps() {
	anchored && controller_segue call list --json | tests/lib/holds '[.data[] | .anchored] == [true]' >/dev/null
}

late_reports() { # COUNT: by the relay, with the kernel's figures
	handover_reports "length == $1 and all(.state == \"finished\" and .by == \"relay\" and .lost == 0 and
		.doubled == 0 and .copies_removed > 20 and .changed_us > 0)"
}

late() {
	HANDOVER_FIXED_ARGUMENTS=$HANDOVER_ONE_LEG
	handover_call alice bob wlan umts --sequence 65500 && past_the_relay && handover_moves alice umts bob &&
		late_in_maps && net_tell wlan cut && handover_more 30 alice bob && late_reports 1 &&
		handover_end alice bob
	late_result=$?
	net_tell wlan heal
	return $late_result
}

late_callee() {
	HANDOVER_FIXED_ARGUMENTS=$HANDOVER_ONE_LEG
	handover_called alice bob umts wlan --sequence 65500 --accept-handover && past_the_relay &&
		handover_moves alice wlan bob && late_in_maps && handover_moves alice umts bob && late_reports 2 &&
		handover_end alice bob
}

late_old_is_gone() {
	HANDOVER_FIXED_ARGUMENTS=$HANDOVER_ONE_LEG
	handover_call alice bob wlan umts --sequence 65500 --manual-release && past_the_relay && net_tell wlan cut &&
		sleep 0.3 && handover_moves alice umts bob moved && sleep 1 && handover_tell alice release &&
		handover_wait 20 alice released && late_in_maps &&
		handover_reports 'length == 1 and all(.state == "finished" and .lost == 0 and .doubled == 0)' &&
		handover_end alice bob
	late_result=$?
	net_tell wlan heal
	return $late_result
}

# The mover's own name of its first leg, as its Handover header has it.
mover_leg() {
	handover_said alice established '"\(.call_id);to-tag=\(.remote_tag);from-tag=\(.local_tag)"'
}

# led NAMESPACE NAME: addresses that the party was told in the re-INVITE of its first leg.
led() {
	in_call "$1" "$2" 'sip.Method == "INVITE" && sip.To contains "tag="' sdp.connection_info.address
}

# Which legs of the moving party INVITEs were granted on, in order: that of the call, the one that leads the old leg to
# the relay, and only then the Handover.
granted() {
	tshark -r "$NET_DIR/sip-mn.pcap" -Y 'sip.Status-Code == 200 && sip.CSeq.method == "INVITE"' \
		-T fields -e sip.Call-ID -e sip.CSeq.seq -e ip.src 2>/dev/null |
		awk -F '\t' -v old="$(handover_call_id alice)" -v new="$(joined mn "$(mover_leg)" sip.Call-ID)" '
			!seen[$0]++ && $1 == old { print "old" }
			!again[$0]++ && $1 == new { print "new" }' | paste -sd ' ' -
}

# What nobody heard: no more than was sent from a while before the move to the answer, two packets more for the clock.
# And no echo.
only_outage() {
	handover_report alice bob
	jq -c 'map_values({sent, lost, doubled})' "$NET_DIR/report.json"
	handover_said alice moved '"asked \(.asked_us), answered \(.answered_us)"'
	late_ms=$(handover_said alice moved '((.answered_us - .asked_us) / 1000 | floor)')
	[ "$late_ms" -ge 500 ] && [ "$late_ms" -lt 2000 ] &&
		tests/lib/holds --argjson most $((late_ms / 20 + 40)) 'all(.up, .down; .doubled == 0 and .lost > 10 and
			.lost < $most)' "$NET_DIR/report.json" >/dev/null
}

check_late() {
	ok_here "HH-11: the far end has one leg to give; wlan to umts, then wlan is gone" late
	ok "HH-11: each packet once, in order" handover_once alice bob
	is "HH-11: the far end refused to duplicate" \
		"$(handover_sip cn "sip.Call-ID == \"$(joined cn "$(own_leg bob)" sip.Call-ID)\"")" "INVITE 420 ACK"
	is "HH-11: its leg got a re-INVITE" "$(handover_seen_by bob cn)" "INVITE 180 200 ACK INVITE 200 ACK BYE 200"
	is "HH-11: to the relay" "$(led cn bob)" "$(net_address relay core 4)"
	is "HH-11: and the mover's old leg one" "$(led mn alice)" "$(net_address relay wlan 4)"
	is "HH-11: before the new leg was answered" "$(granted)" "old old new"
	ok "HH-11: nothing is left" handover_clean
}

check_late_callee() {
	ok_here "HH-11: the callee moves to the faster wlan, and back" late_callee
	ok "HH-11: callee: each packet once, at most 6 late" handover_once alice bob 1
	is "HH-11: callee: the old leg was led to the relay first" "$(granted)" "old old new"
	ok "HH-11: callee: nothing is left" handover_clean
}

check_late_old_is_gone() {
	ok_here "HH-11: wlan is gone before the move" late_old_is_gone
	ok "HH-11: wlan is gone: the old leg is waited for half a second, no packet twice" only_outage
	ok "HH-11: wlan is gone: nothing is left" handover_clean
}

# ---- 2: 420 --------------------------------------------------------------------------------------

refused() {
	HANDOVER_FIXED_ARGUMENTS=
	handover_call alice bob wlan umts --sequence 65500 && anchored && handover_moves alice umts bob &&
		handover_reports 'length == 1 and all(.state == "finished" and .lost == 0)' && handover_end alice bob
}

check_refused() {
	ok_here "2: the far end answers 420; wlan to umts by the relay" refused
	ok "2: each packet once, in order" handover_once alice bob
	is "2: the far end got two INVITEs, and none of the handover" "$(handover_seen_by bob cn)" \
		"INVITE 420 ACK INVITE 180 200 ACK BYE 200"
	is "2: the first with the tag, the second without" \
		"$(in_call cn bob 'sip.Method == "INVITE"' sip.CSeq.seq sip.Require | tr '\t' ' ' | paste -sd, -)" \
		"$(two_invites)"
	ok "2: the far end knows only the relay's address" only_relay
	is "2: the caller saw no 420" "$(in_call mn alice 'sip.Status-Code == 420' sip.Status-Code)" ""
	ok "2: nothing is left" handover_clean
}

two_invites() {
	two_first=$(in_call cn bob 'sip.Status-Code == 420' sip.CSeq.seq)
	echo "$two_first handover,$((two_first + 1)) "
}

only_relay() {
	description cn bob 'sip.Method == "INVITE" && !sip.Require' | tee "$NET_DIR/second"
	grep -qF "$(net_address relay core 4)" "$NET_DIR/second" && ! grep -F "$(net_address mn wlan 4)" "$NET_DIR/second"
}

ok_here "segued runs between two networks and a far end" world
ok_here "its SIP is captured" handover_capture
check_assisted
check_callee
check_late
check_late_callee
check_late_old_is_gone
check_refused
done_testing
