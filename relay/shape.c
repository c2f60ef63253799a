/* SPDX-License-Identifier: BSD-2-Clause */
/* The shape of each map: the other half of what abi.h says about its elements. */
#include <errno.h>
#include <string.h>

#include <segue/window.h>

#include "shape.h"

static const struct sg_shape shapes[SG_MAP_COUNT] = {
	[SG_MAP_META] = {"sg_meta_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct sg_meta),
			 1, false},
	[SG_MAP_ADDRESS] = {"sg_address_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY, 4,
			    sizeof(struct sg_address), SG_ADDRESS_BUCKETS, false},
	[SG_MAP_PORT] = {"sg_port_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY, 4, sizeof(uint64_t),
			 SG_ADDRESS_SLOTS *SG_PORTS_PER_ADDRESS, false},
	[SG_MAP_STREAM] = {"sg_stream_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY, 4,
			   sizeof(struct sg_stream), 1, true},
	[SG_MAP_PATH] = {"sg_path_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct sg_path),
			 SG_SIDES *SG_PATH_SLOTS, true},
	[SG_MAP_RECORD] = {"sg_record_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY, 4,
			   sizeof(struct sg_record), 1, true},
	[SG_MAP_NEXTHOP] = {"sg_nexthop_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY, 4,
			    sizeof(struct sg_nexthop), SG_NEXTHOPS, false},
	[SG_MAP_HISTORY] = {"sg_history_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY, 4,
			    sizeof(struct sg_window_rings), SG_SIDES, true},
	[SG_MAP_PATH_STAT] = {"sg_path_stat_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY, 4,
			      sizeof(struct sg_path_stat), SG_SIDES *SG_PATH_SLOTS, true},
	[SG_MAP_PATH_RARE] = {"sg_path_rare_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY, 4,
			      sizeof(struct sg_path_rare), SG_SIDES *SG_PATH_SLOTS, true},
	[SG_MAP_DROP] = {"sg_drop_" SG_MAP_VERSION, BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(uint64_t),
			 SG_REASON_ROOM, false},
	[SG_MAP_FANOUT] = {"sg_fanout_" SG_MAP_VERSION, BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4,
			   SG_FANOUT_BASE *SG_FANOUT_BASE *SG_FANOUT_BASE *SG_FANOUT_BASE, false},
	[SG_MAP_EVENT] = {"sg_event_" SG_MAP_VERSION, BPF_MAP_TYPE_RINGBUF, 0, 0, SG_EVENT_BYTES,
			  false},
	[SG_MAP_BAN] = {"sg_ban_" SG_MAP_VERSION, BPF_MAP_TYPE_LRU_HASH, sizeof(struct sg_ban_key),
			sizeof(struct sg_ban), SG_BANS, false},
	[SG_MAP_ALLOW] = {"sg_allow_" SG_MAP_VERSION, BPF_MAP_TYPE_LPM_TRIE,
			  sizeof(struct sg_guard_allow_key), sizeof(uint32_t), SG_GUARD_ALLOWED,
			  false},
	[SG_MAP_GUARD] = {"sg_guard_" SG_MAP_VERSION, BPF_MAP_TYPE_HASH,
			  sizeof(struct sg_guard_port_key), sizeof(uint32_t), SG_GUARD_PORTS,
			  false},
	[SG_MAP_CAPTURE] = {"sg_capture_" SG_MAP_VERSION, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4,
			    SG_CAPTURE_CPUS, false},
	/* private to the kernel programs: its value is theirs to know */
	[SG_MAP_COPY] = {"sg_copy_" SG_MAP_VERSION, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 0, 0, false},
};

const struct sg_shape *sg_shape(enum sg_map map)
{
	return &shapes[map];
}

const char *sg_map_name(enum sg_map map)
{
	return shapes[map].name;
}

int sg_map_find(const char *name)
{
	for (int i = 0; i < SG_MAP_COUNT; i++)
		if (strcmp(shapes[i].name, name) == 0)
			return i;
	return -ENOENT;
}
