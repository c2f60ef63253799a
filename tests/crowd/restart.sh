#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A thousand calls speak at once while segued is killed, restarted as its unit does it, and replaced
# together with the kernel programs. Each packet arrives once, by a capture at the party's interface, by
# what the party heard and by what the kernel counted; each call is adopted, and ends by a BYE of either
# side.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
. tests/controller/lib.sh
. tests/package/lib.sh
. tests/crowd/lib.sh

net_need "a thousand calls when segued ends"
net_private tests/crowd/restart.sh
SEGUED=${NET_SEGUED:-build/segued}
CONTROLLER_PORTS=30000-39999
CONTROLLER_STREAMS=2048
CONTROLLER_LEVEL=info

# start_as_the_unit_does OBJECTS: what takes root, with the kernel programs of that directory; then segued as its user.
start_as_the_unit_does() {
	net_in relay env SEGUE_OBJECT_DIR="$1" "$SEGUED" --prepare --user segue --config "$CONTROLLER_CONFIG" || return
	net_start relay segued env SEGUE_OBJECT_DIR="$1" setpriv --reuid "$PACKAGE_UID" --regid "$PACKAGE_UID" \
		--clear-groups --inh-caps=-all,+bpf,+net_admin --ambient-caps=-all,+bpf,+net_admin \
		--bounding-set=-all,+bpf,+net_admin --no-new-privs "$SEGUED" --config "$CONTROLLER_CONFIG" --foreground
	net_until 30 controller_answers && return
	cat "$NET_DIR/segued.log"
	return 1
}

programs() {
	net_in relay ip -j link | jq -r '[.[] | select(.xdp) | .xdp.prog.id] | join(" ")'
}

calls() {
	controller_segue status --json | jq .data.calls
}

calls_are() {
	[ "$(calls)" = "$1" ]
}

adopted() {
	is "$1: calls adopted, and no stream is nobody's" "$CALLS" "$(sed -n \
		's/.* \([0-9]*\) calls adopted, 0 could not be, 0 streams.*/\1/p' "$NET_DIR/segued.log")"
	ok_here "$1: media goes on" media_goes_on
}

# What the kernel programs counted of a side: packets taken, and packets sent to it.
counted() {
	net_segue stream list --json | jq -r "[.data[].$1] | \"\(map(.packets) | add) \(map(.sent_packets) | add)\""
}

chmod 755 /run "$NET_DIR"
package_users
controller_network
mkdir "$NET_DIR/own" && chown "$PACKAGE_UID:$PACKAGE_UID" "$NET_DIR/own"
CONTROLLER_STORE=$NET_DIR/own/segue.db
CONTROLLER_SOCKET=$NET_DIR/own/control.sock
controller_configure "$CROWD_TRUNKS"
ok_here "segued starts" start_as_the_unit_does build/bpf
ok_here "what reaches alice is captured" capture alice
ok_here "and what reaches bob" capture bob
ok_here "callees wait" crowd bob answer 10.0.2.2 10.0.2.1
ok_here "callers call" crowd alice call 10.0.1.2 10.0.1.1
ok_here "$CALLS calls are up, and everybody speaks" everybody_speaks

controller_kill
ok_here "killed: media goes on without it" media_goes_on
ok_here "it starts again" start_as_the_unit_does build/bpf
adopted killed

ok_here "systemctl restart: it ends" controller_stop
ok "and leaves the calls" controller_log "$CALLS calls go on in the kernel"
ok_here "and is started" start_as_the_unit_does build/bpf
adopted restarted

before=$(programs)
controller_stop
ok_here "upgraded: kernel programs of another version" start_as_the_unit_does build/tests/package/other
ok "took the place of those that ran" test "$(programs)" != "$before"
adopted upgraded

ok_here "everybody falls silent" everything_arrived
ok_here "what was sent and received is written down" reported
is "alice to bob: calls, packets lost, doubled, strange, calls of few packets" "$(arrived alice bob)" "$CALLS 0 0 0 0"
is "bob to alice" "$(arrived bob alice)" "$CALLS 0 0 0 0"
sent_alice=$(said alice 4) sent_bob=$(said bob 4)
ok_here "the capture at bob is whole" capture_ends alice bob
ok_here "and at alice" capture_ends bob alice
is "captured at bob: calls, packets sent, missing, doubled, strange" "$(judged alice bob)" \
	"$CALLS $sent_alice 0 0 0"
is "captured at alice" "$(judged bob alice)" "$CALLS $sent_bob 0 0 0"
is "had one packet been missing, the capture would say so" "$(doctored alice bob 1000 1001)" \
	"$CALLS $sent_alice 1 0 0"
is "or one doubled" "$(doctored alice bob 1001 1000)" "$CALLS $sent_alice 0 1 0"
is "or were it another side's" "$(judged bob bob | cut -d ' ' -f 1-3,5)" \
	"$CALLS $sent_bob $sent_bob $sent_alice"
is "the kernel took what alice sent, and sent her what bob did" "$(counted a)" "$sent_alice $sent_bob"
is "and for bob" "$(counted b)" "$sent_bob $sent_alice"
is "no packet was dropped, for any reason" '[]' \
	"$(net_segue drop list --json | jq -c '[.data[] | select(.count > 0) | [.name, .count]]')"
is "nor by the parties' sockets" "$(socket_drops alice) $(socket_drops bob)" "0 0"
diag "$CALLS calls, $((sent_alice + sent_bob)) packets"

net_tell bob "bye $((CALLS / 2))"
ok "bob ends half of the calls" net_until 30 calls_are $((CALLS - CALLS / 2))
net_tell alice "bye $CALLS"
ok "alice ends the others" net_until 30 calls_are 0
ok "both have heard the end of all: alice" net_until 10 reaches alice 8 "$CALLS"
ok "bob" net_until 10 reaches bob 8 "$CALLS"
is "no stream is left" "$(net_segue stream list --json | jq '.data | length')" 0
controller_stop
is "each call has its record, with all of its packets" "$(sqlite3 "$CONTROLLER_STORE" \
	"select count(distinct call_id), sum(json_extract(details, '\$.streams[0].paths[0].packets') +
		json_extract(details, '\$.streams[0].paths[1].packets')) from cdr")" "$CALLS|$((sent_alice + sent_bob))"
done_testing
