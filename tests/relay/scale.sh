#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# 100 000 streams in maps of the default size: how long they take and what they cost, and that a
# sample of them forwards.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "100 000 streams"
net_private "$0" "$@"

streams=100000

# Stream i: four addresses on each side, 25 000 ports on each, RTCP muxed.
lines() {
	seq 0 $((streams - 1)) | awk '{
		port = 10000 + 2 * int($1 / 4); host = 11 + $1 % 4
		printf "s%d -a 10.0.1.%d:%d=10.0.1.2:%d -b 10.0.2.%d:%d=10.0.2.2:%d --rtcp-mux\n",
			$1, host, port, port, host, port, port
	}'
}

available() { # kB
	sed -n 's/MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

milliseconds() {
	echo $((($(date +%s%N) - $1) / 1000000))
}

map_memory() {
	net_segue map list --json | jq '[.data[].memory // 0] | add / 1048576 | floor'
}

add_all() {
	net_segue stream add --batch "$NET_DIR/lines" >"$NET_DIR/added" && cat "$NET_DIR/added" &&
		grep -q "^$streams added, 0 failed" "$NET_DIR/added"
}

# From the first to the last, in the order of the list.
sample="0 1 2 3 4999 31337 50000 65535 65536 77777 99998 99999"

endpoints() { # STREAM: PORT and HOST
	sample_port=$((10000 + 2 * ($1 / 4))) sample_host=$((11 + $1 % 4))
}

forwards() { # STREAM
	endpoints "$1"
	listen n2 ear "10.0.2.2:$sample_port"
	talk n1 "10.0.1.2:$sample_port" "10.0.1.$sample_host:$sample_port" count 10
	heard ear | tee "$NET_DIR/heard"
	grep -q "packets 10 damaged 0 doubled 0.* from 10.0.2.$sample_host:$sample_port" "$NET_DIR/heard" &&
		net_segue stream show "s$1" --json | tests/lib/holds '[.data.paths[].packets] | add == 10'
}

relay_world 2
for host in 11 12 13 14; do
	net_in relay ip addr add 10.0.1.$host/24 dev r1
	net_in relay ip addr add 10.0.2.$host/24 dev r2
done
lines >"$NET_DIR/lines"
before=$(available)
must "attach, at the default capacity" sh -c '. tests/lib/net.sh
	net_segue interface attach r1 && net_segue interface attach r2'
attached=$(available)
diag "maps: $(map_memory) MiB as the kernel accounts them"
diag "available memory: $(((before - attached) / 1024)) MiB less"
begun=$(date +%s%N)
must "add $streams streams" add_all
diag "$streams streams added in $(milliseconds "$begun") ms"
diag "available memory: another $(((attached - $(available)) / 1024)) MiB less"
begun=$(date +%s%N)
is "they are all there" "$(net_segue stream list --json | jq '.data | length')" $streams
diag "listed in $(milliseconds "$begun") ms"
is "one next hop on each side serves all" \
	"$(net_segue nexthop list --json | jq -c '[.data[].paths]')" "[$streams,$streams]"
for stream in $sample; do
	ok "stream $stream forwards" forwards "$stream"
done
begun=$(date +%s%N)
ok "one more" net_segue stream add more -a 10.0.1.1:4000=10.0.1.2:4000 \
	-b 10.0.2.1:4000=10.0.2.2:4000
diag "one more, from the command line, in $(milliseconds "$begun") ms"
begun=$(date +%s%N)
ok "delete all" sh -c ". tests/lib/net.sh
	cut -d ' ' -f 1 $NET_DIR/lines | net_segue stream del --batch -"
diag "deleted in $(milliseconds "$begun") ms"
is "the one is left" "$(net_segue stream list --json | jq -c '[.data[].name]')" '["more"]'
ok "detach" relay_detach
done_testing
