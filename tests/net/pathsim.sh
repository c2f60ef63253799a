#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The path simulator and the RTP endpoints themselves, through a plain router in the relay's place:
# the other tests believe what they say.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/tap.sh
. tests/lib/net.sh

route_instead_of_relay() {
	net_in relay sh -c '. tests/lib/net.sh
		net_sysctl ipv4/ip_forward=1 ipv6/conf/all/forwarding=1'
	net_route mn cn core relay wlan
	net_route cn mn wlan relay core
}

# count NAME FILTER of the report of what MN sent and CN got
count() {
	$NET_TOOLS/rtp-report json x "$NET_DIR/$1-mn.csv" "$NET_DIR/$1-cn.csv" | jq -r ".x | $2"
}

# call NAME FAMILY PORT: both ends, 100 packets each way over WLAN.
call() {
	mn=$(net_endpoint mn wlan "$2" "$3") cn=$(net_endpoint cn core "$2" "$3")
	net_peer mn "$1-mn" --path "$mn=$cn" --count 100 --ssrc 1
	net_peer cn "$1-cn" --path "$cn=$mn" --count 100 --ssrc 2
	net_tell "$1-cn" "send 0 on"
	net_tell "$1-mn" "send 0 on"
}

between() { # VALUE MINIMUM MAXIMUM
	awk -v v="$1" -v min="$2" -v max="$3" 'BEGIN { print v; exit !(v >= min && v <= max) }'
}

check_drops() {
	net_tell wlan "drop rtp ip4 seq=65530-2"
	call v4 4 5004
	call v6 6 5006
	net_finish v4-mn v4-cn v6-mn v6-cn
	is "a drop list over the wrap of the sequence number" \
		"$($NET_TOOLS/rtp-report lost x "$NET_DIR/v4-mn.csv" "$NET_DIR/v4-cn.csv" | tr '\n' ' ')" \
		"65530 65531 65532 65533 65534 65535 0 1 2 "
	is "... and of IPv4 only" "$(count v6 '"\(.sent) \(.received_once) \(.lost)"')" "100 100 0"
	ok "WLAN takes 10 ms" between "$(count v6 .min_delay_ms)" 10 12
	is "sender reports arrive" "$(count v6 '.paths[0].rtcp_sent == .paths[0].rtcp_received')" true
	net_tell wlan nodrop
}

# last_delay NAME: the shortest way in ms of the last 20 packets that CN got: what is more was the machine's.
last_delay() {
	awk -F, 'NR == FNR { if ($1 == "rtp-sent") sent[$5] = $2; next }
		$1 == "rtp-received" { way[++count] = ($2 - sent[$5]) / 1e6 }
		END { least = way[count]; for (i = count - 19; i < count; i++) if (way[i] < least) least = way[i]; print least }' \
		"$NET_DIR/$1-mn.csv" "$NET_DIR/$1-cn.csv"
}

now_ms() {
	echo $((($(date +%s%N) - NET_CLOCK) / 1000000))
}

# A busy machine makes the cut longer: it is as long as from one command to the other, at least and at most.
check_commands() {
	call moving 4 5010
	net_at 500
	from=$(now_ms)
	net_tell wlan cut
	least=$(now_ms)
	net_at 800
	least=$(($(now_ms) - least))
	net_tell wlan "delay 60 ab" # before a packet can pass with the old one
	net_tell wlan heal
	most=$(($(now_ms) - from))
	net_finish moving-mn moving-cn
	ok "a cut of 0.3 s loses about 15 packets" between "$(count moving .lost)" $((least / 20 - 2)) $((most / 20 + 3))
	ok "... and is a gap of 0.3 s and the new delay" between "$(count moving .max_gap_ms)" $((least + 40)) $((most + 120))
	ok "the delay changes on the way" between "$(last_delay moving)" 60 75
}

check_reordering() {
	net_tell wlan "delay 10"
	net_tell wlan "reorder 20:50 ab"
	call mixed 4 5020
	net_finish mixed-mn mixed-cn
	is "reordering loses and doubles nothing" \
		"$(count mixed '"\(.received_once) \(.lost) \(.doubled)"')" "100 0 0"
	ok "one packet in five is late" between "$(count mixed .reordered)" 5 40
	ok "... by 50 ms: 2 or 3 packets" between "$(count mixed .reorder_depth)" 2 3
}

# A double that the network made is told apart from a second path's copy.
check_doubles() {
	net_tell wlan "reorder 0:0"
	net_tell wlan "double 20 ab"
	call twice 4 5030
	net_finish twice-mn twice-cn
	is "doubles are counted and not given to the application" \
		"$(count twice '"\(.received_once) \(.lost) \(.copies_received - .doubled)"')" "100 0 100"
	ok "one packet in five is doubled" between "$(count twice .doubled)" 5 40
}

net_need "path simulator"
net_private "$0" "$@"
net_topology several
route_instead_of_relay
check_drops
net_clock
check_commands
check_reordering
check_doubles
net_stop wlan
ok "the simulator missed nothing" tests/lib/holds 'all(.ab, .ba; .missed == 0 and .error == 0 and
	.partial_checksum == 0)' $NET_DIR/wlan.json
done_testing
