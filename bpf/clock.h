/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The time of a packet. bpf_ktime_get_ns() costs as much as a whole redirect (30 ns where returns
 * are mitigated), so under load it is read for some packets only, and the others use the last
 * reading of this CPU, at most one jiffy old: enough for the window's rules (200 ms, 2 s), not for
 * jitter. Up to SG_CLOCK_READINGS packets a jiffy on each CPU are always timed precisely.
 */
#ifndef SEGUE_BPF_CLOCK_H
#define SEGUE_BPF_CLOCK_H

#include "scratch.h"

#define SG_CLOCK_READINGS 16u
#define SG_CLOCK_EVERY 16u

/* Sets s->now_ns, nanoseconds of CLOCK_MONOTONIC, and whether it was read for this packet. */
static SG_INLINE void sg_clock_read(struct sg_scratch *s)
{
	__u64 jiffies = bpf_jiffies64();

	if (s->jiffies != jiffies) {
		s->jiffies = jiffies;
		s->readings = 0;
		s->packets = SG_CLOCK_EVERY;
	}
	s->packets++;
	s->precise = s->readings < SG_CLOCK_READINGS || s->packets >= SG_CLOCK_EVERY;
	if (s->precise) {
		s->clock_ns = bpf_ktime_get_ns();
		s->readings++;
		s->packets = 0;
	}
	s->now_ns = s->clock_ns;
}

#endif
