# SPDX-License-Identifier: BSD-2-Clause
# Parties that move, through a running segued, seen at both applications: run runs every script here.
TESTS += tests/handover/run
