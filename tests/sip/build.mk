# SPDX-License-Identifier: BSD-2-Clause
# SIP (controller/sip): messages, dialogs and digests; transactions, transports and DNS over loopback.
# *_rig.c is what several of them stand on.
SIP_TESTS := $(sort $(patsubst tests/sip/%.c,%,$(wildcard tests/sip/test_*.c)))
SIP_BENCHES := $(sort $(patsubst tests/sip/%.c,%,$(wildcard tests/sip/bench_*.c)))
SIP_TEST_OBJECTS := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/sip/*_rig.c)))

TEST_PROGRAMS += $(SIP_TESTS:%=$(B)/tests/sip/%)
TESTS += $(SIP_TESTS:%=build/tests/sip/%) $(SIP_TESTS:%=build/san/tests/sip/%)
BENCH_PROGRAMS += $(SIP_BENCHES:%=$(B)/tests/sip/%)

$(B)/tests/sip/%.o: CFLAGS += -Icontroller
# A second opinion about messages, for the test alone.
$(B)/tests/sip/test_oracle: LDLIBS_ORACLE := -losipparser2
# The rig skips what nobody acts in.
$(SIP_TESTS:%=$(B)/tests/sip/%) $(SIP_BENCHES:%=$(B)/tests/sip/%): LDFLAGS += -Wl,--wrap=clock_gettime
# Where memory runs out, one allocation after the other.
$(B)/tests/sip/test_%_memory: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

$(SIP_TESTS:%=$(B)/tests/sip/%) $(SIP_BENCHES:%=$(B)/tests/sip/%): %: %.o $(SIP_TEST_OBJECTS) $(SIP_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS_ORACLE) $(LDLIBS_SIP)
