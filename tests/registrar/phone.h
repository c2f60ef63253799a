/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A registrar behind a real SIP stack on the loopback, and a phone that speaks to it over a socket.
 * Both run in one thread: asking turns the stack's loop until the answer is there.
 */
#ifndef SEGUE_TESTS_REGISTRAR_PHONE_H
#define SEGUE_TESTS_REGISTRAR_PHONE_H

#include <arpa/inet.h>
#include <sys/socket.h>

#include "world.h"

#define ANSWER_MS 10000

struct server {
	struct world w;
	struct sip_stack *stack;
	struct registrar *registrar;
	struct registrar_config config;
	const struct sip_stack_handlers *handlers; /* NULL: those below */
	struct sip_flow udp, tcp;		   /* local: where we listen */
	bool proxy;	  /* requests other than REGISTER: ask for Proxy-Authorization */
	char proven[128]; /* who the last of these came from */
	unsigned moves;
	char moved[256]; /* "aor contact from-host" of the last */
};

struct phone {
	struct server *server;
	int fd;
	bool stream;
	struct netaddr at;
	char user[64], to[64], password[32], call_id[48], ruri[64];
	const char *method,
		*credentials; /* a whole header line instead of the right one, or NULL */
	uint32_t cseq, nc;
	struct sip_message *challenge; /* the last one, kept: its nonce is used again */
	unsigned branch;
	/* The answer: */
	int status;
	char text[16384];
};

static inline void server_request(void *context, struct sip_server_tx *tx,
				  struct sip_message *request)
{
	struct server *s = context;
	struct buf aor = BUF_EMPTY;

	if (request->method == SIP_REGISTER) {
		registrar_receive(s->registrar, tx, request);
		return;
	}
	if (registrar_authenticate(s->registrar, tx, request, s->proxy, &aor)) {
		snprintf(s->proven, sizeof(s->proven), "%.*s", STR_ARG(buf_str(&aor)));
		sip_server_tx_reply(tx, 200, NULL, STR("t"), STR_NONE);
	}
	buf_free(&aor);
}

static inline void server_ignore(void *context, struct sip_message *message)
{
	(void)context;
	(void)message;
}

static inline void server_closed(void *context, const struct sip_flow *flow)
{
	location_closed(((struct server *)context)->w.location, flow);
}

static inline void server_moved(void *context, struct str aor, const struct binding *moved,
				const struct sip_flow *before)
{
	struct server *s = context;
	char host[NETADDR_STRLEN];

	s->moves++;
	snprintf(s->moved, sizeof(s->moved), "%.*s %s %s", STR_ARG(aor), moved->contact,
		 netaddr_format_host(&before->remote, host));
}

static inline struct sip_flow server_address(struct server *s, enum sip_proto proto)
{
	struct sip_flow flow = {.proto = proto};

	assert_int_equal(netaddr_parse(&flow.remote, STR("127.0.0.1:9")), 0);
	assert_int_equal(sip_transport_choose(sip_stack_transport(s->stack), &flow), 0);
	return flow;
}

static inline void server_start(struct server *s)
{
	static const struct sip_stack_handlers handlers = {
		.request = server_request,
		.ack = server_ignore,
		.stray = server_ignore,
		.closed = server_closed,
	};
	const struct sip_stack_config config = {0};
	struct netaddr at;
	struct error err = {""};

	assert_int_equal(netaddr_parse(&at, STR("127.0.0.1:0")), 0);
	if (sip_stack_alloc(&s->stack, s->w.base, s->w.wheel, s->w.log, &config,
			    s->handlers ? s->handlers : &handlers, s, &err) ||
	    sip_transport_listen(sip_stack_transport(s->stack), SIP_UDP, &at, NULL, &err) ||
	    sip_transport_listen(sip_stack_transport(s->stack), SIP_TCP, &at, NULL, &err) ||
	    registrar_alloc(&s->registrar, s->stack, s->w.location, s->w.store, s->w.log,
			    &s->config, &err))
		fail_msg("%s", err.text);
	s->udp = server_address(s, SIP_UDP);
	s->tcp = server_address(s, SIP_TCP);
	registrar_on_move(s->registrar, server_moved, s);
}

static inline void server_stop(struct server *s)
{
	registrar_free(s->registrar);
	sip_stack_free(s->stack);
}

static char *server_domains[] = {(char[]){"example.net"}, (char[]){"Second.Example"}};

static inline int server_setup(void **state)
{
	struct server *s = calloc(1, sizeof(*s));
	struct error err;

	world_init(&s->w);
	s->config = (struct registrar_config){.domains = server_domains, .domain_count = 2};
	server_start(s);
	assert_int_equal(registrar_subscriber_add(s->registrar, STR("alice@example.net"),
						  STR("wonderland"), false, &err),
			 0);
	assert_int_equal(registrar_subscriber_add(s->registrar, STR("bob@example.net"),
						  STR("builder"), false, &err),
			 0);
	assert_int_equal(registrar_subscriber_add(s->registrar, STR("alice@second.example"),
						  STR("other"), false, &err),
			 0);
	*state = s;
	return 0;
}

static inline int server_teardown(void **state)
{
	struct server *s = *state;

	server_stop(s);
	world_fini(&s->w);
	free(s);
	return 0;
}

/* As after kill -9: only what was written is left. */
static inline void server_restart(struct server *s)
{
	server_stop(s);
	world_close(&s->w);
	world_open(&s->w);
	server_start(s);
}

static inline void server_turn(struct server *s)
{
	event_base_loop(s->w.base, EVLOOP_NONBLOCK);
	usleep(200);
}

/* ---- the phone --------------------------------------------------------------------------------
 */

static inline struct phone *phone_new(struct server *s, const char *user, const char *password,
				      const char *host, bool stream)
{
	struct phone *p = calloc(1, sizeof(*p));
	struct sockaddr_storage to, own;
	socklen_t length = sizeof(own);
	struct netaddr at;

	p->server = s;
	p->stream = stream;
	p->fd = socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	assert_int_equal(netaddr_parse_host(&at, str_of(host), 0), 0);
	length = netaddr_to_sockaddr(&at, &own);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&own, length), 0);
	length = netaddr_to_sockaddr(stream ? &s->tcp.local : &s->udp.local, &to);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&to, length), 0);
	length = sizeof(own);
	getsockname(p->fd, (struct sockaddr *)&own, &length);
	netaddr_from_sockaddr(&p->at, (struct sockaddr *)&own);
	snprintf(p->user, sizeof(p->user), "%s", user);
	snprintf(p->to, sizeof(p->to), "%s@example.net", user);
	snprintf(p->password, sizeof(p->password), "%s", password);
	snprintf(p->call_id, sizeof(p->call_id), "call-%s-%s", user, host);
	snprintf(p->ruri, sizeof(p->ruri), "sip:example.net");
	p->method = "REGISTER";
	return p;
}

static inline void phone_free(struct phone *p)
{
	sip_message_unref(p->challenge);
	close(p->fd);
	free(p);
}

static inline void phone_write(struct phone *p, struct buf *out, const char *headers)
{
	const struct digest_credentials credentials = {p->user, p->password};
	char at[NETADDR_STRLEN];

	p->branch++; /* and another tag, or the same CSeq again were a merged request (8.2.2.2) */
	buf_addf(out,
		 "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch=z9hG4bK%p-%u\r\n"
		 "From: <sip:%s>;tag=f%u\r\nTo: <sip:%s>\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
		 "Max-Forwards: 70\r\n%s",
		 p->method, p->ruri, p->stream ? "TCP" : "UDP", netaddr_format(&p->at, at),
		 (void *)p, p->branch, p->to, p->branch, p->to, p->call_id, ++p->cseq, p->method,
		 headers);
	if (p->credentials)
		buf_addf(out, "%s", p->credentials);
	else if (p->challenge)
		assert_int_equal(digest_answer(out, p->challenge, &credentials, str_of(p->method),
					       str_of(p->ruri), ++p->nc),
				 0);
	buf_addf(out, "Content-Length: 0\r\n\r\n");
	assert_int_equal(buf_error(out), 0);
}

/* Sends it and waits for the answer: p->status and p->text. */
static inline int phone_send(struct phone *p, const char *headers)
{
	struct buf out = BUF_EMPTY;
	ssize_t got = -1;

	phone_write(p, &out, headers);
	assert_int_equal(send(p->fd, out.data, out.len, MSG_NOSIGNAL), out.len);
	buf_free(&out);
	for (unsigned ms = 0; ms < ANSWER_MS * 5 && got < 0; ms++) {
		server_turn(p->server);
		got = recv(p->fd, p->text, sizeof(p->text) - 1, MSG_DONTWAIT);
	}
	if (got < 12)
		fail_msg("no answer to %s", headers);
	p->text[got] = '\0';
	p->status = atoi(p->text + 8);
	return p->status;
}

/* Keeps the challenge of the last answer. */
static inline void phone_learn(struct phone *p)
{
	char copy[sizeof(p->text)];
	struct sip_verdict verdict;

	snprintf(copy, sizeof(copy), "%s", p->text);
	sip_message_unref(p->challenge);
	p->challenge = NULL;
	assert_int_equal(sip_message_parse(&p->challenge, &p->server->udp, str_of(copy), &verdict),
			 0);
	p->nc = 0;
}

/* The same with a proof of who it is: asked for one first, unless a nonce is known. */
static inline int phone_ask(struct phone *p, const char *format, ...)
{
	char headers[8192];
	va_list list;

	va_start(list, format);
	vsnprintf(headers, sizeof(headers), format, list);
	va_end(list);
	if (!p->challenge) {
		int status = phone_send(p, headers);

		if (status != 401 && status != 407)
			return status;
		phone_learn(p);
	}
	return phone_send(p, headers);
}

static inline bool phone_got(const struct phone *p, const char *text)
{
	return strstr(p->text, text);
}

static inline unsigned phone_count(const struct phone *p, const char *text)
{
	unsigned count = 0;

	for (const char *at = p->text; (at = strstr(at, text)); at++)
		count++;
	return count;
}

#endif
