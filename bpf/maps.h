/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The pinned maps. Names carry the layout version, so that a program with another layout cannot
 * mistake them for its own. `ip link` pins them by name; the sizes given here are what it makes.
 */
#ifndef SEGUE_BPF_MAPS_H
#define SEGUE_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <segue/abi.h>
#include <segue/window.h>

#define SG_FANOUT_ENTRIES (SG_FANOUT_BASE * SG_FANOUT_BASE * SG_FANOUT_BASE * SG_FANOUT_BASE)

/* Magic, tunables and NIC slots. Owner: relay/dataplane.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sg_meta);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_meta_v1 SEC(".maps");

/* Our media addresses. Owner: relay/address.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SG_ADDRESS_BUCKETS);
	__type(key, __u32);
	__type(value, struct sg_address);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_address_v1 SEC(".maps");

/* Where a packet belongs. Owner: relay/ports.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SG_ADDRESS_SLOTS *SG_PORTS_PER_ADDRESS);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_port_v1 SEC(".maps");

/* Routes. Owner: relay/stream.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SG_STREAM_CAPACITY);
	__type(key, __u32);
	__type(value, struct sg_stream);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_stream_v1 SEC(".maps");

/* Paths; index: sg_path_index(). Owner: relay/stream.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SG_STREAM_CAPACITY *SG_SIDES *SG_PATH_SLOTS);
	__type(key, __u32);
	__type(value, struct sg_path);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_path_v1 SEC(".maps");

/* State, times and names of streams; no program reads them. Owner: relay/stream.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SG_STREAM_CAPACITY);
	__type(key, __u32);
	__type(value, struct sg_record);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_record_v1 SEC(".maps");

/* Gateways and on-link parties. Owner: relay/nexthop.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SG_NEXTHOPS);
	__type(key, __u32);
	__type(value, struct sg_nexthop);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_nexthop_v1 SEC(".maps");

/* What packets change: counters, quality and windows; index: sg_path_index(). mmapable for the sake
 * of its alignment: other arrays begin somewhere in a cache line. Owner: the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SG_STREAM_CAPACITY *SG_SIDES *SG_PATH_SLOTS);
	__type(key, __u32);
	__type(value, struct sg_path_stat);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_path_stat_v1 SEC(".maps");

/* What unusual packets change; index: sg_path_index(). Owner: the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SG_STREAM_CAPACITY *SG_SIDES *SG_PATH_SLOTS);
	__type(key, __u32);
	__type(value, struct sg_path_rare);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_path_rare_v1 SEC(".maps");

/* Older history of the windows; index: stream * SG_SIDES + side. Owner: the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SG_STREAM_CAPACITY *SG_SIDES);
	__type(key, __u32);
	__type(value, struct sg_window_rings);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_history_v1 SEC(".maps");

/* Packets that were not simply forwarded, by reason. Owner: the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SG_REASON_ROOM);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_drop_v1 SEC(".maps");

/* Device maps that copy a packet to a set of NICs, by sg_fanout_key. Owner: relay/fanout.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SG_FANOUT_ENTRIES);
	__type(key, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
			__uint(max_entries, SG_PATHS);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct bpf_devmap_val));
		});
} sg_fanout_v1 SEC(".maps");

/* Copies of frames of streams that are captured. Owner: relay/capture.c. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, SG_CAPTURE_CPUS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_capture_v1 SEC(".maps");

/* What user space should know. Owner: the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SG_EVENT_BYTES);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_event_v1 SEC(".maps");

/*
 * Which copy of a broadcast packet comes next on a NIC: entry per NIC slot, and one more that
 * numbers the packets. Per CPU: a broadcast and its egress runs stay on one. Owner: the kernel.
 */
struct sg_copy {
	__u32 id;
	__u32 seen;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SG_NICS + 1);
	__type(key, __u32);
	__type(value, struct sg_copy);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_copy_v1 SEC(".maps");

/*
 * The guard (guard.h). Sources that ports of ours do not hear: the one that was met longest ago
 * makes room, so that a flood cannot fill it. Owner: relay/guard.c; the kernel counts in `dropped`.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SG_BANS);
	__type(key, struct sg_ban_key);
	__type(value, struct sg_ban);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_ban_v1 SEC(".maps");

/* Sources that are heard whatever bans say; nothing is evicted. Owner: relay/guard.c. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SG_GUARD_ALLOWED);
	__type(key, struct sg_guard_allow_key);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_allow_v1 SEC(".maps");

/* The ports that the guard stands at. Owner: relay/guard.c. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SG_GUARD_PORTS);
	__type(key, struct sg_guard_port_key);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} sg_guard_v1 SEC(".maps");

#endif
