# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# The steps of tests/sipbench/run. Source it from the repository's root after net.sh.
#
#   caller 10.0.1.2 --- r1 10.0.1.1 [ relay: the subject ] r2 10.0.2.1 --- callee 10.0.2.2

SIPBENCH=tests/sipbench
SIPBENCH_SECONDS=${SIPBENCH_SECONDS:-2}	 # of each step of the ladder
SIPBENCH_FIRST=${SIPBENCH_FIRST:-2000}	 # calls a second of its first step
SIPBENCH_HALVINGS=${SIPBENCH_HALVINGS:-4} # after the first rate that fails
SIPBENCH_HELD=${SIPBENCH_HELD:-10000}	 # calls

sipbench_world() {
	for sb_ns in relay caller callee; do
		net_namespace $sb_ns
	done
	sb_number=1
	for sb_ns in caller callee; do
		net_veth relay r$sb_number $sb_ns e0
		net_in relay ip addr add 10.0.$sb_number.1/24 dev r$sb_number
		net_in $sb_ns ip addr add 10.0.$sb_number.2/24 dev e0
		net_in $sb_ns ip route add default via 10.0.$sb_number.1
		sb_number=$((sb_number + 1))
	done
	net_in relay sh -c '. tests/lib/net.sh; net_sysctl ipv4/ip_forward=1'
	: >"$NET_DIR/steps"
}

# sipbench_ask ARGUMENT...: the command line, for the segued under test.
sipbench_ask() {
	net_segue --control "$NET_DIR/control.sock" "$@"
}

# sipbench_subject_start NAME: it listens at 10.0.1.1:5060, or is nobody (direct: caller to callee).
sipbench_subject_start() {
	SIPBENCH_TARGET=10.0.1.1:5060
	case $1 in
	direct) SIPBENCH_TARGET=10.0.2.2:5060 ;;
	kamailio)
		sed 's/CALLEE/10.0.2.2:5060/' $SIPBENCH/kamailio.cfg >"$NET_DIR/kamailio.cfg"
		net_start relay subject taskset -c 0 kamailio -f "$NET_DIR/kamailio.cfg" -DD -E -n 1 \
			-l udp:10.0.1.1:5060 -m 1024 -M 64 -x fm -X fm -Y "$NET_DIR" -P "$NET_DIR/kamailio.pid"
		;;
	segued)
		sed "s|DIRECTORY|$NET_DIR|" $SIPBENCH/segued.yaml >"$NET_DIR/segued.yaml"
		rm -f "$NET_DIR"/segue.db*
		net_start relay subject taskset -c 0 env SEGUE_OBJECT_DIR=build/bpf SEGUE_SHORT_TIMES=1 \
			build/segued --config "$NET_DIR/segued.yaml" --foreground
		;;
	esac
	[ "$1" = direct ] || sipbench_answers || {
		echo "sipbench: $1 does not answer:" >&2
		tail -n 20 "$NET_DIR/subject.log" >&2
		return 1
	}
}

# OPTIONS to the subject, until something comes back.
sipbench_answers() {
	net_until 10 net_in caller timeout 1 sipp -sf $SIPBENCH/ping.xml -m 1 -timeout 1s -nostdin \
		"$SIPBENCH_TARGET" -i 10.0.1.2 -p 5999 >/dev/null 2>&1
}

# CPU time of the subject in microseconds, all threads, its children included.
sipbench_cpu_us() {
	[ "$1" = direct ] && {
		echo 0
		return
	}
	sb_leader=$(cat "$NET_DIR/subject.pid")
	for sb_pid in $sb_leader $(pgrep -P "$sb_leader"); do
		cat /proc/"$sb_pid"/task/*/schedstat 2>/dev/null
	done | awk '{ sum += $1 } END { printf "%d\n", sum / 1000 }'
}

# Resident kB of the subject.
sipbench_kb() {
	awk '/^VmRSS/ { print $2 }' "/proc/$(cat "$NET_DIR/subject.pid")/status"
}

sipbench_subject_stop() {
	[ "$1" = direct ] && return
	kill -TERM "$(cat "$NET_DIR/subject.pid")"
	sleep 0.3
	kill -KILL $(pgrep -P "$(cat "$NET_DIR/subject.pid")") "$(cat "$NET_DIR/subject.pid")" 2>/dev/null
	wait "$(cat "$NET_DIR/subject.pid")" 2>/dev/null
	# What it had installed goes with it: the next one begins with nothing.
	[ "$1" = kamailio ] || net_segue interface detach --all --force >/dev/null 2>&1
}

sipbench_subject_restart() {
	sipbench_subject_stop "$1"
	sipbench_subject_start "$1"
}

sipbench_callee() { # start|stop
	if [ "$1" = start ]; then
		net_start callee callee taskset -c 1 sipp -sf $SIPBENCH/uas.xml -i 10.0.2.2 -p 5060 \
			-nostdin -buff_size 4194304
		net_until 5 sh -c "nsenter --net=/run/netns/callee ss -lun | grep -q 10.0.2.2:5060"
	else
		kill -KILL "$(cat "$NET_DIR/callee.pid")" 2>/dev/null
		wait "$(cat "$NET_DIR/callee.pid")" 2>/dev/null
	fi
}

# sipbench_sipp SCENARIO PORT RATE COUNT PAUSE_MS SECONDS [ARGUMENT...]: of the calling side; its statistics are
# in $NET_DIR/SCENARIO.csv. It has so many seconds: a rate that is too high ends in time, too.
sipbench_sipp() {
	sb_scenario=$1 sb_port=$2 sb_calls=$4 sb_asked=$3 sb_pause=$5 sb_patience=$6
	shift 6
	rm -f "$NET_DIR/$sb_scenario".csv "$NET_DIR/$sb_scenario"_*_rtt.csv
	net_in caller env -C "$NET_DIR" taskset -c 1 timeout -s KILL $((sb_patience + 2)) sipp \
		-sf "$PWD/$SIPBENCH/$sb_scenario.xml" -s callee -i 10.0.1.2 -p "$sb_port" -nostdin \
		-r "$sb_asked" -m "$sb_calls" -d "$sb_pause" -l 200000 -trace_stat \
		-stf "$NET_DIR/$sb_scenario.csv" -fd 1 -buff_size 4194304 -timeout "$sb_patience"s "$@" \
		"$SIPBENCH_TARGET" >"$NET_DIR/$sb_scenario.log" 2>&1
}

# sipbench_column SCENARIO NAME: of the last line of the statistics.
sipbench_column() {
	awk -F ';' -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
		{ last = $at } END { print last + 0 }' "$NET_DIR/$1.csv"
}

# One rate for some seconds. True without a failed call and without a retransmission.
sipbench_step() { # SUBJECT RATE
	sb_count=$(($2 * SIPBENCH_SECONDS))
	sipbench_callee start
	sb_before=$(sipbench_cpu_us "$1")
	sipbench_sipp uac 5061 "$2" $sb_count 0 $((SIPBENCH_SECONDS + 2))
	sb_spent=$(($(sipbench_cpu_us "$1") - sb_before))
	sipbench_callee stop
	sb_good=$(sipbench_column uac 'SuccessfulCall(C)')
	sb_failed=$(sipbench_column uac 'FailedCall(C)')
	sb_again=$(sipbench_column uac 'Retransmissions(C)')
	# sipp may not have kept the rate that it was asked for.
	sb_rate=$(sipbench_column uac 'CallRate(C)' | cut -d. -f1)
	sb_us=$(awk "BEGIN { print $sb_spent / ($sb_good + 0.0001) }")
	sb_clean=0
	[ "$sb_failed" = 0 ] && [ "$sb_again" = 0 ] && [ "$sb_good" = $sb_count ] && sb_clean=1
	echo "$1 $2 $sb_rate $sb_us $sb_clean" >>"$NET_DIR/steps"
	printf '  %-9s asked %5d/s, made %5d/s, CPU %6.1f us a call, %d of %d calls, %d sent again\n' \
		"$1" "$2" "$sb_rate" "$sb_us" "$sb_good" "$sb_count" "$sb_again"
	[ $sb_clean = 1 ] && [ "$sb_rate" -ge $(($2 * 8 / 10)) ]
}

# A rate that fails may have been unlucky: once more, with a subject that has nothing left to do.
sipbench_try() { # SUBJECT RATE
	sipbench_step "$1" "$2" && return
	sipbench_subject_restart "$1"
	sipbench_step "$1" "$2" && return
	sipbench_subject_restart "$1"
	return 1
}

# The highest rate without a retransmission: doubled until one fails, then halved in between.
sipbench_ladder() { # SUBJECT
	sb_low=0 sb_high=$SIPBENCH_FIRST
	while sipbench_try "$1" "$sb_high"; do
		sb_low=$sb_high sb_high=$((sb_high * 2))
	done
	sb_halvings=$SIPBENCH_HALVINGS
	while [ "$sb_halvings" -gt 0 ]; do
		sb_middle=$(((sb_low + sb_high) / 2))
		if sipbench_try "$1" $sb_middle; then
			sb_low=$sb_middle
		else
			sb_high=$sb_middle
		fi
		sb_halvings=$((sb_halvings - 1))
	done
}

sipbench_calls() {
	sipbench_ask status --json | jq '.data.calls'
}

# Until there are so many, or no more come: some may fail where the machine is busy.
sipbench_await() { # COUNT
	sb_deadline=$(($(date +%s) + 30)) sb_held=0
	while [ "$sb_held" -lt "$1" ] && [ "$(date +%s)" -lt $sb_deadline ]; do
		sleep 1
		sb_seen=$(sipbench_calls)
		[ "${sb_seen:-0}" -gt 0 ] && [ "$sb_seen" = "$sb_held" ] && return
		sb_held=${sb_seen:-0}
	done
}

# sipbench_hold COUNT: so many calls at once, media paths installed, until the end; memory for each.
sipbench_hold() {
	sb_empty=$(sipbench_kb)
	sipbench_sipp uac 5061 1500 "$1" 600000 600 &
	sipbench_await "$1"
	sb_full=$(sipbench_kb)
	echo "held $sb_held $sb_empty $sb_full" >"$NET_DIR/held"
	printf '  segued    holds %d calls with %d kB: %.1f kB a call\n' "$sb_held" "$sb_full" \
		"$(awk "BEGIN { print ($sb_full - $sb_empty) / ($sb_held + 0.0001) }")"
}

sipbench_moved() {
	sipbench_ask handover list --json |
		jq '[.data[] | select(.state == "finished").changed_us] | sort' >"$NET_DIR/moved" &&
		[ "$(jq length "$NET_DIR/moved")" -ge "$1" ]
}

# Milliseconds from INVITE to 200 as the sender saw them, whole ones, sorted, a line each.
sipbench_answered() {
	cat "$NET_DIR"/mover_*_rtt.csv | awk -F ';' '$2 ~ /^[0-9]/ { print $2 }' | sort -n
}

# sipbench_move NAME RATE SECONDS: so many handovers a second. From segued's own reports: microseconds between
# a request and its route in the map; and from the sender, milliseconds to the answer.
sipbench_move() {
	sipbench_sipp mover $((5062 + $2 % 100)) "$2" $(($2 * $3)) 600000 600 -trace_rtt -rtt_freq 1 &
	sleep $(($3 + 2)) # nobody asks meanwhile: a list of thousands takes time itself
	sipbench_moved $(($2 * $3)) || sleep 3
	sipbench_moved 1
	sipbench_answered | jq -s . >"$NET_DIR/answered"
	jq --arg name "$1" --slurpfile answered "$NET_DIR/answered" '
		def at(part): .[length * part | floor];
		{($name): {count: length, p50: at(0.5), p99: at(0.99), max: .[-1],
			answer_ms: ($answered[0] | {p50: at(0.5), p99: at(0.99)})}}' "$NET_DIR/moved" |
		tee -a "$NET_DIR/moves" |
		jq -r --arg rate "$2" --arg held "${sb_held:-0}" '.[] | "  segued    \(.count) handovers at " +
			"\($rate)/s beside \($held) calls: request to map \(.p50) us, p99 \(.p99) us; " +
			"to the answer \(.answer_ms.p50) ms, p99 \(.answer_ms.p99) ms"'
}

sipbench_report() {
	awk 'NR == FNR && $5 == 1 {
			if ($3 > cps[$1]) { cps[$1] = $3 }
			if (!($1 in us) || $4 < us[$1]) us[$1] = $4
		}
		$1 == "held" { kb = ($4 - $3) / ($2 + 0.0001); held = $2 }
		END {
			printf "{\"sip\": {\"cps\": %d, \"kamailio_cps\": %d, \"sipp_direct_cps\": %d, ", \
				cps["segued"], cps["kamailio"], cps["direct"]
			printf "\"cps_over_kamailio\": %.2f, ", cps["segued"] / (cps["kamailio"] + 0.001)
			printf "\"cpu_us_per_call\": %.1f, \"kamailio_cpu_us_per_call\": %.1f, ", \
				us["segued"], us["kamailio"]
			printf "\"cpu_per_call_over_kamailio\": %.2f, ", us["segued"] / (us["kamailio"] + 0.001)
			printf "\"kb_per_call\": %.2f, \"held_calls\": %d}}\n", kb, held
		}' "$NET_DIR/steps" "$NET_DIR/held" >"$NET_DIR/figures"
	jq -s 'add as $all | {sip: $all.sip, handover: {request_to_map_us: $all.busy, request_to_map_us_idle: $all.idle,
		beside_calls: $all.sip.held_calls}}' "$NET_DIR/figures" "$NET_DIR/moves"
}
