// SPDX-License-Identifier: BSD-2-Clause
#include "base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/journal.h"

struct log {
	enum log_level most;
	int journal; /* negative: standard error is no journal's */
};

/* libevent gives its callback no context. */
static struct log *of_libevent;

static const char *const names[] = {"error", "warning", "info", "debug"};
/* syslog(3): err, warning, info, debug */
static const char *const priorities[] = {"3", "4", "6", "7"};

int log_open(struct log **out, enum log_level most)
{
	struct log *log = malloc(sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->most = most;
	log->journal = journal_has_stderr() ? journal_open(NULL) : -1;
	*out = log;
	return 0;
}

void log_close(struct log *log)
{
	if (of_libevent == log) {
		event_set_log_callback(NULL);
		of_libevent = NULL;
	}
	if (log->journal >= 0)
		close(log->journal);
	free(log);
}

void log_set_level(struct log *log, enum log_level most)
{
	log->most = most;
}

int log_level_parse(enum log_level *out, struct str text)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_eq(text, str_of(names[i]))) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int to_journal(struct log *log, enum log_level level, const struct log_about *about,
		      const char *line)
{
	const struct journal_field fields[] = {
		{"MESSAGE", line},
		{"PRIORITY", priorities[level]},
		{"SYSLOG_IDENTIFIER", program_invocation_short_name},
		{"CALL_ID", about->call},
		{"LEG", about->leg},
		{"STREAM", about->stream},
	};

	return journal_send(log->journal, fields, sizeof(fields) / sizeof(fields[0]));
}

static void to_stderr(enum log_level level, const char *call, const char *line)
{
	struct timespec now;
	struct tm parts;
	char when[32];

	clock_gettime(CLOCK_REALTIME, &now);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &parts));
	fprintf(stderr, "%s.%03ldZ %-7s %s%s%s\n", when, now.tv_nsec / 1000000, names[level],
		call ? call : "", call ? ": " : "", line);
}

void log_write_about(struct log *log, enum log_level level, const struct log_about *about,
		     const char *format, ...)
{
	char line[1024];
	va_list list;

	if (level > log->most)
		return;
	va_start(list, format);
	vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	/* A journal that is full or gone must not cost the line: standard error leads there, too.
	 */
	if (log->journal < 0 || to_journal(log, level, about, line))
		to_stderr(level, about->call, line);
}

static void from_libevent(int severity, const char *text)
{
	static const enum log_level levels[] = {
		[EVENT_LOG_DEBUG] = LOG_LEVEL_DEBUG,
		[EVENT_LOG_MSG] = LOG_LEVEL_INFO,
		[EVENT_LOG_WARN] = LOG_LEVEL_WARNING,
		[EVENT_LOG_ERR] = LOG_LEVEL_ERROR,
	};
	const bool known = severity >= EVENT_LOG_DEBUG && severity <= EVENT_LOG_ERR;

	log_write(of_libevent, known ? levels[severity] : LOG_LEVEL_WARNING, NULL, "libevent: %s",
		  text);
}

void log_take_libevent(struct log *log)
{
	of_libevent = log;
	event_set_log_callback(from_libevent);
}
