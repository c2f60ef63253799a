#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Copies of the signalling in HEP version 3, as a strict receiver (hep-receive) and sngrep decode them: each message on
# the wire once and byte for byte, with the addresses it had there, and the id of its call on both sides. A collector
# that is not there costs copies only.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "copies of the signalling"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/docs/lines.sh
. tests/docs/lines.sh
CONTROLLER_DIGEST=md5
COPIES=$NET_DIR/collector.log
COLLECTOR=192.0.2.60 # of the documentation; bob's machine has it

# value METRIC
value() {
	net_in relay curl -sS --max-time 20 http://127.0.0.1:9810/metrics | awk -v name="$1" '$1 == name { print $2 }'
}

grew() { # METRIC BEFORE
	[ "$(value "$1")" -gt "$2" ]
}

capture() { # PARTY
	net_start "$1" "wire-$1" tcpdump --immediate-mode -U -i e0 -w "$NET_DIR/$1.pcap" udp port 5060
	net_until 10 grep -qs 'listening on' "$NET_DIR/wire-$1.log"
}

receive() {
	net_start bob collector build/tests/watch/hep-receive $COLLECTOR 9060
	net_until 10 net_in bob sh -c 'ss -Hlun sport = :9060 | grep -q .' && capture alice && capture bob
}

# "SOURCE PORT DESTINATION PORT BYTES" of each SIP datagram that a party saw.
wire() {
	for wire_party in alice bob; do
		tshark -r "$NET_DIR/$wire_party.pcap" -T fields -e ip.src -e udp.srcport -e ip.dst -e udp.dstport \
			-e udp.payload 2>/dev/null
	done | sort
}

copied() {
	jq -r '[.src, .src_port, .dst, .dst_port, .payload] | @tsv' "$COPIES" | sort
}

all_are_copied() {
	wire >"$NET_DIR/seen"
	copied >"$NET_DIR/copied"
	wc -l "$NET_DIR/seen" "$NET_DIR/copied"
	[ "$(wc -l <"$NET_DIR/seen")" -ge 18 ] && diff "$NET_DIR/seen" "$NET_DIR/copied"
}

all_say() { # EXPRESSION
	tests/lib/holds -s "length > 17 and all($1)" "$COPIES" >/dev/null && return
	jq -c 'del(.payload)' "$COPIES"
	return 1
}

hex() {
	printf %s "$1" | od -An -v -tx1 | tr -d ' \n'
}

# ids SOURCE TEXT...: ids of the messages from there that have all of these texts.
ids() {
	ids_source=$1
	shift
	ids_filter=true
	for ids_text in "$@"; do
		ids_filter="$ids_filter and (.payload | contains(\"$(hex "$ids_text")\"))"
	done
	jq -r "select(.src == \"$ids_source\" and $ids_filter) | .correlation // \"none\"" "$COPIES" | sort -u
}

byes_are_answered() {
	[ "$(jq -c "select(.payload | contains(\"$(hex ' BYE')\"))" "$COPIES" | wc -l)" -ge 4 ]
}

call_ends() {
	controller_call || return
	CALL=$(controller_segue call list --json | jq -r '.data[0].id')
	controller_segue call end "$CALL" >/dev/null && net_until 20 byes_are_answered
}

times_are_now() {
	tests/lib/holds -s --argjson now "$(date +%s)" 'all(.seconds <= $now and .seconds > $now - 120 and .micros < 1000000)' \
		"$COPIES" >/dev/null
}

# sngrep stands where the collector was, and writes what it understood as if it had seen the wire.
sngrep_reads() {
	net_stop collector
	net_start bob sngrep env TERM=dumb sngrep -N -q -L udp:$COLLECTOR:9060 -O "$NET_DIR/sngrep.pcap"
	net_until 10 net_in bob sh -c 'ss -Hlun sport = :9060 | grep -q .' && controller_register bob || return
	net_until 10 sngrep_has
}

sngrep_has() {
	tshark -r "$NET_DIR/sngrep.pcap" -T fields -e ip.src -e ip.dst -e sip.Method -e sip.Status-Code 2>/dev/null |
		tr '\t\n' ' ;' | grep -q '10.0.2.2 10.0.2.1 REGISTER .*10.0.2.1 10.0.2.2  200'
}

# As it is typed, in a terminal: its list has the message then.
sngrep_shows() { # LINE
	net_start bob sngrep env TERM=xterm setsid script -qfec "stty rows 24 cols 120; exec $1" "$NET_DIR/screen"
	net_until 10 net_in bob sh -c 'ss -Hlun sport = :9060 | grep -q .' && controller_register bob &&
		net_until 10 grep -aq 'REGISTER.*bob@' "$NET_DIR/screen"
	shows_code=$?
	net_stop sngrep
	[ $shows_code = 0 ] || {
		cat -v "$NET_DIR/screen"
		return 1
	}
}

controller_network
net_in bob ip addr add $COLLECTOR/32 dev lo
net_in relay ip route add $COLLECTOR via 10.0.2.2
controller_configure "http: 127.0.0.1:9810
hep: {to: \"udp:$COLLECTOR:9060\", id: 2001}"
ok_here "segued starts" controller_start
ok "subscribers" controller_subscriber alice bob
ok_here "a collector" receive
ok "bob registers" controller_register bob
ok_here "a call comes and goes" call_ends
ok "each message is copied once, byte for byte, with its addresses" all_are_copied
ok "every packet is sound" all_say '.wrong == null'
ok "they are SIP over UDP over IPv4, of our agent" all_say \
	'.agent == 2001 and .protocol == 1 and .ip_protocol == 17 and .family == 2'
ok "and of now" times_are_now
is "the first message of the call has its id" "$(ids 10.0.1.2 'INVITE sip:bob' 'Proxy-Authorization:')" "$CALL"
is "one that was refused has none" "$(ids 10.0.1.1 'SIP/2.0 407')" none
is "the callee's have it, too" "$(ids 10.0.2.1 'INVITE sip:bob')$(ids 10.0.2.2 'CSeq: ' INVITE)" "$CALL$CALL"
is "to the end" "$(ids 10.0.1.2 ' BYE')" "$CALL"
is "a registration has none" "$(ids 10.0.2.2 'REGISTER sip:')" none
is "none was lost" "$(value segue_hep_lost_total)" 0
ok "the others are counted" grew segue_hep_sent_total 17
if command -v sngrep >/dev/null; then
	ok_here "sngrep understands them" sngrep_reads
	net_stop sngrep
	docs_each sngrep_shows hep
else
	skip "sngrep understands them" "no sngrep (make setup-check)"
	net_stop collector
fi
ok "without a collector SIP goes on" controller_register bob
ok "copies are lost and counted" net_until 10 grew segue_hep_lost_total 0
is "and said once" "$(grep -c 'takes no copies' "$NET_DIR/segued.log")" 1
ok_here "segued ends" controller_stop
done_testing
