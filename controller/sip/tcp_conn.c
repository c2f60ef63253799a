// SPDX-License-Identifier: BSD-2-Clause
/* One connection: its messages, its keep-alives, its clock, its end. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/event_memory.h"
#include "sip/tcp.h"
#include "sip/tls.h"

/* How long the last bytes to a peer that sent nonsense may take. */
#define CLOSING_MS 2000u
#define COMPLAIN_MS 1000u
#define BEV_OPTIONS (BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)

/* Whoever connects, and how often. IPv6: a host has a whole /64. */
struct source {
	struct hash_node node;
	uint8_t prefix[16];
	unsigned count;
};

struct conn {
	struct hash_node by_number, by_remote;
	struct connections *all;
	struct source *source; /* NULL: we connected */
	struct bufferevent *bev;
	struct sip_flow flow;
	struct timer timer;
	struct frame frame;
	char *name;	       /* the certificate was checked for it; "" its address; NULL: not */
	uint64_t active_ms;    /* last whole message or keep-alive */
	uint64_t partial_ms;   /* since when a message is incomplete; 0: none is */
	bool greeted, closing; /* a message came (accepted) or it stands (ours); to be closed */
	int failed;	       /* why it cannot go on: closed as soon as nobody holds it */
};

/* ---- who connects ---------------------------------------------------------------------------- */

static uint64_t source_key(const struct connections *all, uint8_t prefix[16],
			   const struct netaddr *remote)
{
	memcpy(prefix, remote->addr, 16);
	if (!netaddr_is_ipv4(remote))
		memset(prefix + 8, 0, 8);
	return hash_text(&all->seed, (struct str){(const char *)prefix, 16});
}

static struct source *find_source(const struct connections *all, uint64_t key,
				  const uint8_t prefix[16])
{
	struct hash_node *node = hash_first(&all->sources, key);

	while (node && memcmp(container_of(node, struct source, node)->prefix, prefix, 16) != 0)
		node = hash_next(node);
	return node ? container_of(node, struct source, node) : NULL;
}

static int enter_source(struct conn *conn)
{
	struct connections *all = conn->all;
	uint8_t prefix[16];
	uint64_t key = source_key(all, prefix, &conn->flow.remote);
	struct source *source = find_source(all, key, prefix);

	if (source && source->count >= all->limits.per_source)
		return -EUSERS;
	if (!source) {
		source = calloc(1, sizeof(*source));
		if (!source)
			return -ENOMEM;
		memcpy(source->prefix, prefix, sizeof(prefix));
		hash_add(&all->sources, &source->node, key);
	}
	source->count++;
	conn->source = source;
	return 0;
}

static void leave_source(struct conn *conn)
{
	struct source *source = conn->source;

	if (!source || --source->count)
		return;
	hash_remove(&conn->all->sources, &source->node);
	free(source);
}

/* ---- finding --------------------------------------------------------------------------------- */

static uint64_t remote_key(const struct connections *all, const struct sip_flow *flow,
			   struct str name)
{
	const char ends[] = {(char)flow->proto, (char)(flow->remote.port >> 8),
			     (char)flow->remote.port};
	uint64_t key = hash_text(&all->seed, (struct str){ends, sizeof(ends)});

	key = hash_more(&all->seed, key, (struct str){(const char *)flow->remote.addr, 16});
	return hash_more(&all->seed, key, name);
}

struct conn *conn_by_number(const struct connections *connections, uint64_t number)
{
	struct hash_node *node = number ? hash_first(&connections->by_number, number) : NULL;

	return node ? container_of(node, struct conn, by_number) : NULL;
}

/* Only TLS tells peers at one address apart by name; who connected to us has shown none. */
static struct str identity(enum sip_proto proto, struct str name)
{
	return proto == SIP_TLS ? name : STR("");
}

static bool leads_to(const struct conn *conn, const struct sip_flow *flow, struct str name)
{
	return !conn->closing && conn->name && conn->flow.proto == flow->proto &&
	       netaddr_same_host(&conn->flow.local, &flow->local) &&
	       netaddr_eq(&conn->flow.remote, &flow->remote) &&
	       str_case_eq(str_of(conn->name), name);
}

struct conn *conn_by_remote(const struct connections *connections, const struct sip_flow *flow,
			    struct str name)
{
	struct hash_node *node;

	name = identity(flow->proto, name);
	node = hash_first(&connections->by_remote, remote_key(connections, flow, name));
	while (node && !leads_to(container_of(node, struct conn, by_remote), flow, name))
		node = hash_next(node);
	return node ? container_of(node, struct conn, by_remote) : NULL;
}

uint64_t conn_number(const struct conn *conn)
{
	return conn->flow.conn;
}

const struct netaddr *conn_local(const struct conn *conn)
{
	return &conn->flow.local;
}

/* ---- the end --------------------------------------------------------------------------------- */

void conn_free(struct conn *conn)
{
	timer_stop(&conn->timer);
	if (conn->name)
		hash_remove(&conn->all->by_remote, &conn->by_remote);
	hash_remove(&conn->all->by_number, &conn->by_number);
	leave_source(conn);
	if (conn->bev)
		bufferevent_free(conn->bev);
	free(conn->name);
	free(conn);
}

void conn_end(struct conn *conn, int error)
{
	struct sip_transport *transport = conn->all->transport;
	struct sip_flow flow = conn->flow;

	conn_free(conn);
	transport->handlers.closed(transport->context, &flow, error);
}

/* Nothing more is read; what waits to be sent still goes out. */
static void end_after_writing(struct conn *conn)
{
	if (!evbuffer_get_length(bufferevent_get_output(conn->bev))) {
		conn_end(conn, -EPROTO);
		return;
	}
	conn->closing = true;
	bufferevent_disable(conn->bev, EV_READ);
}

/* A trunk that is down, or memory that is out, is one line a second, not one a call. */
bool connections_may_complain(struct connections *connections)
{
	uint64_t now = wheel_now_ms();

	if (now - connections->complained_ms < COMPLAIN_MS)
		return false;
	connections->complained_ms = now;
	return true;
}

/* Ours failing is worth knowing; what strangers do to us is not. */
static void log_failure(const struct conn *conn, int error, const char *reason)
{
	bool ours = !conn->source || error == -ENOMEM;
	char remote[NETADDR_STRLEN];

	if (ours && !connections_may_complain(conn->all))
		return;
	log_write(conn->all->transport->log, ours ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, NULL,
		  "%s:%s: connection failed: %s", sip_proto_parameter(conn->flow.proto),
		  netaddr_format(&conn->flow.remote, remote), reason);
}

/* ---- the clock ------------------------------------------------------------------------------- */

static uint64_t due_ms(const struct conn *conn)
{
	const struct sip_transport_limits *limits = &conn->all->limits;
	unsigned first_ms = conn->source ? limits->first_ms : limits->connect_ms;
	uint64_t due = conn->active_ms + (conn->greeted ? limits->idle_ms : first_ms);

	if (conn->failed)
		return 0;
	if (conn->partial_ms && conn->partial_ms + limits->message_ms < due)
		due = conn->partial_ms + limits->message_ms;
	return conn->closing ? conn->active_ms + CLOSING_MS : due;
}

static void on_timer(void *context);

static void watch(struct conn *conn, uint64_t now)
{
	uint64_t due = due_ms(conn);

	timer_start(conn->all->transport->wheel, &conn->timer, due > now ? due - now : 0, on_timer,
		    conn);
}

/* A client that holds the connection and says nothing with it, or never comes to an end. */
static bool is_slow(const struct conn *conn)
{
	return conn->source && !conn->closing && (!conn->greeted || conn->partial_ms);
}

/* Activity only moves the time; the timer looks at it when it fires. */
static void on_timer(void *context)
{
	struct conn *conn = context;
	uint64_t now = wheel_now_ms();

	if (conn->failed)
		conn_end(conn, conn->failed);
	else if (due_ms(conn) <= now)
		conn_end(conn, is_slow(conn) ? -ETIME : -ETIMEDOUT);
	else
		watch(conn, now);
}

/*
 * No memory for what came, or is to be sent: the peer connects again, while half a stream would
 * stay mute. By the timer, since whoever reads or sends still holds it.
 */
static void fail(struct conn *conn)
{
	log_failure(conn, -ENOMEM, strerror(ENOMEM));
	conn->closing = true;
	conn->failed = -ENOMEM;
	bufferevent_disable(conn->bev, EV_READ | EV_WRITE);
	watch(conn, wheel_now_ms());
}

static void note_partial(struct conn *conn, bool partial)
{
	if (!partial) {
		conn->partial_ms = 0;
	} else if (!conn->partial_ms) {
		conn->partial_ms = wheel_now_ms();
		watch(conn, conn->partial_ms);
	}
}

/* ---- reading --------------------------------------------------------------------------------- */

static void deliver(struct conn *conn, size_t len)
{
	struct connections *all = conn->all;
	struct sip_transport *transport = all->transport;
	const struct sip_arrival arrival = {.flow = conn->flow,
					    .data = all->message,
					    .len = len,
					    .at_ns = transport_clock_ns(CLOCK_MONOTONIC)};

	bufferevent_read(conn->bev, all->message, len);
	all->message[len] = '\0';
	conn->frame = (struct frame){0};
	conn->greeted = true;
	transport->handlers.received(transport->context, &arrival, 1);
}

enum read_outcome {
	READ_SOMETHING,
	READ_NOTHING, /* whole is there */
	READ_OVER,    /* the connection is, or will be when its output has gone */
};

/* Takes one thing off the input. */
static enum read_outcome read_one(struct conn *conn)
{
	struct evbuffer *input = bufferevent_get_input(conn->bev);
	size_t have = evbuffer_get_length(input), len = 0;
	struct str data = {have ? (char *)evbuffer_pullup(input, -1) : "", have};

	if (!have)
		return READ_NOTHING;
	if (!data.p) {
		fail(conn);
		return READ_OVER;
	}
	switch (frame_find(&conn->frame, data, STREAM_MESSAGE_MAX, &len)) {
	case FRAME_PING:
		conn_send(conn, STR("\r\n"));
		evbuffer_drain(input, len);
		return READ_SOMETHING;
	case FRAME_BLANK:
		evbuffer_drain(input, len);
		return READ_SOMETHING;
	case FRAME_MESSAGE:
		deliver(conn, len);
		return READ_SOMETHING;
	case FRAME_BAD: /* it is answered (400), but nothing after it can be read */
		deliver(conn, len);
		end_after_writing(conn);
		return READ_OVER;
	case FRAME_TOO_LONG:
		conn_end(conn, -EMSGSIZE);
		return READ_OVER;
	case FRAME_MORE:
		break;
	}
	return READ_NOTHING;
}

static void on_read(struct bufferevent *bev, void *context)
{
	struct conn *conn = context;
	enum read_outcome outcome;
	bool active = false;

	if (conn->closing)
		return;
	while ((outcome = read_one(conn)) == READ_SOMETHING)
		active = true;
	if (outcome == READ_OVER)
		return;
	if (active)
		conn->active_ms = wheel_now_ms();
	note_partial(conn, evbuffer_get_length(bufferevent_get_input(bev)) > 0);
}

static void on_write(struct bufferevent *bev, void *context)
{
	struct conn *conn = context;

	if (conn->closing && !evbuffer_get_length(bufferevent_get_output(bev)))
		conn_end(conn, -EPROTO);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void on_event(struct bufferevent *bev, short what, void *context)
{
	int error = errno ? -errno : -ECONNRESET;
	unsigned long tls_code = bufferevent_get_openssl_error(bev);
	struct conn *conn = context;
	char text[200];

	if (what & BEV_EVENT_CONNECTED) {
		conn->greeted = conn->greeted || !conn->source;
	} else if (what & BEV_EVENT_EOF) {
		conn_end(conn, 0);
	} else if (what & BEV_EVENT_ERROR) {
		if (tls_code)
			error = tls_error_text(tls_code, text, sizeof(text));
		log_failure(conn, error, tls_code ? text : strerror(-error));
		conn_end(conn, error);
	}
}

/* ---- the beginning --------------------------------------------------------------------------- */

/* libevent would go on without the BIO where there is no memory for it. */
static SSL *make_ssl(const struct conn *conn, const struct listener *listener, int fd)
{
	SSL *ssl = conn->source
			   ? tls_accept(listener->tls)
			   : tls_connect(listener->tls, str_of(conn->name), &conn->flow.remote);
	BIO *bio = ssl ? BIO_new_socket(fd, BIO_NOCLOSE) : NULL;

	if (bio)
		SSL_set_bio(ssl, bio, bio);
	if (bio)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static struct bufferevent *make_bev(struct conn *conn, const struct listener *listener, int fd)
{
	struct event_base *base = conn->all->transport->base;
	struct bufferevent *bev;
	SSL *ssl;

	if (!listener->tls) {
		bev = bufferevent_socket_new(base, fd, BEV_OPTIONS);
		if (bev && !conn->source && bufferevent_socket_connect(bev, NULL, 0) < 0) {
			bufferevent_free(bev);
			return NULL;
		}
		return bev;
	}
	ssl = make_ssl(conn, listener, fd);
	if (!ssl || event_memory_hold()) {
		SSL_free(ssl);
		return NULL;
	}
	/* Where it fails it frees the SSL, which is closed on free, and not the socket. */
	bev = bufferevent_openssl_socket_new(
		base, fd, ssl,
		conn->source ? BUFFEREVENT_SSL_ACCEPTING : BUFFEREVENT_SSL_CONNECTING, BEV_OPTIONS);
	event_memory_let_go();
	/* Many peers close without a TLS farewell; the framing tells whether a message was cut. */
	if (bev)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

static int open_bev(struct conn *conn, const struct listener *listener, int fd)
{
	conn->bev = make_bev(conn, listener, fd);
	if (!conn->bev)
		return -ENOMEM;
	bufferevent_setcb(conn->bev, on_read, on_write, on_event, conn);
	if (bufferevent_enable(conn->bev, EV_READ | EV_WRITE) < 0)
		return -ENOMEM;
	return 0;
}

/* Who connected by TLS has shown no name, so nothing is ever sent there but by its number. */
static int take_name(struct conn *conn, const struct str *name)
{
	struct str known = name ? identity(conn->flow.proto, *name) : STR("");

	if (!name && conn->flow.proto == SIP_TLS)
		return 0;
	conn->name = str_dup(known);
	if (!conn->name)
		return -ENOMEM;
	hash_add(&conn->all->by_remote, &conn->by_remote,
		 remote_key(conn->all, &conn->flow, known));
	return 0;
}

static int begin(struct conn *conn, const struct listener *listener, int *fd,
		 const struct str *name)
{
	int ret = conn->all->by_number.count > conn->all->limits.connections ? -EMFILE : 0;

	if (!ret && !name)
		ret = enter_source(conn);
	if (!ret)
		ret = take_name(conn, name);
	if (!ret)
		ret = open_bev(conn, listener, *fd);
	if (conn->bev)
		*fd = -1;
	return ret;
}

int conn_alloc(struct conn **out, struct connections *connections, const struct listener *listener,
	       int fd, const struct netaddr *remote, const struct str *name)
{
	struct conn *conn = calloc(1, sizeof(*conn));
	int ret = -ENOMEM;

	if (!conn)
		goto fail;
	conn->all = connections;
	conn->flow = (struct sip_flow){.proto = listener->proto,
				       .local = listener->at,
				       .remote = *remote,
				       .conn = ++connections->last_number};
	hash_add(&connections->by_number, &conn->by_number, conn->flow.conn);
	ret = begin(conn, listener, &fd, name);
	if (ret < 0) {
		conn_free(conn);
		goto fail;
	}
	conn->active_ms = wheel_now_ms();
	watch(conn, conn->active_ms);
	*out = conn;
	return 0;
fail:
	if (fd >= 0)
		close(fd);
	return ret;
}

int conn_send(struct conn *conn, struct str message)
{
	struct evbuffer *output = bufferevent_get_output(conn->bev);

	if (conn->closing)
		return -ECONNRESET;
	if (evbuffer_get_length(output) + message.n > conn->all->limits.queue)
		return -ENOBUFS;
	/* libevent begins to write by itself, but does not say that it could not. */
	if (!bufferevent_write(conn->bev, message.p, message.n) &&
	    !bufferevent_enable(conn->bev, EV_WRITE))
		return 0;
	fail(conn);
	return -ENOMEM;
}
