/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the relay asks the kernel about links, routes and neighbours (rtnetlink), and the monitor
 * that says when an answer may have changed.
 *
 * Addresses are 16 bytes in network byte order, IPv4 v4-mapped. Calls return 0 or a negative errno
 * and need no lock: each asks the kernel anew and keeps nothing.
 */
#ifndef SG_RELAY_NETLINK_H
#define SG_RELAY_NETLINK_H

#include <segue/relay.h>

#define SG_LINK_NAME_LEN                                                                           \
	16 /* IFNAMSIZ, whose header comes in two versions that exclude each other */

struct sg_netlink;

/* What the kernel would do with a packet. */
struct sg_route {
	uint32_t ifindex;    /* the device that the route names */
	uint32_t mtu;	     /* the route's own, 0 = the device's */
	uint8_t type;	     /* RTN_UNICAST, RTN_LOCAL ... */
	uint8_t gateway[16]; /* whose MAC address is needed: the party itself when on link */
};

struct sg_link {
	uint32_t ifindex;
	char name[SG_LINK_NAME_LEN];
	uint32_t mtu;
	uint32_t lower; /* IFLA_LINK: of a VLAN device, the NIC below it */
	bool ethernet;
	bool running; /* up, and its carrier too */
	bool vlan;
	uint16_t vlan_id;
	uint16_t vlan_protocol; /* ETH_P_8021Q or ETH_P_8021AD, host order */
	uint8_t mac[6];
	bool xdp_generic; /* an XDP program is attached in generic mode */
};

struct sg_neighbour {
	uint8_t mac[6];
	uint16_t state; /* NUD_*, 0 = the kernel knows nobody of this address */
	uint8_t flags;	/* NTF_* */
	bool managed;	/* NTF_EXT_MANAGED: the kernel keeps it fresh */
};

/* The handle's request socket, opened at first use; NULL with err. Closed by sg_netlink_close(). */
struct sg_netlink *sg_netlink_of(struct sg_relay *relay, struct sg_error *err);
void sg_netlink_close(struct sg_netlink *netlink); /* NULL is fine */

/*
 * From `local`, NULL for any. Without a route, or if `local` is no IPv4 address of ours: what the
 * kernel says, such as -ENETUNREACH or -EINVAL.
 */
int sg_netlink_route(struct sg_netlink *netlink, const uint8_t local[16], const uint8_t remote[16],
		     struct sg_route *out);
/* -ENODEV: no such link. */
int sg_netlink_link(struct sg_netlink *netlink, uint32_t ifindex, struct sg_link *out);
/* No such neighbour is no error: out->state is then 0. */
int sg_netlink_neighbour(struct sg_netlink *netlink, uint32_t ifindex, const uint8_t addr[16],
			 struct sg_neighbour *out);
/*
 * Has the kernel resolve the neighbour, and keep it resolved if `managed` (where it can, from 5.16
 * on); without `managed` it forgets to. Never for permanent neighbours: it would end that state.
 */
int sg_netlink_use(struct sg_netlink *netlink, uint32_t ifindex, const uint8_t addr[16],
		   bool managed);
/* Can packets be sent to it now? */
bool sg_neighbour_usable(const struct sg_neighbour *neighbour);
/* Is its state fixed, so that there is nothing to resolve or to keep fresh? */
bool sg_neighbour_fixed(const struct sg_neighbour *neighbour);

/* ---- the monitor ---------------------------------------------------------------------------- */

enum sg_change_kind {
	SG_CHANGE_LINK,	     /* appeared or changed: ifindex, name */
	SG_CHANGE_LINK_GONE, /* ifindex, name */
	SG_CHANGE_NEIGHBOUR, /* ifindex, addr */
	SG_CHANGE_ROUTE,     /* a route or an address of ours came, went or changed */
};

/* A hint that something changed; what it is now must be asked. */
struct sg_change {
	enum sg_change_kind kind;
	uint32_t ifindex;
	char name[SG_LINK_NAME_LEN];
	uint8_t addr[16];
};

typedef void sg_change_fn(const struct sg_change *change, void *context);

struct sg_monitor;

int sg_monitor_open(struct sg_monitor **out, struct sg_error *err);
int sg_monitor_fd(const struct sg_monitor *monitor);
/* Delivers what has come, without waiting. -ENOBUFS: changes were lost, so ask for everything. */
int sg_monitor_read(struct sg_monitor *monitor, sg_change_fn *fn, void *context);
void sg_monitor_close(struct sg_monitor *monitor);

#endif
