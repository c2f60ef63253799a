/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory of the pins. `ip link` pins in tc/globals of the bpffs and links xdp and ip to tc;
 * whoever comes first, we or it, makes that same hierarchy, so that both find each other's pins.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

#include "pins.h"
#include "shape.h"

#define BPFFS_DEFAULT "/sys/fs/bpf"
#define PIN_DIR_MODE 0700 /* as `ip link` makes it */

void sg_pin_path(const struct sg_relay *relay, const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", relay->pin_dir, name);
}

static int no_bpffs(const struct sg_relay *relay, struct sg_error *err)
{
	return sg_fail(err, -ENODEV,
		       "no bpffs is mounted at %s: mount -t bpf bpf " BPFFS_DEFAULT
		       " (or give a pin directory on one)",
		       relay->pin_dir);
}

static int path_error(const char *path, int error, struct sg_error *err)
{
	if (error == EACCES || error == EPERM)
		return sg_fail(err, -EPERM, "no right to use %s: run as root", path);
	return sg_fail(err, -error, "%s: %s", path, strerror(error));
}

/* The file system of `path`, or of its nearest ancestor that exists. */
static int on_bpffs(const char *path)
{
	struct statfs fs;
	char ancestor[256];
	char *slash;

	snprintf(ancestor, sizeof(ancestor), "%s", path);
	while (statfs(ancestor, &fs) < 0) {
		slash = strrchr(ancestor, '/');
		if (errno != ENOENT || !slash || slash == ancestor)
			return -errno;
		*slash = '\0';
	}
	return (uint32_t)fs.f_type == BPF_FS_MAGIC;
}

int sg_pins_check(const struct sg_relay *relay, struct sg_error *err)
{
	struct stat st;
	int ret = on_bpffs(relay->pin_dir);

	if (ret < 0)
		return path_error(relay->pin_dir, -ret, err);
	if (!ret)
		return no_bpffs(relay, err);
	if (stat(relay->pin_dir, &st) == 0)
		return 0;
	if (errno == ENOENT)
		return sg_fail(err, -ENOENT, "no maps in %s: attach an interface first",
			       relay->pin_dir);
	return path_error(relay->pin_dir, errno, err);
}

static int make_dir(const char *path, struct sg_error *err)
{
	if (mkdir(path, PIN_DIR_MODE) == 0 || errno == EEXIST)
		return 0;
	return path_error(path, errno, err);
}

/* The root of the default hierarchy: xdp is a link to tc unless it is there already. */
static int make_default_root(struct sg_error *err)
{
	struct stat st;
	int ret;

	if (lstat(BPFFS_DEFAULT "/xdp", &st) == 0 && !S_ISLNK(st.st_mode))
		return 0;
	ret = make_dir(BPFFS_DEFAULT "/tc", err);
	if (ret < 0)
		return ret;
	if (symlink(BPFFS_DEFAULT "/tc/", BPFFS_DEFAULT "/xdp") < 0 && errno != EEXIST)
		return path_error(BPFFS_DEFAULT "/xdp", errno, err);
	return 0;
}

/* Every missing directory of `path`, from the top. */
static int make_all(const char *path, struct sg_error *err)
{
	char part[256];
	struct stat st;
	int ret;

	for (const char *p = strchr(path + 1, '/');; p = strchr(p + 1, '/')) {
		int len = p ? (int)(p - path) : (int)strlen(path);

		snprintf(part, sizeof(part), "%.*s", len, path);
		if (stat(part, &st) < 0) {
			ret = make_dir(part, err);
			if (ret < 0)
				return ret;
		}
		if (!p)
			return 0;
	}
}

int sg_pins_make(const struct sg_relay *relay, struct sg_error *err)
{
	int ret = on_bpffs(relay->pin_dir);

	if (ret < 0)
		return path_error(relay->pin_dir, -ret, err);
	if (!ret)
		return no_bpffs(relay, err);
	if (strcmp(relay->pin_dir, SG_PIN_DIR_DEFAULT) == 0) {
		ret = make_default_root(err);
		if (ret < 0)
			return ret;
	}
	return make_all(relay->pin_dir, err);
}

static int remove_pin(const struct sg_relay *relay, const char *name, struct sg_error *err)
{
	char path[sizeof(relay->pin_dir) + 32];

	sg_pin_path(relay, name, path, sizeof(path));
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return path_error(path, errno, err);
}

/* A link of the default hierarchy that points nowhere any more. */
static void remove_dangling(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		unlink(path);
}

/* rmdir refuses a directory that others use: that is what is wanted. */
void sg_pins_tidy(const struct sg_relay *relay)
{
	rmdir(relay->pin_dir);
	if (strcmp(relay->pin_dir, SG_PIN_DIR_DEFAULT) != 0)
		return;
	rmdir(BPFFS_DEFAULT "/xdp");
	rmdir(BPFFS_DEFAULT "/tc");
	remove_dangling(BPFFS_DEFAULT "/xdp");
	remove_dangling(BPFFS_DEFAULT "/ip");
}

int sg_pins_remove(const struct sg_relay *relay, struct sg_error *err)
{
	int ret = remove_pin(relay, SG_EGRESS_PIN, err);

	if (ret == 0)
		ret = remove_pin(relay, SG_ENTRY_PIN, err);
	for (unsigned map = 0; map < SG_MAP_COUNT && ret == 0; map++)
		ret = remove_pin(relay, sg_map_name((enum sg_map)map), err);
	if (ret == 0)
		sg_pins_tidy(relay);
	return ret;
}
