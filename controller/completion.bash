# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Completion of segued(8) for bash: options, files, users.

_segued() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	case $prev in
	-c | --config | --keep-records) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	--user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "--config --foreground --user --prepare --dry-run --keep-records --check --json --keys \
			--help --version" -- "$cur")
		;;
	esac
}

complete -F _segued segued
