// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Passes every packet. A veth takes in what its peer redirects to it only when it has an XDP
 * program of its own (or GRO): this is that program.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
