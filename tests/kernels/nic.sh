#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The lines of the documentation that only a NIC with queues of its own takes (```sh nic), on the guest's virtio_net. Each
# must change what it says: the NIC is asked before and afterwards.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/docs/lines.sh

NAME="the lines for a NIC with queues"

skip_all() {
	skip "$NAME" "$1"
	done_testing
	exit
}

state() {
	ethtool -l eth0
	ethtool -g eth0
	ethtool -n eth0 rx-flow-hash udp4
	ethtool -n eth0 rx-flow-hash udp6
}

# run_line LINE: as it is written, and the NIC says something else afterwards.
run_line() {
	before=$(state)
	sh -c "$1" || return
	after=$(state)
	[ "$after" != "$before" ] || {
		echo "it changed nothing:"
		echo "$after"
		return 1
	}
}

# Hashes of addresses alone, as many NICs come up; this one begins with ports.
hash_less() {
	ethtool -N eth0 rx-flow-hash udp4 sd && ethtool -N eth0 rx-flow-hash udp6 sd
}

# Only in a guest: a machine's own NIC is nobody's to try things at.
[ -e /segue/tests.list ] || skip_all "not in the guest of tests/kernels/run"
[ -e /sys/class/net/eth0 ] || skip_all "the guest has no NIC: its host has no /dev/net/tun"
ip link set eth0 up
ok "the NIC hashes over addresses alone" hash_less
docs_each run_line nic
done_testing
