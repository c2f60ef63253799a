// SPDX-License-Identifier: BSD-2-Clause
/*
 * mmsg_relay COUNT: the best that one thread with sockets does. It relays the first COUNT flows of
 * the bench's address plan in both directions, a connected socket for each side of each flow (so
 * that the kernel admits the party only), and prints "ready" when all of them are open.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow.h"

#define BATCH 64u
#define PACKET 2048u

struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	char bytes[BATCH][PACKET];
};

static int fail(const char *what)
{
	fprintf(stderr, "mmsg_relay: %s: %s\n", what, strerror(errno));
	return -1;
}

static struct sockaddr_in at(uint32_t address, uint32_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(address),
				    .sin_port = htons((uint16_t)port)};
}

static int open_socket(uint32_t own, uint32_t own_port, uint32_t party)
{
	struct sockaddr_in local = at(own, own_port), remote = at(party, BENCH_PARTY_PORT);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail("socket");
	if (bind(fd, (struct sockaddr *)&local, sizeof(local)))
		return fail("bind");
	if (connect(fd, (struct sockaddr *)&remote, sizeof(remote)))
		return fail("connect");
	return fd;
}

/* Packets that arrive on `from` leave by `to`. */
static int watch(int epoll, int from, int to)
{
	struct epoll_event event = {.events = EPOLLIN,
				    .data.u64 = (uint64_t)(uint32_t)from << 32 | (uint32_t)to};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, from, &event) ? fail("epoll_ctl") : 0;
}

static int open_flow(int epoll, uint32_t f)
{
	uint32_t port = BENCH_RELAY_PORT + 2 * (f % BENCH_STREAMS_PER_ADDRESS);
	uint32_t slot = f / BENCH_STREAMS_PER_ADDRESS;
	int a = open_socket(0x0a000101u + slot, port, 0x0a100000u + f);
	int b = open_socket(0x0a000201u + slot, port, 0x0a200000u + f);

	if (a < 0 || b < 0)
		return -1;
	return watch(epoll, a, b) || watch(epoll, b, a) ? -1 : 0;
}

/* A packet that cannot be sent is lost, as anywhere. */
static void relay(struct batch *batch, int from, int to)
{
	int n = recvmmsg(from, batch->messages, BATCH, MSG_DONTWAIT, NULL);

	if (n <= 0)
		return;
	for (int i = 0; i < n; i++)
		batch->vectors[i].iov_len = batch->messages[i].msg_len;
	sendmmsg(to, batch->messages, (unsigned)n, MSG_DONTWAIT);
	for (int i = 0; i < n; i++)
		batch->vectors[i].iov_len = PACKET;
}

static struct batch *batch_alloc(void)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	for (unsigned i = 0; batch && i < BATCH; i++) {
		batch->vectors[i] = (struct iovec){batch->bytes[i], PACKET};
		batch->messages[i].msg_hdr.msg_iov = &batch->vectors[i];
		batch->messages[i].msg_hdr.msg_iovlen = 1;
	}
	return batch;
}

int main(int argc, char **argv)
{
	uint32_t count = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	struct batch *batch = batch_alloc();
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[BATCH];

	if (!count || !batch || epoll < 0) {
		fprintf(stderr, "usage: mmsg_relay COUNT\n");
		return 2;
	}
	for (uint32_t f = 0; f < count; f++)
		if (open_flow(epoll, f))
			return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(epoll, events, BATCH, -1);

		for (int i = 0; i < n; i++)
			relay(batch, (int)(events[i].data.u64 >> 32),
			      (int)(events[i].data.u64 & 0xffffffffu));
	}
}
