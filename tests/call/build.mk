# SPDX-License-Identifier: BSD-2-Clause
# Calls (controller/call): the whole room on a real stack, registrar and store, against scripted peers
# on loopback; only the relay is a double (fake_media.c), which writes down what it is told.
CALL_TESTS := $(sort $(patsubst tests/call/%.c,%,$(wildcard tests/call/test_*.c)))
CALL_TEST_OBJECTS := $(addprefix $(B)/tests/call/,call_rig.o fake_media.o ua.o) $(B)/tests/sip/stack_rig.o

TEST_PROGRAMS += $(CALL_TESTS:%=$(B)/tests/call/%)
TESTS += $(CALL_TESTS:%=build/tests/call/%) $(CALL_TESTS:%=build/san/tests/call/%)

$(B)/tests/call/%.o: CFLAGS += -Icontroller -Itests/sip
# The rig skips what nobody acts in.
$(CALL_TESTS:%=$(B)/tests/call/%): LDFLAGS += -Wl,--wrap=clock_gettime
# Where memory runs out, one allocation after the other.
$(B)/tests/call/test_memory $(B)/tests/call/test_operator_memory: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

$(CALL_TESTS:%=$(B)/tests/call/%): %: %.o $(CALL_TEST_OBJECTS) $(CONTROLLER_LIB) $(SIP_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS_CONTROLLER)

# Through a running segued, in namespaces.
TESTS += tests/call/calls.sh tests/call/capture.sh tests/call/fax.sh
