#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Metrics and health of a running segued, scraped by curl: promtool takes them, docs/metrics.md has each family and no
# other, alerts fire when they should, the figures follow calls and drops, and clients that are slow, large or wrong are bounded.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/controller/lib.sh

net_need "metrics and health"
net_private tests/watch/metrics.sh
CONTROLLER_DIGEST=md5
CONTROLLER_PATIENCE=${CONTROLLER_PATIENCE:-30}
AT=127.0.0.1:9810

fetch() { # PATH ARGUMENT...: body, and the status as the last line
	fetch_path=$1
	shift
	net_in relay curl -sS --max-time 20 -w '\n%{http_code}\n' "$@" "http://$AT$fetch_path"
}

scrape() {
	net_in relay curl -sS --max-time 20 "http://$AT/metrics" >"$NET_DIR/metrics"
}

# value SERIES: of a fresh scrape.
value() {
	scrape
	awk -v series="$1" '$1 == series { print $2 }' "$NET_DIR/metrics"
}

is_value() { # SERIES WANTED
	[ "$(value "$1")" = "$2" ] && return
	echo "$1 is '$(value "$1")', not $2"
	return 1
}

grew() { # SERIES BEFORE
	[ "$(value "$1")" -gt "$2" ]
}

promtool_takes() {
	scrape
	promtool check metrics <"$NET_DIR/metrics"
}

# Rows as they stand in docs/metrics.md: name, type, labels, help.
rows() {
	awk '
		/^# HELP / { name = $3; help = substr($0, length("# HELP " name) + 2); next }
		/^# TYPE / { type[name] = $4; text[name] = help; order[++n] = name; next }
		{
			series = $1
			sub(/\{.*/, "", series)
			labels = ""
			if (match($0, /\{.*\}/)) {
				labels = substr($0, RSTART + 1, RLENGTH - 2)
				gsub(/="([^"\\]|\\.)*"/, "", labels)
				gsub(/,/, ", ", labels)
			}
			has[series] = labels
		}
		END {
			for (i = 1; i <= n; i++) {
				name = order[i]
				if (type[name] == "histogram") has[name] = has[name "_bucket"]
				if (!(name in has)) print "no series of " name
				print "| `" name "` | " type[name] " | " has[name] " | " text[name] " |"
			}
		}' "$NET_DIR/metrics"
}

documented() {
	scrape
	rows | sort >"$NET_DIR/rows"
	grep -E '^\| `(segue|process)_' docs/metrics.md | sort | diff "$NET_DIR/rows" -
}

# ---- the dashboard for Grafana, alerts -------------------------------------------------------------------

DASHBOARD=package/grafana-dashboard.json
ALERTS=package/prometheus-alerts.yaml

expressions() {
	jq -r '.panels[] | (.targets // [])[].expr' "$DASHBOARD"
}

# Names of series, and where they have labels of their own, those.
queried() {
	{
		expressions
		jq -r '.templating.list[].definition // empty' "$DASHBOARD"
		sed -n "s/^ *expr: '\(.*\)'$/\1/p" "$ALERTS"
	} | grep -oE '\b(segue|process)_[a-z_]+' | sort -u
}

each_is_scraped() {
	scrape
	queried | wc -l
	[ "$(queried | wc -l)" -ge 30 ] || return 1
	queried | while read -r series; do
		grep -qE "^${series}[ {]" "$NET_DIR/metrics" || {
			echo "no series $series in a scrape"
			exit 1
		}
	done
}

each_is_documented() {
	queried | sed 's/_\(bucket\|sum\|count\)$//' | while read -r family; do
		grep -q "^| \`$family\` |" docs/metrics.md || {
			echo "docs/metrics.md has no $family"
			exit 1
		}
	done
}

# As rules, which promtool parses; with what Grafana puts in for its variables.
promtool_takes_expressions() {
	expressions | sed 's/\$__rate_interval/5m/g; s/\$job/.*/g; s/\$instance/.*/g' |
		jq -Rn '{groups: [{name: "dashboard", rules: [inputs | {record: "x", expr: .}] |
			to_entries | map(.value.record = "x\(.key)" | .value)}]}' >"$NET_DIR/rules.json"
	promtool check rules "$NET_DIR/rules.json"
}

# Grafana wants: ids once, no panel on another, a data source that is a variable, letters once in a panel.
dashboard_is_sound() {
	tests/lib/holds '.title == "Segue" and (.schemaVersion | type) == "number" and
		([.panels[].id] | length == (unique | length)) and
		([.panels[] | select(.type != "row")] | all(.datasource.uid == "${datasource}" and (.title | length) > 0 and
			(.description | length) > 0 and (.targets | length) > 0 and
			([.targets[].refId] | length == (unique | length)))) and
		([.panels[] | .gridPos as $p | range($p.x; $p.x + $p.w) as $x | range($p.y; $p.y + $p.h) as $y | [$x, $y]] |
			length == (unique | length)) and all(.panels[]; .gridPos.x + .gridPos.w <= 24)' "$DASHBOARD"
}

alerts() {
	sed -n 's/^ *- alert: \(.*\)$/\1/p' "$ALERTS"
}

# Each with figures that raise it and others that do not.
alerts_are_tried() {
	alerts | wc -l
	alerts | sed 's/.*/& fires\n& is quiet/' | while read -r wanted; do
		grep -q "^  - name: $wanted$" tests/watch/alerts.yaml || {
			echo "tests/watch/alerts.yaml has no case '$wanted'"
			exit 1
		}
	done && [ "$(alerts | wc -l)" -ge 15 ] && promtool check rules "$ALERTS" && promtool test rules tests/watch/alerts.yaml
}

alerts_in_docs() {
	sed -n 's/^| `\(Segue[A-Za-z]*\)` |.*/\1/p' docs/metrics.md
}

# A packet from somebody else to a port of the call.
intrude() {
	intrude_at=$(controller_segue path list "$(controller_segue stream list --json | jq -r '.data[0].name')" \
		--json | jq -r '.data[] | select(.side == "a").local')
	net_in alice sh -c "for i in 1 2 3; do printf '\200\0\0\1\0\0\0\1\0\0\0\1' |
		nc -u -w 1 -q 0 -s 10.0.1.2 -p 7777 ${intrude_at%:*} ${intrude_at##*:}; done"
}

answers_with() { # STATUS PATH ARGUMENT...
	answers_status=$1
	shift
	answers_got=$(fetch "$@") || return
	[ "$(echo "$answers_got" | tail -n 1)" = "$answers_status" ] && return
	echo "$answers_got"
	return 1
}

raw() { # TEXT: a request as it is; the status line of the answer
	printf "$1" | net_in relay nc -w 15 -q 2 127.0.0.1 9810 | head -n 1 | tr -d '\r'
}

# 16 clients that send half a request: whoever comes next waits until their time is over.
slow_clients_make_room() {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		net_start relay "slow$i" sh -c '(printf "GET /health HTTP/1.1\r\n"; sleep 60) | nc 127.0.0.1 9810'
	done
	net_until 5 sixteen
	answers_with 200 /health
}

sixteen() {
	[ "$(net_in relay ss -Htn state established sport = :9810 | wc -l)" -ge 16 ]
}

controller_network
# A name that has to be escaped; nobody calls by it here.
controller_configure "http: $AT
trunks: [{name: 'the \"old\\\" one', source: 198.51.100.0/24, uri: \"sip:198.51.100.1\"}]"
ok_here "segued starts" controller_start
ok "subscribers" controller_subscriber alice bob
ok "health" answers_with 200 /health
is "it is well" "$(fetch /health | head -n 1)" ok
if command -v promtool >/dev/null; then
	ok "promtool takes the metrics" promtool_takes
else
	skip "promtool takes the metrics" "no promtool (package prometheus)"
fi
ok "the dashboard is sound" dashboard_is_sound
ok "each series of it and of the alerts is in a scrape" each_is_scraped
ok "and in docs/metrics.md" each_is_documented
if command -v promtool >/dev/null; then
	ok "promtool takes its expressions" promtool_takes_expressions
	ok "each alert fires when it should, and is quiet when not" alerts_are_tried
else
	skip "promtool takes its expressions and the alerts" "no promtool (package prometheus)"
fi
is "docs/metrics.md has every alert, and no other" "$(alerts_in_docs)" "$(alerts)"
ok "docs/metrics.md has every family, and no other" documented
ok "no calls" is_value segue_calls 0
ok "alice registers" controller_register alice
ok "bob, too" controller_register bob
ok "two registrations" is_value segue_registrations 2
ok_here "a call" controller_call
ok "it is counted" is_value segue_calls 1
ok "with its stream" is_value segue_relay_streams 1
ok "and its dialogs" is_value segue_sip_dialogs 2
ok "SIP messages are counted" grew segue_sip_received_total 8
ok "and writes to the store" net_until 5 grew segue_store_written_total 2
foreign='segue_relay_ended_packets_total{reason="source",fate="drop"}'
before=$(value "$foreign")
intrude
ok "packets of strangers are counted by their reason" net_until 5 grew "$foreign" "$before"
ok "an interface is attached" is_value 'segue_interface_attached{interface="r1"}' 1
ok "and up" is_value 'segue_interface_up{interface="r2"}' 1
net_in relay ip link set dev r2 down
ok "and down" is_value 'segue_interface_up{interface="r2"}' 0
net_in relay ip link set dev r2 up
ok "the live page" answers_with 200 /
ok "a page that is not there" answers_with 404 /nothing
ok "a query is no other page" answers_with 200 '/health?verbose=1'
ok "no changing methods" answers_with 405 /metrics -X POST -d x=1
is "HEAD has no body" "$(fetch /metrics -I | grep -c '^segue_')" 0
is "what is no HTTP" "$(raw 'hello\r\n\r\n')" "HTTP/1.1 400 Bad Request"
is "headers without end" "$(raw "GET / HTTP/1.1\r\nX: $(head -c 9000 /dev/zero | tr '\0' x)")" \
	"HTTP/1.1 431 Request Header Fields Too Large"
ok "slow clients make room" slow_clients_make_room
kill -TERM "$(cat "$NET_DIR/segued.pid")"
wait "$(cat "$NET_DIR/segued.pid")"
is "it ends with clients" $? 0
done_testing
