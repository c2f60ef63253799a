#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The same tests of the command line, built with the address and undefined-behaviour sanitizers: a
# leak or an overrun changes the exit code that they compare.
cd "$(dirname "$0")/../.." || exit 1
export NET_SEGUE=build/san/segue
tests/cli/usage.sh
usage=$?
tests/cli/maps.sh && [ $usage = 0 ]
