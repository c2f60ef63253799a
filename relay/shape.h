/* SPDX-License-Identifier: BSD-2-Clause */
/* What the maps are called and what shape each must have. */
#ifndef SG_RELAY_SHAPE_H
#define SG_RELAY_SHAPE_H

#include <linux/bpf.h>

#include "internal.h"

/* `entries` are those of the map, or with `per_stream` those of one stream. 0 = not checked. */
struct sg_shape {
	const char *name;
	enum bpf_map_type type;
	uint32_t key_size, value_size, entries;
	bool per_stream;
};

const struct sg_shape *sg_shape(enum sg_map map);
/* Name of a map as in the kernel programs and as pinned. */
const char *sg_map_name(enum sg_map map);
/* The enum sg_map of that name, -ENOENT if none of ours has it. */
int sg_map_find(const char *name);

#endif
