#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The far end is a phone that people use, baresip or linphonec: it hears nothing of a handover but the voice, each packet
# once.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "real phones as far end"
net_private "$0" "$@"
HANDOVER_DIGEST='[md5]' # all that baresip 1.0 knows
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/clients/lib.sh
. tests/clients/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

# The phones live in cn; those of tests/clients in a namespace of their own name.
clients_address() {
	net_address cn core "$2"
}

clients_proxy() {
	net_address relay core "$2"
}

world() {
	mkdir -p "$CLIENTS_DIR"
	# linphonec asks DNS for the caller's domain before it rings: nobody answers here, at once.
	echo 'nameserver 127.0.0.1' >"$CLIENTS_DIR/resolv.conf"
	mount --bind "$CLIENTS_DIR/resolv.conf" /etc/resolv.conf
	# shellcheck disable=SC2119 # without more YAML
	handover_world && ln -s cn /run/netns/bob && ln -s cn /run/netns/carol && controller_subscriber carol
}

registered() {
	controller_segue registration list | grep -q "^$1@$CONTROLLER_DOMAIN"
}

start() { # PHONE NAME
	case $1 in
	baresip) baresip_start "$2" 4 udp auto ;;
	linphonec) linphonec_start "$2" && linphonec_say "$2" "autoanswer enable" ;;
	esac
	net_until 30 registered "$2"
}

capture() {
	net_start cn phone tcpdump --immediate-mode -i eth0 -U -w "$NET_DIR/phone.pcap" udp
	net_until 10 grep -qs 'listening on' "$NET_DIR/phone.log"
}

moves() { # SCHEME NAME
	rm -f "$NET_DIR/phone.log"
	capture && handover_mobile alice wlan umts --sequence 65500 --scheme "$1" call "sip:$2@$CONTROLLER_DOMAIN" &&
		handover_up alice && handover_tell alice move umts && handover_wait 20 alice released &&
		handover_more 50 alice && controller_segue handover list --json >"$NET_DIR/moves.json" || return
	handover_tell alice mute
	sleep 0.4 # what she said has arrived; the phone speaks on
	handover_tell alice bye
	handover_wait 20 alice ended || return
	handover_tell alice quit
	net_finish alice
	net_stop phone
}

# phone_packets SOURCE: "SSRC SEQUENCE" of the RTP that the phone's network carried from there.
phone_packets() {
	tshark -r "$NET_DIR/phone.pcap" -o rtp.heuristic_rtp:TRUE -Y "rtp.version == 2 && rtp.p_type < 64 && ip.src == $1" \
		-T fields -e rtp.ssrc -e rtp.seq 2>/dev/null
}

# alice_packets sent|received: each once, also where two copies left or came.
alice_packets() {
	awk -F, -v kind="rtp-$1" '$1 == kind && !seen[$4, $5]++ {
		printf "0x%08x\t%d\n", $4, $5 }' "$NET_DIR/alice.csv"
}

# What came at the edges of the call aside, which only the phone knows.
heard_once() {
	alice_packets sent >"$NET_DIR/left"
	phone_packets 10.3.0.1 >"$NET_DIR/arrived"
	clients_crossed "$NET_DIR/left" "$NET_DIR/arrived"
}

says_once() {
	phone_packets 10.3.0.2 >"$NET_DIR/left"
	alice_packets received >"$NET_DIR/arrived"
	clients_crossed "$NET_DIR/left" "$NET_DIR/arrived"
}

phone_sip() {
	tshark -r "$NET_DIR/phone.pcap" -Y 'sip && sip.CSeq.method != "REGISTER" && sip.CSeq.method != "SUBSCRIBE" && sip.CSeq.method != "PUBLISH"' -T fields \
		-e sip.Method -e sip.Status-Code -e sip.CSeq 2>/dev/null | awk -F '\t' '
		{ what = $1 == "" ? $2 : $1 }
		what != 100 && what != 180 && what != 183 && !seen[what, $3]++ { printf "%s%s", n++ ? " " : "", what }'
}

moved_well() {
	tests/lib/holds '[.data[]] | length == 1 and all(.state == "finished" and .lost == 0 and .copies_removed > 5)' "$NET_DIR/moves.json"
}

check() { # PHONE NAME SCHEME
	ok_here "$1: alice calls it and moves ($3)" moves "$3" "$2"
	ok "$1 ($3): it hears each packet once" heard_once
	ok "$1 ($3): alice hears each of its packets once" says_once
	is "$1 ($3): its SIP" "$(phone_sip)" "INVITE 200 ACK BYE 200"
	ok "$1 ($3): the report" moved_well
	ok "$1 ($3): nothing is left" handover_clean
}

for tool in baresip linphonec sox tshark nc; do
	command -v $tool >/dev/null || missing="${missing:-} $tool"
done
if [ -n "${missing:-}" ]; then
	skip "real phones" "missing:$missing (make setup-check installs them)"
	done_testing
	exit
fi
ok_here "segued runs between two networks and a far end" world
ok_here "baresip registers" start baresip bob
check baresip bob handover
net_stop bob
ok_here "linphonec registers" start linphonec carol
check linphonec carol handover
net_stop carol
done_testing
