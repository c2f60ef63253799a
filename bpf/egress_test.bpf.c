/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Test only: BPF_PROG_TEST_RUN cannot run a device map's program, so this one wraps the same
 * function. The interface that it plays is the ifindex of NIC slot 0.
 */
#include "egress.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("xdp")
int segue_egress_test(struct xdp_md *xdp)
{
	__u32 zero = 0;
	const struct sg_meta *meta = bpf_map_lookup_elem(&sg_meta_v1, &zero);

	return meta ? sg_egress(xdp, meta->nic[0]) : XDP_ABORTED;
}
