/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to rtnetlink, one at a time, and the monitor of its notifications. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "internal.h"
#include "netlink.h"

#define REQUEST_BYTES 512
#define REPLY_BYTES 32768
#define MONITOR_BYTES (4 * 1024 * 1024) /* some 10 000 notifications before the kernel gives up */

struct sg_netlink {
	struct mnl_socket *socket;
	unsigned port;
	unsigned sequence;
	_Alignas(struct nlmsghdr) char reply[REPLY_BYTES];
};

struct sg_monitor {
	struct mnl_socket *socket;
	sg_change_fn *fn;
	void *context;
	_Alignas(struct nlmsghdr) char buffer[REPLY_BYTES];
};

/* A request under construction. */
union request {
	struct nlmsghdr header;
	char bytes[REQUEST_BYTES];
};

/* ---- the request socket --------------------------------------------------------------------- */

struct sg_netlink *sg_netlink_of(struct sg_relay *relay, struct sg_error *err)
{
	struct sg_netlink *netlink = relay->netlink;

	if (netlink)
		return netlink;
	netlink = calloc(1, sizeof(*netlink));
	if (!netlink) {
		sg_fail(err, -ENOMEM, "no memory for a netlink socket");
		return NULL;
	}
	netlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!netlink->socket || mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		sg_fail(err, -errno, "netlink socket: %s", strerror(errno));
		sg_netlink_close(netlink);
		return NULL;
	}
	netlink->port = mnl_socket_get_portid(netlink->socket);
	relay->netlink = netlink;
	return netlink;
}

void sg_netlink_close(struct sg_netlink *netlink)
{
	if (!netlink)
		return;
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	free(netlink);
}

static void request_begin(union request *request, uint16_t type, uint16_t flags)
{
	memset(request, 0, sizeof(*request));
	mnl_nlmsg_put_header(request);
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
}

/*
 * Sends one request and hands its one answer to `fn`. An answer to an earlier request whose
 * reading was broken off has another sequence number and is passed over.
 */
static int ask(struct sg_netlink *netlink, union request *request, mnl_cb_t fn, void *out)
{
	struct nlmsghdr *header = &request->header;

	header->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->socket, header, header->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t got = mnl_socket_recvfrom(netlink->socket, netlink->reply, REPLY_BYTES);

		if (got < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (got < 0)
			return -errno;
		if (((struct nlmsghdr *)netlink->reply)->nlmsg_seq != netlink->sequence)
			continue;
		return mnl_cb_run(netlink->reply, (size_t)got, netlink->sequence, netlink->port, fn,
				  out) < 0
			       ? -errno
			       : 0;
	}
}

/* ---- attributes --------------------------------------------------------------------------------
 */

#define ATTRIBUTES 64

/* Attributes of one message or nest, by type; NULL where absent. */
struct attributes {
	const struct nlattr *at[ATTRIBUTES];
};

static int keep_attribute(const struct nlattr *attr, void *context)
{
	struct attributes *attributes = context;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < ATTRIBUTES)
		attributes->at[type] = attr;
	return MNL_CB_OK;
}

static void parse_message(struct attributes *out, const struct nlmsghdr *header, size_t offset)
{
	memset(out, 0, sizeof(*out));
	mnl_attr_parse(header, (unsigned)offset, keep_attribute, out);
}

static void parse_nest(struct attributes *out, const struct nlattr *nest)
{
	memset(out, 0, sizeof(*out));
	mnl_attr_parse_nested(nest, keep_attribute, out);
}

static uint32_t attr_u32(const struct attributes *attributes, unsigned type)
{
	return attributes->at[type] ? mnl_attr_get_u32(attributes->at[type]) : 0;
}

static void attr_mac(uint8_t out[6], const struct nlattr *attr)
{
	if (attr && mnl_attr_get_payload_len(attr) == 6)
		memcpy(out, mnl_attr_get_payload(attr), 6);
}

/* ---- addresses in attributes ---------------------------------------------------------------- */

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static uint8_t family_of(const uint8_t addr[16])
{
	return memcmp(addr, v4_mapped, sizeof(v4_mapped)) ? AF_INET6 : AF_INET;
}

static void put_addr(struct nlmsghdr *header, uint16_t type, const uint8_t addr[16])
{
	if (family_of(addr) == AF_INET)
		mnl_attr_put(header, type, 4, addr + 12);
	else
		mnl_attr_put(header, type, 16, addr);
}

/* False if the bytes are no address of that family. */
static bool addr_from(uint8_t out[16], unsigned family, const void *bytes, size_t length)
{
	if (family == AF_INET && length >= 4) {
		memcpy(out, v4_mapped, sizeof(v4_mapped));
		memcpy(out + 12, bytes, 4);
		return true;
	}
	if (family == AF_INET6 && length >= 16) {
		memcpy(out, bytes, 16);
		return true;
	}
	return false;
}

static bool addr_of_attr(uint8_t out[16], unsigned family, const struct nlattr *attr)
{
	return addr_from(out, family, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
}

/* ---- routes --------------------------------------------------------------------------------- */

static uint32_t metrics_mtu(const struct nlattr *metrics)
{
	struct attributes attributes;

	parse_nest(&attributes, metrics);
	return attr_u32(&attributes, RTAX_MTU);
}

/*
 * A path MTU that the kernel learned from ICMP for one destination shows up as the route's, but
 * expires; of the route itself, and of others that leave the same way, it says nothing.
 */
static bool is_learned(const struct rtmsg *rtm, const struct nlattr *attr)
{
	const struct rta_cacheinfo *cache = attr ? mnl_attr_get_payload(attr) : NULL;

	return (rtm->rtm_flags & RTM_F_CLONED) && cache && cache->rta_expires != 0;
}

/* RTA_VIA: a gateway of another family than the route's (RFC 8950). */
static bool addr_of_via(uint8_t out[16], const struct nlattr *attr)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);
	size_t length = mnl_attr_get_payload_len(attr);

	if (length < sizeof(*via))
		return false;
	return addr_from(out, via->rtvia_family, via->rtvia_addr, length - sizeof(*via));
}

static int on_route(const struct nlmsghdr *header, void *context)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(header);
	struct sg_route *out = context;
	struct attributes attributes;

	if (header->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	parse_message(&attributes, header, sizeof(*rtm));
	out->type = rtm->rtm_type;
	out->ifindex = attr_u32(&attributes, RTA_OIF);
	if (attributes.at[RTA_GATEWAY])
		addr_of_attr(out->gateway, rtm->rtm_family, attributes.at[RTA_GATEWAY]);
	if (attributes.at[RTA_VIA])
		addr_of_via(out->gateway, attributes.at[RTA_VIA]);
	if (attributes.at[RTA_METRICS] && !is_learned(rtm, attributes.at[RTA_CACHEINFO]))
		out->mtu = metrics_mtu(attributes.at[RTA_METRICS]);
	return MNL_CB_OK;
}

int sg_netlink_route(struct sg_netlink *netlink, const uint8_t local[16], const uint8_t remote[16],
		     struct sg_route *out)
{
	union request request;
	struct rtmsg *rtm;
	int error;

	request_begin(&request, RTM_GETROUTE, 0);
	rtm = mnl_nlmsg_put_extra_header(&request.header, sizeof(*rtm));
	rtm->rtm_family = family_of(remote);
	rtm->rtm_dst_len = rtm->rtm_family == AF_INET ? 32 : 128;
	put_addr(&request.header, RTA_DST, remote);
	if (local) {
		rtm->rtm_src_len = rtm->rtm_dst_len;
		put_addr(&request.header, RTA_SRC, local);
	}
	memset(out, 0, sizeof(*out));
	memcpy(out->gateway, remote, 16);
	error = ask(netlink, &request, on_route, out);
	if (error)
		return error;
	return out->ifindex ? 0 : -ENETUNREACH;
}

/* ---- links ---------------------------------------------------------------------------------- */

static void parse_vlan(struct sg_link *out, const struct nlattr *info)
{
	struct attributes attributes, data;
	const struct nlattr *kind;

	parse_nest(&attributes, info);
	kind = attributes.at[IFLA_INFO_KIND];
	if (!kind || strcmp(mnl_attr_get_str(kind), "vlan") || !attributes.at[IFLA_INFO_DATA])
		return;
	parse_nest(&data, attributes.at[IFLA_INFO_DATA]);
	out->vlan = true;
	out->vlan_protocol = ETH_P_8021Q;
	if (data.at[IFLA_VLAN_ID])
		out->vlan_id = mnl_attr_get_u16(data.at[IFLA_VLAN_ID]);
	if (data.at[IFLA_VLAN_PROTOCOL])
		out->vlan_protocol = ntohs(mnl_attr_get_u16(data.at[IFLA_VLAN_PROTOCOL]));
}

static bool parse_xdp_generic(const struct nlattr *xdp)
{
	struct attributes attributes;

	parse_nest(&attributes, xdp);
	if (attributes.at[IFLA_XDP_SKB_PROG_ID])
		return true;
	return attributes.at[IFLA_XDP_ATTACHED] &&
	       mnl_attr_get_u8(attributes.at[IFLA_XDP_ATTACHED]) == XDP_ATTACHED_SKB;
}

static void parse_link(const struct nlmsghdr *header, struct sg_link *out)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(header);
	struct attributes attributes;

	parse_message(&attributes, header, sizeof(*ifi));
	memset(out, 0, sizeof(*out));
	out->ifindex = (uint32_t)ifi->ifi_index;
	out->ethernet = ifi->ifi_type == ARPHRD_ETHER;
	/* Not IFF_RUNNING: the kernel sets that up to a second after the carrier came. */
	out->running =
		(ifi->ifi_flags & (IFF_UP | IFF_LOWER_UP | IFF_DORMANT)) == (IFF_UP | IFF_LOWER_UP);
	out->mtu = attr_u32(&attributes, IFLA_MTU);
	out->lower = attr_u32(&attributes, IFLA_LINK);
	attr_mac(out->mac, attributes.at[IFLA_ADDRESS]);
	if (attributes.at[IFLA_IFNAME])
		strncpy(out->name, mnl_attr_get_str(attributes.at[IFLA_IFNAME]),
			sizeof(out->name) - 1);
	if (attributes.at[IFLA_LINKINFO])
		parse_vlan(out, attributes.at[IFLA_LINKINFO]);
	if (attributes.at[IFLA_XDP])
		out->xdp_generic = parse_xdp_generic(attributes.at[IFLA_XDP]);
}

static int on_link(const struct nlmsghdr *header, void *context)
{
	if (header->nlmsg_type == RTM_NEWLINK)
		parse_link(header, context);
	return MNL_CB_OK;
}

int sg_netlink_link(struct sg_netlink *netlink, uint32_t ifindex, struct sg_link *out)
{
	union request request;
	struct ifinfomsg *ifi;
	int error;

	request_begin(&request, RTM_GETLINK, 0);
	ifi = mnl_nlmsg_put_extra_header(&request.header, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	mnl_attr_put_u32(&request.header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	memset(out, 0, sizeof(*out));
	error = ask(netlink, &request, on_link, out);
	if (error)
		return error;
	return out->ifindex == ifindex ? 0 : -ENODEV;
}

/* ---- neighbours ----------------------------------------------------------------------------- */

static int on_neighbour(const struct nlmsghdr *header, void *context)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(header);
	struct sg_neighbour *out = context;
	struct attributes attributes;

	if (header->nlmsg_type != RTM_NEWNEIGH)
		return MNL_CB_OK;
	parse_message(&attributes, header, sizeof(*ndm));
	out->state = ndm->ndm_state;
	out->flags = ndm->ndm_flags;
	out->managed = (attr_u32(&attributes, NDA_FLAGS_EXT) & NTF_EXT_MANAGED) != 0;
	attr_mac(out->mac, attributes.at[NDA_LLADDR]);
	return MNL_CB_OK;
}

int sg_netlink_neighbour(struct sg_netlink *netlink, uint32_t ifindex, const uint8_t addr[16],
			 struct sg_neighbour *out)
{
	union request request;
	struct ndmsg *ndm;
	int error;

	request_begin(&request, RTM_GETNEIGH, 0);
	ndm = mnl_nlmsg_put_extra_header(&request.header, sizeof(*ndm));
	ndm->ndm_family = family_of(addr);
	ndm->ndm_ifindex = (int)ifindex;
	put_addr(&request.header, NDA_DST, addr);
	memset(out, 0, sizeof(*out));
	error = ask(netlink, &request, on_neighbour, out);
	return error == -ENOENT ? 0 : error;
}

static int use_with(struct sg_netlink *netlink, uint32_t ifindex, const uint8_t addr[16],
		    uint32_t extended)
{
	union request request;
	struct ndmsg *ndm;

	request_begin(&request, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
	ndm = mnl_nlmsg_put_extra_header(&request.header, sizeof(*ndm));
	ndm->ndm_family = family_of(addr);
	ndm->ndm_ifindex = (int)ifindex;
	ndm->ndm_flags = NTF_USE;
	put_addr(&request.header, NDA_DST, addr);
	if (extended)
		mnl_attr_put_u32(&request.header, NDA_FLAGS_EXT, extended);
	return ask(netlink, &request, NULL, NULL);
}

int sg_netlink_use(struct sg_netlink *netlink, uint32_t ifindex, const uint8_t addr[16],
		   bool managed)
{
	int error = use_with(netlink, ifindex, addr, managed ? NTF_EXT_MANAGED : 0);

	if (managed && error == -EINVAL)
		error = use_with(netlink, ifindex, addr, 0);
	return error;
}

bool sg_neighbour_usable(const struct sg_neighbour *neighbour)
{
	static const uint8_t zero[6];
	const uint16_t valid =
		NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;

	return (neighbour->state & valid) && memcmp(neighbour->mac, zero, sizeof(zero)) != 0;
}

bool sg_neighbour_fixed(const struct sg_neighbour *neighbour)
{
	return (neighbour->state & (NUD_PERMANENT | NUD_NOARP)) != 0;
}

/* ---- the monitor ---------------------------------------------------------------------------- */

static int join_groups(struct mnl_socket *socket)
{
	static const int groups[] = {RTNLGRP_LINK,	  RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR,
				     RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
				     RTNLGRP_IPV4_RULE,	  RTNLGRP_IPV6_RULE,  RTNLGRP_NEXTHOP};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
		    0)
			return -errno;
	}
	return 0;
}

int sg_monitor_open(struct sg_monitor **out, struct sg_error *err)
{
	struct sg_monitor *monitor = calloc(1, sizeof(*monitor));
	int size = MONITOR_BYTES, error;

	if (!monitor)
		return sg_fail(err, -ENOMEM, "no memory for the netlink monitor");
	monitor->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!monitor->socket || mnl_socket_bind(monitor->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		error = -errno;
		sg_monitor_close(monitor);
		return sg_fail(err, error, "netlink monitor: %s", strerror(-error));
	}
	/* Without CAP_NET_ADMIN the buffer stays small: overruns are then more frequent. */
	setsockopt(mnl_socket_get_fd(monitor->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		   sizeof(size));
	error = join_groups(monitor->socket);
	if (error) {
		sg_monitor_close(monitor);
		return sg_fail(err, error, "netlink monitor: groups: %s", strerror(-error));
	}
	*out = monitor;
	return 0;
}

int sg_monitor_fd(const struct sg_monitor *monitor)
{
	return mnl_socket_get_fd(monitor->socket);
}

void sg_monitor_close(struct sg_monitor *monitor)
{
	if (!monitor)
		return;
	if (monitor->socket)
		mnl_socket_close(monitor->socket);
	free(monitor);
}

/* False if the notification names no neighbour of an IP address (a bridge's, say). */
static bool neighbour_change(const struct nlmsghdr *header, struct sg_change *change)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(header);
	struct attributes attributes;

	parse_message(&attributes, header, sizeof(*ndm));
	change->kind = SG_CHANGE_NEIGHBOUR;
	change->ifindex = (uint32_t)ndm->ndm_ifindex;
	return attributes.at[NDA_DST] &&
	       addr_of_attr(change->addr, ndm->ndm_family, attributes.at[NDA_DST]);
}

static void link_change(const struct nlmsghdr *header, struct sg_change *change)
{
	struct sg_link link;

	parse_link(header, &link);
	change->kind = header->nlmsg_type == RTM_DELLINK ? SG_CHANGE_LINK_GONE : SG_CHANGE_LINK;
	change->ifindex = link.ifindex;
	memcpy(change->name, link.name, sizeof(change->name));
}

/* Bridges report their ports with RTM_*LINK of family AF_BRIDGE: a port leaving is no link gone. */
static bool is_bridge_port(const struct nlmsghdr *header)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(header);

	return ifi->ifi_family == AF_BRIDGE;
}

static int on_change(const struct nlmsghdr *header, void *context)
{
	struct sg_monitor *monitor = context;
	struct sg_change change = {.kind = SG_CHANGE_ROUTE};

	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (is_bridge_port(header))
			return MNL_CB_OK;
		link_change(header, &change);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		if (!neighbour_change(header, &change))
			return MNL_CB_OK;
		break;
	}
	monitor->fn(&change, monitor->context);
	return MNL_CB_OK;
}

int sg_monitor_read(struct sg_monitor *monitor, sg_change_fn *fn, void *context)
{
	monitor->fn = fn;
	monitor->context = context;
	for (;;) {
		ssize_t got = mnl_socket_recvfrom(monitor->socket, monitor->buffer, REPLY_BYTES);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		mnl_cb_run(monitor->buffer, (size_t)got, 0, 0, on_change, monitor);
	}
}
