#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A network test whose object is merely not built fails and says what to build: only what a machine cannot do is skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
said=$(mktemp)
trap 'rm -f "$said"' EXIT

needs() { # OBJECT
	NET_PRIVATE='' sh -c '. tests/lib/tap.sh; . tests/lib/net.sh; NET_PASS=$1; net_need "a test"; echo runs' - "$1" >"$said"
}

needs build/no-such.bpf.o
is "it fails" $? 1
ok "as the test that was to run" grep -q '^not ok 1 - a test$' "$said"
ok "and says what to build" grep -q 'build/no-such.bpf.o is not built: make check-programs' "$said"
needs build/tests/lib/pass.bpf.o
is "with the object it does not" $? 0
ok "and runs, or says what the machine lacks" grep -qE '^runs$|# SKIP ' "$said"
done_testing
