/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop that keeps what the kernel reads true: rtnetlink's changes and the event ring in, next
 * hops, NICs, learned sources and path MTUs out, and what is due by the clock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "events.h"
#include "hopwatch.h"
#include "learn.h"
#include "netlink.h"
#include "nicwatch.h"
#include "reroute.h"
#include "tell.h"

#define MS UINT64_C(1000000)
/* Other processes drain and rest too; what they began is ended no later than this. */
#define TICK_MAX_NS (250 * MS)
#define ROUTE_SETTLE_NS (10 * MS)    /* a change of routes is rarely one message */
#define ROUTE_GAP_NS (100 * MS)	     /* between passes, so that flapping routes cost little */
#define ROUTE_RETRY_MIN_NS (20 * MS) /* a next hop's answer; doubled up to ... */
#define ROUTE_RETRY_MAX_NS (2000 * MS)
#define EVENTS_PER_POLL 1024
#define REFUSALS_PER_SECOND 10u
#define PLACE_WAIT_MS 200 /* a watcher may stand in for a moment */
#define MTU_MIN_IPV4 576u
#define MTU_MIN_IPV6 1280u

struct sg_follow {
	struct sg_relay *relay;
	struct sg_listener listener;
	sg_event_fn *event_fn; /* NULL: nobody wants the events themselves */
	void *event_context;
	int epoll_fd;
	int timer_fd;
	int place_fd;
	struct sg_monitor *monitor;
	struct ring_buffer *ring;
	struct sg_hopwatch *hops;
	struct sg_nicwatch *nics;
	struct sg_reroute *reroute;
	bool reroute_busy;
	uint64_t reroute_retry_ns;
	unsigned reroute_attempt; /* of the wanted pass, if it only repeats what did not resolve */
	uint64_t reroute_ns;	  /* when a pass shall begin; 0: none is wanted */
	uint64_t reroute_ended_ns;
	uint64_t hops_ns; /* when hopwatch has work; 0: none */
	uint64_t tick_ns;
	uint64_t epoch; /* the NICs are known as of this one */
	int events_left;
	uint64_t refusal_second;
	unsigned refusals;
};

/* ---- rtnetlink ------------------------------------------------------------------------------ */

static void schedule_reroute(struct sg_follow *follow, uint64_t after_ns)
{
	uint64_t at = sg_now_ns() + after_ns;
	uint64_t earliest = follow->reroute_ended_ns + ROUTE_GAP_NS;

	if (at < earliest)
		at = earliest;
	if (!follow->reroute_ns || at < follow->reroute_ns)
		follow->reroute_ns = at;
}

static void want_reroute(struct sg_follow *follow, uint64_t after_ns)
{
	follow->reroute_attempt = 0;
	follow->reroute_retry_ns = ROUTE_RETRY_MIN_NS;
	schedule_reroute(follow, after_ns);
}

static void on_change(const struct sg_change *change, void *context)
{
	struct sg_follow *follow = context;

	switch (change->kind) {
	case SG_CHANGE_NEIGHBOUR:
		sg_hopwatch_neighbour(follow->hops, change->ifindex, change->addr);
		break;
	case SG_CHANGE_LINK:
		if (sg_nicwatch_changed(follow->nics, change->ifindex, change->name))
			want_reroute(follow, ROUTE_SETTLE_NS);
		sg_hopwatch_link(follow->hops, change->ifindex);
		break;
	case SG_CHANGE_LINK_GONE:
		sg_nicwatch_gone(follow->nics, change->ifindex);
		sg_hopwatch_link(follow->hops, change->ifindex);
		break;
	case SG_CHANGE_ROUTE:
		want_reroute(follow, ROUTE_SETTLE_NS);
		break;
	}
}

static void read_everything(struct sg_follow *follow)
{
	sg_nicwatch_check(follow->nics);
	sg_hopwatch_link(follow->hops, 0);
	want_reroute(follow, 0);
}

static int read_changes(struct sg_follow *follow)
{
	int error = sg_monitor_read(follow->monitor, on_change, follow);

	if (error != -ENOBUFS)
		return error;
	read_everything(follow);
	sg_tell(&follow->listener, SG_FOLLOW_RESYNC, "netlink overran: everything was read again");
	return 0;
}

/* ---- the event ring ------------------------------------------------------------------------- */

/* Whoever sprays us shall not write our log: a few lines a second, and how many more there were. */
static void count_refusals(struct sg_follow *follow)
{
	uint64_t second = sg_now_ns() / (1000 * MS);

	if (second == follow->refusal_second)
		return;
	if (follow->refusals > REFUSALS_PER_SECOND)
		sg_tell(&follow->listener, SG_FOLLOW_REFUSED, "%u more refusals",
			follow->refusals - REFUSALS_PER_SECOND);
	follow->refusal_second = second;
	follow->refusals = 0;
}

static void on_source(struct sg_follow *follow, const struct sg_event *event)
{
	struct sg_error text;
	int said = sg_learn_source(follow->relay, event, &text);

	count_refusals(follow);
	if (said == SG_FOLLOW_LEARNED ||
	    (said == SG_FOLLOW_REFUSED && follow->refusals++ < REFUSALS_PER_SECOND))
		sg_tell(&follow->listener, (enum sg_follow_what)said, "%s", text.text);
}

static uint16_t clamp_mtu(const struct sg_path *path, uint16_t mtu)
{
	uint16_t least = path->flags & SG_PATH_IPV6 ? MTU_MIN_IPV6 : MTU_MIN_IPV4;

	return mtu < least ? least : mtu;
}

/* Only ever lowered: a forged message can cost little, and a new path begins anew. */
static void lower_mtu(struct sg_follow *follow, const struct sg_event *event)
{
	struct sg_relay *relay = follow->relay;
	struct sg_path *path = sg_path_at(relay, event->stream, event->side, event->slot);
	uint16_t mtu = clamp_mtu(path, event->mtu);
	uint16_t now = sg_nexthop_hop(relay, path->nexthop)->mtu;

	if (path->mtu && path->mtu < now)
		now = path->mtu;
	if (path->state != SG_PATH_LIVE || mtu >= now)
		return;
	__atomic_store_n(&path->mtu, mtu, __ATOMIC_RELEASE);
	sg_tell(&follow->listener, SG_FOLLOW_MTU, "%s %c %u: path MTU %u, was %u",
		relay->record[event->stream].name, event->side ? 'b' : 'a', event->slot, mtu, now);
}

static bool is_current(const struct sg_relay *relay, const struct sg_event *event)
{
	return event->stream < relay->capacity && event->side < SG_SIDES &&
	       event->slot < SG_PATH_SLOTS && sg_stream_is_open(relay, event->stream) &&
	       relay->stream[event->stream].generation == event->generation;
}

static void on_path_mtu(struct sg_follow *follow, const struct sg_event *event)
{
	if (sg_lock(follow->relay, NULL))
		return;
	if (is_current(follow->relay, event))
		lower_mtu(follow, event);
	sg_unlock(follow->relay, false);
}

static int on_event(void *context, void *data, size_t size)
{
	struct sg_follow *follow = context;
	const struct sg_event *event = data;

	if (size >= sizeof(*event) && is_current(follow->relay, event)) {
		if (event->type == SG_EVENT_NEW_SOURCE) {
			on_source(follow, event);
		} else if (event->type == SG_EVENT_PATH_MTU) {
			on_path_mtu(follow, event);
		} else if (event->type == SG_EVENT_NEXT_HOP) {
			sg_hopwatch_stream(follow->hops, event->stream);
		}
		if (follow->event_fn)
			follow->event_fn(event, follow->event_context);
	}
	/* A flood of events must not keep neighbours waiting. */
	return --follow->events_left > 0 ? 0 : -EAGAIN;
}

static int read_events(struct sg_follow *follow)
{
	int got;

	follow->events_left = EVENTS_PER_POLL;
	got = ring_buffer__consume(follow->ring);
	return got < 0 && got != -EAGAIN ? got : 0;
}

/* ---- by the clock --------------------------------------------------------------------------- */

static void tick(struct sg_follow *follow, uint64_t now)
{
	uint64_t epoch = __atomic_load_n(&follow->relay->meta->epoch, __ATOMIC_ACQUIRE);
	int left_ms;

	if (now < follow->tick_ns)
		return;
	if (epoch != follow->epoch)
		sg_nicwatch_learn(follow->nics);
	follow->epoch = epoch;
	count_refusals(follow);
	left_ms = sg_relay_tick(follow->relay);
	follow->tick_ns = now + TICK_MAX_NS;
	if (left_ms >= 0 && (uint64_t)left_ms * MS < TICK_MAX_NS)
		follow->tick_ns = now + (uint64_t)left_ms * MS;
}

static int reroute(struct sg_follow *follow, uint64_t now)
{
	int state;

	if (!follow->reroute_busy && follow->reroute_ns && follow->reroute_ns <= now) {
		follow->reroute_ns = 0;
		follow->reroute_busy = true;
		sg_reroute_begin(follow->reroute, follow->reroute_attempt);
	}
	if (!follow->reroute_busy)
		return 0;
	state = sg_reroute_step(follow->reroute);
	if (state < 0)
		return state;
	follow->reroute_busy = state == SG_REROUTE_BUSY;
	if (follow->reroute_busy)
		return 0;
	follow->reroute_ended_ns = sg_now_ns();
	if (state == SG_REROUTE_RETRY && !follow->reroute_ns) {
		follow->reroute_attempt++;
		follow->reroute_ns = follow->reroute_ended_ns + follow->reroute_retry_ns;
		if (follow->reroute_retry_ns < ROUTE_RETRY_MAX_NS)
			follow->reroute_retry_ns *= 2;
	}
	return 0;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* Makes sg_follow_fd() readable when the next thing is due. */
static int arm(struct sg_follow *follow)
{
	uint64_t next = earlier(earlier(follow->tick_ns, follow->hops_ns), follow->reroute_ns);
	struct itimerspec when = {0};

	if (follow->reroute_busy)
		next = 1;
	when.it_value.tv_sec = (time_t)(next / (1000 * MS));
	when.it_value.tv_nsec = (long)(next % (1000 * MS));
	return timerfd_settime(follow->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) < 0 ? -errno : 0;
}

/* ---- opening -------------------------------------------------------------------------------- */

static int take_place(struct sg_follow *follow, struct sg_error *err)
{
	struct timespec pause = {.tv_nsec = 10 * (long)MS};

	for (int waited = 0;; waited += 10) {
		follow->place_fd = sg_events_place(follow->relay, err);
		if (follow->place_fd >= 0)
			return 0;
		if (follow->place_fd != -EBUSY || waited >= PLACE_WAIT_MS)
			return follow->place_fd;
		nanosleep(&pause, NULL);
	}
}

static int open_parts(struct sg_follow *follow, struct sg_error *err)
{
	struct sg_relay *relay = follow->relay;

	if (!sg_netlink_of(relay, err))
		return -EIO;
	follow->hops = sg_hopwatch_open(relay, &follow->listener);
	follow->nics = sg_nicwatch_open(relay, &follow->listener);
	follow->reroute = sg_reroute_open(relay, &follow->listener);
	if (!follow->hops || !follow->nics || !follow->reroute)
		return sg_fail(err, -ENOMEM, "no memory to follow with");
	follow->ring = ring_buffer__new(relay->map_fd[SG_MAP_EVENT], on_event, follow, NULL);
	if (!follow->ring)
		return sg_fail(err, -errno, "the event ring: %s", strerror(errno));
	return sg_monitor_open(&follow->monitor, err);
}

static int watch_fd(struct sg_follow *follow, int fd)
{
	struct epoll_event interest = {.events = EPOLLIN};

	return epoll_ctl(follow->epoll_fd, EPOLL_CTL_ADD, fd, &interest) < 0 ? -errno : 0;
}

static int open_waiting(struct sg_follow *follow, struct sg_error *err)
{
	int error = 0;

	follow->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	follow->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (follow->epoll_fd < 0 || follow->timer_fd < 0)
		error = -errno;
	if (!error)
		error = watch_fd(follow, follow->timer_fd);
	if (!error)
		error = watch_fd(follow, sg_monitor_fd(follow->monitor));
	if (!error)
		error = watch_fd(follow, ring_buffer__epoll_fd(follow->ring));
	return error ? sg_fail(err, error, "waiting: %s", strerror(-error)) : 0;
}

int sg_follow_open(struct sg_follow **out, struct sg_relay *relay, sg_follow_fn *fn, void *context,
		   struct sg_error *err)
{
	struct sg_follow *follow;
	int error;

	if (relay->read_only)
		return sg_fail(err, -EROFS, "following changes the maps: open them for writing");
	follow = calloc(1, sizeof(*follow));
	if (!follow)
		return sg_fail(err, -ENOMEM, "no memory to follow with");
	follow->relay = relay;
	follow->listener = (struct sg_listener){.fn = fn, .context = context};
	follow->epoll_fd = follow->timer_fd = -1;
	error = take_place(follow, err);
	if (!error)
		error = open_parts(follow, err);
	if (!error)
		error = open_waiting(follow, err);
	if (error) {
		sg_follow_close(follow);
		return error;
	}
	follow->epoch = __atomic_load_n(&relay->meta->epoch, __ATOMIC_ACQUIRE);
	read_everything(follow);
	arm(follow);
	*out = follow;
	return 0;
}

void sg_follow_close(struct sg_follow *follow)
{
	if (!follow)
		return;
	if (follow->epoll_fd >= 0)
		close(follow->epoll_fd);
	if (follow->timer_fd >= 0)
		close(follow->timer_fd);
	sg_monitor_close(follow->monitor);
	ring_buffer__free(follow->ring);
	sg_reroute_close(follow->reroute);
	sg_nicwatch_close(follow->nics);
	sg_hopwatch_close(follow->hops);
	sg_events_leave(follow->place_fd);
	free(follow);
}

void sg_follow_on_event(struct sg_follow *follow, sg_event_fn *fn, void *context)
{
	follow->event_fn = fn;
	follow->event_context = context;
}

/* ---- the loop ------------------------------------------------------------------------------- */

int sg_follow_fd(const struct sg_follow *follow)
{
	return follow->epoll_fd;
}

/* The maps may have been removed under us: nothing here could change them any more. */
static int check_maps(const struct sg_follow *follow)
{
	return follow->relay->meta->magic == SG_MAGIC ? 0 : -ESTALE;
}

int sg_follow_poll(struct sg_follow *follow, int timeout_ms)
{
	struct epoll_event ready;
	uint64_t expired;
	int error;

	if (epoll_wait(follow->epoll_fd, &ready, 1, timeout_ms) < 0 && errno != EINTR)
		return -errno;
	while (read(follow->timer_fd, &expired, sizeof(expired)) > 0)
		;
	error = check_maps(follow);
	/* Links and neighbours before events: what is learned then leaves the right way. */
	if (!error)
		error = read_changes(follow);
	if (!error)
		error = read_events(follow);
	if (error)
		return error;
	tick(follow, sg_now_ns());
	follow->hops_ns = sg_hopwatch_run(follow->hops);
	error = reroute(follow, sg_now_ns());
	return error ? error : arm(follow);
}
