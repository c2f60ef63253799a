# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# The commands of the documentation, for whoever runs or counts them. Source it after tests/lib/tap.sh, from the
# repository's root. The first line of a block says what it has, and where its lines are run (docs/adding.md, "A command in
# the documentation"): ```sh is the relay, ```sh WHERE another place. ```text and ```yaml have no commands, but for what was
# typed at the prompts of ```text demo.

# In the order in which their lines are run.
DOCS_PAGES="README.md $(echo docs/*.md)"

# docs_lines PAGE WHERE...: "WHERE COMMAND" for each line that is run in one of these places, in order; a line that ends in
# \ goes on in the next one. Without WHERE: all.
docs_lines() {
	docs_page=$1
	shift
	awk -v wanted=" $* " '
		/^ *```/ {
			where = ""
			if (!inside && ($1 == "```sh" || $2 == "demo")) where = NF > 1 ? $2 : "relay"
			inside = !inside
			next
		}
		!where || !NF || (!line && /^ *#/) || (where == "demo" && !/^ +[a-z]+\$ /) { next }
		{ sub(/^ +/, ""); line = line $0 }
		sub(/ *\\$/, " ", line) { next }
		{ if (wanted ~ /^ *$/ || index(wanted, " " where " ")) print where, line; line = "" }' "$docs_page"
}

# docs_blocks PAGE: "LINE LANGUAGE [WHERE]" for each block.
docs_blocks() {
	awk '/^ *```/ { if (!inside) print NR, substr($0, index($0, "```") + 3); inside = !inside }' "$1"
}

# docs_each FUNCTION WHERE...: each line of these places, page by page, is a test point of FUNCTION COMMAND.
docs_each() {
	docs_each=$1
	shift
	for docs_next in $DOCS_PAGES; do
		docs_of "$docs_next" "$docs_each" "$@"
	done
	docs_done "$@"
}

# docs_of PAGE FUNCTION WHERE...: the same of one page. FUNCTION finds its place in $docs_where.
docs_of() {
	docs_page=$1 docs_function=$2
	shift 2
	docs_list=$(mktemp)
	docs_lines "$docs_page" "$@" >"$docs_list"
	# shellcheck disable=SC2034 # for FUNCTION
	while read -r docs_where docs_line <&9; do
		docs_ran=$((${docs_ran:-0} + 1))
		ok "$docs_page: $docs_line" "$docs_function" "$docs_line"
	done 9<"$docs_list"
	rm -f "$docs_list"
}

# docs_done WHERE...: every line of these places was run, and there are some.
docs_done() {
	docs_there=0
	for docs_next in $DOCS_PAGES; do
		docs_there=$((docs_there + $(docs_lines "$docs_next" "$@" | wc -l)))
	done
	is "lines of the documentation that were run: $*" "${docs_ran:-0}" $docs_there
	ok "there are some" test $docs_there -gt 0
	docs_ran=0
}

# docs_quoted PAGE: each `command with words` of its running text and tables, blocks aside.
docs_quoted() {
	awk '/^ *```/ { inside = !inside; print ""; next }
		inside { next }
		/^\|/ || /^#/ { print ""; print; print ""; next }
		!NF { print ""; next }
		{ printf "%s ", $0 }' "$1" | grep -oE '`[^`]+`' | tr -d '`' | tr -s ' ' | sort -u
}
