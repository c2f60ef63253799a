/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watching sg_event without consuming: the ring's pages are mapped and its records walked from
 * where the producer is, whatever the consumer does. Records that the producer may have overwritten
 * meanwhile are noticed, as with a sequence lock, by looking at its position again after copying.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "events.h"
#include "pins.h"
#include "shape.h"

#define PLACE_TRIES 8
/* Nobody is woken while an earlier record is unconsumed, so the watcher also looks by itself. */
#define LOOK_MS 20

#define PLACE_DIR "/run/segue"
#define PLACE_PATH 96

struct sg_events {
	struct sg_relay *relay;
	int map_fd;
	int epoll_fd;
	size_t page;
	size_t size; /* of the data area; a power of two */
	unsigned long *consumer;
	const unsigned long *producer;
	const char *data; /* mapped twice in a row, so that a record never wraps */
	unsigned long position;
};

/* ---- the consumer's place ------------------------------------------------------------------- */

static bool is_current(int fd, const char *path)
{
	struct stat locked, named;

	return fstat(fd, &locked) == 0 && stat(path, &named) == 0 &&
	       locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
}

/* Where the place is; its directory is made where it is missing. */
static int place_path(const struct sg_relay *relay, char path[PLACE_PATH], struct sg_error *err)
{
	struct stat pins;

	if (stat(relay->pin_dir, &pins) < 0)
		return sg_fail(err, -errno, "%s: %s", relay->pin_dir, strerror(errno));
	if (mkdir(PLACE_DIR, 0755) < 0 && errno != EEXIST)
		return sg_fail(err, -errno, "cannot make " PLACE_DIR ": %s", strerror(errno));
	snprintf(path, PLACE_PATH, PLACE_DIR "/follow-%lx-%lx.lock", (unsigned long)pins.st_dev,
		 (unsigned long)pins.st_ino);
	return 0;
}

int sg_events_share(const struct sg_relay *relay, uid_t user, gid_t group, struct sg_error *err)
{
	char path[PLACE_PATH];
	int ret = place_path(relay, path, err);

	if (ret < 0)
		return ret;
	if (lchown(PLACE_DIR, user, group) < 0)
		return sg_fail(err, -errno, "cannot give " PLACE_DIR " to another user: %s",
			       strerror(errno));
	if (lchown(path, user, group) < 0 && errno != ENOENT)
		return sg_fail(err, -errno, "cannot give %s to another user: %s", path,
			       strerror(errno));
	return 0;
}

int sg_events_place(const struct sg_relay *relay, struct sg_error *err)
{
	char path[PLACE_PATH];
	int ret = place_path(relay, path, err);

	if (ret < 0)
		return ret;
	for (int i = 0; i < PLACE_TRIES; i++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return sg_fail(err, -errno, "%s: %s", path, strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			int error = errno == EWOULDBLOCK ? -EBUSY : -errno;

			close(fd);
			return sg_fail(err, error, "the maps in %s are followed already (%s)",
				       relay->pin_dir, path);
		}
		if (is_current(fd, path))
			return fd;
		close(fd);
	}
	return sg_fail(err, -EAGAIN, "%s is being replaced by others: try again", path);
}

/* The descriptor knows its file, whatever became of the pin directory meanwhile. */
void sg_events_leave(int place)
{
	char link[32], path[96];
	ssize_t length;

	if (place < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
	length = readlink(link, path, sizeof(path) - 1);
	if (length > 0) {
		path[length] = '\0';
		unlink(path);
	}
	close(place);
}

/* ---- opening -------------------------------------------------------------------------------- */

/*
 * A descriptor of its own: the kernel maps none that was opened for reading only, as those of a
 * read-only handle are. How far a ring is consumed is no configuration, so that even such a
 * handle may stand in for a consumer that is missing.
 */
static int open_ring(struct sg_events *events, struct sg_error *err)
{
	char path[sizeof(events->relay->pin_dir) + 32];
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);

	sg_pin_path(events->relay, sg_map_name(SG_MAP_EVENT), path, sizeof(path));
	events->map_fd = bpf_obj_get(path);
	if (events->map_fd < 0 && (errno == EACCES || errno == EPERM))
		return sg_fail(err, -errno,
			       "events take the right to write to %s, as root or segued's user "
			       "has it: the kernel shows the ring to nobody who may only read",
			       path);
	if (events->map_fd < 0 || bpf_obj_get_info_by_fd(events->map_fd, &info, &length) < 0)
		return sg_fail(err, -errno, "cannot open %s for watching: %s", path,
			       strerror(errno));
	events->size = info.max_entries;
	events->page = (size_t)sysconf(_SC_PAGESIZE);
	return 0;
}

static int map_ring(struct sg_events *events, struct sg_error *err)
{
	void *consumer =
		mmap(NULL, events->page, PROT_READ | PROT_WRITE, MAP_SHARED, events->map_fd, 0);
	char *producer;

	if (consumer == MAP_FAILED)
		return sg_fail(err, -errno, "mapping the event ring: %s", strerror(errno));
	events->consumer = consumer;
	producer = mmap(NULL, events->page + 2 * events->size, PROT_READ, MAP_SHARED,
			events->map_fd, (off_t)events->page);
	if (producer == MAP_FAILED)
		return sg_fail(err, -errno, "mapping the event ring: %s", strerror(errno));
	events->producer = (const unsigned long *)producer;
	events->data = producer + events->page;
	return 0;
}

static int open_epoll(struct sg_events *events, struct sg_error *err)
{
	/* Edge-triggered: unconsumed records keep the ring readable for ever. */
	struct epoll_event interest = {.events = EPOLLIN | EPOLLET};

	events->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (events->epoll_fd < 0 ||
	    epoll_ctl(events->epoll_fd, EPOLL_CTL_ADD, events->map_fd, &interest) < 0)
		return sg_fail(err, -errno, "waiting for the event ring: %s", strerror(errno));
	return 0;
}

static unsigned long producer_position(const struct sg_events *events)
{
	return __atomic_load_n(events->producer, __ATOMIC_ACQUIRE);
}

int sg_events_open(struct sg_events **out, struct sg_relay *relay, struct sg_error *err)
{
	struct sg_events *events = calloc(1, sizeof(*events));
	int error;

	if (!events)
		return sg_fail(err, -ENOMEM, "no memory for the event ring");
	events->relay = relay;
	events->map_fd = events->epoll_fd = -1;
	error = open_ring(events, err);
	if (!error)
		error = map_ring(events, err);
	if (!error)
		error = open_epoll(events, err);
	if (error) {
		sg_events_close(events);
		return error;
	}
	events->position = producer_position(events);
	*out = events;
	return 0;
}

void sg_events_close(struct sg_events *events)
{
	if (!events)
		return;
	if (events->producer)
		munmap((void *)(uintptr_t)events->producer, events->page + 2 * events->size);
	if (events->consumer)
		munmap(events->consumer, events->page);
	if (events->epoll_fd >= 0)
		close(events->epoll_fd);
	if (events->map_fd >= 0)
		close(events->map_fd);
	free(events);
}

/* ---- walking -------------------------------------------------------------------------------- */

enum step { STEP_NONE, STEP_SKIPPED, STEP_EVENT };

/* Too slow: the ring went round under us. What is left of the past is gone; go on from here. */
static enum step overrun(struct sg_events *events)
{
	events->position = producer_position(events);
	return STEP_NONE;
}

static enum step next_record(struct sg_events *events, struct sg_event *event)
{
	const char *record = events->data + (events->position & (events->size - 1));
	uint32_t header, length;

	if (events->position == producer_position(events))
		return STEP_NONE;
	header = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
	length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	memcpy(event, record + BPF_RINGBUF_HDR_SZ, sizeof(*event));
	if (producer_position(events) - events->position > events->size)
		return overrun(events);
	if (header & BPF_RINGBUF_BUSY_BIT)
		return STEP_NONE;
	events->position += (length + BPF_RINGBUF_HDR_SZ + 7) & ~7ul;
	if ((header & BPF_RINGBUF_DISCARD_BIT) || length != sizeof(*event))
		return STEP_SKIPPED;
	return STEP_EVENT;
}

/*
 * A ring that fills while nobody consumes would end the events: then what was read here counts as
 * consumed. Only for the moment, so that a follower finds the place free.
 */
static void stand_in(struct sg_events *events)
{
	unsigned long consumed = __atomic_load_n(events->consumer, __ATOMIC_ACQUIRE);
	int place;

	if (producer_position(events) - consumed < events->size / 2)
		return;
	place = sg_events_place(events->relay, NULL);
	if (place < 0)
		return;
	__atomic_store_n(events->consumer, events->position, __ATOMIC_RELEASE);
	sg_events_leave(place);
}

static int walk(struct sg_events *events, sg_event_fn *fn, void *context)
{
	unsigned long end = producer_position(events);
	struct sg_event event;
	enum step step;
	int delivered = 0;

	/* No further than `end`: a flood must not keep the caller here. */
	while ((long)(end - events->position) > 0) {
		step = next_record(events, &event);
		if (step == STEP_NONE)
			break;
		if (step == STEP_EVENT) {
			fn(&event, context);
			delivered++;
		}
	}
	stand_in(events);
	return delivered;
}

/* How long to sleep before looking again; 0 when the time is up. Negative timeouts never end. */
static int next_sleep(uint64_t started_ns, int timeout_ms)
{
	int64_t passed_ms = (int64_t)((sg_now_ns() - started_ns) / 1000000);

	if (timeout_ms < 0 || timeout_ms - passed_ms > LOOK_MS)
		return LOOK_MS;
	return timeout_ms > passed_ms ? (int)(timeout_ms - passed_ms) : 0;
}

int sg_events_poll(struct sg_events *events, int timeout_ms, sg_event_fn *fn, void *context)
{
	uint64_t started_ns = sg_now_ns();

	for (;;) {
		int delivered = walk(events, fn, context);
		int sleep_ms = delivered ? 0 : next_sleep(started_ns, timeout_ms);
		struct epoll_event ready;

		if (!sleep_ms)
			return delivered;
		if (epoll_wait(events->epoll_fd, &ready, 1, sleep_ms) < 0)
			return errno == EINTR ? 0 : -errno;
	}
}

const char *sg_event_name(uint32_t type)
{
	static const char *const name[] = {
		[SG_EVENT_FIRST_PACKET] = "first-packet", [SG_EVENT_NEW_SOURCE] = "new-source",
		[SG_EVENT_SSRC_CHANGE] = "ssrc-change",	  [SG_EVENT_NEXT_HOP] = "next-hop",
		[SG_EVENT_PATH_MTU] = "path-mtu",
	};

	return type < sizeof(name) / sizeof(name[0]) ? name[type] : NULL;
}
