# SPDX-License-Identifier: BSD-2-Clause
# What needs no kernel: text, tables and words. Linked with the library's objects, so that a test
# reaches what is private to relay/.
UNIT_TESTS := $(sort $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c)))

TEST_PROGRAMS += $(UNIT_TESTS:%=$(B)/tests/unit/%)
TESTS += $(UNIT_TESTS:%=build/tests/unit/%) $(UNIT_TESTS:%=build/san/tests/unit/%)

$(UNIT_TESTS:%=$(B)/tests/unit/%): %: %.o $(RELAY_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS_RELAY)
