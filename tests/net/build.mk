# SPDX-License-Identifier: BSD-2-Clause
# End to end in network namespaces, by what both applications received.
TESTS += tests/net/need.sh tests/net/pathsim.sh tests/net/attach.sh tests/net/handover.sh tests/net/lossy.sh
