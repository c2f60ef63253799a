/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CDRs as lines of JSON in a file, for what collects them: a copy of what the store has. Used by
 * the store's thread alone. What cannot be written (a full disk) waits, bounded, and is tried
 * again; what has no room to wait is counted and said once. Lines are whole: one that was cut short
 * by a full disk is taken back.
 */
#ifndef SEGUE_STORE_LINES_H
#define SEGUE_STORE_LINES_H

#include "base/buf.h"
#include "store/store.h"

#define LINES_WAITING (16u * 1024 * 1024) /* bytes */

struct lines;

/*
 * `most` bytes: then the file is set aside under its name and the time (UTC), and a new one begun;
 * 0: never. A file that somebody moved away (logrotate) is left, and begun anew. Fails where the
 * file cannot be opened.
 */
int lines_open(struct lines **out, const char *file, uint64_t most, struct log *log,
	       struct error *err);
/* Says what is still waiting, which is lost then. NULL is fine. */
void lines_close(struct lines *lines);
/* Copies it; written by the next lines_write(). */
void lines_add(struct lines *lines, const struct store_cdr *cdr);
/* One of lines_format(). */
void lines_add_text(struct lines *lines, struct str line);
/*
 * Writes what the store has and the file does not, since segued was killed in between: the newest
 * records, behind the last one of which the file has a line. One line of the log says how many.
 */
void lines_make_up(struct lines *lines, struct store *store);
/* 0, or a negative errno: what waits is kept. */
int lines_write(struct lines *lines);

struct lines_stats {
	uint64_t written, lost;
	size_t waiting;
};
void lines_stats(const struct lines *lines, struct lines_stats *out);

/* `out`: one JSON object without line end, for the file and for the operator. */
void lines_format(struct buf *out, const struct store_cdr *cdr);

#endif
