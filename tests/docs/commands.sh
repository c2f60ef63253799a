#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The commands of README.md and of docs/operator.md, first-call.md, controller.md, handover.md and upgrade.md: every line of a ```sh block
# is run, in order, in a network like the one that they speak of, with Segue installed. A line's right exit code is 0,
# or N with `# exit N` behind it. Lines with `make` are only looked up: they would run this test.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/docs/world.sh

net_need "the commands of the documentation"
net_private tests/docs/commands.sh

# "relay COMMAND", or "world COMMAND" from a block of the parties' (```sh party).
commands_of() { # FILE
	awk '/^```/ { where = $0 == "```sh" ? "relay" : $0 == "```sh party" ? "world" : ""; next }
		where && NF && !/^#/ { print where, $0 }' "$1"
}

# A target of the Makefile or of a fragment, written out or in a list of names.
is_target() { # COMMAND
	for docs_target in ${1#*make}; do
		grep -qE "^([a-z-]+ )*$docs_target( [a-z-]+)*:" Makefile ./*/build.mk || {
			echo "the Makefile has no target '$docs_target'"
			return 1
		}
	done
}

# What does not end by itself is interrupted, and must then end well.
runs_on() {
	case $1 in
	*--watch* | 'segue event follow' | 'segue top') return 0 ;;
	esac
	return 1
}

# run_line LINE: with the exit code that it promises.
run_line() {
	docs_line=${1%%#*} docs_wanted=$(expr "$1" : '.*# exit \([0-9]*\)$')
	if runs_on "${docs_line%"${docs_line##*[! ]}"}"; then
		net_in "$docs_where" timeout -s INT --preserve-status 2 sh -c "exec $docs_line"
	else
		net_in "$docs_where" timeout 20 sh -c "$docs_line"
	fi
	docs_code=$?
	[ "$docs_code" = "${docs_wanted:-0}" ] || {
		echo "exit code $docs_code, not ${docs_wanted:-0}"
		return 1
	}
}

# A line that ends in & stays, as it would at a shell; it must not have ended at once.
start_line() {
	net_start "$docs_where" "background-$docs_number" sh -c "exec ${1%&}"
	case $1 in
	segued*) net_until 20 test -S /run/segue/control.sock ;;
	*\ answer\ \&) net_until 20 is_registered bob ;;
	*\ call\ *) net_until 20 is_established ;;
	*) sleep 0.5 ;;
	esac
	net_alive "background-$docs_number" || {
		cat "$NET_DIR/background-$docs_number.log"
		return 1
	}
}

is_registered() { # NAME
	net_in relay segue registration list | grep -q "^$1@"
}

is_established() {
	net_in relay segue call list --json | tests/lib/holds '.data[0].state == "established"' >/dev/null
}

follow_file() { # FILE
	commands_of "$1" >"$NET_DIR/commands"
	[ -s "$NET_DIR/commands" ] || echo "no commands in $1" >>"$NET_DIR/commands"
	docs_backgrounds=
	while read -r docs_where line; do
		docs_number=$((${docs_number:-0} + 1))
		case $line in
		*make\ *) ok "$1: $line" is_target "$line" ;;
		*'&')
			docs_backgrounds="$docs_backgrounds background-$docs_number"
			ok "$1: $line" start_line "$line"
			;;
		*) ok "$1: $line" run_line "$line" ;;
		esac
	done <"$NET_DIR/commands"
	for docs_background in $docs_backgrounds; do
		net_stop "$docs_background" 2>/dev/null
	done
	net_in relay segue interface detach --all --force >/dev/null 2>&1
}

world_build
ok "make install" world_install
for docs_file in README.md docs/operator.md docs/first-call.md docs/controller.md docs/handover.md docs/upgrade.md; do
	follow_file $docs_file
done
is "nothing is left pinned" "$(find /sys/fs/bpf -name 'sg_*' | wc -l)" 0
done_testing
