#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The command line on real maps: two NICs in a namespace of their own, with a neighbour on each.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/cli/expect.sh

net_need "the command line on real maps"
net_private tests/cli/maps.sh

# With a file system of its own in place of the one with the pins while $private is set.
private=
run_segue() {
	if [ -n "$private" ]; then
		unshare --mount sh -c 'mount -t bpf bpf /sys/fs/bpf && . tests/lib/net.sh && net_segue "$@"' \
			- "$@"
	else
		net_segue "$@"
	fi
}

a1=10.1.0.1:30000=10.1.0.2:5000
b1=10.2.0.1:30000=10.2.0.2:6000

build_network() {
	net_namespace relay
	net_namespace left
	net_namespace right
	net_veth relay r0 left l0
	net_veth relay r1 right r0
	net_in relay ip addr add 10.1.0.1/24 dev r0
	net_in relay ip addr add 10.2.0.1/24 dev r1
	net_in relay ip addr add fd00:1::1/64 dev r0 nodad
	net_in left ip addr add 10.1.0.2/24 dev l0
	net_in left ip addr add 10.1.0.3/24 dev l0
	net_in left ip addr add fd00:1::2/64 dev l0 nodad
	net_in right ip addr add 10.2.0.2/24 dev r0
	net_in left ip link set dev l0 xdp obj $NET_PASS sec xdp
	net_in right ip link set dev r0 xdp obj $NET_PASS sec xdp
}

pins() {
	find /sys/fs/bpf -name 'sg_*' | wc -l
}

# Everything that a refused command must not change.
state() {
	for state_of in stream port nexthop interface; do
		net_segue $state_of list --json | jq -c 'del(.data[].age_ms, .data[].changed_ms,
			.data[].rest_left_ms)'
	done
}

# refused CODE PATTERN ARGUMENT...: fails, and nothing is changed.
refused() {
	state_before=$(state)
	fails "$@" || return
	[ "$(state)" = "$state_before" ] || {
		echo "changed from: $state_before"
		echo "to: $(state)"
		return 1
	}
}

# finds RESULT CHECK PATTERN [EXIT-CODE]: the doctor has such a finding.
finds() {
	try doctor --json
	printf '%s\n' "$said" | tests/lib/holds --arg result "$1" --arg check "$2" --arg pattern "$3" \
		'[.data.findings[] | select(.result == $result and .check == $check and
		((.subject // "") + ": " + .reason | test($pattern)))] | length > 0' >/dev/null || {
		echo "no $1 of $2 with /$3/ in: $said"
		return 1
	}
	expect_code "${4:-$code}"
}

# cured: no problem of the doctor's is without a cure.
cured() {
	try doctor --json
	printf '%s\n' "$said" | tests/lib/holds '[.data.findings[] | select(.result == "problem")] |
		length > 0 and all(.cure)' >/dev/null
}

# ---- the tests -----------------------------------------------------------------------------------

no_maps() {
	ok "stream add names the cure" fails 1 'segue interface attach NIC' stream add x -a $a1 -b $b1
	ok "doctor: no maps" finds problem maps 'no NIC is attached' 1
	ok "an unknown NIC makes no maps" fails 1 "no interface 'nosuch0'" interface attach nosuch0
	net_in relay ip link set dev r1 xdp obj $NET_PASS sec xdp
	ok "somebody else's program is not replaced" fails 1 . interface attach r1
	is "and the maps are gone again" "$(pins)" 0
	ok "doctor: somebody else's program" finds warning foreign-programs 'r1: XDP program'
	net_in relay ip link set dev r1 xdp off
	mkdir -p /sys/fs/bpf/xdp/globals
	bpftool map create /sys/fs/bpf/xdp/globals/sg_meta_v1 type array key 4 value 8 entries 1 \
		name sg_meta_v1
	ok "a wrong layout is refused" fails 1 . stream list
	ok "doctor: wrong layout" finds problem maps 'wrong layout' 1
	rm /sys/fs/bpf/xdp/globals/sg_meta_v1
	mount -t tmpfs tmpfs /sys/fs/bpf
	ok "doctor: no bpf file system" finds problem bpffs 'not a bpf file system' 1
	umount /sys/fs/bpf
}

interfaces() {
	ok "attach" says '^r0 attached: native mode' interface attach r0 --capacity 64
	ok "attach another" answers '.name == "r1" and .mode == "native" and .ours' interface attach r1
	ok "attach again" says 'r0 attached' interface attach r0
	ok "another capacity is refused" refused 1 'for 64 streams' interface attach r0 --capacity 128
	ok "list" answers 'map(.name) == ["r0", "r1"] and all(.up and .driver == "veth")' interface list
	ok "show" answers '.nic == 0 and .mtu == 1500 and .program_id > 0' interface show r0
	ok "show a NIC without the program" answers '.nic == null and .mode == null' interface show lo
	ok "show an unknown NIC" refused 3 nosuch0 interface show nosuch0
	ok "detach an unknown NIC" refused 1 nosuch0 interface detach nosuch0
}

streams() {
	ok "add" says '^stream one added: id 0$' stream add one -a $a1 -b $b1
	ok "add over IPv6" answers '.name == "six"' stream add six -b 10.2.0.1:30100=10.2.0.2:6100 \
		-a '[fd00:1::1]:30100=[fd00:1::2]:5100' --rtcp-mux --clock 48000 --direction a-to-b
	ok "list" answers 'map(.name) == ["one", "six"] and .[1].direction == "a-to-b" and
		.[1].clock_hz == 48000 and .[1].rtcp_mux' stream list
	ok "show" answers '.name == "one" and .id == 0 and .clock_hz == 8000 and .age_ms >= 0 and
		.route.version > 0 and (.paths | length == 2)' stream show one
	ok "a path has all that scripts read" answers '.paths[0] | .side == "a" and .index == 0 and
		.state == "live" and .local == "10.1.0.1:30000" and .remote == "10.1.0.2:5000" and .send
		and .listen and .active and .last_packet_ms == null and (.dropped | has("source") and
		has("duplicate") and all(. == 0)) and ([.packets, .octets, .sent_packets, .sent_octets,
		.rtcp_packets, .duplicates, .late, .lost, .jitter_ms, .ssrc] | all(. == 0)) and
		.mtu == 1500 and .nexthop > 0' stream show one
	ok "the text has the paths" says '^b +0 +live +10.2.0.1:30000 ' stream show one
	ok "set the direction" says 'direction none' stream set one --direction none
	ok "it is set" answers '.direction == "none" and (.route.a_to_b | not)' stream show one
	net_segue stream set one --direction both >/dev/null
	ok "a name in use" refused 1 "'one' exists" stream add one -a 10.1.0.1:40000=10.1.0.2:5000 \
		-b 10.2.0.1:40000=10.2.0.2:6000
	ok "a port in use" refused 1 '10.1.0.1:30000 is in use' stream add two -a $a1 \
		-b 10.2.0.1:40000=10.2.0.2:6000
	ok "no route" refused 1 'no route' stream add two -a 10.1.0.1:40000=10.9.0.2:5000 \
		-b 10.2.0.1:40000=10.2.0.2:6000
	ok "unreachable" refused 1 '10.1.0.99 is unreachable' stream add two --resolve 50 \
		-a 10.1.0.1:40000=10.1.0.99:5000 -b 10.2.0.1:40000=10.2.0.2:6000
	ok "not our address" refused 1 '10.1.0.2' stream add two -a 10.1.0.2:40000=10.1.0.3:5000 \
		-b 10.2.0.1:40000=10.2.0.2:6000
	ok "two families in one path" refused 2 . stream add two \
		-a '10.1.0.1:40000=[fd00:1::2]:5000' -b 10.2.0.1:40000=10.2.0.2:6000
	ok "a bad name" refused 2 name stream add 'two words' -a 10.1.0.1:40000=10.1.0.2:5000 \
		-b 10.2.0.1:40000=10.2.0.2:6000
	ok "show an unknown stream" refused 3 "'nope'" stream show nope
	ok "del with one unknown name removes none" refused 3 "'nope'" stream del one nope
}

paths() {
	for path in 1 2 3; do
		ok "path $path joins" says "path one a $path joined" path add one a \
			10.1.0.1:3000$((path * 2))=10.1.0.3:500$((path * 2))
	done
	ok "the fifth is refused" refused 1 '4 paths' path add one a 10.1.0.1:30010=10.1.0.3:5010
	ok "list" answers 'length == 5 and all(.send and .listen)' path list one
	ok "set" answers '(.send | not) and .listen' path set one a 3 --send off
	ok "set active" answers '.active' path set one a 1 --active
	ok "one is active" answers 'map(select(.side == "a" and .active)) | map(.index) == [1]' \
		path list one
	ok "the last one is refused" refused 1 'last of side b' path del one b 0
	ok "no such path" refused 3 'no path b 4' path set one b 4 --send off
	ok "del waits for the drain" says 'path one a 0 drained after [0-9]+ ms' path del one a 0
	ok "it is gone" answers 'map(select(.side == "a") | .index) == [1, 2, 3]' path list one
	ok "del --no-wait" answers '.drained == false' path del one a 2 --no-wait
	ok "it drains" answers 'map(select(.side == "a" and .index == 2)) | .[0].state == "draining" and
		(.[0].send | not) and .[0].listen' path list one
	ok "move" answers '.new_index != 0' path move one b 0 10.2.0.1:30000=10.2.0.2:7000
	ok "it is moved" answers 'map(select(.side == "b" and .state == "live")) | length == 1 and
		.[0].remote == "10.2.0.2:7000"' path list one
}

readings() {
	ok "port list" answers 'map(select(.local == "10.1.0.1:30000")) | .[0].state == "resting"' \
		port list
	ok "port list of a stream" answers 'length == 2 and all(.stream == "six" and
		.component == "rtp+rtcp")' port list --stream six
	ok "port show" answers '.stream == "one" and .side == "a"' port show 10.1.0.1:30002
	ok "port show: free" fails 3 'neither live nor resting' port show 10.1.0.1:9
	ok "nexthop list" answers 'length >= 3 and all(.usable and .paths > 0)' nexthop list
	try nexthop list --json
	index=$(printf '%s' "$said" | jq '.data[0].index')
	ok "nexthop show" answers ".index == $index and .mtu == 1500" nexthop show "$index"
	ok "nexthop show: none" fails 3 'not in use' nexthop show $((index % 16000 + 1))
	ok "drop list" answers 'map(.name) | contains(["source", "duplicate", "icmp"])' drop list
	ok "drop show" answers '.fate == "drop" and (.explanation | length > 0)' drop show source
	ok "drop show: none" fails 3 "'bogus'" drop show bogus
	ok "map list" answers 'length >= 10 and all(.pin | startswith("/sys/fs/bpf/xdp/globals/sg_"))' \
		map list
	ok "map show" answers '.name == "sg_stream_v1" and .max_entries == 64' map show sg_stream
	ok "map show: none" fails 3 "'bogus'" map show bogus
	ok "window list: nothing yet" answers '. == []' window list
	net_start relay watched env SEGUE_OBJECT_DIR=build/bpf "${NET_SEGUE:-build/segue}" drop list --json --watch 1
	sleep 1.3
	net_stop watched
	is "--watch repeats" "$(jq -s 'map(.version) == [1, 1]' "$NET_DIR/watched.log")" true
}

media() {
	net_start relay events "${NET_SEGUE:-build/segue}" event follow --count 2 --timeout 20 --json
	net_follow
	net_until 5 net_alive follow
	sleep 0.3
	ok "only one follows" fails 1 'followed already' follow
	net_segue stream add live -a 10.1.0.1:30200=10.1.0.2:5200 -b 10.2.0.1:30200=10.2.0.2:6200 \
		>/dev/null
	net_peer left caller --path 10.1.0.2:5200=10.1.0.1:30200 --count 100 --ssrc 77 --rtcp 0
	net_peer left stranger --path 10.1.0.3:5200=10.1.0.1:30200 --count 150 --ssrc 78 --rtcp 0
	net_tell caller "send 0 on"
	net_tell stranger "send 0 on"
	ok "top" answers '.totals.streams == 3 and (.busiest[0] | .name == "live" and
		.packets_per_s > 30 and .octets_per_s > 1000 and .sent_packets_per_s > 30)' top --once
	ok "doctor: drops that grow" finds warning drops 'source: [0-9]+ in'
	net_finish caller stranger
	ok "counters" answers '(.paths[] | select(.side == "a") | .packets == 100 and .ssrc == 77 and
		.dropped.source == 150 and .last_packet_ms < 5000) and (.paths[] | select(.side == "b") |
		.sent_packets == 100)' stream show live
	ok "windows" answers 'length == 1 and .[0].side == "a" and .[0].ssrc == 77' window show live
	ok "drops" answers '.count == 150' drop show source
	net_until 10 sh -c "[ \$(grep -c version $NET_DIR/events.log) = 2 ]"
	is "events" "$(jq -sc 'map(.data | .type + " " + .stream) | sort' "$NET_DIR/events.log")" \
		'["first-packet live","new-source live"]'
	ok "events: none comes in time" fails 1 '0 of 1 events' event follow --count 1 --timeout 1
	net_in left ip link set dev l0 address 02:00:00:00:00:07
	net_in left sh -c 'ip neigh flush all; ip addr add 10.1.0.77/24 dev l0'
	net_in relay ip neigh replace 10.1.0.2 lladdr 02:00:00:00:00:07 dev r0
	ok "follow says what it did" net_until 5 grep -q '^neighbour: .*10.1.0.2' "$NET_DIR/follow.log"
	net_stop follow
	ok "follow ends cleanly on SIGTERM" test "$?" = 0
}

# A link that came up answers when the kernel finds the time, and asks again only when there is something to send.
answers_again() {
	net_in relay sh -c 'echo | nc -u -w 1 -q 0 10.1.0.2 9; ip neigh show 10.1.0.2 dev r0 | grep lladdr'
}

doctor() {
	ok "doctor: silent paths" finds warning streams 'one a 1: never got a packet from 10.1.0.3'
	ok "doctor: healthy NICs" finds ok veth "r0's peer l0 .*takes redirected packets"
	net_in left ip link set dev l0 xdp off
	ok "doctor: a veth peer that takes nothing" finds problem veth 'neither GRO nor' 1
	net_in left ethtool -K l0 gro on
	ok "doctor: GRO helps" finds ok veth 'l0 .*GRO is on'
	net_in left ethtool -K l0 tx on >/dev/null
	ok "doctor: checksum offload at the sender" finds warning veth 'tx checksum offload'
	net_in left ethtool -K l0 tx off >/dev/null
	net_in relay ip link set dev r1 xdp off
	ok "doctor: a NIC that lost its program" finds problem programs 'r1: has a NIC slot, but no' 1
	net_segue interface attach r1 --mode generic >/dev/null
	ok "doctor: generic where native could be" finds warning mode 'driver veth has native'
	private=yes
	ok "doctor: a private bpf file system" finds problem mount-namespace 'process 1 sees 1. pins' 1
	private=
	net_follow
	net_until 5 sh -c "ls /run/segue/follow* >/dev/null 2>&1"
	net_in relay ip link set dev r0 down
	ok "doctor: a NIC that is down" finds problem nics 'r0: the link is down' 1
	ok "doctor: a next hop that is gone" net_until 5 finds problem next-hops '10.1.0.2 on r0.*unresolved' 1
	net_stop follow
	ok "doctor: every problem names a cure" cured
	net_in relay ip link set dev r0 up
	net_until 30 answers_again >/dev/null
}

batch() {
	for number in 1 2 3; do
		echo "batch$number -a 10.1.0.1:4${number}00=10.1.0.2:5000 -b 10.2.0.1:4${number}00=10.2.0.2:6 \
			--resolve 5000"
	done >"$NET_DIR/batch"
	{
		echo "# a comment, and an empty line"
		echo
		cat "$NET_DIR/batch"
		echo "wrong -a nonsense"
		echo "batch4 -a 10.1.0.1:4400=10.1.0.2:5000 -b 10.2.0.1:4400=10.2.0.2:6 --rtcp-mux"
	} >"$NET_DIR/broken"
	ok "batch" answers '.added == 3 and .failed == 0' stream add --batch "$NET_DIR/batch"
	ok "batch again" sh -c '! "$@"' - env SEGUE_OBJECT_DIR=build/bpf nsenter \
		--net=/run/netns/relay "${NET_SEGUE:-build/segue}" stream add --batch "$NET_DIR/batch"
	echo "batch1 batch2 batch3" | tr ' ' '\n' >"$NET_DIR/names"
	ok "batch del" answers '.removed == 3' stream del --batch "$NET_DIR/names"
	sed -i 's/:4/:5/g; s/batch/again/' "$NET_DIR/broken"
	try stream add --batch "$NET_DIR/broken"
	is "an error ends a batch" "$code $said" "2 3 added, 1 failed"
	ok "and names the line" expect_text "$complained" '/broken:6: '
	ok "what came before stays" answers 'map(.name) | contains(["again1", "again3"])' stream list
	try stream add --batch "$NET_DIR/broken" --continue --json
	is "--continue goes on" "$(printf '%s' "$said" | jq -c .data)" '{"added":1,"failed":4,"lines":7}'
	is "an error for each line" "$(printf '%s\n' "$complained" | jq -s length)" 4
	ok "from standard input" sh -c 'echo again1 | "$@" stream del --batch -' - nsenter \
		--net=/run/netns/relay "${NET_SEGUE:-build/segue}"
}

endings() {
	ok "detach a NIC in use" refused 1 r0 interface detach r0
	ok "detach all with streams" refused 1 'streams are installed' interface detach --all
	ok "del several" says '^2 streams removed$' stream del again2 again3
	ok "detach all by force" says '^every NIC detached$' interface detach --all --force
	is "nothing is pinned" "$(pins)" 0
	is "no program is left" "$(net_in relay ip link | grep -c xdp)" 0
}

build_network
no_maps
interfaces
streams
paths
readings
media
doctor
batch
endings
done_testing
