#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Handovers that must not happen (scenario 8), that are taken back, or that nobody ends (9): each refusal has its code,
# leaves the relay's maps as they were byte for byte, and the old path loses nothing.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "refused handovers"
net_private "$0" "$@"
HANDOVER_DIGEST='[md5]' # all that sipp knows
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

# ---- 8 -------------------------------------------------------------------------------------------

# ids HEADER NAME: names that party's dialog, as segued has it.
ids() {
	echo "$1: $(handover_call_id "$2");to-tag=$(handover_said "$2" established .remote_tag);from-tag=$(handover_said \
		"$2" established .local_tag)"
}

# sip SCENARIO WHO ARGUMENT...: from alice's other network.
sip() {
	sip_scenario=$1 sip_who=$2
	shift 2
	net_in mn sipp -sf "$sip_scenario" -m 1 -nostdin -i 10.2.0.2 -s "$sip_who" -au "$sip_who" -ap "$sip_who-secret" \
		-key domain "$CONTROLLER_DOMAIN" -timeout 20s -timeout_error "$@" 10.2.0.1:5060 >"$NET_DIR/sipp.log" 2>&1 && return
	tail -n 40 "$NET_DIR/sipp.log"
	return 1
}

# refused STATUS WHO CSEQ IDS [MORE [MEDIA]]: CSEQ: of the INVITE that is refused.
refused() {
	sed "s/STATUS/$1/; s/LAST/$3/" tests/handover/refused.xml >"$NET_DIR/refused.xml"
	sip "$NET_DIR/refused.xml" "$2" -key ids "$4" -key more "${5:-Subject: more}" -key media "${6:-audio}"
}

ended_call() {
	handover_call alice bob wlan umts && handover_end alice bob
}

standing() {
	handover_call alice bob wlan umts --sequence 65500 && handover_maps >"$NET_DIR/before"
}

untouched() {
	handover_maps >"$NET_DIR/after"
	wc -l <"$NET_DIR/before"
	diff "$NET_DIR/before" "$NET_DIR/after" && [ "$(wc -l <"$NET_DIR/before")" -ge 6 ]
}

check_refusals() {
	ok_here "8: a call that has ended" ended_call
	ended=$(ids Handover alice)
	ok_here "8: a call that stands" standing
	good=$(ids Handover alice)
	ok "8: wrong tag: 481" refused 481 alice 1 "${good}x"
	ok "8: no such call: 481" refused 481 alice 1 "Handover: nowhere;to-tag=a;from-tag=b"
	ok "8: ended call: 603" refused 603 alice 1 "$ended"
	ok "8: with Replaces: 400" refused 400 alice 1 "$good" "$(ids Replaces alice)"
	ok "8: twice: 400" refused 400 alice 1 "$good" "$good"
	ok "8: without a tag: 400" refused 400 alice 1 "${good%;*}"
	ok "8: without credentials: 401" refused 401 alice 1 "$good"
	ok "8: another user: 403" refused 403 eve 2 "$good"
	ok "8: the far end's dialog: 403" refused 403 alice 2 "$(ids Handover bob)"
	ok "8: other media: 488" refused 488 alice 2 "$good" "" image
	ok "8: on a REGISTER: 400" sip tests/handover/refused-register.xml alice -key ids "$good"
	ok "8: the maps are as they were" untouched
	ok "8: nobody saw a handover" handover_reports_now 'length == 0'
	ok_here "8: the call goes on, and ends" handover_end alice bob
	ok "8: the old path lost nothing" handover_once alice bob
	ok "8: nothing is left" handover_clean
}

# ---- 9 -------------------------------------------------------------------------------------------

both_live() { # ARGUMENT...
	handover_call alice bob wlan umts --sequence 65500 --manual-release && handover_maps >"$NET_DIR/before" &&
		handover_moves alice umts bob moved
}

abort() {
	both_live && ! untouched && handover_tell alice abort && handover_wait 20 alice aborted && handover_more 50 alice bob &&
		handover_reports 'length == 1 and all(.state == "aborted" and .lost == 0)'
}

one_path() { # of alice's side is live: NETWORK
	net_segue stream list --json | jq -c '[.data[].paths[]? | select(.side == "a" and .state == "live") | .local]'
	controller_segue call list --json >"$NET_DIR/calls.json"
	controller_segue call show "$(jq -r '.data[0].id' "$NET_DIR/calls.json")" --json |
		tests/lib/holds --arg at "$(net_address relay "$1" 4)" '[.data.streams[0].paths[] | select(.side == "a") | .local |
			split(":")[0]] == [$at]' >/dev/null
}

# Of the leg that joined last.
new_leg() {
	tshark -r "$NET_DIR/sip-mn.pcap" -Y 'sip.Method == "INVITE" && sip.msg_hdr contains "Handover:"' -T fields \
		-e sip.Call-ID 2>/dev/null | tail -n 1
}

# leg CALL-ID: its messages, and who said BYE.
leg() {
	echo "$(handover_sip mn "sip.Call-ID == \"$1\""), $(tshark -r "$NET_DIR/sip-mn.pcap" \
		-Y "sip.Method == \"BYE\" && sip.Call-ID == \"$1\"" -T fields -e ip.src 2>/dev/null | sort -u)"
}

check_abort() {
	ok_here "9a: BYE on the new dialog" abort
	is "9a: by alice, from umts" "$(leg "$(new_leg)")" "INVITE 200 ACK BYE 200, 10.2.0.2"
	is "9a: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "INVITE 180 200 ACK"
	ok "9a: the old path alone is left" one_path wlan
	ok_here "9a: the call goes on, and ends" handover_end alice bob
	ok "9a: each packet once" handover_once alice bob 1
	ok "9a: nothing is left" handover_clean
}

by_operator() { # finish|abort
	both_live || return
	net_segue --control "$CONTROLLER_SOCKET" handover "$1" "$(controller_segue call list --json | jq -r '.data[0].id')" &&
		handover_more 50 alice bob
}

check_operator() {
	for verb in finish abort; do
		ok_here "operator: $verb" by_operator $verb
		[ $verb = finish ] && left=umts || left=wlan
		ok "operator: $verb: $left alone is left" one_path "$left"
		ok_here "operator: $verb: the call goes on, and ends" handover_end alice bob
		ok "operator: $verb: each packet once" handover_once alice bob 1
	done
	ok "operator: nothing is left" handover_clean
}

# T_dup is a preset of segued, which begins anew with a short one.
short_window() {
	controller_stop && handover_configure 'handover: {window: 2s}' && controller_start
}

neither() {
	both_live && handover_wait 20 alice released && handover_more 50 alice bob &&
		handover_reports 'length == 1 and all(.state == "expired" and .lost == 0 and .ended_us > 1900000)'
}

check_time_out() {
	ok_here "9b: no BYE: the window ends it" neither
	ok "9b: the new path alone is left" one_path umts
	is "9b: segued said BYE on the old dialog" "$(leg "$(handover_call_id alice)")" "INVITE 180 200 ACK BYE 200, 10.1.0.1"
	is "9b: the new one stays" "$(leg "$(new_leg)")" "INVITE 200 ACK, "
	is "9b: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "INVITE 180 200 ACK"
	is "9b: once" "$(grep -c 'no BYE within the window' "$NET_DIR/segued.log")" 1
	ok_here "9b: the call goes on, and ends" handover_end alice bob
	ok "9b: each packet once" handover_once alice bob
	ok "9b: nothing is left" handover_clean
}

# Until the short one a handover stays open for as long as a slow machine takes to take it back.
ok_here "segued runs between two networks and a far end" handover_world 'handover: {window: 60s}'
ok_here "there is another user" controller_subscriber eve
ok_here "its SIP is captured" handover_capture
check_refusals
check_abort
check_operator
ok_here "segued runs with a short window" short_window
check_time_out
done_testing
