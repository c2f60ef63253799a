#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What needs no maps: usage errors, exit codes, help, JSON of errors; the man pages and the completions
# know every command and option.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/cli/expect.sh

segue=${NET_SEGUE:-build/segue}
nowhere=$(mktemp -d)
trap 'rm -rf "$nowhere"' EXIT

run_segue() {
	$segue --pin-dir "$nowhere" "$@"
}

good="-a 192.0.2.1:3000=192.0.2.2:4000 -b 192.0.2.1:3002=192.0.2.3:4000"

usage_errors() {
	ok "no object" fails 2 'no object'
	ok "unknown object" fails 2 "unknown object 'bogus'" bogus
	ok "no command" fails 2 'no command' stream
	ok "unknown command" fails 2 "unknown command 'bogus'" stream bogus
	ok "unknown option" fails 2 "unknown option '--bogus'" stream list --bogus
	ok "unknown letter" fails 2 "unknown option '-x'" stream list -x
	ok "unknown option before the object" fails 2 "unknown option '--bogus'" --bogus stream list
	ok "option of another command" fails 2 "unknown option '--mode'" stream list --mode native
	ok "missing value" fails 2 "'--watch' needs a value" stream list --watch
	ok "empty value" fails 2 "the value is empty" stream list --pin-dir=
	ok "a flag takes no value" fails 2 'takes no value' path del x a 0 --no-wait=yes
	ok "--watch 0" fails 2 'not a number from 1' stream list --watch 0
	ok "--watch with a changing command" fails 2 'reading commands' stream del x --watch 1
	ok "missing operand" fails 2 'missing operand: NAME' stream show
	ok "one operand too many" fails 2 "'extra' is one too many" stream show x extra
	ok "operands behind --" fails 2 "'--json' is one too many" stream show x -- --json
	ok "detach: NIC and --all" fails 2 'one of them' interface detach eth0 --all
	ok "detach: neither" fails 2 'one of them' interface detach
	ok "attach: bad mode" fails 2 'auto, native, generic' interface attach lo --mode fast
	ok "attach: bad capacity" fails 2 'not a number' interface attach lo --capacity 0
}

stream_errors() {
	ok "stream add: no sides" fails 2 '-a .* is missing' stream add x
	ok "stream add: one side" fails 2 '-b .* is missing' stream add x \
		-a 192.0.2.1:3000=192.0.2.2:4000
	ok "stream add: not a pair" fails 2 'LOCAL:PORT=REMOTE:PORT' stream add x -a 192.0.2.1:3000
	for bad in 192.0.2.1=192.0.2.2:4000 192.0.2.1:3000=192.0.2.2 192.0.2:3000=192.0.2.2:4000 \
		192.0.2.1:0=192.0.2.2:4000 192.0.2.1:65536=192.0.2.2:4000 \
		2001:db8::1:3000=192.0.2.2:4000 "[2001:db8::1:3000=[2001:db8::2]:4000" \
		"name:3000=192.0.2.2:4000" "=" "192.0.2.1:3000="; do
		ok "stream add: malformed '$bad'" fails 2 . stream add x -a "$bad" \
			-b 192.0.2.1:3002=192.0.2.3:4000
	done
	# shellcheck disable=SC2086 # $good is four words
	{
		ok "stream add: no name" fails 2 'missing operand: NAME' stream add $good
		ok "stream add: bad direction" fails 2 'both, a-to-b' stream add x $good --direction up
		ok "stream add: bad DSCP" fails 2 "'64' is neither" stream add x $good --dscp 64
		ok "stream add: bad clock" fails 2 'not a number' stream add x $good --clock -1
		ok "stream add: bad --learn" fails 2 'a, b or both' stream add x $good --learn c
		ok "stream add: bad bits" fails 2 'from 1 to 128' stream add x $good --learn a=129
		ok "stream add: --batch and a name" fails 2 'from its file' stream add x --batch -
		ok "stream add: --continue alone" fails 2 'belongs to --batch' stream add x $good --continue
	}
	ok "stream set: nothing" fails 2 'nothing to set' stream set x
	ok "stream del: nothing" fails 2 'missing operand' stream del
	ok "stream del: --batch and a name" fails 2 'from its file' stream del x --batch -
}

path_errors() {
	ok "path add: bad side" fails 2 "'c' is neither a nor b" path add x c 192.0.2.1:3=192.0.2.2:4
	ok "path add: malformed" fails 2 'LOCAL:PORT=REMOTE:PORT' path add x a 192.0.2.1:3
	ok "path add: bad --learn" fails 2 "neither 'any'" path add x a 192.0.2.1:3=192.0.2.2:4 --learn 0
	ok "path del: bad index" fails 2 'not a number from 0' path del x a one
	ok "path del: index out of range" fails 2 'not a number from 0' path del x a 6
	ok "path set: nothing" fails 2 'nothing to set' path set x a 0
	ok "path set: bad toggle" fails 2 'on, off' path set x a 0 --send maybe
	ok "path move: malformed" fails 2 'LOCAL:PORT=REMOTE:PORT' path move x a 0 nonsense
	ok "port show: malformed" fails 2 . port show 192.0.2.1
	ok "nexthop show: malformed" fails 2 'not a number' nexthop show first
	ok "event follow: bad count" fails 2 'not a number' event follow --count many
	ok "top: bad interval" fails 2 'not a number' top --interval 0
}

daemon_errors() {
	ok "subscriber add: no domain" fails 2 "'alice' is not USER@DOMAIN" subscriber add alice
	ok "subscriber add: no user" fails 2 "'@x' is not USER@DOMAIN" subscriber add @x
	ok "capture: no call" fails 2 'missing operand: CALL' capture
	ok "capture: no time" fails 2 'not a number from 1' capture x --seconds 0
	ok "trace: no call" fails 2 'missing operand: CALL' trace
	ok "trace: too narrow" fails 2 'not a number from 44 to 200' trace x --width 43
	ok "trace: a picture is no JSON" fails 2 'follow draws' trace x --follow --json
	ok "call show: no id" fails 2 'missing operand: ID' call show
	ok "call end is no reading command" fails 2 'reading commands' call end x --watch 1
	ok "no segued" fails 1 "no segued answers at $nowhere/none" --control "$nowhere/none" status
	ok "no segued: SEGUE_CONTROL" env SEGUE_CONTROL="$nowhere/other" sh -c \
		"$segue call list 2>&1 | grep -q 'no segued answers at $nowhere/other'"
	ok "no password" fails 1 'no password on standard input' --control "$nowhere/none" \
		subscriber add alice@example.net
}

refusals() {
	ok "unknown NIC" fails 1 "no interface 'nosuch0'" interface attach nosuch0
	# shellcheck disable=SC2086 # $good is four words
	ok "no maps: stream add" fails 1 . stream add x $good
	ok "no maps: stream list" fails 1 . stream list
	ok "no maps: top" fails 1 . top --once
	ok "batch: no such file" fails 1 . stream add --batch "$nowhere/none"
	printf_name=$(printf 'a\033[31mb')
	ok "what was typed cannot colour the terminal" fails 2 "unknown object 'a.\\[31mb'" "$printf_name"
	printf_name=$(printf '\377')
	ok "what was typed need not be UTF-8" fails 2 'unknown object' "$printf_name"
	ok "nothing is left behind" test -z "$(ls -A "$nowhere")"
}

help() {
	ok "--help" says '^Usage: segue OBJECT COMMAND' --help
	ok "help" says '^Usage: segue OBJECT COMMAND' help
	ok "help of an object" says 'segue stream add NAME' help stream
	ok "--version" says '^segue [0-9.]+, maps v[0-9]+ \(ABI [0-9]+\)$' --version
	ok "--version --json" answers '.maps == "v1"' --version
	ok "--help --json" answers '[.objects[].name] | contains(["stream", "path", "nexthop", "doctor"])' --help
	try --json --help
	table=$said
	ok "options may stand before the object" says '^Usage: segue stream add' --help stream add
	ok "options may stand in the middle" says '^Usage: segue stream add' stream --help add
	ok "options may stand behind" says '^Usage: segue stream add' stream add x --help
	try stream list --bogus --json
	ok "an option behind an error makes it JSON" expect_text "$complained" '^\{"version":1'
	ok "--pretty is JSON" test "$($segue --version --pretty | jq .version)" = 1
	ok "a full disk is an error" sh -c "$segue --help 2>&1 >/dev/full | grep -q 'standard output'"
}

# Words of each command: "OBJECT COMMAND OPTION...", from the tool's own table.
commands() {
	printf '%s' "$table" | jq -r '.data.objects[] | .name as $object | .commands[] |
		[$object, .name // "", (.options[] | if .name then "--" + .name else "-" + .letter end)] |
		join(" ")'
}

each_command_helps() {
	commands | while read -r object command _; do
		case $command in -*) command= ;; esac
		$segue "$object" ${command:+"$command"} --help | grep -q "^Usage: segue $object" || {
			echo "segue $object $command --help"
			return 1
		}
	done
}

# in_file FILE: every object, command and option stands there.
in_file() {
	commands | tr ' ' '\n' | sort -u | sed '/^$/d' | while read -r word; do
		sed 's/Fl Fl /--/g; s/Fl /-/g; s/\\-/-/g' "$1" | grep -qwe "$word" || {
			echo "$1 does not mention $word"
			return 1
		}
	done
}

# has_words FILE: the words of standard input stand there; a man page has its own way to write dashes.
has_words() {
	sed 's/Fl Fl /--/g; s/Fl /-/g; s/\\-/-/g' "$1" >"$nowhere/words"
	while read -r word; do
		grep -qwe "$word" "$nowhere/words" || {
			echo "$1 does not mention $word"
			return 1
		}
	done
	rm "$nowhere/words"
}

# The long options of --help of PROGRAM.
long_options() {
	"build/$1" --help | grep -oE '(^|[ |])--[a-z][a-z0-9-]*' | tr -d ' |' | sort -u
}

options_in() { # PROGRAM FILE
	[ "$(long_options "$1" | wc -l)" -ge 5 ] && long_options "$1" | has_words "$2"
}

# What segue-ua takes while it runs, from the table that it is looked up in.
taken_while_running() {
	grep -oE '\{STR\("[a-z]+"\), do_' tools/segue-ua/command.c | cut -d '"' -f 2
}

says_what_it_takes() {
	[ "$(taken_while_running | wc -l)" -ge 11 ] && sed -n '/^Take commands/,/is standard input/p' docs/man/segue-ua.1 >"$nowhere/man" &&
		taken_while_running | has_words "$nowhere/man" &&
		build/segue-ua --help | sed '1,/--control FIFO/d' >"$nowhere/help" && taken_while_running | has_words "$nowhere/help"
	result=$?
	rm -f "$nowhere/help" "$nowhere/man" "$nowhere/words"
	return $result
}

# Objects that a running segued answers for: those that it has a table of (drop is the relay's, too), and those of the
# tool that ask it for a call.
objects_of_segued() {
	ls controller/ops/control_*.c | sed 's/.*control_\(.*\)\.c/\1/; /^drop$/d; /^tables$/d'
	printf '%s\n' trace capture
}

says_whose_they_are() { # FILE FROM TO: between two lines
	sed -n "/$2/,/$3/p" "$1" >"$nowhere/part"
	objects_of_segued | has_words "$nowhere/part"
	result=$?
	rm -f "$nowhere/part" "$nowhere/words"
	return $result
}

usage_errors
stream_errors
path_errors
daemon_errors </dev/null
refusals
help
ok "every command has help" each_command_helps
ok "the man page knows every object, command and option" in_file docs/man/segue.1
ok "the completion knows every object, command and option" in_file tools/segue/completion.bash
ok "the man page of segue has every option of --help" options_in segue docs/man/segue.1
for program in segue-ua:docs/man/segue-ua.1:tools/segue-ua segued:docs/man/segued.8:controller; do
	name=${program%%:*} page=${program#*:}
	ok "the man page of $name has every option of --help" options_in "$name" "${page%:*}"
	ok "the completion, too" options_in "$name" "${page#*:}/completion.bash"
done
ok "segue-ua says what it can be told, in --help and its man page" says_what_it_takes
ok "segue(1) says what needs a daemon" says_whose_they_are docs/man/segue.1 'needs no daemon' 'of a running'
ok "segued(8) says by what it is asked" says_whose_they_are docs/man/segued.8 'is asked and told' '^.Ss'
if command -v mandoc >/dev/null; then
	is "mandoc finds nothing in the man pages" "$(mandoc -Tlint -Wwarning docs/man/*.[18])" ""
else
	skip "mandoc finds nothing in the man pages" "mandoc is not installed"
fi
done_testing
