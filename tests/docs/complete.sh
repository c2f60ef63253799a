#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Is the documentation whole? Everything that the code can name has its place there, and everything
# that it names is there.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh

# each COMMAND-THAT-LISTS CHECK: CHECK holds for every word, and there are some.
each() {
	each_words=$($1)
	[ -n "$each_words" ] || {
		echo "$1 lists nothing"
		return 1
	}
	each_missing=0
	for each_word in $each_words; do
		$2 "$each_word" || {
			echo "missing: $each_word"
			each_missing=1
		}
	done
	return $each_missing
}

reasons() {
	sed -n 's/^\tX([A-Z_0-9]*, "\([a-z-]*\)", [a-z]*,.*/\1/p' include/segue/abi.h | grep -vx none
}

fate() { # REASON
	sed -n "s/^\tX([A-Z_0-9]*, \"$1\", \([a-z]*\),.*/\1/p" include/segue/abi.h
}

has_paragraph() {
	grep -q "^\*\*$1\*\* ($(fate "$1")): ." docs/operator.md
}

maps() {
	sed -n 's/^} \(sg_[a-z_]*\)_v[0-9]* SEC(".maps");/\1/p' bpf/maps.h
}

has_row() {
	grep -q "^| \`$1\` |" docs/design.md
}

rows() {
	sed -n 's/^| `\(sg_[a-z_]*\)` |.*/\1/p' docs/design.md
}

is_map() {
	maps | grep -qx "$1" || [ "$1" = sg_scratch ]
}

commands() {
	build/segue --help --json | jq -r '.data.objects[] | .name as $o | .commands[] |
		"segue." + $o + (if .name then "." + .name else "" end)'
}

has_example() { # OBJECT.COMMAND
	awk '/^```/ { inside = ($0 == "```sh"); next } inside' docs/operator.md docs/controller.md docs/handover.md |
		grep -qE "^(.*\| )?$1( |\$)"
}

tables() {
	build/segue --help --json | jq -r '.data | [.options[].name] as $everywhere | .objects[] |
		.name as $o | .commands[] | [$o + "." + (.name // "")] + ([.options[].name, .options[].letter] +
		$everywhere | map(select(.))) | join(" ")'
}

# Every `segue ...` in running text or in a table names an object, a command and options that exist.
quoted() {
	grep -ohE '`segue [^`]*`' README.md docs/*.md | tr -d '`' | sort -u
}

is_command() { # segue OBJECT [COMMAND] ...
	set -f
	# shellcheck disable=SC2086 # words
	set -- $1
	object=$2 command=$3
	case $object in --* | [A-Z]*) return 0 ;; esac
	row=$(printf '%s\n' "$table" | grep -E "^$object\.($command)?( |\$)" | head -n 1)
	[ -n "$row" ] || return 1
	for word in "$@"; do
		case $word in
		--*) case " $row " in *" ${word#--} "*) ;; *) return 1 ;; esac ;;
		esac
	done
}

quoted_exist() {
	table=$(tables)
	quoted_bad=0
	quoted >"$list"
	while read -r line; do
		is_command "$line" || {
			echo "no such command: $line"
			quoted_bad=1
		}
	done <"$list"
	[ -s "$list" ] && return $quoted_bad
}

# Relative links, and anchors within a page.
links_lead_somewhere() {
	links_bad=0
	for page in README.md LICENSES.md docs/*.md; do
		grep -oE '\]\([^)# ]+' "$page" | sed 's/^](//' >"$list"
		while read -r link; do
			case $link in *://*) continue ;; esac
			[ -e "$(dirname "$page")/$link" ] || {
				echo "$page: $link"
				links_bad=1
			}
		done <"$list"
	done
	return $links_bad
}

tree_is_true() {
	sed -n '/^## Where things are/,/^## /p' README.md | grep -oE '^[a-z.A-Z][A-Za-z/.]+' |
		tr -d ',' >"$list"
	tree_bad=0
	while read -r entry; do
		[ -e "$entry" ] || {
			echo "README.md names $entry"
			tree_bad=1
		}
	done <"$list"
	[ -s "$list" ] && return $tree_bad
}

list=$(mktemp)
trap 'rm -f "$list"' EXIT
ok "every reason has a paragraph in docs/operator.md, with its fate" each reasons has_paragraph
ok "every map has a row in docs/design.md" each maps has_row
ok "every row of docs/design.md is a map" each rows is_map
ok "every command has an example in docs/operator.md, controller.md or handover.md" each commands has_example
ok "every command that is quoted exists, with its options" quoted_exist
ok "links lead somewhere" links_lead_somewhere
ok "the tree in README.md is there" tree_is_true
done_testing
