#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# segue-ua moves between two access networks (10 and 110 ms away) in a call through segued to a far end
# that knows nothing of it: each scheme, seen at both applications.
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "calls through segued"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh

# shellcheck source=tests/ua/lib.sh
. tests/ua/lib.sh

ok_here "segued runs between three networks" world
if ! controller_answers; then
	done_testing
	exit
fi

for scheme in handover replaces; do
	ok_here "$scheme: a call moves from wlan to umts" moves --scheme $scheme
	ok "$scheme: each packet once at both applications" clean
	ok "$scheme: copies came by both networks meanwhile" test "$(result alice .media.duplicates)" -gt 10
	is "$scheme: the far end saw no SIP" "$(field bob peer-changed .direction)" ""
	ok "$scheme: the registrar was told once" has alice registered 2
	ok "$scheme: nothing is left in the relay" await no_streams
done
for scheme in reinvite reregister; do
	ok_here "$scheme: a call moves from wlan to umts" moves --scheme $scheme
	is "$scheme: nothing of the far end's is twice" "$(result bob .media.duplicates)" 0
	is "$scheme: the far end saw no SIP" "$(field bob peer-changed .direction)" ""
	ok "$scheme: nothing is left in the relay" await no_streams
done
# From IPv4 to IPv6, each network with the address of segued that it knows.
crosses() {
	mover="--via wlan=10.1.0.2@10.1.0.1 --via umts=fd00:2::2@[fd00:2::1]"
	moves --scheme "$1"
}
for scheme in handover reinvite; do
	ok_here "$scheme: a call moves from IPv4 to IPv6" crosses $scheme
	ok "$scheme: each packet once at both applications, across families" clean
done
# A picture beside the voice: two streams of one call move together.
sees() {
	[ "$(result alice .video.lost)" = 0 ] && [ "$(result bob .video.lost)" = 0 ] &&
		[ "$(result bob .video.duplicates)" = 0 ] && [ "$(result alice .video.received)" -gt 20 ] &&
		[ "$(result bob .video.received)" -gt 20 ] && [ "$(result alice .video.duplicates)" -gt 5 ]
}
far="--video"
ok_here "voice and picture move together" moves --scheme handover --video
ok "each packet of the voice once at both applications" clean
ok "each packet of the picture once at both applications" sees
far=

# As on a laptop: a default route by each network, and nothing that chooses by the source.
laptop() {
	net_in mn ip rule del from 10.1.0.2 lookup 101
	net_in mn ip rule del from 10.2.0.2 lookup 102
	net_in mn ip route add default via 10.1.0.1 dev wlan0 metric 100
	net_in mn ip route add default via 10.2.0.1 dev umts0 metric 200
	mover="--via wlan=10.1.0.2%wlan0 --via umts=10.2.0.2%umts0 --proxy 10.1.0.1"
	moves --scheme handover
}
ok_here "with two default routes, bound to its devices, a call moves" laptop
ok "each packet once at both applications, too" clean

# The link goes, and comes back: without a word from anybody.
follows() {
	{ call --scheme handover --follow && net_in mn ip link set wlan0 down &&
		await has alice released && more 30; } || trouble
}
returns() {
	{ net_in mn ip link set wlan0 up &&
		net_in mn ip route replace default via 10.1.0.1 dev wlan0 metric 100 &&
		await has alice released 2 && more 30 && hang_up; } || trouble
}
outage() { # what the outage itself cost, at most a second of it
	lost=$(($(result alice .media.lost) + $(result bob .media.lost)))
	echo "lost $lost"
	[ $lost -lt 50 ]
}
ok_here "follow: the link in use goes, and the call moves by itself" follows
is "follow: to the network that is left" "$(field alice released .to)" umts
ok_here "follow: it comes back, and the call with it" returns
is "follow: to the network that is preferred" "$(field alice released .to)" wlan
ok "follow: the outage cost some packets" outage
# A standby leg, activated (PH-7, PH-9); where segued knows none, the far end is busy.
stands_by() {
	call --scheme backup --backup umts && await settled
}
settled() {
	has alice standby || has alice standby-failed
}
activates() {
	{ tell alice "move umts" && await has alice good && tell alice release &&
		await has alice released && more 30 && hang_up; } || trouble
}
ok_here "backup: a call with a second leg" stands_by
if has alice standby; then
	ok_here "backup: the standby leg is activated" activates
	is "backup: nothing of the far end's is twice" "$(result bob .media.duplicates)" 0
	is "backup: the far end saw no SIP" "$(field bob peer-changed .direction)" ""
	ok "backup: nothing is left in the relay" await no_streams
elif has alice standby-failed; then
	skip "backup: the standby leg is activated" "this segued keeps no standby legs"
	ok_here "backup: the call goes on without" hang_up
fi
ok_here "segued ends in order" controller_stop
done_testing
