// SPDX-License-Identifier: BSD-2-Clause
/*
 * forge OBJECT DEVICE COUNT FIRST MACS TARGET...: sends forged media through DEVICE, as fast as it
 * goes: COUNT packets from number FIRST on, no two alike, to each TARGET in turn. DEVICE has an XDP
 * program. Prints how many and in what time. MACS     of the router and our own, "02:...,02:..."
 *   TARGET   ADDRESS:PORT=PARTY:PORT/SSRC, what the party whose place is wanted would send to; with
 *            "r" before it: RTCP
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "forgery.h"

#define BATCH 64u
#define CHUNK 100000u /* of one call of the kernel, which lets others run between them */

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "forge: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int map_of(struct bpf_object *object, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	if (fd < 0)
		die(name);
	return fd;
}

static void read_macs(const char *text, uint8_t macs[12])
{
	for (unsigned i = 0; i < 12; i++) {
		char *end;

		macs[i] = (uint8_t)strtoul(text, &end, 16);
		text = *end ? end + 1 : end;
	}
}

static void read_target(const char *text, struct forgery_target *out)
{
	char own[INET_ADDRSTRLEN], party[INET_ADDRSTRLEN];
	unsigned port, party_port;
	uint32_t ssrc;

	out->rtcp = *text == 'r';
	if (sscanf(text + out->rtcp, "%15[0-9.]:%u=%15[0-9.]:%u/%" SCNu32, own, &port, party,
		   &party_port, &ssrc) != 5 ||
	    inet_pton(AF_INET, own, &out->address) != 1 ||
	    inet_pton(AF_INET, party, &out->party) != 1) {
		fprintf(stderr, "forge: '%s' is no target\n", text);
		exit(2);
	}
	out->port = htons((uint16_t)port);
	out->party_port = htons((uint16_t)party_port);
	out->ssrc = htonl(ssrc);
}

static void send_some(int program, uint32_t device, uint64_t count)
{
	uint8_t frame[FORGERY_FRAME] = {0};
	struct xdp_md context = {.data_end = sizeof(frame), .ingress_ifindex = device};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = (int)count,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

	if (bpf_prog_test_run_opts(program, &opts))
		die("BPF_PROG_TEST_RUN (live frames need Linux 5.18)");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void load_targets(struct bpf_object *object, int argc, char **argv, uint64_t first)
{
	struct forgery_state state = {.next = first, .targets = (uint64_t)argc - 6};
	uint32_t zero = 0;

	for (int i = 6; i < argc; i++) {
		struct forgery_target target = {0};
		uint32_t key = (uint32_t)i - 6;

		read_macs(argv[5], target.macs);
		read_target(argv[i], &target);
		if (bpf_map_update_elem(map_of(object, "targets"), &key, &target, 0))
			die("targets");
	}
	if (bpf_map_update_elem(map_of(object, "state"), &zero, &state, 0))
		die("state");
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 6 ? strtoull(argv[3], NULL, 10) : 0;
	uint32_t device = argc > 6 ? if_nametoindex(argv[2]) : 0;
	struct bpf_object *object;
	struct bpf_program *program;
	double start;

	if (!device || !count || argc > 6 + (int)FORGERY_TARGETS) {
		fputs("usage: forge OBJECT DEVICE COUNT FIRST MACS TARGET...\n", stderr);
		return 2;
	}
	object = bpf_object__open_file(argv[1], NULL);
	program = object ? bpf_object__find_program_by_name(object, "forge") : NULL;
	if (!program || bpf_object__load(object))
		die(argv[1]);
	load_targets(object, argc, argv, strtoull(argv[4], NULL, 10));
	start = seconds();
	for (uint64_t left = count; left;) {
		uint64_t some = left < CHUNK ? left : CHUNK;

		send_some(bpf_program__fd(program), device, some);
		left -= some;
	}
	printf("{\"sent\":%" PRIu64 ",\"seconds\":%.3f}\n", count, seconds() - start);
	bpf_object__close(object);
	return 0;
}
