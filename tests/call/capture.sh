#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# segue capture: the file has every frame of the call, as it came and as it left, and its SIP; as many as the
# applications counted; nothing of others. What bounds it, who may do it, and what is left behind.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "captures of calls"
net_private "$0" "$@"
CONTROLLER_DIGEST='[md5]' # all that sipp knows
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh

packets=200 # 4 s

call_id() {
	controller_segue call list --json | jq -r '.data[0].id'
}

local_port() { # SIDE
	controller_segue call show "$id" --json |
		jq -r --arg side "$1" '.data.streams[0].paths[] | select(.side == $side) | .local | split(":")[-1]'
}

# capture NAME ARGUMENT...: in the background, into NAME.pcapng; true when it runs.
capture() {
	capture_name=$1
	shift
	net_start relay "$capture_name" env SEGUE_OBJECT_DIR=build/bpf build/segue --control "$CONTROLLER_SOCKET" capture "$id" \
		--json -w "$NET_DIR/$capture_name.pcapng" "$@"
	net_until 10 is_flagged
}

# The stream has its flag: bit 1 of the flags, the last two of its 16 bytes.
is_flagged() {
	flagged_number=$(controller_segue call show "$id" --json | jq '.data.streams[0].number')
	bpftool map lookup pinned /sys/fs/bpf/xdp/globals/sg_stream_v1 key "$(printf '0x%02x' $((flagged_number & 255)))" \
		"$(printf '0x%02x' $((flagged_number >> 8 & 255)))" 0 0 --json |
		tests/lib/holds '.value[14] | ltrimstr("0x") | test("[2367abefABEF]$")' >/dev/null
}

# frames NAME FILTER: how many there are.
frames() {
	tshark -r "$NET_DIR/$1.pcapng" -Y "$2" -T fields -e frame.number 2>/dev/null | wc -l
}

reported() { # NAME FIELD
	jq -r ".data.$2" "$NET_DIR/$1.log"
}

start_media() {
	net_peer alice alice-media --path "10.0.1.2:4000=10.0.1.1:$(local_port a)" --ssrc 101 --count $packets --linger 500
	net_peer bob bob-media --path "10.0.2.2:4000=10.0.2.1:$(local_port b)" --ssrc 202 --count $packets --linger 500
	net_tell alice-media "send 0 on"
	net_tell bob-media "send 0 on"
}

# Somebody else's, to the same ports of ours: neither SIP nor media of it may be in the file.
disturb() {
	net_in alice bash -c 'printf -v text "%s\r\n" "OPTIONS sip:bob@example.net SIP/2.0" \
		"Via: SIP/2.0/UDP 10.0.1.2:9;branch=z9hG4bKother" "From: <sip:x@example.net>;tag=1" "To: <sip:bob@example.net>" \
		"Call-ID: another" "CSeq: 1 OPTIONS" "Max-Forwards: 70" "Content-Length: 0" ""
		cat <<<"$text" >/dev/udp/10.0.1.1/5060'
}

whole_call() {
	controller_call && id=$(call_id) && capture whole && start_media && disturb &&
		net_finish alice-media bob-media && controller_hang_up && controller_ended alice && controller_ended bob &&
		net_until 10 ends whole
}

ends() { # NAME: the capture, by itself, in order
	! kill -0 "$(cat "$NET_DIR/$1.pid")" 2>/dev/null && [ -s "$NET_DIR/$1.log" ]
}

check_whole() {
	ok_here "a call is captured to its end" whole_call
	is "it ended with the call" "$(reported whole ended_by)" call
	is "nothing was lost" "$(reported whole lost)" 0
	for check_end in "alice 1 101" "bob 2 202"; do
		# shellcheck disable=SC2086
		set -- $check_end
		is "$1's packets, as they came" "$(frames whole \
			"ip.src == 10.0.$2.2 && ip.dst == 10.0.$2.1 && udp.srcport == 4000 && frame.packet_flags_direction == 1")" $packets
		is "what left for $1" "$(frames whole \
			"ip.src == 10.0.$2.1 && ip.dst == 10.0.$2.2 && udp.dstport == 4000 && frame.packet_flags_direction == 2")" $packets
		is "what left by the NIC of $1 is named so" "$(frames whole "frame.interface_name == \"r$2\" && udp.port == 4000")" \
			$((2 * packets))
	done
	is "all of it reads as RTP, each checksum right" "$(tshark -r "$NET_DIR/whole.pcapng" -o rtp.heuristic_rtp:TRUE \
		-o udp.check_checksum:TRUE -Y 'rtp && udp.checksum.status == 1 && udp.port == 4000' -T fields -e frame.number \
		2>/dev/null | wc -l)" $((4 * packets))
	is "the end of it in SIP" "$(tshark -r "$NET_DIR/whole.pcapng" -Y 'sip.CSeq.method == "BYE"' -T fields -e ip.src \
		-e sip.Method -e sip.Status-Code 2>/dev/null | tr '\t\n' ' ;')" \
		"10.0.1.2 BYE ;10.0.1.1  200;10.0.2.1 BYE ;10.0.2.2  200;"
	is "nothing of others" "$(frames whole 'sip.Call-ID == "another"')" 0
	is "RTCP is in it, too" "$(frames whole 'udp.port == 4001 && frame.packet_flags_direction == 1')" \
		"$(($(frames whole 'frame.packet_flags_direction == 1 && !sip') - 2 * packets))"
	is "it said what it wrote" "$(reported whole media_in) $(reported whole media_out) $(reported whole sip)" \
		"$(frames whole 'frame.packet_flags_direction == 1 && !sip') $(frames whole \
			'frame.packet_flags_direction == 2 && !sip') $(frames whole sip)"
}

bounded_call() {
	controller_call && id=$(call_id) && capture bounded --packets 50 && start_media && net_until 10 ends bounded
}

check_bounds() {
	ok_here "a capture of 50 frames" bounded_call
	is "has 50" "$(frames bounded frame)" 50
	is "and says so" "$(reported bounded ended_by)" packets
	ok "then the stream is copied no more" not is_flagged
	capture first --seconds 60
	ok "two at a time are refused" sh -c "SEGUE_OBJECT_DIR=build/bpf nsenter --net=/run/netns/relay build/segue --control \
		$CONTROLLER_SOCKET capture $id -w /dev/null 2>&1 | grep -q 'another capture runs'"
	kill -KILL "$(cat "$NET_DIR/first.pid")"
	ok_here "one that was killed holds nothing up" capture second --seconds 1
	ok_here "a second is over soon" net_until 10 ends second
	is "by time" "$(reported second ended_by)" time
	net_finish alice-media bob-media
	ok "nothing of it was lost to the parties" heard_all
	controller_hang_up
	ok_here "the call ends" controller_ended alice
	ok "what is over is not captured" sh -c "! SEGUE_OBJECT_DIR=build/bpf nsenter --net=/run/netns/relay build/segue --control \
		$CONTROLLER_SOCKET capture $id -w /dev/null 2>$NET_DIR/over && grep -q 'is over' $NET_DIR/over"
}

not() {
	! "$@"
}

heard_all() {
	$NET_TOOLS/rtp-report json x "$NET_DIR/alice-media.csv" "$NET_DIR/bob-media.csv" |
		tests/lib/holds ".x | .sent == $packets and .lost == 0 and .doubled == 0" >/dev/null
}

ok_here "segued starts" controller_world
ok "alice registers" controller_register alice
ok "bob registers" controller_register bob
check_whole
check_bounds
ok_here "segued ends in order" controller_stop
done_testing
