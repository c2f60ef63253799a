#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Soft handovers with IPv6, from IPv4 to IPv6 and back, and towards a far end of the other family. HANDOVER_MODE=generic:
# without XDP in the driver.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "handovers of both families"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

# there_and_back NAME MOVER FAR-END SECOND: families of the first network, the far end and the second network.
there_and_back() {
	HANDOVER_FAMILY=$1 HANDOVER_FIXED_FAMILY=$2 HANDOVER_SECOND_FAMILY=$3
	handover_call alice bob wlan umts --sequence 65500 && handover_moves alice umts bob &&
		handover_back && handover_end alice bob
}

handover_back() {
	handover_tell alice move wlan
	net_until 20 handover_twice && handover_more 30 alice bob
}

handover_twice() {
	[ "$(grep -c '"event":"released"' "$NET_DIR/alice.log")" = 2 ]
}

check() { # NAME FIRST FAR-END SECOND
	ok_here "$HANDOVER_MODE: $1" there_and_back "$2" "$3" "$4"
	ok "$HANDOVER_MODE: $1: each packet once, at most 6 late" handover_once alice bob 1
	ok "$HANDOVER_MODE: $1: nothing is left" handover_clean
}

ok_here "segued runs between two networks and a far end" handover_world
is "the program is attached in that mode" "$(net_segue interface list --json | jq -r '[.data[].mode] | unique | join(" ")')" \
	"$HANDOVER_MODE"
check "IPv6" 6 6 6
check "IPv4 to IPv6 and back" 4 4 6
check "IPv6 to IPv4 and back, an IPv4 far end" 6 4 4
[ "$HANDOVER_MODE" = native ] || check "IPv4" 4 4 4
done_testing
