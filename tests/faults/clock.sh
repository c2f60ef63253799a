#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The clock of the machine is set under a call, days forward and back: segued reads a real-time clock that setclock.so
# moves, and a monotonic one that goes on. Calls, registrations and passwords do not care, and the call's record says how long
# it was.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
. tests/controller/lib.sh
. tests/faults/lib.sh

net_need "segued when the clock is set"
net_private tests/faults/clock.sh
# clock SECONDS: what segued's clock says, as a difference from that of the machine.
clock() {
	echo "$1" >"$NET_DIR/clock.new"
	mv "$NET_DIR/clock.new" "$NET_DIR/clock"
}

# clock_says PATTERN: the log's lines have that date.
clock_says() {
	kill -HUP "$(cat "$NET_DIR/segued.pid")"
	net_until 10 faults_says "^$1.* was loaded again"
}

goes_on() { # NAME
	ok "$1: the call is there" controller_is_up
	faults_media "$1"
	ok_here "$1: media goes on" faults_heard "$1"
	ok "$1: registrations are there" sh -c "[ $(controller_segue registration list --json | jq ".data | length") -ge 2 ]"
	ok "$1: a phone registers, with its password" controller_sipp bob register -key expires 3600 -p 5070
	is "$1: the log has no complaint" "$(faults_complaints)" ""
	faults_mark
}

clock 0
began=$(date +%s)
faults_world env LD_PRELOAD="$PWD/build/tests/faults/setclock.so" SETCLOCK="$NET_DIR/clock"
faults_mark
clock $((3 * 86400))
ok "the clock is set three days forward" clock_says "$(date -u -d '+3 days' +%Y-%m-%d)"
goes_on forward
clock $((-2 * 86400))
ok "the clock is set two days back" clock_says "$(date -u -d '-2 days' +%Y-%m-%d)"
goes_on back
ok_here "the call ends" faults_over
ok "its record is written" net_until 10 faults_cdrs_are 1
lasted=$(($(date +%s) - began + 1))
seconds=$(sqlite3 "$NET_DIR/segue.db" 'select (ended_ns - answered_ns) / 1000000000 from cdr')
ok "and says how long it was: $seconds s of at most $lasted" test "$seconds" -ge 4 -a "$seconds" -le $lasted
ok_here "another call" controller_call
ok_here "ends, too" faults_over
done_testing
