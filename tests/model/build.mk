# SPDX-License-Identifier: BSD-2-Clause
# The reference model, the trace generator, and segue/window.h in user space against them.
MODEL_OBJECTS := $(addprefix $(B)/tests/model/,model.o window_model.o generator.o flight.o oddity.o race.o)
MODEL_TESTS := test_model test_window test_window_race

TEST_PROGRAMS += $(MODEL_TESTS:%=$(B)/tests/model/%)
TESTS += $(MODEL_TESTS:%=build/tests/model/%) $(MODEL_TESTS:%=build/san/tests/model/%)

$(MODEL_TESTS:%=$(B)/tests/model/%): %: %.o $(MODEL_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lpthread
