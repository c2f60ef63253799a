#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The commands of README.md and docs/*.md that relay, parties and laptop type: every line of a ```sh, ```sh party and
# ```sh laptop block is run, in order, in a network like the one that they speak of, with Segue as the first ones install
# it. A line's right exit code is 0, or N with `# exit N` behind it.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/docs/lines.sh
. tests/docs/world.sh

net_need "the commands of the documentation"
net_private tests/docs/commands.sh

# What does not end by itself is interrupted, and must then end well.
runs_on() {
	case $1 in
	*--watch* | 'segue event follow' | 'segue top') return 0 ;;
	esac
	return 1
}

# run_line LINE: with the exit code that it promises.
run_line() {
	line=${1%%#*} line_wanted=$(expr "$1" : '.*# exit \([0-9]*\)$')
	if runs_on "${line%"${line##*[! ]}"}"; then
		world_in "$docs_where" timeout -s INT --preserve-status 2 sh -c "exec $line"
	else
		world_in "$docs_where" timeout "$(patience "$line")" sh -c "$line"
	fi
	line_code=$?
	[ "$line_code" = "${line_wanted:-0}" ] || {
		echo "exit code $line_code, not ${line_wanted:-0}"
		return 1
	}
}

patience() { # LINE: seconds
	case $1 in
	*make\ *) echo 300 ;;
	*) echo 30 ;;
	esac
}

# A line that ends in & stays, as it would at a shell; it must not have ended at once.
start_line() {
	world_start "$docs_where" "background-$docs_ran" sh -c "exec ${1%&}"
	case $1 in
	segued*) net_until 20 test -S /run/segue/control.sock ;;
	*\ answer\ \&) net_until 20 is_registered bob ;;
	*\ call\ *) net_until 20 is_established ;;
	*) sleep 0.5 ;;
	esac
	net_alive "background-$docs_ran" || {
		cat "$NET_DIR/background-$docs_ran.log"
		return 1
	}
}

is_registered() { # NAME
	net_in relay segue registration list | grep -q "^$1@"
}

is_established() {
	net_in relay segue call list --json | tests/lib/holds '.data[0].state == "established"' >/dev/null
}

do_line() {
	case $1 in
	*'&') start_line "$1" ;;
	*) run_line "$1" ;;
	esac
}

# What a page has started ends with it, and the next one begins without a store.
end_page() {
	for page_pid in "$NET_DIR"/background-*.pid; do
		[ -e "$page_pid" ] || continue
		page_name=${page_pid##*/}
		net_stop "${page_name%.pid}" 2>/dev/null
		rm "$page_pid"
	done
	net_in relay segue interface detach --all --force >/dev/null 2>&1
	rm -rf /var/lib/segue
}

world_build
world_machine
for page in $DOCS_PAGES; do
	world_damaged
	docs_of "$page" do_line relay party laptop
	end_page
done
docs_done relay party laptop
is "nothing is left pinned" "$(find /sys/fs/bpf -name 'sg_*' | wc -l)" 0
done_testing
