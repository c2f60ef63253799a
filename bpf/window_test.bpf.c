/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Test only: runs the window over a batch of records given as the packet, with times of the
 * caller's choice, against side A of stream 0 with the tunables and capacity of sg_meta. Each
 * record's verdict is written back over its sequence number.
 */
#include "once.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SG_TEST_BATCH 64u
#define SG_TEST_LATE (1u << 31)

struct sg_test_record {
	__u64 now_ns;
	__u32 ssrc;
	__u32 sequence; /* in; out: enum sg_reason, SG_TEST_LATE */
};

struct sg_test_batch {
	struct xdp_md *xdp;
};

static long sg_test_one(__u32 i, struct sg_test_batch *b)
{
	struct sg_context c = {.xdp = b->xdp, .s = sg_scratch_lookup()};
	struct sg_test_record *record =
		(void *)((char *)(long)b->xdp->data + (i & (SG_TEST_BATCH - 1)) * sizeof(*record));
	__u32 zero = 0;
	__u32 verdict;
	int late = 0;

	if ((char *)(record + 1) > (char *)(long)b->xdp->data_end)
		return 1;
	c.meta = bpf_map_lookup_elem(&sg_meta_v1, &zero);
	if (!c.meta || !c.s)
		return 1;
	c.s->stream_index = 0;
	c.s->side = 0;
	c.s->ssrc = record->ssrc;
	c.s->sequence = (__u16)record->sequence;
	c.s->now_ns = record->now_ns;
	c.side = sg_stat_lookup(&c, 0, 0);
	if (!c.side)
		return 1;
	verdict = sg_once_accept(&c, &late);
	record->sequence = verdict | (late ? SG_TEST_LATE : 0);
	return 0;
}

SEC("xdp")
int window_test(struct xdp_md *xdp)
{
	struct sg_test_batch b = {.xdp = xdp};

	bpf_loop(SG_TEST_BATCH, sg_test_one, &b, 0);
	return XDP_PASS;
}
