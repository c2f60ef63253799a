// SPDX-License-Identifier: BSD-2-Clause
#include "sip/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKLOG 1024
#define UNACKED_MS 30000

int connections_alloc(struct connections **out, struct sip_transport *transport)
{
	struct connections *all = calloc(1, sizeof(*all));
	int ret;

	if (!all)
		return -ENOMEM;
	all->transport = transport;
	all->limits = (struct sip_transport_limits){.connections = SIP_CONNECTIONS,
						    .per_source = 512,
						    .idle_ms = 3900 * 1000,
						    .connect_ms = 4 * 1000,
						    .first_ms = 20 * 1000,
						    .message_ms = 20 * 1000,
						    .queue = 512 * 1024};
	ret = hash_seed_make(&all->seed);
	if (!ret)
		ret = hash_init(&all->by_number);
	if (!ret)
		ret = hash_init(&all->by_remote);
	if (!ret)
		ret = hash_init(&all->sources);
	if (ret < 0) {
		connections_free(all);
		return ret;
	}
	*out = all;
	return 0;
}

void connections_free(struct connections *connections)
{
	struct hash_node *node;

	if (!connections)
		return;
	/* The first of what is left, each time: freeing takes it out of the table. */
	for (size_t cursor = 0; connections->by_number.count; cursor = 0) {
		node = hash_walk(&connections->by_number, &cursor, NULL);
		conn_free(conn_by_number(connections, node->key));
	}
	hash_free(&connections->by_number);
	hash_free(&connections->by_remote);
	hash_free(&connections->sources);
	free(connections);
}

static struct conn *any_of(const struct connections *connections, const struct netaddr *local)
{
	struct hash_node *node, *after = NULL;
	size_t cursor = 0;

	while ((node = hash_walk(&connections->by_number, &cursor, after))) {
		struct conn *conn = conn_by_number(connections, node->key);

		after = node->next;
		if (netaddr_same_host(conn_local(conn), local))
			return conn;
	}
	return NULL;
}

/* From the start each time: whoever is told may open others, or end them. */
void connections_end(struct connections *connections, const struct netaddr *local)
{
	struct conn *conn;

	while ((conn = any_of(connections, local)))
		conn_end(conn, -ENETDOWN);
}

void sip_transport_limit(struct sip_transport *transport, const struct sip_transport_limits *limits)
{
	const unsigned *from = (const unsigned *)limits;
	unsigned *to = (unsigned *)&transport->connections->limits;

	_Static_assert(sizeof(*limits) % sizeof(unsigned) == 0, "limits are all unsigned");
	for (size_t i = 0; i < sizeof(*limits) / sizeof(unsigned); i++)
		to[i] = from[i] ? from[i] : to[i];
}

/* ---- accepting ------------------------------------------------------------------------------- */

/* A phone that lost its network is noticed in some minutes, not in two hours. */
static void set_options(int fd)
{
	const int on = 1, idle = 120, interval = 30, probes = 4, unacked = UNACKED_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof(unacked));
}

/* Said once, until there is room for a tenth of them again: whoever floods us shall not fill the
 * log. */
static void complain_if_full(struct connections *all)
{
	size_t count = all->by_number.count, most = all->limits.connections;

	if (count < most - most / 10)
		all->full = false;
	if (count < most || all->full)
		return;
	all->full = true;
	log_warning(all->transport->log, NULL,
		    "%zu connections are the most (open files: LimitNOFILE): others are refused",
		    most);
}

static void accepted(void *context, int fd, const struct sockaddr *from)
{
	struct listener *listener = context;
	struct sip_transport *transport = listener->transport;
	enum log_level level = LOG_LEVEL_DEBUG;
	char text[NETADDR_STRLEN];
	struct netaddr remote;
	struct conn *conn;
	int ret;

	netaddr_from_sockaddr(&remote, from);
	set_options(fd);
	complain_if_full(transport->connections);
	ret = conn_alloc(&conn, transport->connections, listener, fd, &remote, NULL);
	if (ret == -ENOMEM && connections_may_complain(transport->connections))
		level = LOG_LEVEL_WARNING;
	if (ret < 0)
		log_write(transport->log, level, NULL, "%s:%s: connection refused: %s",
			  sip_proto_parameter(listener->proto), netaddr_format(&remote, text),
			  strerror(-ret));
}

int tcp_open(struct listener *listener)
{
	struct sip_transport *transport = listener->transport;
	struct sockaddr_storage storage;
	socklen_t length = netaddr_to_sockaddr(&listener->at, &storage);
	int ret;

	listener->acceptor = (struct acceptor){.name = sip_proto_parameter(listener->proto),
					       .wheel = transport->wheel,
					       .log = transport->log,
					       .accepted = accepted,
					       .context = listener};
	ret = acceptor_bind(&listener->acceptor, transport->base, (struct sockaddr *)&storage,
			    length, true, BACKLOG);
	if (ret)
		return ret;
	if (getsockname(acceptor_fd(&listener->acceptor), (struct sockaddr *)&storage, &length)) {
		ret = -errno;
		tcp_close(listener);
		return ret;
	}
	netaddr_from_sockaddr(&listener->at, (struct sockaddr *)&storage);
	return 0;
}

void tcp_close(struct listener *listener)
{
	acceptor_close(&listener->acceptor);
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* A socket that connects, from the listener's address, so that the answer finds its way. */
static int connect_from(const struct listener *listener, const struct netaddr *remote)
{
	struct netaddr source = listener->at;
	struct sockaddr_storage storage;
	const int on = 1;
	socklen_t length;
	int fd, ret;

	source.port = 0;
	length = netaddr_to_sockaddr(&source, &storage);
	fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	set_options(fd);
	/* The port is chosen by connect(): the same one may serve towards several peers. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (transport_use_device(fd, listener->device) ||
	    bind(fd, (struct sockaddr *)&storage, length))
		goto fail;
	length = netaddr_to_sockaddr(remote, &storage);
	if (connect(fd, (struct sockaddr *)&storage, length) && errno != EINPROGRESS)
		goto fail;
	return fd;
fail:
	ret = -errno;
	close(fd);
	return ret;
}

static int open_conn(struct connections *connections, const struct listener *listener,
		     const struct sip_flow *flow, struct str name, struct conn **conn)
{
	int fd = connect_from(listener, &flow->remote);

	if (fd < 0)
		return fd;
	return conn_alloc(conn, connections, listener, fd, &flow->remote, &name);
}

int tcp_send(struct connections *connections, const struct listener *listener,
	     struct sip_flow *flow, struct str name, struct str message)
{
	struct conn *conn = conn_by_number(connections, flow->conn);
	int ret = 0;

	if (!conn)
		conn = conn_by_remote(connections, flow, name);
	if (!conn)
		ret = listener ? open_conn(connections, listener, flow, name, &conn)
			       : -EHOSTUNREACH;
	if (ret < 0)
		return ret;
	flow->conn = conn_number(conn);
	return conn_send(conn, message);
}
