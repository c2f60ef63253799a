#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What clean.sh has run inside its Debian, by systemd, as root.
set -u
cd /root || exit 1
. tests/lib/tap.sh
. tests/docs/lines.sh
. ./inside-crowd.sh
. ./inside-watched.sh
. ./inside-docs.sh
export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

until_true() { # SECONDS COMMAND...
	tries=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || {
			"$@"
			return 1
		}
		sleep 0.05
	done
}

main_pid() {
	systemctl show -p MainPID --value segued
}

runs() {
	until_true 20 systemctl -q is-active segued && until_true 10 segue status || {
		systemctl status segued
		journalctl -u segued --no-pager | tail -n 30
		return 1
	}
}

field() { # of /proc/PID/status
	awk -v key="$1:" '$1 == key { print $2 }' "/proc/$(main_pid)/status"
}

another_pid() {
	[ "$(main_pid)" != "$before" ] && [ "$(main_pid)" != 0 ]
}

# package: the file of the version that is installed.
package() {
	echo "segue_$(dpkg-query -W -f '${Version}' segue)_amd64.deb"
}

logged() {
	journalctl -u segued --no-pager | grep -qE -- "$1"
}

nothing_left() {
	left=$(find /sys/fs/bpf -name 'sg_*'; ip link | grep -w xdp
		find / -xdev \( -path /root -o -path /proc -o -path /var/lib/dpkg -o -path /var/log \
			-o -path /var/lib/systemd \) -prune -o -name '*segue*' -print)
	[ "$left" = "$1" ] || {
		echo "$left"
		return 1
	}
}

nic_returns() {
	ip link del t0
	until_true 10 logged 't0 is gone'
	ip link add t0 type veth peer name t1
	ip link set t1 up
	ip link set t0 up
	ip addr add 192.0.2.10/24 dev t0
	until_true 15 logged 't0 is back and attached again' || {
		journalctl -u segued --no-pager | tail -n 10
		return 1
	}
}

# As systemd mounts it on a machine; not in a container.
mkdir -p /sys/fs/bpf
mount -t bpf -o mode=700 bpf /sys/fs/bpf
ip link set lo up
an_editor
docs_each do_line install
ok "it runs, as it was installed" runs
is "as its own user" "$(stat -c %U "/proc/$(main_pid)")" segue
is "with CAP_BPF and CAP_NET_ADMIN" "$(field CapEff) $(field CapBnd)" "0000008000001000 0000008000001000"
is "and no new ones" "$(field NoNewPrivs)" 1
is "in a sandbox of system calls" "$(field Seccomp)" 2
ok "lo has the program" sh -c "segue interface list --json | tests/lib/holds '.data[0].name == \"lo\" and .data[0].ours'"
is "the pins are the user's" "$(stat -c '%U %G %a' /sys/fs/bpf/xdp/globals/sg_meta_v1)" "segue segue 640"
ok "a subscriber is added" sh -c 'echo secret | segue subscriber add alice@localhost'
useradd -G segue watcher
ok "a member of the group reads" setpriv --reuid watcher --regid watcher --init-groups --inh-caps=-all \
	--bounding-set=-all segue interface list
useradd stranger
ok "others do not" sh -c '! setpriv --reuid stranger --regid stranger --init-groups segue interface list 2>/dev/null'
systemctl reload segued
ok "it is loaded again" until_true 10 logged 'was loaded again'
ok "and runs on" runs
before=$(main_pid)
kill -KILL "$before"
ok "killed, it is started again" until_true 20 another_pid
ok "and runs" runs
ok "the subscriber is still there" sh -c "segue subscriber list --json | tests/lib/holds '.data[0].aor == \"alice@localhost\"'"

ip link add t0 type veth peer name t1
ip link set t1 up
ip link set t0 up
ip addr add 192.0.2.10/24 dev t0
sed -i 's/name: lo/name: t0/; s/127\.0\.0\.1/192.0.2.10/; s/attach: generic/attach: auto/' /etc/segue/segued.yaml
ok "a configuration with a NIC is taken" segued --check
ok "and run" systemctl restart segued
ok "it runs" runs
ok "the NIC that goes is attached when it returns" nic_returns
before=$(main_pid)
ok "the package is installed anew" dpkg -i --force-confold "$(package)"
ok "it runs on" runs
ok "as another process" another_pid
is "with the configuration that it had" "$(grep -c 'name: t0' /etc/segue/segued.yaml)" 1
before=$(main_pid)
echo 'colour: red' >>/etc/segue/segued.yaml
ok "where it could not start, the installation says so" \
	sh -c "dpkg -i --force-confold $(package) 2>&1 | grep -F 'runs on, since this one could not take its place'"
is "and the one of before runs on" "$(main_pid)" "$before"
sed -i '/^colour/d' /etc/segue/segued.yaml
crowd_tests
watched_tests
ok "systemd found nothing wrong" sh -c "! journalctl --no-pager -u segued | grep -E 'Unknown|denied|status=[0-9]+/FAILURE'"
# The kernel has two files of its own there.
ok "the package is taken off" dpkg -r segue
ok "no programs and no pins are left" sh -c '! ip link | grep -w xdp && ! find /sys/fs/bpf ! -type d ! -name "*.debug" | grep .'
ok "it is purged" dpkg -P segue
ok "the store has call records" grep -aq 'CREATE TABLE cdr' /var/lib/segue/segue.db
ok "and nothing else" sh -c '! grep -aqE "subscriber|binding|secret|TABLE call" /var/lib/segue/segue.db'
ok "and only the store is left" nothing_left "/var/lib/segue
/var/lib/segue/segue.db"
is "with the lines of call records" "$(ls -A /var/lib/segue)" "cdr.jsonl
segue.db"
ok "what make install has installed takes its place" cp -a tree/. /
docs_each do_line source
ok "it runs as its own user" until_true 20 runs_by_hand
done_testing
