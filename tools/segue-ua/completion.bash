# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Completion of segue-ua(1) for bash: options, their values where they can be listed, and what it is to do.

_segue_ua_options() {
	echo --via --aor --user --password-file --proxy --transport --tls-ca --tls-name --tls-unchecked --nameserver \
		--expires --sip-port --rtp-port --scheme --backup --parallel --follow --manual-release --good \
		--accept-handover --legs --answer-ms --early-media --refuse --late-offer --pcma --play --tone --record \
		--ssrc --sequence --packets --video --video-packets --statistics --duration --control --json-events --t1 \
		--log --help
}

_segue_ua() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=''

	case $prev in
	--password-file | --tls-ca | --play | --record | --packets | --video-packets | --statistics | --control)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--transport) words="udp tcp tls" ;;
	--scheme) words="handover replaces reinvite backup reregister" ;;
	--log) words="error warning info debug" ;;
	--tls-unchecked | --parallel | --follow | --manual-release | --accept-handover | --early-media | --late-offer | \
		--pcma | --video | --json-events) ;;
	--*) return ;; # a value that only the user knows
	call) return ;;
	esac
	if [ -z "$words" ]; then
		words="register call answer"
		[[ $cur != -* ]] || words=$(_segue_ua_options)
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _segue_ua segue-ua
