/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel says of a network interface, for the doctor: netlink and ethtool, read only. */
#ifndef SEGUE_TOOL_NIC_FACTS_H
#define SEGUE_TOOL_NIC_FACTS_H

#include <stdbool.h>
#include <stdint.h>

struct nic_facts {
	uint32_t ifindex;
	char name[16];
	char kind[16];	 /* "veth", "vlan" ...; "" for hardware */
	char driver[32]; /* "" if unknown */
	uint32_t mtu;
	bool up;
	uint32_t native_id, generic_id; /* XDP programs, 0 = none */
	uint32_t link;			/* IFLA_LINK: a veth's peer; 0 = none */
	int link_netnsid;		/* namespace of `link` as seen from here; -1 = ours */
	bool gro, gro_hw, lro, rx_vlan, tx_vlan, tx_checksum;
	uint32_t queues, queues_max; /* that send; 0 = the driver does not say */
	char namespace[64];	     /* path of the network namespace it is in; "" for ours */
};

/* Of this network namespace. 0, -ENODEV, or another negative errno. */
int nic_facts_read(uint32_t ifindex, struct nic_facts *out);
/*
 * Of a veth's other end, also in another network namespace if a process or /run/netns holds it;
 * out->namespace says which. -ENOENT: no such namespace can be seen from here; -EPERM: no right to
 * look.
 */
int nic_facts_read_peer(const struct nic_facts *nic, struct nic_facts *out);

#endif
