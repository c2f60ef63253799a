#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The same calls, built with the address and undefined-behaviour sanitizers: what they find changes the
# exit status.
cd "$(dirname "$0")/../.." || exit 1
UA_BUILD=build/san exec tests/ua/calls.sh
