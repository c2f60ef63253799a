# SPDX-License-Identifier: BSD-2-Clause
# A thousand calls with media at once, and what becomes of them when segued dies, restarts or is replaced.
CROWD := $(B)/tests/crowd/crowd
ARRIVALS := $(B)/tests/crowd/arrivals
TEST_PROGRAMS += $(CROWD) $(ARRIVALS)
TESTS += tests/crowd/restart.sh

$(B)/tests/crowd/%.o: CFLAGS += -Itests/lib
$(CROWD): $(addprefix $(B)/tests/crowd/,crowd.o talk.o) $(addprefix $(B)/tests/lib/,loop.o rtpwire.o)
$(ARRIVALS): $(B)/tests/crowd/arrivals.o
$(CROWD) $(ARRIVALS):
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
