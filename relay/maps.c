/* SPDX-License-Identifier: BSD-2-Clause */
/* The maps: opening, making and mapping them into memory, and listing them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "libbpf_text.h"
#include "maps.h"
#include "object.h"
#include "pins.h"
#include "shape.h"
#include "snapshot.h"

/* ---- opening -------------------------------------------------------------------------------- */

static int other_layout(const struct sg_relay *relay, const struct sg_shape *shape,
			const char *what, uint32_t got, uint32_t wanted, struct sg_error *err)
{
	return sg_fail(err, -EPROTO,
		       "%s/%s has %s %u, not %u: it was made by another version; detach all "
		       "interfaces with that version, or use another pin directory",
		       relay->pin_dir, shape->name, what, got, wanted);
}

static int check_shape(struct sg_relay *relay, const struct sg_shape *shape,
		       const struct bpf_map_info *info, struct sg_error *err)
{
	uint32_t entries = shape->entries;

	if (info->type != shape->type)
		return other_layout(relay, shape, "type", info->type, shape->type, err);
	if (info->key_size != shape->key_size)
		return other_layout(relay, shape, "key size", info->key_size, shape->key_size, err);
	if (shape->value_size && info->value_size != shape->value_size)
		return other_layout(relay, shape, "value size", info->value_size, shape->value_size,
				    err);
	if (shape->per_stream) {
		if (!relay->capacity)
			relay->capacity = info->max_entries / shape->entries;
		entries = relay->capacity * shape->entries;
	}
	if (entries && info->max_entries != entries)
		return other_layout(relay, shape, "entries", info->max_entries, entries, err);
	return 0;
}

static int open_one(struct sg_relay *relay, const struct sg_shape *shape, int *fd,
		    struct sg_error *err)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = relay->read_only ? BPF_F_RDONLY : 0);
	char path[sizeof(relay->pin_dir) + 32];
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);

	sg_pin_path(relay, shape->name, path, sizeof(path));
	*fd = bpf_obj_get_opts(path, &opts);
	if (*fd == -ENOENT)
		return 0;
	if (*fd == -EACCES || *fd == -EPERM)
		return sg_fail(err, -EPERM, "no right to open %s: run as root", path);
	if (*fd < 0)
		return sg_fail(err, *fd, "cannot open %s: %s", path, strerror(-*fd));
	if (bpf_obj_get_info_by_fd(*fd, &info, &len) < 0)
		return sg_fail(err, -errno, "cannot inspect %s: %s", path, strerror(errno));
	return check_shape(relay, shape, &info, err);
}

int sg_maps_open(struct sg_relay *relay, struct sg_error *err)
{
	int missing = 0;

	for (int i = 0; i < SG_MAP_COUNT; i++) {
		int ret = open_one(relay, sg_shape((enum sg_map)i), &relay->map_fd[i], err);

		if (ret < 0)
			return ret;
		if (relay->map_fd[i] < 0) {
			relay->map_fd[i] = -1;
			missing++;
		}
	}
	return missing;
}

/* ---- making --------------------------------------------------------------------------------- */

/* A map that is opened stands for itself; its pin path goes, else libbpf would open it again. */
static int reuse_one(const struct sg_relay *relay, struct bpf_map *map, int index,
		     struct sg_error *err)
{
	int ret = bpf_map__reuse_fd(map, relay->map_fd[index]);

	if (ret == 0)
		ret = bpf_map__set_pin_path(map, NULL);
	if (ret < 0)
		return sg_fail(err, ret, "cannot use the pinned %s: %s",
			       sg_map_name((enum sg_map)index), strerror(-ret));
	return 0;
}

int sg_maps_reuse(const struct sg_relay *relay, struct bpf_object *object, struct sg_error *err)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		int index = sg_map_find(bpf_map__name(map));
		int ret = 0;

		if (index >= 0 && relay->map_fd[index] >= 0)
			ret = reuse_one(relay, map, index, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int prepare_new(const struct sg_relay *relay, struct bpf_object *object, uint32_t capacity)
{
	char path[sizeof(relay->pin_dir) + 32];
	struct bpf_map *map;
	int ret;

	bpf_object__for_each_map(map, object)
	{
		int index = sg_map_find(bpf_map__name(map));
		const struct sg_shape *shape;

		if (index < 0 || relay->map_fd[index] >= 0)
			continue;
		shape = sg_shape((enum sg_map)index);
		sg_pin_path(relay, shape->name, path, sizeof(path));
		ret = bpf_map__set_pin_path(map, path);
		if (ret == 0 && shape->per_stream)
			ret = bpf_map__set_max_entries(map, capacity * shape->entries);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* The maps only: the programs of the object are not wanted here. */
static int load_maps(const struct sg_relay *relay, struct bpf_object *object, uint32_t capacity,
		     struct sg_error *err)
{
	struct sg_libbpf_text why;
	struct bpf_program *program;
	int ret = sg_maps_reuse(relay, object, err);

	if (ret < 0)
		return ret;
	bpf_object__for_each_program(program, object) bpf_program__set_autoload(program, false);
	sg_libbpf_text_begin(&why);
	ret = prepare_new(relay, object, capacity);
	if (ret == 0)
		ret = bpf_object__load(object);
	sg_libbpf_text_end();
	if (ret < 0)
		return sg_fail(err, ret, "cannot make the maps in %s for %u streams: %s: %s",
			       relay->pin_dir, capacity, strerror(-ret), why.text);
	return 0;
}

/* The maps of one object file: all but those that only the other one has. */
static int create_from(struct sg_relay *relay, const char *name, uint32_t capacity,
		       struct sg_error *err)
{
	struct bpf_object *object = sg_object_open(relay, name, err);
	int ret;

	if (!object)
		return -errno;
	ret = load_maps(relay, object, capacity, err);
	bpf_object__close(object);
	return ret < 0 ? ret : sg_maps_open(relay, err);
}

int sg_maps_create(struct sg_relay *relay, uint32_t capacity, struct sg_error *err)
{
	int missing;

	if (relay->capacity)
		capacity = relay->capacity;
	missing = create_from(relay, "segue.bpf.o", capacity, err);
	if (missing > 0)
		missing = create_from(relay, "egress.bpf.o", capacity, err);
	if (missing > 0)
		return sg_fail(err, -EPROTO, "the kernel programs in %s lack %d of our maps",
			       relay->object_dir, missing);
	return missing;
}

/* ---- mapping into memory -------------------------------------------------------------------- */

static size_t page_up(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

size_t sg_maps_bytes(const struct sg_relay *relay, enum sg_map map)
{
	const struct sg_shape *shape = sg_shape(map);
	size_t entries = shape->entries;

	if (shape->per_stream)
		entries *= relay->capacity;
	return page_up(entries * shape->value_size);
}

/*
 * The kernel maps no descriptor that was opened BPF_F_RDONLY (bpf_map_mmap wants VM_SHARED, which
 * mmap takes from a file that is not writable). So a read-only handle opens the pin once more, for
 * the mapping only; PROT_READ then keeps it from writing.
 */
static int mappable_fd(const struct sg_relay *relay, enum sg_map map)
{
	char path[sizeof(relay->pin_dir) + 32];

	if (!relay->read_only)
		return relay->map_fd[map];
	sg_pin_path(relay, sg_map_name(map), path, sizeof(path));
	return bpf_obj_get(path);
}

/* NULL on failure, with *ret a negative errno; does nothing if an earlier call failed. */
static void *map_array(const struct sg_relay *relay, enum sg_map map, int *ret)
{
	int protection = relay->read_only ? PROT_READ : PROT_READ | PROT_WRITE;
	void *memory;
	int fd;

	if (*ret < 0)
		return NULL;
	fd = mappable_fd(relay, map);
	if (fd < 0) {
		*ret = fd;
		return NULL;
	}
	memory = mmap(NULL, sg_maps_bytes(relay, map), protection, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		*ret = -errno;
		memory = NULL;
	}
	if (fd != relay->map_fd[map])
		close(fd);
	return memory;
}

/* A pin that may be read but not be written is copied. */
static bool may_only_read(const struct sg_relay *relay)
{
	int fd;

	if (!relay->read_only)
		return false;
	fd = mappable_fd(relay, SG_MAP_META);
	if (fd >= 0)
		close(fd);
	return fd == -EACCES || fd == -EPERM;
}

static int map_arrays(struct sg_relay *relay)
{
	int ret = 0;

	relay->meta = map_array(relay, SG_MAP_META, &ret);
	relay->address = map_array(relay, SG_MAP_ADDRESS, &ret);
	relay->port = map_array(relay, SG_MAP_PORT, &ret);
	relay->stream = map_array(relay, SG_MAP_STREAM, &ret);
	relay->path = map_array(relay, SG_MAP_PATH, &ret);
	relay->record = map_array(relay, SG_MAP_RECORD, &ret);
	relay->nexthop = map_array(relay, SG_MAP_NEXTHOP, &ret);
	if (relay->resident) {
		relay->path_stat = map_array(relay, SG_MAP_PATH_STAT, &ret);
		relay->path_rare = map_array(relay, SG_MAP_PATH_RARE, &ret);
	}
	return ret;
}

int sg_maps_mmap(struct sg_relay *relay, struct sg_error *err)
{
	int ret = may_only_read(relay) ? sg_snapshot_take(relay) : map_arrays(relay);

	if (ret == -EACCES || ret == -EPERM)
		return sg_fail(err, -EPERM, "no right to map %s into memory: run as root",
			       relay->pin_dir);
	if (ret < 0)
		return sg_fail(err, ret, "cannot map the arrays of %s into memory: %s",
			       relay->pin_dir, strerror(-ret));
	return 0;
}

static void unmap_array(const struct sg_relay *relay, enum sg_map map, void *memory)
{
	if (memory)
		munmap(memory, sg_maps_bytes(relay, map));
}

void sg_maps_close(struct sg_relay *relay)
{
	unmap_array(relay, SG_MAP_META, relay->meta);
	unmap_array(relay, SG_MAP_ADDRESS, relay->address);
	unmap_array(relay, SG_MAP_PORT, relay->port);
	unmap_array(relay, SG_MAP_STREAM, relay->stream);
	unmap_array(relay, SG_MAP_PATH, relay->path);
	unmap_array(relay, SG_MAP_RECORD, relay->record);
	unmap_array(relay, SG_MAP_NEXTHOP, relay->nexthop);
	unmap_array(relay, SG_MAP_PATH_STAT, relay->path_stat);
	unmap_array(relay, SG_MAP_PATH_RARE, relay->path_rare);
	for (int i = 0; i < SG_MAP_COUNT; i++)
		if (relay->map_fd[i] >= 0)
			close(relay->map_fd[i]);
}

/* ---- listing -------------------------------------------------------------------------------- */

/* What the kernel charges for a map, from /proc; 0 where that cannot be read. */
static uint64_t memory_of(int fd)
{
	unsigned long long bytes = 0;
	char line[128];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", fd);
	file = fopen(line, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	fclose(file);
	return bytes;
}

static int describe(const struct sg_relay *relay, int index, struct sg_map_info *out)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	const char *type;

	if (bpf_obj_get_info_by_fd(relay->map_fd[index], &info, &len) < 0)
		return -errno;
	type = libbpf_bpf_map_type_str(info.type);
	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", sg_map_name((enum sg_map)index));
	snprintf(out->type, sizeof(out->type), "%s", type ? type : "unknown");
	out->id = info.id;
	out->key_size = info.key_size;
	out->value_size = info.value_size;
	out->max_entries = info.max_entries;
	out->memory = memory_of(relay->map_fd[index]);
	snprintf(out->pin, sizeof(out->pin), "%.*s/%s", (int)sizeof(out->pin) - 18, relay->pin_dir,
		 sg_map_name((enum sg_map)index));
	return 0;
}

int sg_map_list(struct sg_relay *relay, struct sg_map_info *out, size_t room)
{
	for (int i = 0; i < SG_MAP_COUNT && (size_t)i < room; i++) {
		int ret = describe(relay, i, &out[i]);

		if (ret < 0)
			return ret;
	}
	return SG_MAP_COUNT;
}
