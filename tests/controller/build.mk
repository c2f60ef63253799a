# SPDX-License-Identifier: BSD-2-Clause
# The controller's ground floor: text, buffers, tables, timers, addresses.
BASE_TESTS := $(addprefix tests/controller/test_,str buf hash timer netaddr)

TEST_PROGRAMS += $(BASE_TESTS:%=$(B)/%)
TESTS += $(BASE_TESTS:%=build/%) $(BASE_TESTS:%=build/san/%)

$(B)/tests/controller/%.o: CFLAGS += -Icontroller

$(BASE_TESTS:%=$(B)/%): %: %.o $(SIP_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS_SIP)
