# SPDX-License-Identifier: BSD-2-Clause
# The command line, without maps and with real ones in namespaces.
TESTS += tests/cli/usage.sh tests/cli/completion.sh tests/cli/maps.sh tests/cli/doctor.sh tests/cli/doctor_nic.sh tests/cli/sanitized.sh

PRETENDERS := build/tests/cli/clockstate.so build/tests/cli/machine.so
TEST_PROGRAMS += $(PRETENDERS)
$(PRETENDERS): build/tests/cli/%.so: tests/cli/%.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -fPIC -shared -o $@ $< -ldl
