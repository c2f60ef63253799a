#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# controller/call/media.h for real: media-drive in a relay between three parties, told by a FIFO.
#
#   n1 --r1-- relay --r2-- n2      relay: 10.0.N.1, fd00:N::1 on rN
#                   --r3-- n3
# MEDIA_DRIVE names another build of the driver.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "the media room"
net_private "$0" "$@"

drive=${MEDIA_DRIVE:-build/tests/media/media-drive}
# ---- the driver ----------------------------------------------------------------------------------

# start OPTION...: with 10 pairs of ports on each address.
start() {
	rm -f "$NET_DIR/tell" "$NET_DIR/drive.log"
	mkfifo "$NET_DIR/tell"
	# shellcheck disable=SC2016 # for the inner shell: what is in the background reads /dev/null else
	net_start relay drive env SEGUE_OBJECT_DIR=build/bpf SEGUE_SHORT_TIMES=1 TELL="$NET_DIR/tell" \
		sh -c 'exec "$0" "$@" 0<>"$TELL"' "$drive" --ports 30000-30019 --capacity 256 "$@"
	said '^(ready|failed)' 10
}

start_usual() {
	start --interface r1,native,10.0.1.1,fd00:1::1 --interface r2,native,10.0.2.1,fd00:2::1 \
		--interface r3,native,10.0.3.1,fd00:3::1 --dscp 46
}

tell() {
	echo "$*" >"$NET_DIR/tell"
}

stop() {
	tell quit
	said '^bye$' && net_until 10 dead "$(cat "$NET_DIR/drive.pid")" &&
		! grep -A 30 'Sanitizer' "$NET_DIR/drive.log"
}

dead() { # PROCESS
	! test -e "/proc/$1/fd/0"
}

# next NAME STEP: the number so far, which grows by STEP. In a file: `ok` runs in a subshell.
next() {
	next_now=$(cat "$NET_DIR/next.$1" 2>/dev/null || echo 1)
	echo $((next_now + $2)) >"$NET_DIR/next.$1"
	echo "$next_now"
}

# said PATTERN [SECONDS]: it has said that, or does in time.
said() {
	net_until "${2:-5}" grep -qE "$1" "$NET_DIR/drive.log" || {
		echo "wanted: $1"
		tail -n 30 "$NET_DIR/drive.log"
		return 1
	}
}

# asked PATTERN COMMAND...: tells it, and it answers so.
asked() {
	asked_pattern=$1
	shift
	tell "$@"
	said "$asked_pattern"
}

# port NAME: what it reserved.
port() {
	sed -n "s/^reserve $1 \\(.*[0-9]\\)$/\\1/p" "$NET_DIR/drive.log" | tail -n 1
}

reserve() { # NAME PARTY
	tell "reserve $1 $2"
	said "^reserve $1 "
}

# reserves PARTY PATTERN: sooner or later that is what it gets (addresses that go and come).
reserves() {
	for each in $(seq 50); do
		tries=$(next try 1)
		tell "reserve try$tries $1"
		said "^reserve try$tries " || return
		grep -qE "^reserve try$tries $2" "$NET_DIR/drive.log" && return
		tell "release try$tries"
		sleep 0.1
	done
	tail -n 5 "$NET_DIR/drive.log"
	return 1
}

# ---- traffic -------------------------------------------------------------------------------------

# flows NAMESPACE ENDPOINT SOURCE-NAMESPACE LOCAL REMOTE: 10 packets from there arrive here. Their
# numbers go on from one to the next, so that none is a copy of an earlier one.
flows() {
	listen "$1" ear "$2"
	talk "$3" "$4" "$5" count 10 seq "$(next seq 10)"
	heard ear >"$NET_DIR/heard"
	cat "$NET_DIR/heard"
	grep -qE "^$(printf %s "$2" | sed 's/[][]/\\&/g') packets 10 damaged 0 doubled 0 " "$NET_DIR/heard"
}

# ---- ports ---------------------------------------------------------------------------------------

exhaust() {
	for each in 1 2 3 4 5 6 7 8 9 10 11; do
		tell "reserve all$each 10.0.2.2"
	done
	said '^reserve all10 10\.0\.2\.1:' && said '^reserve all11 ENOSPC$' || return
	[ "$(grep '^reserve all' "$NET_DIR/drive.log" | sort -u -k 3 | wc -l)" = 11 ]
}

give_back() {
	for each in 1 2 3 4 5 6 7 8 9 10; do
		tell "release all$each"
	done
	asked '^reserve again 10\.0\.2\.1:' reserve again 10.0.2.2 && tell release again
}

try_ports() {
	ok "a port is even and on the address towards the party" asked '^reserve p1 10\.0\.1\.1:300[0-1][02468]$' \
		reserve p1 10.0.1.2
	ok "another party, another address" asked '^reserve p2 10\.0\.2\.1:300[0-1][02468]$' \
		reserve p2 10.0.2.2
	ok "IPv6 too" asked '^reserve p3 \[fd00:2::1\]:300[0-1][02468]$' reserve p3 fd00:2::2
	tell release p2
	ok "a pool that is empty says so; no port was given twice" exhaust
	ok "ports that were never used go back at once" give_back
	tell release p1
	tell release p3
}

# ---- streams -------------------------------------------------------------------------------------

forget_neighbours() {
	for each in 1 2 3; do
		net_in relay ip neigh flush dev r$each
	done
}

install_unresolved() {
	forget_neighbours
	reserve s1a 10.0.1.2 && reserve s1b 10.0.2.2 || return
	tell "install c1.0 s1a 10.0.1.2:5000 s1b 10.0.2.2:6000"
	said '^install c1\.0 EINPROGRESS$' && said '^done install c1\.0 0$' 2
}

install_families() {
	forget_neighbours
	reserve s2a 10.0.1.2 && reserve s2b fd00:2::2 || return
	tell "install c2.0 s2a 10.0.1.2:5002 s2b [fd00:2::2]:6002"
	said '^(done )?install c2\.0 0$' 3 || return
	flows n2 "[fd00:2::2]:6002" n1 10.0.1.2:5002 "$(port s2a)" &&
		flows n1 10.0.1.2:5002 n2 "[fd00:2::2]:6002" "$(port s2b)"
}

install_silent() {
	reserve s3a 10.0.1.2 && reserve s3b 10.0.2.2 || return
	began=$(date +%s%N)
	tell "install c3.0 s3a 10.0.1.2:5004 s3b 10.0.2.99:6004"
	said '^install c3\.0 EINPROGRESS$' || return
	flows n2 10.0.2.2:6000 n1 10.0.1.2:5000 "$(port s1a)" || return # nobody waits for it
	said '^done install c3\.0 EHOSTUNREACH$' 20 || return
	took=$((($(date +%s%N) - began) / 1000000))
	echo "took $took ms"
	[ $took -ge 2500 ]
}

# It would have ended before the one that was begun after it.
remove_waiting() {
	for each in 4 5; do
		reserve s${each}a 10.0.1.2 && reserve s${each}b 10.0.2.2 || return
		tell "install c$each.0 s${each}a 10.0.1.2:5006 s${each}b 10.0.2.98:6006"
		said "^install c$each\.0 EINPROGRESS\$" || return
		[ $each = 5 ] || asked '^remove c4\.0 0$' remove c4.0 || return
	done
	said '^done install c5\.0 EHOSTUNREACH$' 20 && ! grep '^done install c4' "$NET_DIR/drive.log"
}

foreign_port() {
	asked '^install c7\.0 EINVAL$' install c7.0 nobody 10.0.1.2:5008 nobody2 10.0.2.2:6008
}

try_install() {
	ok "a stream whose neighbours are unresolved waits for them" install_unresolved
	ok "and forwards, with our DSCP" flows n2 10.0.2.2:6000 n1 10.0.1.2:5000 "$(port s1a)"
	ok "the DSCP is 46" grep -q "tos 184-184" "$NET_DIR/heard"
	ok "the other way too" flows n1 10.0.1.2:5000 n2 10.0.2.2:6000 "$(port s1b)"
	ok "each path's first packet is told once" first_packets
	ok "IPv4 on one side, IPv6 on the other" install_families
	ok "a neighbour that is silent: EHOSTUNREACH after 2.5 s, nobody else waits" install_silent
	ok "one that is removed while it waits says no more" remove_waiting
	ok "ports that nobody reserved are refused" foreign_port
	ok "of those that failed nothing is installed" counts 2
}

first_packets() {
	said '^event c1\.0 a 0 first-packet$' && said '^event c1\.0 b 0 first-packet$' &&
		[ "$(grep -c '^event c1\.0 . 0 first-packet' "$NET_DIR/drive.log")" = 2 ]
}

counts() { # STREAMS
	[ "$(net_segue stream list --json | jq '.data | length')" = "$1" ]
}

# ---- handing over --------------------------------------------------------------------------------

move_away() {
	forget_neighbours
	reserve m1 10.0.3.2 || return
	tell "move c1.0 a 0 m1 10.0.3.2:5100"
	said '^(done )?move c1\.0 0 slot 0$' 3
}

moved() {
	flows n3 10.0.3.2:5100 n2 10.0.2.2:6000 "$(port s1b)" &&
		flows n2 10.0.2.2:6000 n3 10.0.3.2:5100 "$(port m1)"
}

# 20 packets before, and 5 more while it drains.
kept() {
	tell "info c1.0"
	said '^past c1\.0 a 0 over 10\.0\.1\.1:[0-9]* 10\.0\.1\.2:5000 .* packets 2[05] ' || return
	talk n1 10.0.1.2:5000 "$(port s1a)" count 5 seq "$(next seq 5)"
	net_until 3 gone_from_relay c1.0 || return
	tell "info c1.0"
	said '^past c1\.0 a 0 over 10\.0\.1\.1:[0-9]* 10\.0\.1\.2:5000 .* packets 25 '
}

gone_from_relay() { # STREAM: it has no path that drains
	net_segue stream show "$1" --json | tests/lib/holds '[.data.paths[] | select(.state == "draining")] == []' >/dev/null
}

repeated() {
	[ "$(grep -cE '^(done )?move c1\.0 0 slot 0$' "$NET_DIR/drive.log")" = 2 ]
}

move_repeated() {
	before=$(net_segue stream show c1.0 --json | jq -c '[.data.paths[] | select(.state == "live") | .slot]')
	tell "move c1.0 a 0 m1 10.0.3.2:5100"
	net_until 5 repeated
	[ "$(net_segue stream show c1.0 --json |
		jq -c '[.data.paths[] | select(.state == "live") | .slot]')" = "$before" ]
}

superseded() {
	reserve m2 10.0.3.2 || return
	tell "move c1.0 a 0 m1 10.0.3.97:5100"
	tell "move c1.0 a 0 m1 10.0.3.2:5102"
	said '^move c1\.0 EINPROGRESS$' && said '^done move c1\.0 ECANCELED$' &&
		flows n3 10.0.3.2:5102 n2 10.0.2.2:6000 "$(port s1b)"
}

# The first party's address is back: both get a copy of what the far end says.
join_second() {
	reserve j1 10.0.1.2 || return
	tell "join c1.0 a j1 10.0.1.2:5200"
	said '^(done )?join c1\.0 0 slot 1$' 3 || return
	listen n1 one 10.0.1.2:5200
	flows n3 10.0.3.2:5102 n2 10.0.2.2:6000 "$(port s1b)"
	flowed=$?
	heard one | grep "packets 10 damaged 0 doubled 0 " && return $flowed
}

# Both send the same packets: the far end gets each once.
once() {
	listen n2 ear 10.0.2.2:6000
	both=$(next seq 10)
	talk n1 10.0.1.2:5200 "$(port j1)" count 10 seq "$both"
	talk n3 10.0.3.2:5102 "$(port m1)" count 10 seq "$both"
	heard ear | tee "$NET_DIR/heard"
	grep -q "packets 10 damaged 0 doubled 0 " "$NET_DIR/heard"
}

standby() {
	asked '^set c1\.0 0$' set c1.0 a 1 0 0 0 || return
	listen n1 one 10.0.1.2:5200
	flows n3 10.0.3.2:5102 n2 10.0.2.2:6000 "$(port s1b)"
	heard one | grep "packets 0 " && asked '^set c1\.0 0$' set c1.0 a 1 1 1 1
}

leave() {
	asked '^leave c1\.0 0$' leave c1.0 a 0 || return
	flows n1 10.0.1.2:5200 n2 10.0.2.2:6000 "$(port s1b)" || return
	asked '^leave c1\.0 EBUSY$' leave c1.0 a 1
}

hold() {
	asked '^direction c1\.0 0$' direction c1.0 ab || return
	! flows n1 10.0.1.2:5200 n2 10.0.2.2:6000 "$(port s1b)" &&
		flows n2 10.0.2.2:6000 n1 10.0.1.2:5200 "$(port j1)"
}

try_moving() {
	ok "a party moves: no sooner said than done" move_away
	ok "what the path before had counted is kept, to its last packet" kept
	ok "and it is followed to its new address" moved
	ok "the address of before, repeated, changes nothing" move_repeated
	ok "a move that waits gives way to a newer one" superseded
	ok "a path joins: both are sent to" join_second
	ok "what both send arrives once" once
	ok "a path on standby gets nothing" standby
	ok "a path leaves; the last one stays" leave
	ok "hold closes one direction" hold
	ok "path numbers are the room's own: the one that joined is still 1" \
		asked '^path c1\.0 a 1 live 10\.0\.1\.1:' info c1.0
}

# ---- learning ------------------------------------------------------------------------------------

learn() {
	reserve l1 10.0.1.2 && reserve l2 10.0.2.2 || return
	tell "install c6.0 l1 10.0.1.2:5300 l2 10.0.2.2:6300 learn"
	said '^(done )?install c6\.0 0$' || return
	talk n1 10.0.1.2:5999 "$(port l1)" count 5 seq "$(next seq 5)"
	said 'c6\.0 a 0: 10\.0\.1\.2:5999 learned' || return
	flows n1 10.0.1.2:5999 n2 10.0.2.2:6300 "$(port l2)"
}

# Its NAT gives it another port in mid-call: same SSRC, the sequence goes on.
learned_again() {
	asked '^path c6\.0 a 0 live .* 10\.0\.1\.2:5999 ' info c6.0 || return
	counted=$(sed -n 's/^path c6.0 a 0 live .* 10.0.1.2:5999 .* packets \([0-9]*\) .*/\1/p' \
		"$NET_DIR/drive.log" | tail -n 1)
	talk n1 10.0.1.2:5998 "$(port l1)" count 5 seq "$(next seq 5)"
	said 'c6\.0 a [0-9]: 10\.0\.1\.2:5998 learned' || return
	tell "info c6.0"
	said "^past c6\\.0 a 0 over .* 10\\.0\\.1\\.2:5999 .* packets $counted "
}

watched_until_gone() {
	tell info c6.0
	gone_from_relay c6.0
}

learned_moves() {
	asked '^path c6\.0 a 0 live 10\.0\.1\.1:[0-9]* 10\.0\.1\.2:5998 ' info c6.0 || return
	tell "move c6.0 a 0 l1 10.0.3.2:5301"
	said '^(done )?move c6\.0 0 slot 0$' || return
	net_until 5 watched_until_gone || return # its port has been that of four paths by now
	asked '^path c6\.0 a 0 live 10\.0\.1\.1:[0-9]* 10\.0\.3\.2:5301 ' info c6.0 || return
	! grep '^path c6\.0 a 6 live ' "$NET_DIR/drive.log" || return
	flows n3 10.0.3.2:5301 n2 10.0.2.2:6300 "$(port l2)"
}

# ---- what the kernel reports ---------------------------------------------------------------------

# A link that goes and comes back with the same name. The party's end goes with it.
link_down() {
	net_in n3 ip link set e0 down
	said '^event c6\.0 a 0 link-down$'
}

link_up() {
	net_in n3 ip link set e0 up
	said '^event c6\.0 a 0 link-up$' 10
}

nic_gone() {
	net_in relay ip link delete r3
	said '^event c6\.0 a 0 link-down$' && said 'r3 is gone' &&
		reserves fd00:3::2 '(E|\[fd00:[12])'
}

nic_back() {
	ip netns del n3 && relay_nic 3 && said 'r3 is back and attached again' 10 &&
		reserves 10.0.3.2 '10\.0\.3\.1:'
}

try_watching() {
	ok "a source behind NAT is learned" learn
	ok "learned again; what was counted is kept" learned_again
	ok "a learned path keeps its number and can be moved" learned_moves
	ok "a link that goes down is told of each path" link_down
	ok "and when it comes up" link_up
	ok "a NIC that goes takes its address along" nic_gone
	ok "when it returns it is attached and serves again" nic_back
}

# ---- rests and restarts --------------------------------------------------------------------------

all_removed() {
	for each in c1.0 c2.0 c6.0; do
		asked "^remove $each 0\$" remove $each || return
	done
	counts 0
}

# After the rest of 1 s (and a drain, and the second's end) the pool is as full as it was.
all_return() {
	return_tries=0
	until [ "$(grep '^free' "$NET_DIR/drive.log" | tail -n 1)" = "free $1" ]; do
		[ $((return_tries += 1)) -le 100 ] || {
			grep '^free' "$NET_DIR/drive.log" | tail -n 1
			return 1
		}
		tell free
		sleep 0.1
	done
}

try_rest() {
	ok "streams are removed" all_removed
	ok "the driver ends, with nothing left over" stop
	ok "the driver starts again on the maps that are there" start_usual
	ok "ports that rest are none of the pool's" asked '^free [1-5][0-9]$' free
	ok "and come back after their rest" all_return 60
}

# Two streams; one is adopted after the kill, one collected. n1 sends all the while.
kill_in_traffic() {
	for each in 1 2; do
		reserve k${each}a 10.0.1.2 && reserve k${each}b 10.0.2.2 || return
		tell "install k$each.0 k${each}a 10.0.1.2:500$each k${each}b 10.0.2.2:600$each"
		said "^(done )?install k$each.0 0\$" || return
	done
	listen n2 ear 10.0.2.2:6001
	net_start n1 steady $RELAY_TOOLS/rtp-end send 10.0.1.2:5001 "$(port k1a)" count 2000 gap 1000 seq 1
	port k1a >"$NET_DIR/kept"
	sleep 0.3
	kill -KILL "$(cat "$NET_DIR/drive.pid")"
	net_until 5 dead "$(cat "$NET_DIR/drive.pid")" || return
	start_usual && asked '^adopt k1\.0 0$' adopt k1.0 &&
		asked '^path k1\.0 a 0 live ' info k1.0 && asked '^collect 1$' collect &&
		asked '^find k1\.0 slot 0$' find k1.0 a "$(cat "$NET_DIR/kept")" &&
		asked '^find k1\.0 ENOENT$' find k1.0 b "$(cat "$NET_DIR/kept")"
}

exact() {
	net_until 10 dead "$(cat "$NET_DIR/steady.pid")" || return
	heard ear | tee "$NET_DIR/heard"
	grep -q "packets 2000 damaged 0 doubled 0 " "$NET_DIR/heard"
}

not_again() {
	for each in 1 2 3 4 5 6 7 8 9; do
		tell "reserve n$each 10.0.1.2"
		said "^reserve n$each " || return
	done
	! grep "^reserve n[0-9] $(cat "$NET_DIR/kept")\$" "$NET_DIR/drive.log"
}

adopted_moves() {
	tell "move k1.0 a 0 n1 10.0.1.2:5500"
	said '^(done )?move k1\.0 0 slot 0$' || return
	flows n1 10.0.1.2:5500 n2 10.0.2.2:6001 "$(sed -n 's/^path k1.0 b 0 live \([^ ]*\) .*/\1/p' \
		"$NET_DIR/drive.log" | tail -n 1)"
}

adopted_removed() {
	asked '^adopt k1\.0 EEXIST$' adopt k1.0 && asked '^remove k1\.0 0$' remove k1.0 && counts 0
}

try_restart() {
	ok "killed in traffic: adopts what it knows by name and collects the rest" kill_in_traffic
	ok "not a packet is missing, none doubled" exact
	ok "its ports are not given out" not_again
	ok "an adopted stream can be moved" adopted_moves
	ok "and removed" adopted_removed
	ok "the driver ends again" stop
}

# ---- interfaces ----------------------------------------------------------------------------------

external() {
	relay_detach
	start --interface r1,external,10.0.1.1 --capacity 0 # as in the object file
	said 'r1 has no program yet' && asked '^family 1 0$' family || return
	net_in relay ip link set dev r1 xdpdrv obj build/bpf/segue.bpf.o sec xdp || return
	said 'r1 is attached'
}

second_follower() {
	net_in relay env SEGUE_OBJECT_DIR=build/bpf "$drive" --interface r1,external,10.0.1.1 </dev/null |
		grep '^failed EBUSY'
}

# The kernel would choose 10.0.2.1 there; ours is another one of the same NIC.
second_address() {
	relay_detach
	net_in relay ip addr add 10.0.2.77/24 dev r2
	start --interface r1,native,10.0.1.1 --interface r2,native,10.0.2.77
	asked '^reserve u1 10\.0\.1\.1:' reserve u1 10.0.1.2 &&
		asked '^reserve u2 10\.0\.2\.77:' reserve u2 10.0.2.2 &&
		asked '^reserve u3 EAFNOSUPPORT$' reserve u3 fd00:2::2
}

# Those of a route that changes follow within a moment.
route_changes() {
	net_in relay ip route add 10.8.0.0/24 via 10.0.1.2
	reserves 10.8.0.1 '10\.0\.1\.1:' || return
	net_in relay ip route replace 10.8.0.0/24 via 10.0.2.2
	reserves 10.8.0.1 '10\.0\.2\.77:'
}

address_goes() {
	net_in relay ip addr del 10.0.2.77/24 dev r2
	reserves 10.0.2.2 '10\.0\.1\.1:' || return
	net_in relay ip addr add 10.0.2.77/24 dev r2
	reserves 10.0.2.2 '10\.0\.2\.77:'
}

comes_later() {
	relay_detach
	start --interface r1,native,10.0.1.1 --interface r9,native,10.0.9.1
	said "r9" && asked '^reserve q1 10\.0\.1\.1:' reserve q1 10.0.9.2 || return
	relay_nic 9
	said 'r9 is attached' && reserves 10.0.9.2 '10\.0\.9\.1:'
}

try_interfaces() {
	ok "a NIC that others attach (ip link) is waited for" external
	ok "one process follows the maps" second_follower
	ok "the end of the one with a program of others" stop
	ok "an address beside the NIC's first one; a family that is not ours" second_address
	ok "a party's route changes, and the address towards it" route_changes
	ok "an address that goes is not given out; it returns" address_goes
	ok "the end of the one with a second address" stop
	ok "a NIC that comes later is attached then" comes_later
	ok "the end of the last one" stop
}

relay_world 3
must "the driver attaches and is ready" start_usual
try_ports
try_install
try_moving
try_watching
try_rest
try_restart
try_interfaces
done_testing
