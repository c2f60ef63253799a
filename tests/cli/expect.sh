# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# For tests of the command line: run it, compare the exit code and what it says. Source tap.sh first.
# `segue` is called through the function `run_segue`, which the test defines.

# try ARGUMENT...: sets $code, $said (standard output) and $complained (standard error).
try() {
	expect_errors=$(mktemp)
	code=0
	said=$(run_segue "$@" 2>"$expect_errors") || code=$?
	complained=$(cat "$expect_errors")
	rm -f "$expect_errors"
}

# expect_text TEXT PATTERN: a grep -E pattern.
expect_text() {
	printf '%s\n' "$1" | grep -qE -- "$2" || {
		printf 'no /%s/ in: %s\n' "$2" "$1"
		return 1
	}
}

expect_code() {
	[ "$code" = "$1" ] || {
		printf 'exit code %s, not %s; standard output: %s; standard error: %s\n' "$code" "$1" \
			"$said" "$complained"
		return 1
	}
}

# fails CODE PATTERN ARGUMENT...: that exit code, nothing on standard output, the reason on standard
# error; and the same as JSON.
fails() {
	expect_wanted=$1 expect_pattern=$2
	shift 2
	try "$@"
	expect_code "$expect_wanted" && expect_text "$complained" "$expect_pattern" || return
	[ -z "$said" ] || {
		echo "standard output: $said"
		return 1
	}
	try --json "$@"
	expect_code "$expect_wanted" && expect_text "$complained" "$expect_pattern" || return
	printf '%s\n' "$complained" | tests/lib/holds -s "length == 1 and (.[0] | .version == 1 and
		.error.exit == $expect_wanted and (.error.text | length > 0) and (has(\"data\") | not))"
}

# says PATTERN ARGUMENT...: exit code 0, and the pattern on standard output.
says() {
	expect_pattern=$1
	shift
	try "$@"
	expect_code 0 && expect_text "$said" "$expect_pattern"
}

# answers FILTER ARGUMENT...: exit code 0, one envelope, and jq says true of its data.
answers() {
	expect_filter=$1
	shift
	try "$@" --json
	expect_code 0 || return
	printf '%s\n' "$said" | tests/lib/holds -s 'length == 1 and .[0].version == 1 and (.[0] | has("object"))
		and (.[0] | has("command"))' >/dev/null || {
		echo "no envelope: $said"
		return 1
	}
	printf '%s\n' "$said" | tests/lib/holds ".data | $expect_filter" >/dev/null || {
		echo "not true: $expect_filter of $said"
		return 1
	}
}
