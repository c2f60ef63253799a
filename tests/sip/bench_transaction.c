// SPDX-License-Identifier: BSD-2-Clause
/*
 * What transactions cost: finding one among a thousand and among a million that live, and processor
 * time a message through a stack on loopback, answering and relaying. A JSON object a line.
 */
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "sip/stack_private.h"

#define MANY 1000000u
#define FEW 1000u
#define LOOKUPS 2000000u
#define REQUESTS 200000u
#define WINDOW 100u /* requests that wait for their answer at one time */

_Static_assert(LOOKUPS % SIP_ARRIVALS == 0, "whole batches only");

static void report(const char *name, double value, const char *unit)
{
	printf("{\"name\": \"%s\", \"value\": %.3f, \"unit\": \"%s\"}\n", name, value, unit);
	fflush(stdout);
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_transaction: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- a stack and its user -------------------------------------------------------------------- */

struct world {
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	struct sip_stack *stack;
	struct netaddr at;
	const struct netaddr *relay_to; /* requests go on there; NULL: they are answered */
	size_t answered;
};

static void on_response(void *context, struct sip_message *response)
{
	struct sip_server_tx *tx = context;

	if (response->status >= 200)
		sip_server_tx_reply(tx, response->status, "OK", STR("ours"), STR_NONE);
}

static void on_failed(void *context, int status)
{
	sip_server_tx_reply(context, status, "Failed", STR("ours"), STR_NONE);
}

/* As a B2BUA would: a request of its own, with the body of the one that came. */
static void relay(struct world *world, struct sip_server_tx *tx, const struct sip_message *request)
{
	static const struct sip_client_tx_handlers handlers = {on_response, on_failed};
	const struct sip_flow flow = {.proto = SIP_UDP, .remote = *world->relay_to};
	char call_id[SIP_TOKEN_LEN], tag[SIP_TOKEN_LEN];
	struct buf text = BUF_EMPTY;
	struct sip_outgoing outgoing = {.method = request->method, .flow = &flow, .contact = true};

	sip_token(world->stack, call_id);
	sip_token(world->stack, tag);
	sip_write_request_line(&text, request->method_name, request->request_uri);
	sip_write_header(&text, "Max-Forwards", STR("69"));
	buf_add(&text, STR("From: <sip:alice@example.net>;tag="));
	buf_add(&text, str_of(tag));
	buf_add(&text, STR("\r\n"));
	sip_write_header(&text, "To", request->to.whole);
	sip_write_header(&text, "Call-ID", str_of(call_id));
	buf_add(&text, STR("CSeq: 1 "));
	buf_add(&text, request->method_name);
	buf_add(&text, STR("\r\n"));
	sip_write_body(&text, request->content_type, request->body);
	outgoing.text = buf_str(&text);
	if (sip_client_send(world->stack, &outgoing, &handlers, tx, NULL) < 0)
		on_failed(tx, 500);
	buf_free(&text);
}

static void on_request(void *context, struct sip_server_tx *tx, struct sip_message *request)
{
	struct world *world = context;

	world->answered++;
	if (world->relay_to)
		relay(world, tx, request);
	else
		sip_server_tx_reply(tx, 200, "OK", STR("ours"), STR_NONE);
}

static int open_udp(struct netaddr *at)
{
	const int queue = 4 * 1024 * 1024;
	struct sockaddr_storage storage;
	socklen_t length;
	int fd;

	netaddr_parse_host(at, STR("127.0.0.1"), at->port);
	length = netaddr_to_sockaddr(at, &storage);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(fd >= 0 && !bind(fd, (struct sockaddr *)&storage, length), "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof(queue));
	must(!getsockname(fd, (struct sockaddr *)&storage, &length), "getsockname");
	netaddr_from_sockaddr(at, (struct sockaddr *)&storage);
	return fd;
}

static void world_open(struct world *world, unsigned t1_ms)
{
	static const struct sip_stack_handlers handlers = {.request = on_request};
	const struct sip_stack_config config = {.t1_ms = t1_ms, .transactions = 4 * MANY};
	struct error err;

	*world = (struct world){0};
	world->base = event_base_new();
	must(world->base && !wheel_alloc(&world->wheel, world->base) &&
		     !log_open(&world->log, LOG_LEVEL_WARNING) &&
		     !sip_stack_alloc(&world->stack, world->base, world->wheel, world->log, &config,
				      &handlers, world, &err),
	     "stack");
	for (int ret = -EADDRINUSE; ret;) {
		close(open_udp(&world->at)); /* a free port */
		ret = sip_transport_listen(sip_stack_transport(world->stack), SIP_UDP, &world->at,
					   NULL, &err);
	}
}

static void world_close(struct world *world)
{
	sip_stack_free(world->stack);
	log_close(world->log);
	wheel_free(world->wheel);
	event_base_free(world->base);
}

/* ---- looking up ------------------------------------------------------------------------------ */

static size_t write_request(char *out, size_t size, uint16_t port, unsigned number,
			    const char *body)
{
	int len = snprintf(out, size,
			   "OPTIONS sip:bob@example.net SIP/2.0\r\n"
			   "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%08x;rport\r\n"
			   "Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=%08x\r\n"
			   "To: <sip:bob@example.net>\r\nCall-ID: %08x@192.0.2.1\r\n"
			   "CSeq: 1 OPTIONS\r\n%sContent-Length: %zu\r\n\r\n%s",
			   port, number, number, number,
			   body[0] ? "Contact: <sip:alice@192.0.2.1:5060>\r\n"
				     "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, UPDATE\r\n"
				     "Supported: replaces, timer, 100rel\r\n"
				     "User-Agent: Softphone/4.2.1\r\n"
				     "Content-Type: application/sdp\r\n"
				   : "",
			   strlen(body), body);

	return (size_t)len;
}

static void fill(struct world *world, const struct sip_flow *flow, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct sip_message *message;
		struct sip_verdict verdict;
		char text[1024];
		size_t len = write_request(text, sizeof(text), flow->remote.port, i, "");

		must(!sip_message_parse(&message, flow, (struct str){text, len}, &verdict),
		     "parse");
		server_tx_receive(world->stack, message, server_tx_key(world->stack, message));
		sip_message_unref(message);
		if (!(i % 256)) /* what is spent is freed by the loop */
			event_base_loop(world->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	must(world->stack->server.count == to, "not all transactions live");
}

/*
 * Random ones of those that live: hashing and finding, and nothing else. `together` are hashed
 * before they are found, as those are that came in one batch of datagrams (at most SIP_ARRIVALS).
 */
static double lookup_ns(struct world *world, const struct sip_flow *flow, unsigned live,
			unsigned together)
{
	struct tx_key keys[SIP_ARRIVALS];
	struct sip_message *message;
	struct sip_verdict verdict;
	char text[1024], branch[17];
	size_t len = write_request(text, sizeof(text), flow->remote.port, 0, ""), found = 0;
	uint64_t number = 88172645463325252ull;
	double begin;

	must(!sip_message_parse(&message, flow, (struct str){text, len}, &verdict), "parse");
	message->via.branch = (struct str){branch, 15};
	memcpy(branch, "z9hG4bK", 7);
	begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned i = 1; i <= LOOKUPS; i++) {
		static const char digits[] = "0123456789abcdef";
		unsigned which;

		number ^= number << 13;
		number ^= number >> 7;
		number ^= number << 17;
		which = (unsigned)(number >> 32) % live;
		for (unsigned k = 0; k < 8; k++)
			branch[7 + k] = digits[which >> (28 - 4 * k) & 15];
		keys[i % together] = server_tx_key(world->stack, message);
		for (unsigned k = 0; i % together == 0 && k < together; k++)
			found += tx_find(&world->stack->server, keys[k]) != NULL;
	}
	begin = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
	must(found == LOOKUPS, "a transaction was not found");
	sip_message_unref(message);
	return begin * 1e9 / LOOKUPS;
}

static double best_of(struct world *world, const struct sip_flow *flow, unsigned live,
		      unsigned together)
{
	double best = lookup_ns(world, flow, live, together);

	for (unsigned i = 0; i < 4; i++) {
		double again = lookup_ns(world, flow, live, together);

		best = again < best ? again : best;
	}
	return best;
}

static long resident_kb(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	must(file && fscanf(file, "%*s %ld", &pages) == 1, "/proc/self/statm");
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void bench_lookup(void)
{
	struct sip_flow flow = {.proto = SIP_UDP};
	struct world world;
	double few, many, few_alone, many_alone;
	long before;
	int fd = open_udp(&flow.remote); /* the answers end there, unread */

	world_open(&world, 60000); /* nothing ends meanwhile */
	flow.local = world.at;
	fill(&world, &flow, 0, FEW);
	few = best_of(&world, &flow, FEW, SIP_ARRIVALS);
	few_alone = best_of(&world, &flow, FEW, 1);
	before = resident_kb();
	fill(&world, &flow, FEW, MANY);
	many = best_of(&world, &flow, MANY, SIP_ARRIVALS);
	many_alone = best_of(&world, &flow, MANY, 1);
	report("sip.lookup_1k", few, "ns");
	report("sip.lookup_1m", many, "ns");
	report("sip.lookup_1m_over_1k", many / few, "ratio");
	report("sip.lookup_alone_1k", few_alone, "ns");
	report("sip.lookup_alone_1m", many_alone, "ns");
	report("sip.lookup_alone_1m_over_1k", many_alone / few_alone, "ratio");
	report("sip.server_transaction", (double)(resident_kb() - before) * 1024 / (MANY - FEW),
	       "bytes");
	world_close(&world);
	close(fd);
}

/* ---- messages a second ----------------------------------------------------------------------- */

static const char sdp[] = "v=0\r\no=alice 2890844526 2890844526 IN IP4 192.0.2.101\r\ns=-\r\n"
			  "c=IN IP4 192.0.2.101\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0 8 101\r\n"
			  "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
			  "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

static void copy_header(char **out, const char *text, const char *name)
{
	const char *at = strstr(text, name);
	size_t len = at ? strcspn(at, "\n") + 1 : 0;

	if (len)
		memcpy(*out, at, len);
	*out += len;
}

/* The far end: answers a request with as little work as it can. */
static void answer(int fd, char *text, const struct sockaddr *to, socklen_t length)
{
	char response[2048], *out = response;

	out += sprintf(out, "SIP/2.0 200 OK\r\n");
	copy_header(&out, text, "Via:");
	copy_header(&out, text, "From:");
	out += sprintf(out, "To: <sip:bob@example.net>;tag=far\r\n");
	copy_header(&out, text, "Call-ID:");
	copy_header(&out, text, "CSeq:");
	out += sprintf(out, "Content-Length: 0\r\n\r\n");
	sendto(fd, response, (size_t)(out - response), 0, to, length);
}

/* Both ends in one process: sends requests, counts final responses, answers what is relayed. */
static void peers(int near, int far, uint16_t port, const struct netaddr *stack)
{
	struct sockaddr_storage to, from;
	socklen_t length = netaddr_to_sockaddr(stack, &to);
	struct pollfd poller[2] = {{near, POLLIN, 0}, {far, POLLIN, 0}};
	unsigned sent = 0, done = 0;
	char text[4096];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (done < REQUESTS) {
		while (sent < REQUESTS && sent - done < WINDOW) {
			size_t len = write_request(text, sizeof(text), port, sent++, sdp);

			sendto(near, text, len, 0, (struct sockaddr *)&to, length);
		}
		must(poll(poller, 2, 10000) > 0, "the stack does not answer");
		for (ssize_t len; (len = recv(near, text, sizeof(text), MSG_DONTWAIT)) > 0;)
			done += !memcmp(text, "SIP/2.0 200", 11);
		for (;;) {
			socklen_t room = sizeof(from);
			ssize_t len = recvfrom(far, text, sizeof(text) - 1, MSG_DONTWAIT,
					       (struct sockaddr *)&from, &room);

			if (len <= 0)
				break;
			text[len] = '\0';
			answer(far, text, (struct sockaddr *)&from, room);
		}
	}
	_exit(0);
}

static void on_child(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(context);
}

static double of_usage(struct timeval before, struct timeval after)
{
	return (double)(after.tv_sec - before.tv_sec) * 1e6 +
	       (double)(after.tv_usec - before.tv_usec);
}

static void bench_messages(const char *name, bool relayed)
{
	unsigned messages = REQUESTS * (relayed ? 4 : 2);
	struct netaddr near_at = {.port = 0}, far_at = {.port = 0};
	int near = open_udp(&near_at), far = open_udp(&far_at), end[2], status;
	struct rusage before, after;
	struct event *child;
	struct world world;
	char label[64];
	double wall;
	pid_t pid;

	world_open(&world, 500);
	world.relay_to = relayed ? &far_at : NULL;
	must(!pipe(end), "pipe");
	pid = fork();
	must(pid >= 0, "fork");
	if (!pid) {
		close(end[0]);
		peers(near, far, near_at.port, &world.at);
	}
	close(end[1]); /* the child's copy closes when it is done */
	child = event_new(world.base, end[0], EV_READ, on_child, world.base);
	must(child && !event_add(child, NULL), "event");
	getrusage(RUSAGE_SELF, &before);
	wall = seconds(CLOCK_MONOTONIC);
	event_base_dispatch(world.base);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	getrusage(RUSAGE_SELF, &after);
	must(waitpid(pid, &status, 0) == pid && !status, "peers");
	snprintf(label, sizeof(label), "sip.%s_messages", name);
	report(label, messages / wall, "per second");
	snprintf(label, sizeof(label), "sip.%s_user", name);
	report(label, of_usage(before.ru_utime, after.ru_utime) / messages, "us a message");
	snprintf(label, sizeof(label), "sip.%s_system", name);
	report(label, of_usage(before.ru_stime, after.ru_stime) / messages, "us a message");
	event_free(child);
	close(end[0]);
	close(near);
	close(far);
	world_close(&world);
}

int main(int argc, char **argv)
{
	if (argc < 2 || !strcmp(argv[1], "lookup"))
		bench_lookup();
	if (argc < 2 || !strcmp(argv[1], "answer"))
		bench_messages("answered", false);
	if (argc < 2 || !strcmp(argv[1], "relay"))
		bench_messages("relayed", true);
	return 0;
}
