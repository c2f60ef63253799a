# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What the relay's tests share: a relay with as many NICs as wanted, each to a party of its own.
# Source it from the repository's root after tap.sh and net.sh.
#
#   relay: r1 --veth-- e0 :n1        10.0.1.1, fd00:1::1   |   10.0.1.2, fd00:1::2
#          r2 --veth-- e0 :n2        10.0.2.1, fd00:2::1   |   10.0.2.2, fd00:2::2  ...

RELAY_TOOLS=build/tests/relay
RELAY_CAPACITY=1024

# relay_nic NUMBER: NIC rNUMBER and the party nNUMBER.
relay_nic() {
	net_namespace "n$1"
	net_veth relay "r$1" "n$1" e0
	net_in "n$1" ip link set dev e0 xdp obj "$NET_PASS" sec xdp
	for relay_end in relay:1:r n:2:e; do
		relay_host=${relay_end#*:}
		relay_ns=${relay_end%%:*} relay_dev=e0
		[ "$relay_ns" = relay ] && relay_dev=r$1 || relay_ns=n$1
		net_in "$relay_ns" ip addr add "10.0.$1.${relay_host%:*}/24" dev "$relay_dev"
		net_in "$relay_ns" ip addr add "fd00:$1::${relay_host%:*}/64" dev "$relay_dev" nodad
	done
}

# relay_world COUNT: that many NICs. Nobody forwards but our program.
relay_world() {
	net_namespace relay
	for relay_each in $(seq "$1"); do
		relay_nic "$relay_each"
	done
}

# relay_load_world: two NICs; the second has the addresses and neighbours that streams under load
# take in turn. No program on its party, where relay_see counts. Nothing but media is in the veths,
# and the first packets need not wait until a neighbour answers: those that are too many are dropped
# there, and nobody counts them.
relay_load_world() {
	relay_world 2
	for relay_each in relay n1 n2; do
		net_in $relay_each sh -c '. tests/lib/net.sh; net_sysctl ipv6/conf/all/disable_ipv6=1'
	done
	net_in n1 ip neigh replace 10.0.1.1 lladdr "$(net_mac relay r1)" dev e0 nud permanent
	net_in n2 ip link set dev e0 xdp off
	for relay_each in 0 1 2 3; do
		net_in relay ip addr add 10.0.2.$((8 + relay_each))/24 dev r2
		net_in relay ip neigh add 10.0.2.$((20 + relay_each)) lladdr 02:00:00:00:00:0$relay_each \
			dev r2 nud permanent
	done
}

# relay_attach MODE NIC...: small maps.
relay_attach() {
	relay_mode=$1
	shift
	for relay_each in "$@"; do
		net_segue interface attach "$relay_each" --mode "$relay_mode" \
			--capacity $RELAY_CAPACITY >/dev/null || return
	done
}

relay_detach() {
	net_segue interface detach --all --force >/dev/null
}

# at ADDRESS PORT: an endpoint, IPv6 in brackets.
at() {
	case $1 in
	*:*) echo "[$1]:$2" ;;
	*) echo "$1:$2" ;;
	esac
}

# address FAMILY NIC HOST
address() {
	case $1 in
	4) echo "10.0.$2.$3" ;;
	6) echo "fd00:$2::$3" ;;
	esac
}

# listen NAMESPACE NAME ENDPOINT...: collects what arrives (rtp-end recv) until told by `heard`.
listen() {
	listen_ns=$1 listen_name=$2
	shift 2
	rm -f "$NET_DIR/$listen_name.log" # what an earlier one said
	net_start "$listen_ns" "$listen_name" $RELAY_TOOLS/rtp-end recv "$@"
	net_until 5 grep -qs listening "$NET_DIR/$listen_name.log"
}

# heard NAME: ends `listen`; what it saw: a line for each endpoint.
heard() {
	kill -TERM "$(cat "$NET_DIR/$1.pid")"
	net_until 5 grep -qs '^end$' "$NET_DIR/$1.log"
	grep -vE '^(listening|end)$' "$NET_DIR/$1.log"
}

# relay_see: counts what arrives at n2 (seen) until relay_seen.
relay_see() {
	rm -f "$NET_DIR/seen.log"
	net_start n2 seen $RELAY_TOOLS/seen build/tests/relay/seen.bpf.o e0
	net_until 5 grep -qs listening "$NET_DIR/seen.log"
}

# relay_seen: ends relay_see when nothing arrives any more; what it saw is in $NET_DIR/seen. What is
# on its way when a load ends may wait for a busy machine.
relay_seen() {
	net_until 10 relay_rests
	heard seen >"$NET_DIR/seen"
}

relay_rests() {
	relay_came=$(relay_came)
	sleep 0.3
	[ "$(relay_came)" = "$relay_came" ]
}

relay_came() {
	net_in n2 ethtool -S e0 | awk '/rx_queue_[0-9]*_xdp_packets/ { n += $2 } END { print n + 0 }'
}

# relay_dropped NAMESPACE NIC: how many packets that a NIC sent its peer had no room for. A veth
# drops them when the machine is too busy to empty its receiver's queue.
relay_dropped() {
	net_in "$1" ip -s -j link show "$2" | jq '.[0].stats64.tx.dropped'
}

# relay_sent: how many packets of each stream rtp-load sent, by its output in load.log.
relay_sent() {
	sed -n 's/^sent \([0-9]*\) of.*/\1/p' "$NET_DIR/load.log"
}

# talk NAMESPACE LOCAL REMOTE [OPTION...]: sends RTP (rtp-end send).
talk() {
	talk_ns=$1
	shift
	net_in "$talk_ns" $RELAY_TOOLS/rtp-end send "$@"
}

# drops REASON: how many there were.
drops() {
	net_segue drop list --json | jq -r "[.. | objects | select(.reason? == \"$1\" or
		.name? == \"$1\") | .packets // .count] | first"
}

# maps: a line for each map: its name and a sum over all that it holds.
maps() {
	net_in relay $RELAY_TOOLS/map-sum /sys/fs/bpf/xdp/globals
}

# must NAME COMMAND...: like ok, but without it the rest makes no sense.
# shellcheck disable=SC2154 # of tap.sh
must() {
	must_failed=$tap_failed
	ok "$@"
	[ "$tap_failed" = "$must_failed" ] || {
		done_testing
		exit 1
	}
}
