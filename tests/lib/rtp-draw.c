// SPDX-License-Identifier: BSD-2-Clause
/*
 * rtp-draw: the packet-by-packet picture of a handover, as SVG. For each direction: every copy on
 * its path (from the path simulators' logs), what the application got (from the receiver's log),
 * and, for each handover, a closer look at the moments when the second path joins and the first one
 * leaves.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

static const char usage[] =
	"usage: rtp-draw --out FILE --title TEXT --path NAME=PATHSIM.csv [--path ...]\n"
	"         --direction LABEL,END,REMOVER,SENDER.csv,RECEIVER.csv [--direction ...]\n"
	"  END is a or b: the simulators' end where this direction comes in. The notes in the logs "
	"are\n"
	"  drawn; 'start' is time 0, 'join: TEXT' and 'leave: TEXT' bound a handover (up to 2).\n";

/* ---- reading ----------------------------------------------------------------------------------
 */

static double since_start(const struct picture *picture, uint64_t time_ns)
{
	return ((double)time_ns - (double)picture->start_ns) / 1e9;
}

static bool add_copy(struct direction *direction, const struct copy *copy)
{
	if ((direction->copies & (direction->copies - 1)) == 0) {
		size_t room = direction->copies ? direction->copies * 2 : 1;
		struct copy *grown = realloc(direction->copy, room * sizeof(*grown));

		if (!grown)
			return false;
		direction->copy = grown;
	}
	direction->copy[direction->copies++] = *copy;
	return true;
}

/* One line of a path simulator's log; lines that are not of this direction's RTP are passed over.
 */
static bool read_copy(struct direction *direction, unsigned path, const char *line)
{
	struct copy copy = {.path = path};
	char from, fate[16], media[8];
	uint32_t ssrc;
	unsigned sequence;

	if (sscanf(line, "%" SCNu64 ",%c,%15[^,],%*[^,],%7[^,],%*u,%*u,%*u,%" SCNu32 ",%u",
		   &copy.time_ns, &from, fate, media, &ssrc, &sequence) != 6)
		return true;
	if (from != direction->end || strcmp(media, "rtp") != 0 || ssrc != direction->summary.ssrc)
		return true;
	copy.arrived = strcmp(fate, "forward") == 0;
	copy.index = (uint16_t)(sequence - direction->first_sequence);
	if (copy.index >= (int64_t)direction->summary.sent)
		return true;
	return add_copy(direction, &copy);
}

static int by_time(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;

	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static bool find_first_copies(struct direction *direction)
{
	bool *seen = calloc(65536, sizeof(*seen));

	if (!seen)
		return false;
	qsort(direction->copy, direction->copies, sizeof(*direction->copy), by_time);
	for (size_t i = 0; i < direction->copies; i++) {
		struct copy *copy = &direction->copy[i];

		if (!copy->arrived)
			continue;
		copy->first = !seen[copy->index];
		direction->removed += !copy->first;
		seen[copy->index] = true;
	}
	free(seen);
	return true;
}

static bool read_copies(struct picture *picture, struct direction *direction)
{
	char line[256];

	for (unsigned path = 0; path < picture->paths; path++) {
		FILE *file = fopen(picture->path_log[path], "r");

		if (!file) {
			fprintf(stderr, "rtp-draw: %s: %s\n", picture->path_log[path],
				strerror(errno));
			return false;
		}
		while (fgets(line, sizeof(line), file)) {
			if (!read_copy(direction, path, line))
				break;
		}
		fclose(file);
	}
	return find_first_copies(direction);
}

static void take_note(struct picture *picture, const struct rtp_record *record)
{
	double time = since_start(picture, record->time_ns);
	const char *text;

	if (strncmp(record->note, "send ", 5) == 0 || strncmp(record->note, "recv ", 5) == 0 ||
	    strcmp(record->note, "start") == 0 || picture->marks == MARKS)
		return;
	if (strncmp(record->note, "join", 4) == 0 && picture->moves < MOVES)
		picture->move[picture->moves++].join = time;
	if (strncmp(record->note, "leave", 5) == 0 && picture->moves)
		picture->move[picture->moves - 1].leave = time;
	text = strstr(record->note, ": ");
	picture->mark[picture->marks++] = (struct mark){time, text ? text + 2 : record->note};
}

static void read_notes(struct picture *picture, const struct rtp_log *log)
{
	for (size_t i = 0; i < log->count; i++) {
		const struct rtp_record *record = &log->record[i];

		if (record->kind != RTP_NOTE)
			continue;
		if (!picture->start_ns && strcmp(record->note, "start") == 0)
			picture->start_ns = record->time_ns;
		take_note(picture, record);
	}
	for (size_t i = 0; i < log->count; i++) {
		double time = since_start(picture, log->record[i].time_ns);

		if (log->record[i].kind == RTP_SENT && time > picture->seconds)
			picture->seconds = time;
	}
}

/* When each packet was sent, and the sequence number of the first. */
static bool index_sender(struct direction *direction)
{
	direction->sent_ns = calloc(direction->summary.sent + 1, sizeof(*direction->sent_ns));
	if (!direction->sent_ns)
		return false;
	for (size_t i = direction->sender.count; i-- > 0;) {
		const struct rtp_record *record = &direction->sender.record[i];

		if (record->kind != RTP_SENT)
			continue;
		direction->first_sequence = record->sequence; /* of the first, in the end */
		direction->sent_ns[record->index] = record->time_ns;
	}
	return true;
}

static bool read_direction(struct picture *picture, char *text)
{
	struct direction *direction = &picture->direction[picture->directions];
	char *save = NULL;
	char *field[5];

	for (unsigned i = 0; i < 5; i++)
		field[i] = strtok_r(i ? NULL : text, ",", &save);
	if (picture->directions == DIRECTIONS || !field[4])
		return false;
	picture->directions++;
	direction->label = field[0];
	direction->end = field[1][0];
	direction->remover = field[2];
	if (!rtp_log_read(&direction->sender, field[3]) ||
	    !rtp_log_read(&direction->receiver, field[4]) ||
	    !rtp_analyse(&direction->summary, &direction->sender, &direction->receiver))
		return false;
	read_notes(picture, &direction->sender);
	return index_sender(direction);
}

/* ---- the command ------------------------------------------------------------------------------
 */

static bool set_path(struct picture *picture, char *text)
{
	char *equals = strrchr(text, '=');

	if (!equals || picture->paths == RTP_PATHS)
		return false;
	*equals = '\0';
	picture->path_name[picture->paths] = text;
	picture->path_log[picture->paths++] = equals + 1;
	return true;
}

static bool parse_options(struct picture *picture, int argc, char **argv)
{
	static const struct option table[] = {
		{"out", required_argument, NULL, 'o'},
		{"title", required_argument, NULL, 't'},
		{"path", required_argument, NULL, 'p'},
		{"direction", required_argument, NULL, 'd'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option == 'o')
			picture->out = optarg;
		else if (option == 't')
			picture->title = optarg;
		else if (option == 'p' && !set_path(picture, optarg))
			return false;
		else if (option == 'd' && !read_direction(picture, optarg))
			return false;
		else if (option == '?')
			return false;
	}
	return picture->out && picture->title && picture->directions && picture->paths &&
	       optind == argc;
}

static void free_picture(struct picture *picture)
{
	for (unsigned i = 0; i < picture->directions; i++) {
		struct direction *direction = &picture->direction[i];

		rtp_log_free(&direction->sender);
		rtp_log_free(&direction->receiver);
		free(direction->sent_ns);
		free(direction->copy);
	}
}

int main(int argc, char **argv)
{
	struct picture picture = {0};
	int status = 1;

	if (!parse_options(&picture, argc, argv)) {
		fputs(usage, stderr);
		free_picture(&picture);
		return 2;
	}
	for (unsigned i = 0; i < picture.directions; i++) {
		if (!read_copies(&picture, &picture.direction[i]))
			goto out;
	}
	if (picture_draw(&picture)) {
		fprintf(stderr, "rtp-draw: %s: %s\n", picture.out, strerror(errno));
		goto out;
	}
	status = 0;
out:
	free_picture(&picture);
	return status;
}
