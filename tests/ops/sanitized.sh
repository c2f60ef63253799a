#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# segued as a whole, built with sanitizers.
cd "$(dirname "$0")/../.." || exit 1
NET_SEGUED=build/san/segued
export NET_SEGUED
exec tests/ops/segued.sh
