// SPDX-License-Identifier: BSD-2-Clause
#include "lane.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "flow.h"
#include "net.h"
#include "object.h"

void ends_open(struct ends *ends, const char *object_dir)
{
	ends->object = object_load(object_dir, "lane.bpf.o");
	ends->received_fd = object_map(ends->object, "received");
	ends->out_fd = object_map(ends->object, "out");
	ends->delay = object_memory(ends->object, "delay", BENCH_BINS * sizeof(uint64_t));
}

int ends_program(const struct ends *ends, const char *name)
{
	return object_program(ends->object, name);
}

uint64_t ends_received(const struct ends *ends)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc((size_t)cpus, sizeof(*values));
	uint64_t total = 0;
	uint32_t zero = 0;

	if (!values || bpf_map_lookup_elem(ends->received_fd, &zero, values))
		die("the sinks' counter cannot be read: %s", strerror(errno));
	for (int i = 0; i < cpus; i++)
		total += values[i];
	free(values);
	return total;
}

static uint32_t ifindex_in(int netns, const struct ends *ends, const char *name)
{
	uint32_t ifindex;

	netns_enter(netns);
	ifindex = if_nametoindex(name);
	netns_enter(ends->outer);
	if (!ifindex)
		die("no interface %s", name);
	return ifindex;
}

void lane_make(struct lane *lane, const struct ends *ends, const char *name)
{
	char g[16], s[16];

	snprintf(lane->name, sizeof(lane->name), "%s", name);
	snprintf(g, sizeof(g), "g%s", lane->name);
	snprintf(s, sizeof(s), "s%s", lane->name);
	lane->netns = netns_new();
	netns_shell(ends->outer,
		    "ip link add %s address 02:5e:00:00:01:fe type veth peer name in "
		    "address 02:5e:00:00:01:01 netns /proc/%d/fd/%d\n"
		    "ip link add %s address 02:5e:00:00:02:fe type veth peer name out "
		    "address 02:5e:00:00:02:01 netns /proc/%d/fd/%d\n"
		    "ip link set %s up; ip link set %s up\n"
		    "ethtool -K %s tx off >/dev/null; ethtool -K %s tx off >/dev/null",
		    g, (int)getpid(), lane->netns, s, (int)getpid(), lane->netns, g, s, g, s);
	netns_shell(lane->netns,
		    "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0\n"
		    "ip link set in up; ip link set out up\n"
		    "ethtool -K in tx off >/dev/null; ethtool -K out tx off >/dev/null\n"
		    "for i in 1 2 3 4 5 6; do ip addr add 10.0.1.$i/24 dev in; "
		    "ip addr add 10.0.2.$i/24 dev out; ip addr add 10.0.2.1$i/24 dev out; done\n"
		    "ip neigh replace 10.0.1.254 lladdr 02:5e:00:00:01:fe dev in nud permanent\n"
		    "ip neigh replace 10.0.2.254 lladdr 02:5e:00:00:02:fe dev out nud permanent\n"
		    "ip route add 10.16.0.0/12 via 10.0.1.254\n"
		    "ip route add 10.32.0.0/11 via 10.0.2.254");
	lane->generator_ifindex = ifindex_in(ends->outer, ends, g);
	lane->sink_ifindex = ifindex_in(ends->outer, ends, s);
	lane->in_ifindex = ifindex_in(lane->netns, ends, "in");
	lane->out_ifindex = ifindex_in(lane->netns, ends, "out");
	netns_enter(ends->outer);
}

static void set_xdp(uint32_t ifindex, int prog_fd)
{
	int status = prog_fd < 0 ? bpf_xdp_detach((int)ifindex, XDP_FLAGS_DRV_MODE, NULL)
				 : bpf_xdp_attach((int)ifindex, prog_fd, XDP_FLAGS_DRV_MODE, NULL);

	if (status)
		die("XDP program on interface %u: %s", ifindex, strerror(-status));
}

/* Runs in the lane's namespace and returns to where the process was. */
static int leave_to(const struct lane *lane)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	netns_enter(lane->netns);
	return here;
}

static void come_back(int here)
{
	netns_enter(here);
	close(here);
}

void lane_set_in(const struct lane *lane, int prog_fd)
{
	int here = leave_to(lane);

	set_xdp(lane->in_ifindex, prog_fd);
	come_back(here);
}

int lane_get_in(const struct lane *lane)
{
	int here = leave_to(lane);
	__u32 id = 0;
	int fd = -1;

	if (!bpf_xdp_query_id((int)lane->in_ifindex, XDP_FLAGS_DRV_MODE, &id) && id)
		fd = bpf_prog_get_fd_by_id(id);
	come_back(here);
	return fd;
}

void lane_set_sink(const struct lane *lane, const struct ends *ends)
{
	set_xdp(lane->sink_ifindex, ends_program(ends, "sink"));
}

static void set_tc_ingress(uint32_t ifindex, int prog_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .handle = 1, .priority = 1,
		    .flags = BPF_TC_F_REPLACE);
	int status = bpf_tc_hook_create(&hook);

	if (!status || status == -EEXIST)
		status = bpf_tc_attach(&hook, &opts);
	if (status)
		die("tc program on interface %u: %s", ifindex, strerror(-status));
}

void lane_set_sink_tc(const struct lane *lane, const struct ends *ends)
{
	set_tc_ingress(lane->sink_ifindex, ends_program(ends, "sink_tc"));
}

void lane_set_in_tc(const struct lane *lane, int prog_fd)
{
	int here = leave_to(lane);

	set_tc_ingress(lane->in_ifindex, prog_fd);
	come_back(here);
}

void lane_set_redirect(const struct lane *lane, const struct ends *ends)
{
	int here = leave_to(lane);
	uint32_t zero = 0;

	/* A devmap takes ifindexes of the namespace that the caller is in. */
	if (bpf_map_update_elem(ends->out_fd, &zero, &lane->out_ifindex, 0))
		die("devmap: %s", strerror(errno));
	come_back(here);
}
