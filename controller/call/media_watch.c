// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the relay reports: its follower keeps next hops, NICs and learned sources true; its events
 * say which path spoke first; and when something about links was followed, the paths whose next
 * hop became usable or unusable are looked for.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "call/media_internal.h"

#define SCAN_GAP_MS 100u    /* between two scans: neighbours that flap shall cost little */
#define SCAN_NUMBERS 32768u /* streams looked at before the loop gets its turn */
#define REOPEN_MS 5000u
#define PINS_MS 2000u /* between two looks at the pins */

#define SUSPECTS 64u	 /* reports of new sources that are waited for */
#define SUSPECT_MS 2000u /* the relay believes no older ones */

/* A path for which another source was reported: the relay may give it another slot. */
struct suspect {
	uint64_t since_ms; /* 0: empty */
	uint32_t number;
	unsigned side, place, slot;
};

struct media_watch {
	struct media *media;
	struct sg_follow *follow;
	struct sg_events *events;
	struct event *event; /* the follower's descriptor */
	struct timer scan, reopen, pins;
	bool unpinned;	  /* the pins are gone, and that was said */
	uint32_t scan_at; /* the next number */
	bool scan_again;  /* something changed while a scan was under way */
	uint64_t scan_began_ms;
	struct suspect suspect[SUSPECTS];
	unsigned suspects; /* how many there were: the next one takes the oldest's place */
};

/* ---- who is told ---------------------------------------------------------------------------- */

static void tell(struct media_stream *stream, enum media_event_kind kind, unsigned side,
		 unsigned place, uint64_t at_ns)
{
	const struct media_event event = {.kind = kind,
					  .side = (enum sg_side)side,
					  .slot = place,
					  .at_ns = at_ns,
					  .stream = stream};

	if (stream->fn)
		stream->fn(stream->context, &event);
}

/* ---- learned sources ------------------------------------------------------------------------ */

static void suspect(struct media_watch *watch, const struct sg_event *event, unsigned place)
{
	watch->suspect[watch->suspects++ % SUSPECTS] = (struct suspect){
		.since_ms = wheel_now_ms(),
		.number = event->stream,
		.side = event->side,
		.place = place,
		.slot = event->slot,
	};
}

/* The counters of the slot that was left are the path's too. True: that is settled. */
static bool settle(struct media *media, const struct suspect *suspect, uint64_t now_ms)
{
	struct media_stream *stream = media->by_number[suspect->number];
	int slot;

	if (!stream || now_ms - suspect->since_ms > SUSPECT_MS)
		return true;
	slot = media_stream_slot(stream, suspect->side, suspect->place);
	if (slot < 0 || slot == (int)suspect->slot)
		return slot < 0;
	media_past_add(stream, suspect->side, suspect->place, suspect->slot);
	return true;
}

static void settle_all(struct media_watch *watch)
{
	uint64_t now_ms = wheel_now_ms();

	for (unsigned i = 0; i < SUSPECTS; i++) {
		struct suspect *one = &watch->suspect[i];

		if (one->since_ms && settle(watch->media, one, now_ms))
			one->since_ms = 0;
	}
}

/* ---- events --------------------------------------------------------------------------------- */

static void on_event(const struct sg_event *event, void *context)
{
	struct media_watch *watch = context;
	struct media *media = watch->media;
	struct media_stream *stream;
	int place;

	if ((event->type != SG_EVENT_FIRST_PACKET && event->type != SG_EVENT_NEW_SOURCE) ||
	    event->stream >= media->high || event->side >= SG_SIDES)
		return;
	stream = media->by_number[event->stream];
	if (!stream || event->time_ns < stream->since_ns)
		return;
	place = media_stream_place(stream, event->side, event->slot);
	if (place >= 0 && event->type == SG_EVENT_NEW_SOURCE) {
		suspect(watch, event, (unsigned)place);
		return;
	}
	/* A learned source gets a slot of its own in the relay: to us it is the same path. */
	if (place < 0 || stream->place[event->side][place].spoke)
		return;
	stream->place[event->side][place].spoke = true;
	tell(stream, MEDIA_FIRST_PACKET, event->side, (unsigned)place, event->time_ns);
}

/* ---- links ---------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Whoever is told may remove the stream: then nothing of it is looked at any more. */
static void look_at(struct media *media, uint32_t number)
{
	struct media_stream *stream = media->by_number[number];

	for (unsigned i = 0; stream && i < SG_SIDES * SG_PATHS; i++) {
		unsigned side = i % SG_SIDES, place = i / SG_SIDES;
		int slot = media_stream_slot(stream, side, place), usable = -ENOENT;

		if (slot >= 0)
			usable = sg_path_usable(media->relay, number, (enum sg_side)side,
						(unsigned)slot);
		if (usable < 0 || stream->place[side][place].down == !usable)
			continue;
		stream->place[side][place].down = !usable;
		tell(stream, usable ? MEDIA_LINK_UP : MEDIA_LINK_DOWN, side, place, now_ns());
		stream = media->by_number[number] == stream ? stream : NULL;
	}
}

static void scan(void *context)
{
	struct media_watch *watch = context;
	struct media *media = watch->media;
	uint32_t end = watch->scan_at + SCAN_NUMBERS;

	if (!watch->scan_at) {
		watch->scan_began_ms = wheel_now_ms();
		watch->scan_again = false;
	}
	for (; watch->scan_at < media->high && watch->scan_at < end; watch->scan_at++)
		look_at(media, watch->scan_at);
	if (watch->scan_at < media->high) {
		timer_start(media->wheel, &watch->scan, 0, scan, watch);
		return;
	}
	watch->scan_at = 0;
	if (watch->scan_again)
		timer_start(media->wheel, &watch->scan, SCAN_GAP_MS, scan, watch);
}

static void want_scan(struct media_watch *watch)
{
	uint64_t ago_ms = wheel_now_ms() - watch->scan_began_ms;

	watch->scan_again = true;
	if (!timer_running(&watch->scan))
		timer_start(watch->media->wheel, &watch->scan,
			    ago_ms < SCAN_GAP_MS ? SCAN_GAP_MS - ago_ms : 0, scan, watch);
}

static void on_followed(enum sg_follow_what what, const char *text, void *context)
{
	struct media_watch *watch = context;
	struct log *log = watch->media->log;

	switch (what) {
	case SG_FOLLOW_LINK:
	case SG_FOLLOW_RESYNC:
		log_warning(log, NULL, "media: %s", text);
		want_scan(watch);
		break;
	case SG_FOLLOW_NEIGHBOUR:
	case SG_FOLLOW_ROUTE:
		log_info(log, NULL, "media: %s", text);
		want_scan(watch);
		break;
	case SG_FOLLOW_LEARNED:
		log_info(log, NULL, "media: %s", text);
		break;
	case SG_FOLLOW_REFUSED:
	case SG_FOLLOW_MTU:
		log_debug(log, NULL, "media: %s", text);
		break;
	}
}

/* ---- the pins ------------------------------------------------------------------------------- */

/* Calls do not need them, but the next start of segued does. */
static void look_at_pins(void *context)
{
	struct media_watch *watch = context;
	struct media *media = watch->media;
	struct sg_error why;
	int ret = sg_relay_repin(media->relay, &why);

	if (ret < 0 && !watch->unpinned)
		log_error(media->log, NULL,
			  "media: the pins of the maps are gone: calls go on, but segued must not "
			  "end before they are back, or nobody finds them: %s",
			  why.text);
	if (ret > 0)
		log_warning(media->log, NULL,
			    "media: the pins of the maps were gone, and are back");
	watch->unpinned = ret < 0;
	timer_start(media->wheel, &watch->pins, PINS_MS, look_at_pins, watch);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void close_follow(struct media_watch *watch)
{
	if (watch->event)
		event_free(watch->event);
	watch->event = NULL;
	sg_follow_close(watch->follow);
	watch->follow = NULL;
}

static int open_follow(struct media_watch *watch, struct sg_error *why);

static void reopen(void *context)
{
	struct media_watch *watch = context;
	struct media *media = watch->media;
	struct sg_error why;

	if (open_follow(watch, &why))
		timer_start(media->wheel, &watch->reopen, REOPEN_MS, reopen, watch);
	else
		log_warning(media->log, NULL, "media: links and neighbours are followed again");
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct media_watch *watch = context;
	struct media *media = watch->media;
	int ret;

	(void)fd;
	(void)what;
	/* First, while the follower has consumed none of them: nothing can have run over. */
	sg_events_poll(watch->events, 0, on_event, watch);
	ret = sg_follow_poll(watch->follow, 0);
	settle_all(watch);
	if (!ret)
		return;
	log_error(media->log, NULL,
		  "media: links and neighbours are followed no more (%s): calls go on, tried again",
		  strerror(-ret));
	close_follow(watch);
	timer_start(media->wheel, &watch->reopen, REOPEN_MS, reopen, watch);
}

static int open_follow(struct media_watch *watch, struct sg_error *why)
{
	struct media *media = watch->media;
	int ret = sg_follow_open(&watch->follow, media->relay, on_followed, watch, why);

	if (ret)
		return ret;
	watch->event = event_new(media->base, sg_follow_fd(watch->follow), EV_READ | EV_PERSIST,
				 on_readable, watch);
	if (watch->event && !event_add(watch->event, NULL))
		return 0;
	close_follow(watch);
	return -ENOMEM;
}

int media_watch_alloc(struct media_watch **out, struct media *media, struct error *err)
{
	struct media_watch *watch = calloc(1, sizeof(*watch));
	struct sg_error why = {"no memory to watch the relay with"};
	int ret = watch ? 0 : -ENOMEM;

	if (!ret) {
		watch->media = media;
		ret = sg_events_open(&watch->events, media->relay, &why);
	}
	if (!ret)
		ret = open_follow(watch, &why);
	if (ret) {
		media_watch_free(watch);
		return error_set(err, ret, "%s", why.text);
	}
	timer_start(media->wheel, &watch->pins, PINS_MS, look_at_pins, watch);
	*out = watch;
	return 0;
}

void media_watch_free(struct media_watch *watch)
{
	if (!watch)
		return;
	timer_stop(&watch->scan);
	timer_stop(&watch->reopen);
	timer_stop(&watch->pins);
	close_follow(watch);
	sg_events_close(watch->events);
	free(watch);
}
