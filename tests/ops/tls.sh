#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# TLS of segued as OpenSSL's own client sees it: which certificate is shown for which name (SNI), what a
# message over TLS gets, and certificates that are renewed while segued runs.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
. tests/controller/lib.sh

net_need "TLS of segued"
net_private tests/ops/tls.sh

# certificate FILE NAME ALTERNATIVE...: FILE.pem, and its key FILE.key, signed by the authority.
certificate() {
	certificate_file=$NET_DIR/$1
	certificate_name=$2
	shift 2
	printf 'subjectAltName=%s\n' "$(echo "$*" | sed 's/ /,/g')" >"$certificate_file.ext"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$certificate_name" \
		-keyout "$certificate_file.key" -out "$certificate_file.csr" 2>/dev/null &&
		openssl x509 -req -in "$certificate_file.csr" -CA "$NET_DIR/ca.pem" -CAkey "$NET_DIR/ca.key" \
			-CAcreateserial -days "${certificate_days:-2}" -extfile "$certificate_file.ext" -out "$certificate_file.pem" \
			2>/dev/null
}

certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=Test authority" -keyout "$NET_DIR/ca.key" -out "$NET_DIR/ca.pem" 2>/dev/null &&
		certificate first first DNS:example.net DNS:sip.example.net IP:10.0.1.1 &&
		certificate_days=1 certificate other other DNS:example.org DNS:*.example.org &&
		certificate renewed renewed DNS:example.org
}

# configure [OTHERS]: TLS at alice's side; OTHERS is the list of more certificates.
configure() {
	controller_configure 'http: 10.0.1.1:8080'
	sed -i "s|    - tcp:10.0.1.1:5060|    - tls:10.0.1.1:5061|
		s|^  digest:.*|  tls:\n    certificate: $NET_DIR/first.pem\n    key: $NET_DIR/first.key\n    authorities: $NET_DIR/ca.pem\n    others: [${1-}]|" \
		"$CONTROLLER_CONFIG"
}

# shown NAME [OPTION...]: the common name of the certificate that a client of this name is shown, if the
# certificate is good for it; NAME -: the client names none, and expects the address.
shown() {
	shown_name=$1
	shift
	case $shown_name in
	-) set -- -noservername -verify_ip 10.0.1.1 "$@" ;;
	*) set -- -servername "$shown_name" -verify_hostname "$shown_name" "$@" ;;
	esac
	net_in alice openssl s_client -connect 10.0.1.1:5061 -CAfile "$NET_DIR/ca.pem" \
		-verify_return_error "$@" </dev/null 2>"$NET_DIR/shown.err" |
		sed -n 's/^subject=CN = //p'
}

# What the metrics say, and the file.
first_end() {
	net_in alice curl -sS --max-time 20 http://10.0.1.1:8080/metrics |
		awk '$1 == "segue_certificate_not_after_timestamp_seconds" { print $2 }'
}

end_of() { # FILE
	date -d "$(openssl x509 -in "$NET_DIR/$1.pem" -noout -enddate | cut -d = -f 2)" +%s
}

options_answered() {
	net_in alice sh -c "{ printf '%s\r\n' 'OPTIONS sip:example.net SIP/2.0' \
		'Via: SIP/2.0/TLS 10.0.1.2:9;branch=z9hG4bK1' 'Max-Forwards: 70' \
		'From: <sip:alice@example.net>;tag=1' 'To: <sip:example.net>' 'Call-ID: 1' \
		'CSeq: 1 OPTIONS' 'Content-Length: 0' ''; \
		for i in 1 2 3 4 5 6 7 8 9 10; do grep -q '^SIP/2.0' $NET_DIR/answer && break; sleep 1; done; } |
		openssl s_client -quiet -no_ign_eof -connect 10.0.1.1:5061 -servername $1 -CAfile $NET_DIR/ca.pem \
		>$NET_DIR/answer 2>/dev/null"
	head -n 1 "$NET_DIR/answer" | grep '^SIP/2.0 200'
}

# reload COUNT: reads the configuration again, and waits until that happened COUNT times in all.
reload() {
	kill -HUP "$(cat "$NET_DIR/segued.pid")"
	net_until 20 sh -c "[ \$(grep -cE 'was (not )?loaded' $NET_DIR/segued.log) -ge $1 ]"
}

names() {
	is "the first certificate for its name" "$(shown example.net)" first
	is "for another of its names" "$(shown sip.example.net)" first
	is "and for who names none" "$(shown -)" first
	is "the other for its own" "$(shown example.org)" other
	is "by a wildcard" "$(shown sip.example.org)" other
	is "in TLS 1.2, too" "$(shown example.org -tls1_2)" other
	is "a name that none has gets the first, and the client turns away" "$(shown example.com)" ""
	ok "since that is not its name" grep -qi 'hostname mismatch' "$NET_DIR/shown.err"
	ok "a message is answered under either name" options_answered example.org
}

renewing() {
	ended=$(end_of other)
	is "the metrics have the first that expires" "$(first_end)" "$ended"
	cp "$NET_DIR/renewed.pem" "$NET_DIR/other.pem"
	cp "$NET_DIR/renewed.key" "$NET_DIR/other.key"
	is "a renewed file is not seen before it is loaded" "$(shown example.org)" other
	is "nor in the metrics" "$(first_end)" "$ended"
	ok_here "it is loaded" reload 1
	is "and is shown then" "$(shown example.org)" renewed
	is "in the metrics, too" "$(first_end)" "$(end_of first)"
	cp "$NET_DIR/first.key" "$NET_DIR/other.key"
	ok_here "a key of another certificate" reload 2
	ok "is refused, and the log names it" controller_log "TLS key '[^']*/other.key' cannot be used"
	is "the former one is still shown" "$(shown example.org)" renewed
	configure
	ok_here "without others" reload 3
	is "who asks for their names gets the first" "$(shown example.org)" ""
	is "which is shown as ever" "$(shown example.net)" first
}

controller_network
ok "certificates" certificates
configure "{certificate: $NET_DIR/other.pem, key: $NET_DIR/other.key}"
ok_here "segued starts" controller_start
names
renewing
done_testing
