# SPDX-License-Identifier: BSD-2-Clause
# The registrar: its location, its grammar, and REGISTER over a real stack on the loopback.
REGISTRAR_OBJECTS := $(patsubst %.c,$(B)/%.o,$(wildcard controller/registrar/*.c controller/store/*.c))
REGISTRAR_TESTS := test_location test_contact test_subscriber test_registrar test_registrar_oom
REGISTRAR_PROGRAMS := $(REGISTRAR_TESTS:%=$(B)/tests/registrar/%)

TEST_PROGRAMS += $(REGISTRAR_PROGRAMS)
TESTS += $(REGISTRAR_TESTS:%=build/tests/registrar/%) $(REGISTRAR_TESTS:%=build/san/tests/registrar/%) \
	tests/registrar/register.sh
BENCH_PROGRAMS += $(B)/tests/registrar/bench_register

$(B)/tests/registrar/%.o: CFLAGS += -Icontroller
$(B)/tests/registrar/test_registrar_oom: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

$(REGISTRAR_PROGRAMS) $(B)/tests/registrar/bench_register: %: %.o $(REGISTRAR_OBJECTS) $(SIP_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS_CONTROLLER)
