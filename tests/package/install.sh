#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# `make install` below a directory of ours: everything is there, finds each other, and is what systemd takes.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh

WORST=2.5 # of `systemd-analyze security`
root=$(net_scratch)
trap 'rm -rf "$root"' EXIT
trap 'exit 143' TERM INT HUP

install_all() {
	make -s install DESTDIR="$root" PREFIX=/usr/local SYSCONFDIR=/etc
}

has() {
	has_missing=0
	for file in "$@"; do
		[ -s "$root$file" ] && continue
		echo "no $file"
		has_missing=1
	done
	return $has_missing
}

# The commands of the unit's Exec lines, which must be files of ours or of the system.
unit_commands_exist() {
	sed -n 's/^Exec[A-Za-z]*=[-+!@:]*\([^ ]*\).*/\1/p' "$unit" | while read -r command; do
		[ -x "$root$command" ] || [ -x "$command" ] || {
			echo "no $command"
			return 1
		}
	done
}

exposure() {
	systemd-analyze security --offline=true "$unit" 2>/dev/null |
		sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p'
}

is_enough() {
	exposed=$(exposure)
	echo "exposure $exposed"
	awk -v got="$exposed" -v most=$WORST 'BEGIN { exit !(got != "" && got + 0 <= most) }'
}

# Every setting is one that systemd knows: it would say "Unknown key name".
unit_is_sound() {
	unit_said=$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no --root="$root" \
		--recursive-errors=no "$unit" 2>&1 |
		grep -F segued.service | grep -vF 'is not executable')
	[ -z "$unit_said" ] || {
		echo "$unit_said"
		return 1
	}
}

makes_user() {
	systemd-sysusers --root="$root" "$root/usr/local/lib/sysusers.d/segue.conf" &&
		grep -q '^segue:.*:/var/lib/segue:.*nologin$' "$root/etc/passwd" &&
		grep -q '^segue:' "$root/etc/group"
}

makes_directories() {
	systemd-tmpfiles --root="$root" --create "$root/usr/local/lib/tmpfiles.d/segue.conf" || return
	user=$(sed -n 's/^segue:[^:]*:\([0-9]*\):\([0-9]*\):.*/\1:\2/p' "$root/etc/passwd")
	for directory in /run/segue /var/lib/segue; do
		[ "$(stat -c '%a %u:%g' "$root$directory")" = "750 $user" ] || {
			stat -c '%n %a %u:%g' "$root$directory"
			return 1
		}
	done
}

nobody_else_writes() {
	loose=$(find "$root/usr" "$root/etc/segue" ! -type l -perm /022)
	[ -z "$loose" ] || {
		echo "$loose"
		return 1
	}
}

finds_its_kernel_programs() {
	grep -qaF /usr/local/lib/segue "$root/usr/local/$1"
}

keeps_configuration() {
	echo '# mine' >>"$root/etc/segue/segued.yaml" && install_all &&
		tail -n 1 "$root/etc/segue/segued.yaml" | grep -qxF '# mine'
}

systemd_tests() {
	for tool in systemd-analyze systemd-sysusers systemd-tmpfiles; do
		command -v $tool >/dev/null || {
			skip "the unit, the user and the directories" "no $tool (package systemd)"
			return
		}
	done
	ok "systemd knows every setting of the unit" unit_is_sound
	ok "its exposure is at most $WORST" is_enough
	if [ "$(id -u)" != 0 ]; then
		skip "the user and the directories" "not root: files get no other owner"
		return
	fi
	ok "the user and the group are made" makes_user
	ok "the directories are theirs" makes_directories
}

# Links of the pages to each other and to their pictures.
pages_find_each_other() {
	pages_bad=0
	for page in "$root$share/doc/segue"/*.md "$root$share/doc/segue"/docs/*.md; do
		for link in $(grep -oE '\]\([^):#]+[)#]' "$page" | sed 's/^](//; s/[)#]$//'); do
			[ -e "${page%/*}/$link" ] && continue
			echo "$page: $link"
			pages_bad=1
		done
	done
	return $pages_bad
}

share=/usr/local/share
unit=$root/usr/local/lib/systemd/system/segued.service
ok "make install" install_all
ok "the programs" has /usr/local/sbin/segued /usr/local/bin/segue /usr/local/bin/segue-ua
ok "the kernel programs" has /usr/local/lib/segue/segue.bpf.o /usr/local/lib/segue/egress.bpf.o \
	/usr/local/lib/segue/probe.bpf.o
ok "which segue looks for there" finds_its_kernel_programs bin/segue
ok "and segued, too" finds_its_kernel_programs sbin/segued
ok "the library and its headers" has /usr/local/lib/libsegue-relay.a /usr/local/include/segue/relay.h \
	/usr/local/include/segue/abi.h /usr/local/include/segue/window.h
ok "the man pages" has $share/man/man1/segue.1 $share/man/man1/segue-ua.1 $share/man/man8/segued.8
ok "documentation, an example and completion" has $share/doc/segue/docs/operator.md \
	$share/doc/segue/docs/segued.yaml $share/bash-completion/completions/segue \
	$share/bash-completion/completions/segue-ua $share/bash-completion/completions/segued $share/segue/grafana-dashboard.json \
	$share/segue/prometheus-alerts.yaml
ok "whose pages find each other" pages_find_each_other
ok "what systemd reads" has /usr/local/lib/systemd/system/segued.service \
	/usr/local/lib/sysusers.d/segue.conf /usr/local/lib/tmpfiles.d/segue.conf
ok "the unit's commands are there" unit_commands_exist
ok "the default configuration is taken on any machine" "$root/usr/local/sbin/segued" \
	--config "$root/etc/segue/segued.yaml" --check
ok "a configuration that is there is kept" keeps_configuration
ok "nobody but the owner may write what is installed" nobody_else_writes
systemd_tests
done_testing
