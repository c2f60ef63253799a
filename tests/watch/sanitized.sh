#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The same with a segued that the address and undefined-behaviour sanitizers watch.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
net_need "what watches segued, with sanitizers"

for each in metrics page cdr hep; do
	ok "$each.sh, with sanitizers" env NET_SEGUED=build/san/segued "tests/watch/$each.sh"
done
done_testing
