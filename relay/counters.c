/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and zeroing what the kernel counts: paths, windows, drops. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <segue/window.h>

#include "internal.h"

/* ---- paths ---------------------------------------------------------------------------------- */

void sg_path_stat_read(const struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
		       struct sg_path_stat *out)
{
	uint32_t index = sg_path_index(relay->capacity, stream, side, slot);

	if (relay->path_stat)
		*out = relay->path_stat[index];
	else if (bpf_map_lookup_elem(relay->map_fd[SG_MAP_PATH_STAT], &index, out) < 0)
		memset(out, 0, sizeof(*out));
}

static void rare_read(const struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
		      struct sg_path_rare *out)
{
	uint32_t index = sg_path_index(relay->capacity, stream, side, slot);

	if (relay->path_rare)
		*out = relay->path_rare[index];
	else if (bpf_map_lookup_elem(relay->map_fd[SG_MAP_PATH_RARE], &index, out) < 0)
		memset(out, 0, sizeof(*out));
}

/* Zeroes `count` elements in one system call. */
static void clear_elements(const struct sg_relay *relay, enum sg_map map, uint32_t *keys,
			   const void *zeroes, uint32_t count)
{
	bpf_map_update_batch(relay->map_fd[map], keys, zeroes, &count, NULL);
}

static void clear_history(const struct sg_relay *relay, uint32_t stream, uint32_t side,
			  uint32_t count)
{
	static const struct sg_window_rings history[SG_SIDES];
	uint32_t sides[SG_SIDES] = {stream * SG_SIDES + side, stream * SG_SIDES + 1};

	clear_elements(relay, SG_MAP_HISTORY, sides, history, count);
}

/*
 * By memory, and only what was used: SSRCs take the windows from the first on. From the last one
 * back, so that a writer that dies here leaves a count that still covers what is left.
 */
static void clear_mapped_side(struct sg_relay *relay, uint32_t stream, uint32_t side)
{
	struct sg_path_stat *stat =
		&relay->path_stat[sg_path_index(relay->capacity, stream, side, 0)];
	size_t stride = (size_t)relay->capacity * SG_SIDES;
	uint32_t used = 0;

	while (used < SG_SSRCS && stat[used * stride].window.id)
		used++;
	if (used)
		clear_history(relay, stream, side, 1);
	for (uint32_t slot = used ? used : 1; slot-- > 0;) {
		memset(&relay->path_rare[sg_path_index(relay->capacity, stream, side, slot)], 0,
		       sizeof(*relay->path_rare));
		memset(&stat[slot * stride], 0, sizeof(*stat));
	}
}

void sg_stat_clear(struct sg_relay *relay, uint32_t stream)
{
	static const struct sg_path_stat stat[SG_SIDES * SG_SSRCS];
	static const struct sg_path_rare rare[SG_SIDES * SG_SSRCS];
	uint32_t slots[SG_SIDES * SG_SSRCS];

	if (relay->path_stat) {
		for (uint32_t side = 0; side < SG_SIDES; side++)
			clear_mapped_side(relay, stream, side);
		return;
	}
	clear_history(relay, stream, 0, SG_SIDES);
	for (uint32_t i = 0; i < SG_SIDES * SG_SSRCS; i++)
		slots[i] = sg_path_index(relay->capacity, stream, i % SG_SIDES, i / SG_SIDES);
	clear_elements(relay, SG_MAP_PATH_STAT, slots, stat, SG_SIDES * SG_SSRCS);
	clear_elements(relay, SG_MAP_PATH_RARE, slots, rare, SG_SIDES * SG_SSRCS);
}

/* The element of sg_path_stat in the memory of the kernel, on a page of its own unless all is
 * mapped; NULL where it cannot be. */
static struct sg_path_stat *stat_map(const struct sg_relay *relay, uint32_t index, void **page)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	size_t at = (size_t)index * sizeof(struct sg_path_stat);

	*page = NULL;
	if (relay->path_stat)
		return &relay->path_stat[index];
	*page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		     relay->map_fd[SG_MAP_PATH_STAT], (off_t)(at / size * size));
	return *page == MAP_FAILED ? NULL : (void *)((char *)*page + at % size);
}

/*
 * An element holds three things with lives of their own: what came on the path, what left on the
 * other side's path of the same slot, and a window of the side. So a path that joins a running
 * stream has its own parts cleared in place; an element divides a page, so one page is enough.
 */
static void stat_clear_part(const struct sg_relay *relay, uint32_t stream, uint32_t side,
			    uint32_t slot, size_t from, size_t to)
{
	uint32_t index = sg_path_index(relay->capacity, stream, side, slot);
	void *page;
	struct sg_path_stat *stat = stat_map(relay, index, &page);

	if (!stat)
		return;
	memset((char *)stat + from, 0, to - from);
	if (page)
		munmap(page, (size_t)sysconf(_SC_PAGESIZE));
}

void sg_path_stat_clear(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot)
{
	static const struct sg_path_rare zero;
	uint32_t index = sg_path_index(relay->capacity, stream, side, slot);

	stat_clear_part(relay, stream, side, slot, 0, offsetof(struct sg_path_stat, tx_packets));
	stat_clear_part(relay, stream, side ^ 1u, slot, offsetof(struct sg_path_stat, tx_packets),
			offsetof(struct sg_path_stat, window_lock));
	if (relay->path_rare)
		relay->path_rare[index] = zero;
	else
		bpf_map_update_elem(relay->map_fd[SG_MAP_PATH_RARE], &index, &zero, BPF_ANY);
}

/* RFC 3550 A.3; copies and late packets count as received, so it can be negative: 0 then. */
static uint64_t lost_of(const struct sg_path_stat *stat)
{
	int32_t lost = 0;

	if (stat->received)
		lost = (int32_t)(stat->highest - stat->base + 1 - stat->received);
	return stat->lost_before + (lost > 0 ? (uint64_t)lost : 0);
}

void sg_path_read_stat(const struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
		       struct sg_path_info *out)
{
	struct sg_path_stat in, sent;
	struct sg_path_rare rare;

	sg_path_stat_read(relay, stream, side, slot, &in);
	sg_path_stat_read(relay, stream, side ^ 1u, slot, &sent);
	rare_read(relay, stream, side, slot, &rare);
	out->packets = in.rx_packets + rare.other_rx_packets;
	out->octets = in.rx_octets + rare.other_rx_octets;
	out->sent_packets = sent.tx_packets + rare.other_tx_packets;
	out->sent_octets = sent.tx_octets + rare.other_tx_octets;
	out->rtcp_packets = rare.rtcp_packets;
	out->duplicates = rare.reason[SG_DUPLICATE];
	out->late = rare.late;
	out->lost = lost_of(&in);
	out->first_seq = in.base;
	out->highest_seq = in.highest;
	out->jitter_ms = in.jitter_ns / 1e6;
	out->first_packet_ns = rare.first_ns;
	out->last_packet_ns = in.last_ns;
	out->ssrc = in.ssrc;
	for (unsigned i = 0; i < SG_STAT_REASONS; i++)
		out->dropped[i] = rare.reason[i];
}

/* ---- windows -------------------------------------------------------------------------------- */

int sg_window_read(struct sg_relay *relay, uint32_t stream, enum sg_side side,
		   struct sg_window_info out[SG_SSRCS])
{
	int count = 0;

	if (stream >= relay->capacity || side >= SG_SIDES)
		return -ENOENT;
	for (uint32_t i = 0; i < SG_SSRCS; i++) {
		struct sg_path_stat stat;

		sg_path_stat_read(relay, stream, side, i, &stat);
		if (!stat.window.id)
			continue;
		out[count].ssrc = (uint32_t)stat.window.id;
		out[count].highest = (uint16_t)stat.window.highest;
		out[count++].last_ns = stat.window.last_ns;
	}
	return count;
}

/* ---- drops ---------------------------------------------------------------------------------- */

static uint64_t sum(const uint64_t *values, int count)
{
	uint64_t total = 0;

	for (int i = 0; i < count; i++)
		total += values[i];
	return total;
}

int sg_drop_read(struct sg_relay *relay, uint64_t out[SG_REASON_COUNT])
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *values;
	int ret = 0;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (uint32_t reason = 0; reason < SG_REASON_COUNT && ret == 0; reason++) {
		if (bpf_map_lookup_elem(relay->map_fd[SG_MAP_DROP], &reason, values) < 0)
			ret = -errno;
		else
			out[reason] = sum(values, cpus);
	}
	free(values);
	return ret;
}
