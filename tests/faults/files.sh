#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# File descriptors run out: more connections are opened than segued may have files. They are refused, those that
# there are work, and so do datagrams, calls, the store and the control socket. When there is not even one more, who
# listens waits, says so once, and goes on by itself.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
. tests/controller/lib.sh
. tests/faults/lib.sh

net_need "segued without file descriptors"
net_private tests/faults/files.sh
FILES=160 # 32 connections
HTTP=127.0.0.1:9810

# flood COUNT: so many connections of bob, which stay.
flood() {
	# shellcheck disable=SC2016 # expanded there
	net_start bob flood bash -c 'for i in $(seq "$1"); do exec {fd}<>/dev/tcp/10.0.2.1/5060; done
		echo open; exec sleep 120' - "$1"
	net_until 20 grep -qs open "$NET_DIR/flood.log"
}

options_by_tcp() {
	net_in alice bash -c 'exec 3<>/dev/tcp/10.0.1.1/5060
		printf "%s\r\n" "OPTIONS sip:10.0.1.1 SIP/2.0" "Via: SIP/2.0/TCP 10.0.1.2:9;branch=z9hG4bK-$$" \
			"Max-Forwards: 70" "From: <sip:a@example.net>;tag=1" "To: <sip:10.0.1.1>" "Call-ID: o-$$" \
			"CSeq: 1 OPTIONS" "Content-Length: 0" "" >&3
		read -r -t 5 line <&3 && case $line in "SIP/2.0 200"*) exit 0 ;; esac; exit 1'
}

open_files() {
	ls "/proc/$(cat "$NET_DIR/segued.pid")/fd" | wc -l
}

first_free() {
	free=0
	while [ -L "/proc/$(cat "$NET_DIR/segued.pid")/fd/$free" ]; do
		free=$((free + 1))
	done
	echo "$free"
}

limit_files() {
	prlimit --nofile="$1":$FILES --pid "$(cat "$NET_DIR/segued.pid")"
}

# No file more than there are: again, when one was just being closed.
no_file_more() {
	most=$(first_free)
	limit_files "$most"
	sleep 0.3
	[ "$(first_free)" = "$most" ]
}

# Its log is larger than all that it may say: to look through it again and again would take for ever.
floods() {
	[ "$(wc -c <"$NET_DIR/segued.log")" -gt 2000000 ]
}

says_or_floods() {
	floods || faults_says "$1"
}

# One asks at each kind of listener, and waits.
asked() {
	net_start relay ask-control build/segue --control "$CONTROLLER_SOCKET" status
	net_start relay ask-http curl -sS --max-time 60 "http://$HTTP/health"
	net_start bob ask-tcp bash -c 'exec 3<>/dev/tcp/10.0.2.1/5060; exec sleep 60'
	for each in control http tcp; do
		net_until 10 says_or_floods "warning +$each: cannot accept a connection: Too many open files" || return
	done
	! floods
}

# In clock ticks (100 a second): what segued used of the processor.
processor() {
	awk '{ print $14 + $15 }' "/proc/$(cat "$NET_DIR/segued.pid")/stat"
}

# Its listeners try each second: three times each, here.
waits_quietly() {
	before=$(processor)
	sleep 3
	used=$(($(processor) - before))
	tail -n "+$faults_from" "$NET_DIR/segued.log" >"$NET_DIR/meanwhile"
	[ "$used" -lt 100 ] && [ "$(wc -l <"$NET_DIR/meanwhile")" -lt 20 ] &&
		[ "$(grep -c 'cannot accept' "$NET_DIR/meanwhile")" = 3 ] &&
		[ "$(faults_complaints | wc -l)" = 3 ] && ! grep -v '^20' "$NET_DIR/meanwhile" && return
	echo "$used ticks"
	tail -n 20 "$NET_DIR/meanwhile"
	return 1
}

answers_by_http() {
	net_in relay curl -sS --max-time 20 "http://$HTTP/health" >/dev/null
}

# shellcheck disable=SC2034 # of faults/lib.sh
FAULTS_YAML="http: $HTTP"
faults_world prlimit --nofile=$FILES:$FILES
ok "it says how many connections there may be" controller_log "$FILES files may be open: 32 TCP and TLS connections"
ok "a connection works" options_by_tcp
faults_mark
faults_media flooded
ok_here "300 connections are opened" flood 300
ok_here "media goes on" faults_heard flooded
ok "the log says once that there are too many" faults_once '32 connections are the most'
ok "files are left" test "$(open_files)" -lt $FILES
ok "the control socket answers" controller_answers
ok "phones register" controller_sipp bob register -key expires 3600 -p 5070
ok_here "the call ends as it should" faults_over
ok "its record is written" net_until 10 faults_cdrs_are 1
ok_here "another call" controller_call
faults_media second
ok_here "has media" faults_heard second
net_stop flood
ok "afterwards connections work again" net_until 10 options_by_tcp
ok_here "and calls end" faults_over
faults_mark
ok "it may have no file more" net_until 10 no_file_more
ok_here "each listener says that it cannot accept" asked
ok "it says it once, and waits" waits_quietly
ok "what can be done without files is done" controller_sipp bob register -key expires 3600 -p 5070
limit_files $FILES
ok "afterwards the control socket answers" net_until 10 controller_answers
ok "and HTTP" answers_by_http
ok "and connections" net_until 10 options_by_tcp
net_finish ask-http
ok "who waited has an answer" grep -q '^ok' "$NET_DIR/ask-http.log"
net_stop ask-tcp ask-control
done_testing
