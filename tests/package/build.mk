# SPDX-License-Identifier: BSD-2-Clause
# What is installed, and segued as a service. clean.sh, with the package, is `make check-package`.
TEST_PROGRAMS += $(B)/tests/package/test_service
TESTS += build/tests/package/test_service build/san/tests/package/test_service
TESTS += tests/package/install.sh tests/package/privileges.sh tests/package/service.sh

# The kernel programs as another version would have them: other instructions, the same maps.
OTHER_VERSION := build/tests/package/other/segue.bpf.o build/tests/package/other/egress.bpf.o \
	build/tests/package/other/probe.bpf.o
TEST_PROGRAMS += $(OTHER_VERSION)
TESTS += tests/package/upgrade.sh

# What clean.sh takes into its Debian beside the package.
check-package: $(OTHER_VERSION) $(CROWD) $(ARRIVALS) $(PASS_OBJECT)

build/tests/package/other/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -Os -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(B)/tests/package/%.o: CFLAGS += -Icontroller
$(B)/tests/package/test_service: $(B)/tests/package/test_service.o $(B)/controller/ops/notify.o \
	$(patsubst %.c,$(B)/%.o,$(wildcard controller/base/*.c))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -levent_core
