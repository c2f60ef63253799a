#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# CPU of one call's media: bench_media between two parties whose neighbours are known.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "the media room's cost"
net_private "$0" "$@"
relay_world 2
for each in 1 2; do
	net_in relay ip neigh replace 10.0.$each.2 lladdr "$(net_mac n$each e0)" dev r$each nud permanent
done
net_in relay env SEGUE_OBJECT_DIR=build/bpf SEGUE_SHORT_TIMES=1 build/tests/media/bench_media \
	10.0.1.1 10.0.2.1 10.0.1.2 10.0.2.2 "$@"
