#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Scenario 14: the moving party is behind a proxy that stays in its dialogs (Kamailio: two Record-Routes, Path), and
# moves behind another one. Its SIP goes by those proxies and no other way; what it hears and says is what matters.
#
#   mn --wlan0-- relay --visit1-- visited1: Kamailio, 10.4.0.2 outside, 10.4.0.3 to segued
#      --umts0--       --visit2-- visited2: Kamailio, 10.5.0.2 outside, 10.5.0.3 to segued
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "handovers behind proxies that record routes"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh
HANDOVER_LISTEN="udp:10.4.0.1:5060 udp:10.5.0.1:5060"
far_end_sip="INVITE 180 200 ACK BYE 200"

visited() { # NUMBER: its network; segued listens there, so before it starts
	net_namespace "visited$1"
	net_veth relay "visit$1" "visited$1" eth0
	net_in relay ip addr add "10.$(($1 + 3)).0.1/24" dev "visit$1"
	net_in "visited$1" ip addr add "10.$(($1 + 3)).0.2/24" dev eth0
	net_in "visited$1" ip addr add "10.$(($1 + 3)).0.3/24" dev eth0
	net_in "visited$1" ip route add default via "10.$(($1 + 3)).0.1"
}

proxy() { # NUMBER
	sed "s/ACCESS/10.$(($1 + 3)).0.2:5060/; s/HOME/10.$(($1 + 3)).0.3:5060/; s/REGISTRAR/10.$(($1 + 3)).0.1/" \
		tests/handover/kamailio.cfg >"$NET_DIR/kamailio$1.cfg"
	mkdir -p "$NET_DIR/kamailio$1"
	net_start "visited$1" "kamailio$1" kamailio -f "$NET_DIR/kamailio$1.cfg" -DD -E -m 64 -M 8 \
		-Y "$NET_DIR/kamailio$1" -P "$NET_DIR/kamailio$1/pid"
	net_start "visited$1" "sip-visited$1" tcpdump --immediate-mode -U -i eth0 -w "$NET_DIR/sip-visited$1.pcap" \
		udp port 5060
	net_until 10 grep -qs 'listening on' "$NET_DIR/sip-visited$1.log" &&
		net_until 20 proxy_answers "$1" && return
	cat "$NET_DIR/kamailio$1.log"
	return 1
}

# A request in a dialog that it does not know.
proxy_answers() {
	printf 'INFO sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 10.%s.0.2:9;branch=z9hG4bK1;rport\r\nFrom: <sip:x>;tag=1\r\nTo: <sip:x>;tag=2\r\nCall-ID: up\r\nCSeq: 1 INFO\r\nContent-Length: 0\r\n\r\n' \
		$(($1 + 3)) | net_in "visited$1" timeout 1 nc -u -w 1 10.$(($1 + 3)).0.2 5060 | grep -q '^SIP/2.0 403'
}

world() {
	net_topology several
	handover_routes
	visited 1
	visited 2
	# shellcheck disable=SC2119 # without more YAML
	handover_configure
	controller_start && controller_subscriber alice bob || return
	net_in relay sh -c '. tests/lib/net.sh; net_sysctl ipv4/ip_forward=1'
	proxy 1 && proxy 2 && handover_capture
}

# messages WHERE FILTER FIELD...: since the mark.
messages() {
	messages_where=$1 messages_filter="sip && frame.time_epoch > $mark && ($2)"
	shift 2
	for messages_field in "$@"; do
		shift
		set -- "$@" -e "$messages_field"
	done
	tshark -r "$NET_DIR/sip-$messages_where.pcap" -Y "$messages_filter" -T fields "$@" 2>/dev/null
}

mark() {
	mark=$(date +%s.%N)
}

# Nothing went past the proxies.
only_by_proxies() {
	messages mn '!(ip.addr == 10.4.0.2) && !(ip.addr == 10.5.0.2)' ip.src ip.dst sip.Method | tee "$NET_DIR/past"
	[ "$(messages mn sip ip.src | wc -l)" -gt 10 ] && ! [ -s "$NET_DIR/past" ]
}

# Both ends know both addresses of the proxy: segued's side names them in Route, as does the moving party.
routed() { # NUMBER METHOD FROM
	routed_to="<sip:10.$(($1 + 3)).0."
	messages "visited$1" "sip.Method == \"$2\" && ip.src == $3" sip.Route | sort -u | tee "$NET_DIR/routes"
	grep -qF "${routed_to}2;" "$NET_DIR/routes" && grep -qF "${routed_to}3;" "$NET_DIR/routes"
}

# through NUMBER FILTER: methods and statuses that the proxy got from its phones, or sent to them, each once.
through() {
	messages "visited$1" "ip.addr == 10.$(($1 + 3)).0.2 && ($2)" sip.Method sip.Status-Code sip.CSeq sip.Call-ID |
		awk -F '\t' '{ what = $1 == "" ? $2 : $1 }
			what != 100 && !seen[what, $3, $4]++ { printf "%s%s", n++ ? " " : "", what }'
}

# new_leg EXPRESSION: Call-ID of the dialog that joined or replaced another one.
new_leg() {
	messages mn "sip.Method == \"INVITE\" && sip.msg_hdr contains \"$1: \"" sip.Call-ID | sort -u
}

# ---- one proxy, two networks ---------------------------------------------------------------------

moves_twice() { # call|called SCHEME
	HANDOVER_PROXY=10.4.0.2:5060 HANDOVER_SECOND_PROXY=
	mark
	"handover_$1" alice bob wlan umts --sequence 65500 --scheme "$2" && handover_moves alice umts bob &&
		handover_moves alice wlan bob &&
		handover_reports 'length == 2 and all(.state == "finished" and .lost == 0)' && handover_end alice bob
}

check_twice() { # call|called SCHEME
	ok_here "one proxy, $1: $2 to umts and back" moves_twice "$1" "$2"
	ok "one proxy, $1, $2: each packet once, at most 6 late" handover_once alice bob 1
	ok "one proxy, $1, $2: its SIP went by the proxy" only_by_proxies
	ok "one proxy, $1, $2: its BYE names both addresses of the proxy" routed 1 BYE "10.1.0.2 || ip.src == 10.2.0.2"
	is "one proxy, $1, $2: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "$far_end_sip"
	ok "one proxy, $1, $2: nothing is left" handover_clean
}

# ---- a re-INVITE from the other network, since the first is dead ----------------------------------

outage() {
	HANDOVER_PROXY=10.4.0.2:5060 HANDOVER_SECOND_PROXY=
	mark
	handover_call alice bob wlan umts --sequence 65500 --scheme reinvite || return
	net_tell wlan cut
	handover_moves alice umts bob &&
		handover_reports 'length == 1 and all(.scheme == "re-invite" and .state == "finished")' &&
		handover_silence alice bob && handover_tell bob bye && handover_wait 20 alice ended &&
		handover_wait 20 bob ended && handover_tell alice quit && handover_tell bob quit && net_finish alice bob
	outage_result=$?
	net_tell wlan heal
	return $outage_result
}

only_the_outage() {
	handover_report alice bob
	jq -c 'map_values({sent, lost, doubled, reordered})' "$NET_DIR/report.json"
	tests/lib/holds 'all(.up, .down; .lost > 0 and .lost < 50 and .doubled == 0 and .reordered == 0)' \
		"$NET_DIR/report.json" >/dev/null
}

check_outage() {
	ok_here "wlan is dead: re-INVITE from umts by the same proxy; then the far end hangs up" outage
	ok "re-INVITE: lost is what the outage cost" only_the_outage
	ok "re-INVITE: its SIP went by the proxy" only_by_proxies
	ok "re-INVITE: ACK names both addresses of the proxy" routed 1 ACK 10.2.0.2
	ok "re-INVITE: and so does segued's BYE" routed 1 BYE 10.4.0.1
	is "re-INVITE: the BYE came to the new address" \
		"$(messages mn 'sip.Method == "BYE"' ip.src ip.dst | sort -u | tr '\t' ' ')" "10.4.0.2 10.2.0.2"
	ok "re-INVITE: nothing is left" handover_clean
}

# ---- 14: behind another proxy --------------------------------------------------------------------

behind_another() { # SCHEME
	HANDOVER_PROXY=10.4.0.2:5060 HANDOVER_SECOND_PROXY=10.5.0.2:5060
	mark
	handover_stay alice bob wlan umts --sequence 65500 --scheme "$1" && handover_moves alice umts bob &&
		handover_reports "length == 1 and all(.scheme == \"$1\" and .state == \"finished\" and .lost == 0)" &&
		net_until 10 registered_behind 2 && handover_silence alice bob && handover_report alice bob
}

registered_behind() { # NUMBER: alone there
	messages "visited$1" 'sip.Method == "REGISTER" && ip.src == 10.'$(($1 + 3)).0.3 sip.Path | sort -u
	[ "$(controller_segue registration list --json | jq -r '[.data[] | select(.aor | startswith("alice")) |
		.path] | join(" ")' | grep -o '10\.[45]' | sort -u)" = "10.$(($1 + 3))" ]
}

# Bob calls back: segued asks visited2, which asks alice.
called_back() {
	mark
	handover_tell alice bye
	handover_wait 20 bob ended || return
	handover_tell bob "call sip:alice@$CONTROLLER_DOMAIN"
	net_until 20 said_twice alice established && handover_tell bob bye && net_until 20 said_twice alice ended ||
		return
	for party in alice bob; do
		handover_tell $party quit
	done
	net_finish alice bob
}

said_twice() {
	[ "$(grep -c "\"event\":\"$2\"" "$NET_DIR/$1.log")" = 2 ]
}

check_behind() { # SCHEME HEADER
	ok_here "14: $1 behind another proxy" behind_another "$1"
	ok "14: $1: each packet once, in order" handover_once alice bob
	is "14: $1: the new dialog went by the new proxy" "$(through 2 "sip.Call-ID == \"$(new_leg "$2")\"")" \
		"INVITE 200 ACK"
	ok "14: $1: its ACK names both addresses of that one" routed 2 ACK 10.2.0.2
	is "14: $1: the old one ended by the old proxy" \
		"$(through 1 'sip.CSeq.method == "BYE"')" "BYE 200"
	is "14: $1: the far end saw no SIP of it" "$(handover_seen_by bob cn)" "INVITE 180 200 ACK"
	ok "14: $1: its SIP went by proxies" only_by_proxies
	ok_here "14: $1: the next call" called_back
	is "14: $1: it came by the new proxy" "$(through 2 'sip.CSeq.method == "INVITE" || sip.Method == "ACK"')" "INVITE 180 200 ACK"
	is "14: $1: and by no other" "$(through 1 'sip.CSeq.method == "INVITE"')" ""
	ok "14: $1: segued's INVITE took the Path" routed 2 INVITE 10.5.0.1
	ok "14: $1: nothing is left" handover_clean
}

# ---- the old network dies while both legs are up: its BYE goes by the new one, and two proxies ----

cut_off() {
	HANDOVER_PROXY=10.4.0.2:5060 HANDOVER_SECOND_PROXY=10.5.0.2:5060
	mark
	handover_call alice bob wlan umts --sequence 65500 --manual-release && handover_tell alice move umts &&
		handover_wait 20 alice good || return
	net_tell wlan cut
	handover_more 60 alice && handover_tell alice release && handover_wait 20 alice released &&
		handover_reports 'length == 1 and all(.state == "finished" and .lost == 0)' && handover_more 30 alice bob &&
		handover_end alice bob
	cut_off_result=$?
	net_tell wlan heal
	return $cut_off_result
}

check_cut_off() {
	ok_here "6: wlan is cut during a handover between proxies" cut_off
	ok "6: each packet once, in order" handover_once alice bob
	is "6: the old dialog's BYE came by both proxies" \
		"$(messages visited1 "sip.Method == \"BYE\" && ip.dst == 10.4.0.2" ip.src | sort -u)" 10.5.0.2
	ok "6: nothing is left" handover_clean
}

if ! command -v kamailio >/dev/null; then
	skip "proxies that record routes" "missing: kamailio (make setup-check installs it)"
	done_testing
	exit
fi
ok_here "segued, and a proxy in each of two networks" world
check_twice call handover
check_twice called handover
check_twice call replaces
check_outage
check_behind replaces Replaces
check_behind handover Handover
check_cut_off
done_testing
