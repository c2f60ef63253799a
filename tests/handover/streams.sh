#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The moving party's SIP goes by TCP or TLS: by a new connection from the new network, also when the old one died with
# its network. And a connection that dies alone is made anew, with the call on it.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "handovers over TCP and TLS"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

world() {
	net_topology several
	handover_routes
	# shellcheck disable=SC2119 # without more YAML
	handover_streams && handover_configure && controller_start && controller_subscriber alice bob || return
	net_start mn sip-tcp tcpdump --immediate-mode -U -i any -w "$NET_DIR/sip-tcp.pcap" \
		'tcp port 5060 or tcp port 5061 or udp port 5060'
	net_until 10 grep -qs 'listening on' "$NET_DIR/sip-tcp.log"
}

# by tcp|tls ARGUMENT...: what alice needs for it.
use() {
	case $1 in
	tcp) port=5060 transport="--transport tcp" ;;
	tls) port=5061 transport="--transport tls --tls-ca $NET_DIR/ca.pem --tls-name $CONTROLLER_DOMAIN" ;;
	esac
	HANDOVER_PROXY=$(handover_host relay wlan 4):$port
	mark=$(date +%s.%N)
}

# How the connections were opened, since the mark: "OUR-ADDRESS" of each.
connected_from() {
	tshark -r "$NET_DIR/sip-tcp.pcap" -Y "tcp.flags.syn == 1 && tcp.flags.ack == 0 && tcp.dstport == $port &&
		frame.time_epoch > $mark" -T fields -e ip.src -e tcp.srcport 2>/dev/null | sort -u |
		cut -f 1 | paste -sd ' ' -
}

no_udp() {
	tshark -r "$NET_DIR/sip-tcp.pcap" -Y "udp && frame.time_epoch > $mark" -T fields -e ip.src 2>/dev/null |
		tee "$NET_DIR/by-udp"
	! [ -s "$NET_DIR/by-udp" ]
}

# ---- there and back ------------------------------------------------------------------------------

there_and_back() { # tcp|tls call|called SCHEME
	use "$1"
	# shellcheck disable=SC2086 # words
	"handover_$2" alice bob wlan umts --sequence 65500 --scheme "$3" $transport && handover_moves alice umts bob &&
		handover_moves alice wlan bob &&
		handover_reports 'length == 2 and all(.state == "finished" and .lost == 0)' && handover_end alice bob
}

check_there_and_back() {
	ok_here "$1, $2: $3 to umts and back" there_and_back "$1" "$2" "$3"
	ok "$1, $2, $3: each packet once, at most 6 late" handover_once alice bob 1
	is "$1, $2, $3: one connection from each network" "$(connected_from)" "10.1.0.2 10.2.0.2"
	ok "$1, $2, $3: nothing went by UDP" no_udp
	ok "$1, $2, $3: nothing is left" handover_clean
}

# ---- the connection dies with its network --------------------------------------------------------

cut_off() { # tcp|tls
	use "$1"
	# shellcheck disable=SC2086 # words
	handover_call alice bob wlan umts --sequence 65500 --manual-release $transport && handover_tell alice move umts &&
		handover_wait 20 alice good || return
	net_tell wlan cut
	handover_more 60 alice && handover_tell alice release && handover_wait 20 alice released &&
		handover_reports 'length == 1 and all(.state == "finished" and .lost == 0)' && handover_more 30 alice bob &&
		registered_from 10.2.0.2
	cut_off_result=$?
	net_tell wlan heal
	return $cut_off_result
}

registered_from() {
	net_until 20 sh -c "build/segue --control '$CONTROLLER_SOCKET' registration list --json |
		tests/lib/holds '[.data[] | select(.aor | startswith(\"alice\")) | .contact] | length == 1 and all(test(\"@$1:\"))'"
}

# Back at once: on a connection of its own, since the first one is not trusted any more.
comes_back() {
	handover_moves alice wlan bob && registered_from 10.1.0.2 && handover_end alice bob
}

check_cut_off() {
	ok_here "$1: wlan is cut in a handover; BYE and REGISTER by umts" cut_off "$1"
	ok_here "$1: it heals, and the call comes back" comes_back
	ok "$1: each packet once, at most 6 late" handover_once alice bob 1
	is "$1: by a second connection from there" "$(connected_from)" "10.1.0.2 10.1.0.2 10.2.0.2"
	ok "$1: nothing is left" handover_clean
}

# ---- re-INVITE, since the network is dead --------------------------------------------------------

dead() { # tcp|tls
	use "$1"
	# shellcheck disable=SC2086 # words
	handover_call alice bob wlan umts --sequence 65500 --scheme reinvite $transport || return
	net_tell wlan cut
	handover_moves alice umts bob &&
		handover_reports 'length == 1 and all(.scheme == "re-invite" and .state == "finished")' &&
		handover_silence alice bob && handover_tell bob bye && handover_wait 20 alice ended &&
		handover_wait 20 bob ended && handover_tell alice quit && handover_tell bob quit && net_finish alice bob
	dead_result=$?
	net_tell wlan heal
	return $dead_result
}

only_the_outage() {
	handover_report alice bob
	jq -c 'map_values({sent, lost, doubled, reordered})' "$NET_DIR/report.json"
	tests/lib/holds 'all(.up, .down; .lost > 0 and .lost < 60 and .doubled == 0 and .reordered == 0)' \
		"$NET_DIR/report.json" >/dev/null
}

check_dead() {
	ok_here "$1: wlan is dead: re-INVITE by umts; the far end's BYE comes there" dead "$1"
	ok "$1: lost is what the outage cost" only_the_outage
	ok "$1: nothing is left, too" handover_clean
}

# ---- the connection dies alone -------------------------------------------------------------------

reset() { # tcp|tls: as a NAT that has forgotten it would
	use "$1"
	# shellcheck disable=SC2086 # words
	handover_stay alice bob wlan umts --sequence 65500 $transport || return
	net_in relay ss -K dst 10.1.0.2 sport = ":$port" >/dev/null 2>&1 || return
	handover_wait 20 alice reconnected && grep -q '"event":"reconnected".*"status":200' "$NET_DIR/alice.log" &&
		net_until 20 registered_again && handover_more 30 alice bob && handover_silence alice bob &&
		handover_tell bob bye && handover_wait 20 alice ended && handover_wait 20 bob ended &&
		handover_tell bob "call sip:alice@$CONTROLLER_DOMAIN" && net_until 20 twice alice established &&
		handover_tell bob bye && net_until 20 twice alice ended && handover_tell alice quit &&
		handover_tell bob quit && net_finish alice bob
}

registered_again() {
	twice alice registered
}

twice() {
	[ "$(grep -c "\"event\":\"$2\"" "$NET_DIR/$1.log")" -ge 2 ]
}

check_reset() {
	ok_here "$1: the connection is reset; BYE and the next call come by a new one" reset "$1"
	is "$1: two connections from the same network" "$(connected_from)" "10.1.0.2 10.1.0.2"
	ok "$1: nothing is left after it" handover_clean
}

for tool in openssl tshark ss; do
	command -v $tool >/dev/null || missing="${missing:-} $tool"
done
if [ -n "${missing:-}" ]; then
	skip "handovers over TCP and TLS" "missing:$missing (make setup-check installs them)"
	done_testing
	exit
fi
ok_here "segued listens for UDP, TCP and TLS" world
if ! controller_answers; then
	done_testing
	exit
fi
check_there_and_back tcp call handover
check_there_and_back tls call handover
check_there_and_back tls called replaces
check_cut_off tls
check_dead tcp
check_reset tcp
check_reset tls
done_testing
