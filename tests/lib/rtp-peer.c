// SPDX-License-Identifier: BSD-2-Clause
/*
 * rtp-peer: an RTP endpoint with one or two paths. Sends one stream of its own on the paths that
 * are on, and a sender report every second on the lowest of them; receives on all of them; writes
 * down every packet. Commands come at set times (--script) or through a FIFO (--control).
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "endpoint.h"
#include "loop.h"
#include "rtplog.h"
#include "rtpwire.h"

enum source {
	FROM_RTP,			  /* + path */
	FROM_RTCP = FROM_RTP + RTP_PATHS, /* + path */
	FROM_SEND = FROM_RTCP + RTP_PATHS,
	FROM_REPORT,
	FROM_SCRIPT,
	FROM_LINGER,
	FROM_LIFETIME,
	FROM_CONTROL,
	FROM_SIGNAL,
	SOURCES
};

struct options {
	struct endpoint_pair pair[RTP_PATHS];
	unsigned paths;
	const char *control, *csv, *json;
	char *script;
	unsigned send_mask; /* at the start */
	unsigned long ssrc, sequence, payload, pps, count, linger_ms, seconds, rtcp_ms;
	bool mux;
};

struct peer {
	struct options options;
	int epoll;
	int fd[SOURCES];
	unsigned send_mask, receive_mask;
	bool started, stopped, quit;
	uint64_t begin_ns;
	unsigned long generated;
	uint32_t octets;
	struct rtp_log log;
	char *script; /* what is left of it */
};

static const char usage[] =
	"usage: rtp-peer --path LOCAL:PORT=REMOTE:PORT [--path ...] [options]\n"
	"  --send none|0|1|01      paths that are on at first (0)\n"
	"  --ssrc N --seq N        of what is sent (1, 65500)\n"
	"  --payload N --pps N     bytes, packets a second (160, 50)\n"
	"  --count N               packets to send, then --linger MS to receive (800, 1000)\n"
	"  --rtcp MS               between sender reports, on port + 1; 0 = none (1000)\n"
	"  --rtcp-mux              on the RTP port instead\n"
	"  --script 'T COMMAND; T COMMAND'   at T seconds after the start, in ascending order\n"
	"  --control FIFO          made here; the same commands, one a line:\n"
	"      send PATH on|off, recv PATH on|off, note TEXT (into the log), stop (sending), quit\n"
	"  --csv FILE --json FILE  packet log; summary of what was received\n"
	"  --seconds N             lifetime (60)\n";

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- options ----------------------------------------------------------------------------------
 */

static bool parse_number(const char *text, unsigned long minimum, unsigned long maximum,
			 unsigned long *out)
{
	char *rest;

	errno = 0;
	*out = strtoul(text, &rest, 10);
	return !errno && rest != text && !*rest && *out >= minimum && *out <= maximum;
}

static bool set_send(struct options *options, const char *value)
{
	options->send_mask = 0;
	if (strcmp(value, "none") == 0)
		return true;
	for (; *value == '0' || *value == '1'; value++)
		options->send_mask |= 1u << (*value - '0');
	return !*value;
}

static bool set_option(struct options *o, int option, const char *value)
{
	switch (option) {
	case 'p':
		return o->paths < RTP_PATHS && endpoint_pair_parse(&o->pair[o->paths++], value);
	case 'x':
		return set_send(o, value);
	case 's':
		return parse_number(value, 0, UINT32_MAX, &o->ssrc);
	case 'n':
		return parse_number(value, 0, 65535, &o->sequence);
	case 'l':
		return parse_number(value, RTP_PAYLOAD_MIN, 1400, &o->payload);
	case 'r':
		return parse_number(value, 1, 10000, &o->pps);
	case 'c':
		return parse_number(value, 0, 1000000, &o->count);
	case 'g':
		return parse_number(value, 1, 60000, &o->linger_ms);
	case 't':
		return parse_number(value, 1, 86400, &o->seconds);
	case 'i':
		return parse_number(value, 0, 60000, &o->rtcp_ms);
	case 'm':
		o->mux = true;
		return true;
	case 'S':
		o->script = strdup(value);
		return o->script != NULL;
	case 'C':
		o->control = value;
		return true;
	case 'v':
		o->csv = value;
		return true;
	case 'j':
		o->json = value;
		return true;
	default:
		return false;
	}
}

static bool parse_options(struct options *options, int argc, char **argv)
{
	static const struct option table[] = {
		{"path", required_argument, NULL, 'p'},	   {"send", required_argument, NULL, 'x'},
		{"ssrc", required_argument, NULL, 's'},	   {"seq", required_argument, NULL, 'n'},
		{"payload", required_argument, NULL, 'l'}, {"pps", required_argument, NULL, 'r'},
		{"count", required_argument, NULL, 'c'},   {"linger", required_argument, NULL, 'g'},
		{"seconds", required_argument, NULL, 't'}, {"rtcp", required_argument, NULL, 'i'},
		{"rtcp-mux", no_argument, NULL, 'm'},	   {"script", required_argument, NULL, 'S'},
		{"control", required_argument, NULL, 'C'}, {"csv", required_argument, NULL, 'v'},
		{"json", required_argument, NULL, 'j'},	   {NULL, 0, NULL, 0},
	};
	int option;

	*options = (struct options){.ssrc = 1,
				    .sequence = 65500,
				    .payload = 160,
				    .pps = 50,
				    .count = 800,
				    .linger_ms = 1000,
				    .seconds = 60,
				    .rtcp_ms = 1000,
				    .send_mask = 1};
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (!set_option(options, option, optarg)) {
			if (optarg)
				fprintf(stderr, "rtp-peer: not understood: %s\n", optarg);
			return false;
		}
	}
	return options->paths && optind == argc;
}

/* ---- sending ----------------------------------------------------------------------------------
 */

static void note(struct peer *peer, const char *text)
{
	const struct rtp_record record = {
		.kind = RTP_NOTE, .time_ns = now_ns(), .path = -1, .note = (char *)text};

	rtp_log_append(&peer->log, &record);
}

static uint32_t timestamp(const struct peer *peer)
{
	/* 8 kHz: a G.711 byte is a sample. */
	return (uint32_t)(peer->generated * (8000 / peer->options.pps));
}

/*
 * A packet that the socket refuses (ECONNREFUSED after an ICMP error, ENETUNREACH) is as good as
 * lost on the way: logged as sent, missed at the far end.
 */
static void send_packet(struct peer *peer)
{
	uint8_t data[RTP_PACKET_MAX];
	struct rtp_packet packet = {.sequence =
					    (uint16_t)(peer->options.sequence + peer->generated),
				    .marker = peer->generated == 0,
				    .timestamp = timestamp(peer),
				    .ssrc = (uint32_t)peer->options.ssrc,
				    .sent_ns = now_ns(),
				    .payload = peer->options.payload};
	struct rtp_record record = {.kind = RTP_SENT,
				    .time_ns = packet.sent_ns,
				    .path = -1,
				    .ssrc = packet.ssrc,
				    .sequence = packet.sequence,
				    .sent_ns = packet.sent_ns,
				    .intact = true};
	size_t length = rtp_build(data, &packet);

	for (unsigned path = 0; path < peer->options.paths; path++) {
		if (!(peer->send_mask & 1u << path))
			continue;
		(void)!send(peer->fd[FROM_RTP + path], data, length, 0);
		record.path = (int)path;
		rtp_log_append(&peer->log, &record);
	}
	if (record.path < 0)
		rtp_log_append(&peer->log, &record);
	peer->generated++;
	peer->octets += (uint32_t)packet.payload;
}

/* RTCP is never duplicated (RFC 7198 section 5.1): it goes out on one path. */
static void send_report(struct peer *peer)
{
	uint8_t data[RTCP_REPORT];
	struct rtp_record record = {.kind = RTCP_SENT,
				    .time_ns = now_ns(),
				    .ssrc = (uint32_t)peer->options.ssrc,
				    .intact = true};
	size_t length = rtcp_build(data, record.ssrc, record.time_ns, timestamp(peer),
				   (uint32_t)peer->generated, peer->octets);

	if (!peer->send_mask)
		return;
	record.path = __builtin_ctz(peer->send_mask);
	(void)!send(peer->fd[(peer->options.mux ? FROM_RTP : FROM_RTCP) + record.path], data,
		    length, 0);
	rtp_log_append(&peer->log, &record);
}

static void arm(const struct peer *peer, enum source source, uint64_t first_ns, uint64_t every_ns)
{
	const struct itimerspec when = {
		.it_value = {(time_t)(first_ns / 1000000000u), (long)(first_ns % 1000000000u)},
		.it_interval = {(time_t)(every_ns / 1000000000u), (long)(every_ns % 1000000000u)}};

	timerfd_settime(peer->fd[source], 0, &when, NULL);
}

static void start_sending(struct peer *peer)
{
	peer->started = true;
	note(peer, "start");
	arm(peer, FROM_SEND, 1, 1000000000u / peer->options.pps);
	arm(peer, FROM_REPORT, peer->options.rtcp_ms * 500000u, peer->options.rtcp_ms * 1000000u);
}

static void stop_sending(struct peer *peer)
{
	peer->stopped = true;
	arm(peer, FROM_SEND, 0, 0);
	arm(peer, FROM_REPORT, 0, 0);
	arm(peer, FROM_LINGER, peer->options.linger_ms * 1000000u, 0);
}

static void send_due(struct peer *peer)
{
	uint64_t due;

	if (read(peer->fd[FROM_SEND], &due, sizeof(due)) != sizeof(due))
		return;
	while (due-- && peer->generated < peer->options.count)
		send_packet(peer);
	if (peer->generated >= peer->options.count)
		stop_sending(peer);
}

/* ---- receiving --------------------------------------------------------------------------------
 */

static void record_packet(struct peer *peer, unsigned path, const uint8_t *data, size_t length)
{
	struct rtp_record record = {.time_ns = now_ns(), .path = (int)path};
	struct rtp_packet packet = {0};

	if (rtcp_is(data, length)) {
		record.kind = RTCP_RECEIVED;
		record.ssrc = rtcp_ssrc(data);
		record.intact = length == RTCP_REPORT;
	} else if (rtp_parse(&packet, &record.intact, data, length)) {
		record.kind = RTP_RECEIVED;
		record.ssrc = packet.ssrc;
		record.sequence = packet.sequence;
		record.sent_ns = packet.sent_ns;
	} else {
		return;
	}
	rtp_log_append(&peer->log, &record);
}

static void receive(struct peer *peer, enum source source)
{
	unsigned path = (unsigned)(source - FROM_RTP) % RTP_PATHS;
	uint8_t data[65536];

	for (;;) {
		ssize_t length = recv(peer->fd[source], data, sizeof(data), 0);

		if (length < 0 && errno == ECONNREFUSED)
			continue; /* an ICMP error about something sent earlier */
		if (length < 0)
			return;
		if (peer->receive_mask & 1u << path)
			record_packet(peer, path, data, (size_t)length);
	}
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static bool switch_path(struct peer *peer, unsigned *mask, const char *what, const char *argument)
{
	unsigned path;
	char state[4] = "";
	char text[32];

	if (sscanf(argument, "%u %3s", &path, state) != 2 || path >= peer->options.paths ||
	    (strcmp(state, "on") != 0 && strcmp(state, "off") != 0))
		return false;
	if (state[1] == 'n')
		*mask |= 1u << path;
	else
		*mask &= ~(1u << path);
	snprintf(text, sizeof(text), "%s %u %s", what, path, state);
	note(peer, text);
	return true;
}

static bool run_command(struct peer *peer, const char *line)
{
	if (strncmp(line, "note ", 5) == 0) {
		note(peer, line + 5);
		return true;
	}
	if (strncmp(line, "recv ", 5) == 0)
		return switch_path(peer, &peer->receive_mask, "recv", line + 5);
	if (strncmp(line, "send ", 5) == 0) {
		if (!switch_path(peer, &peer->send_mask, "send", line + 5))
			return false;
		if (!peer->started && peer->send_mask)
			start_sending(peer);
		return true;
	}
	if (strcmp(line, "stop") == 0)
		stop_sending(peer);
	else if (strcmp(line, "quit") == 0)
		peer->quit = true;
	else
		return !*line;
	return true;
}

static void obey(const char *line, void *context)
{
	if (!run_command(context, line))
		fprintf(stderr, "rtp-peer: not understood: %s\n", line);
}

/* Runs what is due of the script and sets the timer for the next entry. */
static void run_script(struct peer *peer)
{
	double elapsed = (double)(now_ns() - peer->begin_ns) / 1e9;
	char *rest;
	uint64_t expirations;

	(void)!read(peer->fd[FROM_SCRIPT], &expirations, sizeof(expirations));
	while (peer->script && *peer->script) {
		double at = strtod(peer->script, &rest);
		char *end = rest + strcspn(rest, ";");
		bool more = *end == ';';

		if (at > elapsed) {
			arm(peer, FROM_SCRIPT, (uint64_t)((at - elapsed) * 1e9) + 1, 0);
			return;
		}
		*end = '\0';
		rest += strspn(rest, " ");
		obey(rest, peer);
		peer->script = more ? end + 1 : end;
	}
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

static bool watch(struct peer *peer, enum source source, int fd)
{
	peer->fd[source] = fd;
	return loop_watch(peer->epoll, source, fd);
}

static bool open_sources(struct peer *peer)
{
	const struct options *o = &peer->options;

	peer->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned path = 0; path < o->paths; path++) {
		if (!watch(peer, FROM_RTP + path, endpoint_pair_open(&o->pair[path], 0)) ||
		    (!o->mux &&
		     !watch(peer, FROM_RTCP + path, endpoint_pair_open(&o->pair[path], 1))))
			return false;
	}
	for (enum source source = FROM_SEND; source <= FROM_LIFETIME; source++) {
		if (!watch(peer, source,
			   timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)))
			return false;
	}
	return watch(peer, FROM_SIGNAL, loop_open_signals()) &&
	       (!o->control || watch(peer, FROM_CONTROL, loop_open_control(o->control)));
}

static void handle(struct peer *peer, enum source source)
{
	uint64_t expirations;

	switch (source) {
	case FROM_SEND:
		send_due(peer);
		break;
	case FROM_REPORT:
		if (read(peer->fd[FROM_REPORT], &expirations, sizeof(expirations)) > 0)
			send_report(peer);
		break;
	case FROM_SCRIPT:
		run_script(peer);
		break;
	case FROM_CONTROL:
		loop_read_control(peer->fd[FROM_CONTROL], obey, peer);
		break;
	case FROM_LINGER:
	case FROM_LIFETIME:
	case FROM_SIGNAL:
		peer->quit = true;
		break;
	default:
		receive(peer, source);
		break;
	}
}

static void run(struct peer *peer)
{
	struct epoll_event events[SOURCES];

	arm(peer, FROM_LIFETIME, peer->options.seconds * 1000000000u, 0);
	if (peer->send_mask)
		start_sending(peer);
	run_script(peer);
	while (!peer->quit) {
		int count = epoll_wait(peer->epoll, events, SOURCES, -1);

		for (int i = 0; i < count; i++)
			handle(peer, (enum source)events[i].data.u32);
	}
}

static bool write_summary(struct peer *peer)
{
	struct rtp_summary summary;
	FILE *out = fopen(peer->options.json, "w");

	if (!out || !rtp_analyse(&summary, NULL, &peer->log)) {
		fprintf(stderr, "rtp-peer: %s: %s\n", peer->options.json, strerror(errno));
		return false;
	}
	fprintf(out, "{\"sent\": %lu, \"received\": ", peer->generated);
	rtp_summary_json(&summary, out);
	fputs("}\n", out);
	return fclose(out) == 0;
}

static int finish(struct peer *peer)
{
	bool good = true;

	if (peer->options.control)
		unlink(peer->options.control);
	if (peer->options.csv && !rtp_log_write(&peer->log, peer->options.csv)) {
		fprintf(stderr, "rtp-peer: %s: %s\n", peer->options.csv, strerror(errno));
		good = false;
	}
	if (peer->options.json && !write_summary(peer))
		good = false;
	rtp_log_free(&peer->log);
	free(peer->options.script);
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct peer peer = {.receive_mask = (1u << RTP_PATHS) - 1};

	if (!parse_options(&peer.options, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	peer.send_mask = peer.options.send_mask;
	peer.script = peer.options.script;
	peer.begin_ns = now_ns();
	if (!open_sources(&peer)) {
		fprintf(stderr, "rtp-peer: sockets or control FIFO: %s\n", strerror(errno));
		return 1;
	}
	run(&peer);
	return finish(&peer);
}
