// SPDX-License-Identifier: BSD-2-Clause
#include "subject.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <segue/relay.h>

#include "flow.h"
#include "net.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static struct sg_endpoint endpoint(uint32_t address, uint32_t port)
{
	struct sg_endpoint out = {.port = (uint16_t)port};

	out.addr[10] = out.addr[11] = 0xff;
	for (unsigned i = 0; i < 4; i++)
		out.addr[12 + i] = (uint8_t)(address >> (24 - 8 * i));
	return out;
}

static struct sg_path_spec path(uint32_t f, uint32_t own, uint32_t party)
{
	return (struct sg_path_spec){
		.local = endpoint(own + f / BENCH_STREAMS_PER_ADDRESS,
				  BENCH_RELAY_PORT + 2 * (f % BENCH_STREAMS_PER_ADDRESS)),
		.remote = endpoint(party + f, BENCH_PARTY_PORT),
	};
}

void subject_open(struct subject *subject, const struct lane *lane, const char *object_dir)
{
	struct sg_relay_options options = {
		.pin_dir = "/sys/fs/bpf/bench", .object_dir = object_dir, .flags = SG_OPEN_CREATE};
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct sg_error err;

	memset(subject, 0, sizeof(*subject));
	subject->lane = lane;
	netns_enter(lane->netns);
	if (sg_relay_open(&subject->relay, &options, &err))
		die("%s", err.text);
	if (sg_interface_attach(subject->relay, "in", SG_ATTACH_NATIVE, true, &err) ||
	    sg_interface_attach(subject->relay, "out", SG_ATTACH_NATIVE, true, &err))
		die("%s", err.text);
	netns_enter(here);
	close(here);
	subject->prog_fd = lane_get_in(lane);
	if (subject->prog_fd < 0)
		die("the relay attached no XDP program in native mode");
}

static void install_one(struct subject *subject, uint32_t f, unsigned copies)
{
	char name[SG_NAME_LEN];
	struct sg_stream_spec spec = {.name = name, .direction = SG_DIRECTION_BOTH};
	struct sg_path_spec second = path(f, 0x0a00020bu, 0x0a300000u);
	struct sg_error err;
	uint32_t stream;
	unsigned slot;

	snprintf(name, sizeof(name), "bench-%u", f);
	spec.side[SG_SIDE_A] = path(f, 0x0a000101u, 0x0a100000u);
	spec.side[SG_SIDE_B] = path(f, 0x0a000201u, 0x0a200000u);
	if (sg_stream_add(subject->relay, &spec, &stream, &err))
		die("stream %s: %s", name, err.text);
	if (copies == 2 && sg_path_add(subject->relay, stream, SG_SIDE_B, &second, 0, &slot, &err))
		die("second path of %s: %s", name, err.text);
}

static void count_memory(struct subject *subject)
{
	struct sg_map_info maps[32];
	int count = sg_map_list(subject->relay, maps, 32);

	subject->memory = 0;
	for (int i = 0; i < count && i < 32; i++)
		subject->memory += (double)maps[i].memory;
}

void subject_install(struct subject *subject, uint32_t base, uint32_t count, unsigned copies)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	uint64_t started = now_ns();

	netns_enter(subject->lane->netns);
	for (uint32_t f = base; f < base + count; f++)
		install_one(subject, f, copies);
	netns_enter(here);
	close(here);
	count_memory(subject);
	subject->add_us = (double)(now_ns() - started) / 1000.0 / count;
}

void subject_drops(struct subject *subject)
{
	uint64_t counts[SG_REASON_COUNT];

	if (sg_drop_read(subject->relay, counts))
		return;
	for (unsigned i = 0; i < SG_REASON_COUNT; i++)
		if (counts[i])
			printf("  not forwarded: %" PRIu64 " %s\n", counts[i],
			       sg_reason_name((enum sg_reason)i));
}

void subject_close(struct subject *subject)
{
	close(subject->prog_fd);
	sg_relay_close(subject->relay);
}
