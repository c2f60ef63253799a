# SPDX-License-Identifier: BSD-2-Clause
# The same movement through Segue and through rtpengine; tests/handoverbench/run starts these.
HANDOVERBENCH := $(B)/tests/handoverbench
HANDOVERBENCH_PROGRAMS := $(HANDOVERBENCH)/ng-connect $(HANDOVERBENCH)/draw-fates

$(HANDOVERBENCH)/ng-connect: $(addprefix $(B)/tests/,handoverbench/ng-connect.o bench/ng.o bench/net.o)
$(HANDOVERBENCH)/draw-fates: $(addprefix $(B)/tests/,handoverbench/draw-fates.o lib/drawing.o lib/rtplog.o)
$(HANDOVERBENCH_PROGRAMS):
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm

# bench_transaction and the registrar's are of tests/sip and tests/registrar.
BENCH_PROGRAMS += $(HANDOVERBENCH_PROGRAMS) $(NET_PROGRAMS) $(B)/tests/sip/bench_transaction
