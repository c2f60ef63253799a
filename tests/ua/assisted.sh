#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Both parties support the extension, and segued may stand aside (`anchor: auto`): media go past the relay,
# and it is the far end that sends twice and takes once (HH-5, HH-11).
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "calls whose far end assists"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/ua/lib.sh
. tests/ua/lib.sh

# The relay's machine is the router between the networks, too.
routed_world() {
	world "handover: {anchor: auto}" && net_in relay sh -c '. tests/lib/net.sh; net_sysctl ipv4/ip_forward=1'
}
ok_here "segued runs between three networks" routed_world
if ! controller_answers; then
	done_testing
	exit
fi

both_send_twice() {
	[ "$(result alice .media.lost)" = 0 ] && [ "$(result bob .media.lost)" = 0 ] &&
		[ "$(result alice .media.duplicates)" -gt 5 ] && [ "$(result bob .media.duplicates)" -gt 5 ]
}
direct() { # while it is up
	[ "$(field alice established .media | cut -d: -f1)" = 10.3.0.2 ] && no_streams
}
assisted() {
	{ call --scheme handover && direct && tell alice "move umts" && await has alice released &&
		more 40 && no_streams && hang_up; } || trouble
}
# shellcheck disable=SC2034 # read by call
far=--accept-handover
ok_here "a call past the relay moves with the far end's help" assisted
is "the far end was told which of its own legs" "$(field bob joined .by)" Handover
ok "both ends sent twice, and each packet was taken once" both_send_twice
ok_here "segued ends in order" controller_stop
done_testing
