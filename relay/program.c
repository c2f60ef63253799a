/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel programs: loading them with the pinned maps, and knowing them again. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "libbpf_text.h"
#include "maps.h"
#include "object.h"
#include "pins.h"

#define MAPS_OF_A_PROGRAM 64 /* ours use fewer than 16 */

/* Loads object NAME with our maps; a descriptor of its program, which the caller closes. */
static int load(const struct sg_relay *relay, const char *name, const char *program_name,
		struct sg_error *err)
{
	struct bpf_object *object = sg_object_open(relay, name, err);
	struct bpf_program *program;
	struct sg_libbpf_text why;
	int ret;

	if (!object)
		return -errno;
	sg_libbpf_text_begin(&why);
	ret = sg_maps_reuse(relay, object, err);
	if (ret == 0) {
		ret = bpf_object__load(object);
		if (ret < 0)
			sg_fail(err, ret, "the kernel refuses the program %s: %s: %s", program_name,
				strerror(-ret), why.text);
	}
	sg_libbpf_text_end();
	program = ret == 0 ? bpf_object__find_program_by_name(object, program_name) : NULL;
	if (program)
		ret = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0);
	else if (ret == 0)
		ret = sg_fail(err, -EPROTO, "%s/%s has no program '%s'", relay->object_dir, name,
			      program_name);
	bpf_object__close(object);
	return ret;
}

static int load_entry(const struct sg_relay *relay, struct sg_error *err)
{
	return load(relay, "segue.bpf.o", "segue", err);
}

/* ---- ours or not ---------------------------------------------------------------------------- */

static int meta_id(const struct sg_relay *relay, uint32_t *id)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(relay->map_fd[SG_MAP_META], &info, &len) < 0)
		return -errno;
	*id = info.id;
	return 0;
}

/* Every program of ours reads the tunables in sg_meta: that map's id is the mark. */
static int uses_our_maps(const struct sg_relay *relay, int prog_fd, char *name)
{
	uint32_t maps[MAPS_OF_A_PROGRAM];
	struct bpf_prog_info info = {
		.nr_map_ids = MAPS_OF_A_PROGRAM,
		.map_ids = (uint64_t)(uintptr_t)maps,
	};
	uint32_t len = sizeof(info);
	uint32_t id = 0;
	int ret = meta_id(relay, &id);

	if (ret < 0)
		return ret;
	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len) < 0)
		return -errno;
	if (name)
		snprintf(name, BPF_OBJ_NAME_LEN, "%s", info.name);
	for (uint32_t i = 0; i < info.nr_map_ids && i < MAPS_OF_A_PROGRAM; i++)
		if (maps[i] == id)
			return 1;
	return 0;
}

int sg_program_is_ours(const struct sg_relay *relay, uint32_t prog_id, char *name)
{
	int fd = bpf_prog_get_fd_by_id(prog_id);
	int ret;

	if (name)
		name[0] = '\0';
	if (fd < 0)
		return fd;
	ret = uses_our_maps(relay, fd, name);
	close(fd);
	return ret;
}

/* ---- the entry program ----------------------------------------------------------------------- */

/* The verifier takes it only from who has CAP_PERFMON as well; others use the one that root pinned.
 */
int sg_entry_program(const struct sg_relay *relay, struct sg_error *err)
{
	char path[sizeof(relay->pin_dir) + 32];
	int fd = load_entry(relay, err), pinned;

	if (fd != -EPERM && fd != -EACCES)
		return fd;
	sg_pin_path(relay, SG_ENTRY_PIN, path, sizeof(path));
	pinned = bpf_obj_get(path);
	if (pinned < 0)
		return fd;
	if (uses_our_maps(relay, pinned, NULL) == 1)
		return pinned;
	close(pinned);
	return fd;
}

int sg_entry_pin(const struct sg_relay *relay, struct sg_error *err)
{
	char path[sizeof(relay->pin_dir) + 32];
	int fd = load_entry(relay, err), ret = 0;

	if (fd < 0)
		return fd;
	sg_pin_path(relay, SG_ENTRY_PIN, path, sizeof(path));
	if (unlink(path) < 0 && errno != ENOENT)
		ret = sg_fail(err, -errno, "cannot replace %s: %s", path, strerror(errno));
	else if (bpf_obj_pin(fd, path) < 0)
		ret = sg_fail(err, -errno, "cannot pin %s: %s", path, strerror(errno));
	close(fd);
	return ret;
}

/* ---- the egress program --------------------------------------------------------------------- */

static int pin_egress(const struct sg_relay *relay, const char *path, struct sg_error *err)
{
	int fd = load(relay, "egress.bpf.o", "segue_egress", err);

	if (fd < 0)
		return fd;
	if (bpf_obj_pin(fd, path) < 0) {
		int error = errno;

		close(fd);
		return sg_fail(err, -error, "cannot pin %s: %s", path, strerror(error));
	}
	return fd;
}

uint32_t sg_egress_id(const struct sg_relay *relay)
{
	char path[sizeof(relay->pin_dir) + 32];
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);
	int fd;

	sg_pin_path(relay, SG_EGRESS_PIN, path, sizeof(path));
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		info.id = 0;
	close(fd);
	return info.id;
}

int sg_egress_program(struct sg_relay *relay, struct sg_error *err)
{
	char path[sizeof(relay->pin_dir) + 32];
	int fd;

	sg_pin_path(relay, SG_EGRESS_PIN, path, sizeof(path));
	fd = bpf_obj_get(path);
	if (fd == -ENOENT)
		return pin_egress(relay, path, err);
	if (fd < 0)
		return sg_fail(err, fd, "cannot open %s: %s", path, strerror(-fd));
	if (uses_our_maps(relay, fd, NULL) == 1)
		return fd;
	/* A left-over of maps that are gone: its copies would be written from those. */
	close(fd);
	if (unlink(path) < 0)
		return sg_fail(err, -errno, "cannot replace %s: %s", path, strerror(errno));
	return pin_egress(relay, path, err);
}

/* ---- another version ------------------------------------------------------------------------- */

/* The kernel's hash of a program's instructions, in which maps do not count. */
static int tag_of(int fd, uint8_t tag[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	memcpy(tag, info.tag, BPF_TAG_SIZE);
	return 0;
}

int sg_program_differs(int one, int other)
{
	uint8_t first[BPF_TAG_SIZE], second[BPF_TAG_SIZE];
	int ret = tag_of(one, first);

	if (ret == 0)
		ret = tag_of(other, second);
	return ret < 0 ? ret : memcmp(first, second, BPF_TAG_SIZE) != 0;
}

/* Pins `fd` in the place of what is pinned, which others may still hold. */
static int replace_pin(const char *path, int fd, struct sg_error *err)
{
	if (unlink(path) < 0)
		return sg_fail(err, -errno, "cannot replace %s: %s", path, strerror(errno));
	if (bpf_obj_pin(fd, path) < 0)
		return sg_fail(err, -errno, "cannot pin %s: %s", path, strerror(errno));
	return 1;
}

int sg_egress_renew(struct sg_relay *relay, struct sg_error *err)
{
	char path[sizeof(relay->pin_dir) + 32];
	int pinned, fd, ret;

	sg_pin_path(relay, SG_EGRESS_PIN, path, sizeof(path));
	pinned = bpf_obj_get(path);
	if (pinned == -ENOENT)
		return 0;
	if (pinned < 0)
		return sg_fail(err, pinned, "cannot open %s: %s", path, strerror(-pinned));
	fd = load(relay, "egress.bpf.o", "segue_egress", err);
	ret = fd < 0 ? fd : sg_program_differs(fd, pinned);
	if (ret == 1)
		ret = replace_pin(path, fd, err);
	if (fd >= 0)
		close(fd);
	close(pinned);
	return ret;
}
