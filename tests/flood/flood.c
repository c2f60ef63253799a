// SPDX-License-Identifier: BSD-2-Clause
/*
 * flood: sends what a scanner, a flooder or a lazy client sends, at a pace and in a number that are
 * given, and says as JSON what went out and what came back.
 *
 * flood --to ADDRESS:PORT [--from ADDRESS] --send KIND [--count N] [--rate PER_SECOND] [...]
 *   KIND: register, invite, options, password (REGISTER with wrong credentials), shortest
 * (REGISTER), garbage, rtp
 *   --last-port N   rtp: to all ports from that of --to up to this one, in turn
 *   --forge N       from N addresses of 172.16.0.0/12 in turn, which are nobody's (raw socket); to
 * an IPv6 address: from N addresses of the /64 of --from
 *   --tcp           over a connection
 *   --agent TEXT    User-Agent
 *   --linger MS     how long to wait for further answers
 * ADDRESS:PORT of IPv6 is [ADDRESS]:PORT.
 * flood --to ADDRESS:PORT [--from ADDRESS] --hold CONNECTIONS --seconds N [--hello]
 *   connections that send a part of a message (--hello: of a TLS handshake) and then nothing
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINGER_MS 400 /* for the last answers, unless told otherwise */
#define MESSAGE_MAX 2048
#define FORGED_BASE 0xac100001u /* 172.16.0.1 */

enum kind {
	KIND_REGISTER,
	KIND_INVITE,
	KIND_OPTIONS,
	KIND_PASSWORD,
	KIND_SHORTEST,
	KIND_GARBAGE,
	KIND_RTP
};
static const char *const kinds[] = {"register", "invite",  "options", "password",
				    "shortest", "garbage", "rtp"};

/* The port is at the same place in both kinds: `v4.sin_port` is that of either. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct flood {
	union address to, from;
	enum kind kind;
	uint64_t count, rate;
	unsigned seconds, hold, forge, last_port, linger_ms;
	bool tcp, hello;
	const char *agent;
	int fd;
	uint64_t sent, sent_bytes, failed, answers, answer_bytes, provisional;
	unsigned last_status;
};

static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool is_v6(const union address *address)
{
	return address->any.sa_family == AF_INET6;
}

static socklen_t address_size(const union address *address)
{
	return is_v6(address) ? sizeof(address->v6) : sizeof(address->v4);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* ---- what is sent ---------------------------------------------------------------------------- */

/* As SIP writes it: IPv6 in brackets. */
static void write_own(const struct flood *flood, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (is_v6(&flood->from))
		inet_ntop(AF_INET6, &flood->from.v6.sin6_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET, &flood->from.v4.sin_addr, text, sizeof(text));
	snprintf(out, size, is_v6(&flood->from) ? "[%s]" : "%s", text);
}

static size_t write_request(const struct flood *flood, const char *method, uint64_t number,
			    char *out)
{
	static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 10.0.1.66\r\ns=-\r\nc=IN IP4 10.0.1.66\r\n"
				  "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
	static const char wrong[] =
		"Authorization: Digest username=\"alice\",realm=\"example.net\",nonce=\"0123\","
		"uri=\"sip:example.net\",response=\"0123456789abcdef0123456789abcdef\","
		"algorithm=MD5,qop=auth,nc=00000001,cnonce=\"x\"\r\n";
	const char *transport = flood->tcp ? "TCP" : "UDP";
	bool invite = flood->kind == KIND_INVITE;
	unsigned port = ntohs(flood->from.v4.sin_port);
	char own[INET6_ADDRSTRLEN + 2];

	write_own(flood, own, sizeof(own));
	return (size_t)snprintf(
		out, MESSAGE_MAX,
		"%s sip:%sexample.net SIP/2.0\r\n"
		"Via: SIP/2.0/%s %s:%u;branch=z9hG4bK%" PRIx64 "-%d;rport\r\nMax-Forwards: 70\r\n"
		"From: <sip:u%" PRIu64 "@example.net>;tag=%" PRIx64 "\r\nTo: <sip:u%" PRIu64
		"@example.net>\r\n"
		"Call-ID: %" PRIx64 "-%d@%s\r\nCSeq: 1 %s\r\nContact: <sip:u@%s:%u>\r\n"
		"User-Agent: %s\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		method, invite ? "alice@" : "", transport, own, port, number, (int)getpid(),
		number % 1000, number, number % 1000, number, (int)getpid(), own, method, own, port,
		flood->agent, flood->kind == KIND_PASSWORD ? wrong : "",
		invite ? "Content-Type: application/sdp\r\n" : "", invite ? sizeof(sdp) - 1 : 0,
		invite ? sdp : "");
}

/* Compact names, and no more than must be there (RFC 3261 8.1.1). */
static size_t write_shortest(uint64_t number, char *out)
{
	return (size_t)snprintf(
		out, MESSAGE_MAX,
		"REGISTER sip:example.net SIP/2.0\r\nv:SIP/2.0/UDP a;rport;branch=z9hG4bK%" PRIx64
		"\r\nf:<sip:a@a>;tag=1\r\nt:<sip:a@example.net>\r\ni:%" PRIx64
		"\r\nCSeq:1 REGISTER\r\nMax-Forwards:9\r\n\r\n",
		number, number);
}

static size_t write_garbage(uint64_t number, char *out)
{
	return (size_t)snprintf(out, MESSAGE_MAX, "GET /%" PRIu64 " HTTP/1.1\r\nHost: x\r\n\r\n",
				number);
}

static size_t write_rtp(uint64_t number, char *out)
{
	uint16_t sequence = htons((uint16_t)number);
	uint32_t ssrc = (uint32_t)(number * 2654435761u);

	memset(out, 0x55, 172);
	out[0] = (char)0x80;
	out[1] = 0;
	memcpy(out + 2, &sequence, 2);
	memcpy(out + 8, &ssrc, 4);
	return 172;
}

static size_t write_message(const struct flood *flood, uint64_t number, char *out)
{
	switch (flood->kind) {
	case KIND_INVITE:
		return write_request(flood, "INVITE", number, out);
	case KIND_OPTIONS:
		return write_request(flood, "OPTIONS", number, out);
	case KIND_SHORTEST:
		return write_shortest(number, out);
	case KIND_GARBAGE:
		return write_garbage(number, out);
	case KIND_RTP:
		return write_rtp(number, out);
	default:
		return write_request(flood, "REGISTER", number, out);
	}
}

/* ---- sending --------------------------------------------------------------------------------- */

static union address target(const struct flood *flood, uint64_t number)
{
	union address to = flood->to;
	unsigned first = ntohs(to.v4.sin_port);

	if (flood->last_port)
		to.v4.sin_port = htons((uint16_t)(first + number % (flood->last_port - first + 1)));
	return to;
}

static struct udphdr udp_header(uint64_t number, const union address *to, size_t length)
{
	return (struct udphdr){.source = htons((uint16_t)(1024 + number % 60000)),
			       .dest = to->v4.sin_port,
			       .len = htons((uint16_t)(sizeof(struct udphdr) + length))};
}

/* UDP checksum 0: none (RFC 768); the kernel fills in what IP wants. */
static ssize_t send_forged4(const struct flood *flood, uint64_t number, const union address *to,
			    const char *message, size_t length)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char payload[MESSAGE_MAX];
	} packet = {.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP}};
	size_t size = sizeof(packet.ip) + sizeof(packet.udp) + length;

	packet.ip.saddr = htonl(FORGED_BASE + (uint32_t)(number % flood->forge));
	packet.ip.daddr = to->v4.sin_addr.s_addr;
	packet.ip.tot_len = htons((uint16_t)size);
	packet.udp = udp_header(number, to, length);
	memcpy(packet.payload, message, length);
	return sendto(flood->fd, &packet, size, 0, &to->any, sizeof(to->v4));
}

static uint64_t add_words(uint64_t sum, const void *data, size_t length)
{
	const unsigned char *byte = data;

	for (size_t i = 0; i < length; i++)
		sum += (uint64_t)byte[i] << (i & 1 ? 0 : 8);
	return sum;
}

/* IPv6 wants a checksum (RFC 8200 8.1); over the addresses, the length, the protocol and UDP. */
static uint16_t checksum6(const struct ip6_hdr *ip, const void *udp, size_t length)
{
	uint64_t sum = add_words(IPPROTO_UDP + length, &ip->ip6_src, 32);

	sum = add_words(sum, udp, length);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(sum == 0xffff ? 0xffff : (uint16_t)~sum);
}

static ssize_t send_forged6(const struct flood *flood, uint64_t number, const union address *to,
			    const char *message, size_t length)
{
	struct {
		struct ip6_hdr ip;
		struct udphdr udp;
		char payload[MESSAGE_MAX];
	} packet = {.ip = {.ip6_src = flood->from.v6.sin6_addr, .ip6_dst = to->v6.sin6_addr}};
	size_t size = sizeof(packet.udp) + length;
	uint32_t identifier = htonl(1 + (uint32_t)(number % flood->forge));
	union address there = *to;

	packet.ip.ip6_flow = htonl(0x60000000u);
	packet.ip.ip6_plen = htons((uint16_t)size);
	packet.ip.ip6_nxt = IPPROTO_UDP;
	packet.ip.ip6_hlim = 64;
	memset(&packet.ip.ip6_src.s6_addr[8], 0, 4);
	memcpy(&packet.ip.ip6_src.s6_addr[12], &identifier, sizeof(identifier));
	packet.udp = udp_header(number, to, length);
	memcpy(packet.payload, message, length);
	packet.udp.check = checksum6(&packet.ip, &packet.udp, size);
	there.v6.sin6_port = 0; /* of a raw socket: a protocol, and not another one than its own */
	return sendto(flood->fd, &packet, sizeof(packet.ip) + size, 0, &there.any,
		      sizeof(there.v6));
}

static void send_one(struct flood *flood, uint64_t number)
{
	union address to = target(flood, number);
	char message[MESSAGE_MAX];
	size_t length = write_message(flood, number, message);
	ssize_t ret;

	if (flood->forge && is_v6(&to))
		ret = send_forged6(flood, number, &to, message, length);
	else if (flood->forge)
		ret = send_forged4(flood, number, &to, message, length);
	else if (flood->tcp)
		ret = send(flood->fd, message, length, MSG_NOSIGNAL);
	else
		ret = sendto(flood->fd, message, length, 0, &to.any, address_size(&to));
	if (ret < 0) {
		flood->failed++;
		return;
	}
	flood->sent++;
	flood->sent_bytes += length;
}

/* Over TCP several answers may be one read: what is counted there is bytes. */
static void take_answers(struct flood *flood)
{
	char answer[65536];
	ssize_t length;

	if (flood->forge)
		return;
	while ((length = recv(flood->fd, answer, sizeof(answer) - 1, MSG_DONTWAIT)) > 0) {
		unsigned status = 0;

		answer[length] = '\0';
		sscanf(answer, "SIP/2.0 %u", &status);
		flood->answers++;
		flood->answer_bytes += (uint64_t)length;
		flood->provisional += status >= 100 && status < 200;
		flood->last_status = status;
	}
}

static void open_socket(struct flood *flood)
{
	int family = flood->to.any.sa_family;
	socklen_t length = sizeof(flood->from);
	const int size = 4 << 20;

	if (flood->forge) {
		flood->fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
		if (flood->fd < 0)
			die("raw socket");
		return;
	}
	flood->fd = socket(family, (flood->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (flood->fd < 0 || bind(flood->fd, &flood->from.any, address_size(&flood->from)))
		die("bind");
	setsockopt(flood->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (flood->tcp) {
		struct timeval patience = {.tv_sec = 2};

		setsockopt(flood->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		if (connect(flood->fd, &flood->to.any, address_size(&flood->to)))
			die("connect");
	}
	getsockname(flood->fd, &flood->from.any, &length);
}

static void wait_ns(uint64_t until)
{
	uint64_t now = now_ns();
	struct timespec left = {.tv_nsec = 0};

	if (until <= now)
		return;
	left.tv_sec = (time_t)((until - now) / 1000000000ull);
	left.tv_nsec = (long)((until - now) % 1000000000ull);
	nanosleep(&left, NULL);
}

static void run(struct flood *flood)
{
	uint64_t start = now_ns(), end = start + flood->seconds * 1000000000ull;

	open_socket(flood);
	for (uint64_t i = 0; i < flood->count; i++) {
		uint64_t due = start + i * 1000000000ull / flood->rate;

		/* Every millisecond is often enough. */
		if (due > now_ns() + 1000000)
			wait_ns(due);
		if (now_ns() > end)
			break;
		send_one(flood, i);
		take_answers(flood);
	}
	for (unsigned i = 0; i < flood->linger_ms / 10; i++) {
		wait_ns(now_ns() + 10000000);
		take_answers(flood);
	}
}

/* ---- connections that are held ----------------------------------------------------------------
 */

static int connect_slowly(const struct flood *flood)
{
	int fd = socket(flood->to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, &flood->from.any, address_size(&flood->from)))
		die("bind");
	if (connect(fd, &flood->to.any, address_size(&flood->to)) && errno != EINPROGRESS)
		die("connect");
	return fd;
}

static bool is_open(int fd)
{
	char byte;
	ssize_t length = recv(fd, &byte, 1, MSG_DONTWAIT);

	return length > 0 || (length < 0 && errno == EAGAIN);
}

static unsigned count_open(const int *fds, unsigned count)
{
	unsigned open = 0;

	for (unsigned i = 0; i < count; i++)
		open += is_open(fds[i]);
	return open;
}

static void hold(struct flood *flood)
{
	static const char hello[] = {0x16, 3, 1, 1, 0, 1, 0, 0};
	static const char part[] = "OPTIONS sip:example.net SIP/2.0\r\nVia: ";
	int *fds = calloc(flood->hold, sizeof(*fds));
	unsigned taken = 0, most = 0;

	for (unsigned i = 0; i < flood->hold; i++)
		fds[i] = connect_slowly(flood);
	wait_ns(now_ns() + 500000000);
	for (unsigned i = 0; i < flood->hold; i++)
		taken += (flood->hello ? send(fds[i], hello, sizeof(hello), MSG_NOSIGNAL)
				       : send(fds[i], part, sizeof(part) - 1, MSG_NOSIGNAL)) > 0;
	most = count_open(fds, flood->hold);
	for (uint64_t end = now_ns() + flood->seconds * 1000000000ull;
	     now_ns() < end && count_open(fds, flood->hold);)
		wait_ns(now_ns() + 100000000);
	printf("{\"asked\":%u,\"taken\":%u,\"most\":%u,\"left\":%u}\n", flood->hold, taken, most,
	       count_open(fds, flood->hold));
	free(fds);
}

/* ---- the command line --------------------------------------------------------------------------
 */

/* ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT */
static void read_address(union address *out, const char *text)
{
	bool bracket = *text == '[';
	char copy[64], *port = NULL, *end;

	snprintf(copy, sizeof(copy), "%s", text + bracket);
	end = strchr(copy, bracket ? ']' : ':');
	/* A colon that is not the last one is part of an IPv6 address. */
	if (end && (bracket || !strchr(end + 1, ':'))) {
		*end++ = '\0';
		port = end + bracket;
	}
	*out = (union address){.v4 = {.sin_family = AF_INET}};
	if (inet_pton(AF_INET6, copy, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
	} else if (inet_pton(AF_INET, copy, &out->v4.sin_addr) != 1) {
		fprintf(stderr, "flood: '%s' is no address\n", text);
		exit(2);
	}
	out->v4.sin_port = htons((uint16_t)(port ? strtoul(port, NULL, 10) : 0));
}

static void read_kind(struct flood *flood, const char *text)
{
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(text, kinds[i])) {
			flood->kind = (enum kind)i;
			return;
		}
	}
	fprintf(stderr, "flood: nothing is called '%s'\n", text);
	exit(2);
}

static void read_option(struct flood *flood, int option)
{
	switch (option) {
	case 't':
		read_address(&flood->to, optarg);
		break;
	case 'f':
		read_address(&flood->from, optarg);
		break;
	case 's':
		read_kind(flood, optarg);
		break;
	case 'c':
		flood->count = strtoull(optarg, NULL, 10);
		break;
	case 'r':
		flood->rate = strtoull(optarg, NULL, 10);
		break;
	case 'S':
		flood->seconds = (unsigned)strtoul(optarg, NULL, 10);
		break;
	case 'H':
		flood->hold = (unsigned)strtoul(optarg, NULL, 10);
		break;
	case 'F':
		flood->forge = (unsigned)strtoul(optarg, NULL, 10);
		break;
	case 'L':
		flood->linger_ms = (unsigned)strtoul(optarg, NULL, 10);
		break;
	case 'l':
		flood->last_port = (unsigned)strtoul(optarg, NULL, 10);
		break;
	case 'T':
		flood->tcp = true;
		break;
	case 'h':
		flood->hello = true;
		break;
	case 'a':
		flood->agent = optarg;
		break;
	default:
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"to", 1, NULL, 't'},	  {"from", 1, NULL, 'f'},  {"send", 1, NULL, 's'},
		{"count", 1, NULL, 'c'},  {"rate", 1, NULL, 'r'},  {"seconds", 1, NULL, 'S'},
		{"hold", 1, NULL, 'H'},	  {"forge", 1, NULL, 'F'}, {"last-port", 1, NULL, 'l'},
		{"tcp", 0, NULL, 'T'},	  {"hello", 0, NULL, 'h'}, {"agent", 1, NULL, 'a'},
		{"linger", 1, NULL, 'L'}, {NULL, 0, NULL, 0},
	};
	struct flood flood = {
		.count = 1, .rate = 1000, .seconds = 60, .linger_ms = LINGER_MS, .agent = "flood"};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		read_option(&flood, option);
	if (!flood.to.any.sa_family || !flood.rate) {
		fprintf(stderr, "flood: --to is missing\n");
		return 2;
	}
	if (!flood.from.any.sa_family)
		flood.from.any.sa_family = flood.to.any.sa_family;
	if (flood.from.any.sa_family != flood.to.any.sa_family) {
		fprintf(stderr, "flood: --from and --to are of different families\n");
		return 2;
	}
	if (flood.hold) {
		hold(&flood);
		return 0;
	}
	run(&flood);
	printf("{\"sent\":%" PRIu64 ",\"sent_bytes\":%" PRIu64 ",\"failed\":%" PRIu64
	       ",\"answers\":%" PRIu64 ",\"answer_bytes\":%" PRIu64 ",\"provisional\":%" PRIu64
	       ",\"last_status\":%u}\n",
	       flood.sent, flood.sent_bytes, flood.failed, flood.answers, flood.answer_bytes,
	       flood.provisional, flood.last_status);
	return 0;
}
