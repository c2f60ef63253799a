/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The program of every device map entry. Loaded by relay/, since `ip link` cannot fill device maps.
 */
#include "egress.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("xdp/devmap")
int segue_egress(struct xdp_md *xdp)
{
	return sg_egress(xdp, xdp->egress_ifindex);
}
