# SPDX-License-Identifier: BSD-2-Clause
# The command line, without maps and with real ones in namespaces.
TESTS += tests/cli/usage.sh tests/cli/completion.sh tests/cli/maps.sh tests/cli/doctor.sh tests/cli/sanitized.sh

CLOCKSTATE := build/tests/cli/clockstate.so
TEST_PROGRAMS += $(CLOCKSTATE)
$(CLOCKSTATE): tests/cli/clockstate.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -fPIC -shared -o $@ $<
