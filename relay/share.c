/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pins given to a user: it may change the maps, its group may read them, and nobody else may
 * open them. Directories above only let through: what else is in them has rights of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

#include "events.h"
#include "pins.h"
#include "shape.h"

#define PIN_MODE 0640
/* Who could open the directory could lock it, and every writer would wait for that. */
#define SHARED_DIR_MODE 0710
#define LET_THROUGH (S_IXGRP | S_IXOTH)

static int not_shared(const char *path, struct sg_error *err)
{
	int error = errno;

	return sg_fail(err, -error, "cannot give %s to another user: %s", path, strerror(error));
}

/* By its descriptor: what has a name in there may be another thing a moment later. */
static int give(int fd, mode_t mode, uid_t user, gid_t group)
{
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return fchownat(fd, "", user, group, AT_EMPTY_PATH) < 0 || chmod(link, mode) < 0 ? -errno
											 : 0;
}

/* Since an earlier start the directory is the user's, who may have put a link to a file of root's
 * where a pin was: only what is a pin itself is given. */
static int give_path(const char *path, mode_t type, mode_t mode, uid_t user, gid_t group,
		     struct sg_error *err)
{
	int fd = open(path, O_PATH | O_CLOEXEC | (type == S_IFREG ? O_NOFOLLOW : 0));
	struct statfs fs;
	struct stat st;
	int ret;

	if (fd < 0)
		return errno == ENOENT ? 0 : not_shared(path, err);
	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		ret = -errno;
	else if ((st.st_mode & S_IFMT) != type || (uint32_t)fs.f_type != BPF_FS_MAGIC)
		ret = -EPERM;
	else
		ret = give(fd, mode, user, group);
	close(fd);
	return ret ? sg_fail(err, ret, "cannot give %s to another user: %s", path, strerror(-ret))
		   : 0;
}

static int give_pin(const struct sg_relay *relay, const char *name, uid_t user, gid_t group,
		    struct sg_error *err)
{
	char path[sizeof(relay->pin_dir) + 32];

	sg_pin_path(relay, name, path, sizeof(path));
	return give_path(path, S_IFREG, PIN_MODE, user, group, err);
}

/* One directory above the pins; false where the bpffs ends. */
static bool let_through(const char *path, int *ret, struct sg_error *err)
{
	struct statfs fs;
	struct stat st;

	if (statfs(path, &fs) < 0 || stat(path, &st) < 0) {
		*ret = not_shared(path, err);
		return false;
	}
	if ((uint32_t)fs.f_type != BPF_FS_MAGIC)
		return false;
	if ((st.st_mode & LET_THROUGH) != LET_THROUGH &&
	    chmod(path, (st.st_mode & 07777) | LET_THROUGH) < 0)
		*ret = not_shared(path, err);
	return *ret == 0;
}

static int let_through_all(const struct sg_relay *relay, struct sg_error *err)
{
	char path[sizeof(relay->pin_dir)];
	char *slash;
	int ret = 0;

	memcpy(path, relay->pin_dir, sizeof(path));
	while ((slash = strrchr(path, '/')) && slash != path) {
		*slash = '\0';
		if (!let_through(path, &ret, err))
			break;
	}
	return ret;
}

int sg_relay_share(struct sg_relay *relay, uid_t user, gid_t group, struct sg_error *err)
{
	int ret = sg_lock(relay, err);

	if (ret < 0)
		return ret;
	ret = sg_entry_pin(relay, err);
	if (ret == 0)
		ret = give_pin(relay, SG_ENTRY_PIN, user, group, err);
	if (ret == 0)
		ret = give_pin(relay, SG_EGRESS_PIN, user, group, err);
	for (int map = 0; map < SG_MAP_COUNT && ret == 0; map++)
		ret = give_pin(relay, sg_map_name((enum sg_map)map), user, group, err);
	if (ret == 0)
		ret = give_path(relay->pin_dir, S_IFDIR, SHARED_DIR_MODE, user, group, err);
	if (ret == 0)
		ret = let_through_all(relay, err);
	if (ret == 0)
		ret = sg_events_share(relay, user, group, err);
	/* They wait for that user now, even where no NIC is there yet. */
	if (ret == 0)
		relay->made = false;
	sg_unlock(relay, false);
	return ret;
}
