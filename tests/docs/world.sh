# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# The network of the examples in README.md and docs/operator.md. Source it after tests/lib/net.sh,
# inside net_private.
#
#   the world                                           relay
#   198.51.100.7, 100.64.3.9, 2001:db8:1::7 --- 192.0.2.1 -- eth0  192.0.2.10, 2001:db8::10
#                                      203.0.113.99 -- eth1  203.0.113.10

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
}

# As an operator has it: installed below /usr/local, which is a file system of ours in here.
world_install() {
	mount -t tmpfs tmpfs /usr/local
	mount -t tmpfs tmpfs /var/lib # of segued's store
	make -s install SYSCONFDIR=/usr/local/etc >"$NET_DIR/install.log" 2>&1 || {
		cat "$NET_DIR/install.log"
		return 1
	}
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
