/* SPDX-License-Identifier: BSD-2-Clause */
/* The writers' lock, and the mark by which the death of one is noticed. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "pins.h"
#include "shape.h"

#define LOCK_TRIES 16

static int flock_retry(int fd, int operation)
{
	while (flock(fd, operation) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Is the directory that we locked still the one at pin_dir? The last detach removes it. */
static bool lock_is_current(const struct sg_relay *relay)
{
	struct stat locked, named;

	return fstat(relay->lock_fd, &locked) == 0 && stat(relay->pin_dir, &named) == 0 &&
	       locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

/*
 * The lock is on the pin directory itself: bpffs instances differ per mount, so no name would
 * identify it as well, and a bpffs can hold no file of ours. With `make` a missing directory is
 * made.
 */
int sg_lock_open(struct sg_relay *relay, bool make, struct sg_error *err)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		int ret = make ? sg_pins_make(relay, err) : sg_pins_check(relay, err);

		if (ret < 0)
			return ret;
		relay->lock_fd = open(relay->pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (relay->lock_fd < 0 && errno == ENOENT)
			continue;
		if (relay->lock_fd < 0)
			return sg_fail(err, errno == EACCES ? -EPERM : -errno, "cannot open %s: %s",
				       relay->pin_dir, strerror(errno));
		ret = flock_retry(relay->lock_fd, LOCK_EX);
		if (ret < 0)
			return sg_fail(err, ret, "cannot lock %s: %s", relay->pin_dir,
				       strerror(-ret));
		if (lock_is_current(relay))
			return 0;
		close(relay->lock_fd);
		relay->lock_fd = -1;
	}
	return sg_fail(err, -EAGAIN, "%s is being removed and made again by others: try again",
		       relay->pin_dir);
}

/* The maps under their names again, in a directory that is locked and new to us. */
static int pin_maps(struct sg_relay *relay, struct sg_error *err)
{
	char path[sizeof(relay->pin_dir) + 32];

	for (unsigned map = 0; map < SG_MAP_COUNT; map++) {
		sg_pin_path(relay, sg_map_name((enum sg_map)map), path, sizeof(path));
		if (bpf_obj_pin(relay->map_fd[map], path) < 0)
			return sg_fail(err, -errno, "cannot pin %s: %s", path, strerror(errno));
	}
	return 0;
}

int sg_relay_repin(struct sg_relay *relay, struct sg_error *err)
{
	int old = relay->lock_fd, ret;

	if (relay->read_only || lock_is_current(relay))
		return 0;
	ret = sg_lock_open(relay, true, err);
	if (!ret)
		ret = pin_maps(relay, err);
	if (ret) {
		if (relay->lock_fd >= 0 && relay->lock_fd != old)
			close(relay->lock_fd);
		relay->lock_fd = old;
		return ret;
	}
	close(old);
	flock_retry(relay->lock_fd, LOCK_UN);
	return 1;
}

/* With the lock held: whoever left the mark behind died at work. */
static void mark_and_recover(struct sg_relay *relay)
{
	bool died = __atomic_exchange_n(&relay->meta->dirty, 1, __ATOMIC_ACQ_REL) != 0;

	relay->lock_depth = 1;
	if (died)
		relay->recover(relay);
}

static void release(struct sg_relay *relay)
{
	relay->lock_depth = 0;
	__atomic_store_n(&relay->meta->dirty, 0, __ATOMIC_RELEASE);
	flock_retry(relay->lock_fd, LOCK_UN);
}

void sg_lock_adopt(struct sg_relay *relay)
{
	mark_and_recover(relay);
	release(relay);
}

int sg_lock(struct sg_relay *relay, struct sg_error *err)
{
	int ret;

	if (relay->read_only)
		return sg_fail(err, -EROFS, "the maps in %s were opened for reading only",
			       relay->pin_dir);
	if (relay->lock_depth) {
		relay->lock_depth++;
		return 0;
	}
	ret = flock_retry(relay->lock_fd, LOCK_EX);
	if (ret < 0)
		return sg_fail(err, ret, "cannot lock %s: %s", relay->pin_dir, strerror(-ret));
	if (relay->meta->magic != SG_MAGIC) {
		flock_retry(relay->lock_fd, LOCK_UN);
		return sg_fail(
			err, -ESTALE,
			"the maps in %s were removed since they were opened: open them again",
			relay->pin_dir);
	}
	mark_and_recover(relay);
	return 0;
}

void sg_unlock(struct sg_relay *relay, bool changed)
{
	if (changed)
		__atomic_add_fetch(&relay->meta->epoch, 1, __ATOMIC_RELEASE);
	if (relay->lock_depth > 1)
		relay->lock_depth--;
	else
		release(relay);
}
