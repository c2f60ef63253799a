# SPDX-License-Identifier: BSD-2-Clause
# What breaks around a segued with a call: what can go on goes on, and one line of the log says so.
SETCLOCK := build/tests/faults/setclock.so
TEST_PROGRAMS += $(SETCLOCK)
TESTS += tests/faults/files.sh tests/faults/network.sh tests/faults/clock.sh tests/faults/store.sh

$(SETCLOCK): tests/faults/setclock.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -fPIC -shared -o $@ $<
