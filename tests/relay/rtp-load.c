// SPDX-License-Identifier: BSD-2-Clause
/*
 * rtp-load STREAMS FROM TO SECONDS [PPS [TURNS]]: as many packets as the machine can (or PPS, if
 * not 0). Stream i goes from FROM's port + 2 i to TO's port + 2 i, has i in the low half of its
 * SSRC (each run is another source) and packets numbered in the RTP timestamp. The first TURNS
 * streams take turns by the clock (seen.h); for each burst of the others there is one for whose
 * turn it is. At the end: "sent N of each of" those without turns, and how many in turn.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <segue/relay.h>

#include "seen.h"

#define BURST 8u
#define SIZE 172u /* 20 ms of G.711 */

struct burst {
	uint8_t packet[BURST][SIZE];
	struct iovec iov[BURST];
	struct mmsghdr message[BURST];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in place(const struct sg_endpoint *endpoint, unsigned offset)
{
	struct sockaddr_in out = {.sin_family = AF_INET,
				  .sin_port = htons((uint16_t)(endpoint->port + offset))};

	memcpy(&out.sin_addr, endpoint->addr + 12, 4);
	return out;
}

static int open_stream(const struct sg_endpoint *from, const struct sg_endpoint *to, unsigned i)
{
	struct sockaddr_in local = place(from, 2 * i), remote = place(to, 2 * i);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof(local)) ||
	    connect(fd, (struct sockaddr *)&remote, sizeof(remote))) {
		perror("rtp-load: socket");
		exit(1);
	}
	return fd;
}

static void init(struct burst *burst)
{
	memset(burst, 0, sizeof(*burst));
	for (unsigned i = 0; i < BURST; i++) {
		burst->packet[i][0] = 0x80;
		burst->iov[i] = (struct iovec){burst->packet[i], SIZE};
		burst->message[i].msg_hdr.msg_iov = &burst->iov[i];
		burst->message[i].msg_hdr.msg_iovlen = 1;
	}
}

static void number(struct burst *burst, uint32_t ssrc, uint32_t first)
{
	for (unsigned i = 0; i < BURST; i++) {
		uint16_t sequence = htons((uint16_t)(first + i));
		uint32_t word[2] = {htonl(first + i), htonl(ssrc)};

		memcpy(burst->packet[i] + 2, &sequence, sizeof(sequence));
		memcpy(burst->packet[i] + 4, word, sizeof(word));
	}
}

/* A connected socket may be told of an ICMP error about an earlier packet: that is no failure. */
static void send_burst(int fd, struct burst *burst)
{
	for (unsigned sent = 0; sent < BURST;) {
		int n = sendmmsg(fd, burst->message + sent, BURST - sent, 0);

		if (n < 0 && errno != EINTR && errno != ECONNREFUSED) {
			perror("rtp-load: send");
			exit(1);
		}
		sent += n > 0 ? (unsigned)n : 0;
	}
}

static void wait_until(double when)
{
	double left = when - now();
	struct timespec pause = {.tv_nsec = (long)(left * 1e9)};

	if (left > 0 && left < 1)
		nanosleep(&pause, NULL);
}

struct load {
	unsigned streams, turns;
	double pps, seconds;
	int fd[SEEN_STREAMS];
	uint32_t sent[SEEN_STREAMS];
	uint64_t total;
	struct burst burst;
};

static void send_to(struct load *load, unsigned stream)
{
	if (load->sent[stream] + BURST > SEEN_PACKETS)
		return;
	number(&load->burst, (uint32_t)getpid() << 16 | stream, load->sent[stream]);
	send_burst(load->fd[stream], &load->burst);
	load->sent[stream] += BURST;
	load->total += BURST;
}

/* A round at a time, so that those without turns all get the same. */
static void run(struct load *load)
{
	double begin = now(), end = begin + load->seconds;

	while (now() < end && load->sent[load->streams - 1] + BURST <= SEEN_PACKETS) {
		for (unsigned i = load->turns; i < load->streams; i++) {
			if (load->turns)
				send_to(load, turn_of((uint64_t)(now() * 1e9), load->turns));
			send_to(load, i);
			if (load->pps > 0)
				wait_until(begin + (double)load->total / load->pps);
		}
	}
	load->seconds = now() - begin;
}

static void report(const struct load *load)
{
	uint64_t in_turn = 0;

	for (unsigned i = 0; i < load->turns; i++)
		in_turn += load->sent[i];
	printf("sent %u of each of %u in %.1f s: %.0f packets a second; in turn %llu\n",
	       load->sent[load->streams - 1], load->streams - load->turns, load->seconds,
	       (double)load->total / load->seconds, (unsigned long long)in_turn);
}

int main(int argc, char **argv)
{
	struct load *load = calloc(1, sizeof(*load));
	struct sg_endpoint from, to;

	if (!load || argc < 5 || sg_endpoint_parse(&from, argv[2], NULL) ||
	    sg_endpoint_parse(&to, argv[3], NULL)) {
		fputs("usage: rtp-load STREAMS FROM TO SECONDS [PPS [TURNS]]\n", stderr);
		return 2;
	}
	load->streams = (unsigned)atoi(argv[1]);
	load->seconds = atof(argv[4]);
	load->pps = argc > 5 ? atof(argv[5]) : 0;
	load->turns = argc > 6 ? (unsigned)atoi(argv[6]) : 0;
	if (load->streams > SEEN_STREAMS || load->turns >= load->streams)
		return 2;
	for (unsigned i = 0; i < load->streams; i++)
		load->fd[i] = open_stream(&from, &to, i);
	init(&load->burst);
	run(load);
	report(load);
	free(load);
	return 0;
}
