#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The network under a call goes and returns: the next hop, our NIC, and the bpf file system. What can go on goes on, all is
# as before afterwards, and the log says each once.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
. tests/controller/lib.sh
. tests/faults/lib.sh

net_need "segued when the network goes"
net_private tests/faults/network.sh

# bob_is_reached yes|no: can packets leave to him?
bob_is_reached() {
	net_segue nexthop list --json |
		tests/lib/holds "[.data[] | select(.gateway == \"10.0.2.2\") | .usable] == [$([ "$1" = yes ] && echo true || echo false)]" \
			>/dev/null
}

bob_has_his_network() {
	net_in bob ip link set e0 up
	net_in bob ip route replace default via 10.0.2.1
	# While he asks for the router's address his first packets would be lost.
	net_in bob ip neigh replace 10.0.2.1 lladdr "$(net_mac relay r2)" dev e0 nud permanent
}

# A host that is switched off: the link of ours stays up.
next_hop_goes() {
	net_in bob ip addr del 10.0.2.2/24 dev e0
	net_in relay ip neigh del 10.0.2.2 dev r2 2>/dev/null
	net_until 20 bob_is_reached no
}

next_hop_returns() {
	net_in bob ip addr add 10.0.2.2/24 dev e0
	bob_has_his_network
	net_until 20 bob_is_reached yes
}

nic_goes() {
	net_in relay ip link del r2
	net_until 10 faults_says 'r2 is gone'
}

nic_returns() {
	net_veth relay r2 bob e0
	net_in bob ip link set dev e0 xdp obj "$NET_PASS" sec xdp
	net_in relay ip addr add 10.0.2.1/24 dev r2
	net_in relay ip addr add fd00:2::1/64 dev r2 nodad
	net_in bob ip addr add 10.0.2.2/24 dev e0
	bob_has_his_network
	net_until 20 faults_says 'r2 is back and attached again' && net_until 20 bob_is_reached yes
}

# The link of a NIC that returns may come up before it is attached again, or after: that is then said, too.
return_is_said() {
	[ "$(faults_said 'r2 is back and attached again')" = 1 ] && [ "$(faults_said 'r2 is up')" -le 1 ] &&
		! faults_complaints | grep -vE 'r2 is (back and attached again|up)$'
}

# speaks NAME: both ways.
speaks() {
	faults_media "$1"
	ok_here "$1: media goes on" faults_heard "$1"
	ok "$1: it is the same call" test "$(controller_segue call list --json | jq -r '.data[].id')" = "$call"
}

# Nothing is below the file system that will be unmounted: not that of this machine either.
umount /sys/fs/bpf
mount -t tmpfs tmpfs /sys/fs/bpf && mount -t bpf bpf /sys/fs/bpf
faults_world
call=$(controller_segue call list --json | jq -r '.data[].id')

faults_mark
ok "the next hop is gone" next_hop_goes
ok "the log says so" net_until 10 faults_says 'next hop 10.0.2.2 on r2 is unusable'
ok "it is back" next_hop_returns
is "and that was all to be said" "$(faults_said 'next hop .* unusable') $(faults_complaints | wc -l)" "1 0"
speaks "the next hop was gone"

faults_mark
ok "the link is down" sh -c '. tests/lib/net.sh; net_in bob ip link set e0 down'
ok "the log says so, once" faults_once 'r2 is down'
faults_mark
bob_has_his_network
ok "it is up again, says the log, once" faults_once 'r2 is up'
ok "bob is reached" net_until 20 bob_is_reached yes
speaks "the link was down"

faults_mark
ok_here "the NIC is gone" nic_goes
is "the log says that it is down, and that it is gone, once" \
	"$(faults_said 'r2 is down') $(faults_said 'r2 is gone') $(faults_complaints | wc -l)" "1 1 2"
faults_mark
ok_here "it is back" nic_returns
ok "the log says so, once" return_is_said
speaks "the NIC was gone"

faults_media unmounted
faults_mark
ok "the bpf file system is unmounted" umount -l /sys/fs/bpf
ok_here "media goes on" faults_heard unmounted
ok "the log says so, once" faults_once 'the pins of the maps are gone'
ok_here "the call ends" faults_over
ok_here "another one begins" controller_call
call=$(controller_segue call list --json | jq -r '.data[].id')
faults_mark
ok "it is mounted again" mount -t bpf bpf /sys/fs/bpf
ok "the pins are back, says the log, once" faults_once 'the pins of the maps were gone, and are back'
controller_stop
ok_here "so the next start finds them" faults_start
speaks "the pins were gone"
ok_here "and the call ends" faults_over
done_testing
