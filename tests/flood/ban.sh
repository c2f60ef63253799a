#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Who is banned, for what, and how long: by command, by what a source did over UDP and over TCP, and who
# never is. mallory is another address (10.0.1.66) in alice's network.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/controller/lib.sh
. tests/flood/lib.sh

net_need "bans"
net_private tests/flood/ban.sh
CONTROLLER_DIGEST=md5

# exits CODE ARGUMENT...: of the command line.
exits() {
	exits_wanted=$1 exits_code=0
	shift
	controller_segue "$@" || exits_code=$?
	[ $exits_code = "$exits_wanted" ]
}

# ---- by command ----------------------------------------------------------------------------------

by_command() {
	ok "mallory is heard" flood_heard 10.0.1.66
	ok "a ban is set" exits 0 ban add 10.0.1.66 --for 600
	is "the list has it" "$(flood_bans)" "10.0.1.66/operator"
	ok "with its end" sh -c ". tests/lib/net.sh; . tests/controller/lib.sh
		controller_segue ban list --json | tests/lib/holds '.data[0].expires_ms | . > 500000 and . <= 600000'"
	ok "and as text" sh -c ". tests/lib/net.sh; . tests/controller/lib.sh
		controller_segue ban list | grep -E '^SOURCE +CAUSE +EXPIRES' &&
		controller_segue ban list | grep -E '^10.0.1.66 +operator'"
	flood_dropped_before=$(flood_drops banned)
	ok "mallory is not heard, over UDP" flood_deaf 10.0.1.66
	ok "nor over TCP" flood_deaf_tcp 10.0.1.66
	ok "nor at another address of ours" flood_deaf 10.0.1.66 10.0.2.1
	ok "and it is counted, with the ban" sh -c ". tests/lib/net.sh; . tests/controller/lib.sh
		controller_segue ban list --json | tests/lib/holds '.data[0].dropped > 2'"
	ok "and as a reason" test "$(flood_drops banned)" -gt "$flood_dropped_before"
	ok "alice, at another address, is heard" flood_heard 10.0.1.2
	ok "a ban that is over is none: replaced by one of a second" exits 0 ban add 10.0.1.66 --for 1
	ok "mallory is heard again after it" net_until 5 flood_heard 10.0.1.66
	is "the list is empty" "$(flood_bans)" ""
	ok "for ever" exits 0 ban add 10.0.1.66 --for-ever
	is "that has no end" "$(controller_segue ban list --json | jq '.data[0].expires_ms')" null
	ok "a ban ends by command" exits 0 ban del 10.0.1.66
	ok "and mallory is heard" flood_heard 10.0.1.66
	ok "an IPv6 source is a /64" exits 0 ban add fd00:1::66
	is "the list writes it so" "$(flood_bans)" "fd00:1::/64/operator"
	ok "and is understood" exits 0 ban del fd00:1::/64
}

refusals() {
	ok "nobody is banned there: exit 3" exits 3 ban del 10.0.1.67
	ok "no address: exit 2" exits 2 ban add example.net
	ok "another prefix: exit 2" exits 2 ban add 10.0.1.0/24
	ok "no time: exit 2" exits 2 ban add 10.0.1.66 --for 0
	ok "two times: exit 2" exits 2 ban add 10.0.1.66 --for 5 --for-ever
	ok "an address that is allowed: exit 1" exits 1 ban add 10.0.1.99
	ok "a trunk's: exit 1" exits 1 ban add 10.0.2.77
	is "and nobody is banned" "$(flood_bans)" ""
}

# ---- by what it did ------------------------------------------------------------------------------

# banned_for KIND CAUSE LEAST MOST [ARGUMENT...]: seconds that are left when it is over.
banned_for() {
	banned_kind=$1 banned_cause=$2 banned_least=$3 banned_most=$4
	shift 4
	flood 10.0.1.66 --send "$banned_kind" --rate 200 "$@" || return
	controller_segue ban list --json >"$NET_DIR/bans.json"
	cat "$NET_DIR/bans.json" "$NET_DIR/flood.json"
	tests/lib/holds --arg cause "$banned_cause" ".data | length == 1 and (.[0] | .source == \"10.0.1.66\" and
		.cause == \$cause and .expires_ms > $banned_least * 1000 and .expires_ms <= $banned_most * 1000)" \
		"$NET_DIR/bans.json" >/dev/null && lift
}

lift() {
	controller_segue ban del 10.0.1.66 >/dev/null
}

by_deeds() {
	ok "19 wrong passwords are not enough" flood 10.0.1.66 --send password --count 19 --rate 200
	is "nobody is banned" "$(flood_bans)" ""
	ok "40 are: for the time of UDP" banned_for password password 10 30 --count 40
	ok "over TCP for longer" banned_for password password 500 600 --count 40 --tcp
	ok "what is no SIP" banned_for garbage garbage 10 30 --count 40
	ok "a scanner's name: one request" banned_for options agent 10 30 --count 1 --agent "Friendly-Scanner 1.2"
	ok "requests without a password, within the limit" flood 10.0.1.66 --send register --count 100 --rate 100
	is "are no offence" "$(flood_bans)" ""
	ok "the log names source and cause" controller_log '10.0.1.66 is banned for 30 s: password over udp'
}

# alice registers: from then on what comes over UDP with her address, which may be forged, bans nobody.
known() {
	ok "alice is registered" controller_register alice
	ok "wrong passwords from her address over UDP" flood 10.0.1.2 --send password --count 60 --rate 200
	is "do not ban it" "$(flood_bans)" ""
	ok "over TCP" flood 10.0.1.2 --send password --count 60 --rate 200 --tcp
	is "they do" "$(flood_bans)" "10.0.1.2/password"
	ok "her ban is lifted" exits 0 ban del 10.0.1.2
}

allowed() {
	ok "wrong passwords from a network that is allowed" flood 10.0.1.99 --send password --count 60 --rate 200
	is "ban nobody" "$(flood_bans)" ""
	ok "mallory is banned" exits 0 ban add 10.0.1.66
	ok "and not heard" flood_deaf 10.0.1.66
	sed -i 's|allow: \[10.0.1.99\]|allow: [10.0.1.64/26]|' "$CONTROLLER_CONFIG"
	kill -HUP "$(cat "$NET_DIR/segued.pid")"
	ok "when his network is allowed, he is heard in spite of it" net_until 10 flood_heard 10.0.1.66
	sed -i 's|allow: \[10.0.1.64/26\]|allow: [10.0.1.99]|' "$CONTROLLER_CONFIG"
	kill -HUP "$(cat "$NET_DIR/segued.pid")"
	ok "and when it is not any more, the ban holds" net_until 10 flood_deaf 10.0.1.66
}

# A ban is the kernel's.
outlives() {
	controller_kill
	ok_here "segued is killed and started again" controller_start
	is "the ban is still there" "$(flood_bans)" "10.0.1.66/operator"
	ok "and holds" flood_deaf 10.0.1.66
	ok "until it is lifted" exits 0 ban del 10.0.1.66
	ok "then mallory is heard" flood_heard 10.0.1.66
}

figures() {
	net_in relay curl -s http://127.0.0.1:9810/metrics >"$NET_DIR/metrics"
	ok "bans by cause" grep -qx 'segue_banned_total{cause="operator"} 1' "$NET_DIR/metrics"
	ok "bans that hold" grep -qx 'segue_bans 1' "$NET_DIR/metrics"
	ok "packets that were dropped" grep -qE '^segue_relay_ended_packets_total\{reason="banned",fate="drop"\} [1-9]' \
		"$NET_DIR/metrics"
}

CONTROLLER_BAN='{udp_time: 30s, agents: [friendly-scanner], allow: [10.0.1.99]}'
must_world() {
	controller_world "http: 127.0.0.1:9810
trunks: [{name: peer, source: 10.0.2.77}]" && net_in alice ip addr add 10.0.1.66/24 dev e0 &&
		net_in alice ip addr add 10.0.1.99/24 dev e0
}
ok_here "segued runs" must_world
by_command
refusals
by_deeds
known
allowed
outlives
ok "mallory is banned" exits 0 ban add 10.0.1.66
figures
ok_here "segued ends" controller_stop
done_testing
