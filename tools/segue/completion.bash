# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Completion of segue(1) for bash: objects, commands, options, stream names, NICs.

# The commands of an object; nothing for the objects that have only one.
_segue_commands() {
	case $1 in
	interface) echo attach detach list show ;;
	stream) echo add list show set del ;;
	path) echo add del set move list ;;
	port | nexthop | window | drop | map | cdr) echo list show ;;
	event) echo follow ;;
	call) echo list show end ;;
	handover) echo list show start finish abort ;;
	registration) echo list del ;;
	ban) echo list add del ;;
	subscriber) echo add list del ;;
	esac
}

_segue_options() {
	local everywhere="--json --pretty --watch --pin-dir --control --help --version"
	case "$1 $2" in
	"interface attach") echo --mode --force --capacity ;;
	"interface detach") echo --all --force ;;
	"stream add")
		echo -a -b --rtcp-mux --opaque --clock --direction --dscp --learn --learn-window \
			--resolve --batch --continue
		;;
	"stream set") echo --direction ;;
	"stream del") echo --batch --continue ;;
	"path add" | "path move") echo --dscp --learn --learn-window --resolve ;;
	"path del") echo --no-wait ;;
	"path set") echo --send --listen --active ;;
	"port list") echo --stream ;;
	"event follow") echo --count --timeout ;;
	"top ") echo --once --interval --limit ;;
	"doctor ") echo --config ;;
	"capture ") echo --write -w --seconds --packets --size ;;
	"trace ") echo --follow --width --ascii ;;
	"call list") echo --ended ;;
	"call end") echo --reason ;;
	"cdr list") echo --last ;;
	"subscriber add") echo --replace ;;
	"ban add") echo --for --for-ever ;;
	esac
	echo "$everywhere"
}

# First column of a list, without its head.
_segue_first_column() {
	segue "$1" list "${where[@]}" 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_segue_nics() {
	local nic
	for nic in /sys/class/net/*; do
		echo "${nic##*/}"
	done
}

# Values of the option before the cursor; false if it takes none that can be listed.
_segue_value() {
	case $1 in
	--mode) echo auto native generic ;;
	--direction) echo both a-to-b b-to-a none ;;
	--send | --listen) echo on off ;;
	--dscp) echo keep ;;
	--learn)
		if [ "$2" = path ]; then
			echo any
		else
			echo a b both
		fi
		;;
	--stream) _segue_first_column stream ;;
	*) return 1 ;;
	esac
}

# Operand number $3 (from 0) of OBJECT COMMAND.
_segue_operand() {
	case "$1 $2 $3" in
	"interface attach 0" | "interface detach 0" | "interface show 0") _segue_nics ;;
	"stream show 0" | "stream set 0" | "stream del "*) _segue_first_column stream ;;
	"path "*" 0" | "window show 0") _segue_first_column stream ;;
	"path list 1") ;;
	"path "*" 1") echo a b ;;
	"nexthop show 0") _segue_first_column nexthop ;;
	"drop show 0") _segue_first_column drop ;;
	"map show 0") _segue_first_column map ;;
	"call show 0" | "call end 0" | "trace  0" | "capture  0" | "handover "*" 0") _segue_first_column call ;;
	"registration list 0" | "registration del 0") _segue_first_column registration | sort -u ;;
	"ban del 0") _segue_first_column ban ;;
	"subscriber del 0") _segue_first_column subscriber ;;
	esac
}

_segue_takes_value() {
	case $1 in
	--watch | --pin-dir | --control | --config | --reason | --mode | --capacity | -a | -b | --clock | --direction | --dscp | \
		--learn | --learn-window | --resolve | --batch | --send | --listen | --stream | \
		--count | --timeout | --width | --write | -w | --seconds | --packets | --size | --interval | --limit | --for) return 0 ;;
	esac
	return 1
}

_segue() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local object='' command='' operands=0 word words='' i
	local -a where=()
	local objects="call handover registration subscriber ban status interface stream path port nexthop"
	objects+=" window drop map event follow doctor top cdr trace capture"

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if _segue_takes_value "$word"; then
			case $word in
			--pin-dir | --control) where+=("$word" "${COMP_WORDS[i + 1]}") ;;
			esac
			i=$((i + 1))
		elif [[ $word == -* ]]; then
			continue
		elif [ -z "$object" ]; then
			object=$word
		elif [ -z "$command" ] && [ -n "$(_segue_commands "$object")" ]; then
			command=$word
		else
			operands=$((operands + 1))
		fi
	done

	if _segue_takes_value "$prev"; then
		case $prev in
		--batch | --pin-dir | --control)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
			;;
		esac
		words=$(_segue_value "$prev" "$object")
	elif [[ $cur == -* ]]; then
		words=$(_segue_options "$object" "$command")
	elif [ -z "$object" ]; then
		words=$objects
	elif [ -z "$command" ] && [ -n "$(_segue_commands "$object")" ]; then
		words=$(_segue_commands "$object")
	else
		words=$(_segue_operand "$object" "$command" "$operands")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _segue segue
