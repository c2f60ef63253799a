#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# segued as systemd sees it: what it says on the notify socket while it starts, loads its configuration again and ends, and
# what the journal gets of a call.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/controller/lib.sh

net_need "segued as a service"
net_private tests/package/service.sh
CONTROLLER_DIGEST=md5
CONTROLLER_PATIENCE=${CONTROLLER_PATIENCE:-30}

# listener NAME PATH: writes to NAME.log what datagrams say.
listener() {
	net_start relay "$1" nc -lkUu "$2"
	net_until 10 test -S "$2"
}

# Standard error is one that systemd would have made: $JOURNAL_STREAM names it.
start() {
	# shellcheck disable=SC2016 # expanded there
	net_start relay segued sh -c 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"' - \
		env SEGUE_OBJECT_DIR=build/bpf NOTIFY_SOCKET="$NET_DIR/notify" WATCHDOG_USEC=400000 \
		"${NET_SEGUED:-build/segued}" --config "$CONTROLLER_CONFIG" --foreground
	net_until 20 controller_answers
}

told() { # PATTERN
	net_until 10 grep -qaE -- "$1" "$NET_DIR/manager.log"
}

journal_has() {
	net_until 10 grep -qaE -- "$1" "$NET_DIR/journal.log" || {
		tail -n 20 "$NET_DIR/journal.log"
		return 1
	}
}

lives_on() {
	[ "$(grep -aoF WATCHDOG=1 "$NET_DIR/manager.log" | wc -l)" -gt 2 ]
}

# Datagrams are in the file one behind the other: READY=1 may follow the last byte of another.
in_order() {
	tr '\n' ' ' <"$NET_DIR/manager.log" | grep -qaE \
		'READY=1 STATUS=running.*RELOADING=1.*READY=1 STATUS=running.*STOPPING=1' || {
		cat "$NET_DIR/manager.log"
		return 1
	}
}

mkdir -p /run/systemd/journal
controller_network
controller_configure
listener manager "$NET_DIR/notify"
listener journal /run/systemd/journal/socket
ok "segued starts" start
ok "it is ready" told 'READY=1'
ok "with its process" told "MAINPID=$(cat "$NET_DIR/segued.pid")"
ok "it says that it lives" told 'WATCHDOG=1'
ok "and again" net_until 10 lives_on
ok "subscribers" controller_subscriber alice bob
ok "alice registers" controller_register alice
ok "bob, too" controller_register bob
ok_here "a call" controller_call
call=$(controller_segue call list --json | jq -r '.data[0].id')
ok "the journal has the call's id as a field" journal_has "^CALL_ID=$call\$"
ok "and the leg that it is about, by its Call-ID" journal_has "^LEG=alice-$CONTROLLER_CALLS\$"
ok "and the stream" journal_has "^STREAM=$call.0\$"
ok "who says it" journal_has '^SYSLOG_IDENTIFIER=segued$'
ok "and how grave it is" journal_has 'PRIORITY=6$'
is "standard error has none of it" "$(wc -c <"$NET_DIR/segued.log")" 0
controller_hang_up
ok_here "alice hangs up" controller_ended alice
kill -HUP "$(cat "$NET_DIR/segued.pid")"
ok "a reload begins" told 'RELOADING=1'
ok "with its time" told 'MONOTONIC_USEC=[0-9]'
net_stop journal
rm -f /run/systemd/journal/socket
kill -HUP "$(cat "$NET_DIR/segued.pid")"
ok "without the journal the log is on standard error" net_until 10 controller_log 'was loaded again'
controller_stop
ok "it says that it ends" told 'STOPPING=1'
ok "one after the other" in_order
done_testing
