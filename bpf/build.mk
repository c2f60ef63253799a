# SPDX-License-Identifier: BSD-2-Clause
# The kernel programs. -mcpu=v3: atomics that return a value, 32-bit registers.
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wshadow -Wno-unused-parameter \
	-Iinclude $(if $(MULTIARCH),-I/usr/include/$(MULTIARCH))
BPF_OBJECTS += build/bpf/segue.bpf.o build/bpf/egress.bpf.o build/bpf/probe.bpf.o
BPF_TEST_OBJECTS := build/bpf/egress_test.bpf.o build/bpf/window_test.bpf.o
TEST_PROGRAMS += $(BPF_TEST_OBJECTS)

build/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<
