#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# How segue-ua finds and proves its proxy: --transport, URI parameters, sips, NAPTR and SRV; certificates that are good,
# of a stranger, for another name, and unchecked.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "transports of segue-ua"
net_private "$0" "$@"
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/handover/lib.sh
. tests/handover/lib.sh

world() {
	net_topology several
	handover_routes
	# shellcheck disable=SC2119 # without more YAML
	handover_streams && handover_configure && controller_start && controller_subscriber bob || return
	net_start cn nameserver build/tests/ua/nameserver "$CONTROLLER_DOMAIN" "$core"
	net_until 10 grep -qs '^127' "$NET_DIR/nameserver.log" && nameserver=$(cat "$NET_DIR/nameserver.log")
}

# registers ARGUMENT...: by which transport did it, as its Contact in the registrar says?
registers() {
	rm -f "$NET_DIR/bob.log"
	handover_ua cn bob --via "core=$(net_address cn core 4)" --t1 100 "$@" register
	net_until 20 settled || return
	controller_segue registration list --json | jq -r '[.data[].contact | capture("transport=(?<t>[a-z]+)").t // "udp"][0]'
	handover_tell bob quit
	net_finish bob >/dev/null 2>&1
}

settled() {
	grep -qE '"event":"(registered|register-failed|failed)"' "$NET_DIR/bob.log"
}

# refused ARGUMENT...: it does not register, and says why.
refused() {
	registers "$@" >"$NET_DIR/refused" 2>&1
	cat "$NET_DIR/refused" "$NET_DIR/bob.log"
	grep -qE '"event":"failed".*"status":503' "$NET_DIR/bob.log" && grep -q 'certificate verify failed' "$NET_DIR/bob.log"
}

if ! command -v openssl >/dev/null; then
	skip "transports of segue-ua" "missing: openssl (make setup-check installs it)"
	done_testing
	exit
fi
NET_LAYOUT=several # net_address asks before there is one
core=$(net_address relay core 4) ca="--tls-ca $NET_DIR/ca.pem"
ok_here "segued listens for UDP, TCP and TLS" world
if ! controller_answers; then
	done_testing
	exit
fi
is "nothing said: UDP" "$(registers --proxy "$core")" udp
is "--transport tcp" "$(registers --proxy "$core" --transport tcp)" tcp
is "transport=tcp in the proxy's URI" "$(registers --proxy "sip:$core;transport=tcp")" tcp
# shellcheck disable=SC2086 # two words
{
	is "--transport tls, a certificate for the address" "$(registers --proxy "$core" --transport tls $ca)" tls
	is "sips: in the proxy's URI" "$(registers --proxy "sips:$core" $ca)" tls
	is "a certificate for the name that is asked for" \
		"$(registers --proxy "sips:$core" --tls-name "$CONTROLLER_DOMAIN" $ca)" tls
	ok_here "a certificate for another name is refused" refused --proxy "sips:$core" --tls-name example.org $ca
	is "NAPTR and SRV: TLS, and the domain's certificate" "$(registers --nameserver "$nameserver" $ca)" tls
	is "NAPTR and SRV: TCP, when that is wanted" "$(registers --nameserver "$nameserver" --transport tcp)" tcp
	ok_here "NAPTR and SRV: the certificate has to be the domain's" \
		refused --nameserver "$nameserver" --tls-name example.org $ca
}
ok_here "a certificate by a stranger is refused" refused --proxy "sips:$core" --tls-ca "$NET_DIR/stranger.pem"
ok_here "one by nobody known is refused" refused --proxy "sips:$core"
is "... unless it is said that it need not be checked" "$(registers --proxy "sips:$core" --tls-unchecked)" tls
is "a transport that is none" "$(build/segue-ua --via a=127.0.0.1 --transport sctp answer 2>&1)" \
	'segue-ua: "sctp" is no transport: udp, tcp or tls'
is "authorities that are none" \
	"$(build/segue-ua --via a=127.0.0.1 --transport tls --tls-ca /nowhere answer 2>&1 | grep -c "'/nowhere' cannot be used")" 1
done_testing
