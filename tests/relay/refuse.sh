#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What is wrong is refused: exit code 1, 2 or 3, a text that names the thing, and not a byte of any
# map differs afterwards.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "wrong input"
net_private "$0" "$@"

# refused CODE PATTERN ARGUMENT...: exit code, text on stderr, nothing on stdout, maps as they were
# after the last one.
refused() {
	refused_code=$1 refused_pattern=$2
	shift 2
	refused_out=$(net_segue "$@" 2>"$NET_DIR/error")
	refused_got=$?
	maps >"$NET_DIR/after"
	diff "$NET_DIR/before" "$NET_DIR/after" >"$NET_DIR/changed"
	refused_changed=$?
	mv "$NET_DIR/after" "$NET_DIR/before"
	echo "segue $*: exit $refused_got, wanted $refused_code: $refused_out"
	cat "$NET_DIR/error" "$NET_DIR/changed"
	[ $refused_changed = 0 ] && [ $refused_got = "$refused_code" ] && [ -z "$refused_out" ] &&
		grep -qE -- "$refused_pattern" "$NET_DIR/error"
}

json_error() {
	net_segue stream show nobody --json 2>"$NET_DIR/error"
	[ $? = 3 ] && cat "$NET_DIR/error" && tests/lib/holds '.. | strings | select(test("nobody"))' "$NET_DIR/error"
}


relay_world 2
must "attach" relay_attach native r1 r2
net_segue stream add one -a 10.0.1.1:4000=10.0.1.2:5000 -b 10.0.2.1:4000=10.0.2.2:6000 >/dev/null
for slot in 1 2 3; do
	net_segue path add one a 10.0.1.1:41${slot}0=10.0.1.2:51${slot}0 >>/dev/null
done
is "a stream with four paths on side a is there" \
	"$(net_segue stream show one --json | jq '[(.data // .).paths[] | select(.side == "a")] | length')" 4

ok "a map is seen to change when something does" sh -c ". tests/lib/net.sh; . tests/relay/lib.sh
	maps >$NET_DIR/before; net_segue path set one a 3 --send off; maps >$NET_DIR/after
	! diff $NET_DIR/before $NET_DIR/after; mv $NET_DIR/after $NET_DIR/before"

is "all maps that hold anything are looked at" "$(wc -l <"$NET_DIR/before")" "$(net_segue map list --json |
	jq '[.data[] | select(.pin and (.type | IN("ringbuf", "perf_event_array") | not))] | length')"

good_b="-b 10.0.2.1:4200=10.0.2.2:6200"
# shellcheck disable=SC2086 # two words
{
	ok "unknown NIC" refused 1 "nosuch0" interface attach nosuch0
	ok "unknown mode" refused 2 "sideways" interface attach r1 --mode sideways
	ok "detach of an unknown NIC" refused 1 "nosuch0" interface detach nosuch0
	ok "detach of a NIC in use" refused 1 "r1" interface detach r1
	ok "local port in use by a stream" refused 1 "10.0.1.1:4000 is in use.*one" \
		stream add two -a 10.0.1.1:4000=10.0.1.2:5200 $good_b
	ok "RTP on the RTCP port of a stream" refused 1 "10.0.1.1:4001 is in use" \
		stream add two -a 10.0.1.1:4001=10.0.1.2:5200 $good_b
	ok "RTCP on the RTP port of a stream" refused 1 "10.0.1.1:4000 is in use" \
		stream add two -a 10.0.1.1:3999=10.0.1.2:5200 $good_b
	ok "port in use on side b only" refused 1 "10.0.2.1:4000 is in use" \
		stream add two -a 10.0.1.1:4200=10.0.1.2:5200 -b 10.0.2.1:4000=10.0.2.2:6200
	ok "both sides on one port" refused 2 "port" \
		stream add two -a 10.0.1.1:4200=10.0.1.2:5200 -b 10.0.1.1:4200=10.0.1.2:6200
	ok "name in use" refused 1 "'one'" \
		stream add one -a 10.0.1.1:4200=10.0.1.2:5200 $good_b
	ok "remote without a route" refused 1 "no route.*203.0.113.9" \
		stream add two -a 10.0.1.1:4200=203.0.113.9:5200 $good_b
	ok "remote without a route on side b" refused 1 "203.0.113.9" \
		stream add two -a 10.0.1.1:4200=10.0.1.2:5200 -b 10.0.2.1:4200=203.0.113.9:6200
	ok "remote that does not answer" refused 1 "10.0.1.77.*did not answer within 200 ms" \
		stream add two -a 10.0.1.1:4200=10.0.1.77:5200 $good_b --resolve 200
	ok "IPv6 remote that does not answer" refused 1 "fd00:1::77.*did not answer" \
		stream add two -a "[fd00:1::1]:4200=[fd00:1::77]:5200" $good_b --resolve 200
	ok "remote that is the relay" refused 1 "10.0.2.1 is an address of this machine" \
		stream add two -a 10.0.1.1:4200=10.0.2.1:5200 $good_b
	ok "remote that is multicast" refused 1 "239.1.2.3" \
		stream add two -a 10.0.1.1:4200=239.1.2.3:5200 $good_b
	ok "foreign local address" refused 1 "10.0.1.9 is no address of this machine" \
		stream add two -a 10.0.1.9:4200=10.0.1.2:5200 $good_b
	ok "foreign local IPv6 address" refused 1 "fd00:1::9 is no address of this machine" \
		stream add two -a "[fd00:1::9]:4200=[fd00:1::2]:5200" $good_b
	ok "families mixed on one path" refused 2 "famil" \
		stream add two -a 10.0.1.1:4200=[fd00:1::2]:5200 $good_b
	ok "malformed address" refused 2 "10.0.1" \
		stream add two -a 10.0.1:4200=10.0.1.2:5200 $good_b
	ok "malformed IPv6 address" refused 2 "fd00::1::1" \
		stream add two -a "[fd00::1::1]:4200=[fd00:1::2]:5200" $good_b
	ok "IPv6 without brackets" refused 2 "fd00:1::1" \
		stream add two -a fd00:1::1:4200=[fd00:1::2]:5200 $good_b
	ok "port 0" refused 2 "10.0.1.1:0" stream add two -a 10.0.1.1:0=10.0.1.2:5200 $good_b
	ok "port 65536" refused 2 "65536" stream add two -a 10.0.1.1:65536=10.0.1.2:5200 $good_b
	ok "no port left for RTCP" refused 2 "RTCP" \
		stream add two -a 10.0.1.1:65535=10.0.1.2:5200 $good_b
	ok "no remote" refused 2 "10.0.1.1:4200" stream add two -a 10.0.1.1:4200 $good_b
	ok "a side missing" refused 2 "-b LOCAL.* is missing" stream add two -a 10.0.1.1:4200=10.0.1.2:5200
	ok "DSCP 64" refused 2 "64" \
		stream add two -a 10.0.1.1:4200=10.0.1.2:5200 $good_b --dscp 64
	ok "a name of 64 characters" refused 2 "name" stream add "$(printf %064d 7)" \
		-a 10.0.1.1:4200=10.0.1.2:5200 $good_b
	ok "unknown option" refused 2 "colour" \
		stream add two -a 10.0.1.1:4200=10.0.1.2:5200 $good_b --colour red
	ok "unknown object" refused 2 "streem" streem add two
	ok "unknown command" refused 2 "create" stream create two
}
ok "5th path" refused 1 "4 paths.*most" path add one a 10.0.1.1:4300=10.0.1.2:5300
ok "path that exists" refused 1 "." path add one b 10.0.2.1:4000=10.0.2.2:6000
ok "path to a silent remote" refused 1 "10.0.2.77" \
	path add one b 10.0.2.1:4300=10.0.2.77:5300 --resolve 200
ok "path on side c" refused 2 "c" path add one c 10.0.2.1:4300=10.0.2.2:5300
ok "last path of a side" refused 1 "last" path del one b 0
ok "path that is not there" refused 3 "4" path del one a 4
ok "path set of one that is not there" refused 3 "5" path set one a 5 --send on
ok "path set of nothing" refused 2 "nothing" path set one a 0
ok "move to a silent remote" refused 1 "10.0.2.77" \
	path move one b 0 10.0.2.1:4000=10.0.2.77:6000 --resolve 200
ok "move to a port in use" refused 1 "4000" \
	path move one b 0 10.0.1.1:4000=10.0.1.2:7000
ok "show of an unknown stream" refused 3 "nobody" stream show nobody
ok "del of an unknown stream" refused 3 "nobody" stream del nobody
ok "del of a known and an unknown stream" refused 3 "nobody" stream del one nobody
ok "path add to an unknown stream" refused 3 "nobody" \
	path add nobody a 10.0.1.1:4300=10.0.1.2:5300
ok "direction of an unknown stream" refused 3 "nobody" stream set nobody --direction none
ok "an error is JSON when JSON was asked" json_error

net_segue stream del one >/dev/null
maps >"$NET_DIR/before"
ok "a port that rests" refused 1 "10.0.1.1:4000 rests for another [0-9.]+ s" \
	stream add two -a 10.0.1.1:4000=10.0.1.2:5000 -b 10.0.2.1:4200=10.0.2.2:6200
ok "with nothing attached" sh -c ". tests/lib/net.sh; . tests/relay/lib.sh; relay_detach
	! net_segue stream list 2>$NET_DIR/error && grep attach $NET_DIR/error"
done_testing
