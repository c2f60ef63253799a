#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# File descriptors run out: more connections are opened than segued may have files. They are refused, those that
# there are work, and so do datagrams, calls, the store and the control socket.
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
done_testing
