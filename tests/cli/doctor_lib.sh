# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What the doctor's tests share; doctor_says is theirs, and prints its JSON.

# finds RESULT CHECK PATTERN: the doctor has such a finding; one that is not ok has a cure.
finds() {
	found=$(doctor_says)
	printf '%s\n' "$found" | tests/lib/holds --arg result "$1" --arg check "$2" --arg pattern "$3" \
		'[.data.findings[] | select(.result == $result and .check == $check and
		((.subject // "") + ": " + .reason | test($pattern)))] |
		length > 0 and all($result == "ok" or .cure != null)' >/dev/null && return
	echo "no $1 of $2 with /$3/, or without a cure, in: $found"
	return 1
}

# cured CHECK: its cure is a command that ends well.
cured() {
	cure=$(doctor_says |
		jq -r --arg check "$1" '.data.findings[] | select(.check == $check and .result != "ok").cure')
	[ -n "$cure" ] && net_in relay sh -c "$cure"
}
