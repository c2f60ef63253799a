// SPDX-License-Identifier: BSD-2-Clause
#include "store/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/lines_past.h"

#define NS_PER_US 1000u
#define MAKE_UP_MOST 20000 /* records, as many as store_cdrs() looks at */
#define ASIDE_TRIES 100	   /* files set aside within one second */

struct lines {
	char *file;
	struct log *log;
	int fd;
	uint64_t most;
	char *text; /* what waits, whole lines */
	size_t used, room;
	struct buf line;
	struct lines_stats stats;
	bool failing; /* and that was said */
	bool full;    /* likewise */
};

/* ---- a line ---------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 character there (RFC 3629); 0: it is none. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
	static const struct {
		unsigned char first, last, second, most; /* of the first byte; of the second */
		size_t length;
	} forms[] = {
		{0x00, 0x7f, 0, 0, 1},	     {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (*at < forms[i].first || *at > forms[i].last)
			continue;
		if (left < forms[i].length)
			return 0;
		if (forms[i].length > 1 && (at[1] < forms[i].second || at[1] > forms[i].most))
			return 0;
		for (size_t j = 2; j < forms[i].length; j++) {
			if ((at[j] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].length;
	}
	return 0;
}

/* Text of the network: what is no UTF-8 becomes '?', or the line would be no JSON. */
static void add_text(struct buf *out, const char *name, struct str text)
{
	size_t length;

	buf_addf(out, "\"%s\":\"", name);
	for (size_t i = 0; i < text.n; i += length ? length : 1) {
		length = utf8_length((const unsigned char *)text.p + i, text.n - i);
		if (!length)
			buf_add_char(out, '?');
		else if (text.p[i] == '"' || text.p[i] == '\\')
			buf_addf(out, "\\%c", text.p[i]);
		else if (length == 1 && (unsigned char)text.p[i] < 0x20)
			buf_addf(out, "\\u%04x", (unsigned)text.p[i]);
		else
			buf_add(out, (struct str){text.p + i, length});
	}
	buf_add(out, STR("\","));
}

/* Microseconds since 1970, as everything that we say; null: never. */
static void add_time(struct buf *out, const char *name, uint64_t ns)
{
	if (ns)
		buf_addf(out, "\"%s\":%llu,", name, (unsigned long long)(ns / NS_PER_US));
	else
		buf_addf(out, "\"%s\":null,", name);
}

void lines_format(struct buf *out, const struct store_cdr *cdr)
{
	buf_add_char(out, '{');
	add_text(out, "id", cdr->call_id);
	add_text(out, "caller", cdr->caller);
	add_text(out, "callee", cdr->callee);
	add_time(out, "started_us", cdr->started_ns);
	add_time(out, "answered_us", cdr->answered_ns);
	add_time(out, "ended_us", cdr->ended_ns);
	buf_addf(out, "\"status\":%d,", cdr->status);
	add_text(out, "reason", cdr->reason);
	buf_addf(out, "\"handovers\":%u,\"details\":", cdr->handovers);
	buf_add(out, cdr->details.n ? cdr->details : STR("{}"));
	buf_add_char(out, '}');
}

/* ---- what waits ------------------------------------------------------------------------------ */

static bool make_room(struct lines *lines, size_t size)
{
	size_t room = lines->room ? lines->room : 65536;
	char *text;

	if (lines->used + size > LINES_WAITING)
		return false;
	while (room < lines->used + size)
		room *= 2;
	if (room == lines->room)
		return true;
	text = realloc(lines->text, room);
	if (!text)
		return false;
	lines->text = text;
	lines->room = room;
	return true;
}

/* Of lines->line, without its end. */
static void add_line(struct lines *lines)
{
	buf_add_char(&lines->line, '\n');
	if (buf_error(&lines->line) || !make_room(lines, lines->line.len)) {
		lines->stats.lost++;
		if (!lines->full)
			log_error(
				lines->log, NULL,
				"cdr file %s: no room for more lines to wait; more are lost until "
				"it is written (the store has them)",
				lines->file);
		lines->full = true;
		return;
	}
	memcpy(lines->text + lines->used, lines->line.data, lines->line.len);
	lines->used += lines->line.len;
	lines->stats.waiting++;
}

void lines_add(struct lines *lines, const struct store_cdr *cdr)
{
	buf_reset(&lines->line);
	lines_format(&lines->line, cdr);
	add_line(lines);
}

void lines_add_text(struct lines *lines, struct str line)
{
	buf_reset(&lines->line);
	buf_add(&lines->line, line);
	add_line(lines);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Names of callers are nobody else's business; whoever collects them may be of our group. */
static int open_file(struct lines *lines)
{
	lines->fd = open(lines->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	return lines->fd < 0 ? -errno : 0;
}

static void close_file(struct lines *lines)
{
	if (lines->fd >= 0)
		close(lines->fd);
	lines->fd = -1;
}

/* Under a name that no other has: nothing of what was written is ever written over. */
static int set_aside(struct lines *lines)
{
	struct buf name = BUF_EMPTY;
	int ret = -EEXIST, tries = 0;
	char stamp[32];
	struct tm utc;
	time_t now = time(NULL);

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	while (ret == -EEXIST && tries++ < ASIDE_TRIES) {
		buf_reset(&name);
		buf_addf(&name, "%s.%s", lines->file, stamp);
		if (tries > 1)
			buf_addf(&name, "-%d", tries);
		ret = buf_error(&name);
		if (!ret && link(lines->file, name.data))
			ret = -errno;
	}
	buf_free(&name);
	if (!ret && unlink(lines->file))
		ret = -errno;
	return ret;
}

/* The file of that name, with room: not one that was moved away, and not one that is full. */
static int ready_file(struct lines *lines, off_t *size)
{
	struct stat named, held;
	int ret = 0;

	if (lines->fd >= 0 && !fstat(lines->fd, &held) && !stat(lines->file, &named) &&
	    named.st_ino == held.st_ino && named.st_dev == held.st_dev) {
		if (!lines->most || (uint64_t)held.st_size < lines->most) {
			*size = held.st_size;
			return 0;
		}
		ret = set_aside(lines);
	}
	close_file(lines);
	if (!ret)
		ret = open_file(lines);
	if (!ret && fstat(lines->fd, &held))
		ret = -errno;
	*size = ret ? 0 : held.st_size;
	return ret;
}

static int write_all(struct lines *lines)
{
	off_t before;
	int ret = ready_file(lines, &before);
	ssize_t done;

	if (ret)
		return ret;
	done = write(lines->fd, lines->text, lines->used);
	if (done == (ssize_t)lines->used)
		return 0;
	ret = done < 0 ? -errno : -ENOSPC;
	/* Half a line helps nobody, and would be there twice later. */
	if (done > 0 && ftruncate(lines->fd, before))
		ret = -errno;
	return ret;
}

int lines_write(struct lines *lines)
{
	int ret;

	if (!lines->used)
		return 0;
	ret = write_all(lines);
	if (ret) {
		if (!lines->failing)
			log_error(lines->log, NULL,
				  "cdr file %s cannot be written: %s; lines wait and are tried "
				  "again",
				  lines->file, strerror(-ret));
		lines->failing = true;
		return ret;
	}
	lines->stats.written += lines->stats.waiting;
	lines->stats.waiting = 0;
	lines->used = 0;
	if (lines->failing)
		log_info(lines->log, NULL, "cdr file %s is written again; %llu lines were lost",
			 lines->file, (unsigned long long)lines->stats.lost);
	lines->failing = lines->full = false;
	return 0;
}

/* ---- what a crash kept from the file ----------------------------------------------------------
 */

struct missing {
	struct lines_past past;
	struct buf line;
	char **lines; /* the newest first */
	size_t count, room;
	bool met; /* a record of which the file has a line */
};

static bool keep_line(struct missing *missing)
{
	size_t room = missing->room ? missing->room * 2 : 64;
	char **lines = missing->lines;

	if (missing->count == missing->room) {
		lines = realloc(lines, room * sizeof(*lines));
		if (!lines)
			return false;
		missing->lines = lines;
		missing->room = room;
	}
	lines[missing->count] = str_dup(buf_str(&missing->line));
	return lines[missing->count] && ++missing->count;
}

static int on_record(void *context, const struct store_cdr *cdr)
{
	struct missing *missing = context;

	buf_reset(&missing->line);
	lines_format(&missing->line, cdr);
	missing->met = lines_past_has(&missing->past, buf_str(&missing->line));
	return missing->met || buf_error(&missing->line) || !keep_line(missing);
}

static void write_missing(struct lines *lines, const struct missing *missing)
{
	for (size_t i = missing->count; i-- > 0;)
		lines_add_text(lines, str_of(missing->lines[i]));
	if (!lines_write(lines))
		log_info(lines->log, NULL,
			 "cdr file %s: %zu records that the last end of segued had kept from it "
			 "were written",
			 lines->file, missing->count);
}

void lines_make_up(struct lines *lines, struct store *store)
{
	struct missing missing = {.line = BUF_EMPTY};
	struct error err = {""};

	lines_past_read(&missing.past, lines->file, lines->log);
	/* A file that begins now gets what is to come. */
	if (missing.past.n && store_cdrs(store, STR_NONE, MAKE_UP_MOST, on_record, &missing, &err))
		log_warning(lines->log, NULL, "cdr file %s: %s", lines->file, err.text);
	else if (missing.met && missing.count)
		write_missing(lines, &missing);
	else if (missing.count)
		log_warning(lines->log, NULL,
			    "cdr file %s: its last lines are of none of the store's newest "
			    "records: what it lacks is not known",
			    lines->file);
	while (missing.count)
		free(missing.lines[--missing.count]);
	free(missing.lines);
	buf_free(&missing.line);
	lines_past_free(&missing.past);
}

/* ---- opening and closing --------------------------------------------------------------------- */

int lines_open(struct lines **out, const char *file, uint64_t most, struct log *log,
	       struct error *err)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	int ret = -ENOMEM;

	if (lines) {
		lines->fd = -1;
		lines->most = most;
		lines->log = log;
		lines->file = str_dup(str_of(file));
	}
	if (lines && lines->file)
		ret = open_file(lines);
	if (ret) {
		if (lines)
			free(lines->file);
		free(lines);
		return error_set(err, ret, "cdr file %s: %s", file, strerror(-ret));
	}
	*out = lines;
	return 0;
}

void lines_close(struct lines *lines)
{
	if (!lines)
		return;
	if (lines_write(lines))
		log_error(lines->log, NULL,
			  "cdr file %s: closed with %zu lines that it did not take (the store has "
			  "them)",
			  lines->file, lines->stats.waiting);
	close_file(lines);
	buf_free(&lines->line);
	free(lines->text);
	free(lines->file);
	free(lines);
}

void lines_stats(const struct lines *lines, struct lines_stats *out)
{
	*out = lines->stats;
}
