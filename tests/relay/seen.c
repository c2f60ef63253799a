// SPDX-License-Identifier: BSD-2-Clause
/*
 * seen OBJECT DEVICE: runs seen.bpf.c there until SIGTERM, then says what came:
 *   tuples N mixed N unnoted N          a mixed tuple's fields are not of one class
 *   mixed ...                           each of them (the first 20)
 *   stream SSRC copy 0|1 packets N doubled N missing N     missing: below the highest number seen
 * Tests give every path a class, 0 to 3, and write it into each field: destination MAC, both
 * addresses and both ports are the class modulo 4. So a packet written from two paths shows.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "seen.h"

#define MIXED_SHOWN 20u
#define WORDS_OF_ONE (SEEN_PACKETS / 64)

static int map_of(struct bpf_object *object, const char *name)
{
	return bpf_object__find_map_fd_by_name(object, name);
}

static int is_mixed(const struct seen_tuple *t)
{
	unsigned class = t->mac[5] & 3u;

	return (ntohs(t->from_port) & 3u) != class || (ntohs(t->to_port) & 3u) != class ||
	       (ntohl(t->from) & 3u) != class || (ntohl(t->to) & 3u) != class;
}

static void print_tuple(const struct seen_tuple *t, uint64_t count)
{
	char from[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &t->from, from, sizeof(from));
	inet_ntop(AF_INET, &t->to, to, sizeof(to));
	printf("mixed %02x:%02x:%02x:%02x:%02x:%02x %s:%u > %s:%u packets %llu\n", t->mac[0],
	       t->mac[1], t->mac[2], t->mac[3], t->mac[4], t->mac[5], from, ntohs(t->from_port), to,
	       ntohs(t->to_port), (unsigned long long)count);
}

static void report_tuples(struct bpf_object *object)
{
	int fd = map_of(object, "tuples");
	struct seen_tuple key, *last = NULL;
	unsigned tuples = 0, mixed = 0;
	uint64_t count = 0;
	uint32_t zero = 0;

	for (; bpf_map_get_next_key(fd, last, &key) == 0; last = &key) {
		tuples++;
		if (!is_mixed(&key))
			continue;
		bpf_map_lookup_elem(fd, &key, &count);
		if (mixed++ < MIXED_SHOWN)
			print_tuple(&key, count);
	}
	count = 0;
	bpf_map_lookup_elem(map_of(object, "unnoted"), &zero, &count);
	printf("tuples %u mixed %u unnoted %llu\n", tuples, mixed, (unsigned long long)count);
}

static uint32_t missing(int fd, uint32_t index)
{
	uint32_t highest = 0, present = 0;

	for (uint32_t i = 0; i < WORDS_OF_ONE; i++) {
		uint32_t key = index * WORDS_OF_ONE + i;
		uint64_t word = 0;

		if (bpf_map_lookup_elem(fd, &key, &word) || !word)
			continue;
		present += (uint32_t)__builtin_popcountll(word);
		highest = i * 64 + 64 - (uint32_t)__builtin_clzll(word);
	}
	return highest - present;
}

static void report_streams(struct bpf_object *object)
{
	int counts = map_of(object, "counts"), words = map_of(object, "words");

	for (uint32_t i = 0; i < SEEN_STREAMS * SEEN_COPIES; i++) {
		struct seen_count count = {0};

		if (bpf_map_lookup_elem(counts, &i, &count) || !count.packets)
			continue;
		printf("stream %u copy %u packets %llu doubled %llu missing %u\n", i / SEEN_COPIES,
		       i % SEEN_COPIES, (unsigned long long)count.packets,
		       (unsigned long long)count.doubled, missing(words, i));
	}
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *program;
	sigset_t signals;
	int device, signal;

	if (argc != 3 || !(device = (int)if_nametoindex(argv[2]))) {
		fputs("usage: seen OBJECT DEVICE\n", stderr);
		return 2;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	object = bpf_object__open_file(argv[1], NULL);
	program = object ? bpf_object__find_program_by_name(object, "seen") : NULL;
	if (!program || bpf_object__load(object) ||
	    bpf_xdp_attach(device, bpf_program__fd(program), XDP_FLAGS_DRV_MODE, NULL)) {
		perror("seen: cannot attach");
		return 1;
	}
	puts("listening");
	fflush(stdout);
	sigwait(&signals, &signal);
	bpf_xdp_detach(device, XDP_FLAGS_DRV_MODE, NULL);
	report_tuples(object);
	report_streams(object);
	puts("end");
	bpf_object__close(object);
	return 0;
}
