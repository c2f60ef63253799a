# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# Two segue-ua and a segued between three networks: alice on wlan (10 ms away) and umts (110 ms), bob
# behind the core. Source it from the repository's root after tap.sh, net.sh and
# tests/controller/lib.sh, inside net_private.

build=${UA_BUILD:-build}
patience=60 # seconds for one step

# ---- the world -----------------------------------------------------------------------------------

# What leaves from an address leaves by its network, wherever it goes.
source_routes() {
	net_in mn ip rule add from 10.1.0.2 lookup 101
	net_in mn ip rule add from 10.2.0.2 lookup 102
	net_in mn ip route add default via 10.1.0.1 dev wlan0 table 101
	net_in mn ip route add default via 10.2.0.1 dev umts0 table 102
	net_in cn ip route add default via 10.3.0.1
}

configure() {
	cat >"$CONTROLLER_CONFIG" <<END
sip:
  domains: [$CONTROLLER_DOMAIN]
  listen: ["udp:10.1.0.1:5060", "udp:10.2.0.1:5060", "udp:10.3.0.1:5060", "udp:[fd00:2::1]:5060"]
  limit: {messages: none, strangers: none}
media:
  interfaces:
    - {name: wlan0, address: 10.1.0.1, attach: native}
    - {name: umts0, address: [10.2.0.1, "fd00:2::1"], attach: native}
    - {name: core0, address: 10.3.0.1, attach: native}
  ports: 30000-30999
  streams: 64
store: "sqlite:$NET_DIR/segue.db"
control: $CONTROLLER_SOCKET
log: {level: debug}
END
	[ $# = 0 ] || printf '%s\n' "$1" >>"$CONTROLLER_CONFIG"
}

# world [YAML]: with those lines behind the configuration.
world() {
	net_topology several
	source_routes
	configure "$@"
	controller_start && controller_subscriber alice bob
}

# ---- parties -------------------------------------------------------------------------------------

# party NAMESPACE NAME ARGUMENT...
party() {
	space=$1 name=$2
	shift 2
	rm -f "$NET_DIR/$name".*
	echo "$name-secret" >"$NET_DIR/$name-password"
	net_start "$space" "$name" "$build/segue-ua" --json-events --control "$NET_DIR/$name.ctl" \
		--packets "$NET_DIR/$name.csv" --statistics "$NET_DIR/$name.json" \
		--aor "sip:$name@$CONTROLLER_DOMAIN" --password-file "$NET_DIR/$name-password" --sip-port 5060 "$@"
}

has() { # PARTY EVENT [COUNT]
	[ "$(grep -c "\"event\":\"$2\"" "$NET_DIR/$1.log" 2>/dev/null)" -ge "${3:-1}" ]
}

field() { # PARTY EVENT EXPRESSION
	jq -r "select(.event == \"$2\") | $3" "$NET_DIR/$1.log" | tail -n 1
}

# Opened for both, a FIFO takes the line also when its reader has gone.
tell() { # PARTY COMMAND
	echo "$2" 1<>"$NET_DIR/$1.ctl"
}

heard_now() {
	grep -c '^rtp-received' "$NET_DIR/$1.csv"
}

heard() { # PARTY COUNT
	[ "$(heard_now "$1")" -ge "$2" ]
}

result() { # PARTY EXPRESSION
	jq -r "$2" "$NET_DIR/$1.json"
}

await() {
	net_until $patience "$@"
}

more() { # packets at both
	await heard alice $(($(heard_now alice) + $1)) && await heard bob $(($(heard_now bob) + $1))
}

far= # options of bob
# call MOVER-ARGUMENT...: alice, who may move, calls bob.
mover="--via wlan=10.1.0.2 --via umts=10.2.0.2 --proxy 10.1.0.1"
call() {
	# shellcheck disable=SC2086 # words or none
	party cn bob --via core=10.3.0.2 --proxy 10.3.0.1 --scheme reinvite $far answer
	await has bob registered || return
	# shellcheck disable=SC2086 # words
	party mn alice $mover --sequence 65500 "$@" \
		call sip:bob@$CONTROLLER_DOMAIN
	await has alice established && more 30
}

hang_up() {
	tell alice bye
	net_finish alice
	tell bob quit
	net_finish bob
}

trouble() {
	tail -n 5 "$NET_DIR/alice.log" "$NET_DIR/bob.log"
	tail -n 20 "$NET_DIR/segued.log"
	return 1
}

moves() { # ARGUMENT...
	{ call "$@" && tell alice "move umts" && await has alice released && more 40 && hang_up; } || trouble
}

no_streams() {
	[ "$(net_segue stream list --json | jq '.data | length')" = 0 ]
}

clean() { # each packet once at both, and nothing left in the relay
	cat "$NET_DIR/alice.json" "$NET_DIR/bob.json"
	[ "$(result alice .media.lost)" = 0 ] && [ "$(result bob .media.lost)" = 0 ] &&
		[ "$(result bob .media.duplicates)" = 0 ]
}
