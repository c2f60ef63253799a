#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A party moves while it rings, and its first network is gone before the call is answered: the caller, the callee,
# with early media and without, who then hangs up. By UPDATE (RFC 3311), whatever the scheme.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "handovers while ringing"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

long=600000 # ms: until told to answer

# caller_rings [ARGUMENT... of the far end]: alice calls bob from wlan, and he rings.
caller_rings() {
	handover_fixed bob --sequence 65500 --answer-ms $long "$@" answer
	handover_wait 10 bob registered || return
	handover_mobile alice wlan umts --sequence 65500 call "sip:bob@$CONTROLLER_DOMAIN"
	handover_wait 20 bob incoming && net_until 20 alice_hears_of_it
}

alice_hears_of_it() {
	handover_event alice ringing || handover_event alice progress
}

# callee_rings [ARGUMENT... of alice]: bob calls alice, who rings at wlan.
callee_rings() {
	handover_mobile alice wlan umts --sequence 65500 --answer-ms $long "$@" answer
	handover_wait 10 alice registered || return
	handover_fixed bob --sequence 65500 call "sip:alice@$CONTROLLER_DOMAIN"
	handover_wait 20 alice incoming && net_until 20 bob_hears_of_it
}

bob_hears_of_it() {
	handover_event bob ringing || handover_event bob progress
}

moves_while_ringing() { # EVENT
	handover_tell alice move umts && handover_wait 20 alice "$1"
}

# answered WHO: the call is answered and spoken in.
answered() {
	handover_tell "$1" answer && handover_up alice bob && handover_more 40 alice bob && handover_end alice bob
}

healed() { # RESULT
	net_tell wlan heal
	return "$1"
}

# Of the call that ended last at alice's: what went by umts and what by wlan, and where each message came from.
sip_by() { # NETWORK
	handover_sip mn "ip.addr == $(net_address mn "$1" 4) && sip.Call-ID == \"$(handover_call_id alice)\""
}

moved_once() {
	jq -c '.moves' "$NET_DIR/alice.json"
	tests/lib/holds '.moves | length == 1 and .[0].scheme == "update" and .[0].status == 200 and .[0].to == "umts"' \
		"$NET_DIR/alice.json" >/dev/null
}

# ---- the caller ----------------------------------------------------------------------------------

early_caller() {
	caller_rings --early-media && handover_more 30 alice && moves_while_ringing released &&
		handover_more 30 alice &&
		handover_reports 'length == 1 and all(.scheme == "re-invite" and .side == "a" and .state == "finished")' &&
		net_tell wlan cut && handover_more 30 alice && answered bob
	healed $?
}

check_early_caller() {
	ok_here "caller: moves while it rings, early media follow, wlan is gone at the answer" early_caller
	ok "caller: each packet once, early ones too" handover_once alice bob
	is "caller: by wlan it had asked" "$(sip_by wlan)" "INVITE 183 PRACK 200"
	is "caller: by umts it moved, and got the answer" "$(sip_by umts)" "UPDATE 200 200 ACK BYE 200"
	is "caller: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "INVITE 183 PRACK 200 200 ACK BYE 200"
	ok "caller: it counts as one move" moved_once
	ok "caller: nothing is left" handover_clean
}

# Bob says nothing about media before he answers: there is no answer yet that an UPDATE could change.
plain_caller() {
	caller_rings && moves_while_ringing updated && answered bob
}

dead_caller() {
	caller_rings && moves_while_ringing updated && net_tell wlan cut && answered bob
	healed $?
}

# The way of the re-INVITE that follows the answer, and back: 2 x 110 ms, and what each side takes.
re_invite_only() {
	handover_report alice bob
	jq -c 'map_values({sent, lost, doubled, reordered})' "$NET_DIR/report.json"
	tests/lib/holds '.up.lost == 0 and .down.lost <= 20 and all(.up, .down; .doubled == 0 and .reordered == 0)' \
		"$NET_DIR/report.json" >/dev/null
}

check_plain_caller() {
	ok_here "caller, no early media: moves while it rings" plain_caller
	ok "caller, no early media: each packet once" handover_once alice bob
	is "caller, no early media: UPDATE, and a re-INVITE after the answer" "$(sip_by umts)" \
		"UPDATE 200 200 ACK INVITE 200 ACK BYE 200"
	is "caller, no early media: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "INVITE 180 200 ACK BYE 200"
	ok "caller, no early media: it counts as one move" moved_once
	ok_here "caller, no early media: wlan is gone at the answer" dead_caller
	ok "caller, no early media: lost until the re-INVITE came through, no more" re_invite_only
	ok "caller, no early media: nothing is left" handover_clean
}

# ---- the callee ----------------------------------------------------------------------------------

plain_callee() {
	callee_rings && moves_while_ringing released && net_tell wlan cut && answered alice
	healed $?
}

check_plain_callee() {
	ok_here "callee: moves while it rings, and answers from umts" plain_callee
	ok "callee: each packet once, in order" handover_once alice bob
	is "callee: by umts it moved, and answered" "$(sip_by umts)" "UPDATE 200 200 ACK BYE 200"
	is "callee: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "INVITE 180 200 ACK BYE 200"
	ok "callee: it counts as one move" moved_once
	ok "callee: nothing is left" handover_clean
}

early_callee() {
	callee_rings --early-media && handover_more 30 bob && moves_while_ringing released && handover_more 30 bob &&
		net_tell wlan cut &&
		handover_more 30 bob && answered alice
	healed $?
}

check_early_callee() {
	ok_here "callee: its early media move along" early_callee
	ok "callee, early media: each packet once, in order" handover_once alice bob
	is "callee, early media: UPDATE, then the answer" "$(sip_by umts)" "UPDATE 200 200 ACK BYE 200"
	is "callee, early media: the far end saw no SIP of it" "$(handover_seen_by bob cn)" \
		"INVITE 183 PRACK 200 200 ACK BYE 200"
	ok "callee, early media: nothing is left" handover_clean
}

# ---- hanging up ----------------------------------------------------------------------------------

quit_both() {
	handover_wait 20 alice ended && handover_wait 20 bob ended || return
	handover_tell alice quit
	handover_tell bob quit
	net_until 20 both_gone
}

both_gone() {
	! net_alive alice && ! net_alive bob
}

gives_up() {
	caller_rings && moves_while_ringing updated && net_tell wlan cut && handover_tell alice bye && quit_both
	healed $?
}

is_given_up() {
	callee_rings && moves_while_ringing released && net_tell wlan cut && handover_tell bob bye && quit_both
	healed $?
}

check_hanging_up() {
	ok_here "the caller moves and gives up: its CANCEL comes by umts" gives_up
	ok "gives up: nothing is left" handover_clean
	ok_here "the callee moves, and hears by umts that the caller gives up" is_given_up
	ok "is given up: nothing is left" handover_clean
}

ok_here "segued runs between two networks and a far end" handover_world
ok_here "its SIP is captured" handover_capture
check_early_caller
check_plain_caller
check_plain_callee
check_early_callee
check_hanging_up
done_testing
