/* SPDX-License-Identifier: BSD-2-Clause */
/* segue top: rates between two readings, the busiest streams first. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "values.h"
#include "view.h"

#define ROWS_DEFAULT 20u
#define SCREEN_OTHER_LINES 14u /* heads and drops beside the rows of streams */

static const struct range interval_range = {1, 3600};
static const struct range limit_range = {1, 1000000};

struct top_args {
	bool once;
	unsigned interval_s, limit;
};

static const struct option top_options[] = {
	{"once", 0, NULL, option_flag, offsetof(struct top_args, once), NULL,
	 "one answer over one interval, then end"},
	{"interval", 0, "S", option_number, offsetof(struct top_args, interval_s), &interval_range,
	 "seconds between two readings (1)"},
	{"limit", 0, "N", option_number, offsetof(struct top_args, limit), &limit_range,
	 "streams shown (20, or what the terminal holds)"},
	OPTIONS_END,
};

static const struct column stream_columns[] = {
	{"STREAM", "name", CELL_PLAIN},
	{"DIRECTION", "direction", CELL_PLAIN},
	{"A PATHS", "paths_a", CELL_PLAIN},
	{"B PATHS", "paths_b", CELL_PLAIN},
	{"IN/s", "packets_per_s", CELL_PLAIN},
	{"IN octets/s", "octets_per_s", CELL_PLAIN},
	{"OUT/s", "sent_packets_per_s", CELL_PLAIN},
	{"OUT octets/s", "sent_octets_per_s", CELL_PLAIN},
	{"DUPLICATES/s", "duplicates_per_s", CELL_PLAIN},
	{NULL, NULL, CELL_PLAIN},
};

static const struct column drop_columns[] = {
	{"REASON", "name", CELL_PLAIN},
	{"FATE", "fate", CELL_PLAIN},
	{"PER SECOND", "per_s", CELL_PLAIN},
	{"TOTAL", "count", CELL_PLAIN},
	{NULL, NULL, CELL_PLAIN},
};

struct counters {
	uint64_t packets, octets, sent_packets, sent_octets, duplicates;
};

struct entry {
	uint32_t stream, generation;
	unsigned paths[SG_SIDES];
	enum sg_direction direction;
	char name[SG_NAME_LEN];
	struct counters total, rate; /* rate: per interval */
};

/* One reading. Entries are in the order of their stream slots. */
struct sample {
	uint64_t time_ns;
	uint64_t drop[SG_REASON_COUNT];
	struct entry *entry;
	size_t count, room;
};

static void add_path(struct entry *entry, const struct sg_path_info *path)
{
	entry->paths[path->side & 1]++;
	entry->total.packets += path->packets;
	entry->total.octets += path->octets;
	entry->total.sent_packets += path->sent_packets;
	entry->total.sent_octets += path->sent_octets;
	entry->total.duplicates += path->duplicates;
}

static void add_entry(struct sample *sample, const struct sg_stream_info *info)
{
	struct entry *entry;

	if (sample->count == sample->room) {
		size_t room = sample->room ? sample->room * 2 : 64;
		struct entry *larger = cli_alloc(room * sizeof(*larger));

		if (sample->count)
			memcpy(larger, sample->entry, sample->count * sizeof(*larger));
		free(sample->entry);
		sample->entry = larger;
		sample->room = room;
	}
	entry = &sample->entry[sample->count++];
	*entry = (struct entry){
		.stream = info->stream,
		.generation = info->generation,
		.direction = info->direction,
	};
	memcpy(entry->name, info->name, SG_NAME_LEN);
	for (size_t i = 0; i < info->paths; i++)
		add_path(entry, &info->path[i]);
}

/* Opens the maps anew each time: they may have been made again meanwhile. */
static int take_sample(struct cli *cli, struct sample *sample)
{
	struct sg_stream_info info;
	uint32_t stream = 0;
	int code = cli_open(cli, SG_OPEN_READ_ONLY, 0);

	*sample = (struct sample){0};
	if (code != EXIT_OK)
		return code;
	sample->time_ns = cli_now_ns();
	if (sg_drop_read(cli->relay, sample->drop) < 0)
		code = output_error(&cli->out, EXIT_FAILED, "drops cannot be read");
	for (; code == EXIT_OK && sg_stream_next(cli->relay, &stream); stream++) {
		if (sg_stream_info(cli->relay, stream, &info) == 0)
			add_entry(sample, &info);
	}
	sg_relay_close(cli->relay);
	cli->relay = NULL;
	return code;
}

/* Counters of a path that left are gone from a total: that is no negative rate. */
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static void set_rate(struct entry *entry, const struct entry *before)
{
	const struct counters none = {0};
	bool same = before && before->generation == entry->generation;
	const struct counters *b = same ? &before->total : &none;
	const struct counters *n = &entry->total;

	entry->rate = (struct counters){
		.packets = grown(n->packets, b->packets),
		.octets = grown(n->octets, b->octets),
		.sent_packets = grown(n->sent_packets, b->sent_packets),
		.sent_octets = grown(n->sent_octets, b->sent_octets),
		.duplicates = grown(n->duplicates, b->duplicates),
	};
}

/* Both samples are in slot order: one walk through the two. */
static void set_rates(struct sample *now, const struct sample *before)
{
	size_t b = 0;

	for (size_t i = 0; i < now->count; i++) {
		struct entry *entry = &now->entry[i];

		while (b < before->count && before->entry[b].stream < entry->stream)
			b++;
		set_rate(entry, b < before->count && before->entry[b].stream == entry->stream
					? &before->entry[b]
					: NULL);
	}
}

static int busier(const void *left, const void *right)
{
	const struct entry *const *l = left, *const *r = right;
	uint64_t a = (*l)->rate.packets + (*l)->rate.sent_packets;
	uint64_t b = (*r)->rate.packets + (*r)->rate.sent_packets;

	if (a != b)
		return a < b ? 1 : -1;
	return strcmp((*l)->name, (*r)->name);
}

static json_t *rates_json(const struct counters *rate, double seconds)
{
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I}", "packets_per_s",
		(json_int_t)((double)rate->packets / seconds + 0.5), "octets_per_s",
		(json_int_t)((double)rate->octets / seconds + 0.5), "sent_packets_per_s",
		(json_int_t)((double)rate->sent_packets / seconds + 0.5), "sent_octets_per_s",
		(json_int_t)((double)rate->sent_octets / seconds + 0.5), "duplicates_per_s",
		(json_int_t)((double)rate->duplicates / seconds + 0.5));
}

static json_t *entry_json(const struct entry *entry, double seconds)
{
	json_t *row = json_pack("{s:o, s:I, s:s, s:i, s:i}", "name", output_string(entry->name),
				"id", (json_int_t)entry->stream, "direction",
				choice_name(direction_choices, (int)entry->direction + 1),
				"paths_a", (int)entry->paths[0], "paths_b", (int)entry->paths[1]);
	json_t *rates = rates_json(&entry->rate, seconds);

	json_object_update(row, rates);
	json_decref(rates);
	return row;
}

static json_t *busiest_json(const struct sample *now, double seconds, size_t limit)
{
	const struct entry **order = cli_alloc(now->count * sizeof(*order));
	json_t *rows = json_array();

	for (size_t i = 0; i < now->count; i++)
		order[i] = &now->entry[i];
	qsort(order, now->count, sizeof(*order), busier);
	for (size_t i = 0; i < now->count && i < limit; i++)
		json_array_append_new(rows, entry_json(order[i], seconds));
	free(order);
	return rows;
}

static json_t *totals_json(const struct sample *now, double seconds)
{
	struct counters sum = {0};
	json_t *totals;
	unsigned paths = 0;

	for (size_t i = 0; i < now->count; i++) {
		const struct entry *entry = &now->entry[i];

		paths += entry->paths[0] + entry->paths[1];
		sum.packets += entry->rate.packets;
		sum.octets += entry->rate.octets;
		sum.sent_packets += entry->rate.sent_packets;
		sum.sent_octets += entry->rate.sent_octets;
		sum.duplicates += entry->rate.duplicates;
	}
	totals = rates_json(&sum, seconds);
	json_object_set_new(totals, "streams", json_integer((json_int_t)now->count));
	json_object_set_new(totals, "paths", json_integer(paths));
	return totals;
}

static json_t *drops_json(const struct sample *now, const struct sample *before, double seconds)
{
	json_t *rows = json_array();

	for (int i = SG_NONE + 1; i < SG_REASON_COUNT; i++) {
		double rate = (double)grown(now->drop[i], before->drop[i]) / seconds;

		if (!now->drop[i])
			continue;
		json_array_append_new(rows, json_pack("{s:s, s:s, s:I, s:I}", "name",
						      sg_reason_name((enum sg_reason)i), "fate",
						      sg_reason_fate((enum sg_reason)i), "per_s",
						      (json_int_t)(rate + 0.5), "count",
						      (json_int_t)now->drop[i]));
	}
	return rows;
}

static json_int_t get(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void top_text(const struct output *out, const json_t *data)
{
	const json_t *totals = json_object_get(data, "totals");

	if (out->colour)
		fputs("\033[H\033[2J", stdout);
	printf("%lld streams, %lld paths; in %lld packets/s %lld octets/s; out %lld packets/s %lld "
	       "octets/s; duplicates %lld/s\n\n",
	       get(totals, "streams"), get(totals, "paths"), get(totals, "packets_per_s"),
	       get(totals, "octets_per_s"), get(totals, "sent_packets_per_s"),
	       get(totals, "sent_octets_per_s"), get(totals, "duplicates_per_s"));
	text_table(out, stream_columns, json_object_get(data, "busiest"));
	putchar('\n');
	if (json_array_size(json_object_get(data, "drops")))
		text_table(out, drop_columns, json_object_get(data, "drops"));
	else
		puts("nothing dropped");
	if (!out->colour)
		putchar('\n');
}

static size_t rows_shown(const struct cli *cli)
{
	const struct top_args *args = cli->args;
	struct winsize size;

	if (args->limit)
		return args->limit;
	if (cli->out.colour && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
	    size.ws_row > SCREEN_OTHER_LINES + 1)
		return size.ws_row - SCREEN_OTHER_LINES;
	return ROWS_DEFAULT;
}

static void print_sample(struct cli *cli, struct sample *now, const struct sample *before)
{
	double seconds = (double)(now->time_ns - before->time_ns) / 1e9;

	set_rates(now, before);
	output_data(&cli->out,
		    json_pack("{s:f, s:o, s:o, s:o}", "interval_s", seconds, "totals",
			      totals_json(now, seconds), "busiest",
			      busiest_json(now, seconds, rows_shown(cli)), "drops",
			      drops_json(now, before, seconds)),
		    top_text);
}

static int top_run(struct cli *cli)
{
	const struct top_args *args = cli->args;
	unsigned ms = (args->interval_s ? args->interval_s : 1) * 1000;
	struct sample before, now;
	int code = take_sample(cli, &before);

	cli_hold_signals();
	while (code == EXIT_OK && !cli_stop_requested(ms)) {
		code = take_sample(cli, &now);
		if (code == EXIT_OK)
			print_sample(cli, &now, &before);
		free(before.entry);
		before = now;
		if (args->once)
			break;
	}
	free(before.entry);
	return code;
}

static const struct command commands[] = {
	{
		.name = NULL,
		.operands = "",
		.help = "Shows packets and octets per second, the busiest streams and the drops.",
		.run = top_run,
		OPTIONS(top_options, struct top_args),
	},
};

const struct object top_object = {
	.name = "top",
	.help = "rates, refreshed",
	OBJECT_COMMANDS(commands),
};
