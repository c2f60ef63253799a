#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Bans, with segued and the command line built with sanitizers.
cd "$(dirname "$0")/../.." || exit 1
NET_SEGUED=build/san/segued
NET_SEGUE=build/san/segue
export NET_SEGUED NET_SEGUE
exec tests/flood/ban.sh
