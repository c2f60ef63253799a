#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each command of README.md and docs/*.md has a test that runs it. Which one is said by its block (lines.sh); here it is
# looked up that every block says it, that this test takes its lines from the pages and is run, and that no command stands
# where nobody runs it: in a block of another language, or in running text without a line of a block that has it.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/docs/lines.sh

PROGRAMS="segue segued segue-ua sudo make apt apt-get dpkg systemctl systemd-[a-z]+ journalctl ethtool ip tc bpftool nft
	sysctl modprobe sqlite3 tcpdump tshark sngrep ssh scp curl wget git cp mv rm mkdir mkfifo chmod chown chgrp adduser
	useradd usermod kill pkill echo cat sed grep jq sox openssl editor nsenter unshare chrt taskset mount umount ping dig man
	(\./)?(build|tests)/[a-z_/.-]+"
# shellcheck disable=SC2086 # a list of words
begins="($(echo $PROGRAMS | tr ' ' '|')) +[^ ]"

# runner WHERE: the script that runs the lines of such blocks.
runner() {
	case $1 in
	relay | party | laptop) echo tests/docs/commands.sh ;;
	hep) echo tests/watch/hep.sh ;;
	demo) echo tests/demo/demo.sh ;;
	nic) echo tests/kernels/nic.sh ;;
	install | service | upgrade | source) echo tests/package/inside.sh ;;
	*) return 1 ;;
	esac
}

# makes SCRIPT: the target whose recipe leads to it.
makes() {
	case $1 in
	tests/kernels/*) echo check-kernels ;;
	tests/package/inside.sh) echo check-package ;;
	*) echo check ;;
	esac
}

# What `make check` runs, one on each line.
checked() {
	make -s --no-print-directory --eval 'docs-tests: ; @printf "%s\n" $(TESTS)' docs-tests
}

# recipe TARGET: its lines in the Makefile or in a fragment.
recipe() {
	awk -v target="$1" 'FNR == 1 { inside = 0 }
		/^\t/ { if (inside) print; next }
		{ inside = 0 }
		/^[a-z][a-z-]*( [a-z-]+)*:/ { names = $0; sub(/:.*/, "", names); inside = index(" " names " ", " " target " ") }' \
		Makefile ./*/build.mk ./tests/*/build.mk
}

# leads TARGET SCRIPT: whoever makes the target runs the script, by itself or by a script that names it.
leads() {
	if [ "$1" = check ]; then
		grep -qx "$2" "$list.checked"
		return
	fi
	for leads_script in $(recipe "$1" | grep -oE '(tests|controller|package)/[a-z./-]+'); do
		[ "$leads_script" != "$2" ] || return 0
		! grep -qF "${2##*/}" "$leads_script" || return 0
	done
	return 1
}

# takes SCRIPT WHERE: it says itself, when it has run, that no line was left (docs_done, docs_each).
takes() {
	cat "$1" "${1%.sh}"-*.sh 2>/dev/null | grep -qE "^[^#]*docs_(each [a-z_]+|done)( [a-z]+)* $2( |\$)"
}

is_run_there() { # WHERE
	is_script=$(runner "$1") || {
		echo "nobody runs '\`\`\`sh $1': docs/adding.md says what there is"
		return 1
	}
	takes "$is_script" "$1" || {
		echo "$is_script does not take the lines of $1"
		return 1
	}
	leads "$(makes "$is_script")" "$is_script" || {
		echo "make $(makes "$is_script") does not run $is_script"
		return 1
	}
}

# is_made MAKE-COMMAND: each target is run by a test, or is what runs the tests.
is_made() {
	made_targets='' made_values=''
	for made_word in ${1#*make}; do
		case $made_word in
		*=*) made_values="$made_values ${made_word#*=}" ;;
		*) made_targets="$made_targets $made_word" ;;
		esac
	done
	for made_target in $made_targets; do
		target_is_run "$made_target" || return
	done
}

# By a line of a block, which commands.sh runs; as a step of `make check`; or its script is run by a test. What runs the tests,
# and the measurement (six minutes), are run by nothing but whoever types them.
target_is_run() {
	case $1 in
	check | check-kernels | check-package | bench)
		recipe "$1" | grep -qE '\./tests/([a-z]+/)?run( |$)'
		return
		;;
	esac
	! grep -qxE "relay (sudo )?make( .*)? $1( .*)?" "$list.lines" || return 0
	! recipe check | grep -qE "MAKE\).* $1( |\$)" || return 0
	script=$(recipe "$1" | grep -oE '\./[a-z]+/[a-z/-]+' | tail -n 1)
	[ -n "$script" ] || {
		echo "no test runs 'make $1'"
		return 1
	}
	by=$({ echo tests/package/clean.sh; cat "$list.checked"; } | grep '\.sh$' | xargs grep -lF "${script#./}")
	by="$by $(grep -x "${script#./}" "$list.checked")"
	[ "$by" != " " ] || [ "$1" = deb ] || {
		echo "no test runs $script"
		return 1
	}
	for value in $made_values; do
		# shellcheck disable=SC2086 # a list of scripts
		grep -qw -- "$value" $by || {
			echo "no test runs $script with $value"
			return 1
		}
	done
}

# ---- blocks

unknown_blocks() {
	unknown=0
	# shellcheck disable=SC2086 # a list of pages
	! grep -nE '^ *~~~' $DOCS_PAGES || unknown=1
	for docs_page in $DOCS_PAGES; do
		docs_blocks "$docs_page" >"$list"
		while read -r number language where; do
			case $language/$where in
			sh/* | text/ | yaml/ | text/demo) ;;
			*)
				echo "$docs_page:$number: a block of '$language $where': commands are sh, all else is text or yaml"
				unknown=1
				;;
			esac
		done <"$list"
	done
	return $unknown
}

# Lines that are commands, or show what was typed, in blocks that nobody runs.
hidden_commands() {
	# shellcheck disable=SC2086 # a list of pages
	! awk '/^ *```/ { inside = !inside; shell = $1 == "```sh" || $2 == "demo"; next }
		inside && !shell { print FILENAME ":" FNR ": " $0 }' $DOCS_PAGES | grep -E "^[^ ]+ +($begins|[a-z]+[\$#] )"
}

# ```sh check: each is itself what `make check` runs.
are_checked() {
	checked_bad=0
	for checked_line in $(awk '$1 == "check" { print $2 }' "$list.lines"); do
		grep -x "$checked_line" "$list.checked" || {
			echo "make check does not run $checked_line"
			checked_bad=1
		}
	done
	return $checked_bad
}

wheres() {
	awk '{ print $1 }' "$list.lines" | sort -u
}

# ---- running text

# simple: the simple commands of the blocks' lines, one on each line.
simple() {
	sed -E 's/^[a-z]+ //; s/ +# .*//; h; s/\$\([^)]*\)/X/g; G; s/\$\(|&&|[|;&)]/\n/g' "$list.lines" |
		sed -E 's/^ +//; s/^sudo //; s/ +$//'
}

# quoted: "PAGE COMMAND" for each command with words in running text; several in one are several.
quoted() {
	for docs_page in $DOCS_PAGES; do
		docs_quoted "$docs_page" | sed -E 's/ *(&&|[|;]) */\n/g; s/^sudo //' | grep -E "^$begins" | sed "s|^|$docs_page |"
	done
}

# without_line: those of standard input for which no line of a block has all words in this order, others between; names in
# capitals (NAME, N) stand for anything.
without_line() {
	awk 'NR == FNR { lines[++count] = $0; next }
		{
			pattern = "^"
			for (i = 2; i <= NF; i++) {
				word = $i
				gsub(/[^A-Za-z0-9_\/:=-]/, "[&]", word)
				if (word !~ /^-/) gsub(/[A-Z][A-Z]+|^N$/, "[^ ]+", word)
				pattern = pattern (i > 2 ? " (.* )?" : "") word
			}
			pattern = pattern "( |$)"
			for (n = 1; n <= count; n++) if (lines[n] ~ pattern) next
			print
		}' "$list.simple" -
}

all_have_lines() {
	all_missing=$(grep -vE '^[^ ]+ (make|man) ' "$list.quoted" | without_line)
	[ -z "$all_missing" ] || {
		echo "no line of a block has:"
		echo "$all_missing"
		return 1
	}
}

# tests/lib/lint has mandoc read each.
are_pages() {
	pages_missing=0
	for man_page in $(sed -nE 's/^[^ ]+ man //p' "$list.quoted"); do
		ls docs/man/"$man_page".[1-8] || pages_missing=1
	done
	return $pages_missing
}

list=$(mktemp)
trap 'rm -f "$list" "$list".*' EXIT
checked >"$list.checked"
for docs_page in $DOCS_PAGES; do
	docs_lines "$docs_page"
done >"$list.lines"
simple >"$list.simple"
ok "make check has tests" test "$(wc -l <"$list.checked")" -gt 50
ok "the documentation has commands" test "$(wc -l <"$list.lines")" -gt 150
ok "blocks are commands, text or yaml" unknown_blocks
ok "text and yaml have no commands" hidden_commands
for docs_where in $(wheres); do
	case $docs_where in make | check) continue ;; esac
	ok "the lines of $docs_where are run" is_run_there "$docs_where"
done
quoted >"$list.quoted"
ok "commands in running text are those of lines" all_have_lines
ok "man pages that are named are there" are_pages
{
	sed -n 's/^make sudo //p; s/^make make/make/p' "$list.lines"
	sed -nE 's/^[^ ]+ make/make/p' "$list.quoted"
} | sort -u >"$list.make"
ok "tests that are named are run by make check" are_checked
while read -r docs_line <&9; do
	ok "a test runs: $docs_line" is_made "$docs_line"
done 9<"$list.make"
done_testing
