# SPDX-License-Identifier: BSD-2-Clause
# Floods and fraud: who is banned and who is not, and what a flood does to those who have done nothing.
FLOOD_PROGRAM := $(B)/tests/flood/flood
FORGE := $(B)/tests/flood/forge
FORGE_OBJECT := build/tests/flood/forge.bpf.o
TEST_PROGRAMS += $(FLOOD_PROGRAM) $(FORGE) $(FORGE_OBJECT)
TESTS += tests/flood/ban.sh tests/flood/floods.sh tests/flood/spoof.sh tests/flood/sanitized.sh

$(FLOOD_PROGRAM): %: %.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

$(FORGE): %: %.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lbpf

$(FORGE_OBJECT): tests/flood/forge.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<
