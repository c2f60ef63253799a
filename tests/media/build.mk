# SPDX-License-Identifier: BSD-2-Clause
# controller/call/media.h: its parts without a kernel (test_*), and all of it in namespaces, driven
# by media-drive.
MEDIA_TEST := $(B)/tests/media
MEDIA_ROOM := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard controller/base/*.c controller/call/media*.c \
	controller/call/portpool.c controller/call/quality.c)))
MEDIA_UNIT_TESTS := $(sort $(patsubst %.c,%,$(wildcard tests/media/test_*.c)))
MEDIA_PROGRAMS := $(MEDIA_TEST)/media-drive $(MEDIA_TEST)/media-memory

TEST_PROGRAMS += $(MEDIA_UNIT_TESTS:%=$(B)/%) $(MEDIA_PROGRAMS)
BENCH_PROGRAMS += $(MEDIA_TEST)/bench_media
TESTS += $(MEDIA_UNIT_TESTS:%=build/%) $(MEDIA_UNIT_TESTS:%=build/san/%) tests/media/media.sh \
	tests/media/sanitized.sh tests/media/memory.sh

$(MEDIA_TEST)/%.o: CFLAGS += -Icontroller

$(MEDIA_TEST)/media-memory: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
$(MEDIA_TEST)/media-memory: LDLIBS_RELAY += -lcmocka
$(MEDIA_PROGRAMS) $(MEDIA_TEST)/bench_media: $(MEDIA_TEST)/%: $(MEDIA_TEST)/%.o $(MEDIA_ROOM) $(RELAY_LIB) $(SIP_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS_RELAY) $(LDLIBS_SIP)

$(B)/tests/media/test_portpool: $(B)/controller/call/portpool.o
$(B)/tests/media/test_quality: $(B)/controller/call/quality.o
# With a relay and a clock of the test's own.
$(B)/tests/media/test_media_op: $(B)/controller/call/media_op.o $(B)/controller/call/media_stream.o \
	$(patsubst %,$(B)/controller/base/%.o,error journal log str)
$(MEDIA_UNIT_TESTS:%=$(B)/%): %: %.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -levent_core -lm
