# SPDX-License-Identifier: BSD-2-Clause
# libsegue-relay: the library that owns the maps.
RELAY_SOURCES := $(sort $(wildcard relay/*.c))
RELAY_LIB := $(B)/libsegue-relay.a
LIBRARIES += $(RELAY_LIB)

$(B)/relay/%.o: CFLAGS += -DSG_OBJECT_DIR='"$(OBJECT_DIR)"'
# Built for another place, dataplane.o would look for the kernel programs in the wrong one.
$(B)/relay/object_dir: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)test "$$(cat $@ 2>/dev/null)" = '$(OBJECT_DIR)' || echo '$(OBJECT_DIR)' >$@
$(B)/relay/dataplane.o: $(B)/relay/object_dir
$(RELAY_LIB): $(RELAY_SOURCES:%.c=$(B)/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
