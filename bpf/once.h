/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Phase 5: the first copy of each (SSRC, sequence number) passes (segue/window.h). */
#ifndef SEGUE_BPF_ONCE_H
#define SEGUE_BPF_ONCE_H

#include "context.h"

/* The windows of a side stand in its first SG_SSRCS elements of sg_path_stat. */
static SG_INLINE bool sg_once_places(const struct sg_context *c, struct sg_window_places *places)
{
	places->lock = &c->side->window_lock;
	places->at[0] = &c->side->window;
	for (__u32 i = 1; i < SG_SSRCS; i++) {
		struct sg_path_stat *stat = sg_stat_lookup(c, c->s->side, i);

		if (!stat)
			return false;
		places->at[i] = &stat->window;
	}
	return true;
}

/* The window of another SSRC than the side's first, and its number. NULL if it can have none. */
static SG_INLINE struct sg_window_ssrc *sg_once_other(const struct sg_context *c, __u32 *number)
{
	struct sg_window_places places;

	if (!sg_once_places(c, &places))
		return NULL;
	*number = sg_window_find(&places, c->s->ssrc, (__u16)c->s->sequence, c->s->now_ns);
	for (__u32 i = 0; i < SG_SSRCS; i++) {
		SG_FORGET(*number);
		if (*number == i)
			return places.at[i];
	}
	return NULL;
}

/* Decides about the RTP packet in hand. */
static SG_INLINE enum sg_reason sg_once_accept(const struct sg_context *c, int *late)
{
	struct sg_window_params params = {
		.window = c->meta->window,
		.reset_ns = c->meta->reset_ns,
		.restart_ns = c->meta->restart_ns,
	};
	__u32 index = c->s->stream_index * SG_SIDES + c->s->side;
	struct sg_window_rings *rings = bpf_map_lookup_elem(&sg_history_v1, &index);
	struct sg_window_ssrc *window = &c->side->window;
	__u32 number = 0;

	if (SG_READ_ONCE(window->id) != (1ull << 32 | c->s->ssrc))
		window = sg_once_other(c, &number);
	/* No place in time: another CPU is giving one to this SSRC, and passes its copy. */
	if (!window || !rings)
		return SG_DUPLICATE;
	number &= SG_SSRCS - 1;
	return sg_window_accept(window, &rings->ring[number], &params, (__u16)c->s->sequence,
				c->s->now_ns, late);
}

static SG_INLINE enum sg_reason sg_once(const struct sg_context *c)
{
	struct sg_path_rare *rare;
	int late = 0;
	enum sg_reason reason = sg_once_accept(c, &late);

	if (reason || !late)
		return reason;
	rare = sg_rare_lookup(c, c->s->side, c->s->in_slot);
	if (rare)
		__sync_fetch_and_add(&rare->late, 1);
	return SG_NONE;
}

#endif
