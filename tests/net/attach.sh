#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Putting the program on interfaces and taking it off (MP-14): by our command and by plain `ip link`
# in either order, beside programs of others, after a writer that died; and nothing stays behind.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/tap.sh
. tests/lib/net.sh

pins=/sys/fs/bpf/tc/globals
object=build/bpf/segue.bpf.o

# ---- asking --------------------------------------------------------------------------------------

# refused WANTED-STATUS WORD COMMAND...: fails with that status, and the error names the word.
refused() {
	wanted=$1 word=$2
	shift 2
	status=0
	message=$("$@" 2>&1) || status=$?
	echo "status $status: $message"
	[ "$status" = "$wanted" ] && echo "$message" | grep -qF -- "$word"
}

# nics: what `interface list` shows, as "name/slot/mode/ours", in order of names.
nics() {
	net_segue interface list --json |
		jq -r '[.data[] | "\(.name)/\(.nic)/\(.mode)/\(.ours)"] | sort | join(" ")'
}

map_ids() {
	net_segue map list --json | jq -r '[.data[].id] | join(" ")'
}

# The maps whose ids are given no longer exist. The kernel frees them after a grace period.
maps_are_gone() {
	for id in "$@"; do
		! bpftool map show id "$id" 2>/dev/null || return 1
	done
}

programs() {
	net_in relay ip link show | grep -c xdp
}

# Everything that an attach makes is gone: pins, directories, links, programs, maps.
nothing_left() {
	ls -lR /sys/fs/bpf
	net_in relay ip link show
	[ "$(find /sys/fs/bpf -mindepth 1 ! -name '*.debug' | wc -l)" = 0 ] &&
		[ "$(programs)" = 0 ] && net_until 10 maps_are_gone "$@"
}

ip_link() {
	net_in relay ip link set dev "$@"
}

# ---- what must be true ---------------------------------------------------------------------------

check_ours_alone() {
	ok "attach in native mode" net_segue interface attach a0 --mode native --capacity 64
	ok "attach a second interface in generic mode" net_segue interface attach b0 --mode generic
	is "each has its slot and mode" "$(nics)" "a0/0/native/true b0/1/generic/true"
	is "the maps have the capacity of the first attach" \
		"$(net_segue map list --json | jq '.data[] | select(.name == "sg_stream_v1").max_entries')" 64
	ids=$(map_ids)
	ok "attaching again changes nothing" net_segue interface attach a0
	is "... and neither slots nor maps" "$(nics) $(map_ids)" \
		"a0/0/native/true b0/1/generic/true $ids"
	ok "another mode is refused" refused 1 "native mode already" \
		net_segue interface attach a0 --mode generic
	ok "... unless forced" net_segue interface attach a0 --mode generic --force
	is "... and keeps the slot" "$(nics)" "a0/0/generic/true b0/1/generic/true"
	ok "detach one" net_segue interface detach a0
	is "the other stays" "$(nics)" "b0/1/generic/true"
	ok "detach what is not attached" refused 1 "does not run our program" \
		net_segue interface detach a0
	ok "detach the last" net_segue interface detach b0
	# shellcheck disable=SC2086 # a list of ids
	ok "nothing is left" nothing_left $ids
}

check_refusals() {
	ok "an unknown interface" refused 1 "no interface 'nosuch0'" \
		net_segue interface attach nosuch0
	ok "a name longer than any" refused 1 "no interface 'a-name-that-is-far-too-long'" \
		net_segue interface attach a-name-that-is-far-too-long
	ok "native mode where the driver has none" refused 1 "attach in generic mode" \
		net_segue interface attach lo --mode native --capacity 64
	ok "reading needs maps" refused 1 "no maps in" net_segue --pin-dir /sys/fs/bpf/none map list
	ok "pins need a bpffs" refused 1 "no bpffs is mounted" \
		net_segue --pin-dir /run/none interface attach a0
	ok "what was refused left nothing" nothing_left
}

check_auto() {
	ok "auto falls back to generic where the driver has no native mode" \
		net_segue interface attach lo --capacity 64
	ok "auto takes native mode where there is one" net_segue interface attach a0
	is "the modes" "$(nics)" "a0/1/native/true lo/0/generic/true"
	ids=$(map_ids)
	ok "detach all" net_segue interface detach --all
	# shellcheck disable=SC2086
	ok "nothing is left after detaching all" nothing_left $ids
}

# One order: segue interface attach makes the maps, ip link joins.
check_ip_link_second() {
	ok "we first" net_segue interface attach a0
	ids=$(map_ids)
	ok "ip link on the next interface" ip_link b0 xdpdrv obj $object sec xdp
	is "it uses our maps" "$(nics)" "a0/0/native/true b0/null/native/true"
	ok "attach gives it its slot and leaves the program" net_segue interface attach b0
	is "both have slots" "$(nics)" "a0/0/native/true b0/1/native/true"
	ok "ip link takes our program off" ip_link a0 xdp off
	is "the interface keeps its slot" "$(nics)" "a0/0/null/false b0/1/native/true"
	ok "attach again" net_segue interface attach a0
	is "... in the same slot" "$(nics)" "a0/0/native/true b0/1/native/true"
	net_segue interface detach --all >/dev/null
	# shellcheck disable=SC2086
	ok "nothing is left after ours, then ip link" nothing_left $ids
}

# The other: ip link makes the maps, all zero; the first command says what they are.
check_ip_link_first() {
	ok "ip link first, in generic mode" ip_link a0 xdpgeneric obj $object sec xdp
	is "a reader sees the program" "$(nics)" "a0/null/generic/true"
	ids=$(map_ids)
	ok "attach joins it" net_segue interface attach a0
	ok "... and another interface" net_segue interface attach b0
	is "both have slots, with the same maps" "$(nics) $(map_ids)" \
		"a0/0/generic/true b0/1/native/true $ids"
	ok "detach one, and the other" sh -c \
		'. tests/lib/net.sh; net_segue interface detach b0 && net_segue interface detach a0'
	# shellcheck disable=SC2086
	ok "nothing is left after ip link, then ours" nothing_left $ids
}

# xdp-loader makes xdp a directory where ip link makes a link: the pins are found all the same.
check_xdp_directory() {
	mkdir /sys/fs/bpf/xdp
	ok "with xdp a directory of its own: we first" net_segue interface attach a0
	ok "... ip link second" ip_link b0 xdpgeneric obj $object sec xdp
	is "... and the maps are shared" "$(nics)" "a0/0/native/true b0/null/generic/true"
	net_segue interface detach --all >/dev/null
	rmdir /sys/fs/bpf/xdp 2>/dev/null || true
}

check_other_program() {
	net_in relay ip link set dev b0 xdp obj "$NET_PASS" sec xdp
	other=$(net_in relay ip -j -d link show b0 | jq '.[0].xdp.prog.id')
	ok "another's program stays" refused 1 "(id $other), which is not ours" \
		net_segue interface attach b0 --capacity 64
	is "... untouched" "$(net_in relay ip -j -d link show b0 | jq '.[0].xdp.prog.id')" "$other"
	ok "... unless forced" net_segue interface attach b0 --force
	is "then ours runs" "$(nics)" "b0/0/native/true"
	ok "detach it" net_segue interface detach b0
}

check_other_layout() {
	mkdir -p $pins
	bpftool map create $pins/sg_meta_v1 type array key 4 value 8 entries 1 name sg_meta_v1
	ok "maps of another layout are refused" refused 1 "value size 8" \
		net_segue interface attach a0
	ok "... for readers too" refused 1 "value size 8" net_segue map list
	is "... and nothing was attached" "$(programs)" 0
	rm $pins/sg_meta_v1
	rmdir $pins
	rmdir /sys/fs/bpf/tc
	rm -f /sys/fs/bpf/xdp
}

known_parties() {
	net_in relay ip addr add 192.0.2.1/24 dev a0
	net_in relay ip addr add 198.51.100.1/24 dev b0
	net_in relay ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev a0
	net_in relay ip neigh add 198.51.100.9 lladdr 02:00:00:00:00:0a dev b0
}

# add NAME PORT [REMOTE-OF-A]
add() {
	net_segue stream add "$1" -a "192.0.2.1:$2=${3:-192.0.2.9}:4000" \
		-b "198.51.100.1:$2=198.51.100.9:4000"
}

check_streams_hold() {
	net_segue interface attach a0 --capacity 64 >/dev/null
	net_segue interface attach b0 >/dev/null
	ids=$(map_ids)
	ok "a stream" add one 30000
	ok "its interface is held" refused 1 "1 path of streams leaves through a0" \
		net_segue interface detach a0
	ok "... and so are all" refused 1 "1 streams are installed" net_segue interface detach --all
	is "... and nothing was taken off" "$(nics)" "a0/0/native/true b0/1/native/true"
	net_segue stream del one >/dev/null
	ok "without the stream it goes, though ports rest" net_segue interface detach a0
	ok "... and the other with it" net_segue interface detach b0
	# shellcheck disable=SC2086
	ok "nothing is left after streams" nothing_left $ids
}

check_forced() {
	net_segue interface attach a0 --capacity 64 >/dev/null
	net_segue interface attach b0 >/dev/null
	ids=$(map_ids)
	add one 30000 >/dev/null
	ok "forced, interfaces go with their streams" net_segue interface detach --all --force
	# shellcheck disable=SC2086
	ok "nothing is left after force" nothing_left $ids
}

# together COMMAND...: on a0 and b0 at the same time; how many failed.
together() {
	"$@" a0 >/dev/null 2>&1 &
	one=$!
	"$@" b0 >/dev/null 2>&1 &
	two=$!
	failed=0
	wait $one || failed=$((failed + 1))
	wait $two || failed=$((failed + 1))
	echo $failed
}

# One makes the maps and the other finds them; one of the last two takes them along.
check_first_together() {
	is "two first attaches at once: none fails" \
		"$(together net_segue interface attach --capacity 64)" 0
	is "... and both share the maps" "$(nics | sed 's|/[01]/|/slot/|g')" \
		"a0/slot/native/true b0/slot/native/true"
	ids=$(map_ids)
	is "two last detaches at once: none fails" "$(together net_segue interface detach)" 0
	# shellcheck disable=SC2086
	ok "nothing is left after both" nothing_left $ids
}

# A writer killed with the lock held, while it waits for a next hop that never answers: the lock is
# free, and what it had begun is collected by whoever comes next.
check_dead_writer() {
	net_segue interface attach a0 --capacity 64 >/dev/null
	net_segue interface attach b0 >/dev/null
	add silent 30000 192.0.2.77 >/dev/null 2>&1 &
	sleep 0.3
	pkill -KILL -P $! 2>/dev/null || kill -KILL $!
	wait $! 2>/dev/null || true
	ok "after a writer was killed, the next goes on" timeout 5 sh -c \
		'. tests/lib/net.sh; net_segue stream add next -a 192.0.2.1:30000=192.0.2.9:4000 \
			-b 198.51.100.1:30000=198.51.100.9:4000'
	is "only its stream is there" \
		"$(net_segue stream list --json | jq -r '[.data[].name] | join(" ")')" next
	is "... with two ports of each side" "$(net_segue port list --json | jq '.data | length')" 4
}

# Writers in parallel take turns: none is refused, none overwrites another.
check_parallel_writers() {
	writers=
	for n in 1 2 3 4 5 6 7 8; do
		add "call-$n" $((30100 + 2 * n)) >/dev/null 2>&1 &
		writers="$writers $!"
	done
	failed=0
	for writer in $writers; do
		wait "$writer" || failed=$((failed + 1))
	done
	is "eight writers at once: none is refused" $failed 0
	is "... and each has its stream" "$(net_segue stream list --json |
		jq -r '[.data[].name | select(startswith("call-"))] | sort | join(" ")')" \
		"call-1 call-2 call-3 call-4 call-5 call-6 call-7 call-8"
	net_segue interface detach --all --force >/dev/null
}

net_need "attach"
net_private "$0" "$@"
net_namespace relay
for pair in a b; do
	net_in relay ip link add name ${pair}0 type veth peer name ${pair}1
	for nic in ${pair}0 ${pair}1; do
		net_in relay ethtool -K "$nic" tx off >/dev/null
		net_in relay ip link set "$nic" up
	done
done
known_parties
check_ours_alone
check_refusals
check_auto
check_ip_link_second
check_ip_link_first
check_xdp_directory
check_other_program
check_other_layout
check_streams_hold
check_forced
check_first_together
check_dead_writer
check_parallel_writers
done_testing
