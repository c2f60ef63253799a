#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# segued as a whole, in namespaces: it starts or says why not, two users register and call each other
# through it, it is asked and told over its control socket, loads its configuration again, is drained,
# killed, and started again, while the media of a call goes on.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
. tests/controller/lib.sh
. tests/cli/expect.sh

net_need "segued as a whole"
net_private tests/ops/segued.sh
CONTROLLER_DIGEST=md5
CONTROLLER_PATIENCE=${CONTROLLER_PATIENCE:-30}

segued() {
	net_in relay "${NET_SEGUED:-build/segued}" "$@"
}

run_segue() {
	controller_segue "$@" <"$NET_DIR/password"
}

pid() {
	cat "$NET_DIR/segued.pid"
}

registrations() {
	controller_segue registration list --json | jq -r '[.data[].aor] | join(" ")'
}

# The one call's id.
call_id() {
	controller_segue call list --json | jq -r '.data[0].id'
}

# media_runs NAME: 200 packets from alice to bob and 200 back, through the ports that the call got; each
# arrives once. Counted by the parties' own sockets.
media_runs() {
	media_log=$NET_DIR/media-$1
	controller_segue stream list --json | jq -r '.data[0].name' >"$media_log.stream"
	controller_segue stream show "$(cat "$media_log.stream")" --json >"$media_log.json"
	media_a=$(jq -r '.data.paths[] | select(.side == "a" and .state == "live").local' "$media_log.json")
	media_b=$(jq -r '.data.paths[] | select(.side == "b" and .state == "live").local' "$media_log.json")
	for media_end in "alice 10.0.1.2 $media_a" "bob 10.0.2.2 $media_b"; do
		# shellcheck disable=SC2086 # three words
		set -- $media_end
		net_peer "$1" "media-$1" --path "$2:4000=$3" --ssrc "${#1}" --rtcp 0 --count 200 --seconds 30
	done
	net_tell media-alice "send 0 on"
	net_tell media-bob "send 0 on"
}

# media_is_whole: both have got each packet of the other once.
media_is_whole() {
	net_finish media-alice media-bob
	for media_end in alice bob; do
		tests/lib/holds '.received | .received_once == 200 and .lost == 0 and .doubled == 0' "$NET_DIR/media-$media_end.json" >/dev/null || {
			cat "$NET_DIR/media-$media_end.json"
			return 1
		}
	done
}

# ---- the tests -----------------------------------------------------------------------------------

checking_errors() {
	sed 's/udp:10.0.2.1:5060/udp:10.0.2.77:5060/; s/^log:.*/colour: red/' "$CONTROLLER_CONFIG" \
		>"$NET_DIR/bad.yaml"
	code=0
	complained=$(segued -c "$NET_DIR/bad.yaml" --check 2>&1) || code=$?
	is "--check of a bad file: exit code" $code 1
	is "two errors" "$(echo "$complained" | wc -l)" 2
	ok "the address, with its place" expect_text "$complained" \
		'bad.yaml:6:7: sip.listen\[2\]: .10.0.2.77. is no address of this machine'
	ok "the unknown key, with its place" expect_text "$complained" \
		"bad.yaml:23:1: unknown key 'colour'"
	code=0
	segued -c "$CONTROLLER_CONFIG" >/dev/null 2>&1 || code=$?
	is "neither --check nor --foreground" $code 2
	code=0
	segued --bogus >/dev/null 2>&1 || code=$?
	is "an unknown option" $code 2
	code=0
	complained=$(segued -c "$NET_DIR/bad.yaml" --foreground 2>&1) || code=$?
	is "a bad file starts nothing" $code 1
	ok "and says why" expect_text "$complained" 'no address of this machine'
}

subscribers() {
	ok "subscriber add" controller_subscriber alice bob
	ok "the same again is refused" fails 1 'is there already: --replace' \
		subscriber add alice@example.net
	ok "another password" says 'subscriber eve@example.net added' subscriber add eve@example.net \
		--replace
	ok "subscriber del" says 'subscriber eve@example.net removed' subscriber del eve@example.net
	ok "a foreign domain is refused" fails 2 'sip.domains' subscriber add eve@example.org
	ok "subscriber list" answers 'map(.aor) | sort == ["alice@example.net", "bob@example.net"]' \
		subscriber list
	ok "subscriber del: none" fails 3 'nobody@example.net' subscriber del nobody@example.net
}

# types TEXT WHEN: a line on the terminal of `asking`, as soon as that was asked.
types() {
	net_until 10 grep -qs "$2" "$NET_DIR/asking.log" || return
	echo "$1" >&9
}

# asking: the password is typed on a terminal.
asking() {
	mkfifo "$NET_DIR/keys"
	script -qefc "nsenter --net=/run/netns/relay build/segue --control $CONTROLLER_SOCKET subscriber \
		add typed@example.net" /dev/null <"$NET_DIR/keys" >"$NET_DIR/asking.log" 2>&1 &
	asking_pid=$!
	exec 9>"$NET_DIR/keys"
	types first-secret 'Password: ' && types "$1" 'The same again: '
	wait $asking_pid
	asking_code=$?
	exec 9>&-
	rm "$NET_DIR/keys"
	return $asking_code
}

prompting() {
	asking first-secret
	is "a password that is typed twice alike" $? 0
	ok "adds the subscriber" answers 'any(.aor == "typed@example.net")' subscriber list
	is "and was not shown" "$(grep -c secret "$NET_DIR/asking.log")" 0
	controller_segue subscriber del typed@example.net >/dev/null
	asking other-secret
	is "two different ones" $? 1
	ok "are refused" grep -q 'the two passwords differ' "$NET_DIR/asking.log"
	ok "and add nobody" answers 'all(.aor != "typed@example.net")' subscriber list
}

watching() {
	net_start relay watched build/segue --control "$CONTROLLER_SOCKET" registration list --json --watch 1
	ok "--watch repeats" net_until 10 sh -c "[ \$(jq -s length $NET_DIR/watched.log) -ge 2 ]"
	net_stop watched
}

registering() {
	ok "alice registers" controller_register alice
	ok "bob registers" controller_register bob
	ok "registration list" answers 'map(.aor) | sort == ["alice@example.net", "bob@example.net"]' \
		registration list
	ok "of one" answers 'length == 1 and .[0].contact == "sip:bob@10.0.2.2:5060;transport=UDP" and
		.[0].from == "udp:10.0.2.2:5060" and .[0].expires_ms > 3500000' \
		registration list bob@example.net
	ok "registration del" says '1 registration of alice@example.net removed' \
		registration del alice@example.net
	ok "there is none any more" fails 3 'no such registration' registration del alice@example.net
	is "bob's is left" "$(registrations)" bob@example.net
	controller_register alice
}

calling() {
	ok_here "alice calls bob" controller_call
	id=$(call_id)
	ok "call show" answers ".id == \"$id\"" call show "$id"
	ok "call show of another" fails 3 'no call has the id' call show nonsense
	ok "its lines in the log begin with its id" controller_log "^[^ ]+ [a-z]+ +$id: "
	media_runs first
	ok_here "media, each packet once" media_is_whole
	ok "call end" says "call $id ended" call end "$id" --reason 'enough'
	ok_here "alice was told" controller_ended alice
	ok_here "bob was told" controller_ended bob
	ok "no call is left" net_until 5 test "$(controller_segue call list --json | jq '.data | length')" = 0
	ok "call end of one that is over" fails 3 'no call has the id' call end "$id"
}

reloading() {
	controller_call
	sed 's/tcp:10.0.2.1:5060/tcp:10.0.2.1:5070/; s/^  ports:.*/  ports: 40000-40999/' \
		"$CONTROLLER_CONFIG" >"$NET_DIR/other.yaml"
	cp "$CONTROLLER_CONFIG" "$NET_DIR/kept.yaml"
	cp "$NET_DIR/other.yaml" "$CONTROLLER_CONFIG"
	kill -HUP "$(pid)"
	ok "SIGHUP loads the file again" net_until 5 controller_log 'was loaded again; 1 calls go on'
	ok "another listener" answers '.listen | index("tcp:10.0.2.1:5070") and
		(index("tcp:10.0.2.1:5060") | not)' status
	ok "it listens there" net_in relay sh -c 'ss -Hltn sport = :5070 | grep -q 10.0.2.1'
	ok "what needs a restart is named" controller_log 'media.ports changed, and only holds after'
	echo 'nonsense: 1' >>"$CONTROLLER_CONFIG"
	kill -HUP "$(pid)"
	ok "errors leave the old configuration" net_until 5 controller_log 'was not loaded'
	ok "and are said" controller_log "unknown key 'nonsense'"
	ok "the call is untouched" controller_is_up
	cp "$NET_DIR/kept.yaml" "$CONTROLLER_CONFIG"
	kill -HUP "$(pid)"
	net_until 5 sh -c "[ \$(grep -c 'was loaded again' $NET_DIR/segued.log) = 2 ]"
	controller_hang_up
	ok_here "the call ends as it should" controller_ended alice
	ok_here "and for bob" controller_ended bob
}

# requests COUNT: so many OPTIONS from alice, each in a transaction of its own.
requests() {
	net_in alice bash -c 'for i in $(seq '"$1"'); do
		printf -v text "%s\r\n" "OPTIONS sip:10.0.1.1 SIP/2.0" \
			"Via: SIP/2.0/UDP 10.0.1.2:9;branch=z9hG4bK-o-$$-$i" "Max-Forwards: 70" \
			"From: <sip:alice@example.net>;tag=$i" "To: <sip:10.0.1.1>" "Call-ID: o-$$-$i" \
			"CSeq: 1 OPTIONS" "Content-Length: 0" ""
		cat <<<"$text"
		done >/dev/udp/10.0.1.1/5060'
}

limited() {
	controller_segue status --json | jq .data.sip.limited
}

limiting() {
	sed 's/^  limit:.*/  limit: {messages: 1, burst: 20}/' "$NET_DIR/kept.yaml" >"$CONTROLLER_CONFIG"
	kill -HUP "$(pid)"
	net_until 5 sh -c "[ \$(grep -c 'was loaded again' $NET_DIR/segued.log) = 3 ]"
	is "nothing was over the limit so far" "$(limited)" 0
	requests 100
	ok "messages over the limit are dropped" test "$(limited)" -ge 60
	ok "the log names the source" controller_log '10.0.1.2 sends more than 1 messages a second'
	ok "once" test "$(grep -c 'sends more than' "$NET_DIR/segued.log")" = 1
	ok "others are served" controller_register bob
	printf 'trunks:\n  - {name: alice, source: 10.0.1.0/24}\n' >>"$CONTROLLER_CONFIG"
	kill -HUP "$(pid)"
	net_until 5 sh -c "[ \$(grep -c 'was loaded again' $NET_DIR/segued.log) = 4 ]"
	limited_before=$(limited)
	requests 100
	is "a trunk has no limit" "$(limited)" "$limited_before"
	cp "$NET_DIR/kept.yaml" "$CONTROLLER_CONFIG"
	kill -HUP "$(pid)"
	net_until 5 sh -c "[ \$(grep -c 'was loaded again' $NET_DIR/segued.log) = 5 ]"
}

restarting() {
	controller_call
	media_runs killed
	controller_kill
	ok_here "killed: media goes on" media_is_whole
	ok_here "it starts again" controller_start
	ok "registrations are there" test "$(registrations | wc -w)" = 2
	ok "the call was adopted" controller_is_up
	controller_hang_up
	ok_here "a BYE works: alice" controller_ended alice
	ok_here "a BYE works: bob" controller_ended bob
	ok "a second one is refused" sh -c '! "$@"' - env SEGUE_OBJECT_DIR=build/bpf nsenter \
		--net=/run/netns/relay build/segued --config "$CONTROLLER_CONFIG" --foreground
}

draining() {
	controller_call
	media_runs drained
	kill -TERM "$(pid)"
	ok_here "SIGTERM: ends in order and at once, since the journal holds the call" wait "$(pid)"
	ok "and says so" controller_log '1 calls go on in the kernel'
	is "its socket is gone" "$(ls "$CONTROLLER_SOCKET" 2>/dev/null)" ""
	ok_here "media goes on" media_is_whole
	ok_here "started again" controller_start
	ok "the call is there" controller_is_up
	controller_segue call end "$(call_id)" >/dev/null
	ok_here "call end: alice" controller_ended alice
	ok_here "call end: bob" controller_ended bob
	net_stop segued
}

# A journal that holds nothing keeps segued until the last call is over.
draining_without_store() {
	mkdir "$NET_DIR/disk"
	mount -t tmpfs -o size=400k tmpfs "$NET_DIR/disk"
	CONTROLLER_STORE=$NET_DIR/disk/segue.db
	controller_configure
	must "start with another store" controller_start
	controller_subscriber alice bob
	controller_register bob
	controller_call
	dd if=/dev/zero of="$NET_DIR/disk/full" bs=1k 2>/dev/null
	# Something to write, for the store to find out.
	controller_subscriber carol dave erin frank grace heidi ivan judy
	net_until 5 sh -c "! build/segue --control $CONTROLLER_SOCKET status --json |
		tests/lib/holds .data.store.healthy >/dev/null"
	is "the store is full" "$(controller_segue status --json | jq .data.store.healthy)" false
	kill -TERM "$(pid)"
	ok "it drains" answers '.state == "draining" and .calls == 1' status
	controller_sipp alice caller -key callee bob -p 5070 -cid_str refused >"$NET_DIR/refused.log" 2>&1
	ok "a new call is refused" grep -qs 'SIP/2.0 503' "$NET_DIR/refused.log"
	ok "it is there still" controller_is_up
	controller_hang_up
	ok_here "the call ends as it should" controller_ended alice
	ok_here "and for bob" controller_ended bob
	# By then the shell may have forgotten it: its exit code is seen above.
	ok "now segued ends" net_until 10 sh -c "! grep -qs '^State:.[RSD]' /proc/$(pid)/status"
	ok "and says so" controller_log 'the last call is over'
}

echo eve-secret >"$NET_DIR/password"
controller_network
controller_configure
is "--check of a good file" "$(segued -c "$CONTROLLER_CONFIG" --check 2>&1)" ok
checking_errors
must "start" controller_start
subscribers
prompting
registering
watching
calling
reloading
limiting
restarting
draining
draining_without_store
done_testing
