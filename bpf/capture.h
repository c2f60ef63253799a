/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Copies of the frames of streams that somebody looks at (`segue capture`): what comes to their
 * ports, as it came, and what leaves, as it leaves. Frames that XDP forwards never reach the taps
 * of the stack. Of other streams a packet costs a look at a flag in the line that it has read
 * anyway.
 */
#ifndef SEGUE_BPF_CAPTURE_H
#define SEGUE_BPF_CAPTURE_H

#include "context.h"

/* Nobody reads: the kernel says so, and the copy is not made. */
static SG_INLINE void sg_capture_copy(const struct sg_context *c, __u32 ifindex, __u32 direction)
{
	const char *data = (const char *)(long)c->xdp->data;
	__u64 length = (__u64)((const char *)(long)c->xdp->data_end - data);
	struct sg_capture_head head = {
		.time_ns = bpf_ktime_get_ns(),
		.stream = c->s->stream_index,
		.ifindex = ifindex,
		.length = (__u32)length,
		.direction = (__u8)direction,
	};

	bpf_perf_event_output(c->xdp, &sg_capture_v1, BPF_F_CURRENT_CPU | (length & 0xffffu) << 32,
			      &head, sizeof(head));
}

static SG_INLINE bool sg_captured(const struct sg_context *c)
{
	return c->stream->flags & SG_STREAM_CAPTURE;
}

static SG_INLINE void sg_capture_in(const struct sg_context *c)
{
	if (sg_captured(c))
		sg_capture_copy(c, c->xdp->ingress_ifindex, SG_CAPTURE_IN);
}

static SG_INLINE void sg_capture_out(const struct sg_context *c, __u32 ifindex)
{
	if (sg_captured(c))
		sg_capture_copy(c, ifindex, SG_CAPTURE_OUT);
}

#endif
