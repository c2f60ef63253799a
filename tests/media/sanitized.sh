#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# media.sh with the driver under sanitizers.
cd "$(dirname "$0")/../.." || exit 1
MEDIA_DRIVE=build/san/tests/media/media-drive exec tests/media/media.sh
