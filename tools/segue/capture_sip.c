// SPDX-License-Identifier: BSD-2-Clause
#include "capture_sip.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "values.h"

#define FRAME_MAX 65536u
#define PARTIES 32u
#define CALL_IDS 32u
#define CALL_ID_MAX 256u
#define ADDRESSES 12u /* of ours: the filter's jumps reach over so many */
#define QUEUE_BYTES (8 * 1024 * 1024)
#define ETHERNET 14u
#define IPV6_HEADER 40u

struct capture_sip {
	int fd;
	struct sg_endpoint local[ADDRESSES];
	unsigned locals;
	struct sg_endpoint peer[PARTIES]; /* of connections */
	unsigned peers;
	char call_id[CALL_IDS][CALL_ID_MAX];
	unsigned call_ids;
	uint64_t lost;
	unsigned char frame[FRAME_MAX];
};

/* ---- the filter ------------------------------------------------------------------------------ */

static bool is_ipv4(const struct sg_endpoint *at)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(at->addr, mapped, sizeof(mapped)) == 0;
}

static uint32_t word_of(const struct sg_endpoint *at, unsigned index)
{
	const uint8_t *four = at->addr + 4 * (size_t)index;

	return (uint32_t)four[0] << 24 | (uint32_t)four[1] << 16 | (uint32_t)four[2] << 8 | four[3];
}

struct program {
	struct sock_filter code[BPF_MAXINSNS];
	unsigned short length;
};

static void emit(struct program *program, unsigned code, uint32_t k)
{
	program->code[program->length++] = (struct sock_filter){(uint16_t)code, 0, 0, k};
}

/* Goes on when the accumulator is that, else to the end of the block, which is patched later. */
static void require(struct program *program, uint32_t value)
{
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, value);
	program->code[program->length - 1].jf = UINT8_MAX;
}

static void end_block(struct program *program, unsigned begin)
{
	emit(program, BPF_RET | BPF_K, FRAME_MAX);
	for (unsigned i = begin; i < program->length; i++)
		if (program->code[i].jf == UINT8_MAX)
			program->code[i].jf = (uint8_t)(program->length - i - 1);
}

/* Frames whose source (or destination) is that address and port. */
static void emit_ipv4(struct program *program, const struct sg_endpoint *at, bool source)
{
	unsigned begin = program->length;

	emit(program, BPF_LD | BPF_H | BPF_ABS, 12);
	require(program, ETH_P_IP);
	emit(program, BPF_LD | BPF_W | BPF_ABS, source ? 26 : 30);
	require(program, word_of(at, 3));
	emit(program, BPF_LDX | BPF_B | BPF_MSH, ETHERNET);
	emit(program, BPF_LD | BPF_H | BPF_IND, ETHERNET + (source ? 0 : 2));
	require(program, at->port);
	end_block(program, begin);
}

static void emit_ipv6(struct program *program, const struct sg_endpoint *at, bool source)
{
	unsigned begin = program->length;

	emit(program, BPF_LD | BPF_H | BPF_ABS, 12);
	require(program, ETH_P_IPV6);
	for (unsigned i = 0; i < 4; i++) {
		emit(program, BPF_LD | BPF_W | BPF_ABS, (source ? 22 : 38) + 4 * i);
		require(program, word_of(at, i));
	}
	emit(program, BPF_LD | BPF_H | BPF_ABS, ETHERNET + IPV6_HEADER + (source ? 0 : 2));
	require(program, at->port);
	end_block(program, begin);
}

static int attach_filter(struct capture_sip *sip)
{
	struct program program = {.length = 0};
	struct sock_fprog attached = {.filter = program.code};

	for (unsigned i = 0; i < 2 * sip->locals; i++) {
		const struct sg_endpoint *at = &sip->local[i / 2];

		if (is_ipv4(at))
			emit_ipv4(&program, at, i % 2);
		else
			emit_ipv6(&program, at, i % 2);
	}
	emit(&program, BPF_RET | BPF_K, 0);
	attached.len = program.length;
	return setsockopt(sip->fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof(attached))
		       ? -errno
		       : 0;
}

int capture_sip_open(struct capture_sip **out)
{
	struct capture_sip *sip = cli_alloc(sizeof(*sip));
	int room = QUEUE_BYTES, on = 1, ret;

	/* No protocol yet: nothing comes before the filter is there. */
	sip->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ret = sip->fd < 0 ? -errno : attach_filter(sip);
	if (!ret) {
		struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

		setsockopt(sip->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
		setsockopt(sip->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
		ret = bind(sip->fd, (const struct sockaddr *)&at, sizeof(at)) ? -errno : 0;
	}
	if (ret) {
		capture_sip_close(sip);
		return ret;
	}
	*out = sip;
	return 0;
}

void capture_sip_close(struct capture_sip *sip)
{
	if (!sip)
		return;
	if (sip->fd >= 0)
		close(sip->fd);
	free(sip);
}

/* ---- whom the call speaks with --------------------------------------------------------------- */

static bool add_endpoint(struct sg_endpoint *list, unsigned *count, unsigned most,
			 const struct sg_endpoint *one)
{
	for (unsigned i = 0; i < *count; i++)
		if (list[i].port == one->port &&
		    !memcmp(list[i].addr, one->addr, sizeof(one->addr)))
			return false;
	if (*count == most)
		return false;
	list[(*count)++] = *one;
	return true;
}

static void add_call_id(struct capture_sip *sip, const char *text, size_t length)
{
	for (unsigned i = 0; i < sip->call_ids; i++)
		if (strlen(sip->call_id[i]) == length && !memcmp(sip->call_id[i], text, length))
			return;
	if (!length || length >= CALL_ID_MAX || sip->call_ids == CALL_IDS)
		return;
	memcpy(sip->call_id[sip->call_ids], text, length);
	sip->call_id[sip->call_ids++][length] = '\0';
}

static const char *text_of(const json_t *party, const char *key)
{
	const char *text = json_string_value(json_object_get(party, key));

	return text ? text : "";
}

void capture_sip_add(struct capture_sip *sip, const json_t *party)
{
	const char *call_id = text_of(party, "call_id");
	struct endpoints ends;
	struct sg_error err;
	char pair[256];

	add_call_id(sip, call_id, strlen(call_id));
	snprintf(pair, sizeof(pair), "%s=%s", text_of(party, "local"), text_of(party, "remote"));
	if (parse_endpoints(pair, &ends, &err))
		return;
	if (strcmp(text_of(party, "proto"), "UDP"))
		add_endpoint(sip->peer, &sip->peers, PARTIES, &ends.remote);
	if (add_endpoint(sip->local, &sip->locals, ADDRESSES, &ends.local))
		attach_filter(sip);
}

/* ---- whose a frame is ------------------------------------------------------------------------ */

struct packet {
	const unsigned char *payload; /* behind the ports, and UDP's header */
	size_t length;
	uint8_t protocol;
	struct sg_endpoint end[2];
};

static uint16_t read_u16(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* The filter has seen that it is IP and long enough for the ports. */
static bool dissect(const unsigned char *frame, size_t length, struct packet *out)
{
	bool ipv4 = read_u16(frame + 12) == ETH_P_IP;
	size_t l4 = ETHERNET + (ipv4 ? (frame[ETHERNET] & 15u) * 4u : IPV6_HEADER);
	size_t address = ipv4 ? 26 : 22, bytes = ipv4 ? 4 : 16;

	if (l4 + 8 > length)
		return false;
	memset(out, 0, sizeof(*out));
	out->protocol = frame[ipv4 ? ETHERNET + 9 : ETHERNET + 6];
	for (size_t i = 0; i < 2; i++) {
		if (ipv4)
			memset(out->end[i].addr + 10, 0xff, 2);
		memcpy(out->end[i].addr + 16 - bytes, frame + address + i * bytes, bytes);
		out->end[i].port = read_u16(frame + l4 + 2 * i);
	}
	out->payload = frame + l4 + 8;
	out->length = length - l4 - 8;
	return true;
}

/* A message that names a Call-ID of the call, in Replaces or Handover say, brings its own along. */
static void learn_call_id(struct capture_sip *sip, const struct packet *packet)
{
	static const char *const names[] = {"\nCall-ID:", "\ni:"};
	const char *at = (const char *)packet->payload, *end = at + packet->length, *value;

	for (; at < end; at++) {
		for (unsigned i = 0; i < 2; i++) {
			size_t n = strlen(names[i]);

			if ((size_t)(end - at) <= n || strncasecmp(at, names[i], n))
				continue;
			for (value = at + n; value < end && *value == ' '; value++)
				;
			for (at = value; at < end && (unsigned char)*at > ' '; at++)
				;
			add_call_id(sip, value, (size_t)(at - value));
			return;
		}
	}
}

static bool is_wanted(struct capture_sip *sip, const struct packet *packet)
{
	for (unsigned i = 0; packet->protocol == IPPROTO_TCP && i < 2 * sip->peers; i++) {
		const struct sg_endpoint *peer = &sip->peer[i / 2], *end = &packet->end[i % 2];

		if (peer->port == end->port && !memcmp(peer->addr, end->addr, sizeof(end->addr)))
			return true;
	}
	for (unsigned i = 0; packet->protocol == IPPROTO_UDP && i < sip->call_ids; i++) {
		if (!memmem(packet->payload, packet->length, sip->call_id[i],
			    strlen(sip->call_id[i])))
			continue;
		learn_call_id(sip, packet);
		return true;
	}
	return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

static uint64_t time_of(struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	struct timespec at = {0};

	for (; control; control = CMSG_NXTHDR(message, control))
		if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&at, CMSG_DATA(control), sizeof(at));
	if (!at.tv_sec)
		clock_gettime(CLOCK_REALTIME, &at);
	return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

bool capture_sip_next(struct capture_sip *sip, struct pcapng_frame *out)
{
	for (;;) {
		struct sockaddr_ll from = {0};
		char control[256];
		struct iovec part = {sip->frame, sizeof(sip->frame)};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};
		ssize_t length = recvmsg(sip->fd, &message, 0);
		struct packet packet;

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return false;
		if (!dissect(sip->frame, (size_t)length, &packet) || !is_wanted(sip, &packet))
			continue;
		*out = (struct pcapng_frame){
			.time_ns = time_of(&message),
			.ifindex = (uint32_t)from.sll_ifindex,
			.outbound = from.sll_pkttype == PACKET_OUTGOING,
			.data = sip->frame,
			.length = (uint32_t)length,
		};
		return true;
	}
}

uint64_t capture_sip_lost(struct capture_sip *sip)
{
	struct tpacket_stats stats = {0};
	socklen_t size = sizeof(stats);

	/* Reading sets it back. */
	if (!getsockopt(sip->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size))
		sip->lost += stats.tp_drops;
	return sip->lost;
}
