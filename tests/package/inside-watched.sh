# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# For inside.sh, in the network and with the configuration of inside-crowd.sh: the real journal is asked by the fields
# of a call's lines, and systemd ends a segued that hangs.

one_call() {
	# shellcheck disable=SC2034 # of crowd/lib.sh
	CALLS=1
	crowd bob answer 10.0.2.2 10.0.2.1 && crowd alice call 10.0.1.2 10.0.1.1 && until_true 20 calls_are 1
}

journal_gives() { # FIELD=VALUE
	[ -n "$(journalctl -q -u segued --no-pager -o cat "$1")" ]
}

# journal_tells FIELD VALUE
journal_tells() {
	ok "the journal has lines with $1 of a call" until_true 10 journal_gives "$1=$2"
	ok "and none with another" sh -c "[ -z \"\$(journalctl -q -u segued --no-pager -o cat '$1=${2}x')\" ]"
}

watchdog_of_2_s() {
	mkdir -p /run/systemd/system/segued.service.d
	printf '[Service]\nWatchdogSec=2s\nTimeoutAbortSec=2s\n' >/run/systemd/system/segued.service.d/watchdog.conf
	systemctl daemon-reload && systemctl restart segued && runs
}

# Longer than the watchdog's time, so that one that is told too seldom would be ended, too.
lives() {
	before=$(main_pid)
	sleep 5
	! another_pid
}

hangs() {
	before=$(main_pid)
	kill -STOP "$before"
	until_true 60 another_pid
}

watched_tests() {
	ok_here "one more call" one_call
	call=$(segue call list --json | jq -r '.data[0].id')
	journal_tells CALL_ID "$call"
	journal_tells LEG "$(segue call show "$call" --json | jq -r '[.data | .. | .call_id? // empty][0]')"
	journal_tells STREAM "$call.0"
	ok "a watchdog of 2 s" watchdog_of_2_s
	ok "who turns is left alone" lives
	ok "who hangs is ended, and another one started" hangs
	ok "by the watchdog" logged 'Watchdog timeout'
	ok "it runs" runs
	ok "with the call" calls_are 1
	ok_here "whose media goes on" media_goes_on
	rm -r /run/systemd/system/segued.service.d
	systemctl daemon-reload
	net_tell alice "bye 1"
	ok "the call ends" until_true 20 calls_are 0
	net_stop alice bob
}
