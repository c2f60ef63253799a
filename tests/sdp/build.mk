# SPDX-License-Identifier: BSD-2-Clause
# Session descriptions (controller/sdp): a corpus, read by us and by sofia-sip's parser, edited and read
# again by both; offer and answer; memory that runs out at every allocation.
SDP_TESTS := $(sort $(patsubst tests/sdp/%.c,%,$(wildcard tests/sdp/test_*.c)))
SDP_TEST_OBJECTS := $(patsubst %.c,$(B)/%.o,$(wildcard controller/sdp/*.c) \
	$(addprefix controller/base/,buf.c error.c netaddr.c str.c) \
	$(addprefix tests/sdp/,corpus.c corpus_odd.c describe.c oracle.c))

TEST_PROGRAMS += $(SDP_TESTS:%=$(B)/tests/sdp/%)
TESTS += $(SDP_TESTS:%=build/tests/sdp/%) $(SDP_TESTS:%=build/san/tests/sdp/%)

$(B)/tests/sdp/%.o: CFLAGS += -Icontroller
$(B)/tests/sdp/oracle.o: CFLAGS += $(shell pkg-config --cflags sofia-sip-ua 2>/dev/null)
$(B)/tests/sdp/test_memory: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

$(SDP_TESTS:%=$(B)/tests/sdp/%): %: %.o $(SDP_TEST_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka
