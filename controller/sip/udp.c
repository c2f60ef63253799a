// SPDX-License-Identifier: BSD-2-Clause
/* Datagrams: read in batches, so that a system call is shared by many; written one at a time. */
#include <errno.h>
#include <event2/event.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "sip/transport_private.h"

#define BATCHES_A_TURN 4u /* then timers and other sockets have their turn */
#define SOCKET_QUEUE (4 * 1024 * 1024)
#define QUEUED_MOST_NS 60000000000u /* nothing waits longer in a socket's queue */
/* One byte more than allowed is kept, so that the reader sees that it is too long, and a NUL. */
#define ROOM (DATAGRAM_MAX + 2u)

struct udp_batch {
	struct mmsghdr message[SIP_ARRIVALS];
	struct iovec part[SIP_ARRIVALS];
	struct sockaddr_storage from[SIP_ARRIVALS];
	_Alignas(struct cmsghdr) char control[SIP_ARRIVALS][CMSG_SPACE(sizeof(struct timespec))];
	char data[SIP_ARRIVALS][ROOM];
	struct sip_arrival arrival[SIP_ARRIVALS];
};

int udp_batch_alloc(struct udp_batch **out)
{
	struct udp_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return -ENOMEM;
	for (size_t i = 0; i < SIP_ARRIVALS; i++) {
		batch->part[i] = (struct iovec){batch->data[i], ROOM - 1};
		batch->message[i].msg_hdr.msg_iov = &batch->part[i];
		batch->message[i].msg_hdr.msg_iovlen = 1;
		batch->message[i].msg_hdr.msg_name = &batch->from[i];
		batch->message[i].msg_hdr.msg_control = batch->control[i];
	}
	*out = batch;
	return 0;
}

void udp_batch_free(struct udp_batch *batch)
{
	free(batch);
}

/* Keep-alives of phones behind NAT: empty lines, or (some) four zero bytes. */
static bool is_keepalive(struct str data)
{
	if (data.n == 4 && !memcmp(data.p, "\0\0\0\0", 4))
		return true;
	return !str_trim(data).n;
}

/* False: it is no message. */
static bool take(const struct listener *listener, const struct sockaddr *from, char *data,
		 size_t len, struct sip_arrival *out)
{
	*out = (struct sip_arrival){
		.flow = {.proto = SIP_UDP, .local = listener->at}, .data = data, .len = len};
	data[len] = '\0';
	if (is_keepalive((struct str){data, len}))
		return false;
	netaddr_from_sockaddr(&out->flow.remote, from);
	return out->flow.remote.port;
}

/* The kernel's stamp (CLOCK_REALTIME); 0: there is none. */
static uint64_t stamp_of(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		struct timespec stamp;

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(part), sizeof(stamp));
		return (uint64_t)stamp.tv_sec * 1000000000u + (uint64_t)stamp.tv_nsec;
	}
	return 0;
}

/*
 * On our clock: so long ago as the other one says. Where that was set meanwhile it says nonsense,
 * and the datagram counts as come now.
 */
static uint64_t arrival_ns(uint64_t stamp, uint64_t real, uint64_t now)
{
	uint64_t waited = stamp && stamp < real ? real - stamp : 0;

	return waited < QUEUED_MOST_NS && waited < now ? now - waited : now;
}

static int read_batch(struct listener *listener)
{
	struct sip_transport *transport = listener->transport;
	struct udp_batch *batch = transport->batch;
	size_t arrived = 0;
	uint64_t real, now;
	int count;

	for (size_t i = 0; i < SIP_ARRIVALS; i++) {
		batch->message[i].msg_hdr.msg_namelen = sizeof(batch->from[i]);
		batch->message[i].msg_hdr.msg_controllen = sizeof(batch->control[i]);
	}
	count = recvmmsg(listener->fd, batch->message, SIP_ARRIVALS, MSG_DONTWAIT, NULL);
	real = transport_clock_ns(CLOCK_REALTIME);
	now = transport_clock_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < count; i++) {
		struct sip_arrival *next = &batch->arrival[arrived];

		if (!take(listener, (struct sockaddr *)&batch->from[i], batch->data[i],
			  batch->message[i].msg_len, next))
			continue;
		next->at_ns = arrival_ns(stamp_of(&batch->message[i].msg_hdr), real, now);
		arrived++;
	}
	if (arrived)
		transport->handlers.received(transport->context, batch->arrival, arrived);
	return count;
}

/* ---- what comes back: ICMP (RFC 3261 18.4) --------------------------------------------------- */

/* 0: nothing that says that nobody is there. */
static int icmp_error(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		struct sock_extended_err error;

		if ((part->cmsg_level != SOL_IP || part->cmsg_type != IP_RECVERR) &&
		    (part->cmsg_level != SOL_IPV6 || part->cmsg_type != IPV6_RECVERR))
			continue;
		memcpy(&error, CMSG_DATA(part), sizeof(error));
		if ((error.ee_origin == SO_EE_ORIGIN_ICMP ||
		     error.ee_origin == SO_EE_ORIGIN_ICMP6) &&
		    error.ee_errno != EMSGSIZE)
			return -(int)error.ee_errno;
	}
	return 0;
}

/* True when there was one. */
static bool read_error(struct listener *listener)
{
	struct sip_transport *transport = listener->transport;
	struct sip_flow flow = {.proto = SIP_UDP, .local = listener->at};
	struct sockaddr_storage to = {.ss_family = AF_UNSPEC};
	_Alignas(struct cmsghdr) char control[512];
	char data[1];
	struct iovec part = {data, sizeof(data)};
	struct msghdr message = {.msg_name = &to,
				 .msg_namelen = sizeof(to),
				 .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	int error;

	if (recvmsg(listener->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	error = icmp_error(&message);
	netaddr_from_sockaddr(&flow.remote, (struct sockaddr *)&to);
	if (error && flow.remote.port)
		transport->handlers.closed(transport->context, &flow, error);
	return true;
}

static void watch_errors(const struct listener *listener)
{
	const int on = 1;

	if (netaddr_is_ipv4(&listener->at))
		setsockopt(listener->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	else
		setsockopt(listener->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void readable(evutil_socket_t fd, short what, void *context)
{
	int count = 0;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < BATCHES_A_TURN; i++) {
		count = read_batch(context);
		if (count < (int)SIP_ARRIVALS)
			break;
	}
	/* Woken for nothing: it was an error. Datagrams go first, errors never keep them waiting.
	 */
	for (unsigned i = 0; count <= 0 && i < SIP_ARRIVALS; i++) {
		if (!read_error(context))
			return;
	}
}

int udp_open(struct listener *listener)
{
	struct sockaddr_storage storage;
	socklen_t length = netaddr_to_sockaddr(&listener->at, &storage);
	const int queue = SOCKET_QUEUE, on = 1;
	int ret;

	/* No SO_REUSEADDR: on UDP it would let a second process take our datagrams. */
	listener->fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->fd < 0)
		return -errno;
	/* A burst of calls must fit; how much the system grants is its own matter. */
	setsockopt(listener->fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof(queue));
	setsockopt(listener->fd, SOL_SOCKET, SO_SNDBUF, &queue, sizeof(queue));
	setsockopt(listener->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (bind(listener->fd, (struct sockaddr *)&storage, length) ||
	    getsockname(listener->fd, (struct sockaddr *)&storage, &length)) {
		ret = -errno;
		goto fail;
	}
	netaddr_from_sockaddr(&listener->at, (struct sockaddr *)&storage);
	watch_errors(listener);
	listener->readable = event_new(listener->transport->base, listener->fd,
				       EV_READ | EV_PERSIST, readable, listener);
	if (!listener->readable || event_add(listener->readable, NULL)) {
		ret = -ENOMEM;
		goto fail;
	}
	return 0;
fail:
	udp_close(listener);
	return ret;
}

void udp_close(struct listener *listener)
{
	if (listener->readable)
		event_free(listener->readable);
	if (listener->fd >= 0)
		close(listener->fd);
	listener->readable = NULL;
	listener->fd = -1;
}

int udp_send(const struct listener *listener, const struct netaddr *to, struct str message)
{
	struct sockaddr_storage storage;
	socklen_t length = netaddr_to_sockaddr(to, &storage);

	/* The first error may be of another datagram, that an ICMP message told of. */
	for (unsigned i = 0; i < 2; i++) {
		if (sendto(listener->fd, message.p, message.n, MSG_DONTWAIT | MSG_NOSIGNAL,
			   (struct sockaddr *)&storage, length) >= 0)
			return 0;
		if (errno == EAGAIN || errno == ENOBUFS)
			return 0;
	}
	return -errno;
}
