#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The live page in headless Chromium, driven by chromedriver: a real call is handed over, and what the document then says
# is what segued said on its control socket. Who may look, what a browser is told to refuse, and that nothing that a
# stranger chose is taken for markup. PAGE_SCREENSHOTS=DIRECTORY keeps what it looked like, light and dark.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "the live page"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

AT=127.0.0.1:9810
STRANGE='eve&lt;b&gt;'

status() { # URL ARGUMENT...
	net_in relay curl -sS --max-time 20 -o "$NET_DIR/body" -w '%{http_code}' "$@"
}

# from mn: over the network, not this machine.
status_from_afar() {
	net_in mn curl -sS --max-time 20 -o "$NET_DIR/body" -w '%{http_code}' \
		"http://$(net_address relay wlan 4):9810$1"
}

# ---- JSON ----------------------------------------------------------------------------------------

overview() {
	net_in relay curl -sS --max-time 20 "http://$AT/api/overview"
}

# What moves on between two questions is left out.
still() {
	jq -S 'walk(if type == "object" then del(.age_ms, .expires_ms, .changed_ms, .uptime_ms, .sip, .now_us) else . end)'
}

same_as() { # MEMBER OBJECT COMMAND: the overview's member is what the command says
	controller_segue "$2" "$3" --json | jq .data | still >"$NET_DIR/command.json"
	overview | jq ".$1" | still | diff "$NET_DIR/command.json" -
}

call_is_shown() {
	net_in relay curl -sS --max-time 20 "http://$AT/api/call?id=$1" >"$NET_DIR/call.json"
	tests/lib/holds --arg id "$1" '.segue == 1 and .data.id == $id and (.data.steps | length) > 3' "$NET_DIR/call.json"
}

# ---- the browser ---------------------------------------------------------------------------------

driver() { # METHOD PATH [JSON]
	net_in relay curl -sS --max-time 60 -X "$1" -H 'Content-Type: application/json' \
		${3:+--data-binary} ${3:+"$3"} "http://127.0.0.1:9515$2"
}

driver_answers() {
	driver GET /status 2>/dev/null | tests/lib/holds .value.ready >/dev/null 2>&1
}

# In /run, which is ours alone; the world's end is the browser's, too.
browser_start() {
	net_start relay chromedriver env HOME="$NET_DIR" chromedriver --port=9515
	net_until 60 driver_answers || return
	driver POST /session "$(jq -nc --arg dir "$NET_DIR/chromium" '{capabilities: {alwaysMatch: {
		browserName: "chrome", "goog:loggingPrefs": {browser: "ALL"}, "goog:chromeOptions": {args: [
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--window-size=1280,1900", "--user-data-dir=" + $dir]}}}}')" >"$NET_DIR/session.json"
	SESSION=/session/$(tests/lib/holds -r .value.sessionId "$NET_DIR/session.json") && return
	SESSION=
	cat "$NET_DIR/session.json" "$NET_DIR/chromedriver.log"
	return 1
}

browser_open() { # URL
	driver POST "$SESSION/url" "$(jq -nc --arg url "$1" '{url: $url}')" >/dev/null
}

# page EXPRESSION: its value, in the document.
page() {
	driver POST "$SESSION/execute/sync" "$(jq -nc --arg script "return $1" '{script: $script, args: []}')" |
		jq -r '.value | if type == "string" then . else tojson end'
}

page_is() { # EXPRESSION
	[ "$(page "$1")" = true ]
}

# soon EXPRESSION: true within some polls.
soon() {
	soon_until=$(($(date +%s) + 30))
	while [ "$(date +%s)" -lt $soon_until ]; do
		page_is "$1" && return
		sleep 0.1
	done
	page "document.body.innerText"
	return 1
}

# The texts of a table's rows.
rows() { # ID
	page "[...document.querySelectorAll('#$1 tr')].map(r => [...r.cells].map(c => c.textContent).join(' | ')).join('\\n')"
}

screenshot() { # NAME
	driver GET "$SESSION/screenshot" | tests/lib/holds -r .value | base64 -d >"$NET_DIR/$1.png" || return
	[ "$(head -c 4 "$NET_DIR/$1.png" | tail -c 3)" = PNG ] && [ "$(wc -c <"$NET_DIR/$1.png")" -gt 20000 ] || return
	[ -z "${PAGE_SCREENSHOTS:-}" ] || cp "$NET_DIR/$1.png" "$PAGE_SCREENSHOTS"
}

scheme() { # light|dark
	driver POST "$SESSION/chromium/send_command" "$(jq -nc --arg value "$1" '{cmd: "Emulation.setEmulatedMedia",
		params: {features: [{name: "prefers-color-scheme", value: $value}]}}')" >/dev/null
}

fits_a_phone() {
	driver POST "$SESSION/chromium/send_command" '{"cmd": "Emulation.setDeviceMetricsOverride",
		"params": {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": false}}' >/dev/null
	soon "innerWidth === 390 && document.documentElement.scrollWidth <= 390" && screenshot phone
}

# Violations of the policy and errors of scripts are told there.
console_is_clean() {
	driver POST "$SESSION/se/log" '{"type": "browser"}' >"$NET_DIR/console.json"
	jq -c '.value[]' "$NET_DIR/console.json"
	tests/lib/holds '.value == []' "$NET_DIR/console.json" >/dev/null
}

# ---- the call ------------------------------------------------------------------------------------

card_has_figures() {
	controller_segue handover list --json >"$NET_DIR/reports.json"
	jq -r '.data[0] | "finished: \(if .lost == 0 then "nothing" else .lost end) lost, \(.copies_removed) second copies removed, \(.reordered) reordered"' \
		"$NET_DIR/reports.json" >"$NET_DIR/wanted"
	soon "document.querySelector('#handovers .summary').textContent.startsWith('$(cat "$NET_DIR/wanted")')"
}

# Bars where the report says: the new path begins with its first packet, the old one ends with its last.
picture_is_true() {
	jq '.data[0]' "$NET_DIR/reports.json" >"$NET_DIR/report"
	page "(() => {
		const report = $(cat "$NET_DIR/report");
		const svg = document.querySelector('#handovers svg');
		const box = kind => svg.querySelector('rect.' + kind).getBBox();
		const share = (box('old').x + box('old').width - box('new').x) / box('both').width;
		const marks = svg.querySelectorAll('circle').length;
		const steps = ['changed_us', 'answered_us', 'first_new_us', 'last_old_us', 'ended_us'].filter(f => report[f] !== null).length;
		const scale = (box('old').x + box('old').width - box('new').x) / (report.last_old_us - report.first_new_us);
		const zero = box('new').x - report.first_new_us * scale;
		const first = +svg.querySelector('.mark').getAttribute('x1');
		return [Math.abs(share - 1) < 0.01, marks === steps + 1, Math.abs(first - zero) < 2].join();
	})()" >"$NET_DIR/truth"
	cat "$NET_DIR/truth"
	[ "$(cat "$NET_DIR/truth")" = true,true,true ]
}

# Reports in which much has not happened: every state, each with each of its times missing.
every_state_can_be_drawn() {
	page "(() => {
		const report = $(cat "$NET_DIR/report");
		const wrong = [];
		for (const state of ['joining', 'both', 'finished', 'aborted', 'expired', 'failed'])
			for (const missing of [[], ['first_new_us'], ['last_old_us'], ['ended_us'], ['first_new_us', 'last_old_us'],
					['changed_us', 'answered_us', 'first_new_us', 'last_old_us', 'ended_us']]) {
				const svg = handoverPicture({...report, state, ...Object.fromEntries(missing.map(f => [f, null]))}, 5000);
				const numbers = [...svg.querySelectorAll('rect')].flatMap(r => ['x', 'width'].map(a => +r.getAttribute(a)));
				if (numbers.some(n => !(n >= 0 && n <= 560)) || /NaN|undefined|Infinity/.test(new XMLSerializer().serializeToString(svg)))
					wrong.push(state + ' without ' + missing);
			}
		return wrong.join('; ');
	})()" >"$NET_DIR/wrong"
	cat "$NET_DIR/wrong"
	[ -z "$(cat "$NET_DIR/wrong")" ]
}

table_matches_report() {
	page "[...document.querySelectorAll('#handovers details tr')].map(r => r.cells[1].textContent).join()" >"$NET_DIR/labels"
	cat "$NET_DIR/labels"
	grep -q '^request,relay changed,200 sent,first packet by the new path,last packet by the old path,old leg gone$' \
		"$NET_DIR/labels"
}

paths_match() {
	controller_segue call show "$CALL" --json |
		jq -r '.data.streams[].paths[].remote' | sort >"$NET_DIR/paths"
	page "[...document.querySelectorAll('#paths tr')].map(r => r.cells[2].textContent).join('\\n')" | sort |
		diff "$NET_DIR/paths" -
}

moving_now() {
	handover_tell alice move umts && soon "document.querySelector('#handovers .summary')?.textContent.startsWith('both: ')"
}

lets_go() {
	handover_tell alice release && handover_wait 20 alice released
}

# ---- what must be true ---------------------------------------------------------------------------

markup() {
	! grep -nE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|https?://' \
		controller/ops/page/page.js controller/ops/page/index.html controller/ops/page/page.css &&
		[ "$(grep -c 'https\?://' controller/ops/page/picture.js)" = 1 ] # the name of SVG
}

policy() {
	net_in relay curl -sSI --max-time 20 "http://$AT/" | tr -d '\r' >"$NET_DIR/headers"
	cat "$NET_DIR/headers"
	grep -q "^Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'" "$NET_DIR/headers" &&
		grep -q "^X-Content-Type-Options: nosniff" "$NET_DIR/headers" && grep -q "^Cache-Control: no-store" "$NET_DIR/headers"
}

handover_world "http: 0.0.0.0:9810
page: local" >"$NET_DIR/world.log" 2>&1
ok "segued starts" cat "$NET_DIR/world.log"
ok "a user with a strange name" controller_subscriber "$STRANGE"
ok "scripts set text only, and load nothing from elsewhere" markup
ok "a browser is told to run and load only what is ours" policy
is "the page" "$(status "http://$AT/")" 200
is "by another address of this machine" "$(status "http://$(net_address relay wlan 4):9810/")" 200
is "as localhost" "$(status "http://localhost:9810/api/overview")" 200
is "under a foreign name: no (DNS rebinding)" "$(status "http://$AT/api/overview" -H 'Host: evil.example:9810')" 421
is "with two names: no" "$(printf 'GET / HTTP/1.1\r\nHost: localhost\r\nhOST: evil.example\r\n\r\n' |
	net_in relay nc -w 15 -q 2 127.0.0.1 9810 | head -n 1 | tr -d '\r')" "HTTP/1.1 400 Bad Request"
is "from another machine: no" "$(status_from_afar /)" 403
is "nor the figures behind it" "$(status_from_afar /api/overview)" 403
is "but metrics" "$(status_from_afar /metrics)" 200
is "it changes nothing" "$(status "http://$AT/api/call?id=x" -X DELETE)" 405
is "a call that is not there" "$(status "http://$AT/api/call?id=nothing")" 404
is "no id" "$(status "http://$AT/api/call")" 400

ok_here "a call" handover_call alice bob wlan umts --manual-release
CALL=$(controller_segue call list --json | jq -r '.data[0].id')
handover_ua cn "$STRANGE" --via "core=$(net_address cn core 4)" --proxy "$(net_address relay core 4):5060" answer
ok "the strange one registers" handover_wait 10 "$STRANGE" registered
ok "the overview has the calls of the control socket" same_as call call list
ok "and its registrations" same_as registration.registrations registration list
ok "and the reasons of segue drop list" same_as drop drop list
ok "a call has its story" call_is_shown "$CALL"

if command -v chromedriver >/dev/null && command -v chromium >/dev/null; then
	ok_here "Chromium starts" browser_start
	ok "it opens the page" browser_open "http://$AT/"
	ok "segued runs" soon "document.querySelector('#state').textContent === 'running'"
	ok "the call is in the table" soon "document.querySelector('#calls a').textContent === '$CALL'"
	ok "with its parties" page_is "(c => c[2].textContent === 'sip:alice@example.net' && c[3].textContent === 'sip:bob@example.net')(document.querySelector('#calls tr').cells)"
	ok "no handover yet" page_is "document.querySelector('#handovers').children.length === 0"
	ok "a name is text, whatever it says" soon "[...document.querySelectorAll('#registrations tr')].some(r => r.cells[0].textContent.includes('$STRANGE'))"
	driver POST "$SESSION/execute/sync" '{"script": "document.querySelector(\"#calls a\").click()", "args": []}' >/dev/null
	ok "the call opens" soon "!document.querySelector('#call').hidden && document.querySelectorAll('#paths tr').length === 2"
	ok "and has the focus" page_is "document.activeElement.id === 'call-title'"
	ok_here "alice moves" moving_now
	ok "both paths are shown" soon "document.querySelectorAll('#paths tr').length === 3 && document.querySelectorAll('#legs tr').length === 3"
	ok_here "and lets the old one go" lets_go
	ok "the handover ends" soon "document.querySelector('#handovers .summary').textContent.startsWith('finished: ')"
	ok "with the figures of its report" card_has_figures
	ok "its picture has bars and steps where the report says" picture_is_true
	ok "other states and gaps can be drawn, too" every_state_can_be_drawn
	ok "and the steps are a table, too" table_matches_report
	ok "and a description" page_is "document.querySelector('#handovers svg desc').textContent.includes('first packet by the new path at ')"
	ok "the old leg is gone" soon "document.querySelectorAll('#legs tr').length === 2"
	ok "the paths are those of segue call show" paths_match
	ok "copies are among the drops" soon "[...document.querySelectorAll('#drops tr')].some(r => r.cells[0].textContent === 'duplicate' && +r.cells[3].textContent > 0)"
	ok "a light picture of it" screenshot light
	scheme dark
	ok "dark where that is wanted" soon "getComputedStyle(document.body).backgroundColor === 'rgb(20, 23, 26)'"
	ok "a dark picture of it" screenshot dark
	ok "every table's heads have a scope, every section a name" page_is "[...document.querySelectorAll('thead th')].every(t => t.scope === 'col') && [...document.querySelectorAll('section')].every(s => s.hasAttribute('aria-label') || s.hasAttribute('aria-labelledby'))"
	ok "nothing is wider than the window of a phone" fits_a_phone
	ok "no error, and nothing refused by the policy" console_is_clean
else
	skip "the page in a browser" "no chromium or chromedriver (make setup-check)"
fi
ok_here "the call ends" handover_end alice bob
if [ -n "${SESSION:-}" ]; then
	ok "the page says so" soon "document.querySelectorAll('#calls tr').length === 0 && document.querySelector('#ended a').textContent === '$CALL'"
	ok "and has the story still" soon "document.querySelector('#call-media').hidden && [...document.querySelectorAll('#steps li')].some(s => s.textContent.includes('from caller: BYE'))"
	handover_stop segued
	ok "and that segued is gone" soon "document.querySelector('#state').textContent === 'segued does not answer'"
	driver DELETE "$SESSION" >/dev/null
fi
done_testing
