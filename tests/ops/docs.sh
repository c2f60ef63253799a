#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The documentation of the configuration says what the code does: docs/configuration.md has a row for
# each key, word for word, and no other; docs/segued.yaml has every key with its preset; both, and the
# examples in docs/configuration.md, are taken by segued.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh

net_need "the documentation of the configuration"
net_private tests/ops/docs.sh

segued() {
	net_in relay "${NET_SEGUED:-build/segued}" "$@"
}

# Rows as they stand in docs/configuration.md: key, what may stand there, preset, meaning.
rows() {
	segued --keys | awk '
		/^[^ ]/ { key = substr($0, 1, index($0, ": ") - 1); value = substr($0, index($0, ": ") + 2); next }
		help == "" { help = substr($0, 5); next }
		{
			preset = substr($0, 5)
			if (preset == "no preset") preset = " "
			else {
				sub(/^preset: /, "", preset)
				preset = preset == "(required)" ? " (required) " : " `" preset "` "
			}
			print "| `" key "` | " value " |" preset "| " help " |"
			help = ""
		}'
}

keys() {
	segued --keys | sed -n 's/^\([^ :]*\): .*/\1/p'
}

same_rows() {
	rows >"$NET_DIR/code"
	grep '^| `' docs/configuration.md >"$NET_DIR/page"
	[ -s "$NET_DIR/code" ] || return 1
	sort "$NET_DIR/code" >"$NET_DIR/code.sorted"
	sort "$NET_DIR/page" | diff "$NET_DIR/code.sorted" -
}

# A comment or not, each key's last part stands in the example before a colon.
example_has() {
	example_missing=0
	for key in $(keys); do
		grep -qE "(^|[ {,#])${key##*[.]}:" docs/segued.yaml || {
			echo "docs/segued.yaml has no $key"
			example_missing=1
		}
	done
	return $example_missing
}

# With what is commented out, too, except for what needs files of others.
whole_example() {
	sed -E '1d; /^ *##/d; s/^( *)# /\1/' docs/segued.yaml |
		sed -E '/tls:|certificate:|key:|authorities:|require_client:|2001:db8::10\]/d'
}

# The ```yaml block of the page.
first_block() {
	awk '/^```/ { inside = ($0 == "```yaml"); next } inside' docs/configuration.md
}

# What security.md recommends, beside the least that a file must have.
recommended() {
	sed '/^# \|^ *#/d; /^trunks:/,$d' docs/segued.yaml
	awk '/^```/ { inside = ($0 == "```yaml"); next } inside' docs/security.md
}

taken() { # YAML from a command
	"$@" >"$NET_DIR/example.yaml"
	taken_text=$(segued -c "$NET_DIR/example.yaml" --check 2>&1)
	[ "$taken_text" = ok ] || {
		echo "$taken_text"
		return 1
	}
}

net_namespace relay
net_namespace peer
net_veth relay eth0 peer e0
net_in relay ip addr add 192.0.2.10/24 dev eth0
ok "docs/configuration.md has every key as the code has it, and no other" same_rows
ok "docs/segued.yaml has every key" example_has
ok "docs/segued.yaml is taken" taken cat docs/segued.yaml
ok "with its comments, too" taken whole_example
ok "the example of docs/configuration.md is taken" taken first_block
ok "what docs/security.md recommends is taken" taken recommended
ok "and a key more is not" sh -c "! { echo 'more: 1' >>$NET_DIR/example.yaml; \
	nsenter --net=/run/netns/relay build/segued -c $NET_DIR/example.yaml --check; }"
done_testing
