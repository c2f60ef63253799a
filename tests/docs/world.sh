# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# The network of the examples in README.md and docs/. Source it after tests/lib/net.sh, inside net_private.
#
#   the world                                           relay
#   198.51.100.7, 100.64.3.9, 2001:db8:1::7 --- 192.0.2.1 -- eth0  192.0.2.10, 2001:db8::10
#                                      203.0.113.99 -- eth1  203.0.113.10
#   laptop: wlan0 192.0.2.77, in the network of eth0; usb0 100.64.3.20

world_build() {
	net_namespace relay
	net_namespace world
	net_veth relay eth0 world w0
	net_veth relay eth1 world w1
	net_in world sh -c '. tests/lib/net.sh; net_sysctl ipv4/ip_forward=1 ipv6/conf/all/forwarding=1'
	net_in world sh -c 'ip addr add 192.0.2.1/24 dev w0; ip addr add 203.0.113.99/24 dev w1
		ip addr add 2001:db8::1/64 dev w0 nodad
		for party in 198.51.100.7 198.51.100.8 100.64.3.9 2001:db8:1::7; do
			ip addr add $party dev lo
		done
		ip route add 192.0.2.0/24 dev w0 src 198.51.100.7 metric 5'
	net_in relay sh -c 'ip addr add 192.0.2.10/24 dev eth0; ip addr add 203.0.113.10/24 dev eth1
		ip addr add 2001:db8::10/64 dev eth0 nodad
		ip route add default via 192.0.2.1; ip route add default via 2001:db8::1'
	for world_end in w0 w1; do
		net_in world ip link set dev $world_end xdp obj $NET_PASS sec xdp
	done
	world_laptop
}

# Its first network and that of eth0 are one: the world answers ARP for each in the other.
world_laptop() {
	net_namespace laptop
	net_veth laptop wlan0 world lw
	net_veth laptop usb0 world lu
	net_in world sh -c '. tests/lib/net.sh
		net_sysctl ipv4/conf/w0/proxy_arp=1 ipv4/conf/lw/proxy_arp=1 ipv4/neigh/w0/proxy_delay=0 ipv4/neigh/lw/proxy_delay=0
		ip addr add 100.64.3.1/24 dev lu; ip route add 192.0.2.77 dev lw'
	net_in laptop sh -c 'ip addr add 192.0.2.77/24 dev wlan0; ip addr add 100.64.3.20/24 dev usb0
		ip route add default via 192.0.2.1 dev wlan0 metric 100; ip route add default via 100.64.3.1 dev usb0 metric 200'
	mkdir "$NET_DIR/laptop"
}

# A database that segued set aside, as docs/controller.md has one: its first table's page is not one.
world_damaged() {
	mkdir -p /var/lib/segue
	sqlite3 /var/lib/segue/segue.db.damaged-1764128451 \
		"CREATE TABLE lost (id); CREATE TABLE cdr (id); INSERT INTO lost VALUES (1); INSERT INTO cdr VALUES ('kept')"
	dd if=/dev/urandom of=/var/lib/segue/segue.db.damaged-1764128451 bs=4096 seek=1 count=1 conv=notrunc status=none
}

# world_in relay|party|laptop COMMAND...: there; at the laptop in a directory of its own.
world_in() {
	world_space=$1
	shift
	case $world_space in
	party) world_space=world ;;
	laptop) set -- env -C "$NET_DIR/laptop" "$@" ;;
	esac
	net_in "$world_space" "$@"
}

# world_start relay|party|laptop NAME COMMAND...: in the background, as net_start does.
world_start() {
	world_where=$1 world_name=$2
	shift 2
	case $world_where in
	party) net_start world "$world_name" "$@" ;;
	laptop) net_start laptop "$world_name" env -C "$NET_DIR/laptop" "$@" ;;
	*) net_start "$world_where" "$world_name" "$@" ;;
	esac
}

# A machine to install on: where that, and segued, write, file systems are ours in here. Who types is root already.
world_machine() {
	mkdir "$NET_DIR/etc"
	cp -a /etc/. "$NET_DIR/etc"
	rm -rf "$NET_DIR/etc/segue"
	mount --bind "$NET_DIR/etc" /etc
	mkdir "$NET_DIR/dpkg"
	mount --bind /var/lib/dpkg "$NET_DIR/dpkg"
	for world_directory in /usr/local /var/lib /var/backups; do
		mount -t tmpfs tmpfs $world_directory
	done
	ln -s "$NET_DIR/dpkg" /var/lib/dpkg # which says what is installed
	mkdir /usr/local/sbin
	printf '#!/bin/sh\nexec "$@"\n' >/usr/local/sbin/sudo
	chmod 755 /usr/local/sbin/sudo
	PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
	export PATH
	unset SEGUE_OBJECT_DIR
}

# world_call: both parties of the examples' call speak, 50 packets a second, until they are stopped.
world_call() {
	net_start world a "$NET_TOOLS/rtp-peer" --path 198.51.100.7:5004=192.0.2.10:30000 \
		--path 100.64.3.9:5004=192.0.2.10:30002 --ssrc 1001 --rtcp 2000 --send 0 --seconds 600 \
		--control "$NET_DIR/a.ctl"
	net_start world b "$NET_TOOLS/rtp-peer" --path 203.0.113.99:6000=203.0.113.10:30000 \
		--ssrc 2002 --rtcp 2000 --send 0 --seconds 600 --control "$NET_DIR/b.ctl"
}
