#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Memory runs out in segued as a whole, at every allocation, under a call of two parties: segued-memory, with and without
# sanitizers.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
net_need "segued without memory"
net_private "$0" "$@"
. tests/controller/lib.sh

party() { # NAME COMMAND...: segue-ua, until it is stopped
	party_name=$1 party_address=$(controller_address "$1")
	shift
	net_start "$party_name" "$party_name" build/segue-ua --via "lan=$party_address" --aor "sip:$party_name@$CONTROLLER_DOMAIN" \
		--proxy "${party_address%.*}.1" --password-file "$NET_DIR/$party_name.secret" "$@"
}

is_registered() { # NAME
	controller_segue registration list --json | tests/lib/holds --arg aor "$1@$CONTROLLER_DOMAIN" \
		'any(.data[]; .aor == $aor)' >/dev/null 2>&1
}

# The program sees the call by itself, and ends when it has asked for everything.
serves() { # PROGRAM
	rm -f "$NET_DIR"/segue.db*
	net_start relay segued env SEGUE_OBJECT_DIR=build/bpf SEGUE_SHORT_TIMES=1 "$1" "$CONTROLLER_CONFIG" serve
	net_until 20 controller_answers && controller_subscriber alice bob || return
	party bob answer
	net_until 20 is_registered bob || return
	party alice call "sip:bob@$CONTROLLER_DOMAIN"
	wait "$(cat "$NET_DIR/segued.pid")"
	serves_code=$?
	[ $serves_code = 0 ] || grep -v reentrant "$NET_DIR/segued.log" | tail -n 100
	return $serves_code
}

starts() { # PROGRAM
	net_start relay segued env SEGUE_OBJECT_DIR=build/bpf SEGUE_SHORT_TIMES=1 "$1" "$CONTROLLER_CONFIG" start
	wait "$(cat "$NET_DIR/segued.pid")"
	starts_code=$?
	[ $starts_code = 0 ] || grep -v reentrant "$NET_DIR/segued.log" | tail -n 100
	return $starts_code
}

controller_network
CONTROLLER_LEVEL=error
controller_configure 'http: 10.0.1.1:8080
hep: {to: "udp:10.0.2.2:9060"}'
for name in alice bob; do
	echo "$name-secret" >"$NET_DIR/$name.secret"
done
for program in ${SEGUED_MEMORY:-build/tests/ops/segued-memory build/san/tests/ops/segued-memory}; do
	ok_here "$program: service goes on" serves "$program"
	ok_here "$program: a start that fails loses no call" starts "$program"
	net_stop alice bob
	net_in relay build/segue interface detach --all --force >/dev/null
done
done_testing
