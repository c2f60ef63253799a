// SPDX-License-Identifier: BSD-2-Clause
/* The listeners of one worker, and which of them a message leaves by. */
#include <errno.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>

#include "sip/tcp.h"
#include "sip/tls.h"

#define CHOICE_MS 2000u /* routes may change */

static const struct {
	const char *name, *parameter;
} protos[] = {[SIP_UDP] = {"UDP", "udp"}, [SIP_TCP] = {"TCP", "tcp"}, [SIP_TLS] = {"TLS", "tls"}};

bool sip_proto_is_stream(enum sip_proto proto)
{
	return proto != SIP_UDP;
}

const char *sip_proto_name(enum sip_proto proto)
{
	return protos[proto].name;
}

const char *sip_proto_parameter(enum sip_proto proto)
{
	return protos[proto].parameter;
}

int sip_proto_parse(enum sip_proto *out, struct str name)
{
	for (unsigned i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (str_case_eq(name, str_of(protos[i].name))) {
			*out = (enum sip_proto)i;
			return 0;
		}
	}
	return -EINVAL;
}

uint64_t transport_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int sip_transport_alloc(struct sip_transport **out, struct event_base *base, struct wheel *wheel,
			struct log *log, const struct sip_transport_handlers *handlers,
			void *context)
{
	struct sip_transport *transport = calloc(1, sizeof(*transport));
	int ret;

	if (!transport)
		return -ENOMEM;
	transport->base = base;
	transport->wheel = wheel;
	transport->log = log;
	transport->handlers = *handlers;
	transport->context = context;
	list_init(&transport->listeners);
	ret = udp_batch_alloc(&transport->batch);
	if (!ret)
		ret = connections_alloc(&transport->connections, transport);
	if (ret < 0) {
		sip_transport_free(transport);
		return ret;
	}
	/* A peer that goes away while we write to it would end the process otherwise. */
	signal(SIGPIPE, SIG_IGN);
	*out = transport;
	return 0;
}

static void listener_free(struct listener *listener)
{
	udp_close(listener);
	tcp_close(listener);
	tls_free(listener->tls);
	list_remove(&listener->node);
	listener->transport->listening--;
	free(listener);
}

void sip_transport_free(struct sip_transport *transport)
{
	if (!transport)
		return;
	list_for_each(node, after, &transport->listeners)
		listener_free(container_of(node, struct listener, node));
	connections_free(transport->connections);
	udp_batch_free(transport->batch);
	free(transport);
}

/* ---- listeners ----------------------------------------------------------------------------- */

static int refuse(struct error *err, int ret, enum sip_proto proto, const struct netaddr *at)
{
	char text[NETADDR_STRLEN];

	netaddr_format(at, text);
	switch (ret) {
	case -EINVAL:
		return error_set(err, ret,
				 "%s:%s: an address of all zeros cannot be told to phones: name "
				 "the address that they reach",
				 sip_proto_parameter(proto), text);
	case -ENOSPC:
		return error_set(err, ret, "%s:%s: more than %u addresses to listen at",
				 sip_proto_parameter(proto), text, LISTENERS);
	default:
		return error_set(err, ret, "%s:%s: cannot listen: %s", sip_proto_parameter(proto),
				 text, strerror(-ret));
	}
}

static int open_listener(struct listener *listener)
{
	if (listener->tls && !tls_accepts(listener->tls))
		return 0;
	return listener->proto == SIP_UDP ? udp_open(listener) : tcp_open(listener);
}

int sip_transport_listen(struct sip_transport *transport, enum sip_proto proto,
			 const struct netaddr *at, const struct sip_tls_config *tls,
			 struct error *err)
{
	struct listener *listener;
	int ret;

	if (netaddr_is_any(at))
		return refuse(err, -EINVAL, proto, at);
	if (transport->listening >= LISTENERS)
		return refuse(err, -ENOSPC, proto, at);
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return refuse(err, -ENOMEM, proto, at);
	*listener = (struct listener){.transport = transport, .proto = proto, .at = *at, .fd = -1};
	ret = proto == SIP_TLS ? tls_alloc(&listener->tls, tls, err) : 0;
	if (ret < 0)
		goto fail;
	ret = open_listener(listener);
	if (ret < 0) {
		refuse(err, ret, proto, at);
		goto fail;
	}
	list_append(&transport->listeners, &listener->node);
	transport->listening++;
	return 0;
fail:
	tls_free(listener->tls);
	free(listener);
	return ret;
}

int sip_transport_renew(struct sip_transport *transport, const struct netaddr *at,
			const struct sip_tls_config *tls, struct error *err)
{
	struct listener *listener = transport_listener(transport, SIP_TLS, at);
	struct tls *renewed;
	int ret;

	if (!listener)
		return refuse(err, -ENOENT, SIP_TLS, at);
	ret = tls_alloc(&renewed, tls, err);
	if (ret < 0)
		return ret;
	tls_free(listener->tls);
	listener->tls = renewed;
	return 0;
}

int64_t sip_transport_not_after(const struct sip_transport *transport)
{
	int64_t first = INT64_MAX;

	list_for_each(node, after, &transport->listeners)
	{
		const struct listener *listener = container_of(node, struct listener, node);
		int64_t end = listener->tls ? tls_not_after(listener->tls) : INT64_MAX;

		first = end < first ? end : first;
	}
	return first;
}

int sip_transport_unlisten(struct sip_transport *transport, enum sip_proto proto,
			   const struct netaddr *at)
{
	struct listener *listener = transport_listener(transport, proto, at);

	if (!listener)
		return -ENOENT;
	listener_free(listener);
	return 0;
}

int sip_transport_bind_device(struct sip_transport *transport, enum sip_proto proto,
			      const struct netaddr *at, const char *device)
{
	struct listener *listener = transport_listener(transport, proto, at);
	int fd, ret = 0;

	if (!listener)
		return -ENOENT;
	if (strlen(device) >= sizeof(listener->device))
		return -ENODEV;
	fd = listener->acceptor.listener ? acceptor_fd(&listener->acceptor) : listener->fd;
	if (fd >= 0)
		ret = transport_use_device(fd, device);
	if (!ret)
		memcpy(listener->device, device, strlen(device) + 1);
	return ret;
}

int transport_use_device(int fd, const char *device)
{
	if (device[0] &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)))
		return -errno;
	return 0;
}

void sip_transport_disconnect(struct sip_transport *transport, const struct netaddr *local)
{
	connections_end(transport->connections, local);
}

struct listener *transport_listener(const struct sip_transport *transport, enum sip_proto proto,
				    const struct netaddr *at)
{
	list_for_each(node, after, &transport->listeners)
	{
		struct listener *listener = container_of(node, struct listener, node);

		if (listener->proto == proto && netaddr_eq(&listener->at, at))
			return listener;
	}
	return NULL;
}

bool sip_transport_is_ours(const struct sip_transport *transport, const struct netaddr *at)
{
	list_for_each(node, after, &transport->listeners)
	{
		const struct netaddr *own = &container_of(node, struct listener, node)->at;

		if (at->port ? netaddr_eq(own, at) : netaddr_same_host(own, at))
			return true;
	}
	return false;
}

/* ---- sending ------------------------------------------------------------------------------- */

/* The first listener that fits, and how many do. With `source`, only those of that address. */
static size_t candidates(const struct sip_transport *transport, const struct sip_flow *flow,
			 const struct netaddr *source, struct listener **first)
{
	bool ipv4 = netaddr_is_ipv4(&flow->remote);
	size_t count = 0;

	list_for_each(node, after, &transport->listeners)
	{
		struct listener *listener = container_of(node, struct listener, node);

		if (listener->proto != flow->proto || netaddr_is_ipv4(&listener->at) != ipv4)
			continue;
		if (source && !netaddr_same_host(&listener->at, source))
			continue;
		if (!count++)
			*first = listener;
	}
	return count;
}

/*
 * Asking the kernel takes four system calls. A slot is only a guess at what is asked next: whoever
 * else falls on it takes it over.
 */
static const struct choice *way_to(struct sip_transport *transport, const struct netaddr *remote)
{
	const uint8_t *a = remote->addr;
	size_t slot = (a[15] ^ a[14] * 31u ^ a[13] * 7u ^ a[11] ^ a[7] * 5u) % CHOICES;
	struct choice *choice = &transport->choice[slot];
	uint64_t now = wheel_now_ms();

	if (now >= choice->until_ms || !netaddr_same_host(&choice->remote, remote)) {
		choice->until_ms = 0;
		if (netaddr_source_for(&choice->source, &choice->mtu, remote) < 0)
			return NULL;
		choice->remote = *remote;
		choice->until_ms = now + CHOICE_MS;
	}
	return choice;
}

unsigned sip_transport_mtu(struct sip_transport *transport, const struct netaddr *remote)
{
	const struct choice *way = way_to(transport, remote);

	return way ? way->mtu : 0;
}

static struct listener *choose(struct sip_transport *transport, const struct sip_flow *flow)
{
	struct listener *first = NULL, *fits = NULL;
	const struct choice *way;

	if (candidates(transport, flow, NULL, &first) > 1 &&
	    (way = way_to(transport, &flow->remote)))
		candidates(transport, flow, &way->source, &fits);
	return fits ? fits : first;
}

int sip_transport_choose(struct sip_transport *transport, struct sip_flow *flow)
{
	struct listener *listener;

	if (flow->local.port)
		return 0;
	listener = choose(transport, flow);
	if (!listener)
		return -EHOSTUNREACH;
	flow->local = listener->at;
	return 0;
}

int sip_transport_send(struct sip_transport *transport, struct sip_flow *flow,
		       struct str server_name, struct str message)
{
	const struct listener *listener;
	int ret = sip_transport_choose(transport, flow);

	if (ret < 0)
		return ret;
	if (message.n > STREAM_MESSAGE_MAX)
		return -EMSGSIZE;
	listener = transport_listener(transport, flow->proto, &flow->local);
	if (flow->proto != SIP_UDP)
		return tcp_send(transport->connections, listener, flow, server_name, message);
	return listener ? udp_send(listener, &flow->remote, message) : -EHOSTUNREACH;
}
