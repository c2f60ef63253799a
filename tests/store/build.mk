# SPDX-License-Identifier: BSD-2-Clause
# The store: its queue, its thread, and SQLite behind it, with the faults that disks have.
STORE_OBJECTS := $(patsubst %.c,$(B)/%.o,$(wildcard controller/base/*.c controller/store/*.c))
STORE_TESTS := test_queue test_store test_cdr test_store_oom

TEST_PROGRAMS += $(STORE_TESTS:%=$(B)/tests/store/%)
TESTS += $(STORE_TESTS:%=build/tests/store/%) $(STORE_TESTS:%=build/san/tests/store/%)
BENCH_PROGRAMS += $(B)/tests/store/bench_store

$(B)/tests/store/%.o: CFLAGS += -Icontroller
$(B)/tests/store/test_store_oom: LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

$(STORE_TESTS:%=$(B)/tests/store/%) $(B)/tests/store/bench_store: %: %.o $(STORE_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lsqlite3 -levent_core -lpthread
