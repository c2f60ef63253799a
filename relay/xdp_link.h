/* SPDX-License-Identifier: BSD-2-Clause */
/* Network devices with what XDP programs they run, asked anew from the kernel by each call. */
#ifndef SG_RELAY_XDP_LINK_H
#define SG_RELAY_XDP_LINK_H

#include <stdbool.h>
#include <stdint.h>

struct sg_xdp_link {
	char name[16];
	uint32_t ifindex;
	uint32_t mtu;
	bool up;	  /* administratively */
	bool generic;	  /* the program runs in generic (skb) mode */
	uint32_t prog_id; /* 0 = none */
};

/* -ENODEV: no such device. */
int sg_xdp_link_get(const char *name, struct sg_xdp_link *out);
/*
 * All devices of the namespace: *out is allocated, the caller frees it. Returns how many.
 */
int sg_xdp_link_all(struct sg_xdp_link **out);
/* The driver's name, "" if the device does not say. */
void sg_xdp_link_driver(const char *name, char out[32]);

#endif
