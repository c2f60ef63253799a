# SPDX-License-Identifier: BSD-2-Clause
# What the documentation says is run, and compared with what there is.
TESTS += tests/docs/complete.sh tests/docs/list.sh tests/docs/commands.sh
