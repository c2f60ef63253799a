#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# An upgrade under a running call, and back: kernel programs of another version take the place of those that run, and
# segued is started again, while both parties speak. Then a journal and maps of a version that has other ones, which
# must not start. Each packet arrives once, whatever happens.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/controller/lib.sh
. tests/package/lib.sh

net_need "an upgrade under a running call"
net_private tests/package/upgrade.sh
CONTROLLER_DIGEST=md5
CONTROLLER_PATIENCE=${CONTROLLER_PATIENCE:-120}
SEGUED=${NET_SEGUED:-build/segued}
PACKETS=500 # 10 s

start() { # OBJECTS
	net_start relay segued env SEGUE_OBJECT_DIR="$1" "$SEGUED" --user segue \
		--config "$CONTROLLER_CONFIG" --foreground
	net_until 20 controller_answers
}

# Ids of the programs on the NICs, and of the egress program that is pinned.
programs() {
	net_in relay ip -j link | jq -r '[.[] | select(.xdp) | .xdp.prog.id] | join(" ")'
}

egress() {
	bpftool -j prog show pinned /sys/fs/bpf/tc/globals/sg_egress_v1 | jq .id
}

speak() { # NUMBER: of SSRCs that were not there before
	ssrcs=$1
	stream=$(controller_segue stream list --json | jq -r '.data[0].name')
	controller_segue path list "$stream" --json >"$NET_DIR/paths.json"
	for end in "alice a 10.0.1.2" "bob b 10.0.2.2"; do
		# shellcheck disable=SC2086 # three words
		set -- $end
		at=$(jq -r ".data[] | select(.side == \"$2\" and .state == \"live\").local" "$NET_DIR/paths.json")
		net_peer "$1" "media-$1" --path "$3:4000=$at" --ssrc "$ssrcs${#1}" --rtcp 0 --count $PACKETS --seconds 60
	done
	net_tell media-alice "send 0 on" && net_tell media-bob "send 0 on"
}

packets() {
	controller_segue path list "$stream" --json | jq '[.data[].packets] | min'
}

speaking() {
	[ "$(packets)" -gt $((began + 50)) ]
}

whole() {
	net_finish media-alice media-bob
	for end in alice bob; do
		tests/lib/holds ".received | .received_once == $PACKETS and .lost == 0 and .doubled == 0" \
			"$NET_DIR/media-$end.json" >/dev/null || {
			cat "$NET_DIR/media-$end.json"
			return 1
		}
	done
}

replace() { # OBJECTS
	controller_stop
	start "$1"
}

# replaced NAME OBJECTS NUMBER
replaced() {
	before=$(programs) before_egress=$(egress) began=$(packets)
	ok_here "$1: both speak" speak "$3"
	ok "$1: both are heard" net_until 10 speaking
	ok "$1: a dry run says that it can be" could_start
	ok_here "$1: it is started in the other's place" replace "$2"
	ok "$1: it says so" controller_log '3 kernel programs of another version were replaced'
	ok "$1: other programs are on the NICs" test "$(programs)" != "$before"
	ok "$1: and another egress program" test "$(egress)" != "$before_egress"
	ok_here "$1: each packet arrived once" whole
	ok "$1: the call is there" controller_is_up
}

# The maps as a version finds them that gives paths another size; those that run keep their own.
other_shape() {
	pin=/sys/fs/bpf/tc/globals/sg_path_v1
	kept=${pin%/*}/kept # a name in there has no dots
	mv $pin $kept || return
	bpftool -j map show pinned $kept >"$NET_DIR/path.json"
	bpftool map create $pin type "$(jq -r .type "$NET_DIR/path.json")" key 4 name sg_path_v1 \
		value $(($(jq .bytes_value "$NET_DIR/path.json") - 8)) entries "$(jq .max_entries "$NET_DIR/path.json")"
}

refuses() {
	other_shape || return
	net_in relay timeout 20 env SEGUE_OBJECT_DIR=build/bpf "$SEGUED" --user segue --config "$CONTROLLER_CONFIG" --foreground \
		>"$NET_DIR/refused.log" 2>&1
	refuses_code=$?
	could_not_start
	dry_code=$?
	mv -f $kept $pin
	[ "$refuses_code $dry_code" = "1 0" ]
}

journal() { # SQL
	sqlite3 -cmd '.timeout 5000' "$CONTROLLER_STORE" "$1"
}

could_start() {
	net_in relay env SEGUE_OBJECT_DIR=build/bpf "$SEGUED" --prepare --dry-run --config "$CONTROLLER_CONFIG" \
		>"$NET_DIR/dry.log" 2>&1
}

# The same as a start would say, without one.
could_not_start() {
	could_start && return 1
	grep '^segued: ' "$NET_DIR/refused.log" | diff - "$NET_DIR/dry.log"
}

# docs/upgrade.md, "Back again": calls as another version writes them.
refuses_journal() {
	controller_stop
	journal "UPDATE call SET value = '6:call99' || substr(value, 8)"
	before=$(journal 'SELECT value FROM call')
	net_in relay timeout 20 env SEGUE_OBJECT_DIR=build/bpf "$SEGUED" --user segue --config "$CONTROLLER_CONFIG" --foreground \
		>"$NET_DIR/refused.log" 2>&1
	[ $? = 1 ]
}

another_journal() {
	form=$(journal 'SELECT substr(value, 1, 7) FROM call') # 5:callN
	ok_here "another journal: it does not start" refuses_journal
	ok "another journal: it says what to do" grep -qE '1 calls of the journal were written by another version of Segue \(form call99; this one has call[0-9]+\): start that version again' \
		"$NET_DIR/refused.log"
	ok "another journal: a dry run says the same" could_not_start
	is "another journal: the row is as it was" "$(journal 'SELECT value FROM call')" "$before"
	is "another journal: no record says that the call is over" "$(journal 'SELECT count(*) FROM cdr')" 0
	journal "UPDATE call SET value = '$form' || substr(value, 9)"
}

# docs/upgrade.md, "Another layout of the maps". segued has ended already.
refused() {
	began=$(packets)
	ok_here "another version: both speak" speak 3
	ok "another version: both are heard" net_until 10 speaking
	another_journal
	ok_here "another layout: it does not start, and a dry run says so" refuses
	ok "another layout: it says what to do" grep -qE 'sg_path_v1 has value size [0-9]+, not [0-9]+: it was made by another version; detach all interfaces with that version, or use another pin directory' \
		"$NET_DIR/refused.log"
	ok_here "another version: each packet arrived once" whole
	ok_here "another version: the one of before starts" start build/bpf
	ok "another version: the call is there" controller_is_up
}

chmod 755 /run "$NET_DIR"
package_users
controller_network
CONTROLLER_STORE=$NET_DIR/own/segue.db
CONTROLLER_SOCKET=$NET_DIR/own/control.sock
controller_configure
ok_here "segued starts" start build/bpf
ok "subscribers" controller_subscriber alice bob
ok "alice registers" controller_register alice
ok "bob, too" controller_register bob
ok_here "a call" controller_call
before=$(programs) before_egress=$(egress)
controller_stop
ok_here "the same version again" start build/bpf
is "leaves the programs alone" "$(programs) $(egress)" "$before $before_egress"
stream=$(controller_segue stream list --json | jq -r '.data[0].name')
replaced "the new version" build/tests/package/other 1
replaced "back again" build/bpf 2
refused
controller_hang_up
ok_here "alice hangs up" controller_ended alice
done_testing
