/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One RTM_GETLINK request for each call, rather than libbpf's bpf_xdp_query(), which dumps every
 * device of the machine to answer about one.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "xdp_link.h"

#define REPLY_BYTES 32768

struct collection {
	struct sg_xdp_link *links;
	size_t count, room;
};

/* ---- one reply ------------------------------------------------------------------------------ */

/* A NIC may run a native and an offloaded program at once; ours are native or generic. */
static int read_xdp(const struct nlattr *attr, void *data)
{
	struct sg_xdp_link *link = data;
	unsigned type = mnl_attr_get_type(attr);

	if (type == IFLA_XDP_SKB_PROG_ID)
		link->generic = true;
	if (type == IFLA_XDP_SKB_PROG_ID || type == IFLA_XDP_DRV_PROG_ID ||
	    (type == IFLA_XDP_HW_PROG_ID && !link->prog_id))
		link->prog_id = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int read_attr(const struct nlattr *attr, void *data)
{
	struct sg_xdp_link *link = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_XDP:
		return mnl_attr_parse_nested(attr, read_xdp, link);
	}
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct collection *all = data;
	struct sg_xdp_link *link;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	if (all->count == all->room) {
		size_t room = all->room ? 2 * all->room : 16;
		void *bigger = reallocarray(all->links, room, sizeof(*all->links));

		if (!bigger)
			return MNL_CB_ERROR;
		all->links = bigger;
		all->room = room;
	}
	link = &all->links[all->count++];
	memset(link, 0, sizeof(*link));
	link->ifindex = (uint32_t)info->ifi_index;
	link->up = info->ifi_flags & IFF_UP;
	return mnl_attr_parse(message, sizeof(*info), read_attr, link);
}

/* ---- asking --------------------------------------------------------------------------------- */

static int receive(struct mnl_socket *socket, uint32_t seq, struct collection *all)
{
	char *buffer = malloc(REPLY_BYTES);
	int ret = buffer ? MNL_CB_OK : -ENOMEM;

	while (ret == MNL_CB_OK) {
		ssize_t len = mnl_socket_recvfrom(socket, buffer, REPLY_BYTES);

		if (len < 0) {
			ret = -errno;
			break;
		}
		ret = mnl_cb_run(buffer, (size_t)len, seq, mnl_socket_get_portid(socket), read_link,
				 all);
		if (ret < 0)
			ret = -errno;
	}
	free(buffer);
	return ret;
}

/* `name` NULL: all devices. Both kinds of request end with a message of their own (DONE, ACK). */
static int ask(const char *name, struct collection *all)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	uint32_t seq = (uint32_t)time(NULL);
	int ret;

	if (!socket)
		return -errno;
	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (name ? NLM_F_ACK : NLM_F_DUMP));
	request->nlmsg_seq = seq;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (name)
		mnl_attr_put_strz(request, IFLA_IFNAME, name);
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		ret = -errno;
	else
		ret = receive(socket, seq, all);
	mnl_socket_close(socket);
	return ret;
}

int sg_xdp_link_get(const char *name, struct sg_xdp_link *out)
{
	struct collection found = {0};
	int ret;

	/* A longer name is no device's, and the kernel would answer ERANGE. */
	if (!name[0] || strlen(name) >= sizeof(out->name))
		return -ENODEV;
	ret = ask(name, &found);
	if (ret == 0 && found.count == 0)
		ret = -ENODEV;
	if (ret == 0)
		*out = found.links[0];
	free(found.links);
	return ret;
}

int sg_xdp_link_all(struct sg_xdp_link **out)
{
	struct collection found = {0};
	int ret = ask(NULL, &found);

	if (ret < 0) {
		free(found.links);
		return ret;
	}
	*out = found.links;
	return (int)found.count;
}

void sg_xdp_link_driver(const char *name, char out[32])
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {.ifr_data = (char *)&info};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	out[0] = '\0';
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0)
		snprintf(out, 32, "%s", info.driver);
	if (fd >= 0)
		close(fd);
}
