#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What must be the same on every kernel, in native and in generic mode: the program goes on a NIC by
# our command and by plain `ip link`, a call gets a second path and loses its first one while both
# parties send, every packet arrives exactly once, and nothing stays behind. In generic mode a second
# path is refused where this kernel lets copies share their bytes, and works where it does not.
# It runs as well without a guest.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/tap.sh
. tests/lib/net.sh

object=build/bpf/segue.bpf.o
# Packets of each party at most, 50 a second: a burst of 200 would overflow a veth. A call lasts as long
# as it needs, since an emulated machine may take seconds for a command.
count=20000
# shellcheck disable=SC2034 # net.sh reads it
NET_LAYOUT=several
links="wlan umts core"

# The mobile party has wlan and umts, the far end core; all are plain veths to the relay.
make_world() {
	for space in relay mn cn; do
		net_namespace $space
	done
	for link in $links; do
		party=mn
		[ $link != core ] || party=cn
		net_veth relay $link $party $link
		net_give_address relay $link relay $link
		net_give_address $party $link $party $link
		net_in $party ip link set dev $link xdp obj $NET_PASS sec xdp
	done
}

# ---- attaching -----------------------------------------------------------------------------------

# attached: "name/mode/ours" of every NIC that runs a program.
attached() {
	net_segue interface list --json | jq -r '[.data[] | select(.mode) |
		"\(.name)/\(.mode)/\(.ours)"] | sort | join(" ")'
}

ours() { # MODE: by our command, with maps for a small number of streams
	for link in $links; do
		ok "$1: segue interface attach $link" \
			net_segue interface attach $link --mode "$1" --capacity 1024
	done
}

ip_link() { # MODE: by plain ip link, with maps of the full size; then each gets its slot
	flag=xdpdrv
	[ "$1" = native ] || flag=xdpgeneric
	for link in $links; do
		ok "$1: ip link set dev $link $flag" \
			net_in relay ip link set dev $link $flag obj $object sec xdp
		ok "$1: $link gets its slot" net_segue interface attach $link --mode "$1"
	done
}

attach() { # MODE ours|ip_link
	"$2" "$1"
	is "$1: all run our program" "$(attached)" "core/$1/true umts/$1/true wlan/$1/true"
	maps=$(net_segue map list --json | jq -r '[.data[].id] | join(" ")')
}

maps_are_gone() {
	for id in $maps; do
		! bpftool map show id "$id" 2>/dev/null || return 1
	done
}

nothing_left() {
	find /sys/fs/bpf -mindepth 1
	net_in relay ip link show
	[ "$(find /sys/fs/bpf -mindepth 1 ! -name '*.debug' | wc -l)" = 0 ] &&
		[ "$(net_in relay ip link show | grep -c xdp)" = 0 ] && net_until 20 maps_are_gone
}

detach() { # MODE
	ok "$1: detach all" net_segue interface detach --all
	ok "$1: nothing is left" nothing_left
}

# ---- a call --------------------------------------------------------------------------------------

start_call() { # FAMILY MODE
	first="$(net_endpoint relay wlan "$1" 30000)=$(net_endpoint mn wlan "$1" 5000)"
	second="$(net_endpoint relay umts "$1" 30002)=$(net_endpoint mn umts "$1" 5000)"
	far="$(net_endpoint relay core "$1" 30004)=$(net_endpoint cn core "$1" 6000)"
	ok "$2: IPv$1: stream add" net_segue stream add "v$1" -a "$first" -b "$far"
	net_peer mn "mn-$1" --path "${first#*=}=${first%%=*}" --path "${second#*=}=${second%%=*}" \
		--count $count --seconds 900 --ssrc "10$1" --seq 65400 --linger 2000
	net_peer cn "cn-$1" --path "${far#*=}=${far%%=*}" --count $count --seconds 900 --ssrc "20$1" \
		--linger 2000
	net_tell "mn-$1" "send 0 on"
	net_tell "cn-$1" "send 0 on"
}

add_path() { # FAMILY
	net_segue path add "v$1" a "$(net_endpoint relay umts "$1" 30002)=$(net_endpoint mn umts "$1" 5000)"
}

# carries NAME PATH PACKETS: the relay has had so many on side A's path, and sent so many there.
carries() {
	net_segue path list "$1" --json | tests/lib/holds ".data | any(.side == \"a\" and .index == $2 and
		.packets >= $3 and .sent_packets >= $3)" >/dev/null
}

# await COMMAND...: an emulated machine has better things to do than looking all the time.
await() {
	tries=60
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 1
	done
}

move_call() { # FAMILY MODE
	ok "$2: IPv$1: path add" add_path "$1"
	net_tell "mn-$1" "send 1 on"
	ok "$2: IPv$1: both paths carry the call" await carries "v$1" 1 60
	ok "$2: IPv$1: path del" net_segue path del "v$1" a 0 --no-wait
	net_tell "mn-$1" "send 0 off"
}

# report FAMILY: what became of both directions, as "up.sent up.once ..." for jq.
report() {
	$NET_TOOLS/rtp-report json up "$NET_DIR/mn-$1.csv" "$NET_DIR/cn-$1.csv" \
		down "$NET_DIR/cn-$1.csv" "$NET_DIR/mn-$1.csv"
}

fate() { # FAMILY up|down
	report "$1" | jq -r ".$2 | \"sent \\(.sent) once \\(.received_once) lost \\(.lost)\" +
		\" doubled \\(.doubled) foreign \\(.foreign) corrupt \\(.corrupt)\""
}

# Two copies came to the mobile party for as long as both paths were there, and two left it.
copies() { # FAMILY
	report "$1"
	report "$1" | tests/lib/holds '.down.removed > 40 and .up.copies_sent - .up.sent > 40'
}

no_copies() { # FAMILY
	report "$1" | tests/lib/holds '.down.removed == 0'
}

end_call() { # FAMILY MODE copies|no_copies
	ok "$2: IPv$1: the call goes on" await carries "v$1" "$([ "$3" = copies ] && echo 1 || echo 0)" 120
	net_tell "mn-$1" stop
	net_tell "cn-$1" stop
	net_finish "mn-$1" "cn-$1"
	for direction in up down; do
		fate=$(fate "$1" $direction)
		sent=$(echo "$fate" | sed -n 's/^sent \([0-9]*\) .*/\1/p')
		is "$2: IPv$1: $direction: every packet exactly once" "$fate" \
			"sent $sent once $sent lost 0 doubled 0 foreign 0 corrupt 0"
	done
	ok "$2: IPv$1: $3 at the mobile party" "$3" "$1"
	ok "$2: IPv$1: stream del" net_segue stream del "v$1"
}

# What arrived twice was removed once; nothing else was dropped.
only_duplicates() {
	net_segue drop list --json |
		jq -r '[.data[] | select(.fate == "drop" and .count > 0) | .name] | join(" ")'
}

# ---- generic mode --------------------------------------------------------------------------------

# What was measured of this kernel; elsewhere the relay's own experiment is believed.
known_verdict() {
	case "$(uname -v) $(uname -r)" in
	*6.1.176* | *6.12.95*) echo shared ;;
	*6.1.192* | *" 6.18."*) echo private ;;
	esac
}

# Refused by name, with a way out.
refused_clearly() {
	if text=$(add_path 4 2>&1); then
		echo "path add was not refused"
		return 1
	fi
	echo "$text"
	echo "$text" | grep -q 'generic mode.*share their bytes.*native mode'
}

verdict() {
	if refused_clearly >/dev/null; then
		echo shared
	else
		net_segue path del v4 a 1 --no-wait >/dev/null && echo private
	fi
}

check_verdict() {
	net_segue stream add v4 -a "$(net_endpoint relay wlan 4 30000)=$(net_endpoint mn wlan 4 5000)" \
		-b "$(net_endpoint relay core 4 30004)=$(net_endpoint cn core 4 6000)" >/dev/null
	verdict=$(verdict)
	diag "generic copies on $(uname -r): $verdict"
	if [ -n "$(known_verdict)" ]; then
		is "generic: the relay finds out whether copies share bytes" "$verdict" "$(known_verdict)"
	else
		skip "generic: the relay finds out whether copies share bytes" \
			"nobody measured $(uname -r) yet"
	fi
	net_segue stream del v4 >/dev/null
	# Ports of a removed stream rest: the maps must be new for the call that follows.
	net_segue interface detach --all >/dev/null
}

# ---- one mode ------------------------------------------------------------------------------------

moving() { # MODE ours|ip_link FAMILY...
	attached_by=$2 mode=$1
	attach "$1" "$2"
	shift 2
	for family in "$@"; do
		start_call "$family" "$mode"
	done
	for family in "$@"; do
		move_call "$family" "$mode"
	done
	for family in "$@"; do
		end_call "$family" "$mode" copies
	done
	is "$mode, $attached_by: only second copies were dropped" "$(only_duplicates)" duplicate
	detach "$mode"
}

staying() { # MODE ours|ip_link: the second path is refused, and the call does not notice
	attach "$1" "$2"
	start_call 4 "$1"
	ok "$1: a second path is refused, and why" refused_clearly
	end_call 4 "$1" no_copies
	is "$1: nothing was dropped" "$(only_duplicates)" ""
	detach "$1"
}

net_need "the relay on this kernel"
net_private "$0" "$@"
diag "$(uname -srv)"
make_world
moving native ours 4 6
moving native ip_link 4
attach generic ours
check_verdict
case $verdict in
private)
	moving generic ours 4 6
	moving generic ip_link 4
	;;
*)
	staying generic ours
	staying generic ip_link
	;;
esac
done_testing
