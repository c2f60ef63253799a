# SPDX-License-Identifier: BSD-2-Clause
# The configuration, the limit of sources and the control socket by themselves; segued as a whole.
OPS_TESTS := test_config test_limit test_control test_memory
OPS_BASE := $(patsubst %.c,$(B)/%.o,$(wildcard controller/base/*.c))

TEST_PROGRAMS += $(OPS_TESTS:%=$(B)/tests/ops/%)
TESTS += $(OPS_TESTS:%=build/tests/ops/%) $(OPS_TESTS:%=build/san/tests/ops/%)

$(B)/tests/ops/%.o: CFLAGS += -Icontroller
$(B)/tests/ops/test_config: $(patsubst %.c,$(B)/%.o,$(wildcard controller/config*.c)) $(SIP_LIB)
$(B)/tests/ops/test_memory: $(patsubst %.c,$(B)/%.o,$(wildcard controller/config*.c)) $(SIP_LIB) \
	$(B)/controller/ops/control.o $(B)/controller/ops/json_memory.o $(B)/controller/ops/limit.o
$(B)/tests/ops/test_memory: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
$(B)/tests/ops/test_limit: $(B)/controller/ops/limit.o
$(B)/tests/ops/test_control: $(B)/controller/ops/control.o $(B)/controller/ops/json_memory.o

$(OPS_TESTS:%=$(B)/tests/ops/%): %: %.o $(OPS_BASE)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka $(LDLIBS_CONTROLLER)

TESTS += tests/ops/segued.sh tests/ops/tls.sh tests/ops/sanitized.sh tests/ops/docs.sh tests/ops/run.sh

# segued as a whole, without main(): driven by the test's own, in namespaces.
SEGUED_MEMORY := $(B)/tests/ops/segued-memory
TEST_PROGRAMS += $(SEGUED_MEMORY)
TESTS += tests/ops/memory.sh
# Every allocation of the process; with sanitizers, whose malloc() it is, those of our objects and of what takes an
# allocator.
ifneq ($(SAN),1)
$(SEGUED_MEMORY).o: CFLAGS += -DOOM_PROCESS
else
$(SEGUED_MEMORY): LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
endif
$(SEGUED_MEMORY): $(SEGUED_MEMORY).o $(filter-out %/main.o,$(SEGUED_OBJECTS)) $(CONTROLLER_LIB) $(SIP_LIB) $(RELAY_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS_CONTROLLER) $(LDLIBS_RELAY)
