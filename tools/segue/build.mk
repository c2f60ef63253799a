# SPDX-License-Identifier: BSD-2-Clause
# The command line: build/segue. Knows the relay by include/segue/relay.h only.
SEGUE_SOURCES := $(sort $(wildcard tools/segue/*.c))
PROGRAMS += $(B)/segue

$(B)/tools/segue/%.o: CFLAGS += -DSEGUE_VERSION='"$(SEGUE_VERSION)"'
$(B)/segue: $(SEGUE_SOURCES:%.c=$(B)/%.o) $(RELAY_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@.new $^ $(LDLIBS_RELAY) -ljansson -lcrypto -lresolv && mv $@.new $@
