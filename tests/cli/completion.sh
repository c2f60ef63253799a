#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The completions of segue, segue-ua and segued for bash, asked as bash asks them. The lists of streams come from a function
# in the place of the tool: what is tested is which list is asked for.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tools/segue/completion.bash
. tools/segue-ua/completion.bash
. controller/completion.bash

segue() {
	printf 'NAME  ID\n%s-1  0\n%s-2  1\n' "$1" "$1"
}

# completes WORD... : the last one is being typed; behind PROGRAM.
completes() {
	COMP_WORDS=("${PROGRAM:-segue}" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	"_${COMP_WORDS[0]//-/_}"
	echo "${COMPREPLY[*]}"
}

is "objects" "$(completes st)" "status stream"
is "all objects, as the usage lists them" "$(completes "" | tr " " "\n" | sort | xargs)" \
	"$(build/segue --help | sed -n "/^Objects:/,/^$/s/^  \([a-z]*\) .*/\1/p" | sort | xargs)"
is "commands" "$(completes stream '')" "add list show set del"
is "commands behind an option" "$(completes --json path m)" "move"
is "options of a command" "$(completes interface attach eth0 --f)" "--force"
is "options of an object with one command" "$(completes top --o)" "--once"
is "options everywhere" "$(completes drop list --w)" "--watch"
is "values of an option" "$(completes interface attach --mode n)" "native"
is "streams" "$(completes stream show '')" "stream-1 stream-2"
is "several streams" "$(completes stream del stream-1 '')" "stream-1 stream-2"
is "sides" "$(completes path add stream-1 '')" "a b"
is "reasons" "$(completes drop show drop-2)" "drop-2"
is "streams of --stream" "$(completes port list --stream '')" "stream-1 stream-2"
is "calls" "$(completes call end call-2)" "call-2"
is "users" "$(completes registration list '')" "registration-1 registration-2"
is "bans" "$(completes ban del '')" "ban-1 ban-2"
is "subscribers" "$(completes --control /x subscriber del '')" "subscriber-1 subscriber-2"
is "NICs" "$(completes interface attach l)" "lo"
is "an option's value is no operand" "$(completes --watch 1 stream show stream-2)" "stream-2"
is "nothing for numbers" "$(completes nexthop list --watch '')" ""
PROGRAM=segue-ua
is "segue-ua: what it is to do" "$(completes '')" "register call answer"
is "its options" "$(completes --follow --sip)" "--sip-port"
is "a scheme" "$(completes --scheme re)" "replaces reinvite reregister"
is "a file" "$(completes --record tests/cli/comp)" "tests/cli/completion.sh"
is "nothing for numbers, either" "$(completes --t1 '')" ""
PROGRAM=segued
is "segued: its options" "$(completes --config x --ch)" "--check"
is "its file" "$(completes -c docs/segued.y)" "docs/segued.yaml"
done_testing
