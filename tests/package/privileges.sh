#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# segued as a user of its own: what takes root is done first; then two capabilities are enough for calls, for a NIC
# that goes and returns, and for the next start. Members of its group read, others do not.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/controller/lib.sh
. tests/package/lib.sh

net_need "segued as a user of its own"
net_private tests/package/privileges.sh
CONTROLLER_DIGEST=md5
CONTROLLER_PATIENCE=${CONTROLLER_PATIENCE:-120} # the call lasts as long as all of it takes
TWO=0000008000001000 # CAP_BPF (39) and CAP_NET_ADMIN (12)
SEGUED=${NET_SEGUED:-build/segued}

start_as_user() {
	net_start relay segued env SEGUE_OBJECT_DIR=build/bpf "$SEGUED" --user segue \
		--config "$CONTROLLER_CONFIG" --foreground
	net_until 20 controller_answers && return
	cat "$NET_DIR/segued.log"
	return 1
}

# As the unit does it: two steps, and the second one never was root.
start_as_the_unit_does() {
	net_in relay env SEGUE_OBJECT_DIR=build/bpf "$SEGUED" --prepare --user segue \
		--config "$CONTROLLER_CONFIG" || return
	net_start relay segued env SEGUE_OBJECT_DIR=build/bpf setpriv --reuid $PACKAGE_UID \
		--regid $PACKAGE_UID --clear-groups --inh-caps=-all,+bpf,+net_admin \
		--ambient-caps=-all,+bpf,+net_admin --bounding-set=-all,+bpf,+net_admin --no-new-privs \
		"$SEGUED" --config "$CONTROLLER_CONFIG" --foreground
	net_until 20 controller_answers && return
	cat "$NET_DIR/segued.log"
	return 1
}

status_of_segued() {
	awk -v key="$1:" '$1 == key { $1 = ""; print substr($0, 2) }' \
		"/proc/$(cat "$NET_DIR/segued.pid")/status"
}

only_two_capabilities() {
	is "it is the user" "$(status_of_segued Uid)" "$PACKAGE_UID $PACKAGE_UID $PACKAGE_UID $PACKAGE_UID"
	is "and the group" "$(status_of_segued Gid)" "$PACKAGE_UID $PACKAGE_UID $PACKAGE_UID $PACKAGE_UID"
	is "with two capabilities" "$(status_of_segued CapPrm) $(status_of_segued CapEff)" "$TWO $TWO"
	is "and no new ones" "$(status_of_segued NoNewPrivs)" 1
}

pins_are() { # FORMAT of find
	find /sys/fs/bpf/tc/globals -name 'sg_*' -printf "$1\n" 2>/dev/null | sort -u
}

media_runs() {
	media_stream=$(controller_segue stream list --json | jq -r '.data[0].name')
	controller_segue path list "$media_stream" --json >"$NET_DIR/paths.json"
	for media_end in "alice a 10.0.1.2" "bob b 10.0.2.2"; do
		# shellcheck disable=SC2086 # three words
		set -- $media_end
		media_local=$(jq -r ".data[] | select(.side == \"$2\" and .state == \"live\").local" "$NET_DIR/paths.json")
		net_peer "$1" "media-$1" --path "$3:4000=$media_local" --ssrc "${#1}" --rtcp 0 --count 200 --seconds 30
	done
	net_tell media-alice "send 0 on"
	net_tell media-bob "send 0 on"
	net_finish media-alice media-bob
	for media_end in alice bob; do
		tests/lib/holds '.received | .received_once == 200 and .lost == 0' "$NET_DIR/media-$media_end.json" \
			>/dev/null || {
			cat "$NET_DIR/media-$media_end.json"
			return 1
		}
	done
}

# What root reads and what a member of the group reads, but for ages and times.
reads_the_same() {
	controller_segue "$@" --json | jq -S 'walk(if type == "object" then
		with_entries(select(.key | test("age|last|left|_ms$|_ns$|per_s$|interval|time|epoch|program|prog_|driver") | not))
		else . end)' >"$NET_DIR/by-root"
	package_as watcher build/segue "$@" --json | jq -S 'walk(if type == "object" then
		with_entries(select(.key | test("age|last|left|_ms$|_ns$|per_s$|interval|time|epoch|program|prog_|driver") | not))
		else . end)' >"$NET_DIR/by-member"
	[ "$(jq '.data | length' "$NET_DIR/by-root")" -gt 0 ] && diff "$NET_DIR/by-root" "$NET_DIR/by-member"
}

# The same to a member of the group as to root, of what segued knows; but for how long ago it was.
answers() {
	controller_segue "$@" >"$NET_DIR/by-root"
	package_as watcher build/segue --control "$CONTROLLER_SOCKET" "$@" >"$NET_DIR/by-member" || return
	sed -i -E 's/[0-9.]+ (ms|s|min|h)( |$)//g; s/ +/ /g' "$NET_DIR/by-root" "$NET_DIR/by-member"
	[ -s "$NET_DIR/by-member" ] && diff "$NET_DIR/by-root" "$NET_DIR/by-member"
}

# The doctor looks at the same for a member, and has no other problem to tell than the rights.
doctors() {
	controller_segue doctor --config "$CONTROLLER_CONFIG" --json >"$NET_DIR/by-root"
	package_as watcher build/segue --control "$CONTROLLER_SOCKET" doctor --config "$CONTROLLER_CONFIG" --json \
		>"$NET_DIR/by-member"
	jq -c '.data.findings[] | select(.result != "ok")' "$NET_DIR/by-member"
	tests/lib/holds --slurpfile root "$NET_DIR/by-root" '[.data.findings[].check] as $checks |
		($checks | index("streams") and index("drops")) and
		($root[0].data.findings | map(.check) | unique) == ($checks | unique) and
		any(.data.findings[]; .check == "rights" and .result == "warning") and
		([.data.findings[] | select(.result == "problem") | .check] -
		[$root[0].data.findings[] | select(.result == "problem") | .check] == [])' "$NET_DIR/by-member" >/dev/null
}

refused_to() { # WHO EXIT-CODE COMMAND...
	refused_who=$1 refused_code=$2
	shift 2
	code=0
	refused_text=$(package_as "$refused_who" build/segue "$@" 2>&1) || code=$?
	[ $code = "$refused_code" ] || {
		echo "exit code $code: $refused_text"
		return 1
	}
}

members_read() {
	stream=$(controller_segue stream list --json | jq -r '.data[0].name')
	port=$(controller_segue port list --json | jq -r '.data[0].local')
	hop=$(controller_segue nexthop list --json | jq -r '.data[0].index')
	for words in "stream list" "stream show $stream" "path list $stream" "port list" "nexthop list" "drop list" \
		"interface list" "map list" "window list" "window show $stream" \
		"port show $port" "nexthop show $hop" "interface show r1" "map show sg_drop_v1" "drop show source" \
		"top --once"; do
		# shellcheck disable=SC2086 # words
		ok "a member of the group: segue $words" reads_the_same $words
	done
	call=$(controller_segue call list --json | jq -r '.data[0].id')
	for words in "call list" "call show $call" "trace $call" "registration list" "subscriber list" "handover list" \
		"handover show $call --json" "cdr list" "ban list" status; do
		# shellcheck disable=SC2086 # words
		ok "a member of the group: segue $words" answers $words
	done
	ok "a member of the group: segue doctor" doctors
	ok "and over the control socket" sh -c "[ -n '$(package_as watcher build/segue --control "$CONTROLLER_SOCKET" \
		call list --json | jq -r '.data[].id')' ]"
	ok "events are not for a member, and that is said" says 1 'events take the right to write to .*sg_event' \
		package_as watcher build/segue event follow --count 1 --timeout 5
	ok "a member changes no stream" refused_to watcher 1 stream del "$stream"
	ok "nor does one capture" says 1 'cannot open .*: Permission denied' package_as watcher build/segue --control "$CONTROLLER_SOCKET" \
		capture "$call" --seconds 1 --write /dev/shm/by-member
	ok "and takes no program off" refused_to watcher 1 interface detach r1 --force
	ok "nor holds up who changes" sh -c '! "$@" 2>/dev/null' - nsenter --net=/run/netns/relay setpriv \
		--reuid $PACKAGE_WATCHER --regid $PACKAGE_WATCHER --groups $PACKAGE_UID --bounding-set=-all \
		flock --nonblock /sys/fs/bpf/tc/globals true
	ok "the stream is still there" refused_to watcher 0 stream show "$stream"
	ok "others read nothing" refused_to stranger 1 stream list
	ok "neither from the control socket" refused_to stranger 1 --control "$CONTROLLER_SOCKET" call list
}

nic_returns() {
	net_in relay ip link del r2
	net_until 10 controller_log 'r2 is gone'
	net_veth relay r2 bob e0
	net_in bob ip link set dev e0 xdp obj "$NET_PASS" sec xdp
	net_in relay ip addr add 10.0.2.1/24 dev r2
	net_in relay ip addr add fd00:2::1/64 dev r2 nodad
	net_in bob ip addr add 10.0.2.2/24 dev e0
	net_in bob ip route add default via 10.0.2.1
	# While bob asks for the address his first packets would be lost.
	net_in bob ip neigh replace 10.0.2.1 lladdr "$(net_mac relay r2)" dev e0 nud permanent
	net_until 10 controller_log 'r2 is back and attached again' && net_until 10 bob_is_reached || {
		tail "$NET_DIR/segued.log"
		controller_segue nexthop list
		return 1
	}
}

# The call's paths lead through the NIC as it is now.
bob_is_reached() {
	bob_nic=$(net_in relay ip -j link show dev r2 | jq ".[0].ifindex")
	controller_segue nexthop list --json |
		tests/lib/holds --argjson nic "$bob_nic" 'any(.data[]; .ifindex == $nic and .usable)' >/dev/null
}

adopted() {
	controller_answers && controller_is_up && ! controller_log 'adopt.*(fail|cannot)'
}

says() { # EXIT-CODE PATTERN COMMAND...
	says_code=$1 says_pattern=$2 code=0
	shift 2
	said=$("$@" 2>&1) || code=$?
	[ $code = "$says_code" ] && echo "$said" | grep -qE -- "$says_pattern" && return
	echo "exit code $code: $said"
	return 1
}

chmod 755 /run # as everywhere: only root makes files there
chmod 755 "$NET_DIR"
package_users
controller_network
CONTROLLER_STORE=$NET_DIR/own/segue.db
CONTROLLER_SOCKET=$NET_DIR/own/control.sock
CDR_FILE=$NET_DIR/own/cdr.jsonl
controller_configure "cdr: {file: $CDR_FILE}"
ok "a user that is not there" says 1 "no user 'nobody-here': systemd-sysusers" "$SEGUED" \
	--user nobody-here -c "$CONTROLLER_CONFIG" --foreground
ok "--user without root" says 1 'only root' package_as stranger "$SEGUED" --user segue -c "$CONTROLLER_CONFIG" \
	--foreground
ok "--prepare without root" says 1 'only root' package_as stranger "$SEGUED" --prepare -c "$CONTROLLER_CONFIG"
ok "segued starts as root and becomes a user" start_as_user
only_two_capabilities
is "the pins are the user's; the group may read them" "$(pins_are '%u %g %m')" "segue segue 640"
is "so is their directory" "$(stat -c '%U %G %a' /sys/fs/bpf/tc/globals)" "segue segue 710"
is "and the store" "$(stat -c '%U %a' "$CONTROLLER_STORE")" "segue $(stat -c %a "$CONTROLLER_STORE")"
ok "subscribers" controller_subscriber alice bob
ok "alice registers" controller_register alice
ok "bob, too" controller_register bob
ok_here "a call" controller_call
ok "its media" media_runs
members_read
ok "a NIC that was away is attached again" nic_returns
controller_kill
# As if root had run it by hand.
chown root:root "$CONTROLLER_STORE" "$CONTROLLER_STORE-wal" "$CONTROLLER_STORE-shm" "$CDR_FILE"
ok "the next start, as the unit does it" start_as_the_unit_does
only_two_capabilities
is "store and records are the user's again" "$(stat -c '%U:%G' "$CONTROLLER_STORE"* "$CDR_FILE" | sort | uniq -c |
	tr -s ' ')" " 4 segue:segue"
ok "it has the call" adopted
ok "and its media" media_runs
controller_hang_up
ok_here "alice hangs up" controller_ended alice
ok "a member of the group: segue cdr show" net_until 10 answers cdr show "$call"
net_stop segued
ok "it ends in order" controller_log ' ended$'
sed "s#$CONTROLLER_STORE#$NET_DIR/own/none.db#" "$CONTROLLER_CONFIG" >"$NET_DIR/none.yaml"
ok "what a purge leaves of the store" net_in relay "$SEGUED" --keep-records "$NET_DIR/own/records.db" -c "$CONTROLLER_CONFIG"
is "are call records" "$(sqlite3 "$NET_DIR/own/records.db" .tables) $(sqlite3 "$NET_DIR/own/records.db" \
	'SELECT count(*), reason FROM cdr')" "cdr 1|BYE from A"
is "the user's" "$(stat -c '%U %a' "$NET_DIR/own/records.db")" "segue 600"
ok "and none where there is no store" says 1 'is not there' \
	net_in relay "$SEGUED" --keep-records "$NET_DIR/none.db" -c "$NET_DIR/none.yaml"
victim=$NET_DIR/victim
echo root >"$victim"
ln -sf "$victim" /sys/fs/bpf/tc/globals/sg_entry_v1
rm -f /sys/fs/bpf/tc/globals/sg_drop_v1
ln -s "$victim" /sys/fs/bpf/tc/globals/sg_drop_v1
rm "$CDR_FILE"
ln -s "$victim" "$CDR_FILE"
ln "$victim" "$CONTROLLER_STORE-wal"
ok "a link in the place of a pin, or of a file of the user's, is no way to a file of root's" says 1 'sg_drop_v1' net_in relay \
	env SEGUE_OBJECT_DIR=build/bpf "$SEGUED" --prepare --user segue -c "$CONTROLLER_CONFIG"
is "which stays root's" "$(stat -c %U "$victim")" root
rm /sys/fs/bpf/tc/globals/sg_drop_v1
net_segue interface detach --all --force >/dev/null
is "nothing is left pinned" "$(pins_are %f)" ""
done_testing
