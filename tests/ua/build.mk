# SPDX-License-Identifier: BSD-2-Clause
# segue-ua: its parts by themselves, and whole calls between two of them on loopback.
UA_TESTS := $(sort $(patsubst tests/ua/%.c,%,$(wildcard tests/ua/test_*.c)))

TEST_PROGRAMS += $(UA_TESTS:%=$(B)/tests/ua/%) $(B)/tests/ua/registrar $(B)/tests/ua/nameserver
TESTS += $(UA_TESTS:%=build/tests/ua/%) $(UA_TESTS:%=build/san/tests/ua/%) tests/ua/calls.sh \
	tests/ua/calls_sanitized.sh tests/ua/segued.sh tests/ua/assisted.sh tests/ua/transports.sh

$(B)/tests/ua/%.o: CFLAGS += -Icontroller -Itools/segue-ua
$(UA_TESTS:%=$(B)/tests/ua/%): %: %.o $(UA_LIB) $(SIP_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS_UA)

$(B)/tests/ua/registrar: $(B)/tests/ua/registrar.o $(SIP_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS_UA)

$(B)/tests/ua/nameserver: $(B)/tests/ua/nameserver.o $(B)/tests/sip/dns_rig.o $(SIP_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS_UA)
