#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Packets that are too big for their way out are answered, so that the sender's kernel learns the
# path MTU (RFC 1191, RFC 8201); what a router says about our own packets lowers the path's MTU,
# while `segue follow` runs, and reaches the stack in any case.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "path MTU"
net_private "$0" "$@"

# What n1 knows of the way to the relay.
mtu_known() { # FAMILY
	net_in n1 ip route get "$(address "$1" 1 1)" | sed -n 's/.* mtu \([0-9]*\).*/\1/p'
}

# learn FAMILY FAMILY WANTED: n1 sends 1300 bytes of UDP payload from a link of MTU 1500 to n2,
# where the relay's link has MTU 1280; its kernel must learn, and then refuse to send as much.
learn() {
	name="$mode: IPv$1 to IPv$2"
	from=$(at "$(address "$1" 1 2)" 5000) a=$(at "$(address "$1" 1 1)" "$port")
	to=$(at "$(address "$2" 2 2)" 6000) b=$(at "$(address "$2" 2 1)" "$port")
	must "$name: stream" net_segue stream add "mtu$port" -a "$a=$from" -b "$b=$to"
	is "$name: n1 knows nothing at first" "$(mtu_known "$1")" ""
	before=$(drops too-big)
	rm -f "$NET_DIR/icmp.log"
	net_start n1 icmp tcpdump --immediate-mode -l -n -vv -i e0 -Q in "icmp or (icmp6 and ip6[40] = 2)"
	net_until 5 grep -qs "listening on" "$NET_DIR/icmp.log"
	listen n2 ear "$to"
	talk n1 "$from" "$a" df size 1300
	net_until 2 sh -c ". tests/lib/net.sh; . tests/relay/lib.sh
		net_in n1 ip route get $(address "$1" 1 1) | grep -q mtu"
	is "$name: n1 learns the MTU" "$(mtu_known "$1")" "$3"
	is "$name: it is counted" "$(drops too-big)" $((before + 1))
	is "$name: n1 refuses to send as much" "$(talk n1 "$from" "$a" df size 1300)" "1 too big"
	case $1 in 4) largest=$(($3 - 28)) ;; 6) largest=$(($3 - 48)) ;; esac
	talk n1 "$from" "$a" df size "$largest" seq 2
	is "$name: what fits arrives" "$(heard ear)" \
		"$to packets 1 damaged 0 doubled 0 ttl 63-63 tos 0-0 from $b"
	ok "$name: the answer has the relay's address, quotes the packet, checksums" \
		answer "$1" "$from" "$a" "$3"
	net_in n1 ip route flush cache
	net_in n1 ip -6 route flush cache
	net_segue stream del "mtu$port" >/dev/null
	port=$((port + 2))
}

answer() { # FAMILY FROM A MTU
	net_until 2 grep -qE "mtu $4" "$NET_DIR/icmp.log"
	net_stop icmp
	cat "$NET_DIR/icmp.log"
	relay=$(address "$1" 1 1) party=$(address "$1" 1 2)
	case $1 in
	4) grep -q "$relay > $party: ICMP $relay unreachable - need to frag (mtu $4)" "$NET_DIR/icmp.log" &&
		grep -q "$party.5000 > $relay.${3##*:}: UDP, length 1300\|$party.5000 > $relay.${3##*:}:.*UDP" \
			"$NET_DIR/icmp.log" ;;
	6) grep -qE "$relay > $party: \[icmp6 sum ok\] ICMP6, packet too big, mtu $4" "$NET_DIR/icmp.log" ;;
	esac && ! grep -E "wrong icmp cksum|bad icmp6 cksum|\(->" "$NET_DIR/icmp.log"
}

# ---- about our packets ---------------------------------------------------------------------------

path_mtu() { # the MTU of side b's path
	net_segue stream show far --json | jq '[.data.paths[] | select(.side == "b")][0].mtu'
}

# A router behind n2 with a narrow link says so, to us: we are the source of what it dropped.
router_says() { # FAMILY WANTED
	name="$mode: a router's IPv$1 message"
	case $1 in 4) far=10.9.0.2 via=10.0.2.2 ;; 6) far=fd00:9::2 via=fd00:2::2 ;; esac
	net_in relay ip route add "$far" via "$via"
	must "$name: stream" net_segue stream add far \
		-a "$(at "$(address "$1" 1 1)" "$port")=$(at "$(address "$1" 1 2)" 5000)" \
		-b "$(at "$(address "$1" 2 1)" "$port")=$(at "$far" 6000)"
	is "$name: the path's MTU at first" "$(path_mtu)" 1500
	icmp_before=$(drops icmp)
	talk n1 "$(at "$(address "$1" 1 2)" 5000)" "$(at "$(address "$1" 1 1)" "$port")" size 1400
	net_until 2 sh -c "[ \$(. tests/lib/net.sh; . tests/relay/lib.sh; drops icmp) -gt $icmp_before ]"
	is "$name: counted, passed to the stack" "$(drops icmp)" $((icmp_before + 1))
	net_until 2 sh -c ". tests/lib/net.sh; net_segue stream show far --json |
		tests/lib/holds '[.data.paths[] | select(.side == \"b\")][0].mtu == $2'" >/dev/null
	is "$name: the path's MTU" "$(path_mtu)" "$2"
	# From now on the sender is told by us.
	talk n1 "$(at "$(address "$1" 1 2)" 5000)" "$(at "$(address "$1" 1 1)" "$port")" size 1400 seq 2 df
	net_until 2 sh -c "net_known() { nsenter --net=/run/netns/n1 ip route get $(address "$1" 1 1); }
		net_known | grep -q 'mtu $2'"
	is "$name: n1 learns it from us" "$(mtu_known "$1")" "$2"
	net_in n1 ip route flush cache
	net_in n1 ip -6 route flush cache
	net_segue stream del far >/dev/null
	net_in relay ip route del "$far" via "$via"
	port=$((port + 2))
}

narrow_router() { # n2 forwards to n9 over a link of MTU 1300
	net_namespace n9
	net_in n2 ip link set dev e0 xdp off
	net_in n2 sh -c '. tests/lib/net.sh
		net_sysctl ipv4/ip_forward=1 ipv6/conf/all/forwarding=1'
	net_veth n2 e9 n9 e0
	net_in n2 ip link set e9 mtu 1300
	net_in n9 ip link set e0 mtu 1300
	net_in n2 ip addr add 10.9.0.1/24 dev e9
	net_in n2 ip addr add fd00:9::1/64 dev e9 nodad
	net_in n9 ip addr add 10.9.0.2/24 dev e0
	net_in n9 ip addr add fd00:9::2/64 dev e0 nodad
	net_in n2 ip link set dev e0 xdp obj "$NET_PASS" sec xdp
}

relay_world 2
narrow_router
port=30000
for mode in native generic; do
	must "$mode: attach" relay_attach $mode r1 r2
	net_in relay ip link set r2 mtu 1280
	learn 4 4 1280
	learn 6 6 1280
	learn 4 6 1260
	learn 6 4 1300
	net_in relay ip link set r2 mtu 1500
	net_in relay ip addr replace fd00:2::1/64 dev r2 nodad
	rm -f "$NET_DIR/follow.log"
	net_follow
	sleep 0.3
	router_says 4 1300
	router_says 6 1300
	net_stop follow
	diag "$mode: $(cat "$NET_DIR/follow.log")"
	relay_detach
done
done_testing
