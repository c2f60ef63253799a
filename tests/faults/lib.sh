# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What the tests of faults share: a segued, one call between alice and bob, and its media. Source it from the
# repository's root after tap.sh, net.sh, relay/lib.sh and controller/lib.sh.

FAULTS_PACKETS=100 # 2 s
# shellcheck disable=SC2034 # of controller/lib.sh
CONTROLLER_DIGEST=md5 CONTROLLER_LEVEL=info
CONTROLLER_PATIENCE=${CONTROLLER_PATIENCE:-120}

# faults_world [COMMAND...]: segued runs behind that command (prlimit, env); alice and bob speak. FAULTS_YAML: lines of
# the configuration.
faults_world() {
	controller_network
	controller_configure ${FAULTS_YAML:+"$FAULTS_YAML"}
	must "segued starts" faults_start "$@"
	must "alice and bob are known" faults_register
	ok_here "alice calls bob" controller_call
	faults_media first
	ok_here "they speak" faults_heard first
}

faults_start() {
	net_start relay segued "$@" env SEGUE_OBJECT_DIR=build/bpf "${NET_SEGUED:-build/segued}" \
		--config "$CONTROLLER_CONFIG" --foreground
	net_until 20 controller_answers && return
	cat "$NET_DIR/segued.log"
	return 1
}

faults_register() {
	controller_subscriber alice bob && controller_register alice && controller_register bob
}

# faults_media NAME: both parties begin to speak at the ports of the one call; other sources than before.
faults_media() {
	faults_ssrc=$((${faults_ssrc:-100} + 10))
	controller_segue path list "$(controller_segue stream list --json | jq -r '.data[0].name')" --json \
		>"$NET_DIR/paths.json"
	for faults_end in "alice a 10.0.1.2" "bob b 10.0.2.2"; do
		# shellcheck disable=SC2086 # three words
		set -- "$1" $faults_end
		faults_at=$(jq -r ".data[] | select(.side == \"$3\" and .state == \"live\").local" "$NET_DIR/paths.json")
		net_peer "$2" "$2-$1" --path "$4:4000=$faults_at" --ssrc $((faults_ssrc + ${#2})) --rtcp 0 \
			--count $FAULTS_PACKETS --linger 1500
	done
	net_tell "alice-$1" "send 0 on"
	net_tell "bob-$1" "send 0 on"
}

# faults_heard NAME: each packet of faults_media arrived once.
faults_heard() {
	net_finish "alice-$1" "bob-$1"
	for faults_end in alice bob; do
		tests/lib/holds ".received | .received_once == $FAULTS_PACKETS and .lost == 0 and .doubled == 0" \
			"$NET_DIR/$faults_end-$1.json" >/dev/null || {
			cat "$NET_DIR/$faults_end-$1.json"
			return 1
		}
	done
}

# faults_mark: faults_said looks at the log from here on.
faults_mark() {
	faults_from=$(($(wc -l <"$NET_DIR/segued.log") + 1))
}

# faults_said PATTERN: how many lines of the log say that since faults_mark.
faults_said() {
	tail -n "+$faults_from" "$NET_DIR/segued.log" | grep -cE -- "$1"
}

faults_says() {
	[ "$(faults_said "$1")" -ge 1 ]
}

# faults_complaints: the errors and warnings since faults_mark.
faults_complaints() {
	tail -n "+$faults_from" "$NET_DIR/segued.log" | grep -E '^[^ ]+ (error|warning)'
}

# faults_once PATTERN: one line of the log says so, and no other error or warning came with it.
faults_once() {
	net_until 10 faults_says "$1" || {
		tail -n 5 "$NET_DIR/segued.log"
		return 1
	}
	faults_complaints >"$NET_DIR/complaints"
	[ "$(grep -cE -- "$1" "$NET_DIR/complaints")" = 1 ] && [ "$(wc -l <"$NET_DIR/complaints")" = 1 ] && return
	cat "$NET_DIR/complaints"
	return 1
}

# faults_over: alice hangs up, and both have heard it.
faults_over() {
	controller_hang_up
	controller_ended alice && controller_ended bob
}

faults_cdrs() {
	sqlite3 "${CONTROLLER_STORE:-$NET_DIR/segue.db}" 'select count(*) from cdr'
}

faults_cdrs_are() {
	[ "$(faults_cdrs 2>/dev/null)" = "$1" ]
}
