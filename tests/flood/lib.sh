# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What the floods share. Source it after tests/controller/lib.sh. The flooder is in alice's network
# namespace, with addresses of its own.
FLOOD=build/tests/flood/flood

# flood SOURCE ARGUMENT...: what it says goes to $NET_DIR/flood.json.
flood() {
	flood_from=$1
	shift
	net_in alice $FLOOD --to 10.0.1.1:5060 --from "$flood_from" "$@" >"$NET_DIR/flood.json"
}

# flood_heard SOURCE [ADDRESS-OF-OURS]: one OPTIONS is answered.
flood_heard() {
	net_in alice $FLOOD --to "${2:-10.0.1.1}:5060" --from "$1" --send options >"$NET_DIR/heard.json"
	tests/lib/holds '.answers == 1' "$NET_DIR/heard.json" >/dev/null
}

# flood_deaf: is not, and segued is there to answer others.
flood_deaf() {
	net_in alice $FLOOD --to "${2:-10.0.1.1}:5060" --from "$1" --send options >"$NET_DIR/heard.json"
	tests/lib/holds '.sent == 1 and .answers == 0' "$NET_DIR/heard.json" >/dev/null && controller_answers
}

# No connection comes about.
flood_deaf_tcp() {
	net_in alice $FLOOD --to 10.0.1.1:5060 --from "$1" --hold 5 --seconds 1 >"$NET_DIR/held.json"
	tests/lib/holds '.taken == 0' "$NET_DIR/held.json" >/dev/null
}

# flood_bans: "SOURCE/CAUSE" of each ban.
flood_bans() {
	controller_segue ban list --json | jq -r '[.data[] | "\(.source)/\(.cause)"] | sort | join(" ")'
}

# flood_drops REASON: how many packets ended for it.
flood_drops() {
	net_segue drop show "$1" --json | jq '.data.count'
}
