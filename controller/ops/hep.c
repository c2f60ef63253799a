// SPDX-License-Identifier: BSD-2-Clause
#include "ops/hep.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 256u /* bytes of all chunks but the payload */
#define HEP_FAMILY_IPV4 2u
#define HEP_FAMILY_IPV6 10u
#define HEP_PROTOCOL_SIP 1u
/* Requests that wait for the call that they make; the next one goes without an id. */
#define WAITING 64u
/* Somebody who is not there refuses every other copy: he is back when he has refused none so long.
 */
#define CALM_MS 10000u

/* Types of the chunks of vendor 0. */
enum chunk {
	CHUNK_FAMILY = 1,
	CHUNK_IP_PROTOCOL = 2,
	CHUNK_IPV4_SOURCE = 3,
	CHUNK_IPV4_DESTINATION = 4,
	CHUNK_IPV6_SOURCE = 5,
	CHUNK_IPV6_DESTINATION = 6,
	CHUNK_SOURCE_PORT = 7,
	CHUNK_DESTINATION_PORT = 8,
	CHUNK_SECONDS = 9,
	CHUNK_MICROSECONDS = 10,
	CHUNK_PROTOCOL = 11,
	CHUNK_AGENT = 12,
	CHUNK_PAYLOAD = 15,
	CHUNK_CORRELATION = 17,
};

struct waiting {
	struct sip_message *message; /* a reference; its text is the payload */
	struct timespec at;
};

struct hep {
	struct log *log;
	struct calls *calls;
	struct event *later;
	struct waiting waiting[WAITING];
	size_t count;
	uint32_t agent;
	int fd;
	bool failing;	    /* and that was said */
	uint64_t failed_ms; /* last; of wheel_now_ms() */
	struct hep_stats stats;
	char to[NETADDR_STRLEN];
};

/* ---- a packet -------------------------------------------------------------------------------- */

struct head {
	uint8_t data[HEAD_MAX];
	size_t used;
};

static void put16(struct head *head, size_t number)
{
	uint16_t value = htons((uint16_t)number);

	memcpy(head->data + head->used, &value, sizeof(value));
	head->used += sizeof(value);
}

/* Vendor, type, and length with these six bytes. */
static void begin_chunk(struct head *head, enum chunk type, size_t length)
{
	put16(head, 0);
	put16(head, type);
	put16(head, length + 6);
}

static void chunk(struct head *head, enum chunk type, const void *data, size_t length)
{
	begin_chunk(head, type, length);
	memcpy(head->data + head->used, data, length);
	head->used += length;
}

static void chunk8(struct head *head, enum chunk type, unsigned value)
{
	const uint8_t byte = (uint8_t)value;

	chunk(head, type, &byte, sizeof(byte));
}

static void chunk16(struct head *head, enum chunk type, uint16_t value)
{
	value = htons(value);
	chunk(head, type, &value, sizeof(value));
}

static void chunk32(struct head *head, enum chunk type, uint32_t value)
{
	value = htonl(value);
	chunk(head, type, &value, sizeof(value));
}

static void chunk_addresses(struct head *head, const struct netaddr *from, const struct netaddr *to)
{
	if (netaddr_is_ipv4(from) && netaddr_is_ipv4(to)) {
		chunk8(head, CHUNK_FAMILY, HEP_FAMILY_IPV4);
		chunk(head, CHUNK_IPV4_SOURCE, from->addr + 12, 4);
		chunk(head, CHUNK_IPV4_DESTINATION, to->addr + 12, 4);
	} else {
		chunk8(head, CHUNK_FAMILY, HEP_FAMILY_IPV6);
		chunk(head, CHUNK_IPV6_SOURCE, from->addr, 16);
		chunk(head, CHUNK_IPV6_DESTINATION, to->addr, 16);
	}
	chunk16(head, CHUNK_SOURCE_PORT, from->port);
	chunk16(head, CHUNK_DESTINATION_PORT, to->port);
}

/* All up to the payload; its chunk is the last one. */
static void write_head(struct head *head, const struct hep *hep, const struct sip_seen *seen,
		       const struct timespec *at, struct str call)
{
	const struct sip_flow *flow = seen->flow;
	uint16_t length;

	memcpy(head->data, "HEP3", 4);
	head->used = 6;
	chunk_addresses(head, seen->sent ? &flow->local : &flow->remote,
			seen->sent ? &flow->remote : &flow->local);
	chunk8(head, CHUNK_IP_PROTOCOL,
	       sip_proto_is_stream(flow->proto) ? IPPROTO_TCP : IPPROTO_UDP);
	chunk32(head, CHUNK_SECONDS, (uint32_t)at->tv_sec);
	chunk32(head, CHUNK_MICROSECONDS, (uint32_t)(at->tv_nsec / 1000));
	chunk8(head, CHUNK_PROTOCOL, HEP_PROTOCOL_SIP);
	chunk32(head, CHUNK_AGENT, hep->agent);
	if (call.n && call.n < SIP_TOKEN_LEN)
		chunk(head, CHUNK_CORRELATION, call.p, call.n);
	begin_chunk(head, CHUNK_PAYLOAD, seen->text.n);
	length = htons((uint16_t)(head->used + seen->text.n));
	memcpy(head->data + 4, &length, sizeof(length));
}

/* ---- sending --------------------------------------------------------------------------------- */

static void failed(struct hep *hep, int error)
{
	hep->stats.lost++;
	if (!hep->failing)
		log_warning(hep->log, NULL,
			    "hep: %s takes no copies: %s; they are lost and counted", hep->to,
			    strerror(error));
	hep->failing = true;
	hep->failed_ms = wheel_now_ms();
}

static void send_copy(struct hep *hep, const struct sip_seen *seen, const struct timespec *at,
		      struct str call)
{
	struct head head;
	struct iovec parts[2] = {{.iov_base = head.data},
				 {(void *)(uintptr_t)seen->text.p, seen->text.n}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	if (seen->text.n > UINT16_MAX - HEAD_MAX) {
		failed(hep, EMSGSIZE);
		return;
	}
	write_head(&head, hep, seen, at, call);
	parts[0].iov_len = head.used;
	if (sendmsg(hep->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		failed(hep, errno);
		return;
	}
	hep->stats.sent++;
	if (!hep->failing || wheel_now_ms() - hep->failed_ms < CALM_MS)
		return;
	log_info(hep->log, NULL, "hep: %s takes copies again; %llu were lost so far", hep->to,
		 (unsigned long long)hep->stats.lost);
	hep->failing = false;
}

/* A request that makes a call is seen before there is one. It is asked for when the turn is over.
 */
static void on_later(evutil_socket_t fd, short what, void *context)
{
	struct hep *hep = context;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < hep->count; i++) {
		struct sip_message *message = hep->waiting[i].message;
		const struct sip_seen seen = {
			.flow = &message->flow, .text = message->raw, .message = message};

		send_copy(hep, &seen, &hep->waiting[i].at, calls_id_of(hep->calls, &seen));
		sip_message_unref(message);
	}
	hep->count = 0;
}

static bool may_make_a_call(const struct sip_seen *seen)
{
	return seen->message && !seen->message->status && seen->message->method == SIP_INVITE;
}

void hep_copy(struct hep *hep, const struct sip_seen *seen, struct str call)
{
	struct timespec now;

	if (!hep)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	if (call.n || !may_make_a_call(seen) || hep->count == WAITING) {
		send_copy(hep, seen, &now, call);
		return;
	}
	hep->waiting[hep->count++] = (struct waiting){sip_message_ref(seen->message), now};
	event_active(hep->later, EV_TIMEOUT, 1);
}

void hep_stats(const struct hep *hep, struct hep_stats *out)
{
	*out = hep ? hep->stats : (struct hep_stats){0};
}

/* ---- opening and closing --------------------------------------------------------------------- */

int hep_alloc(struct hep **out, struct event_base *base, struct log *log, struct calls *calls,
	      const struct netaddr *to, unsigned agent, struct error *err)
{
	struct hep *hep = calloc(1, sizeof(*hep));
	struct sockaddr_storage address;
	socklen_t length = netaddr_to_sockaddr(to, &address);
	int ret = -ENOMEM;

	if (!hep)
		return error_set(err, ret, "out of memory");
	hep->log = log;
	hep->calls = calls;
	hep->agent = agent;
	netaddr_format(to, hep->to);
	hep->fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (hep->fd < 0 || connect(hep->fd, (const struct sockaddr *)&address, length))
		ret = -errno;
	else
		hep->later = event_new(base, -1, 0, on_later, hep);
	if (hep->later) {
		*out = hep;
		return 0;
	}
	error_set(err, ret, "hep: no way to %s: %s", hep->to, strerror(-ret));
	hep_free(hep);
	return ret;
}

void hep_free(struct hep *hep)
{
	if (!hep)
		return;
	for (size_t i = 0; i < hep->count; i++)
		sip_message_unref(hep->waiting[i].message);
	if (hep->later)
		event_free(hep->later);
	if (hep->fd >= 0)
		close(hep->fd);
	free(hep);
}
