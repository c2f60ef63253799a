#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What `make run` runs, on a machine of its own: it writes the configuration for the NIC of the default
# route, says what phones register with, and leaves the machine as it was.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/cli/expect.sh

net_need "make run"
net_private tests/ops/run.sh

RUN_DIR=$NET_DIR/run
export RUN_DIR

run_segue() {
	net_in relay build/segue --control "$RUN_DIR/control.sock" "$@"
}

says_in_log() {
	grep -qE -- "$1" "$NET_DIR/run.log"
}

runs() {
	net_start relay run controller/run
	net_until 20 run_segue status >/dev/null 2>&1
	ok "it says what phones register with" says_in_log 'Phones register with +192.0.2.10:5060'
	ok "and the domain" says_in_log 'as +NAME@192.0.2.10$'
	command=$(sed -n 's/.*Add a subscriber *sudo //p' "$NET_DIR/run.log")
	# shellcheck disable=SC2086 # words
	ok "the command that it gives adds a subscriber" sh -c 'echo secret | nsenter \
		--net=/run/netns/relay -- "$@"' - $command
	ok "it is there" answers 'map(.aor) == ["alice@192.0.2.10"]' subscriber list
	ok "it listens at UDP and TCP" answers \
		'.listen == ["udp:192.0.2.10:5060", "tcp:192.0.2.10:5060"]' status
	ok "the NIC has the program" test "$(net_in relay build/segue interface list --json |
		jq -r '.data[0].name')" = eth0
	ok "the configuration is taken" test "$(net_in relay build/segued -c "$RUN_DIR/segued.yaml" \
		--check)" = ok
}

ends() {
	kill -TERM "$(cat "$NET_DIR/run.pid")"
	wait "$(cat "$NET_DIR/run.pid")"
	is "it ends in order" $? 0
	is "the NIC is as it was" "$(net_in relay ip link show dev eth0 | grep -c xdp)" 0
	is "nothing is left pinned" "$(find /sys/fs/bpf -name 'sg_*' | wc -l)" 0
}

refuses() {
	echo 'more: 1' >>"$RUN_DIR/segued.yaml"
	net_in relay controller/run >"$NET_DIR/run.log" 2>&1
	is "a configuration that is wrong is not run" $? 1
	ok "and it says why" says_in_log "unknown key 'more'"
	rm -r "$RUN_DIR"
	net_in relay ip route del default
	net_in relay controller/run >"$NET_DIR/run.log" 2>&1
	is "no default route: exit code" $? 1
	ok "no default route: what to do" says_in_log 'no default route: write .*/segued.yaml by hand'
}

net_namespace relay
net_namespace world
net_veth relay eth0 world w0
net_in world ip link set dev w0 xdp obj "$NET_PASS" sec xdp
net_in world ip addr add 192.0.2.1/24 dev w0
net_in relay ip addr add 192.0.2.10/24 dev eth0
net_in relay ip route add default via 192.0.2.1
runs
ends
refuses
done_testing
