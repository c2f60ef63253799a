/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pin with mode 0640 can be opened for reading by a member of its group, who needs no capability.
 * The kernel maps no such descriptor into memory, so the arrays are copied by system calls: whole
 * where they are small, else what is in use. What nothing was written to takes no memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "shape.h"
#include "snapshot.h"

#define BATCH 1024u

static void *blank(const struct sg_relay *relay, enum sg_map map)
{
	void *memory = mmap(NULL, sg_maps_bytes(relay, map), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static bool make_blanks(struct sg_relay *relay)
{
	relay->meta = blank(relay, SG_MAP_META);
	relay->address = blank(relay, SG_MAP_ADDRESS);
	relay->port = blank(relay, SG_MAP_PORT);
	relay->stream = blank(relay, SG_MAP_STREAM);
	relay->path = blank(relay, SG_MAP_PATH);
	relay->record = blank(relay, SG_MAP_RECORD);
	relay->nexthop = blank(relay, SG_MAP_NEXTHOP);
	return relay->meta && relay->address && relay->port && relay->stream && relay->path &&
	       relay->record && relay->nexthop;
}

static bool is_blank(const char *bytes, size_t size)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

struct copy {
	int fd;
	size_t size; /* of an element */
	char *to;    /* the whole array */
	uint32_t keys[BATCH];
	char *values; /* [BATCH] */
};

/* A page that only ever held zeroes is not touched: most of these arrays is never used. */
static void keep(struct copy *copy, uint32_t first, uint32_t count)
{
	if (!is_blank(copy->values, count * copy->size))
		memcpy(copy->to + first * copy->size, copy->values, count * copy->size);
}

/* Elements first to first + count - 1. In an array the key before the first says where to begin. */
static int copy_range(struct copy *copy, uint32_t first, uint32_t count)
{
	for (uint32_t end = first + count; first < end;) {
		uint32_t before = first - 1, next, got = end - first < BATCH ? end - first : BATCH;

		if (bpf_map_lookup_batch(copy->fd, first ? &before : NULL, &next, copy->keys,
					 copy->values, &got, NULL) < 0 &&
		    errno != ENOENT)
			return -errno;
		if (!got)
			return -EIO;
		keep(copy, first, got);
		first += got;
	}
	return 0;
}

static int copy_part(const struct sg_relay *relay, enum sg_map map, void *to, uint32_t first,
		     uint32_t count)
{
	struct copy copy = {.fd = relay->map_fd[map], .size = sg_shape(map)->value_size, .to = to};
	int ret;

	copy.values = calloc(BATCH, copy.size);
	if (!copy.values)
		return -ENOMEM;
	ret = copy_range(&copy, first, count);
	free(copy.values);
	return ret;
}

static int copy_whole(const struct sg_relay *relay, enum sg_map map, void *to)
{
	const struct sg_shape *shape = sg_shape(map);

	return copy_part(relay, map, to, 0,
			 shape->per_stream ? shape->entries * relay->capacity : shape->entries);
}

static int copy_ports(const struct sg_relay *relay)
{
	int ret = 0;

	for (uint32_t i = 0; i < SG_ADDRESS_BUCKETS && ret == 0; i++)
		if (relay->address[i].used && relay->address[i].slot < SG_ADDRESS_SLOTS)
			ret = copy_part(relay, SG_MAP_PORT, relay->port,
					relay->address[i].slot * SG_PORTS_PER_ADDRESS,
					SG_PORTS_PER_ADDRESS);
	return ret;
}

static int copy_element(const struct sg_relay *relay, enum sg_map map, void *array, uint32_t index)
{
	char *to = (char *)array + index * (size_t)sg_shape(map)->value_size;

	return bpf_map_lookup_elem(relay->map_fd[map], &index, to) < 0 ? -errno : 0;
}

static int copy_stream(const struct sg_relay *relay, uint32_t stream)
{
	int ret = copy_element(relay, SG_MAP_STREAM, relay->stream, stream);

	for (uint32_t slot = 0; slot < SG_PATH_SLOTS; slot++)
		for (uint32_t side = 0; side < SG_SIDES && ret == 0; side++)
			ret = copy_element(relay, SG_MAP_PATH, relay->path,
					   sg_path_index(relay->capacity, stream, side, slot));
	return ret;
}

int sg_snapshot_take(struct sg_relay *relay)
{
	int ret = make_blanks(relay) ? 0 : -ENOMEM;

	if (ret == 0)
		ret = copy_whole(relay, SG_MAP_META, relay->meta);
	if (ret == 0)
		ret = copy_whole(relay, SG_MAP_ADDRESS, relay->address);
	if (ret == 0)
		ret = copy_whole(relay, SG_MAP_NEXTHOP, relay->nexthop);
	if (ret == 0)
		ret = copy_whole(relay, SG_MAP_RECORD, relay->record);
	for (uint32_t stream = 0; stream < relay->capacity && ret == 0; stream++)
		if (relay->record[stream].state != SG_STREAM_FREE)
			ret = copy_stream(relay, stream);
	return ret ? ret : copy_ports(relay);
}
