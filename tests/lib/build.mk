# SPDX-License-Identifier: BSD-2-Clause
# What the network tests, the demo and the bench share: the path simulator, the RTP endpoint, the
# report and the picture that are made from its logs.
TEST_LIB := $(B)/tests/lib
PATHSIM := $(TEST_LIB)/pathsim
RTP_TOOLS := $(TEST_LIB)/rtp-peer $(TEST_LIB)/rtp-report $(TEST_LIB)/rtp-draw
PASS_OBJECT := build/tests/lib/pass.bpf.o

$(TEST_LIB)/pathsim: $(addprefix $(TEST_LIB)/,pathsim.o loop.o pathlink.o delayq.o frame.o)
$(TEST_LIB)/rtp-peer: $(addprefix $(TEST_LIB)/,rtp-peer.o loop.o endpoint.o rtpwire.o rtplog.o)
$(TEST_LIB)/rtp-report: $(addprefix $(TEST_LIB)/,rtp-report.o rtplog.o)
$(TEST_LIB)/rtp-draw: $(addprefix $(TEST_LIB)/,rtp-draw.o picture.o drawing.o rtplog.o)
$(PATHSIM) $(RTP_TOOLS):
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm

$(PASS_OBJECT): tests/lib/pass.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

NET_PROGRAMS := $(PATHSIM) $(RTP_TOOLS) $(PASS_OBJECT)
TEST_PROGRAMS += $(NET_PROGRAMS)
DEMO_PROGRAMS += $(NET_PROGRAMS)
# Style and static checks; `make lint` runs them alone.
TESTS += tests/lib/lint
