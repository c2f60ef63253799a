// SPDX-License-Identifier: BSD-2-Clause
#include "stack_rig.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

/* ---- the user of the stack ------------------------------------------------------------------- */

static void on_request(void *context, struct sip_server_tx *tx, struct sip_message *request)
{
	struct rig *rig = context;

	sip_message_unref(rig->request);
	rig->request = sip_message_ref(request);
	rig->tx = tx;
	rig->requests++;
	if (rig->handle)
		sip_server_tx_handle(tx, &rig_server, rig);
	if (rig->answer)
		sip_server_tx_reply(tx, rig->answer, sip_reason(rig->answer), STR("ours"),
				    STR_NONE);
}

static void on_ack(void *context, struct sip_message *ack)
{
	(void)ack;
	((struct rig *)context)->acks++;
}

static void on_stray(void *context, struct sip_message *response)
{
	(void)response;
	((struct rig *)context)->strays++;
}

static void on_closed(void *context, const struct sip_flow *flow)
{
	struct rig *rig = context;

	rig->closed_flow = *flow;
	rig->closed++;
}

static void on_seen(void *context, const struct sip_seen *seen)
{
	struct rig *rig = context;

	if (seen->sent)
		rig->seen_out++;
	else
		rig->seen_in++;
	rig->seen_at = seen->flow->remote;
	rig->seen_parsed = seen->message != NULL;
	snprintf(rig->seen, sizeof(rig->seen), "%.*s", STR_ARG(seen->text));
}

static void on_cancelled(void *context, struct sip_message *cancel)
{
	(void)cancel;
	((struct rig *)context)->cancelled++;
}

static void on_unacknowledged(void *context)
{
	((struct rig *)context)->unacknowledged++;
}

static void on_response(void *context, struct sip_message *response)
{
	struct rig *rig = context;

	rig->status[rig->responses++ % RIG_EVENTS] = response->status;
	rig->response_flow = response->flow;
}

static void on_failed(void *context, int status)
{
	struct rig *rig = context;

	rig->failure = status;
	rig->failures++;
}

const struct sip_client_tx_handlers rig_client = {on_response, on_failed};
const struct sip_server_tx_handlers rig_server = {on_cancelled, on_unacknowledged};

/* ---- the clock ------------------------------------------------------------------------------- */

/* Of the system's; only for who skips time: a store's thread waits by the system's clock. */
static _Thread_local uint64_t ahead_ms;

/* By the linker (--wrap): the controller and the test see the same time. */
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	int ret = __real_clock_gettime(clock, now);

	now->tv_nsec += (long)(ahead_ms % 1000) * 1000000;
	now->tv_sec += (time_t)(ahead_ms / 1000) + now->tv_nsec / 1000000000;
	now->tv_nsec %= 1000000000;
	return ret;
}

struct wheel_timer {
	const struct wheel *wheel;
	struct event *event;
};

static int is_of_wheel(const struct event_base *base, const struct event *event, void *context)
{
	struct wheel_timer *timer = context;

	(void)base;
	if (event_get_callback_arg(event) != timer->wheel)
		return 0;
	timer->event = (struct event *)(uintptr_t)event;
	return 1;
}

/* A grain passes at once. The loop has the system's clock, so it has to be told. */
static void skip_grain(struct rig *rig)
{
	struct wheel_timer timer = {.wheel = rig->wheel};

	ahead_ms += TIMER_GRAIN_MS;
	event_base_foreach_event(rig->base, is_of_wheel, &timer);
	if (timer.event)
		event_active(timer.event, EV_TIMEOUT, 0);
	rig_turn(rig);
}

/* ---- the loop -------------------------------------------------------------------------------- */

void rig_open(struct rig *rig, const struct sip_stack_config *config)
{
	static const struct sip_stack_handlers handlers = {.request = on_request,
							   .ack = on_ack,
							   .stray = on_stray,
							   .closed = on_closed,
							   .seen = on_seen};
	struct sip_stack_config own = config ? *config : (struct sip_stack_config){0};
	struct error err;

	*rig = (struct rig){0};
	own.worker = 7;
	own.t1_ms = own.t1_ms ? own.t1_ms : RIG_T1_MS;
	own.t2_ms = own.t2_ms ? own.t2_ms : RIG_T2_MS;
	own.t4_ms = own.t4_ms ? own.t4_ms : RIG_T4_MS;
	rig->base = event_base_new();
	assert_non_null(rig->base);
	assert_int_equal(wheel_alloc(&rig->wheel, rig->base), 0);
	assert_int_equal(log_open(&rig->log, LOG_LEVEL_ERROR), 0);
	if (sip_stack_alloc(&rig->stack, rig->base, rig->wheel, rig->log, &own, &handlers, rig,
			    &err))
		fail_msg("%s", err.text);
	rig_listen(rig, SIP_UDP, "127.0.0.1", NULL);
}

void rig_close(struct rig *rig)
{
	sip_message_unref(rig->request);
	sip_stack_free(rig->stack);
	log_close(rig->log);
	wheel_free(rig->wheel);
	event_base_free(rig->base);
}

/* The transport says nowhere which port it got: let the system name a free one first. */
static uint16_t free_port(enum sip_proto proto, const struct netaddr *at)
{
	struct sockaddr_storage storage;
	socklen_t length = netaddr_to_sockaddr(at, &storage);
	int fd = socket(storage.ss_family, proto == SIP_UDP ? SOCK_DGRAM : SOCK_STREAM, 0);
	struct netaddr got;

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&storage, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
	netaddr_from_sockaddr(&got, (struct sockaddr *)&storage);
	close(fd);
	return got.port;
}

void rig_listen(struct rig *rig, enum sip_proto proto, const char *host,
		const struct sip_tls_config *tls)
{
	struct error err = {""};
	struct netaddr at;
	int ret = -EADDRINUSE;

	assert_int_equal(netaddr_parse_host(&at, str_of(host), 0), 0);
	for (unsigned i = 0; ret == -EADDRINUSE && i < 100; i++) {
		at.port = 0;
		at.port = free_port(proto, &at);
		ret = sip_transport_listen(sip_stack_transport(rig->stack), proto, &at, tls, &err);
	}
	if (ret)
		fail_msg("%s", err.text);
	rig->at[proto] = at;
}

void rig_turn(struct rig *rig)
{
	event_base_loop(rig->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	usleep(200);
}

void rig_run_ms(struct rig *rig, unsigned ms)
{
	uint64_t end = wheel_now_ms() + ms;

	while (wheel_now_ms() < end)
		rig_turn(rig);
}

void rig_wait(struct rig *rig, const unsigned *counter, unsigned least)
{
	uint64_t end = wheel_now_ms() + RIG_PATIENCE_MS;

	while (*counter < least) {
		if (wheel_now_ms() > end)
			fail_msg("waited in vain: %u of %u", *counter, least);
		rig_turn(rig);
	}
}

static void turn_until_idle(struct rig *rig, void (*turn)(struct rig *rig))
{
	uint64_t end = wheel_now_ms() + RIG_PATIENCE_MS;
	struct sip_stack_stats stats;

	do {
		turn(rig);
		sip_stack_stats(rig->stack, &stats);
		if (wheel_now_ms() > end)
			fail_msg("%zu server and %zu client transactions do not end",
				 stats.server_transactions, stats.client_transactions);
	} while (stats.server_transactions || stats.client_transactions);
}

void rig_wait_idle(struct rig *rig)
{
	turn_until_idle(rig, rig_turn);
}

void rig_skip_idle(struct rig *rig)
{
	turn_until_idle(rig, skip_grain);
}

/* ---- peers ----------------------------------------------------------------------------------- */

static void learn_address(struct peer *peer, int fd)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof(storage);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
	netaddr_from_sockaddr(&peer->at, (struct sockaddr *)&storage);
}

static int open_socket(struct peer *peer, struct rig *rig, const char *host, int type)
{
	struct sockaddr_storage storage;
	struct netaddr at;
	socklen_t length;
	int fd;

	assert_int_equal(netaddr_parse_host(&at, str_of(host), 0), 0);
	length = netaddr_to_sockaddr(&at, &storage);
	fd = socket(storage.ss_family, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&storage, length), 0);
	peer->rig = rig;
	peer->fd = peer->acceptor = -1;
	peer->len = 0;
	learn_address(peer, fd);
	return fd;
}

void peer_udp(struct peer *peer, struct rig *rig, const char *host)
{
	peer->fd = open_socket(peer, rig, host, SOCK_DGRAM);
}

void peer_tcp(struct peer *peer, struct rig *rig)
{
	struct sockaddr_storage storage;
	socklen_t length = netaddr_to_sockaddr(&rig->at[SIP_TCP], &storage);

	peer->fd = open_socket(peer, rig, "127.0.0.1", SOCK_STREAM);
	assert_int_equal(connect(peer->fd, (struct sockaddr *)&storage, length), 0);
}

void peer_tcp_server(struct peer *peer, struct rig *rig)
{
	peer->acceptor = open_socket(peer, rig, "127.0.0.1", SOCK_STREAM);
	assert_int_equal(listen(peer->acceptor, 8), 0);
}

void peer_accept(struct peer *peer)
{
	uint64_t end = wheel_now_ms() + RIG_PATIENCE_MS;
	struct pollfd poller = {.fd = peer->acceptor, .events = POLLIN};

	if (peer->fd >= 0)
		close(peer->fd);
	while (poll(&poller, 1, 0) != 1) {
		if (wheel_now_ms() > end)
			fail_msg("nobody connected");
		rig_turn(peer->rig);
	}
	peer->fd = accept(peer->acceptor, NULL, NULL);
	assert_true(peer->fd >= 0);
}

void peer_close(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	if (peer->acceptor >= 0)
		close(peer->acceptor);
	peer->fd = peer->acceptor = -1;
}

void peer_send(struct peer *peer, const struct netaddr *to, const char *format, ...)
{
	struct sockaddr_storage storage;
	socklen_t length = to ? netaddr_to_sockaddr(to, &storage) : 0;
	char *text;
	va_list list;
	int len;

	va_start(list, format);
	len = vasprintf(&text, format, list);
	va_end(list);
	assert_true(len > 0);
	assert_int_equal(sendto(peer->fd, text, (size_t)len, MSG_NOSIGNAL,
				to ? (struct sockaddr *)&storage : NULL, length),
			 len);
	free(text);
}

/* True when there was something; an end of the stream is an empty message. */
static bool take(struct peer *peer)
{
	ssize_t len = recv(peer->fd, peer->text, sizeof(peer->text) - 1, MSG_DONTWAIT);

	if (len < 0) /* what came last stays */
		return false;
	peer->len = (size_t)len;
	peer->text[len] = '\0';
	return true;
}

const char *peer_expect(struct peer *peer, const char *start)
{
	uint64_t end = wheel_now_ms() + RIG_PATIENCE_MS;

	do {
		while (!take(peer)) {
			if (wheel_now_ms() > end)
				fail_msg("no '%s' came", start);
			rig_turn(peer->rig);
		}
		if (!peer->len && *start && peer->acceptor >= 0)
			fail_msg("closed instead of '%s'", start);
		if (wheel_now_ms() > end)
			fail_msg("no '%s' came; last '%.40s'", start, peer->text);
	} while (strncmp(peer->text, start, strlen(start)) != 0);
	return peer->text;
}

unsigned peer_drain(struct peer *peer, const char *start)
{
	unsigned count = 0;

	while (take(peer) && peer->len)
		count += !strncmp(peer->text, start, strlen(start));
	return count;
}

/* ---- texts ----------------------------------------------------------------------------------- */

const char *header_of(const char *text, const char *name)
{
	static char value[8][512];
	static unsigned turn;
	char *out = value[turn++ % 8], pattern[64];
	const char *at;

	snprintf(pattern, sizeof(pattern), "\r\n%s: ", name);
	at = strstr(text, pattern);
	out[0] = '\0';
	if (at) {
		at += strlen(pattern);
		snprintf(out, sizeof(value[0]), "%.*s", (int)strcspn(at, "\r"), at);
	}
	return out;
}

void answer_to(char *out, size_t size, const char *request, int status, const char *tag)
{
	snprintf(out, size,
		 "SIP/2.0 %d Whatever\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s%s\r\nCall-ID: %s\r\n"
		 "CSeq: %s\r\n%sContent-Length: 0\r\n\r\n",
		 status, header_of(request, "Via"), header_of(request, "From"),
		 header_of(request, "To"), tag ? ";tag=" : "", tag ? tag : "",
		 header_of(request, "Call-ID"), header_of(request, "CSeq"),
		 status / 100 == 2 ? "Contact: <sip:bob@127.0.0.1>\r\n" : "");
}

int rig_try_send(struct rig *rig, enum sip_method method, const struct sip_flow *flow,
		 const char *uri, struct sip_client_tx **tx)
{
	struct buf text = BUF_EMPTY;
	struct sip_outgoing outgoing = {.method = method, .flow = flow, .uri = str_of(uri)};
	char call_id[SIP_TOKEN_LEN];
	int ret;

	sip_token(rig->stack, call_id);
	sip_write_request_line(&text, sip_method_name(method), STR("sip:bob@example.net"));
	sip_write_header(&text, "Route", STR("<sip:hop.example.net;lr>"));
	sip_write_header(&text, "Max-Forwards", STR("70"));
	sip_write_header(&text, "From", STR("<sip:us@example.net>;tag=f1"));
	sip_write_header(&text, "To", STR("<sip:bob@example.net>"));
	sip_write_header(&text, "Call-ID", str_of(call_id));
	buf_addf(&text, "CSeq: 1 %s\r\n", sip_method_name(method).p);
	sip_write_body(&text, STR_NONE, STR_NONE);
	outgoing.text = buf_str(&text);
	outgoing.contact = true;
	outgoing.contact_user = STR("us");
	ret = buf_error(&text);
	if (!ret)
		ret = sip_client_send(rig->stack, &outgoing, &rig_client, rig, tx);
	buf_free(&text);
	return ret;
}

struct sip_client_tx *rig_send(struct rig *rig, enum sip_method method, const struct sip_flow *flow,
			       const char *uri)
{
	struct sip_client_tx *tx = NULL;

	assert_int_equal(rig_try_send(rig, method, flow, uri, &tx), 0);
	return tx;
}
