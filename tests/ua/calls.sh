#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# segue-ua against segue-ua on loopback: each scheme of moving, from both ends, with nothing lost and
# nothing twice; and against a registrar. Ports are chosen by the system, so that other runs do no harm.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

build=${UA_BUILD:-build}
patience=60 # seconds for one step
dir=$(mktemp -d)
pids=
cleanup() {
	for pid in $pids; do
		kill "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 143' TERM INT HUP

# ---- parties -------------------------------------------------------------------------------------

# party NAME ARGUMENT...: in the background; events in NAME.events, exit status in NAME.status.
party() {
	name=$1
	shift
	rm -f "$dir/$name".*
	{
		"$build/segue-ua" --json-events --control "$dir/$name.ctl" --packets "$dir/$name.csv" \
			--statistics "$dir/$name.json" "$@" >"$dir/$name.events" 2>"$dir/$name.err"
		echo $? >"$dir/$name.status"
	} &
	pids="$pids $!"
}

# await COMMAND...: until it is true.
await() {
	tries=$((patience * 20))
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

has() { # PARTY EVENT
	grep -q "\"event\":\"$2\"" "$dir/$1.events" 2>/dev/null
}

field() { # PARTY EVENT EXPRESSION: of the last one
	jq -r "select(.event == \"$2\") | $3" "$dir/$1.events" | tail -n 1
}

address() { # PARTY NUMBER: where it listens for SIP
	field "$1" ready ".networks[$2].sip"
}

heard() { # PARTY COUNT: packets by now
	[ "$(grep -c '^rtp-received' "$dir/$1.csv")" -ge "$2" ]
}

heard_now() {
	grep -c '^rtp-received' "$dir/$1.csv"
}

# Opened for both, a FIFO takes the line also when its reader has gone.
tell() { # PARTY COMMAND
	echo "$2" 1<>"$dir/$1.ctl"
}

result() { # PARTY EXPRESSION
	jq -r "$2" "$dir/$1.json"
}

ended() {
	[ -s "$dir/$1.status" ]
}

# ---- calls ---------------------------------------------------------------------------------------

# answerer ARGUMENT...: bob, at one address.
answerer() {
	party bob "$@" answer
	await has bob ready
}

calling() {
	party alice "$@" call "sip:bob@$(address bob 0)"
}

talking() {
	await has alice established && await has bob established && await heard alice 20 && await heard bob 20
}

more() { # packets at both, from now on
	await heard alice $(($(heard_now alice) + $1)) && await heard bob $(($(heard_now bob) + $1))
}

hang_up() {
	tell alice bye
	await ended alice && tell bob quit && await ended bob
}

both() { # EXPRESSION WANTED
	[ "$(result alice "$1")" = "$2" ] && [ "$(result bob "$1")" = "$2" ]
}

# moves PARTY OTHER EVENT: and the call goes on at both, until it is hung up.
moves() {
	talking && tell "$1" "move umts" && await has "$1" "$3" && more 30 && hang_up
}

mover="--via wlan=127.0.0.2 --via umts=127.0.0.3"

# the_mover SCHEME NAME: as caller.
moves_as_caller() {
	answerer --via net=127.0.0.9 --accept-handover
	# shellcheck disable=SC2086 # words
	calling $mover --scheme "$1" --sequence 65520
	moves alice bob released
}

moves_as_callee() {
	# shellcheck disable=SC2086 # words
	answerer $mover --scheme "$1" --sequence 65520
	calling --via net=127.0.0.9 --accept-handover
	moves bob alice released
}

nothing_lost() {
	both .media.lost 0 && both .failed false
}

used_both() { # PARTY
	[ "$(result "$1" '[.media.networks[] | select(.sent > 10 and .received > 10)] | length')" = 2 ]
}

for scheme in handover replaces reinvite reregister; do
	ok "$scheme: the caller moves" moves_as_caller $scheme
	ok "$scheme: nothing is lost at either end" nothing_lost
	ok "$scheme: both networks carried the voice" used_both alice
	is "$scheme: the move is written down" \
		"$(result alice '.moves | map([.scheme, .from, .to, .status] | join(" ")) | join(",")')" \
		"$scheme wlan umts 200"
	ok "$scheme: the callee moves" moves_as_callee $scheme
	ok "$scheme: nothing is lost when the callee moves" nothing_lost
	ok "$scheme: both networks carried the voice of the callee" used_both bob
done

overlaps() { # copies came by both ways, and each was taken once
	[ "$(result alice .media.duplicates)" -gt 5 ] && [ "$(result bob .media.duplicates)" -gt 5 ]
}

moves_as_caller handover >/dev/null
ok "handover: both ends send twice meanwhile" overlaps
is "handover: the far end is told which leg" "$(field bob joined .by)" Handover

unsupported() {
	answerer --via net=127.0.0.9
	# shellcheck disable=SC2086 # words
	calling $mover --scheme handover
	moves alice bob released
}
ok "nobody supports handover: the call is made all the same, and moves by re-INVITE" unsupported
ok "and nothing is lost" nothing_lost
is "and no leg was added" "$(field bob joined .by)" ""

aborted() {
	answerer --via net=127.0.0.9 --accept-handover
	# shellcheck disable=SC2086 # words
	calling $mover --manual-release
	talking && tell alice "move umts" && await has alice good && tell alice abort &&
		await has alice aborted && more 30 && hang_up
}
ok "a move that is taken back" aborted
ok "loses nothing" nothing_lost
ok "and the old network is in use again" test "$(result alice \
	'.media.networks | .[0].last_us > .[1].last_us')" = true

released_by_hand() {
	answerer --via net=127.0.0.9 --accept-handover
	# shellcheck disable=SC2086 # words
	calling $mover --manual-release
	talking && tell alice "move 127.0.0.3" && await has alice good && more 20 &&
		! has alice released && tell alice release && await has alice released && hang_up
}
ok "a move to an address, released by hand" released_by_hand

there_and_back() {
	answerer --via net=127.0.0.9 --accept-handover
	# shellcheck disable=SC2086 # words
	calling $mover
	talking && tell alice "move umts" && await has alice released && tell alice "move wlan" &&
		await twice_released && more 20 && hang_up
}
twice_released() {
	[ "$(grep -c '"event":"released"' "$dir/alice.events")" = 2 ]
}
ok "there and back" there_and_back
ok "loses nothing either" nothing_lost

# ---- ordinary calls ------------------------------------------------------------------------------

late_offer() {
	answerer --via net=127.0.0.9
	calling --via net=127.0.0.2 --late-offer --scheme reinvite
	talking && hang_up
}
ok "an INVITE without an offer" late_offer

holds() {
	answerer --via net=127.0.0.9
	calling --via net=127.0.0.2 --scheme reinvite
	talking && tell alice hold && await has alice held && await has bob peer-changed &&
		[ "$(field bob peer-changed .direction)" = recvonly ] && silent alice &&
		tell alice resume && await has alice resumed && more 10 && hang_up
}
silent() { # nothing more comes, though the other way goes on
	await heard bob $(($(heard_now bob) + 5)) || return 1
	before=$(heard_now "$1")
	await heard bob $(($(heard_now bob) + 10)) && [ "$(heard_now "$1")" = "$before" ]
}
ok "hold and resume" holds

refused() {
	answerer --via net=127.0.0.9 --refuse 486
	calling --via net=127.0.0.2
	await ended alice && [ "$(cat "$dir/alice.status")" = 1 ] &&
		[ "$(result alice '.calls[0].status')" = 486 ] && tell bob quit && await ended bob
}
ok "a call that is refused fails" refused

cancelled() {
	answerer --via net=127.0.0.9 --answer-ms 600000
	calling --via net=127.0.0.2
	await has alice ringing && tell alice bye && await ended alice && await has bob ended &&
		[ "$(field bob ended .reason)" = cancelled ] && tell bob quit && await ended bob
}
ok "a call that is cancelled" cancelled

a_law() {
	answerer --via net=127.0.0.9
	calling --via net=127.0.0.2 --pcma --scheme reinvite --duration 2
	talking && await ended alice && [ "$(field alice ended .reason)" = "its time is over" ] &&
		tell bob quit && await ended bob
}
ok "A-law, and a call that ends by itself" a_law

# ---- while it rings ------------------------------------------------------------------------------

# ringing_moves PARTY BOB-ARGUMENT...: it moves when bob rings; then he answers.
ringing_moves() {
	who=$1
	shift
	await ringing_at_alice && tell "$who" "move umts" && await has "$who" updated && tell bob answer && talking &&
		await has "$who" released && more 30 && hang_up
}
ringing_at_alice() {
	has alice ringing || has alice progress
}
ringing_caller() { # BOB-ARGUMENT...
	answerer --via net=127.0.0.9 --answer-ms 600000 "$@"
	# shellcheck disable=SC2086 # words
	calling $mover --sequence 65520
	ringing_moves alice
}
ringing_callee() { # BOB-ARGUMENT...
	# shellcheck disable=SC2086 # words
	answerer $mover --answer-ms 600000 "$@"
	calling --via net=127.0.0.9 --sequence 65520
	ringing_moves bob
}
by_update() { # PARTY
	[ "$(result "$1" '.moves | map([.scheme, .to, .status] | join(" ")) | join(",")')" = "update umts 200" ]
}
for media in "" --early-media; do
	# shellcheck disable=SC2086 # one or none
	ok "the caller moves while it rings $media" ringing_caller $media
	ok "by one UPDATE $media" by_update alice
	ok "and nothing is lost $media" nothing_lost
	# shellcheck disable=SC2086 # one or none
	ok "the callee moves while it rings $media" ringing_callee $media
	ok "by one UPDATE as well $media" by_update bob
	ok "and nothing is lost, either $media" nothing_lost
done

# Somebody else than the phone that rang reliably: another dialog, another answer.
forked() {
	fork_port=$((40000 + $$ % 20000))
	timeout $patience sipp -sf tests/ua/forks.xml -i 127.0.0.9 -p $fork_port -m 1 -nostdin >"$dir/sipp.out" 2>&1 &
	sipp=$!
	pids="$pids $sipp"
	party alice --via net=127.0.0.2 --duration 1 call "sip:bob@127.0.0.9:$fork_port"
	await ended alice && [ "$(cat "$dir/alice.status")" = 0 ] || return
	wait $sipp
}
ok "one phone rings reliably, another one answers" forked

# ---- registrations -------------------------------------------------------------------------------

# registrar ARGUMENT...: at some port of 127.0.0.1
registrar() {
	port=$((20000 + $$ % 20000))
	until [ -s "$dir/registrar.out" ]; do
		port=$((port + 1))
		"$build/tests/ua/registrar" $port "$@" >"$dir/registrar.out" 2>/dev/null &
		registrar=$!
		pids="$pids $registrar"
		await registrar_speaks
	done
}
registrar_speaks() {
	[ -s "$dir/registrar.out" ] || ! kill -0 "$registrar" 2>/dev/null
}
line() { # NUMBER: what was registered
	sed -n "$(($1 + 1))p" "$dir/registrar.out"
}
client() { # PASSWORD ARGUMENT...
	echo "$1" >"$dir/password"
	shift
	party carol --aor sip:carol@test --proxy 127.0.0.1:$port --password-file "$dir/password" "$@"
}

registrar secret 120
registers() {
	client secret --via net=127.0.0.4 --expires 60 register
	await has carol registered && tell carol quit && await ended carol &&
		[ "$(cat "$dir/carol.status")" = 0 ]
}
ok "registers, challenged" registers
is "for as long as the registrar wants (423)" "$(field carol registered .expires)" 120
ok "with its instance" expr "$(line 1)" : '.*+sip.instance="<urn:uuid:.*'
ok "and is gone at the end" expr "$(line 2)" : '.*;expires=0;.*'

wrong_password() {
	client wrong --via net=127.0.0.4 register
	await ended carol && [ "$(cat "$dir/carol.status")" = 1 ] &&
		[ "$(field carol register-failed .status)" = 401 ]
}
ok "a wrong password fails" wrong_password

two_interfaces() {
	client secret --via wlan=127.0.0.4 --via umts=127.0.0.5 --scheme backup --backup umts register
	await twice_registered && tell carol quit && await ended carol
}
twice_registered() {
	[ "$(grep -c '"event":"registered"' "$dir/carol.events")" = 2 ]
}
: >"$dir/registrar.out"
ok "the scheme backup registers both interfaces" two_interfaces
ok "the main one first in quality (PH-1)" grep -q '127.0.0.4:.*;ua_id=.*;if_q=1.000' "$dir/registrar.out"
ok "the backup behind it (PH-2)" grep -q '127.0.0.5:.*;ua_id=.*;if_q=0.500' "$dir/registrar.out"
done_testing
