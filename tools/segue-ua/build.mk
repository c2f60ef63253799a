# SPDX-License-Identifier: BSD-2-Clause
# The moving party: build/segue-ua, a user agent with several networks, on the controller's base/, sip/
# and sdp/.
UA_SOURCES := $(sort $(wildcard tools/segue-ua/*.c))
UA_LIB_SOURCES := $(filter-out tools/segue-ua/main.c,$(UA_SOURCES))
UA_LIB := $(B)/libsegue-ua.a
LDLIBS_UA := -ljansson -lmnl -lm $(LDLIBS_SIP)
PROGRAMS += $(B)/segue-ua

$(B)/tools/segue-ua/%.o: CFLAGS += -Icontroller -Itools/segue-ua
$(UA_LIB): $(UA_LIB_SOURCES:%.c=$(B)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/segue-ua: $(B)/tools/segue-ua/main.o $(UA_LIB) $(SIP_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@.new $^ $(LDLIBS_UA) && mv $@.new $@
