# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# TAP for shell tests. Source it, call `ok`/`is`/`skip`/`diag`, end with `done_testing`.
tap_count=0
tap_failed=0

# ok NAME COMMAND...: passes when the command does; its output is shown when it fails.
ok() {
	tap_name=$1
	shift
	tap_count=$((tap_count + 1))
	if tap_output=$("$@" 2>&1); then
		echo "ok $tap_count - $tap_name"
	else
		echo "not ok $tap_count - $tap_name"
		tap_failed=$((tap_failed + 1))
		printf '%s\n' "$tap_output" | sed 's/^/# /'
	fi
}

# is NAME GOT WANTED
is() {
	tap_count=$((tap_count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $tap_count - $1"
	else
		echo "not ok $tap_count - $1"
		tap_failed=$((tap_failed + 1))
		printf '#      got: %s\n#   wanted: %s\n' "$2" "$3"
	fi
}

# skip NAME REASON
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

done_testing() {
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
}
