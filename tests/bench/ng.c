// SPDX-License-Identifier: BSD-2-Clause
#include "ng.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "flow.h"
#include "net.h"

struct text {
	const char *at;
	size_t length;
};

/* A bencoded byte string at *p; moves *p behind it. */
static bool take_string(const char **p, const char *end, struct text *out)
{
	char *colon;
	unsigned long length = strtoul(*p, &colon, 10);

	if (colon >= end || *colon != ':' || length > (size_t)(end - colon - 1))
		return false;
	*out = (struct text){colon + 1, length};
	*p = colon + 1 + length;
	return true;
}

/* Moves *p behind any bencoded value. Lists and dictionaries both nest up to their 'e'. */
static bool skip_value(const char **p, const char *end)
{
	struct text ignored;
	unsigned depth = 0;

	do {
		if (*p >= end)
			return false;
		if (**p == 'd' || **p == 'l') {
			depth++;
			(*p)++;
		} else if (**p == 'e') {
			depth--;
			(*p)++;
		} else if (**p == 'i') {
			const char *close = memchr(*p, 'e', (size_t)(end - *p));

			if (!close)
				return false;
			*p = close + 1;
		} else if (!take_string(p, end, &ignored)) {
			return false;
		}
	} while (depth);
	return true;
}

/* The string of a key of the reply. */
static bool find(const struct ng *ng, const char *key, struct text *out)
{
	const char *p = ng->reply + 1, *end = ng->reply + ng->reply_length;
	struct text name;

	while (p < end && *p != 'e') {
		if (!take_string(&p, end, &name))
			return false;
		if (name.length == strlen(key) && !memcmp(name.at, key, name.length))
			return take_string(&p, end, out);
		if (!skip_value(&p, end))
			return false;
	}
	return false;
}

/* Sends a dictionary, keeps the reply's; -1 if none comes. */
static int ask(struct ng *ng, const char *dictionary)
{
	char message[4096], cookie[16];
	size_t length = (size_t)snprintf(cookie, sizeof(cookie), "%u ", ++ng->cookie);
	ssize_t n;

	snprintf(message, sizeof(message), "%s%s", cookie, dictionary);
	if (send(ng->fd, message, strlen(message), 0) < 0)
		return -1;
	n = recv(ng->fd, ng->reply, sizeof(ng->reply) - 1, 0);
	if (n <= (ssize_t)length || memcmp(ng->reply, cookie, length))
		return -1;
	ng->reply_length = (size_t)n - length;
	memmove(ng->reply, ng->reply + length, ng->reply_length);
	ng->reply[ng->reply_length] = 0;
	return 0;
}

int ng_open(struct ng *ng, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(port)};
	struct timeval patience = {.tv_sec = 1};

	memset(ng, 0, sizeof(*ng));
	ng->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ng->fd < 0 || connect(ng->fd, (struct sockaddr *)&to, sizeof(to)))
		return -1;
	setsockopt(ng->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!ask(ng, "d7:command4:pinge"))
		return 0;
	ng_close(ng);
	return -1;
}

void ng_close(struct ng *ng)
{
	close(ng->fd);
	ng->fd = -1;
}

static void sdp_of(char *out, size_t size, const struct ng_end *end)
{
	char dotted[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &end->address, dotted, sizeof(dotted));
	snprintf(out, size,
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
		 "m=audio %u RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
		 dotted, dotted, ntohs(end->port));
}

static void read_end(struct text sdp, struct ng_end *end)
{
	char dotted[INET_ADDRSTRLEN] = "";
	const char *c = memmem(sdp.at, sdp.length, "c=IN IP4 ", 9);
	const char *m = memmem(sdp.at, sdp.length, "m=audio ", 8);
	unsigned port = 0;

	if (!c || !m || sscanf(c + 9, "%15[0-9.]", dotted) != 1 ||
	    sscanf(m + 8, "%u", &port) != 1 || inet_pton(AF_INET, dotted, &end->address) != 1)
		die("rtpengine's answer names no address: %.*s", (int)sdp.length, sdp.at);
	end->port = htons((uint16_t)port);
}

/* An offer or answer of a call by the party `from`; where the other one has to send to. */
static void exchange(struct ng *ng, const char *id, const char *command, const char *more,
		     const char *flags, const struct ng_end *from, struct ng_end *out)
{
	char sdp[512], message[2048];
	struct text result, reply;

	sdp_of(sdp, sizeof(sdp), from);
	snprintf(message, sizeof(message),
		 "d7:call-id%zu:%s7:command%zu:%s%s5:flags%s8:from-tag1:a3:ICE6:remove3:sdp%zu:%s%"
		 "se",
		 strlen(id), id, strlen(command), command, strcmp(command, "offer") ? "" : more,
		 flags, strlen(sdp), sdp, strcmp(command, "offer") ? more : "");
	if (ask(ng, message) || !find(ng, "result", &result) || result.length != 2 ||
	    memcmp(result.at, "ok", 2) || !find(ng, "sdp", &reply))
		die("rtpengine refuses the %s of call %s: %.200s", command, id, ng->reply);
	read_end(reply, out);
}

void ng_connect(struct ng *ng, const char *id, const char *flags, const struct ng_end *a,
		const struct ng_end *b, struct ng_end *for_a, struct ng_end *for_b)
{
	exchange(ng, id, "offer", "9:directionl1:a1:be", flags, a, for_b);
	exchange(ng, id, "answer", "6:to-tag1:b", flags, b, for_a);
}

void ng_call(struct ng *ng, uint32_t call, uint32_t *address, uint16_t *port)
{
	struct ng_end a = {htonl(0x0a100000u + call), htons(BENCH_PARTY_PORT)}, for_a, for_b;
	struct ng_end b = {htonl(0x0a200000u + call), htons(BENCH_PARTY_PORT)};
	char id[32];

	snprintf(id, sizeof(id), "bench-%u", call);
	ng_connect(ng, id, "le", &a, &b, &for_a, &for_b);
	*address = for_a.address;
	*port = for_a.port;
}
