// SPDX-License-Identifier: BSD-2-Clause
/*
 * crowd call|answer HOST SERVER COUNT PPS CONTROL: so many calls at once through a SIP server at
 * SERVER:5060, each with RTP of its own, PPS packets a second. It speaks from HOST:5060; the n-th
 * call's media is at port 10000 + 2 n. `call` calls sip:callee@SERVER, `answer` answers whoever
 * calls.
 *
 * Commands, lines in the FIFO: "quiet" no more RTP; "bye N" ends N of the calls that are up;
 * "report FILE" writes a line for each call, "SSRC SENT HEARD-SSRC ONCE DOUBLED STRANGE". Every
 * quarter of a second it prints how far it is: "up N sent N once N over N". SIGTERM ends it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"
#include "talk.h"

#define SIP_PORT 5060
#define MEDIA_PORT 10000u
#define MOST 4000u
#define AGAIN_NS                                                                                   \
	500000000ull /* T1 (RFC 3261 17.1.1.1); every time, since the tests end in a minute */
#define SAY_NS 250000000ull
#define PACE_NS 4000000ull /* calls are set up one in so long */
#define WINDOW 32u	   /* and not more at once: too busy a machine would not get on with them */
#define PACKETS_A_TURN 16u /* and so at most 16 000 a second, however late we are */
#define TEXT 2048u

enum state { IDLE, INVITING, ANSWERED, UP, LEAVING, OVER };

struct call {
	enum state state;
	struct talk talk;
	char id[128], own[256], theirs[256],
		target[256]; /* Call-ID, From and To as we say them, their Contact */
	unsigned cseq;
	char last[TEXT]; /* what is sent again until it is answered */
	uint64_t again_ns;
};

struct crowd {
	bool calling;
	struct in_addr host;
	const char *server;
	unsigned count, taken; /* calls that there are to be, and that were begun */
	uint64_t interval_ns, next_call_ns, say_ns;
	int epoll, sip, control, signals;
	bool quiet, ended;
	struct call *call;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- messages
 * ------------------------------------------------------------------------------------ */

/* The value of the first header of that name, or "". */
static const char *header(const char *text, const char *name, char out[256])
{
	size_t length = strlen(name), n;
	const char *line = text;

	out[0] = '\0';
	while ((line = strstr(line, "\r\n")) && strncmp(line, "\r\n\r\n", 4)) {
		line += 2;
		if (strncasecmp(line, name, length) || line[length] != ':')
			continue;
		line += length + 1 + (line[length + 1] == ' ');
		n = strcspn(line, "\r");
		n = n < 255 ? n : 255;
		memcpy(out, line, n);
		out[n] = '\0';
		break;
	}
	return out;
}

static void send_text(struct crowd *crowd, const char *text)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(SIP_PORT)};

	inet_pton(AF_INET, crowd->server, &to.sin_addr);
	if (sendto(crowd->sip, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != EAGAIN && errno != ECONNREFUSED)
		fail("send");
}

static void describe(const struct crowd *crowd, const struct call *call, char out[512])
{
	char host[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &crowd->host, host, sizeof(host));
	snprintf(out, 512,
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP "
		 "0\r\n",
		 host, host, call->talk.port);
}

static void send_request(struct crowd *crowd, struct call *call, const char *method,
			 const char *uri, const char *sdp)
{
	char text[TEXT], host[INET_ADDRSTRLEN];
	bool ack = !strcmp(method, "ACK");

	inet_ntop(AF_INET, &crowd->host, host, sizeof(host));
	snprintf(text, sizeof(text),
		 "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP "
		 "%s:5060;branch=z9hG4bK%u-%u-%s\r\nMax-Forwards: 70\r\n"
		 "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nContact: "
		 "<sip:crowd@%s:5060>\r\n%s"
		 "Content-Length: %zu\r\n\r\n%s",
		 method, uri, host, (unsigned)(call - crowd->call), call->cseq, method, call->own,
		 call->theirs, call->id, call->cseq, method, host,
		 *sdp ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
	send_text(crowd, text);
	if (ack)
		return;
	memcpy(call->last, text, sizeof(text));
	call->again_ns = now() + AGAIN_NS;
}

/* `call` if its tag is to be in the reply, and the reply is to be sent again until the ACK. */
static void reply(struct crowd *crowd, struct call *call, const char *request, const char *status,
		  const char *sdp)
{
	char text[TEXT], via[256], from[256], to[256], id[256], cseq[256], host[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &crowd->host, host, sizeof(host));
	header(request, "To", to);
	snprintf(text, sizeof(text),
		 "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n"
		 "Contact: <sip:crowd@%s:5060>\r\n%sContent-Length: %zu\r\n\r\n%s",
		 status, header(request, "Via", via), header(request, "From", from),
		 call ? call->own : to, header(request, "Call-ID", id),
		 header(request, "CSeq", cseq), host,
		 *sdp ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
	send_text(crowd, text);
	if (!call)
		return;
	memcpy(call->last, text, sizeof(text));
	call->again_ns = now() + AGAIN_NS;
}

/* ---- calls
 * --------------------------------------------------------------------------------------- */

static void speak(struct crowd *crowd, struct call *call)
{
	uint64_t number = (uint64_t)(call - crowd->call);

	/* Spread over the interval, so that no two calls speak at once. */
	talk_start(&call->talk, &call->talk.to, now() + number * crowd->interval_ns / crowd->count);
}

static void learn_media(struct call *call, const char *text)
{
	const char *c = strstr(text, "c=IN IP4 "), *m = strstr(text, "m=audio ");
	char host[INET_ADDRSTRLEN] = "";

	if (!c || !m || sscanf(c, "c=IN IP4 %15[0-9.]", host) != 1)
		return;
	call->talk.to.sin_family = AF_INET;
	call->talk.to.sin_port = htons((uint16_t)atoi(m + strlen("m=audio ")));
	inet_pton(AF_INET, host, &call->talk.to.sin_addr);
}

static void learn_target(struct call *call, const char *text)
{
	char contact[256];

	header(text, "Contact", contact);
	if (sscanf(contact, "<%255[^>]>", call->target) != 1)
		fprintf(stderr, "crowd: Contact is '%s'\n", contact);
}

static void invite(struct crowd *crowd, struct call *call)
{
	unsigned number = (unsigned)(call - crowd->call);
	char sdp[512], uri[64];

	snprintf(call->id, sizeof(call->id), "crowd-%u-%d", number, (int)getpid());
	snprintf(call->own, sizeof(call->own), "<sip:caller%u@%s>;tag=c%u", number, crowd->server,
		 number);
	snprintf(call->theirs, sizeof(call->theirs), "<sip:callee@%s>", crowd->server);
	snprintf(uri, sizeof(uri), "sip:callee@%s", crowd->server);
	call->cseq = 1;
	call->state = INVITING;
	describe(crowd, call, sdp);
	send_request(crowd, call, "INVITE", uri, sdp);
}

static struct call *find(struct crowd *crowd, const char *text)
{
	char id[256];

	header(text, "Call-ID", id);
	for (unsigned i = 0; i < crowd->taken; i++) {
		if (!strcmp(crowd->call[i].id, id))
			return &crowd->call[i];
	}
	return NULL;
}

static void hear_response(struct crowd *crowd, const char *text)
{
	struct call *call = find(crowd, text);
	int status = atoi(text + strlen("SIP/2.0 "));
	char cseq[256];

	if (!call || status < 200)
		return;
	header(text, "CSeq", cseq);
	if (strstr(cseq, "BYE")) {
		call->state = OVER;
	} else if (strstr(cseq, "INVITE") && status < 300) {
		header(text, "To", call->theirs);
		learn_target(call, text);
		send_request(crowd, call, "ACK", call->target, "");
		if (call->state != INVITING)
			return;
		call->state = UP;
		learn_media(call, text);
		speak(crowd, call);
	} else {
		fprintf(stderr, "crowd: refused: %.60s\n", text);
		call->state = OVER;
	}
}

static void answer(struct crowd *crowd, const char *text)
{
	struct call *call = find(crowd, text);
	char sdp[512], value[256];

	if (!call && crowd->taken == crowd->count) {
		reply(crowd, NULL, text, "486 Busy Here", "");
		return;
	}
	if (!call) {
		call = &crowd->call[crowd->taken++];
		call->state = ANSWERED;
		snprintf(call->id, sizeof(call->id), "%.127s", header(text, "Call-ID", value));
		snprintf(call->own, sizeof(call->own), "%.200s;tag=a%u", header(text, "To", value),
			 crowd->taken);
		header(text, "From", call->theirs);
		learn_target(call, text);
		learn_media(call, text);
	}
	describe(crowd, call, sdp);
	reply(crowd, call, text, "200 OK", sdp);
}

static void hear_request(struct crowd *crowd, const char *text)
{
	struct call *call = find(crowd, text);

	if (!strncmp(text, "INVITE ", 7)) {
		answer(crowd, text);
	} else if (!strncmp(text, "ACK ", 4)) {
		if (call && call->state == ANSWERED) {
			call->state = UP;
			speak(crowd, call);
		}
	} else {
		reply(crowd, NULL, text, "200 OK", "");
		if (call && !strncmp(text, "BYE ", 4))
			call->state = OVER;
	}
}

static void hear(struct crowd *crowd)
{
	char text[8192];
	ssize_t length;

	while ((length = recv(crowd->sip, text, sizeof(text) - 1, 0)) >= 0) {
		text[length] = '\0';
		if (!strncmp(text, "SIP/2.0 ", 8))
			hear_response(crowd, text);
		else
			hear_request(crowd, text);
	}
}

/* ---- commands
 * ------------------------------------------------------------------------------------ */

static void report(const struct crowd *crowd, const char *file)
{
	FILE *out = fopen(file, "w");

	if (!out)
		fail(file);
	for (unsigned i = 0; i < crowd->taken; i++) {
		const struct talk *talk = &crowd->call[i].talk;

		fprintf(out, "%u %u %u %u %u %u\n", talk->ssrc, talk->sent, talk->heard_ssrc,
			talk->once, talk->doubled, talk->strange);
	}
	fclose(out);
}

static void leave(struct crowd *crowd, unsigned count)
{
	for (unsigned i = 0; i < crowd->taken && count; i++) {
		struct call *call = &crowd->call[i];

		if (call->state != UP)
			continue;
		call->cseq += 1;
		call->state = LEAVING;
		send_request(crowd, call, "BYE", call->target, "");
		count--;
	}
}

static void obey(const char *line, void *context)
{
	struct crowd *crowd = context;
	char file[256];
	unsigned count;

	if (!strcmp(line, "quiet"))
		crowd->quiet = true;
	else if (sscanf(line, "bye %u", &count) == 1)
		leave(crowd, count);
	else if (sscanf(line, "report %255s", file) == 1)
		report(crowd, file);
	else
		fprintf(stderr, "crowd: '%s' is no command\n", line);
}

static void say(const struct crowd *crowd)
{
	uint64_t sent = 0, once = 0;
	unsigned up = 0, over = 0;

	for (unsigned i = 0; i < crowd->taken; i++) {
		up += crowd->call[i].state == UP;
		over += crowd->call[i].state == OVER;
		sent += crowd->call[i].talk.sent;
		once += crowd->call[i].talk.once;
	}
	printf("up %u sent %" PRIu64 " once %" PRIu64 " over %u\n", up, sent, once, over);
	fflush(stdout);
}

/* ---- the loop
 * ------------------------------------------------------------------------------------ */

static unsigned inviting(const struct crowd *crowd)
{
	unsigned count = 0;

	for (unsigned i = 0; i < crowd->taken; i++)
		count += crowd->call[i].state == INVITING;
	return count;
}

static void turn(struct crowd *crowd)
{
	uint64_t time = now();
	unsigned budget = PACKETS_A_TURN;

	if (crowd->calling && crowd->taken < crowd->count && time >= crowd->next_call_ns &&
	    inviting(crowd) < WINDOW) {
		invite(crowd, &crowd->call[crowd->taken++]);
		crowd->next_call_ns = time + PACE_NS;
	}
	for (unsigned i = 0; i < crowd->taken; i++) {
		struct call *call = &crowd->call[i];
		bool waits = call->state == INVITING || call->state == ANSWERED ||
			     call->state == LEAVING;

		if (waits && time >= call->again_ns) {
			send_text(crowd, call->last);
			call->again_ns = time + AGAIN_NS;
		}
		if (!crowd->quiet && budget && talk_send(&call->talk, time, crowd->interval_ns))
			budget--;
	}
	if (time >= crowd->say_ns) {
		say(crowd);
		crowd->say_ns = time + SAY_NS;
	}
}

static void take_event(struct crowd *crowd, uint32_t number)
{
	if (number < crowd->count)
		talk_receive(&crowd->call[number].talk);
	else if (number == crowd->count)
		hear(crowd);
	else if (number == crowd->count + 1)
		loop_read_control(crowd->control, obey, crowd);
	else
		crowd->ended = true;
}

static void run(struct crowd *crowd)
{
	struct epoll_event event[256];

	while (!crowd->ended) {
		int n = epoll_wait(crowd->epoll, event, 256, 1);

		for (int i = 0; i < n; i++)
			take_event(crowd, event[i].data.u32);
		turn(crowd);
	}
	say(crowd);
}

static void open_sip(struct crowd *crowd)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr = crowd->host, .sin_port = htons(SIP_PORT)};
	int bytes = 16 << 20;

	crowd->sip = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (crowd->sip < 0 || bind(crowd->sip, (struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(crowd->sip, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		fail("SIP socket");
}

static void open_all(struct crowd *crowd, const char *control)
{
	struct rlimit files = {MOST * 2, MOST * 2};
	bool good = true;

	setrlimit(RLIMIT_NOFILE, &files);
	crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
	crowd->call = calloc(crowd->count, sizeof(*crowd->call));
	if (crowd->epoll < 0 || !crowd->call)
		fail("start");
	for (unsigned i = 0; i < crowd->count; i++) {
		struct talk *talk = &crowd->call[i].talk;

		if (!talk_open(talk, crowd->host, (uint16_t)(MEDIA_PORT + 2 * i),
			       (crowd->calling ? 1u : 2u) << 16 | i))
			fail("media socket");
		good &= loop_watch(crowd->epoll, i, talk->fd);
	}
	open_sip(crowd);
	crowd->control = loop_open_control(control);
	crowd->signals = loop_open_signals();
	good &= crowd->control >= 0 && crowd->signals >= 0 &&
		loop_watch(crowd->epoll, crowd->count, crowd->sip) &&
		loop_watch(crowd->epoll, crowd->count + 1, crowd->control) &&
		loop_watch(crowd->epoll, crowd->count + 2, crowd->signals);
	if (!good)
		fail("epoll");
}

int main(int argc, char **argv)
{
	struct crowd crowd = {.calling = argc > 1 && !strcmp(argv[1], "call")};

	if (argc != 7 || inet_pton(AF_INET, argv[2], &crowd.host) != 1 || atoi(argv[4]) < 1 ||
	    atoi(argv[4]) > (int)MOST || atoi(argv[5]) < 1) {
		fputs("usage: crowd call|answer HOST SERVER COUNT PPS CONTROL\n", stderr);
		return 2;
	}
	crowd.server = argv[3];
	crowd.count = (unsigned)atoi(argv[4]);
	crowd.interval_ns = 1000000000u / (unsigned)atoi(argv[5]);
	open_all(&crowd, argv[6]);
	run(&crowd);
	return 0;
}
