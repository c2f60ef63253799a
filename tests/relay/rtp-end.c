// SPDX-License-Identifier: BSD-2-Clause
/*
 * rtp-end: one end of a stream, by ordinary sockets, so that the receiving kernel judges what
 * arrives.
 *   rtp-end send LOCAL REMOTE [count N] [gap US] [size BYTES] [ssrc N] [seq N] [ttl N] [tos N]
 *                [nocheck] [df]       payload: RTP, then bytes that its sequence number decides
 *                [udptl]              ... begins as UDPTL does, and not as RTP
 *   rtp-end recv ENDPOINT...          until SIGTERM; then for each endpoint what was received
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <segue/relay.h>

#define RTP_HEADER 12
#define RTP_FIRST 0x80
#define UDPTL_FIRST 0x00 /* of a number of 16 bits (T.38 9.1) */
#define PACKET_MAX 9000
#define ENDS_MAX 16
#define LINGER_MS 60

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static void fail(const char *what, const char *which)
{
	fprintf(stderr, "rtp-end: %s %s: %s\n", what, which, strerror(errno));
	exit(1);
}

static socklen_t parse(const char *text, union address *out)
{
	struct sg_endpoint endpoint;
	struct sg_error err;

	memset(out, 0, sizeof(*out));
	if (sg_endpoint_parse(&endpoint, text, &err)) {
		fprintf(stderr, "rtp-end: %s\n", err.text);
		exit(2);
	}
	if (sg_address_is_ipv4(endpoint.addr)) {
		out->in.sin_family = AF_INET;
		out->in.sin_port = htons(endpoint.port);
		memcpy(&out->in.sin_addr, endpoint.addr + 12, 4);
		return sizeof(out->in);
	}
	out->in6.sin6_family = AF_INET6;
	out->in6.sin6_port = htons(endpoint.port);
	memcpy(&out->in6.sin6_addr, endpoint.addr, 16);
	return sizeof(out->in6);
}

static void format(const union address *from, char out[SG_ENDPOINT_STRLEN])
{
	struct sg_endpoint endpoint = {.addr = {[10] = 0xff, [11] = 0xff}};

	if (from->sa.sa_family == AF_INET) {
		memcpy(endpoint.addr + 12, &from->in.sin_addr, 4);
		endpoint.port = ntohs(from->in.sin_port);
	} else {
		memcpy(endpoint.addr, &from->in6.sin6_addr, 16);
		endpoint.port = ntohs(from->in6.sin6_port);
	}
	sg_endpoint_format(&endpoint, out);
}

static int open_at(const char *text, int *family)
{
	union address local;
	socklen_t length = parse(text, &local);
	int fd = socket(local.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*family = local.sa.sa_family;
	if (fd < 0 || bind(fd, &local.sa, length))
		fail("bind", text);
	return fd;
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffffu);
}

static uint8_t pattern(unsigned sequence, size_t at)
{
	return (uint8_t)(sequence * 7u + at * 13u);
}

static void build(uint8_t *packet, size_t size, unsigned sequence, uint32_t ssrc)
{
	packet[0] = RTP_FIRST;
	packet[1] = 0;
	put16(packet + 2, sequence);
	put32(packet + 4, sequence * 160u);
	put32(packet + 8, ssrc);
	for (size_t i = RTP_HEADER; i < size; i++)
		packet[i] = pattern(sequence, i);
}

static bool intact(const uint8_t *packet, size_t size)
{
	unsigned sequence;

	if (size < RTP_HEADER)
		return false;
	sequence = (unsigned)packet[2] << 8 | packet[3];
	for (size_t i = RTP_HEADER; i < size; i++)
		if (packet[i] != pattern(sequence, i))
			return false;
	return packet[0] == RTP_FIRST || packet[0] == UDPTL_FIRST;
}

/* ---- send ------------------------------------------------------------------------------------ */

struct sending {
	unsigned long count, gap, size, ssrc, seq, ttl, tos;
	bool nocheck, df, udptl;
};

static void read_options(struct sending *s, int argc, char **argv)
{
	struct {
		const char *name;
		unsigned long *value;
	} number[] = {{"count", &s->count}, {"gap", &s->gap}, {"size", &s->size},
		      {"ssrc", &s->ssrc},   {"seq", &s->seq}, {"ttl", &s->ttl},
		      {"tos", &s->tos}};

	for (int i = 0; i < argc; i++) {
		bool known = true;

		if (!strcmp(argv[i], "nocheck")) {
			s->nocheck = true;
			continue;
		}
		if (!strcmp(argv[i], "udptl")) {
			s->udptl = true;
			continue;
		}
		if (!strcmp(argv[i], "df")) {
			s->df = true;
			continue;
		}
		known = false;
		for (size_t k = 0; k < sizeof(number) / sizeof(*number) && i + 1 < argc; k++) {
			if (!strcmp(argv[i], number[k].name)) {
				*number[k].value = strtoul(argv[i + 1], NULL, 0);
				known = true;
			}
		}
		if (!known) {
			fprintf(stderr, "rtp-end: option '%s'\n", argv[i]);
			exit(2);
		}
		i++;
	}
}

static void set(int fd, int level, int name, unsigned long value)
{
	int number = (int)value;

	if (setsockopt(fd, level, name, &number, sizeof(number)))
		fail("setsockopt", "");
}

static void set_headers(int fd, int family, const struct sending *s)
{
	bool v4 = family == AF_INET;

	if (s->ttl)
		set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_UNICAST_HOPS, s->ttl);
	if (s->tos)
		set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, s->tos);
	if (s->nocheck)
		set(fd, SOL_SOCKET, SO_NO_CHECK, 1);
	if (s->df)
		set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
		    v4 ? IP_PMTUDISC_DO : IPV6_PMTUDISC_DO);
}

/* A packet that the kernel refuses as too big for a path that it knows is said, not sent. */
static int send_all(int argc, char **argv)
{
	struct sending s = {.count = 1, .gap = 500, .size = 172, .ssrc = 77, .seq = 1};
	struct timespec pause = {0};
	uint8_t packet[PACKET_MAX];
	union address remote;
	socklen_t length;
	unsigned long refused = 0;
	int family, fd;

	if (argc < 2)
		return 2;
	fd = open_at(argv[0], &family);
	length = parse(argv[1], &remote);
	read_options(&s, argc - 2, argv + 2);
	set_headers(fd, family, &s);
	pause.tv_nsec = (long)s.gap * 1000;
	for (unsigned long i = 0; i < s.count && s.size <= sizeof(packet); i++) {
		build(packet, s.size, (unsigned)(s.seq + i) & 0xffffu, (uint32_t)s.ssrc);
		if (s.udptl)
			packet[0] = UDPTL_FIRST;
		if (sendto(fd, packet, s.size, 0, &remote.sa, length) < 0) {
			if (errno != EMSGSIZE)
				fail("send to", argv[1]);
			refused++;
		}
		nanosleep(&pause, NULL);
	}
	if (refused)
		printf("%lu too big\n", refused);
	return 0;
}

/* ---- recv ------------------------------------------------------------------------------------ */

struct end {
	const char *name;
	unsigned long packets, damaged, doubled;
	int ttl_min, ttl_max, tos_min, tos_max;
	char from[SG_ENDPOINT_STRLEN];
	bool several; /* sources */
	uint8_t seen[65536 / 8];
};

static void note(int value, unsigned long packets, int *min, int *max)
{
	if (packets == 1 || value < *min)
		*min = value;
	if (packets == 1 || value > *max)
		*max = value;
}

static void count(struct end *end, const uint8_t *packet, size_t size, const struct msghdr *message)
{
	unsigned sequence = (unsigned)packet[2] << 8 | packet[3];
	char from[SG_ENDPOINT_STRLEN];
	int value;

	end->packets++;
	end->damaged += !intact(packet, size);
	end->doubled += end->seen[sequence / 8] >> sequence % 8 & 1;
	end->seen[sequence / 8] |= (uint8_t)(1u << sequence % 8);
	format(message->msg_name, from);
	end->several |= end->packets > 1 && strcmp(from, end->from) != 0;
	memcpy(end->from, from, sizeof(from));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR((void *)message, c)) {
		bool v4 = c->cmsg_level == IPPROTO_IP;

		value = 0;
		memcpy(&value, CMSG_DATA(c), v4 && c->cmsg_type == IP_TOS ? 1 : sizeof(value));
		if (c->cmsg_type == (v4 ? IP_TTL : IPV6_HOPLIMIT))
			note(value, end->packets, &end->ttl_min, &end->ttl_max);
		else if (c->cmsg_type == (v4 ? IP_TOS : IPV6_TCLASS))
			note(value, end->packets, &end->tos_min, &end->tos_max);
	}
}

static void receive(int fd, struct end *end)
{
	char control[256];
	uint8_t packet[PACKET_MAX];
	union address from;
	struct iovec iov = {packet, sizeof(packet)};
	struct msghdr message = {.msg_name = &from,
				 .msg_namelen = sizeof(from),
				 .msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT);

	if (size >= 4)
		count(end, packet, (size_t)size, &message);
}

static void report(const struct end *end)
{
	printf("%s packets %lu damaged %lu doubled %lu ttl %d-%d tos %d-%d from %s\n", end->name,
	       end->packets, end->damaged, end->doubled, end->ttl_min, end->ttl_max, end->tos_min,
	       end->tos_max,
	       end->several   ? "several"
	       : end->packets ? end->from
			      : "nobody");
}

static int open_receiver(const char *text)
{
	int family;
	int fd = open_at(text, &family);
	bool v4 = family == AF_INET;

	set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, 1);
	set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVTOS : IPV6_RECVTCLASS, 1);
	set(fd, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20);
	return fd;
}

static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Until the signal, and then what still comes, without a pause of LINGER_MS. */
static void collect(struct pollfd *poll_on, int count_of, struct end *end)
{
	bool stop = false;

	while (poll(poll_on, (nfds_t)count_of + !stop, stop ? LINGER_MS : -1) > 0) {
		stop |= poll_on[count_of].revents & POLLIN;
		for (int i = 0; i < count_of; i++) {
			if (poll_on[i].revents & POLLIN)
				receive(poll_on[i].fd, &end[i]);
		}
	}
}

static int receive_all(int argc, char **argv)
{
	struct end *end = calloc(ENDS_MAX, sizeof(*end));
	struct pollfd poll_on[ENDS_MAX + 1];

	if (argc < 1 || argc > ENDS_MAX || !end)
		return 2;
	for (int i = 0; i < argc; i++) {
		end[i].name = argv[i];
		poll_on[i] = (struct pollfd){.fd = open_receiver(argv[i]), .events = POLLIN};
	}
	poll_on[argc] = (struct pollfd){.fd = open_signals(), .events = POLLIN};
	puts("listening");
	fflush(stdout);
	collect(poll_on, argc, end);
	for (int i = 0; i < argc; i++)
		report(&end[i]);
	puts("end");
	free(end);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "send"))
		return send_all(argc - 2, argv + 2);
	if (argc > 2 && !strcmp(argv[1], "recv"))
		return receive_all(argc - 2, argv + 2);
	fputs("usage: rtp-end send LOCAL REMOTE [OPTION...] | rtp-end recv ENDPOINT...\n", stderr);
	return 2;
}
