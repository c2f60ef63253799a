#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Records of calls through a running segued: in the store, on the command line, and as a line of JSON in a file that
# may be moved away, all three alike; also by logrotate with what docs/controller.md says.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "records of calls"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
CONTROLLER_DIGEST=md5
FILE=$NET_DIR/records/cdr.jsonl

lines() { # COUNT FILE
	[ "$(cat "$2" 2>/dev/null | wc -l)" = "$1" ]
}

call_ends() {
	controller_call || return
	CALL=$(controller_segue call list --json | jq -r '.data[0].id')
	controller_segue call end "$CALL" --reason "a test" >/dev/null
}

is_of_call() {
	is_of_call_in "$FILE"
}

is_of_call_in() {
	jq -c . "$1"
	tests/lib/holds --arg id "$CALL" '.id == $id and .caller == "sip:alice@example.net" and .callee == "sip:bob@example.net" and
		.status == 200 and .handovers == 0 and .started_us <= .answered_us and .answered_us <= .ended_us and
		(.details.streams[0].paths | length) == 2' "$1" >/dev/null
}

shown_alike() {
	controller_segue cdr show "$CALL" --json | jq -S .data >"$NET_DIR/shown"
	jq -S . "$FILE" | diff "$NET_DIR/shown" -
}

listed_alike() {
	controller_segue cdr list --last 5 --json | jq -S '.data[]' | diff "$NET_DIR/shown" -
	controller_segue cdr list | grep -q "^$CALL "
}

in_the_store() {
	sqlite3 "$NET_DIR/segue.db" 'SELECT call_id FROM cdr' | grep -qx "$CALL"
}

# The stanza of the documentation, for this file.
stanza() {
	sed -n '/^\/var\/lib\/segue\/cdr.jsonl {$/,/^}$/p' docs/controller.md | sed "s|^/var/lib/segue/cdr.jsonl|$FILE|"
}

rotate() {
	stanza >"$NET_DIR/logrotate.conf" && grep -q weekly "$NET_DIR/logrotate.conf" &&
		logrotate -f -s "$NET_DIR/logrotate.state" "$NET_DIR/logrotate.conf"
}

# What logrotate moved away, gone on with the record of a call that ends after that, is whole.
rotated() {
	ok "logrotate moves it away, as the documentation has it" rotate
	ok "nothing is left in its place" test ! -e "$FILE"
	ok "what it had is the newest of the old ones" lines 1 "$FILE.1"
	ok_here "a call ends after that" call_ends
	ok "its record is in a new file" net_until 10 lines 1 "$FILE"
	ok "that says what there is to say" is_of_call
	ok "logrotate moves that one, too" rotate
	ok "the one before is compressed" sh -c "zcat '$FILE.2.gz' | wc -l | grep -qx 1"
	ok "and this one not yet" is_of_call_in "$FILE.1"
}

controller_network
controller_configure "cdr: {file: $FILE, keep: 30}"
ok_here "segued starts" controller_start
ok "subscribers" controller_subscriber alice bob
ok "nothing yet" lines 0 "$FILE"
is "for its group at most" "$(stat -c %a "$FILE")" 640
ok "bob registers" controller_register bob
ok_here "a call ends" call_ends
ok "its record is a line" net_until 10 lines 1 "$FILE"
ok "that says what there is to say" is_of_call
ok "segue cdr show says the same" shown_alike
ok "segue cdr list, too" listed_alike
ok "and the store" in_the_store
is "a call that is not there" "$(controller_segue cdr show nothing 2>&1 >/dev/null; echo " $?")" \
	"segue: cdr show: none of the newest 20000 CDRs is of the call 'nothing'
 3"
mv "$FILE" "$FILE.1"
ok_here "the file is moved, and another call ends" call_ends
ok "its record is in a new one" net_until 10 lines 1 "$FILE"
ok "the old one stays as it is" lines 1 "$FILE.1"
ok "that is the second call's" is_of_call
rm "$FILE.1"
if command -v logrotate >/dev/null; then
	rotated
else
	skip "logrotate moves it away, as the documentation has it" "no logrotate"
fi
ok_here "segued ends" controller_stop
done_testing
