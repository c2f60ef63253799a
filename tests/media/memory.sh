#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Memory runs out in the media room and in the relay below it, at every allocation: media-memory, with and without
# sanitizers. MEDIA_MEMORY names one build of it.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/net.sh
. tests/relay/lib.sh
net_need "a media room without memory"
net_private "$0" "$@"

without_memory() { # PROGRAM
	net_in relay env SEGUE_OBJECT_DIR=build/bpf SEGUE_SHORT_TIMES=1 "$1" 10.0.1.1 10.0.2.1 10.0.1.2 10.0.2.2
}

relay_world 2
for program in ${MEDIA_MEMORY:-build/tests/media/media-memory build/san/tests/media/media-memory}; do
	ok "$program" without_memory "$program"
done
done_testing
