# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What the floods share. Source it after tests/controller/lib.sh. The flooder is in alice's network
# namespace, with addresses of its own.
FLOOD=build/tests/flood/flood
FLOOD_PATIENCE=30

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

# ---- calls of segue-ua -----------------------------------------------------------------------------

# party NAMESPACE NAME PORT ARGUMENT...
party() {
	party_space=$1 party_name=$2 party_port=$3
	shift 3
	echo "$party_name-secret" >"$NET_DIR/$party_name-password"
	party_own=$(controller_address "$party_space")
	net_start "$party_space" "$party_name" build/segue-ua --json-events --control "$NET_DIR/$party_name.ctl" \
		--statistics "$NET_DIR/$party_name.json" --aor "sip:$party_name@$CONTROLLER_DOMAIN" \
		--password-file "$NET_DIR/$party_name-password" --sip-port "$party_port" \
		--via "own=$party_own" --proxy "${party_own%.*}.1" "$@"
}

has() { # PARTY EVENT
	grep -q "\"event\":\"$2\"" "$NET_DIR/$1.log"
}

tell() { # PARTY COMMAND
	echo "$2" 1<>"$NET_DIR/$1.ctl"
}

# talk CALLER CALLEE: CALLEE, who is registered, is called.
talk() {
	net_until $FLOOD_PATIENCE has "$1" established || {
		cat "$NET_DIR/$1.log" "$NET_DIR/$2.log"
		return 1
	}
}

hang_up() { # CALLER CALLEE
	tell "$1" bye
	net_finish "$1"
	tell "$2" quit
	net_finish "$2"
}

# whole CALLER CALLEE LEAST: each got what the other sent, each packet once, and there were so many.
whole() {
	for whole_each in "$1 $2" "$2 $1"; do
		# shellcheck disable=SC2086 # two words
		set -- $whole_each "$3"
		jq -c .media "$NET_DIR/$1.json"
		tests/lib/holds ".media | .lost == 0 and .duplicates == 0 and .received >= $3" "$NET_DIR/$1.json" \
			>/dev/null || return
	done
}

# said_true NAME EXPRESSION: of the JSON that a program printed.
said_true() {
	cat "$NET_DIR/$1.log"
	tests/lib/holds "$2" "$NET_DIR/$1.log" >/dev/null
}
