/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * systemd's journal, spoken to by its native protocol: entries are fields, so that
 * `journalctl CALL_ID=...` finds all about one call, LEG= and STREAM= about a part of it. Written
 * by hand, since sd_journal_send() says that all is well where there is no journal.
 */
#ifndef SEGUE_JOURNAL_H
#define SEGUE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

struct journal_field {
	const char *name;  /* capital letters, digits, '_' */
	const char *value; /* any text; NULL: the field is left out */
};

/* Is our standard error a stream of the journal (systemd.exec(5), $JOURNAL_STREAM)? */
bool journal_has_stderr(void);
/* A socket for journal_send() to the journal at `path`, NULL: the system's. A negative errno. */
int journal_open(const char *path);
/* One entry, at once or not at all. 0, or a negative errno: it is not in the journal. */
int journal_send(int fd, const struct journal_field *fields, size_t count);

#endif
