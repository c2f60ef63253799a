# SPDX-License-Identifier: BSD-2-Clause
# libFuzzer over the headers that the kernel programs and user space share.
FUZZ_CFLAGS := -std=gnu17 -O1 -g -Wall -Wextra -Wno-unused-parameter -D_GNU_SOURCE -Iinclude \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=alignment
# (Headers of a packet are where they are: the kernel programs run where that is allowed.)
FUZZERS := $(addprefix build/fuzz/fuzz_,parse window rewrite)
FUZZ_OBJECTS := $(addprefix build/fuzz/,frame.o window_model.o)

TEST_PROGRAMS += $(FUZZERS) build/fuzz/make_seeds
TESTS += tests/fuzz/run

build/fuzz/%.o: tests/fuzz/%.c
	$(call say,FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

build/fuzz/%.o: tests/bpf/%.c
	$(call say,FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

build/fuzz/%.o: tests/model/%.c
	$(call say,FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(FUZZERS): %: %.o $(FUZZ_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^

build/fuzz/make_seeds: build/fuzz/make_seeds.o $(FUZZ_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -o $@ $^

# Session descriptions: the controller's own sources, instrumented.
FUZZ_SDP_OBJECTS := $(patsubst %.c,build/fuzz/%.o,$(wildcard controller/sdp/*.c) \
	$(addprefix controller/base/,buf.c error.c netaddr.c str.c))

TEST_PROGRAMS += build/fuzz/fuzz_sdp build/fuzz/sdp_seeds

build/fuzz/controller/%.o: controller/%.c
	$(call say,FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -Icontroller -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

build/fuzz/fuzz_sdp.o: FUZZ_CFLAGS += -Icontroller
build/fuzz/fuzz_sdp: build/fuzz/fuzz_sdp.o $(FUZZ_SDP_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^

build/fuzz/corpus.o build/fuzz/corpus_odd.o: build/fuzz/%.o: tests/sdp/%.c
	$(call say,FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

build/fuzz/sdp_seeds: $(addprefix build/fuzz/,sdp_seeds.o corpus.o corpus_odd.o)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -o $@ $^

# SIP messages and digests: likewise; libosip2 has no part in them.
FUZZ_SIP_OBJECTS := $(patsubst %.c,build/fuzz/%.o,$(wildcard controller/sip/*.c controller/base/*.c))
FUZZ_SIP := $(addprefix build/fuzz/fuzz_,sip digest)

TEST_PROGRAMS += $(FUZZ_SIP)

$(FUZZ_SIP:%=%.o): FUZZ_CFLAGS += -Icontroller
$(FUZZ_SIP): %: %.o $(FUZZ_SIP_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS_SIP)
