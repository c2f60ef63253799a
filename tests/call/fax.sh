#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A voice call of two gateways becomes a fax by T.38: a re-INVITE with m=image, and then UDPTL through the same ports, which
# looks like nothing that a relay of RTP lets pass. segued is killed meanwhile.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
. tests/controller/lib.sh

net_need "a fax through segued"
net_private tests/call/fax.sh
DATAGRAMS=100

TRUNKS='trunks:
  - {name: caller, source: 10.0.1.2}
  - {name: callee, source: 10.0.2.2, uri: "sip:10.0.2.2:5060", prefix: callee}'

# gateway PARTY SCENARIO ARGUMENT...
gateway() {
	gateway_party=$1 gateway_own=$(controller_address "$1") gateway_scenario=$2
	shift 2 # what is left are arguments of sipp
	net_start "$gateway_party" "$gateway_party" sipp -sf "tests/call/$gateway_scenario.xml" -m 1 -nostdin \
		-i "$gateway_own" -p 5060 -timeout 60s -timeout_error "$@" "${gateway_own%.*}.1:5060"
}

call() {
	gateway bob fax-callee
	net_until 10 net_in bob sh -c 'ss -Hlun sport = :5060 | grep -q .'
	gateway alice fax-caller -cid_str alice-1
	CONTROLLER_CALLS=1
	net_until 20 is_fax
}

stream() {
	controller_segue stream show "$(controller_segue stream list --json | jq -r '.data[0].name')" --json
}

is_fax() {
	stream 2>/dev/null | tests/lib/holds '.data.opaque and ([.data.paths[] | select(.state == "live")] | length == 2)' >/dev/null
}

# our_port SIDE: where the party of that side sends to.
our_port() {
	stream | jq -r ".data.paths[] | select(.side == \"$1\" and .state == \"live\").local"
}

# pages FROM SIDE OF-THE-OTHER-SIDE: one fax machine sends, the other one counts what arrives as it was.
pages() {
	pages_to=bob
	[ "$1" = alice ] || pages_to=alice
	listen $pages_to "$1-fax" "$(controller_address $pages_to):4002" || return
	pages_wanted="$(controller_address $pages_to):4002 packets $DATAGRAMS damaged 0 doubled 0 .* from $(our_port "$3")\$"
	net_start "$1" "$1-pages" $RELAY_TOOLS/rtp-end send "$(controller_address "$1"):4002" "$(our_port "$2")" \
		count $DATAGRAMS gap 20000 udptl
}

pages_arrived() { # FROM
	net_finish "$1-pages"
	heard "$1-fax" >"$NET_DIR/heard"
	cat "$NET_DIR/heard"
	grep -qE "^$pages_wanted" "$NET_DIR/heard"
}

counted() {
	stream | jq -c '[.data.paths[] | select(.state == "live") | [.packets, .sent_packets, .lost]]'
}

controller_network
controller_configure "$TRUNKS"
must "segued starts" controller_start
ok_here "a voice call becomes a fax" call
ok_here "the caller sends pages" pages alice a b
controller_kill
ok_here "segued is killed meanwhile, and starts again" controller_start
ok "the call is adopted, as a fax" is_fax
ok_here "each page arrived once, as it was" pages_arrived alice
ok_here "the callee sends pages" pages bob b a
ok_here "each arrived" pages_arrived bob
is "they were counted" "$(counted)" "[[$DATAGRAMS,$DATAGRAMS,0],[$DATAGRAMS,$DATAGRAMS,0]]"
is "none went to the stack or was dropped" "$(net_segue drop list --json | jq -c '[.data[] | select(.count > 0) | .name]')" '[]'
controller_hang_up
ok_here "the caller hangs up" controller_ended alice
ok_here "the callee hears it" controller_ended bob
done_testing
