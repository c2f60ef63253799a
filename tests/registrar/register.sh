#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A phone (sipp) registers with a running segued: adds, refreshes, fetches, removes; a wrong password
# and a stale nonce are challenged; and what was registered outlives a crash of segued.
set -u # not -e: what fails is counted
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/controller/lib.sh
CONTROLLER_DIGEST=md5

if ! command -v sipp >/dev/null; then
	skip "registering with sipp" "sipp is not installed"
	done_testing
	exit
fi
net_need "registering with sipp"
net_private "$0" "$@"

# contacts: what is registered for alice, as "contact" lines.
contacts() {
	controller_segue registration list --json |
		jq -r '.data[] | select(.aor == "alice@example.net") | .contact'
}

registered='sip:alice@10.0.1.2:5060;transport=UDP'

registers() {
	controller_register alice "$1" && contacts && [ "$(contacts)" = "$registered" ]
}

expires_within() { # LEAST MOST, in seconds
	controller_segue registration list --json |
		tests/lib/holds ".data[0].expires_ms / 1000 | . > $1 and . <= $2"
}

refreshes() {
	controller_register alice 1800 && [ "$(contacts)" = "$registered" ] && expires_within 1700 1800
}

removes() {
	controller_register alice 0 && [ -z "$(contacts)" ]
}

asks() { # SCENARIO ARGUMENT...
	scenario=$1
	shift
	controller_sipp alice "../registrar/$scenario" "$@" 2>&1
}

# The last -ap counts.
wrong_password() {
	asks wrong -ap nonsense && [ -z "$(contacts)" ]
}

crashes_and_comes_back() {
	controller_kill
	controller_start
}

# The binding is written a moment after it is answered; a crash may come between.
is_stored() {
	sqlite3 "$NET_DIR/segue.db" 'SELECT value FROM binding' | grep -q 10.0.1.2
}

forgets_its_secret() {
	controller_stop
	sqlite3 "$NET_DIR/segue.db" 'DELETE FROM secret' && controller_start
}

# shellcheck disable=SC2016 # the inner shell expands it
says_info() {
	net_in relay env CALL_ID="$1" bash -c 'printf -v text "%s\r\n" "INFO sip:alice SIP/2.0" \
		"Via: SIP/2.0/UDP 10.0.1.1:9;branch=z9hG4bK$$" "From: <sip:x>;tag=1" "To: <sip:y>" \
		"Call-ID: $CALL_ID" "CSeq: 1 INFO" "Content-Length: 0" ""
		cat <<<"$text" >/dev/udp/10.0.1.2/5060'
}

has_registered() {
	[ "$(contacts 2>/dev/null)" = "$registered" ]
}

# The secret changes between two registrations of one phone: its nonce is ours no longer.
stale_nonce() {
	asks stale -cid_str stale-1 >"$NET_DIR/stale.log" 2>&1 &
	phone=$!
	net_until 20 has_registered && forgets_its_secret && says_info stale-1 && wait "$phone" && return
	cat "$NET_DIR/stale.log"
	return 1
}

# shellcheck disable=SC2119
if ! controller_world; then
	ok "segued starts" false
	done_testing
	exit
fi
ok "a phone registers" registers 600
ok "what is registered can be fetched" asks fetch
ok "a refresh makes no second binding" refreshes
ok "the binding is stored" net_until 10 is_stored
ok_here "segued is killed and comes back" crashes_and_comes_back
ok "the binding outlived it" has_registered
ok "the phone fetches it there" asks fetch
ok "a phone unregisters" removes
ok "a wrong password is challenged again and changes nothing" wrong_password
ok_here "a nonce of an older secret is stale, and one more round trip does" stale_nonce
done_testing
