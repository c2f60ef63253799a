# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# A running segued between two parties. Source it from the repository's root after tap.sh and net.sh,
# inside net_private.
#
#   alice  e0 10.0.1.2, fd00:1::2 --veth-- r1 10.0.1.1, fd00:1::1  relay: segued
#   bob    e0 10.0.2.2, fd00:2::2 --veth-- r2 10.0.2.1, fd00:2::1
#
# segued listens at port 5060 of all four addresses, UDP and TCP; media is anchored at both NICs.
# Subscribers alice@example.net and bob@example.net; the password of NAME is NAME-secret. Its files
# are in $NET_DIR: segued.yaml, segued.log, segue.db, control.sock. There is no limit for a source, and
# nobody is banned. CONTROLLER_LIMIT, _BAN, _DIGEST, _ATTACH, _PORTS, _STREAMS, _STORE, _LEVEL change single values.

CONTROLLER_DOMAIN=example.net
CONTROLLER_NO_LIMIT='{messages: none, strangers: none}'
CONTROLLER_NO_BAN='{offences: none}'
CONTROLLER_CONFIG=$NET_DIR/segued.yaml
CONTROLLER_SOCKET=$NET_DIR/control.sock

# ok_here NAME COMMAND...: like ok, but the command runs in this shell: it may start children, wait for
# them, and set variables.
ok_here() {
	ok_here_name=$1
	shift
	"$@" >"$NET_DIR/here.log" 2>&1
	ok "$ok_here_name" sh -c "cat '$NET_DIR/here.log'; exit $?"
}

# controller_nic NUMBER PARTY: NIC rNUMBER and the party at its other end.
controller_nic() {
	net_namespace "$2"
	net_veth relay "r$1" "$2" e0
	net_in "$2" ip link set dev e0 xdp obj "$NET_PASS" sec xdp
	net_in relay ip addr add "10.0.$1.1/24" dev "r$1"
	net_in relay ip addr add "fd00:$1::1/64" dev "r$1" nodad
	net_in "$2" ip addr add "10.0.$1.2/24" dev e0
	net_in "$2" ip addr add "fd00:$1::2/64" dev e0 nodad
	net_in "$2" ip route add default via "10.0.$1.1"
	net_in "$2" ip route add default via "fd00:$1::1"
}

controller_network() {
	net_namespace relay
	controller_nic 1 alice
	controller_nic 2 bob
}

# controller_configure [YAML]: writes the configuration, with those lines behind it (sections that are
# not here: calls, handover, trunks ...).
controller_configure() {
	cat >"$CONTROLLER_CONFIG" <<END
sip:
  domains: [$CONTROLLER_DOMAIN]
  listen:
    - udp:10.0.1.1:5060
    - tcp:10.0.1.1:5060
    - udp:10.0.2.1:5060
    - tcp:10.0.2.1:5060
    - udp:[fd00:1::1]:5060
    - tcp:[fd00:1::1]:5060
    - udp:[fd00:2::1]:5060
    - tcp:[fd00:2::1]:5060
  limit: ${CONTROLLER_LIMIT:-$CONTROLLER_NO_LIMIT}
  ban: ${CONTROLLER_BAN:-$CONTROLLER_NO_BAN}
  digest: ${CONTROLLER_DIGEST:-[sha-256, md5]}
media:
  interfaces:
    - {name: r1, address: [10.0.1.1, "fd00:1::1"], attach: ${CONTROLLER_ATTACH:-native}}
    - {name: r2, address: [10.0.2.1, "fd00:2::1"], attach: ${CONTROLLER_ATTACH:-native}}
  ports: ${CONTROLLER_PORTS:-30000-30999}
  streams: ${CONTROLLER_STREAMS:-1024}
store: "sqlite:${CONTROLLER_STORE:-$NET_DIR/segue.db}"
control: $CONTROLLER_SOCKET
log: {level: ${CONTROLLER_LEVEL:-debug}}
END
	[ $# = 0 ] || printf '%s\n' "$1" >>"$CONTROLLER_CONFIG"
}

# controller_start: segued in the relay's namespace; true when it answers on its control socket.
controller_start() {
	net_start relay segued env SEGUE_OBJECT_DIR=build/bpf "${NET_SEGUED:-build/segued}" \
		--config "$CONTROLLER_CONFIG" --foreground
	net_until 20 controller_answers && return
	cat "$NET_DIR/segued.log"
	return 1
}

controller_answers() {
	controller_segue status >/dev/null 2>&1
}

# controller_stop: asks it to end, and waits until it has.
controller_stop() {
	net_stop segued
}

# controller_kill: as a crash would, without a word.
controller_kill() {
	controller_pid=$(cat "$NET_DIR/segued.pid")
	kill -KILL "$controller_pid" 2>/dev/null
	wait "$controller_pid" 2>/dev/null
	return 0
}

# controller_segue ARGUMENT...: the command line, for this segued and its relay.
controller_segue() {
	net_segue --control "$CONTROLLER_SOCKET" "$@"
}

# controller_subscriber NAME...: with the password NAME-secret.
controller_subscriber() {
	for controller_name in "$@"; do
		echo "$controller_name-secret" |
			controller_segue subscriber add "$controller_name@$CONTROLLER_DOMAIN" >/dev/null ||
			return
	done
}

# ---- sipp, which knows only MD5 (CONTROLLER_DIGEST=md5) -------------------------------------------

# controller_address PARTY
controller_address() {
	case $1 in alice) echo 10.0.1.2 ;; bob) echo 10.0.2.2 ;; esac
}

# controller_sipp PARTY SCENARIO ARGUMENT...: one call of a scenario of tests/controller.
controller_sipp() {
	controller_party=$1 controller_scenario=$2
	shift 2
	controller_own=$(controller_address "$controller_party")
	set -- -sf "tests/controller/$controller_scenario.xml" -m 1 -nostdin -i "$controller_own" \
		-p 5060 -s "$controller_party" -au "$controller_party" -ap "$controller_party-secret" \
		-key domain "$CONTROLLER_DOMAIN" -timeout ${CONTROLLER_PATIENCE:-60}s -timeout_error "$@" "${controller_own%.*}.1:5060"
	net_in "$controller_party" sipp "$@"
}

# controller_register PARTY [SECONDS]: with the contact PARTY@ADDRESS:5060.
controller_register() {
	controller_sipp "$1" register -key expires "${2:-3600}" >"$NET_DIR/register-$1.log" 2>&1 || {
		cat "$NET_DIR/register-$1.log"
		return 1
	}
}

# controller_call (in this shell: ok_here): bob waits and alice calls him, both in the background (alice.log, bob.log); true
# when the call is up.
controller_call() {
	controller_sipp bob callee >"$NET_DIR/bob.log" 2>&1 &
	echo $! >"$NET_DIR/bob.pid"
	net_until 10 net_in bob sh -c 'ss -Hlun sport = :5060 | grep -q .' &&
		controller_dial
}

# A Call-ID of its own each time: the same one with the same tag would be a loop (RFC 3261 8.2.2.2).
controller_dial() {
	CONTROLLER_CALLS=$((${CONTROLLER_CALLS:-0} + 1))
	controller_sipp alice caller -key callee bob -cid_str "alice-$CONTROLLER_CALLS" \
		>"$NET_DIR/alice.log" 2>&1 &
	echo $! >"$NET_DIR/alice.pid"
	net_until 10 controller_is_up
}

controller_is_up() {
	controller_answers && controller_segue call list --json |
		tests/lib/holds '[.data[] | select(.state == "established")] | length == 1' >/dev/null 2>&1
}

# controller_hang_up: alice says BYE. (cat, since the shell's own printf would send a datagram a line.)
controller_hang_up() {
	net_in relay env CALL_ID="alice-$CONTROLLER_CALLS" bash -c 'printf -v text "%s\r\n" "INFO sip:alice SIP/2.0" \
		"Via: SIP/2.0/UDP 10.0.1.1:9;branch=z9hG4bK$$" "From: <sip:x>;tag=1" "To: <sip:y>" \
		"Call-ID: $CALL_ID" "CSeq: 1 INFO" "Content-Length: 0" ""
		cat <<<"$text" >/dev/udp/10.0.1.2/5060'
}

# controller_ended PARTY (ok_here): waits for its end, and is true when all went as the scenario says.
controller_ended() {
	wait "$(cat "$NET_DIR/$1.pid")" || {
		cat "$NET_DIR/$1.log"
		return 1
	}
}

# controller_log PATTERN: has segued said that (grep -E)?
controller_log() {
	grep -qE -- "$1" "$NET_DIR/segued.log"
}

# controller_world [YAML]: network, segued and the two subscribers. False, with the reason, when it
# does not come up.
controller_world() {
	controller_network
	controller_configure "$@"
	controller_start && controller_subscriber alice bob
}
