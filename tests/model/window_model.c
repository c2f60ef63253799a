/* SPDX-License-Identifier: BSD-2-Clause */
/* MP-5, MP-7, MP-8: which packet is the first copy of its (SSRC, sequence number). */
#include "model.h"

#include <string.h>

#define MAX_DROPOUT 3000 /* RFC 3550 A.1, as MP-5 takes it */

static struct model_ssrc *oldest_or_free(struct model_window *window)
{
	struct model_ssrc *oldest = &window->slot[0];

	for (size_t i = 0; i < SG_SSRCS; i++) {
		struct model_ssrc *slot = &window->slot[i];

		if (!slot->used)
			return slot;
		if (slot->accepted_ns < oldest->accepted_ns)
			oldest = slot;
	}
	return oldest;
}

static struct model_ssrc *find(struct model_window *window, uint32_t ssrc)
{
	for (size_t i = 0; i < SG_SSRCS; i++) {
		if (window->slot[i].used && window->slot[i].ssrc == ssrc)
			return &window->slot[i];
	}
	return NULL;
}

static bool was_seen(const struct model_ssrc *slot, uint64_t extended)
{
	for (size_t i = 0; i < slot->seen_count; i++) {
		if (slot->seen[i] == extended)
			return true;
	}
	return false;
}

/* Forgets what is now W or more behind, so the set never holds more than W numbers. */
static void forget_behind(struct model_ssrc *slot, unsigned window)
{
	size_t kept = 0;

	for (size_t i = 0; i < slot->seen_count; i++) {
		if (slot->highest - slot->seen[i] < window)
			slot->seen[kept++] = slot->seen[i];
	}
	slot->seen_count = kept;
}

static void accept(struct model_ssrc *slot, const struct model_params *params, uint64_t extended,
		   uint64_t now_ns)
{
	if (extended > slot->highest) {
		slot->highest = extended;
		forget_behind(slot, params->window);
	}
	slot->seen[slot->seen_count++] = extended;
	slot->accepted_ns = now_ns;
}

/* Remembers nothing but this packet: what is behind it and unseen will pass as late. */
static void start_afresh(struct model_ssrc *slot, uint32_t ssrc, uint16_t sequence, uint64_t now_ns)
{
	memset(slot, 0, sizeof(*slot));
	slot->used = true;
	slot->ssrc = ssrc;
	slot->highest = (1ull << 32) + sequence;
	slot->seen[slot->seen_count++] = slot->highest;
	slot->accepted_ns = now_ns;
}

/*
 * A packet out of the window is the second of a source restart if it follows the previous one out
 * of the window and nothing was accepted for the guard time; two live paths whose skew exceeds W
 * can therefore not take the window from each other.
 */
static bool is_restart(const struct model_ssrc *slot, const struct model_params *params,
		       uint16_t sequence, uint64_t now_ns)
{
	return slot->outside_known && sequence == (uint16_t)(slot->outside + 1) &&
	       now_ns - slot->accepted_ns >= params->restart_ns;
}

static enum sg_reason outside(struct model_ssrc *slot, uint16_t sequence, unsigned ahead)
{
	slot->outside_known = true;
	slot->outside = sequence;
	return ahead < 32768 ? SG_JUMP : SG_TOO_LATE;
}

/* Is it within reach of the window, and new? */
static bool fits(const struct model_ssrc *slot, const struct model_params *params,
		 uint16_t sequence)
{
	unsigned ahead = (uint16_t)(sequence - (uint16_t)slot->highest);
	unsigned behind = (uint16_t)((uint16_t)slot->highest - sequence);

	if (ahead > 0 && ahead < MAX_DROPOUT)
		return true;
	return behind > 0 && behind < params->window && !was_seen(slot, slot->highest - behind);
}

enum sg_reason model_window_accept(struct model_window *window, const struct model_params *params,
				   uint32_t ssrc, uint16_t sequence, uint64_t now_ns, bool *late)
{
	struct model_ssrc *slot = find(window, ssrc);
	unsigned ahead, behind;

	*late = false;
	if (!slot) {
		start_afresh(oldest_or_free(window), ssrc, sequence, now_ns);
		return SG_NONE;
	}
	/* After a long silence anything is accepted (MP-5). What fits the history as it stands is
	 * an ordinary packet; only what does not begins a new one. */
	if (now_ns - slot->accepted_ns >= params->reset_ns && !fits(slot, params, sequence)) {
		start_afresh(slot, ssrc, sequence, now_ns);
		return SG_NONE;
	}
	ahead = (uint16_t)(sequence - (uint16_t)slot->highest);
	behind = (uint16_t)((uint16_t)slot->highest - sequence);
	if (ahead == 0)
		return SG_DUPLICATE;
	if (ahead < MAX_DROPOUT) {
		accept(slot, params, slot->highest + ahead, now_ns);
		return SG_NONE;
	}
	if (behind < params->window) {
		if (was_seen(slot, slot->highest - behind))
			return SG_DUPLICATE;
		accept(slot, params, slot->highest - behind, now_ns);
		*late = true;
		return SG_NONE;
	}
	if (is_restart(slot, params, sequence, now_ns)) {
		start_afresh(slot, ssrc, sequence, now_ns);
		return SG_NONE;
	}
	return outside(slot, sequence, ahead);
}
