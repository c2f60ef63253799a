#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Two paths that both lose 5 % (REQUIREMENTS D.10): what is lost in the end is what both paths lost,
# packet by packet, and nothing arrives twice. Both directions, IPv4 and IPv6, native and generic.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/tap.sh
. tests/lib/net.sh

packets=3750 # of each party, 250 a second: 15 s

# ---- one relay (inside its own world) ------------------------------------------------------------

start_call() { # FAMILY
	mn_0=$(net_endpoint mn wlan "$1" 5004) relay_0=$(net_endpoint relay wlan "$1" 30000)
	mn_1=$(net_endpoint mn umts "$1" 5004) relay_1=$(net_endpoint relay umts "$1" 30002)
	cn_0=$(net_endpoint cn core "$1" 6004) relay_b=$(net_endpoint relay core "$1" 30004)
	net_segue stream add "v$1" -a "$relay_0=$mn_0" -b "$relay_b=$cn_0"
	net_segue path add "v$1" a "$relay_1=$mn_1"
	net_peer mn "mn-$1" --path "$mn_0=$relay_0" --path "$mn_1=$relay_1" --ssrc "100$1" \
		--count $packets --pps 250
	net_peer cn "cn-$1" --path "$cn_0=$relay_b" --ssrc "200$1" --count $packets --pps 250
}

run_relay() { # MODE
	net_topology several
	net_attach "$1"
	net_follow
	start_call 4
	start_call 6
	net_tell wlan "loss 5"
	net_tell umts "loss 5"
	for family in 4 6; do
		net_tell mn-$family "send 0 on
send 1 on"
		net_tell cn-$family "send 0 on"
	done
	net_finish mn-4 cn-4 mn-6 cn-6
	net_stop wlan umts follow
	cp $NET_DIR/*.csv $NET_DIR/*.log $NET_DIR/*.json "$out"
}

# ---- what must be true ---------------------------------------------------------------------------

# lost_on MODE LINK SSRC: sequence numbers that the simulator says it lost.
lost_on() {
	awk -F, -v ssrc="$3" '$3 == "loss" && $5 == "rtp" && $9 == ssrc { print $10 }' \
		"$logs/$1/$2.csv" | sort
}

# lost_for MODE SENDER RECEIVER: those that never reached the application.
lost_for() {
	$NET_TOOLS/rtp-report lost x "$logs/$1/$2.csv" "$logs/$1/$3.csv" | sort
}

# report MODE SENDER RECEIVER FILTER
report() {
	$NET_TOOLS/rtp-report json x "$logs/$1/$2.csv" "$logs/$1/$3.csv" | jq -r ".x | $4"
}

# 5 % of 3750 is 187 +- 13; 0.25 % is 9.4 +- 3.1: five deviations on either side.
plausible() { # COUNT MINIMUM MAXIMUM
	echo "$1 lost, wanted $2 to $3"
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

check_direction() { # MODE SENDER RECEIVER SSRC
	name="$1, $2 to $3"
	lost_on "$1" wlan "$4" >"$logs/wlan"
	lost_on "$1" umts "$4" >"$logs/umts"
	comm -12 "$logs/wlan" "$logs/umts" >"$logs/both"
	ok "$name: WLAN loses 5 %" plausible "$(wc -l <"$logs/wlan")" 120 254
	ok "$name: UMTS loses 5 %" plausible "$(wc -l <"$logs/umts")" 120 254
	ok "$name: both lose 0.25 %" plausible "$(wc -l <"$logs/both")" 1 25
	is "$name: lost = what both lost" "$(lost_for "$1" "$2" "$3" | tr '\n' ' ')" \
		"$(tr '\n' ' ' <"$logs/both")"
	is "$name: sent, delivered twice, damaged" \
		"$(report "$1" "$2" "$3" '"\(.sent) \(.doubled) \(.foreign) \(.corrupt)"')" "$packets 0 0 0"
}

check_mode() {
	if [ ! -e "$logs/$1/umts.json" ]; then
		ok "$1: the relay ran" sh -c "cat $logs/$1/output $logs/$1/*.log; false"
		return
	fi
	for family in 4 6; do
		check_direction "$1" mn-$family cn-$family 100$family
		check_direction "$1" cn-$family mn-$family 200$family
	done
}

if [ "${1:-}" = relay ]; then
	net_private "$0" "$@"
	out=$3
	run_relay "$2"
	exit
fi

net_need "lossy paths"
logs=$(net_scratch)
trap 'rm -rf "$logs"' EXIT
trap 'exit 143' TERM INT HUP
running=
for mode in native generic; do
	mkdir "$logs/$mode"
	setpriv --pdeathsig TERM "$0" relay $mode "$logs/$mode" >"$logs/$mode/output" 2>&1 &
	running="$running $!"
done
for process in $running; do
	wait "$process" || true
done
check_mode native
check_mode generic
done_testing
