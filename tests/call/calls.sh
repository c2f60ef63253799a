#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Calls of authenticated phones through a running segued in namespaces: RTP both ways, each sequence
# number once at the other application; segued killed in mid-call; many calls at once; nothing is left.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "calls through segued"
net_private "$0" "$@"
CONTROLLER_DIGEST='[md5]' # all that sipp knows
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh

packets=300 # 6 s

# ok_here NAME COMMAND...: as ok, but in this shell, whose children it may wait for.
ok_here() {
	ok_name=$1
	shift
	if "$@" >"$NET_DIR/output" 2>&1; then
		ok "$ok_name" true
	else
		ok "$ok_name" sh -c "cat $NET_DIR/output; false"
	fi
}

# ---- steps ---------------------------------------------------------------------------------------

# call_id: of the only call.
call_id() {
	controller_segue call list --json | jq -r '.data[0].id'
}

# local_port SIDE: ours towards that side.
local_port() {
	controller_segue call show "$(call_id)" --json |
		jq -r --arg side "$1" '.data.streams[0].paths[] | select(.side == $side) | .local |
			split(":")[-1]'
}

# start_media RUN: both parties speak at the ports that the call has.
start_media() {
	net_peer alice "alice-$1" --path "10.0.1.2:4000=10.0.1.1:$(local_port a)" --ssrc "10$1" \
		--count $packets --linger 500
	net_peer bob "bob-$1" --path "10.0.2.2:4000=10.0.2.1:$(local_port b)" --ssrc "20$1" \
		--count $packets --linger 500
	net_tell "alice-$1" "send 0 on"
	net_tell "bob-$1" "send 0 on"
}

# heard RUN SENDER RECEIVER: "sent lost doubled foreign corrupt" as the receiver's application saw it.
heard() {
	$NET_TOOLS/rtp-report json x "$NET_DIR/$2-$1.csv" "$NET_DIR/$3-$1.csv" |
		jq -r '.x | "\(.sent) \(.lost) \(.doubled) \(.foreign) \(.corrupt)"'
}

check_media() { # RUN NAME
	net_finish "alice-$1" "bob-$1"
	is "$2: alice to bob, each once" "$(heard "$1" alice bob)" "$packets 0 0 0 0"
	is "$2: bob to alice, each once" "$(heard "$1" bob alice)" "$packets 0 0 0 0"
}

nothing_left() {
	[ "$(controller_segue call list --json | jq '.data | length')" = 0 ] &&
		[ "$(net_segue stream list --json | jq '.data | length')" = 0 ]
}

# The CDR counts what the applications sent.
cdr_says() {
	sqlite3 "$NET_DIR/segue.db" \
		"select json_extract(details, '\$.streams[0].paths[0].packets') || ' ' ||
			json_extract(details, '\$.streams[0].paths[1].packets') || ' ' || reason
		from cdr order by rowid desc limit 1"
}

# trace ARGUMENT...: of the call that has ended.
trace() {
	controller_segue trace "$@" "$ended"
}

# Every row as wide as it may be, and nothing that is not ASCII.
fits() { # WIDTH
	trace --width "$1" --ascii >"$NET_DIR/ladder" || return
	! grep -P '[^ -~]' "$NET_DIR/ladder" &&
		sed '1,/^ *ms /d' "$NET_DIR/ladder" | awk -v most="$1" 'length > most { print; bad = 1 } END { exit bad }'
}

check_ladder() {
	ok "the ladder has the messages in order, drawn" sh -c "LC_ALL=C.UTF-8 build/segue \
		--control $CONTROLLER_SOCKET trace $ended --width 120 | tee $NET_DIR/ladder |
		grep -oE '─ INVITE ─|● first packet|─ ACK ─|─ BYE ─|─ 200 OK .INVITE. ─' | uniq | tr -d '─●\n' |
		grep -F ' INVITE  200 OK (INVITE)  ACK  200 OK (INVITE)  ACK ' || { cat $NET_DIR/ladder; false; }"
	ok "arrows of A's requests lead to Segue, ours to B on" sh -c "export LC_ALL=C.UTF-8
		grep -qE '│─+ INVITE ─+▶│ +│\$' $NET_DIR/ladder &&
		grep -qE '│ +│─+ INVITE ─+▶│\$' $NET_DIR/ladder &&
		grep -qE '│◀─+ 200 OK .INVITE. ─+│ +│\$' $NET_DIR/ladder"
	ok "what is said of media is there" grep -q 'audio PCMU 10.0.1.2:4000' "$NET_DIR/ladder"
	for ladder_width in 44 63 100 200; do
		ok "a page of $ladder_width columns" fits $ladder_width
	done
	ok "one that follows ends with the call" timeout 10 build/segue --control "$CONTROLLER_SOCKET" \
		trace --follow "$ended"
	is "JSON has the same steps" "$(trace --json | jq '.data.steps | length')" \
		"$(controller_segue call show "$ended" --json | jq '.data.steps | length')"
}

# ---- one call -------------------------------------------------------------------------------------

run_one() {
	ok_here "a call is answered" controller_call
	start_media 1
	check_media 1 "a call"
	is "the call's story begins with" "$(controller_segue call show "$(call_id)" --json |
		jq -r '[.data.steps[] | select(.kind == "sip" and .status == null) |
			"\(.side) \(.direction) \(.what)"] | .[0:2] | join(", ")')" "a in INVITE, b out INVITE"
	ended=$(call_id)
	controller_hang_up
	ok_here "the caller's dialog went as it should" controller_ended alice
	ok_here "the callee's dialog went as it should" controller_ended bob
	ok "nothing is left" net_until 10 nothing_left
	ok "the record is written" net_until 10 sh -c "sqlite3 $NET_DIR/segue.db \
		'select 1 from cdr' | grep -q 1"
	is "the story of a call that is over is still told, to its end" "$(
		controller_segue call show "$ended" --json |
			jq -r '[.data.state, (.data.steps[] | select(.what == "BYE" and .status) |
				"\(.side) \(.direction) \(.status)")] | join(", ")')" \
		"ended, a out 200, b in 200"
	is "the kernel's report of both first packets is in it" "$(
		controller_segue call show "$ended" --json |
			jq -r '[.data.steps[] | select(.what == "first packet") | "\(.side) \(.more)"] |
				sort | join(", ")')" "a 10.0.1.2:4000, b 10.0.2.2:4000"
	ok "it reads as a table" sh -c "build/segue --control $CONTROLLER_SOCKET call show $ended |
		grep -E '^ +[0-9]+\.[0-9]+ +a +1 +in INVITE +10\.0\.1\.2:[0-9]+ +10\.0\.1\.1:5060 +audio'"
	check_ladder
	is "it is listed" "$(controller_segue call list --ended --json | jq -r '.data[0].id')" "$ended"
	is "the record counts what was sent" "$(cdr_says)" "$packets $packets BYE from A"
}

# ---- killed in mid-call ---------------------------------------------------------------------------

run_killed() {
	ok_here "a second call is answered" controller_call
	start_media 2
	sleep 1
	controller_kill
	sleep 1
	ok_here "segued starts again" controller_start
	is "the call was adopted" "$(controller_segue call list --json | jq '.data | length')" 1
	check_media 2 "killed in mid-call"
	controller_hang_up
	ok_here "its BYE works for the caller" controller_ended alice
	ok_here "its BYE works for the callee" controller_ended bob
	ok "nothing is left of it" net_until 10 nothing_left
}

# ---- many at once ---------------------------------------------------------------------------------

# Bob answers whatever comes; Alice makes COUNT calls of a second each, RATE a second.
run_many() {
	net_start bob many-bob sipp -sf tests/controller/callee.xml -nostdin -i 10.0.2.2 -p 5060 \
		10.0.2.1:5060
	net_until 10 net_in bob sh -c 'ss -Hlun sport = :5060 | grep -q .'
	net_start alice many-alice sipp -sf tests/call/short.xml -m 200 -r 40 -nostdin -i 10.0.1.2 -p 5060 \
		-s alice -au alice -ap alice-secret -key domain $CONTROLLER_DOMAIN -key callee bob \
		-d 1000 -timeout 60s -timeout_error 10.0.1.1:5060
	ok_here "200 calls, 40 a second, all as they should be" wait "$(cat "$NET_DIR/many-alice.pid")"
	ok "nothing is left of them" net_until 10 nothing_left
	is "as many records" "$(sqlite3 "$NET_DIR/segue.db" \
		"select count(*) from cdr where reason = 'BYE from A'")" 202
	kill -KILL "$(cat "$NET_DIR/many-bob.pid")"
}

# ---- all of it ------------------------------------------------------------------------------------

ok_here "segued starts" controller_world
ok "alice registers" controller_register alice
ok "bob registers" controller_register bob
run_one
run_killed
run_many
ok_here "segued ends in order" controller_stop
done_testing
