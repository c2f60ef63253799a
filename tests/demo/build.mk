# SPDX-License-Identifier: BSD-2-Clause
# The demo of the README, and that it works.
TESTS += tests/demo/demo.sh
