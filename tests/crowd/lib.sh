# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# Many calls at once through a segued at 10.0.1.1 and 10.0.2.1: alice's namespace calls, bob's answers. Source it after
# tests/lib/net.sh, in whose NET_DIR everything is; start the crowds with ok_here (tests/controller/lib.sh).
CALLS=${CROWD_CALLS:-1000}
PPS=${CROWD_PPS:-5} # of a call, each way

# What segued has to know of the crowds.
# shellcheck disable=SC2034 # for who sources this
CROWD_TRUNKS='trunks:
  - {name: caller, source: 10.0.1.2}
  - {name: callee, source: 10.0.2.2, uri: "sip:10.0.2.2:5060", prefix: callee}'

# crowd NAMESPACE call|answer HOST SERVER
crowd() {
	# shellcheck disable=SC2086 # words or none
	net_start "$1" "$1" ${NET_URGENT:-} build/tests/crowd/crowd "$2" "$3" "$4" "$CALLS" "$PPS" "$NET_DIR/$1.ctl"
	net_until 10 test -p "$NET_DIR/$1.ctl"
}

# said NAMESPACE COLUMN: of the last line of the crowd there: 2 up, 4 sent, 6 once, 8 over.
said() {
	awk -v column="$2" '$1 == "up" { last = $column } END { print last + 0 }' "$NET_DIR/$1.log"
}

reaches() { # NAMESPACE COLUMN COUNT
	[ "$(said "$1" "$2")" -ge "$3" ]
}

everybody_speaks() {
	net_until 60 reaches alice 2 "$CALLS" && net_until 60 reaches bob 2 "$CALLS" && media_goes_on && return
	tail -n 3 "$NET_DIR"/*.log
	return 1
}

# media_goes_on: two more packets of each call reach the other side.
media_goes_on() {
	heard_alice=$(said alice 6) heard_bob=$(said bob 6)
	net_until 30 reaches alice 6 $((heard_alice + 2 * CALLS)) && net_until 30 reaches bob 6 $((heard_bob + 2 * CALLS))
}

# everything_arrived: nobody speaks any more, and what was sent is there.
everything_arrived() {
	net_tell alice quiet && net_tell bob quiet
	net_until 20 still
}

still() {
	before="$(said alice 4) $(said bob 4) $(said alice 6) $(said bob 6)"
	sleep 0.6 # two lines of each
	[ "$before" = "$(said alice 4) $(said bob 4) $(said alice 6) $(said bob 6)" ]
}

# arrived FROM TO: "calls lost doubled strange" of what one side sent, as the other side received it.
arrived() {
	awk 'NR == FNR { sent[$1] = $2; next }
		{ once[$3] += $4; doubled += $5; strange += $6 }
		END { for (ssrc in sent) { calls++; lost += sent[ssrc] - once[ssrc]; few += sent[ssrc] < 10 }
			print calls + 0, lost + 0, doubled + 0, strange + 0, few + 0 }' "$NET_DIR/$1.report" "$NET_DIR/$2.report"
}

reported() {
	net_tell alice "report $NET_DIR/alice.report" && net_tell bob "report $NET_DIR/bob.report"
	net_until 5 test -s "$NET_DIR/alice.report" && net_until 5 test -s "$NET_DIR/bob.report"
	net_until 5 sh -c "[ \$(cat $NET_DIR/*.report | wc -l) = $((2 * CALLS)) ]"
}

socket_drops() { # NAMESPACE
	net_in "$1" awk 'NR > 1 { drops += $NF } END { print drops + 0 }' /proc/net/udp
}

# Of a captured packet: its Ethernet, IPv4, UDP and RTP headers, and some of the crowd's payload. All of
# them are this long in a capture.
CAPTURED=64

# capture NAMESPACE: what media reaches that side, from its interface, until capture_ends. tcpdump's
# buffer holds more than a whole run, should the machine have no time for tcpdump.
capture() {
	# shellcheck disable=SC2086 # words or none
	net_start "$1" "$1-media" ${NET_URGENT:-} tcpdump -n -i e0 -Q in -s $CAPTURED -B 65536 \
		-U -w "$NET_DIR/$1.pcap" udp dst portrange 10000-17999
	net_until 10 grep -q '^tcpdump: listening' "$NET_DIR/$1-media.log" && return
	cat "$NET_DIR/$1-media.log"
	return 1
}

# capture_ends FROM TO: the capture at TO ends, when it has what FROM reports or will not have it. True
# when it is whole, so that what is missing in it did not arrive: tcpdump dropped nothing itself.
capture_ends() {
	net_until 5 judged "$1" "$2" >"$NET_DIR/judged"
	net_stop "$2-media"
	grep -q '^0 packets dropped by kernel' "$NET_DIR/$2-media.log" && return
	echo "this capture shows nothing, since tcpdump itself did not have all that came:"
	cat "$NET_DIR/$2-media.log"
	return 1
}

# judged FROM TO: "calls sent missing doubled strange" of what one side sent, by the other's capture.
judged() {
	build/tests/crowd/arrivals "$NET_DIR/$2.pcap" "$NET_DIR/$1.report"
}

# doctored FROM TO FIRST SECOND: the same of a capture whose packets before FIRST are followed by those
# from SECOND on: one later is one packet less, one earlier is one twice.
doctored() {
	{
		head -c $((24 + $3 * (16 + CAPTURED))) "$NET_DIR/$2.pcap"
		tail -c +$((25 + $4 * (16 + CAPTURED))) "$NET_DIR/$2.pcap"
	} >"$NET_DIR/doctored.pcap"
	build/tests/crowd/arrivals "$NET_DIR/doctored.pcap" "$NET_DIR/$1.report"
}
