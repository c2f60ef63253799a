# SPDX-License-Identifier: BSD-2-Clause
# SPDX-License-Identifier: BSD-2-Clause
# The relay through its ends: sockets and captures in network namespaces, and its public API.
RELAY_TEST := $(B)/tests/relay
RELAY_TEST_PROGRAMS := $(addprefix $(RELAY_TEST)/,rtp-end map-sum tagged seen rtp-load route-changer churn embed)
RELAY_TEST_OBJECTS := build/tests/relay/seen.bpf.o
TEST_PROGRAMS += $(RELAY_TEST_PROGRAMS) $(RELAY_TEST_OBJECTS)
TESTS += $(addprefix tests/relay/,refuse.sh attach.sh families.sh vlan.sh icmp.sh update.sh follow.sh \
	churn.sh embed.sh scale.sh)

# The steps of a change before which churn can be told to die.
MORTAL_STEPS := sg_nexthop_get sg_nexthop_put sg_index_take_slot sg_stat_clear sg_path_install \
	sg_port_install sg_route_store sg_index_add_name sg_index_remove_name sg_path_rest_ports \
	sg_port_rest sg_stream_release sg_change_end
$(RELAY_TEST)/churn: $(RELAY_TEST)/mortal.o
$(RELAY_TEST)/churn: LDFLAGS += $(MORTAL_STEPS:%=-Wl,--wrap=%)

$(RELAY_TEST_PROGRAMS): $(RELAY_TEST)/%: $(RELAY_TEST)/%.o $(RELAY_LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS_RELAY)

build/tests/relay/%.bpf.o: tests/relay/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<
