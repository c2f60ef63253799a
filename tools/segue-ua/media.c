// SPDX-License-Identifier: BSD-2-Clause
#include "media.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "packetlog.h"
#include "receiver.h"
#include "source.h"
#include "ua.h"

#define CATCH_UP 50u	 /* packets at once, after the process was stopped for a while */
#define READS_A_TURN 64u /* then others have their turn */
#define PAYLOAD_MAX 600u

/* Between packets: time, and ticks of the RTP clock. */
static const struct {
	unsigned ms, ticks;
	size_t payload;
} pace[UA_KINDS] = {
	[UA_AUDIO] = {UA_PTIME_MS, UA_SAMPLES, UA_SAMPLES},
	[UA_VIDEO] = {40, 3600, PAYLOAD_MAX}, /* 25 a second of 90 kHz */
};

struct ua_media {
	struct ua *ua;
	enum ua_kind kind;
	struct ua_source *source;
	struct ua_receiver *receiver;
	struct ua_packetlog *log;
	struct ua_codec codec;
	int clock; /* a timerfd; -1: stopped */
	struct event *tick;
	struct ua_path path[UA_PATHS];
	size_t paths;
	struct netaddr from[UA_PATHS];
	size_t froms;
	bool awaits, muted;
	struct rtp next; /* header of the packet to come */
	uint64_t sent;
};

/* ---- sending --------------------------------------------------------------------------------- */

static void send_by(struct ua_media *media, const struct ua_path *path, const uint8_t *packet,
		    size_t size, uint64_t now_us)
{
	struct ua_port *port = &path->network->port[media->kind];
	struct ua_traffic *traffic = &port->traffic;
	struct sockaddr_storage storage;
	socklen_t length = netaddr_to_sockaddr(&path->remote, &storage);

	if (sendto(port->rtp_fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL,
		   (struct sockaddr *)&storage, length) < 0) {
		traffic->failed++;
		return;
	}
	traffic->sent++;
	traffic->sent_bytes += size;
	traffic->last_sent_us = now_us;
	if (!traffic->first_sent_us)
		traffic->first_sent_us = now_us;
	ua_packetlog_sent(media->log, now_us, (int)path->network->index, &media->next);
}

/* What is said goes on while nothing is sent, as a voice does. */
static void write_payload(struct ua_media *media, uint8_t *out)
{
	int16_t samples[UA_SAMPLES];

	if (media->kind == UA_AUDIO) {
		ua_source_next(media->source, samples, UA_SAMPLES);
		g711_encode(media->codec.law, samples, UA_SAMPLES, out);
	} else {
		memset(out, media->next.sequence & 0xff, pace[media->kind].payload);
	}
}

static void send_packet(struct ua_media *media)
{
	uint8_t packet[RTP_HEADER + PAYLOAD_MAX];
	bool silent = !media->paths || media->muted;
	uint64_t now_us = ua_now_us();

	media->next.payload_type = media->codec.payload_type;
	write_payload(media, packet + rtp_write(packet, &media->next));
	if (!silent) {
		for (size_t i = 0; i < media->paths; i++)
			send_by(media, &media->path[i], packet,
				RTP_HEADER + pace[media->kind].payload, now_us);
		media->sent++;
		media->next.sequence++;
	}
	/* RFC 3551 4.1: the first packet after a silence is marked. */
	media->next.marker = silent;
	media->next.timestamp += pace[media->kind].ticks;
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct ua_media *media = context;
	uint64_t times = 0;

	(void)what;
	if (read(fd, &times, sizeof(times)) != (ssize_t)sizeof(times))
		return;
	if (times > CATCH_UP)
		times = CATCH_UP;
	while (times--)
		send_packet(media);
}

int ua_media_start(struct ua_media *media, const struct ua_codec *codec)
{
	const struct timespec interval = {.tv_nsec = pace[media->kind].ms * 1000000};
	const struct itimerspec every = {.it_interval = interval, .it_value = interval};

	media->codec = *codec;
	if (media->tick)
		return 0;
	media->clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (media->clock < 0)
		return -errno;
	media->tick =
		event_new(media->ua->base, media->clock, EV_READ | EV_PERSIST, on_tick, media);
	if (media->tick && !event_add(media->tick, NULL) &&
	    !timerfd_settime(media->clock, 0, &every, NULL))
		return 0;
	ua_media_stop(media);
	return -ENOMEM;
}

void ua_media_stop(struct ua_media *media)
{
	if (media->tick)
		event_free(media->tick);
	media->tick = NULL;
	if (media->clock >= 0)
		close(media->clock);
	media->clock = -1;
	media->paths = media->froms = 0;
	media->awaits = false;
}

void ua_media_aim(struct ua_media *media, const struct ua_path *paths, size_t count)
{
	media->paths = count < UA_PATHS ? count : UA_PATHS;
	if (media->paths)
		memcpy(media->path, paths, media->paths * sizeof(*paths));
}

/* ---- receiving ------------------------------------------------------------------------------- */

void ua_media_hear(struct ua_media *media, const struct netaddr *from, size_t count)
{
	media->froms = count < UA_PATHS ? count : UA_PATHS;
	if (media->froms)
		memcpy(media->from, from, media->froms * sizeof(*from));
}

void ua_media_await(struct ua_media *media, bool awaits)
{
	media->awaits = awaits;
}

static bool is_wanted(const struct ua_media *media, const struct sockaddr *from,
		      const struct rtp *rtp)
{
	struct netaddr source;

	netaddr_from_sockaddr(&source, from);
	for (size_t i = 0; i < media->froms; i++) {
		if (netaddr_eq(&media->from[i], &source))
			return true;
	}
	return media->froms ? ua_receiver_knows(media->receiver, rtp->ssrc) : media->awaits;
}

static void receive(struct ua_media *media, struct ua_network *network, const uint8_t *data,
		    size_t size, const struct sockaddr *from)
{
	struct ua_port *port = &network->port[media->kind];
	struct ua_traffic *traffic = &port->traffic;
	uint64_t now_us = ua_now_us();
	struct rtp rtp;

	if (!rtp_read(&rtp, data, size) || !is_wanted(media, from, &rtp)) {
		traffic->refused++;
		return;
	}
	traffic->received++;
	traffic->received_bytes += size;
	traffic->last_us = now_us;
	if (!traffic->first_us)
		traffic->first_us = now_us;
	if (!port->since_packets++)
		port->since_first_us = now_us;
	ua_packetlog_received(media->log, now_us, (int)network->index, &rtp);
	if (!ua_receiver_take(media->receiver, &rtp, media->codec.law, now_us))
		traffic->duplicates++;
}

/* Which network a descriptor belongs to. */
static struct ua_network *network_of(const struct ua_media *media, int fd)
{
	for (size_t i = 0; i < media->ua->networks; i++) {
		if (media->ua->network[i].port[media->kind].rtp_fd == fd)
			return &media->ua->network[i];
	}
	return NULL;
}

static void on_rtp(evutil_socket_t fd, short what, void *context)
{
	struct ua_media *media = context;
	struct ua_network *network = network_of(media, fd);
	struct sockaddr_storage from = {0};

	(void)what;
	for (unsigned i = 0; network && i < READS_A_TURN; i++) {
		uint8_t packet[RTP_PACKET_MAX];
		socklen_t length = sizeof(from);
		ssize_t size = recvfrom(fd, packet, sizeof(packet), MSG_DONTWAIT,
					(struct sockaddr *)&from, &length);

		if (size < 0)
			return;
		receive(media, network, packet, (size_t)size, (struct sockaddr *)&from);
	}
}

/* Reports are not evaluated, but somebody must be there: else the kernel answers by ICMP. */
static void on_rtcp(evutil_socket_t fd, short what, void *context)
{
	uint8_t packet[RTP_PACKET_MAX];

	(void)what;
	(void)context;
	for (unsigned i = 0; i < READS_A_TURN; i++) {
		if (recv(fd, packet, sizeof(packet), MSG_DONTWAIT) < 0)
			return;
	}
}

static int watch(struct ua_media *media, struct ua_port *port)
{
	struct event_base *base = media->ua->base;

	port->rtp_readable = event_new(base, port->rtp_fd, EV_READ | EV_PERSIST, on_rtp, media);
	port->rtcp_readable = event_new(base, port->rtcp_fd, EV_READ | EV_PERSIST, on_rtcp, media);
	if (!port->rtp_readable || !port->rtcp_readable || event_add(port->rtp_readable, NULL) ||
	    event_add(port->rtcp_readable, NULL))
		return -ENOMEM;
	return 0;
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static int choose_numbers(struct ua_media *media)
{
	const struct ua_options *options = media->ua->options;
	struct {
		uint32_t ssrc, timestamp;
		uint16_t sequence;
	} random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	/* One SSRC each: the second kind has the next one. */
	media->next.ssrc = options->ssrc ? options->ssrc + media->kind : random.ssrc;
	media->next.timestamp = random.timestamp;
	media->next.sequence =
		options->sequence >= 0 ? (uint16_t)options->sequence : random.sequence;
	media->next.marker = true;
	return 0;
}

int ua_media_alloc(struct ua_media **out, struct ua *ua, enum ua_kind kind, struct error *err)
{
	const struct ua_options *options = ua->options;
	bool audio = kind == UA_AUDIO;
	struct ua_media *media = calloc(1, sizeof(*media));
	int ret;

	if (!media)
		return error_set(err, -ENOMEM, "no memory for media");
	media->ua = ua;
	media->kind = kind;
	media->clock = -1;
	ret = ua_source_alloc(&media->source, audio ? options->play : NULL, options->tone_hz, err);
	if (!ret)
		ret = ua_receiver_alloc(&media->receiver, audio ? options->record : NULL, err);
	if (!ret)
		ret = ua_packetlog_open(&media->log,
					audio ? options->packets : options->video_packets, err);
	if (!ret && choose_numbers(media))
		ret = error_set(err, -EIO, "the kernel has no random numbers");
	for (size_t i = 0; !ret && i < ua->networks; i++) {
		if (watch(media, &ua->network[i].port[kind]))
			ret = error_set(err, -ENOMEM, "no memory to watch sockets");
	}
	if (ret)
		ua_media_free(media);
	else
		*out = media;
	return ret;
}

void ua_media_free(struct ua_media *media)
{
	if (!media)
		return;
	ua_media_stop(media);
	ua_packetlog_close(media->log);
	ua_receiver_free(media->receiver);
	ua_source_free(media->source);
	free(media);
}

void ua_media_mute(struct ua_media *media, bool muted)
{
	media->muted = muted;
}

void ua_media_note(struct ua_media *media, const char *note)
{
	ua_packetlog_note(media->log, ua_now_us(), note);
}

static json_t *report_network(const struct ua_network *network, enum ua_kind kind)
{
	const struct ua_traffic *t = &network->port[kind].traffic;
	char host[NETADDR_STRLEN];

	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name",
			 network->name, "address", netaddr_format_host(&network->sip, host), "sent",
			 (json_int_t)t->sent, "send_failed", (json_int_t)t->failed, "received",
			 (json_int_t)t->received, "received_bytes", (json_int_t)t->received_bytes,
			 "duplicates", (json_int_t)t->duplicates, "refused", (json_int_t)t->refused,
			 "first_sent_us", (json_int_t)t->first_sent_us, "last_sent_us",
			 (json_int_t)t->last_sent_us, "first_us", (json_int_t)t->first_us,
			 "last_us", (json_int_t)t->last_us);
}

json_t *ua_media_report(const struct ua_media *media)
{
	json_t *report = ua_receiver_report(media->receiver), *networks = json_array();

	for (size_t i = 0; i < media->ua->networks; i++)
		json_array_append_new(networks,
				      report_network(&media->ua->network[i], media->kind));
	json_object_set_new(report, "sent", json_integer((json_int_t)media->sent));
	json_object_set_new(report, "ssrc", json_integer(media->next.ssrc));
	json_object_set_new(report, "networks", networks);
	return report;
}
