// SPDX-License-Identifier: BSD-2-Clause
/* What we do about a call, for its story and the log. */
#include "call/internal.h"

#include <time.h>

uint64_t call_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void call_start_clock(struct call *call, uint64_t started_ns)
{
	uint64_t now = call_clock_ns(), monotonic = monotonic_ns();
	uint64_t ago = now > started_ns ? now - started_ns : 0;

	call->started_ns = started_ns;
	call->began_ns = monotonic > ago ? monotonic - ago : 0;
}

uint64_t call_now_ns(const struct call *call)
{
	return call->started_ns + (monotonic_ns() - call->began_ns);
}

/* The leg that speaks for the side, or is about to. */
static const struct leg *leg_of(const struct call *call, int side)
{
	if (side < 0)
		return NULL;
	if (!call->side[side].main && call->caller && (int)call->caller->side == side)
		return call->caller;
	return call->side[side].main;
}

static void write_log(struct call *call, const char *stream, int side, const char *what,
		      const char *more, int status)
{
	static const char *const names[] = {"", " A", " B"};
	const struct leg *leg = leg_of(call, side);
	const struct log_about about = {
		.call = call->id,
		.leg = leg && leg->dialog ? leg->dialog->call_id : NULL,
		.stream = stream,
	};

	log_write_about(call->calls->log, LOG_LEVEL_DEBUG, &about, "%s%s %s %d", what,
			names[side + 1], more ? more : "", status);
}

void call_step(struct call *call, int side, const char *what, const char *more, int status)
{
	story_add(call->story, STORY_CALL, side, what, more, status);
	write_log(call, NULL, side, what, more, status);
}

void call_media_step(struct call *call, const struct stream *stream, int side, const char *what,
		     const struct netaddr *of)
{
	char at[NETADDR_STRLEN], name[STREAM_NAME_LEN];
	const char *more = of ? netaddr_format(of, at) : NULL;

	story_add(call->story, STORY_MEDIA, side, what, more, 0);
	write_log(call, stream ? stream_name(stream, name) : NULL, side, what, more, 0);
}
