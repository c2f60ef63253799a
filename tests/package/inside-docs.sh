# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# For inside.sh: what the documentation has to be typed where there is systemd. ```sh install: on a machine without Segue;
# ```sh service: where calls run and have ended; ```sh upgrade: while they run, and go on; ```sh source: where `make install`
# was, in place of the package.

# The editor of this machine types what is in /root/typed; systemctl has it do so before a certain line.
an_editor() {
	cat >/usr/local/bin/editor <<'EDITOR'
#!/bin/sh
for file in "$@"; do :; done
awk 'NR == FNR { typed = typed $0 "\n"; next }
	/^### Lines below this comment/ { printf "%s", typed; typed = "" }
	{ print }' /root/typed "$file" >/root/edited
grep -q '^### Lines below this comment' "$file" || cat /root/typed >>/root/edited
cat /root/edited >"$file"
EDITOR
	chmod 755 /usr/local/bin/editor
	echo 'page: none' >typed
}

# do_line LINE: as it stands. Editing wants a terminal; the log of a call has some lines.
do_line() {
	case $1 in
	'systemctl edit '*) script -qec "$1" /dev/null </dev/null ;;
	*CALL_ID=*) sh -c "$1" | tee /root/lines && grep -q 'segued\[' /root/lines ;;
	*'&') setsid sh -c "exec ${1%&}" >/root/by-hand 2>&1 </dev/null & ;;
	*) sh -c "$1" </dev/null ;;
	esac
}

# survives_line LINE: it is another process then (unless systemd only reads its units again), with the same calls, and
# nobody has fallen silent. A package brings other
# kernel programs; without one they are those that were.
survives_line() {
	[ "$1" != 'systemctl daemon-reload' ] || {
		sh -c "$1"
		return
	}
	# shellcheck disable=SC2034 # another_pid looks at it
	before=$(main_pid)
	programs_before=$(programs)
	sh -c "$1" </dev/null && until_true 30 another_pid && runs && until_true 10 adopted && media_goes_on || return
	echo "kernel programs $programs_before before, $(programs) now"
	case $1 in
	apt\ *) [ "$(programs)" != "$programs_before" ] ;;
	*) [ "$(programs)" = "$programs_before" ] ;;
	esac
}

# For the lines that ask the journal for a call, and inside-watched.sh.
more_log() {
	echo 'log: {level: debug}' >>/etc/segue/segued.yaml
	systemctl reload segued
}

# What the lines suppose: somebody, a key, and what somebody would type.
before_service_lines() {
	useradd maria
	touch /etc/segue/key.pem
	printf '[Service]\nReadWritePaths=/srv\n' >typed
}

after_service_lines() {
	systemctl cat segued | grep -x 'ReadWritePaths=/srv' && systemctl revert segued &&
		[ "$(stat -c '%G %a' /etc/segue/key.pem)" = "segue 640" ] && id -nG maria | grep -w segue
}

# It has left systemd's hands, and root's.
runs_by_hand() {
	segue status && [ "$(main_pid)" = 0 ] && [ "$(stat -c %U "/proc/$(segue status --json | jq .data.pid)")" = segue ] || {
		cat /root/by-hand
		return 1
	}
}
