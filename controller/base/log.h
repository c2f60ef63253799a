/* SPDX-License-Identifier: BSD-2-Clause */
/* A log that a person can follow: one line an event, the call's id first where there is one. */
#ifndef SEGUE_LOG_H
#define SEGUE_LOG_H

#include "base/str.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log;

/* What a line is about; each is a field of the journal, and left out where it is NULL. */
struct log_about {
	const char *call;   /* CALL_ID: the id of struct call; standard error begins with it, too */
	const char *leg;    /* LEG: the Call-ID of its SIP dialog */
	const char *stream; /* STREAM: its name in the relay */
};

/*
 * Writes to standard error with time and level; where that is the journal's, to the journal, with
 * what the line is about in fields. 0 or -ENOMEM.
 */
int log_open(struct log **out, enum log_level most);
void log_close(struct log *log);
/*
 * What libevent has to say goes to that log, too, and no longer to standard error as it is.
 * libevent knows one such place in a process: the last log that asked is it, until it is closed.
 */
void log_take_libevent(struct log *log);
void log_set_level(struct log *log, enum log_level most);
void log_write_about(struct log *log, enum log_level level, const struct log_about *about,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* "error", "warning", "info", "debug"; -EINVAL otherwise. */
int log_level_parse(enum log_level *out, struct str text);

/* `subject` is the id of the call that it is about, or NULL. */
#define log_write(log, level, subject, ...)                                                        \
	log_write_about(log, level, &(const struct log_about){.call = (subject)}, __VA_ARGS__)
#define log_error(log, call, ...) log_write(log, LOG_LEVEL_ERROR, call, __VA_ARGS__)
#define log_warning(log, call, ...) log_write(log, LOG_LEVEL_WARNING, call, __VA_ARGS__)
#define log_info(log, call, ...) log_write(log, LOG_LEVEL_INFO, call, __VA_ARGS__)
#define log_debug(log, call, ...) log_write(log, LOG_LEVEL_DEBUG, call, __VA_ARGS__)

#endif
