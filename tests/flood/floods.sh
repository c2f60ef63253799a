#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Floods of every kind against a segued that has work to do: alice and bob talk through all of it, and
# others register and call each other in the middle of it. mallory has a NIC of his own at the
# relay, r3, with addresses 10.0.3.2 to .99; and he writes the addresses of others (172.16.0.0/12, fd00:66::/64).
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

# ---- the world -----------------------------------------------------------------------------------

world() {
	controller_network
	controller_nic 3 mallory
	for host in 10 11 12 13 20 21 22; do
		net_in mallory ip addr add 10.0.3.$host/24 dev e0 || return
	done
	net_in relay ip route add 172.16.0.0/12 via 10.0.3.2 # answers to forged sources leave, too
	net_in relay ip route add fd00:66::/64 via fd00:3::2
	controller_configure "http: 127.0.0.1:9810"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=segue \
		-keyout "$NET_DIR/key.pem" -out "$NET_DIR/cert.pem" 2>/dev/null || return
	sed -i -e "s|^  listen:|  tls: {certificate: $NET_DIR/cert.pem, key: $NET_DIR/key.pem}\n&\n    - udp:10.0.3.1:5060\n    - udp:[fd00:3::1]:5060\n    - tcp:10.0.3.1:5060\n    - tls:10.0.3.1:5061|" \
		-e 's|^  interfaces:|&\n    - {name: r3, address: 10.0.3.1, attach: native}|' "$CONTROLLER_CONFIG"
	controller_start && controller_subscriber alice bob carol dave erin frank grace heidi
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

# crowded: messages that were too many of strangers.
crowded() {
	net_in relay curl -s http://127.0.0.1:9810/metrics | awk '$1 == "segue_sip_crowded_total" { print $2 }'
}

# many_sources KIND CALLER CALLEE PORT: 24000 of them, and none sends too much. CALLER calls CALLEE meanwhile.
many_sources() {
	many_before=$(crowded) cpu=$(cpu_ms)
	from 2 "forged-$1" --send "$1" --forge 60000 --rate 6000 --count 24000
	party alice "$2" "$4" call "sip:$3@$CONTROLLER_DOMAIN"
	ok "$1 from many: $2 registers and calls $3 meanwhile" talk "$2" "$3"
	net_finish "forged-$1"
	cpu=$(($(cpu_ms) - cpu))
	many_crowded=$(($(crowded) - many_before))
	ok "$1: all were sent" said_true "forged-$1" '.sent == 24000'
	ok "$1: and most were too many strangers: $many_crowded" test "$many_crowded" -gt 12000
	ok "$1: segued spent $cpu ms on 24000 of them" test $cpu -lt 3000
	ok "$1: none of the forged sources is banned" sh -c ". tests/lib/net.sh; . tests/controller/lib.sh
		. tests/flood/lib.sh; flood_bans | tee /dev/stderr | grep -q 10.0.3.10 && ! flood_bans | grep 172"
}

# The 5000 addresses of a /64 are one source.
one_network() {
	cpu=$(cpu_ms)
	from_name=flood-v6
	net_start mallory $from_name $FLOOD --to '[fd00:3::1]:5060' --from fd00:66::1 --send register --forge 5000 \
		--rate 3000 --count 15000
	net_finish $from_name
	cpu=$(($(cpu_ms) - cpu))
	ok "IPv6: all were sent" said_true $from_name '.sent == 15000'
	ok "the 5000 addresses are banned together" sh -c ". tests/lib/net.sh; . tests/controller/lib.sh; . tests/flood/lib.sh
		flood_bans | tee /dev/stderr | grep -qE '(^| )fd00:66::/64/flood( |$)'"
	ok "IPv6: segued spent $cpu ms on 15000 of them" test $cpu -lt 2000
	net_in mallory $FLOOD --to '[fd00:3::1]:5060' --from fd00:3::2 --send options >"$NET_DIR/v6-heard.json"
	ok "the next /64 is heard" tests/lib/holds '.answers == 1' "$NET_DIR/v6-heard.json"
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
party bob frank 5080 answer
party bob heidi 5090 answer
for each in bob dave frank heidi; do
	ok "$each is registered" net_until $FLOOD_PATIENCE has $each registered
done
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
many_sources register carol dave 5070
many_sources invite erin frank 5080
many_sources options grace heidi 5090
one_network
scanners
sprayed
slow_ends
for each in carol:dave:500 erin:frank:300 grace:heidi:150; do
	callee=${each#*:}
	hang_up ${each%%:*} ${callee%:*}
	ok "the call of ${each%%:*} and ${callee%:*} is whole" whole ${each%%:*} ${callee%:*} ${callee#*:}
done
hang_up alice bob
ok "alice's and bob's is, from the first packet to the last" whole alice bob 1000
grown=$((($(rss_kb) - rss) / 1024))
ok "segued has grown by $grown MB" test $grown -lt 96
ok_here "segued ends" controller_stop
ok "and said little" test "$(wc -l <"$NET_DIR/segued.log")" -lt 100
done_testing
