# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# For inside.sh: a crowd of calls with media, two namespaces inside the container, while systemd restarts segued, starts it
# again after a kill, and the package is replaced by one of another version with other kernel programs.
. tests/lib/net.sh
. tests/controller/lib.sh
. tests/crowd/lib.sh

net_segue() {
	segue "$@"
}

crowd_network() {
	ip netns attach relay $$ && controller_nic 1 alice && controller_nic 2 bob
}

# A source may send what it likes only when it is a trunk: limits and bans are as they are installed.
crowd_configure() {
	cat >/etc/segue/segued.yaml <<END
sip:
  domains: [example.net]
  listen: ["udp:10.0.1.1:5060", "udp:10.0.2.1:5060"]
media:
  interfaces:
    - {name: r1, address: 10.0.1.1}
    - {name: r2, address: 10.0.2.1}
  ports: 30000-39999
cdr: {file: /var/lib/segue/cdr.jsonl}
http: 127.0.0.1:9810
hep: {to: "udp:127.0.0.1:9060"}
$CROWD_TRUNKS
END
	segued --check
}

programs() {
	ip -j link | jq -r '[.[] | select(.xdp) | .xdp.prog.id] | join(" ")'
}

# Of the programs' instructions.
tags() {
	ip -j link | jq -r '[.[] | select(.xdp) | .xdp.prog.tag] | join(" ")'
}

adopted() {
	adopted=$(journalctl "_PID=$(main_pid)" -o cat --no-pager | grep ' calls adopted')
	case " $adopted" in
	*" $CALLS calls adopted, 0 could not be, 0 streams"*) ;;
	*)
		echo "$adopted"
		return 1
		;;
	esac
}

calls_are() {
	[ "$(segue status --json | jq .data.calls)" = "$1" ]
}

# survives NAME COMMAND...: after which it is another process with the same calls, and nobody has fallen silent.
survives() {
	survives_name=$1 before=$(main_pid)
	shift
	ok "$survives_name" "$@"
	ok "$survives_name: another process" until_true 30 another_pid
	ok "$survives_name: which runs" runs
	ok "$survives_name: with all calls" until_true 10 adopted
	ok_here "$survives_name: media goes on" media_goes_on
}

# What a member of the group reads without any capability, of a call that runs and of one that is over.
members_read() {
	call=$(segue call list --json | jq -r '.data[0].id')
	over=$(segue cdr list --last 1 --json | jq -r '.data[0].id')
	for words in status "call list" "call show $call" "trace $call" "registration list" "subscriber list" "handover list" \
		"ban list" "cdr list" "cdr show $over" "stream list" "path list $call.0" "drop list" "window list" "map list"; do
		# shellcheck disable=SC2086 # words
		ok "a member of the group: segue $words" member_reads $words
	done
}

member_reads() {
	setpriv --reuid watcher --regid watcher --init-groups --inh-caps=-all --bounding-set=-all segue "$@" >"$NET_DIR/read" &&
		[ -s "$NET_DIR/read" ]
}

served() { # PATH PATTERN
	bash -c 'exec 3<>/dev/tcp/127.0.0.1/9810 && printf "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" \
		"$1" >&3 && cat <&3' - "$1" >"$NET_DIR/served" && grep -q -- "$2" "$NET_DIR/served"
}

is_banned() {
	segue ban list | grep -wF 203.0.113.9 && [ -e /sys/fs/bpf/xdp/globals/sg_ban_v1 ]
}

captured() {
	segue capture "$(segue call list --json | jq -r '.data[0].id')" --packets 10 --seconds 20 \
		--write "$NET_DIR/call.pcapng" --json | tests/lib/holds '.data | .media_in > 0 and .media_out > 0 and .lost == 0'
}

# What segued does from within its unit's sandbox, beside calls.
sandbox_lets() {
	ok "the live page is served" served / '<title>'
	ok "and metrics; SIP was copied to Homer" served /metrics '^segue_hep_sent_total [1-9]'
	ok "root captures a call" captured
	ok "and bans a source" segue ban add 203.0.113.9
}

# They are written behind the end of the calls, many at once.
records_are() {
	records=$(segue cdr list --last 1000 --json | jq '.data | length')
	lines=$(jq -s length /var/lib/segue/cdr.jsonl)
	echo "$records records, $lines lines of JSON"
	[ "$records $lines" = "$1 $1" ]
}

crowd_tests() {
	mkdir -p "$NET_DIR"
	ok_here "a network of callers and callees" crowd_network
	ok "a configuration for them is taken" crowd_configure
	ok "and run" systemctl restart segued
	ok "it runs" runs
	ok_here "what reaches alice is captured" capture alice
	ok_here "and what reaches bob" capture bob
	ok_here "callees wait" crowd bob answer 10.0.2.2 10.0.2.1
	ok_here "callers call" crowd alice call 10.0.1.2 10.0.1.1
	ok_here "$CALLS calls are up, and everybody speaks" everybody_speaks
	sandbox_lets
	programs=$(programs) tags=$(tags)
	survives "killed" systemctl kill -s KILL segued
	is "the kernel programs are those that were" "$(programs)" "$programs"
	docs_each survives_line upgrade
	is "the version of before has its kernel programs again: none is left of the other version" "$(tags)" "$tags"
	ok "the ban is still there" is_banned
	ok_here "everybody falls silent" everything_arrived
	ok_here "what was sent and received is written down" reported
	is "alice to bob: calls, packets lost, doubled, strange, calls of few packets" "$(arrived alice bob)" "$CALLS 0 0 0 0"
	is "bob to alice" "$(arrived bob alice)" "$CALLS 0 0 0 0"
	ok_here "the capture at bob is whole" capture_ends alice bob
	ok_here "and at alice" capture_ends bob alice
	is "captured at bob: calls, packets sent, missing, doubled, strange" "$(judged alice bob)" \
		"$CALLS $(said alice 4) 0 0 0"
	is "captured at alice" "$(judged bob alice)" "$CALLS $(said bob 4) 0 0 0"
	is "no packet was dropped, for any reason" "$(segue drop list --json |
		jq -c '[.data[] | select(.count > 0) | [.name, .count]]')" '[]'
	is "nor by the parties' sockets" "$(socket_drops alice) $(socket_drops bob)" "0 0"
	diag "$CALLS calls, $(($(said alice 4) + $(said bob 4))) packets"
	ok "the log is told more" more_log
	net_tell bob "bye $((CALLS / 2))"
	ok "callees end half of the calls" until_true 30 calls_are $((CALLS - CALLS / 2))
	members_read
	before_service_lines
	docs_each do_line service
	ok "what was typed as a part of the unit is there" after_service_lines
	net_tell alice "bye $CALLS"
	ok "callers end the others" until_true 30 calls_are 0
	ok "each call has its record, and its line of JSON" until_true 20 records_are "$CALLS"
	is "no stream is left" "$(segue stream list --json | jq '.data | length')" 0
	net_stop alice bob
}
