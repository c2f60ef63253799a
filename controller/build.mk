# SPDX-License-Identifier: BSD-2-Clause
# The SIP controller: libsegue-sip.a (base, sip, sdp: what segue-ua shares), libsegue-controller.a (the rooms
# above) and segued itself.
SIP_SOURCES := $(sort $(wildcard controller/base/*.c controller/sip/*.c controller/sdp/*.c))
SIP_LIB := $(B)/libsegue-sip.a
CONTROLLER_SOURCES := $(sort $(wildcard controller/store/*.c controller/registrar/*.c controller/call/*.c \
	controller/ops/*.c controller/config*.c))
CONTROLLER_LIB := $(B)/libsegue-controller.a
LDLIBS_SIP := -levent_openssl -levent_core -lcares -lssl -lcrypto
LDLIBS_CONTROLLER := -ljansson -lsqlite3 -lyaml -lcap-ng -lm -lpthread $(LDLIBS_SIP)

$(B)/controller/%.o: CFLAGS += -Icontroller
$(SIP_LIB): $(SIP_SOURCES:%.c=$(B)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(CONTROLLER_LIB): $(CONTROLLER_SOURCES:%.c=$(B)/%.o) $(B)/controller/ops/page_files.o
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/controller/ops/page_files.o: controller/ops/page_files.S $(wildcard controller/ops/page/*)
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -c -o $@ $<

# ---- segued --------------------------------------------------------------------------------------
SEGUED := $(B)/segued
SEGUED_OBJECTS := $(addprefix $(B)/controller/,main.o worker.o worker_listen.o worker_reload.o)
PROGRAMS += $(SEGUED)

$(B)/controller/main.o $(B)/controller/ops/metrics.o: CFLAGS += -DSEGUE_VERSION='"$(SEGUE_VERSION)"'
$(SEGUED): $(SEGUED_OBJECTS) $(CONTROLLER_LIB) $(SIP_LIB) $(RELAY_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@.new $^ $(LDLIBS_CONTROLLER) $(LDLIBS_RELAY) && mv $@.new $@
