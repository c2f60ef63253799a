# SPDX-License-Identifier: BSD-2-Clause
# The bench: programs of `make bench`; tests/bench/run starts them.
BENCH_BPF := $(patsubst %.c,build/%.o,$(wildcard tests/bench/*.bpf.c))
BENCH_SOURCES := $(filter-out %.bpf.c tests/bench/mmsg_relay.c,$(wildcard tests/bench/*.c))
BENCH_PROGRAMS += $(B)/tests/bench/bench $(B)/tests/bench/mmsg_relay $(BENCH_BPF)

build/tests/bench/%.bpf.o: tests/bench/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(B)/tests/bench/bench: $(BENCH_SOURCES:%.c=$(B)/%.o) $(RELAY_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS_RELAY) -ljansson -lm

$(B)/tests/bench/mmsg_relay: $(B)/tests/bench/mmsg_relay.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^
