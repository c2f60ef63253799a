# SPDX-License-Identifier: BSD-2-Clause
# BPF_PROG_TEST_RUN tests of the kernel programs. They need root.
# (tests/model/build.mk is read later, so its MODEL_OBJECTS are not known here yet.)
BPF_RIG_OBJECTS := $(addprefix $(B)/tests/bpf/,frame.o kernel.o rig.o rig_packet.o copies.o window_program.o) \
	$(addprefix $(B)/tests/model/,model.o window_model.o generator.o flight.o oddity.o race.o)
BPF_TESTS := test_frame test_admit test_once test_rewrite test_send test_icmp \
	test_counters test_event test_agree test_opaque test_window_kernel test_guard test_spoof test_capture test_complexity

TEST_PROGRAMS += $(BPF_TESTS:%=$(B)/tests/bpf/%)
TESTS += $(BPF_TESTS:%=build/tests/bpf/%)

$(BPF_TESTS:%=$(B)/tests/bpf/%): %: %.o $(BPF_RIG_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lbpf -lelf -lz -lpthread
