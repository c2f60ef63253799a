// SPDX-License-Identifier: BSD-2-Clause
#include "pathlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 9234 /* a jumbo frame with two VLAN tags */

static const char *const fate_names[FATE_COUNT] = {"forward", "loss",  "drop",
						   "cut",     "queue", "error"};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static int open_end(struct link_end *end, const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int one = 1;
	int receive_buffer = 4 << 20;

	end->name = name;
	address.sll_ifindex = (int)if_nametoindex(name);
	/* Protocol 0 until bound, so that no frame of another interface slips in. */
	end->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (!address.sll_ifindex || end->fd < 0)
		return -errno;
	/* What we send ourselves must not come back: the loop would never end. */
	if (setsockopt(end->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    setsockopt(end->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) ||
	    setsockopt(end->fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer,
		       sizeof(receive_buffer)) ||
	    bind(end->fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return 0;
}

int pathlink_open(struct pathlink *link, const char *a, const char *b, uint64_t seed,
		  size_t queue_limit)
{
	const char *const names[2] = {a, b};

	memset(link, 0, sizeof(*link));
	link->end[0].fd = link->end[1].fd = -1;
	delayq_init(&link->queue, queue_limit);
	frame_match_parse(&link->lossy, "udp");
	for (unsigned i = 0; i < 2; i++) {
		int status = open_end(&link->end[i], names[i]);

		if (status) {
			fprintf(stderr, "pathsim: interface %s: %s\n", names[i], strerror(-status));
			pathlink_close(link);
			return status;
		}
		link->end[i].shape.random = (seed * 2 + i + 1) * 0x9E3779B97F4A7C15u;
	}
	return 0;
}

static FILE *open_log(const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		fprintf(stderr, "pathsim: %s: %s\n", path, strerror(errno));
	return file;
}

static FILE *open_pcap(const char *path)
{
	const uint32_t header[6] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, FRAME_MAX, 1 /* Ethernet */};
	FILE *file = open_log(path);

	if (file)
		fwrite(header, sizeof(header), 1, file);
	return file;
}

int pathlink_log(struct pathlink *link, const char *csv, const char *pcap, const char *pcap_dropped)
{
	if (csv && !(link->log = open_log(csv)))
		return -errno;
	if (link->log)
		fputs("time_ns,from,fate,kind,media,ip,source_port,port,ssrc,sequence,length\n",
		      link->log);
	if (pcap && !(link->pcap[0] = open_pcap(pcap)))
		return -errno;
	if (pcap_dropped && !(link->pcap[1] = open_pcap(pcap_dropped)))
		return -errno;
	return 0;
}

/* ---- the fate of a frame ------------------------------------------------------------------------
 */

static void write_pcap(FILE *file, uint64_t time_ns, const uint8_t *frame, size_t length)
{
	const uint32_t header[4] = {(uint32_t)(time_ns / 1000000000u),
				    (uint32_t)(time_ns % 1000000000u), (uint32_t)length,
				    (uint32_t)length};

	fwrite(header, sizeof(header), 1, file);
	fwrite(frame, length, 1, file);
}

static void settle(struct pathlink *link, unsigned from, enum link_fate fate, const uint8_t *frame,
		   size_t length)
{
	FILE *pcap = link->pcap[fate != FATE_FORWARD];
	uint64_t now = now_ns();
	struct frame_info info;

	link->end[from].count[fate]++;
	if (pcap)
		write_pcap(pcap, now, frame, length);
	if (!link->log)
		return;
	frame_parse(&info, frame, length);
	fprintf(link->log, "%" PRIu64 ",%c,%s,%s,%s,%u,%u,%u,%" PRIu32 ",%u,%zu\n", now,
		from ? 'b' : 'a', fate_names[fate], frame_kind_name(info.kind),
		frame_media_name(info.media), info.ip, info.source_port, info.port, info.ssrc,
		info.sequence, length);
}

/* Uniform in [0, 1): xorshift64*, one generator for each direction. */
static double draw(struct link_shape *shape)
{
	shape->random ^= shape->random >> 12;
	shape->random ^= shape->random << 25;
	shape->random ^= shape->random >> 27;
	return (double)((shape->random * 0x2545F4914F6CDD1Du) >> 11) * 0x1p-53;
}

static enum link_fate judge(struct pathlink *link, unsigned from, const struct frame_info *info)
{
	struct link_shape *shape = &link->end[from].shape;

	if (shape->cut)
		return FATE_CUT;
	for (size_t i = 0; i < link->drops; i++) {
		if (frame_matches(&link->drop[i], info))
			return FATE_DROP;
	}
	if (shape->loss > 0 && frame_matches(&link->lossy, info) && draw(shape) < shape->loss)
		return FATE_LOSS;
	return FATE_FORWARD;
}

static uint64_t release_time(struct link_shape *shape)
{
	uint64_t release = now_ns() + shape->delay_ns;

	if (shape->jitter_ns)
		release += (uint64_t)(draw(shape) * (double)shape->jitter_ns);
	if (shape->reorder > 0 && draw(shape) < shape->reorder)
		return release + shape->reorder_ns;
	if (release < shape->last_release_ns)
		release = shape->last_release_ns;
	shape->last_release_ns = release;
	return release;
}

static enum link_fate enqueue(struct pathlink *link, unsigned from, const uint8_t *frame,
			      size_t length)
{
	uint64_t release = release_time(&link->end[from].shape);

	return delayq_push(&link->queue, release, from, frame, length) ? FATE_FORWARD : FATE_QUEUE;
}

static void take(struct pathlink *link, unsigned from, const uint8_t *frame, size_t length)
{
	struct link_shape *shape = &link->end[from].shape;
	struct frame_info info;
	enum link_fate fate;

	frame_parse(&info, frame, length);
	fate = judge(link, from, &info);
	if (fate == FATE_FORWARD)
		fate = enqueue(link, from, frame, length);
	if (fate == FATE_FORWARD && shape->twice > 0 && frame_matches(&link->lossy, &info) &&
	    draw(shape) < shape->twice)
		fate = enqueue(link, from, frame, length);
	if (fate != FATE_FORWARD)
		settle(link, from, fate, frame, length);
}

/* ---- receiving and releasing --------------------------------------------------------------------
 */

/* The kernel hands a VLAN tag over beside the frame: put it back. */
static size_t restore_tag(uint8_t *frame, size_t length, const struct tpacket_auxdata *aux)
{
	uint16_t tag[2] = {htons(ETH_P_8021Q), htons(aux->tp_vlan_tci)};

	if (!(aux->tp_status & TP_STATUS_VLAN_VALID) || length < 12)
		return length;
	if (aux->tp_status & TP_STATUS_VLAN_TPID_VALID)
		tag[0] = htons(aux->tp_vlan_tpid);
	memmove(frame + 16, frame + 12, length - 12);
	memcpy(frame + 12, tag, sizeof(tag));
	return length + sizeof(tag);
}

static size_t apply_auxdata(struct link_end *end, struct msghdr *message, uint8_t *frame,
			    size_t length)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (aux.tp_status & TP_STATUS_CSUMNOTREADY)
			end->partial++;
		return restore_tag(frame, length, &aux);
	}
	return length;
}

void pathlink_receive(struct pathlink *link, unsigned end)
{
	uint8_t frame[FRAME_MAX + 4];
	uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];

	for (;;) {
		struct iovec io = {frame, FRAME_MAX};
		struct msghdr message = {.msg_iov = &io,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};
		ssize_t length = recvmsg(link->end[end].fd, &message, 0);

		if (length <= 0)
			return;
		if (message.msg_flags & MSG_TRUNC) {
			settle(link, end, FATE_ERROR, frame, (size_t)length);
			continue;
		}
		take(link, end, frame,
		     apply_auxdata(&link->end[end], &message, frame, (size_t)length));
	}
}

uint64_t pathlink_release(struct pathlink *link)
{
	const struct delayed *next;

	while ((next = delayq_peek(&link->queue)) && next->release_ns <= now_ns()) {
		struct delayed *item = delayq_pop(&link->queue);
		enum link_fate fate = FATE_FORWARD;

		if (link->end[item->from].shape.cut)
			fate = FATE_CUT;
		else if (send(link->end[!item->from].fd, item->frame, item->length, 0) < 0)
			fate = FATE_ERROR;
		settle(link, item->from, fate, item->frame, item->length);
		free(item);
	}
	return next ? next->release_ns : 0;
}

/* ---- commands -----------------------------------------------------------------------------------
 */

/* In-flight frames of a cut path are lost too, at the moment of the cut: the path is gone. */
static void lose_queued(struct pathlink *link)
{
	struct delayq kept;
	struct delayed *item;

	delayq_init(&kept, link->queue.limit);
	while ((item = delayq_pop(&link->queue))) {
		if (link->end[item->from].shape.cut)
			settle(link, item->from, FATE_CUT, item->frame, item->length);
		else
			delayq_push(&kept, item->release_ns, item->from, item->frame, item->length);
		free(item);
	}
	delayq_free(&link->queue);
	link->queue = kept;
}

static bool set_number(struct link_shape *shape, const char *key, const char *value)
{
	double number, extra = 0;
	char *rest;

	number = strtod(value, &rest);
	if (rest == value || number < 0 || number > 60000)
		return false;
	if (strcmp(key, "reorder") == 0 && *rest == ':')
		extra = strtod(rest + 1, &rest);
	if (*rest)
		return false;
	if (strcmp(key, "delay") == 0)
		shape->delay_ns = (uint64_t)(number * 1e6);
	else if (strcmp(key, "jitter") == 0)
		shape->jitter_ns = (uint64_t)(number * 1e6);
	else if (strcmp(key, "loss") == 0)
		shape->loss = number / 100;
	else if (strcmp(key, "double") == 0)
		shape->twice = number / 100;
	else if (strcmp(key, "reorder") == 0)
		shape->reorder = number / 100;
	else
		return false;
	if (strcmp(key, "reorder") == 0)
		shape->reorder_ns = (uint64_t)(extra * 1e6);
	return true;
}

static bool set_shape(struct pathlink *link, const char *key, const char *value,
		      const char *direction)
{
	if (*direction && strcmp(direction, "ab") != 0 && strcmp(direction, "ba") != 0)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		struct link_shape *shape = &link->end[i].shape;

		if (*direction && (direction[0] == 'b') != (i == 1))
			continue;
		if (strcmp(key, "cut") == 0 || strcmp(key, "heal") == 0)
			shape->cut = key[0] == 'c';
		else if (!set_number(shape, key, value))
			return false;
		/* A shorter delay counts from now on: no waiting behind what left before. */
		if (strcmp(key, "delay") == 0)
			shape->last_release_ns = 0;
	}
	if (strcmp(key, "cut") == 0)
		lose_queued(link);
	return true;
}

bool pathlink_command(struct pathlink *link, const char *text)
{
	char key[16] = "", value[32] = "", direction[4] = "";
	int after_key = 0;
	int words = sscanf(text, "%15s%n %31s %3s", key, &after_key, value, direction);

	if (words < 1)
		return false;
	if (strcmp(key, "lossy") == 0)
		return frame_match_parse(&link->lossy, text + after_key);
	if (strcmp(key, "drop") == 0)
		return link->drops < LINK_DROPS &&
		       frame_match_parse(&link->drop[link->drops++], text + after_key);
	if (strcmp(key, "nodrop") == 0) {
		link->drops = 0;
		return true;
	}
	if (strcmp(key, "cut") == 0 || strcmp(key, "heal") == 0)
		return set_shape(link, key, "", value);
	return words > 1 && set_shape(link, key, value, direction);
}

/* ---- the end ------------------------------------------------------------------------------------
 */

static unsigned kernel_drops(int fd)
{
	struct tpacket_stats stats = {0};
	socklen_t size = sizeof(stats);

	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size);
	return stats.tp_drops;
}

void pathlink_summary(const struct pathlink *link, FILE *out)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct link_end *end = &link->end[i];

		fprintf(out, "%s\"%s\": {\"in\": \"%s\"", i ? ", " : "{", i ? "ba" : "ab",
			end->name);
		for (unsigned fate = 0; fate < FATE_COUNT; fate++)
			fprintf(out, ", \"%s\": %" PRIu64, fate_names[fate], end->count[fate]);
		fprintf(out, ", \"partial_checksum\": %" PRIu64 ", \"missed\": %u}", end->partial,
			kernel_drops(end->fd));
	}
	fputs("}\n", out);
}

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
	*file = NULL;
}

void pathlink_close(struct pathlink *link)
{
	for (unsigned i = 0; i < 2; i++) {
		if (link->end[i].fd >= 0)
			close(link->end[i].fd);
		link->end[i].fd = -1;
		close_file(&link->pcap[i]);
	}
	close_file(&link->log);
	delayq_free(&link->queue);
}
