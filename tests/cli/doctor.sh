#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# segue doctor on the installation: each finding about segued and its machine is provoked, and goes away by its cure.
# The clock is not set: what the kernel says of it is the test's (clockstate.so).
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/net.sh
. tests/lib/net.sh
net_need "the doctor's findings"
net_private "$0" "$@"
CONTROLLER_STORE=$NET_DIR/disk/segue.db
# shellcheck source=tests/controller/lib.sh
. tests/controller/lib.sh
# shellcheck source=tests/cli/doctor_lib.sh
. tests/cli/doctor_lib.sh

doctor_says() {
	controller_segue doctor --config "$CONTROLLER_CONFIG" --json
}

set_sysctl() { # NAME=VALUE...
	net_in relay sh -c '. tests/lib/net.sh; net_sysctl "$@"' sh "$@"
}

# name_server DOMAIN ADDRESS [HOST]: one that knows the domain's SIP to be there; ours from now on.
name_server() {
	net_start relay nameserver build/tests/ua/nameserver "$@"
	net_until 10 grep -qsE '^127|^\[' "$NET_DIR/nameserver.log" || return
	sed -i "s|^  nameservers:.*|  nameservers: [\"$(cat "$NET_DIR/nameserver.log")\"]|" "$CONTROLLER_CONFIG"
}

certificate() { # DAYS NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$NET_DIR/key.pem" -out "$NET_DIR/cert.pem" \
		-days "$1" -subj "/CN=$2" -addext "subjectAltName=DNS:$2" 2>"$NET_DIR/openssl.log" || cat "$NET_DIR/openssl.log"
}

# In January 2020; `openssl req` makes none that has an end behind it.
expired_certificate() {
	: >"$NET_DIR/index.txt"
	echo 01 >"$NET_DIR/serial"
	cat >"$NET_DIR/ca.conf" <<END
[ca]
default_ca = own
[own]
database = $NET_DIR/index.txt
serial = $NET_DIR/serial
new_certs_dir = $NET_DIR
policy = any
[any]
commonName = supplied
END
	openssl req -new -key "$NET_DIR/key.pem" -subj /CN=example.net -out "$NET_DIR/request.pem" &&
		openssl ca -batch -notext -selfsign -config "$NET_DIR/ca.conf" -md sha256 -keyfile "$NET_DIR/key.pem" \
			-in "$NET_DIR/request.pem" -out "$NET_DIR/cert.pem" -startdate 20200101000000Z -enddate 20200201000000Z
}

# The file for a segued with TLS and a name server that is not there.
configure() {
	controller_configure
	sed -i -e "s|^  listen:|  nameservers: [\"127.0.0.9:5353\"]\n  tls: {certificate: $NET_DIR/cert.pem, key: $NET_DIR/key.pem}\n  listen:|" \
		"$CONTROLLER_CONFIG"
}

check_config() {
	ok "a good configuration" finds ok config 'segued.yaml: read, and good'
	echo "nonsense: 1" >>"$CONTROLLER_CONFIG"
	ok "a key that is none" finds problem config "unknown key 'nonsense'"
	sed -i '$d' "$CONTROLLER_CONFIG"
}

check_machine() {
	set_sysctl "ipv4/ip_local_port_range=32768 60999"
	ok "ports that any program may get" finds ok ports '30000-30999 are given to no other'
	set_sysctl "ipv4/ip_local_port_range=30500 60999"
	ok "ports that overlap" finds warning ports '30000-30999 overlap .*30500-60999'
	ok "where none are reserved, its cure works" cured ports
	ok "and is one" finds ok ports 'given to no other'
	set_sysctl "ipv4/ip_local_reserved_ports=8080"
	ok "where others are, too" cured ports
	is "and leaves those" "$(net_in relay sysctl -n net.ipv4.ip_local_reserved_ports)" 8080,30000-30999
	ok "reserved ones do not" finds ok ports 'given to no other'
	ok "the media addresses are there" finds ok addresses 'r2: has 10.0.2.1'
	net_in relay sh -c 'ip addr del 10.0.2.1/24 dev r2; ip addr add 10.0.2.1/24 dev r1'
	ok "one on another NIC" finds problem addresses 'r2: 10.0.2.1 is on r1'
	net_in relay sh -c 'ip addr del 10.0.2.1/24 dev r1; ip addr add 10.0.2.1/24 dev r2'
	ok "no default route" finds warning addresses 'no default route'
	net_in relay ip route add default via 10.0.2.2
	ok "a default route" finds ok addresses 'there is a default route'
	set_sysctl ipv4/conf/all/rp_filter=0 ipv4/conf/r1/rp_filter=0 ipv4/conf/r2/rp_filter=1
	ok "the strict filter of sources" finds warning rp-filter 'r2: the strict filter'
	set_sysctl ipv4/conf/r2/rp_filter=2
	ok "the loose one is none" finds ok rp-filter 'no filter'
	LD_PRELOAD=$PWD/build/tests/cli/clockstate.so
	export LD_PRELOAD
	ok "a clock that nothing keeps" finds warning clock 'nothing keeps the clock right'
	CLOCKSTATE=synchronised
	export CLOCKSTATE
	ok "one that is kept" finds ok clock 'synchronised'
	unset LD_PRELOAD CLOCKSTATE
}

check_names() {
	ok "no name server" finds warning dns 'example.net: no name server answers'
	ok_here "a name server knows our domain" name_server example.net 10.0.1.1
	ok "a record that leads to us" finds ok dns 'example.net: 1 of 1 SRV records _sip._udp lead to us'
	ok "one for TCP" finds ok dns 'example.net: 1 of 1 SRV records _sip._tcp lead to us'
	is "TLS is not listened at, and not asked for" "$(controller_segue doctor --config "$CONTROLLER_CONFIG" --json |
		jq -c '[.data.findings[] | select(.check == "dns").reason | select(test("_sips"))]')" '[]'
	sed -i 's|^    - tcp:10.0.1.1:5060|&\n    - tls:10.0.1.1:5061|' "$CONTROLLER_CONFIG"
	ok "where it is, it is" finds ok dns 'example.net: 1 of 1 SRV records _sips._tcp lead to us'
	sed -i 's|^    - tls:10.0.1.1:5061|    - tls:10.0.1.1:5071|' "$CONTROLLER_CONFIG"
	ok "a record with another port" finds warning dns 'example.net: its SRV records _sips._tcp lead elsewhere'
	sed -i '/^    - tls:10.0.1.1:5071/d' "$CONTROLLER_CONFIG"
	net_stop nameserver
	ok_here "a name server with an IPv6 address" name_server example.net 10.0.1.1 ::1
	ok "is asked, too" finds ok dns 'example.net: 1 of 1 SRV records _sip._udp lead to us'
	net_stop nameserver
	ok_here "another one knows it elsewhere" name_server example.net 192.0.2.1
	ok "a record that does not" finds warning dns 'example.net: its SRV records _sip._udp lead elsewhere'
	net_stop nameserver
	ok_here "a third one knows another domain" name_server example.org 10.0.1.1
	ok "no record" finds warning dns 'example.net: has no SRV record _sip._udp'
	net_stop nameserver
	ok "a certificate that is good" finds ok certificates 'cert.pem: good for (89|90) more days'
	certificate 5 example.net
	ok "one that is about to expire" finds warning certificates 'cert.pem: expires in [45] days'
	ok "a certificate is made that was good once" expired_certificate
	ok "one that has expired" finds problem certificates 'cert.pem: expired [0-9]{3,} days ago'
	cp "$NET_DIR/cert.pem" "$NET_DIR/expired.pem"
	certificate 90 example.net
	cat "$NET_DIR/expired.pem" >>"$NET_DIR/cert.pem"
	ok "an intermediate one that has expired" finds problem certificates 'cert.pem, certificate 2 .*CN=example.net: expired'
	ok "the first one is good" finds ok certificates 'cert.pem: good for (89|90) more days'
	sed -i "s|tls: {|&authorities: $NET_DIR/authorities.pem, |" "$CONTROLLER_CONFIG"
	cat "$NET_DIR/expired.pem" >"$NET_DIR/authorities.pem"
	ok "an authority that has expired" finds problem certificates 'authorities.pem: expired'
	ok "no other one" finds problem certificates 'authorities.pem: 0 of 1 authorities are good'
	openssl x509 -in "$NET_DIR/cert.pem" >>"$NET_DIR/authorities.pem"
	ok "a good one behind it" finds ok certificates 'authorities.pem: 1 of 2 authorities are good'
	sed -i "s|authorities: $NET_DIR/authorities.pem, ||" "$CONTROLLER_CONFIG"
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$NET_DIR/key.pem" 2>"$NET_DIR/openssl.log"
	ok "a key of another one" finds problem config "key '.*/key.pem' cannot be used: key values mismatch"
	certificate 90 example.com
	ok "one for another name" finds warning certificates 'cert.pem: is good for no domain of ours'
	certificate 90 example.net
}

check_store() {
	ok "room on the disk" finds warning store 'disk: [0-9]+ MB are free'
	mount -o remount,size=2g "$NET_DIR/disk"
	ok "enough of it" finds ok store 'disk: [0-9]+ MB are free'
	mount -o remount,ro "$NET_DIR/disk"
	ok "none that can be written to" finds problem store 'read-only'
	mount -o remount,rw "$NET_DIR/disk"
}

# A segued that may open no more than that.
start_small() {
	net_start relay segued sh -c "ulimit -n 1024; SEGUE_OBJECT_DIR=build/bpf exec build/segued --config $CONTROLLER_CONFIG --foreground"
	net_until 20 controller_answers
}

check_segued() {
	ok "one that does not run" finds warning segued 'does not answer'
	ok_here "segued starts with few files" start_small
	ok "it answers" finds ok segued 'process [0-9]+, 0 calls'
	ok "few files" finds warning segued 'may open 1024 files'
	ok_here "it ends" controller_stop
	ok_here "segued starts" controller_start
	ok "more files" finds ok segued 'may open [0-9]{5,} files'
	is "its own configuration is looked at unasked" "$(controller_segue doctor --json |
		jq -r '.data.findings[] | select(.check == "config") | .subject')" "$CONTROLLER_CONFIG"
	ok "who has no right at all sees what can be seen" sh -c "setpriv --reuid 65534 --clear-groups --bounding-set=-all \
		build/segue doctor --config $CONTROLLER_CONFIG >$NET_DIR/plain; grep -q '^ok *ports: ' $NET_DIR/plain &&
		grep -q '^warning *rights: ' $NET_DIR/plain"
	ok_here "it ends" controller_stop
}

mkdir "$NET_DIR/disk" && mount -t tmpfs -o size=100m tmpfs "$NET_DIR/disk"
certificate 90 example.net
controller_network
configure
check_config
check_machine
check_names
check_store
check_segued
done_testing
