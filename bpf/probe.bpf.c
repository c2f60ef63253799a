/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The experiment of relay/probe.c: one frame is copied to two entries of one device, and each
 * copy's egress program writes a byte of its own. Where the kernel lets generic-mode copies share
 * their bytes, both arrive with the byte that was written last.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PROBE_ETHERTYPE 0x88B5 /* IEEE 802: for local experiments */

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} probe_devices SEC(".maps");

SEC("xdp")
int probe_copy(struct xdp_md *xdp)
{
	const struct ethhdr *eth = (const void *)(long)xdp->data;

	if ((const void *)(eth + 1) > (const void *)(long)xdp->data_end ||
	    eth->h_proto != bpf_htons(PROBE_ETHERTYPE))
		return XDP_PASS;
	return (int)bpf_redirect_map(&probe_devices, 0, BPF_F_BROADCAST);
}

static __always_inline int mark(struct xdp_md *xdp, __u8 byte)
{
	struct ethhdr *eth = (void *)(long)xdp->data;
	__u8 *payload = (void *)(eth + 1);

	if ((void *)(payload + 1) > (void *)(long)xdp->data_end)
		return XDP_DROP;
	*payload = byte;
	return XDP_PASS;
}

SEC("xdp/devmap")
int probe_first(struct xdp_md *xdp)
{
	return mark(xdp, 1);
}

SEC("xdp/devmap")
int probe_second(struct xdp_md *xdp)
{
	return mark(xdp, 2);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
