// SPDX-License-Identifier: BSD-2-Clause
/*
 * Figures in Prometheus' text format 0.0.4. Labels have few values that no peer can choose: reasons
 * of the relay, our own interfaces, directions. Each family is in docs/metrics.md, too.
 */
#include "ops/metrics.h"

#include <dirent.h>
#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "ops/rooms.h"

#define TEXT_FORMAT "text/plain; version=0.0.4; charset=utf-8"

/* ---- writing -------------------------------------------------------------------------------- */

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(struct buf *out, const char *name, const char *help, uint64_t value)
{
	family(out, name, "counter", help);
	buf_addf(out, "%s %" PRIu64 "\n", name, value);
}

static void gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
	family(out, name, "gauge", help);
	buf_addf(out, "%s %" PRIu64 "\n", name, value);
}

/* What stands within quotes in that format: names of NICs and trunks may have any character. */
static void add_escaped(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			buf_add_char(out, '\\');
		if (*text == '\n')
			buf_add(out, STR("\\n"));
		else
			buf_add_char(out, *text);
	}
}

static void labelled(struct buf *out, const char *name, const char *label, const char *value,
		     uint64_t number)
{
	buf_addf(out, "%s{%s=\"", name, label);
	add_escaped(out, value);
	buf_addf(out, "\"} %" PRIu64 "\n", number);
}

/* ---- segued itself -------------------------------------------------------------------------- */

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	uint64_t all, resident = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%" SCNu64 " %" SCNu64, &all, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Without the two dots, and the descriptor that reads them. */
static uint64_t open_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!directory)
		return 0;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count > 3 ? count - 3 : 0;
}

static void write_process(struct buf *out, const struct rooms *rooms)
{
	struct rusage usage = {0};
	struct rlimit files = {0};

	family(out, "segue_info", "gauge", "Always 1; the version is a label.");
	buf_addf(out, "segue_info{version=\"" SEGUE_VERSION "\"} 1\n");
	gauge(out, "segue_uptime_seconds", "Since segued started.",
	      (wheel_now_ms() - rooms->started_ms) / 1000);
	gauge(out, "segue_draining", "1 while new calls are refused, since segued is to end.",
	      rooms->draining);
	getrusage(RUSAGE_SELF, &usage);
	getrlimit(RLIMIT_NOFILE, &files);
	family(out, "process_cpu_seconds_total", "counter", "CPU time of segued.");
	buf_addf(out, "process_cpu_seconds_total %.2f\n",
		 seconds(&usage.ru_utime) + seconds(&usage.ru_stime));
	gauge(out, "process_resident_memory_bytes", "Memory of segued, its maps included.",
	      resident_bytes());
	gauge(out, "process_open_fds", "Open file descriptors.", open_files());
	gauge(out, "process_max_fds", "File descriptors that may be open.", files.rlim_cur);
}

/* ---- SIP ------------------------------------------------------------------------------------ */

static void write_sip(struct buf *out, const struct rooms *rooms)
{
	struct sip_stack_stats sip;
	struct limit_stats limit;

	sip_stack_stats(rooms->stack, &sip);
	limit_stats(rooms->limit, &limit);
	counter(out, "segue_sip_received_total", "SIP messages that came.", sip.received);
	counter(out, "segue_sip_sent_total", "SIP messages that were sent.", sip.sent);
	counter(out, "segue_sip_refused_total",
		"SIP messages that were dropped or refused before a transaction: malformed, too "
		"many.",
		sip.refused);
	counter(out, "segue_sip_limited_total",
		"SIP messages that were dropped since their source sent too many.", limit.refused);
	counter(out, "segue_sip_crowded_total",
		"SIP messages of strangers that were dropped since all of them sent too many.",
		limit.crowded);
	family(out, "segue_sip_retransmitted_total", "counter",
	       "SIP messages that came again, or were sent again.");
	labelled(out, "segue_sip_retransmitted_total", "direction", "in", sip.retransmitted_in);
	labelled(out, "segue_sip_retransmitted_total", "direction", "out", sip.retransmitted_out);
	family(out, "segue_sip_transactions", "gauge", "SIP transactions that live.");
	labelled(out, "segue_sip_transactions", "role", "server", sip.server_transactions);
	labelled(out, "segue_sip_transactions", "role", "client", sip.client_transactions);
	gauge(out, "segue_sip_dialogs", "SIP dialogs that live: two for each call.", sip.dialogs);
	gauge(out, "segue_sip_sources", "Source addresses that are remembered for the limit.",
	      limit.sources);
}

/* Of those that are shown, not of the files: a renewed one counts when it was loaded. */
static void write_certificates(struct buf *out, const struct rooms *rooms)
{
	static const char name[] = "segue_certificate_not_after_timestamp_seconds";
	int64_t first = sip_transport_not_after(sip_stack_transport(rooms->stack));

	family(out, name, "gauge",
	       "When the first TLS certificate that is shown expires, in seconds since 1970; +Inf: "
	       "there is none.");
	if (first == INT64_MAX)
		buf_addf(out, "%s +Inf\n", name);
	else
		buf_addf(out, "%s %" PRId64 "\n", name, first);
}

static void write_hep(struct buf *out, const struct rooms *rooms)
{
	struct hep_stats hep;

	hep_stats(rooms->hep, &hep);
	counter(out, "segue_hep_sent_total", "Copies of SIP messages that were sent to hep.to.",
		hep.sent);
	counter(out, "segue_hep_lost_total", "Copies that could not be sent.", hep.lost);
}

/* ---- calls, registrations, the store -------------------------------------------------------- */

static void write_refused(struct buf *out, const struct rooms *rooms)
{
	static const char name[] = "segue_calls_refused_total";

	family(out, name, "counter", "Calls that a limit kept from being, by the limit.");
	for (int i = 0; i < CALLS_REFUSALS; i++)
		labelled(out, name, "reason", calls_refusal_name((enum calls_refusal)i),
			 calls_refused(rooms->calls, (enum calls_refusal)i));
}

/* Entries of one name are one trunk: it is there once. */
static bool is_first(const struct config *config, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(config->trunk[i].name, config->trunk[index].name))
			return false;
	return true;
}

static void write_trunks(struct buf *out, const struct rooms *rooms)
{
	static const char name[] = "segue_trunk_legs";
	const struct config *config = rooms->config;

	family(out, name, "gauge", "Legs of calls from and to a trunk of the configuration.");
	for (size_t i = 0; i < config->trunks; i++)
		if (is_first(config, i))
			labelled(out, name, "trunk", config->trunk[i].name,
				 calls_at_trunk(rooms->calls, str_of(config->trunk[i].name)));
}

static void write_calls(struct buf *out, const struct rooms *rooms)
{
	struct store_stats store;

	store_stats(rooms->store, &store);
	gauge(out, "segue_calls", "Calls that there are.", calls_count(rooms->calls));
	gauge(out, "segue_calls_most", "Calls that there may be (calls.most).",
	      rooms->config->max_calls);
	write_refused(out, rooms);
	write_trunks(out, rooms);
	gauge(out, "segue_registrations", "Contacts that are registered.",
	      location_count(rooms->location));
	gauge(out, "segue_store_healthy", "1 while the store takes what is written.",
	      store.healthy);
	gauge(out, "segue_store_queued", "Records that wait to be written.", store.queued);
	counter(out, "segue_store_written_total", "Records that were written.", store.written);
	counter(out, "segue_store_failed_total", "Writes that failed and are tried again.",
		store.failed);
	counter(out, "segue_store_lost_total", "Records that were lost for good.", store.lost);
	counter(out, "segue_cdr_lines_written_total", "CDRs that were written to cdr.file.",
		store.lines_written);
	counter(out, "segue_cdr_lines_lost_total",
		"CDRs that cdr.file has not got and never will; the store has them.",
		store.lines_lost);
	gauge(out, "segue_cdr_lines_waiting", "CDRs that wait until cdr.file can be written.",
	      store.lines_waiting);
}

/* ---- handovers ------------------------------------------------------------------------------ */

static void write_outcomes(struct buf *out, const struct calls_handover_figures *figures)
{
	static const char name[] = "segue_handovers_total";

	family(out, name, "counter",
	       "Handovers that are over, by how the party moved and how it ended.");
	for (size_t scheme = 0; scheme < CALLS_HANDOVER_SCHEMES; scheme++) {
		for (size_t state = 0; state < CALLS_HANDOVER_STATES; state++) {
			const char *outcome = calls_handover_outcome(state);

			if (outcome)
				buf_addf(out, "%s{scheme=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
					 name, calls_handover_scheme(scheme), outcome,
					 figures->ended[scheme][state]);
		}
	}
}

static void write_handovers(struct buf *out, const struct rooms *rooms)
{
	static const char name[] = "segue_handover_map_seconds";
	const struct calls_handover_figures *figures = calls_handover_figures(rooms->calls);
	uint64_t sum = 0;

	gauge(out, "segue_handovers_running", "Handovers that run now.",
	      calls_handovers_running(rooms->calls));
	write_outcomes(out, figures);
	family(out, name, "histogram",
	       "From the arrival of the request that moves a party to the changed map.");
	for (size_t i = 0; i < CALLS_HANDOVER_BOUNDS; i++) {
		sum += figures->changed[i];
		buf_addf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
			 (double)calls_handover_bound_ns[i] / 1e9, sum);
	}
	sum += figures->changed[CALLS_HANDOVER_BOUNDS];
	buf_addf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.9f\n%s_count %" PRIu64 "\n",
		 name, sum, name, (double)figures->changed_ns / 1e9, name, sum);
}

/* ---- the relay ------------------------------------------------------------------------------ */

static void write_reasons(struct buf *out, const struct media_figures *media)
{
	static const char name[] = "segue_relay_ended_packets_total";

	family(out, name, "counter",
	       "Packets to media ports (banned: to SIP ports) that were not forwarded, by reason; "
	       "fate: drop, pass (to the network stack), answer (with an ICMP error).");
	for (int i = SG_NONE + 1; i < SG_REASON_COUNT; i++)
		buf_addf(out, "%s{reason=\"%s\",fate=\"%s\"} %" PRIu64 "\n", name,
			 sg_reason_name((enum sg_reason)i), sg_reason_fate((enum sg_reason)i),
			 media->ended[i]);
}

static void write_interfaces(struct buf *out, const struct media_figures *media)
{
	family(out, "segue_interface_up", "gauge", "1 while the interface is up.");
	for (size_t i = 0; i < media->interfaces; i++)
		labelled(out, "segue_interface_up", "interface", media->interface[i].name,
			 media->interface[i].up);
	family(out, "segue_interface_attached", "gauge", "1 while the interface runs our program.");
	for (size_t i = 0; i < media->interfaces; i++)
		labelled(out, "segue_interface_attached", "interface", media->interface[i].name,
			 media->interface[i].prog_id && media->interface[i].ours);
}

static int write_bans(struct buf *out, const struct rooms *rooms)
{
	int bans = media_bans(rooms->media, NULL, NULL);

	family(out, "segue_banned_total", "counter",
	       "Sources that were banned since segued started, by cause.");
	for (int i = 0; i < GUARD_CAUSES; i++)
		labelled(out, "segue_banned_total", "cause", guard_cause_name((enum guard_cause)i),
			 guard_banned(rooms->guard, (enum guard_cause)i));
	if (bans >= 0)
		gauge(out, "segue_bans", "Sources that are banned now.", (uint64_t)bans);
	return bans < 0 ? bans : 0;
}

static int write_relay(struct buf *out, const struct rooms *rooms)
{
	struct media_figures media;
	int ret = media_figures(rooms->media, &media);

	if (ret)
		return ret;
	gauge(out, "segue_relay_streams", "Streams in the relay, others' included.", media.streams);
	gauge(out, "segue_relay_streams_most", "Streams that there is room for.", media.capacity);
	gauge(out, "segue_media_ports_free", "Pairs of media ports that a call could get now.",
	      media.ports_free);
	write_reasons(out, &media);
	write_interfaces(out, &media);
	return 0;
}

/* ---- the pages ------------------------------------------------------------------------------ */

/* segue_relay_readable says why the relay's figures are not there, rather than that all are. */
static void write_all(struct buf *out, const struct rooms *rooms)
{
	int ret;

	write_process(out, rooms);
	write_sip(out, rooms);
	write_certificates(out, rooms);
	write_hep(out, rooms);
	write_calls(out, rooms);
	write_handovers(out, rooms);
	ret = write_relay(out, rooms);
	if (!ret)
		ret = write_bans(out, rooms);
	gauge(out, "segue_relay_readable", "1 when the relay's figures could be read.", !ret);
}

/* All of them or none: a series that is missing would look like one that has gone. */
static int write_metrics(struct http_request *request)
{
	struct buf text = BUF_EMPTY;
	int ret;

	write_all(&text, request->rooms);
	ret = buf_error(&text);
	if (!ret && evbuffer_add(request->body, text.data, text.len))
		ret = -ENOMEM;
	buf_free(&text);
	return ret ? ret : 200;
}

static const char *health(const struct rooms *rooms)
{
	struct store_stats store;

	store_stats(rooms->store, &store);
	if (rooms->draining)
		return "draining: new calls are refused";
	return store.healthy ? NULL : "the store is not writing";
}

/* 503 where a load balancer or a supervisor should send new calls elsewhere. */
static int write_health(struct http_request *request)
{
	const char *why = health(request->rooms);

	if (evbuffer_add_printf(request->body, "%s\n", why ? why : "ok") < 0)
		return -ENOMEM;
	return why ? 503 : 200;
}

const struct http_page metrics_pages[] = {
	{"/metrics", TEXT_FORMAT, write_metrics},
	{"/health", HTTP_TEXT, write_health},
	{0},
};
