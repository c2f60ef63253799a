# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# Two parties, one or both of which move, through a running segued. Source it from the repository's root
# after tap.sh, net.sh and tests/controller/lib.sh, inside net_private.
#
#   mn --wlan0--[10 ms]--- relay: segued ---core0-- cn
#      --umts0--[110 ms]--
#
# alice is at mn and bob at cn; either may call. The networks of mn are called wlan and umts.

HANDOVER_MODE=${HANDOVER_MODE:-native}
# Of all, unless one of these says otherwise: of the far end, of the second network of who moves.
HANDOVER_FAMILY=${HANDOVER_FAMILY:-4}
HANDOVER_FIXED_FAMILY=
HANDOVER_SECOND_FAMILY=
# Instead of segued, whom the moving party sends its SIP to: HOST:PORT, by its first network and by its second one.
HANDOVER_PROXY=
HANDOVER_SECOND_PROXY=
# More addresses of segued, apart by spaces: udp:HOST:PORT.
HANDOVER_LISTEN=
# More lines of its section sip.
HANDOVER_SIP=

handover_host() { # relay|mn|cn LINK FAMILY: as in a URI
	handover_address=$(net_address "$1" "$2" "$3")
	[ "$3" = 4 ] && echo "$handover_address" || echo "[$handover_address]"
}

handover_listen() {
	for handover_each in wlan umts core; do
		echo "    - udp:$(handover_host relay $handover_each 4):5060"
		echo "    - udp:$(handover_host relay $handover_each 6):5060"
	done
	for handover_each in $HANDOVER_LISTEN; do
		echo "    - $handover_each"
	done
}

handover_configure() { # [YAML]
	cat >"$CONTROLLER_CONFIG" <<END
sip:
  domains: [$CONTROLLER_DOMAIN]
  listen:
$(handover_listen)
  limit: {messages: none, strangers: none}
  digest: ${HANDOVER_DIGEST:-[sha-256, md5]}
  nonce: ${HANDOVER_NONCE:-300s}
$HANDOVER_SIP
media:
  interfaces:
    - {name: wlan0, address: ["$(net_address relay wlan 4)", "$(net_address relay wlan 6)"], attach: $HANDOVER_MODE}
    - {name: umts0, address: ["$(net_address relay umts 4)", "$(net_address relay umts 6)"], attach: $HANDOVER_MODE}
    - {name: core0, address: ["$(net_address relay core 4)", "$(net_address relay core 6)"], attach: $HANDOVER_MODE}
  ports: 30000-30999
  streams: 1024
store: "sqlite:$NET_DIR/segue.db"
control: $CONTROLLER_SOCKET
log: {level: debug}
END
	[ $# = 0 ] || printf '%s\n' "$1" >>"$CONTROLLER_CONFIG"
}

# handover_streams: segued listens for TCP and TLS, too, with a certificate for its domain from an authority of ours
# ($NET_DIR/ca.pem); another authority knows nothing of it ($NET_DIR/stranger.pem). Before handover_world.
handover_streams() {
	for handover_each in wlan umts core; do
		HANDOVER_LISTEN="$HANDOVER_LISTEN tcp:$(handover_host relay $handover_each 4):5060"
		HANDOVER_LISTEN="$HANDOVER_LISTEN tls:$(handover_host relay $handover_each 4):5061"
	done
	for handover_each in ca stranger; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$handover_each" \
			-keyout "$NET_DIR/$handover_each.key" -out "$NET_DIR/$handover_each.pem" 2>/dev/null || return
	done
	echo "subjectAltName=DNS:$CONTROLLER_DOMAIN,IP:$(net_address relay core 4)" >"$NET_DIR/names"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$CONTROLLER_DOMAIN" \
		-keyout "$NET_DIR/tls.key" -out "$NET_DIR/tls.csr" 2>/dev/null &&
		openssl x509 -req -in "$NET_DIR/tls.csr" -CA "$NET_DIR/ca.pem" -CAkey "$NET_DIR/ca.key" -CAcreateserial \
			-days 2 -extfile "$NET_DIR/names" -out "$NET_DIR/tls.pem" 2>/dev/null || return
	HANDOVER_SIP="  tls: {certificate: $NET_DIR/tls.pem, key: $NET_DIR/tls.key}"
}

# What leaves from an address of mn leaves by its network, wherever it goes.
handover_routes() {
	handover_table=101
	for handover_link in wlan umts; do
		for handover_each in 4 6; do
			net_in mn ip -$handover_each rule add from "$(net_address mn $handover_link $handover_each)" \
				lookup $handover_table
			net_in mn ip -$handover_each route add default \
				via "$(net_address relay $handover_link $handover_each)" dev ${handover_link}0 \
				table $handover_table
		done
		handover_table=$((handover_table + 1))
	done
	for handover_each in 4 6; do
		net_in cn ip -$handover_each route add default via "$(net_address relay core $handover_each)"
	done
}

# handover_world [YAML]: true when segued runs and knows both subscribers.
handover_world() {
	net_topology several
	handover_routes
	handover_configure "$@"
	controller_start && controller_subscriber alice bob
}

# handover_ua NAMESPACE NAME ARGUMENT...: segue-ua of that subscriber; its output is in NAME.log, its packets in
# NAME.csv, its statistics in NAME.json.
handover_ua() {
	handover_ns=$1 handover_name=$2
	shift 2
	handover_stop "$handover_name" # what a scenario that failed left
	rm -f "$NET_DIR/$handover_name".ctl "$NET_DIR/$handover_name".csv "$NET_DIR/$handover_name".log
	# shellcheck disable=SC2086 # words or none
	net_start "$handover_ns" "$handover_name" ${NET_URGENT:-} env SEGUE_UA_PASSWORD="$handover_name-secret" \
		build/segue-ua --aor "sip:$handover_name@$CONTROLLER_DOMAIN" --json-events \
		--packets "$NET_DIR/$handover_name.csv" --statistics "$NET_DIR/$handover_name.json" \
		--control "$NET_DIR/$handover_name.ctl" "$@"
}

handover_stop() { # NAME
	if [ -e "$NET_DIR/$1.pid" ] && net_alive "$1"; then
		net_stop "$1"
	fi
	return 0
}

# The moving party's two networks, the one in use first.
handover_mobile() { # NAME FIRST SECOND ARGUMENT...
	handover_who=$1
	handover_family=${HANDOVER_SECOND_FAMILY:-$HANDOVER_FAMILY}
	handover_first="$2=$(net_address mn "$2" "$HANDOVER_FAMILY")%${2}0"
	handover_second="$3=$(net_address mn "$3" "$handover_family")%${3}0"
	handover_proxy=${HANDOVER_PROXY:-$(handover_host relay "$2" "$HANDOVER_FAMILY"):5060}
	handover_second_proxy=$HANDOVER_SECOND_PROXY
	[ "$handover_family" = "$HANDOVER_FAMILY" ] ||
		handover_second_proxy=$(handover_host relay "$3" "$handover_family"):5060
	handover_second="$handover_second${handover_second_proxy:+@$handover_second_proxy}"
	shift 3
	handover_ua mn "$handover_who" --via "$handover_first" --via "$handover_second" \
		--proxy "$handover_proxy" "$@"
}

handover_fixed() { # NAME ARGUMENT...
	handover_who=$1
	handover_family=${HANDOVER_FIXED_FAMILY:-$HANDOVER_FAMILY}
	shift
	handover_ua cn "$handover_who" --via "core=$(net_address cn core "$handover_family")" \
		--proxy "$(handover_host relay core "$handover_family"):5060" "$@"
}

# handover_event NAME EVENT: has it been said?
handover_event() {
	grep -qs "\"event\": *\"$2\"" "$NET_DIR/$1.log"
}

handover_wait() { # SECONDS NAME EVENT
	net_until "$1" handover_event "$2" "$3" || {
		echo "$2 has not said '$3':"
		tail -n 5 "$NET_DIR/$2.log"
		return 1
	}
}

handover_tell() { # NAME COMMAND...
	handover_to=$1
	shift
	# Opened for both, a FIFO takes the line also when its reader has gone.
	echo "$*" 1<>"$NET_DIR/$handover_to.ctl"
}

# handover_capture: the SIP of both ends, from now to the end of the script.
handover_capture() {
	for handover_end in mn:any cn:eth0; do
		net_start "${handover_end%:*}" "sip-${handover_end%:*}" tcpdump --immediate-mode -U \
			-i "${handover_end#*:}" -w "$NET_DIR/sip-${handover_end%:*}.pcap" udp port 5060
		net_until 10 grep -qs 'listening on' "$NET_DIR/sip-${handover_end%:*}.log" || return
	done
}

# handover_sip mn|cn FILTER: methods and statuses of those messages there but 100, in order, each once.
handover_sip() {
	tshark -r "$NET_DIR/sip-$1.pcap" -Y "sip && ($2)" -T fields -e sip.Method -e sip.Status-Code \
		-e sip.CSeq -e sip.Call-ID 2>/dev/null | awk -F '\t' '
		{ what = $1 == "" ? $2 : $1 }
		what != 100 && !seen[what, $3, $4]++ { printf "%s%s", n++ ? " " : "", what }'
}

# handover_said NAME EVENT EXPRESSION: of the last such event.
handover_said() {
	jq -r "select(.event == \"$2\") | $3" "$NET_DIR/$1.log" | tail -n 1
}

handover_call_id() { # NAME
	handover_said "$1" established .call_id
}

# handover_seen_by NAME NETWORK-NAMESPACE: the SIP of its first leg there.
handover_seen_by() {
	handover_sip "$2" "sip.Call-ID == \"$(handover_call_id "$1")\""
}

# ---- steps (ok_here, since they start children) ---------------------------------------------------

handover_heard() { # NAME
	grep -c '^rtp-received' "$NET_DIR/$1.csv"
}

handover_has_heard() { # NAME COUNT
	[ "$(handover_heard "$1")" -ge "$2" ]
}

# handover_more COUNT NAME...: each has got so many more packets.
handover_more() {
	handover_count=$1
	shift
	for handover_each in "$@"; do
		net_until 30 handover_has_heard "$handover_each" \
			$(($(handover_heard "$handover_each") + handover_count)) || {
			echo "$handover_each hears nothing"
			return 1
		}
	done
}

# handover_call MOVING FIXED FIRST SECOND [ARGUMENT... of the moving party]: moving calls fixed; true when RTP
# flows both ways.
handover_call() {
	handover_moving=$1 handover_other=$2 handover_from=$3 handover_to_net=$4
	shift 4
	# shellcheck disable=SC2086 # words or none
	handover_fixed "$handover_other" ${HANDOVER_FIXED_ARGUMENTS:-} answer
	handover_wait 10 "$handover_other" registered || return
	handover_mobile "$handover_moving" "$handover_from" "$handover_to_net" "$@" \
		call "sip:$handover_other@$CONTROLLER_DOMAIN"
	handover_up "$handover_moving" "$handover_other"
}

# handover_called: likewise, but the fixed party calls the moving one.
handover_called() { # MOVING FIXED FIRST SECOND [ARGUMENT...]
	handover_moving=$1 handover_other=$2 handover_from=$3 handover_to_net=$4
	shift 4
	handover_mobile "$handover_moving" "$handover_from" "$handover_to_net" "$@" answer
	handover_wait 10 "$handover_moving" registered || return
	# shellcheck disable=SC2086 # words or none
	handover_fixed "$handover_other" ${HANDOVER_FIXED_ARGUMENTS:-} call "sip:$handover_moving@$CONTROLLER_DOMAIN"
	handover_up "$handover_moving" "$handover_other"
}

# handover_stay: likewise, and both stay for further calls.
handover_stay() { # MOVING FIXED FIRST SECOND [ARGUMENT...]
	handover_moving=$1 handover_other=$2 handover_from=$3 handover_to_net=$4
	shift 4
	handover_mobile "$handover_moving" "$handover_from" "$handover_to_net" "$@" answer
	handover_fixed "$handover_other" answer
	handover_wait 10 "$handover_moving" registered && handover_wait 10 "$handover_other" registered || return
	handover_tell "$handover_other" call "sip:$handover_moving@$CONTROLLER_DOMAIN"
	handover_up "$handover_moving" "$handover_other"
}

handover_up() { # NAME...
	for handover_party in "$@"; do
		handover_wait 20 "$handover_party" established || return
	done
	handover_more 30 "$@"
}

# handover_moves NAME NETWORK OTHER [EVENT]: true when the old leg is gone and both hear on.
handover_moves() {
	handover_tell "$1" move "$2"
	handover_wait 20 "$1" "${4:-released}" && handover_more 30 "$1" "$3"
}

# Nobody speaks any more, and what was on its way has arrived.
handover_silence() { # NAME...
	for handover_each in "$@"; do
		handover_tell "$handover_each" mute
	done
	handover_before=
	until handover_now=$(cat "$NET_DIR"/*.csv | grep -c '^rtp-') && [ "$handover_now" = "$handover_before" ]; do
		handover_before=$handover_now
		sleep 0.25
	done
}

# handover_end NAME...: silence, then the first one hangs up; true when all have ended.
handover_end() {
	handover_silence "$@"
	handover_tell "$1" bye
	for handover_each in "$@"; do
		handover_wait 20 "$handover_each" ended || return
		handover_tell "$handover_each" quit
	done
	net_finish "$@"
}

# ---- what must be true ---------------------------------------------------------------------------

# handover_report NAME1 NAME2: JSON {up, down} of what each sent and the other one's application got.
handover_report() {
	"$NET_TOOLS/rtp-report" json up "$NET_DIR/$1.csv" "$NET_DIR/$2.csv" \
		down "$NET_DIR/$2.csv" "$NET_DIR/$1.csv" >"$NET_DIR/report.json"
}

# handover_pace SENDER MS: most packets that it sent within such a time: 6 in 105 ms, more when it was late and made
# up for it.
handover_pace() {
	awk -F, -v span="$2" '$1 == "rtp-sent" && !seen[$5]++ {
			sent[++count] = $2 / 1e6
			while (sent[count] - sent[first + 1] > span) first++
			if (count - first > most) most = count - first
		}
		END { print most + 0 }' "$NET_DIR/$1.csv"
}

# handover_once NAME1 NAME2 [SKEWS]: both applications got each packet once; none came later than what was said in
# the meantime of so many times 100 ms (scenario 3: at most 6 packets; 0: in order).
handover_once() {
	handover_report "$1" "$2" || return
	handover_up_depth=0 handover_down_depth=0
	if [ "${3:-0}" != 0 ]; then
		handover_up_depth=$(handover_pace "$1" $(($3 * 105)))
		handover_down_depth=$(handover_pace "$2" $(($3 * 105)))
	fi
	jq -c 'map_values({sent, received_once, lost, doubled, reorder_depth, copies_sent, copies_received})' \
		"$NET_DIR/report.json"
	tests/lib/holds --argjson up "$handover_up_depth" --argjson down "$handover_down_depth" \
		'all(.up, .down; .sent > 60 and .received_once == .sent and .lost == 0 and .doubled == 0) and
		.up.reorder_depth <= $up and .down.reorder_depth <= $down' "$NET_DIR/report.json" >/dev/null && return
	echo "up at most $handover_up_depth late, down $handover_down_depth"
	handover_explain "$1" "$2"
	handover_explain "$2" "$1"
	handover_drops | grep -v ' 0$'
	return 1
}

# handover_explain SENDER RECEIVER: when packets that did not arrive left, and what happened meanwhile.
handover_explain() {
	"$NET_TOOLS/rtp-report" lost x "$NET_DIR/$1.csv" "$NET_DIR/$2.csv" | head -n 20 | while read -r handover_sequence; do
		grep "^rtp-sent,[0-9]*,[0-9]*,[0-9]*,$handover_sequence," "$NET_DIR/$1.csv"
	done
	jq -c 'select(.event | test("mov|released|good|aborted")) | {event, at_us, asked_us, answered_us, released_us}' \
		"$NET_DIR/$1.log"
}

# handover_lost up|down
handover_lost() {
	jq ".$1.lost" "$NET_DIR/report.json"
}

# handover_delays SENDER RECEIVER: shortest way in ms among the first 40 packets, and among the last 40: what is more
# was the machine's.
handover_delays() {
	awk -F, '
		function shortest(first, last,    i, least) {
			least = delay[first]
			for (i = first; i <= last; i++) if (delay[i] < least) least = delay[i]
			return least
		}
		NR == FNR { if ($1 == "rtp-sent" && !($5 in sent)) sent[$5] = $2; next }
		$1 == "rtp-received" && ($5 in sent) && !($5 in got) {
			got[$5] = 1
			delay[++count] = ($2 - sent[$5]) / 1e6
		}
		END { printf "%.1f %.1f\n", shortest(1, 40), shortest(count - 39, count) }' \
		"$NET_DIR/$1.csv" "$NET_DIR/$2.csv"
}

# handover_step SENDER RECEIVER MS: so much longer (shorter: negative) is the way at the end, +- 5 ms.
handover_step() {
	handover_delays "$1" "$2" | awk -v wanted="$3" '{ printf "%s ms, %s ms\n", $1, $2; step = $2 - $1
		exit !(step >= wanted - 5 && step <= wanted + 5) }'
}

# handover_uptime_ns REALTIME-NS: that time as the packets' logs have it, to 10 ms.
handover_uptime_ns() {
	awk -v now="$(date +%s.%N)" -v at="$1" '{ printf "%.0f\n", at - (now - $1) * 1e9 }' /proc/uptime
}

# handover_reports EXPRESSION: is it true of segued's reports, now or soon?
handover_reports() {
	net_until 10 handover_reports_now "$1" && return
	controller_segue handover list --json | jq -c '.data[]'
	return 1
}

handover_reports_now() {
	controller_segue handover list --json | tests/lib/holds "[.data[]] | $1" >/dev/null
}

# Nothing is left in the relay: no stream, and segued knows no call.
handover_clean() {
	net_until 10 handover_is_clean
}

handover_is_clean() {
	[ "$(net_segue stream list --json | jq '.data | length')" = 0 ] &&
		[ "$(controller_segue call list --json | jq '.data | length')" = 0 ]
}

# handover_drops: a line for each reason, as now: "REASON PACKETS".
handover_drops() {
	net_segue drop list --json | jq -r '.data[] | "\(.name) \(.count)"'
}

# handover_maps: a line for each map but those that the kernel writes when packets pass (bpf/maps.h): its name and
# a sum over all that it holds.
handover_maps() {
	net_in relay build/tests/relay/map-sum /sys/fs/bpf/xdp/globals |
		grep -vE '^sg_(path_stat|path_rare|history|drop|event|copy)_'
}
