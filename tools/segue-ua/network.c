// SPDX-License-Identifier: BSD-2-Clause
#include "network.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define TRIES 100u
#define LOWEST 20000u
#define PAIRS 20000u

static uint16_t any_even_port(void)
{
	uint16_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		random = 0;
	return (uint16_t)(LOWEST + 2 * (random % PAIRS));
}

/* A descriptor, or a negative errno. */
static int open_port(const struct ua_network *network, const struct netaddr *at)
{
	struct sockaddr_storage storage;
	socklen_t length = netaddr_to_sockaddr(at, &storage);
	int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), ret = 0;

	if (fd < 0)
		return -errno;
	/* Where two networks would share the default route, the source address alone decides
	 * nothing. */
	if (network->device[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, network->device,
					     (socklen_t)strlen(network->device)))
		ret = -errno;
	if (!ret && bind(fd, (struct sockaddr *)&storage, length))
		ret = -errno;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/* RTP on an even port, RTCP on the next one (RFC 3550 11). */
static int open_pair(const struct ua_network *network, struct ua_port *pair, uint16_t port)
{
	struct netaddr next = pair->at;

	pair->at.port = port;
	next.port = (uint16_t)(port + 1);
	pair->rtp_fd = open_port(network, &pair->at);
	if (pair->rtp_fd < 0)
		return pair->rtp_fd;
	pair->rtcp_fd = open_port(network, &next);
	if (pair->rtcp_fd >= 0)
		return 0;
	close(pair->rtp_fd);
	pair->rtp_fd = -1;
	return pair->rtcp_fd;
}

static int open_media(struct ua_network *network, enum ua_kind kind, uint16_t port,
		      struct error *err)
{
	struct ua_port *pair = &network->port[kind];
	char text[NETADDR_STRLEN];
	int ret = -EADDRINUSE;

	for (unsigned i = 0; ret == -EADDRINUSE && i < (port ? 1 : TRIES); i++)
		ret = open_pair(network, pair,
				port ? (uint16_t)(port + 2 * kind) : any_even_port());
	if (ret)
		error_set(err, ret, "%s: cannot open media ports at %s: %s", network->name,
			  netaddr_format(&pair->at, text), strerror(-ret));
	return ret;
}

int ua_network_listen(struct ua_network *network, struct sip_transport *transport,
		      enum sip_proto proto, uint16_t port, const struct sip_tls_config *tls,
		      struct error *err)
{
	int ret = -EADDRINUSE;

	network->sip.port = port;
	for (unsigned i = 0; ret == -EADDRINUSE && i < (port ? 1 : TRIES); i++) {
		/* Chosen here, so that it is known: the transport does not say which it got. */
		if (!port)
			network->sip.port = any_even_port();
		ret = sip_transport_listen(transport, proto, &network->sip, tls, err);
	}
	if (!ret && network->device[0]) {
		ret = sip_transport_bind_device(transport, proto, &network->sip, network->device);
		if (ret)
			error_set(err, ret, "%s: cannot be bound to %s: %s", network->name,
				  network->device, strerror(-ret));
	}
	return ret;
}

int ua_network_open(struct ua_network *network, const struct ua_network_options *options,
		    uint16_t rtp_port, bool video, struct error *err)
{
	int ret;

	memcpy(network->name, options->name, sizeof(network->name));
	memcpy(network->device, options->device, sizeof(network->device));
	network->sip = options->address;
	network->proxy = options->proxy;
	for (unsigned kind = 0; kind < UA_KINDS; kind++) {
		network->port[kind].at = options->address;
		network->port[kind].rtp_fd = network->port[kind].rtcp_fd = -1;
	}
	network->up = true;
	ret = open_media(network, UA_AUDIO, rtp_port, err);
	if (!ret && video)
		ret = open_media(network, UA_VIDEO, rtp_port, err);
	if (ret)
		ua_network_close(network);
	return ret;
}

static void close_one(int *fd, struct event **readable)
{
	if (*readable)
		event_free(*readable);
	*readable = NULL;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void ua_network_close(struct ua_network *network)
{
	for (unsigned kind = 0; kind < UA_KINDS; kind++) {
		struct ua_port *pair = &network->port[kind];

		close_one(&pair->rtp_fd, &pair->rtp_readable);
		close_one(&pair->rtcp_fd, &pair->rtcp_readable);
	}
}
