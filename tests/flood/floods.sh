#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Floods of every kind against a segued that has work to do: alice and bob talk through all of it, and
# carol registers and calls dave in the middle of it. mallory has a NIC of his own at the
# relay, r3, with addresses 10.0.3.2 to .99; and he writes the addresses of others (172.16.0.0/12).
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/controller/lib.sh
. tests/flood/lib.sh

net_need "floods"
net_private tests/flood/floods.sh

CONTROLLER_LIMIT='{messages: 200, burst: 400, strangers: 1000}'
CONTROLLER_BAN='{offences: 3, udp_time: 120s}'
CONTROLLER_PORTS=30000-30999
CONTROLLER_LEVEL=warning
patience=30

# ---- the world -----------------------------------------------------------------------------------

world() {
	controller_network
	controller_nic 3 mallory
	for host in 10 11 12 13 20 21 22; do
		net_in mallory ip addr add 10.0.3.$host/24 dev e0 || return
	done
	net_in relay ip route add 172.16.0.0/12 via 10.0.3.2 # answers to forged sources leave, too
	controller_configure "http: 127.0.0.1:9810"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=segue \
		-keyout "$NET_DIR/key.pem" -out "$NET_DIR/cert.pem" 2>/dev/null || return
	sed -i -e "s|^  listen:|  tls: {certificate: $NET_DIR/cert.pem, key: $NET_DIR/key.pem}\n&\n    - udp:10.0.3.1:5060\n    - tcp:10.0.3.1:5060\n    - tls:10.0.3.1:5061|" \
		-e 's|^  interfaces:|&\n    - {name: r3, address: 10.0.3.1, attach: native}|' "$CONTROLLER_CONFIG"
	controller_start && controller_subscriber alice bob carol dave
}

# party NAMESPACE NAME PORT ARGUMENT...
party() {
	party_space=$1 party_name=$2 party_port=$3
	shift 3
	echo "$party_name-secret" >"$NET_DIR/$party_name-password"
	party_own=$(controller_address "$party_space")
	net_start "$party_space" "$party_name" build/segue-ua --json-events --control "$NET_DIR/$party_name.ctl" \
		--statistics "$NET_DIR/$party_name.json" --aor "sip:$party_name@$CONTROLLER_DOMAIN" \
		--password-file "$NET_DIR/$party_name-password" --sip-port "$party_port" \
		--via "own=$party_own" --proxy "${party_own%.*}.1" "$@"
}

has() { # PARTY EVENT
	grep -q "\"event\":\"$2\"" "$NET_DIR/$1.log"
}

tell() { # PARTY COMMAND
	echo "$2" 1<>"$NET_DIR/$1.ctl"
}

# talk CALLER CALLEE: CALLEE, who is registered, is called.
talk() {
	net_until $patience has "$1" established || {
		cat "$NET_DIR/$1.log" "$NET_DIR/$2.log"
		return 1
	}
}

hang_up() { # CALLER CALLEE
	tell "$1" bye
	net_finish "$1"
	tell "$2" quit
	net_finish "$2"
}

# whole CALLER CALLEE LEAST: each got what the other sent, each packet once, and there were so many.
whole() {
	for whole_each in "$1 $2" "$2 $1"; do
		# shellcheck disable=SC2086 # two words
		set -- $whole_each "$3"
		jq -c .media "$NET_DIR/$1.json"
		tests/lib/holds ".media | .lost == 0 and .duplicates == 0 and .received >= $3" "$NET_DIR/$1.json" \
			>/dev/null || return
	done
}

# ---- what segued spends ---------------------------------------------------------------------------

rss_kb() {
	awk '/^VmRSS/ { print $2 }' "/proc/$(cat "$NET_DIR/segued.pid")/status"
}

cpu_ms() {
	awk '{ print ($14 + $15) * 10 }' "/proc/$(cat "$NET_DIR/segued.pid")/stat"
}

# ---- floods --------------------------------------------------------------------------------------

# from HOST NAME ARGUMENT...: in the background, from 10.0.3.HOST.
from() {
	from_host=$1 from_name=$2
	shift 2
	net_start mallory "$from_name" $FLOOD --to 10.0.3.1:5060 --from "10.0.3.$from_host" "$@"
}

said() { # NAME EXPRESSION
	jq -r "$2" "$NET_DIR/$1.log"
}

# amplifies KIND PERCENT: bytes that come back for each that was sent by a stranger, with the headers of IP
# and UDP and over all retransmissions, are no more.
amplifies() {
	net_in mallory $FLOOD --to 10.0.3.1:5060 --from 10.0.3.2 --send "$1" --count 50 --rate 100 --linger 3000 \
		>"$NET_DIR/amplify.json"
	jq '.percent = ((.answer_bytes + 28 * .answers) / (.sent_bytes + 28 * .sent) * 100 | floor)' \
		"$NET_DIR/amplify.json" >"$NET_DIR/amplified.json"
	cat "$NET_DIR/amplified.json"
	tests/lib/holds ".answers >= 50 and .percent <= $2" "$NET_DIR/amplified.json" >/dev/null
}

# one_source: three kinds at once, each from an address of its own.
one_source() {
	cpu=$(cpu_ms)
	from 10 flood-register --send register --rate 3000 --count 15000
	from 11 flood-invite --send invite --rate 3000 --count 15000
	from 12 flood-options --send options --rate 3000 --count 15000
	net_finish flood-register flood-invite flood-options
	cpu=$(($(cpu_ms) - cpu))
	one_bans=$(flood_bans)
	for kind in register invite options; do
		ok "$kind: answered within the limit: $(said flood-$kind '"\(.answers) of \(.sent)"')" \
			said_true flood-$kind '.sent == 15000 and .answers > 0 and .answers < 3000'
	done
	ok "the three are banned" sh -c "echo '$one_bans' | grep '10.0.3.10/flood 10.0.3.11/flood 10.0.3.12/flood'"
	ok "segued spent less than half of the time on 45000 messages: $cpu ms" test $cpu -lt 2500
	ok "most of them ended in the kernel: $(flood_drops banned)" test "$(flood_drops banned)" -gt 15000
}

said_true() {
	cat "$NET_DIR/$1.log"
	tests/lib/holds "$2" "$NET_DIR/$1.log" >/dev/null
}

# many_sources: none of them sends too much. carol calls dave meanwhile.
many_sources() {
	cpu=$(cpu_ms)
	from 2 flood-forged --send register --forge 60000 --rate 6000 --count 48000
	party alice carol 5070 call "sip:dave@$CONTROLLER_DOMAIN"
	ok "carol registers and calls dave meanwhile" talk carol dave
	net_finish flood-forged
	cpu=$(($(cpu_ms) - cpu))
	crowded=$(net_in relay curl -s http://127.0.0.1:9810/metrics | awk '$1 == "segue_sip_crowded_total" { print $2 }')
	ok "all were sent" said_true flood-forged '.sent == 48000'
	ok "and most were too many strangers: $crowded" test "$crowded" -gt 24000
	ok "segued spent $cpu ms on 48000 of them" test $cpu -lt 4000
	ok "none of the forged sources is banned" sh -c ". tests/lib/net.sh; . tests/controller/lib.sh
		. tests/flood/lib.sh; flood_bans | tee /dev/stderr | grep -q 10.0.3.10 && ! flood_bans | grep 172"
}

sprayed() {
	source_before=$(flood_drops source)
	net_in mallory $FLOOD --to 10.0.1.1:30000 --last-port 30999 --from 10.0.3.2 --send rtp --rate 15000 \
		--count 60000 >"$NET_DIR/spray.json"
	net_in mallory $FLOOD --to 10.0.1.1:30000 --last-port 30999 --forge 5000 --send rtp --rate 15000 \
		--count 30000 >"$NET_DIR/spray-forged.json"
	ok "RTP to each port, 90 times" tests/lib/holds '.sent >= 30000' "$NET_DIR/spray.json" "$NET_DIR/spray-forged.json"
	ok "what meets a call's port ends there: $(($(flood_drops source) - source_before))" \
		test $(($(flood_drops source) - source_before)) -ge 90
}

# Scanners: what is no SIP, and wrong passwords over TCP.
scanners() {
	net_in mallory $FLOOD --to 10.0.3.1:5060 --from 10.0.3.13 --send garbage --count 500 --rate 500 \
		>"$NET_DIR/garbage.json"
	ok "garbage is answered a few times at most" tests/lib/holds '.answers <= 5' "$NET_DIR/garbage.json"
	ok "and its source banned" sh -c ". tests/lib/net.sh; . tests/controller/lib.sh; . tests/flood/lib.sh
		flood_bans | grep -q 10.0.3.13/garbage"
}

# Begun before all else, looked at when their time is over.
slow_begins() {
	from 20 slow-tcp --hold 600 --seconds 26
	net_start mallory slow-tls $FLOOD --to 10.0.3.1:5061 --from 10.0.3.21 --hold 200 --seconds 26 --hello
}

slow_ends() {
	net_finish slow-tcp slow-tls
	ok "600 connections that stop: 512 are taken at most" said_true slow-tcp '.most > 0 and .most <= 512'
	ok "and ended after 20 s" said_true slow-tcp '.left == 0'
	ok "TLS handshakes that stop: ended, too" said_true slow-tls '.taken == 200 and .left == 0'
	ok "both sources are banned" sh -c ". tests/lib/net.sh; . tests/controller/lib.sh; . tests/flood/lib.sh
		flood_bans | grep -q '10.0.3.20/slow 10.0.3.21/slow'"
}

others_connect() {
	net_in alice $FLOOD --to 10.0.1.1:5060 --from 10.0.1.2 --send options --tcp >"$NET_DIR/tcp.json"
	tests/lib/holds '.answers == 1' "$NET_DIR/tcp.json"
}

ok_here "segued runs" world
party bob bob 5060 answer
party bob dave 5070 answer
ok "bob and dave are registered" net_until $patience sh -c "grep -q registered $NET_DIR/bob.log && grep -q registered $NET_DIR/dave.log"
party alice alice 5060 call "sip:bob@$CONTROLLER_DOMAIN"
ok "alice and bob talk" talk alice bob
rss=$(rss_kb)
slow_begins
# The shortest request that there can be is what an amplifier is asked with.
for kind in register:200 invite:200 options:200 shortest:400; do
	ok "${kind%:*} of a stranger: at most ${kind#*:} % come back" amplifies ${kind%:*} ${kind#*:}
	diag "${kind%:*}: $(jq .percent "$NET_DIR/amplified.json") %"
done
ok "others get a connection while 600 are held" others_connect
one_source
many_sources
scanners
sprayed
slow_ends
hang_up carol dave
ok "carol's and dave's call is whole" whole carol dave 300
hang_up alice bob
ok "alice's and bob's is, from the first packet to the last" whole alice bob 1000
grown=$((($(rss_kb) - rss) / 1024))
ok "segued has grown by $grown MB" test $grown -lt 96
ok_here "segued ends" controller_stop
ok "and said little" test "$(wc -l <"$NET_DIR/segued.log")" -lt 100
done_testing
