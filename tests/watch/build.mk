# SPDX-License-Identifier: BSD-2-Clause
# What watches segued: metrics and health over HTTP, the live page, records, copies of the signalling.
TESTS += tests/watch/metrics.sh tests/watch/sanitized.sh tests/watch/page.sh tests/watch/cdr.sh tests/watch/hep.sh
TEST_PROGRAMS += $(B)/tests/watch/hep-receive

$(B)/tests/watch/hep-receive: $(B)/tests/watch/hep-receive.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ljansson
