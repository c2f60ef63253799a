# SPDX-License-Identifier: BSD-2-Clause
# Floods and fraud: who is banned and who is not, and what a flood does to those who have done nothing.
FLOOD_PROGRAM := $(B)/tests/flood/flood
TEST_PROGRAMS += $(FLOOD_PROGRAM)
TESTS += tests/flood/ban.sh tests/flood/floods.sh tests/flood/sanitized.sh

$(FLOOD_PROGRAM): %: %.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^
