# SPDX-License-Identifier: BSD-2-Clause
# Real phones through a running segued.
TESTS += tests/clients/calls.sh
