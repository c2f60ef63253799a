/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "nic_facts.h"

#define NAMESPACE_PATH_MAX 300

/* ---- netlink ------------------------------------------------------------------------------ */

/* One request, one answer, in whatever network namespace the thread is in. */
static int ask(struct nlmsghdr *request, mnl_cb_t parse, void *context)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char answer[32768];
	ssize_t length;
	int rc = -errno;

	if (!socket)
		return rc;
	request->nlmsg_seq = 1;
	rc = -EIO;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(socket, request, request->nlmsg_len) >= 0) {
		length = mnl_socket_recvfrom(socket, answer, sizeof(answer));
		if (length > 0)
			rc = mnl_cb_run(answer, (size_t)length, 1, mnl_socket_get_portid(socket),
					parse, context) < 0
				     ? -errno
				     : 0;
	}
	mnl_socket_close(socket);
	return rc;
}

static int parse_xdp(const struct nlattr *attr, void *context)
{
	struct nic_facts *out = context;
	uint16_t type = mnl_attr_get_type(attr);

	if (type == IFLA_XDP_DRV_PROG_ID)
		out->native_id = mnl_attr_get_u32(attr);
	else if (type == IFLA_XDP_SKB_PROG_ID)
		out->generic_id = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int parse_kind(const struct nlattr *attr, void *context)
{
	struct nic_facts *out = context;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		snprintf(out->kind, sizeof(out->kind), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int parse_link_attr(const struct nlattr *attr, void *context)
{
	struct nic_facts *out = context;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(out->name, sizeof(out->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_MTU:
		out->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		out->link = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		out->link_netnsid = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_XDP:
		mnl_attr_parse_nested(attr, parse_xdp, context);
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attr, parse_kind, context);
		break;
	}
	return MNL_CB_OK;
}

static int parse_link(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct nic_facts *out = context;

	out->up = (info->ifi_flags & IFF_UP) != 0;
	mnl_attr_parse(message, sizeof(*info), parse_link_attr, context);
	return MNL_CB_STOP;
}

static int read_link(uint32_t ifindex, struct nic_facts *out)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_index = (int)ifindex;
	return ask(request, parse_link, out);
}

/* ---- ethtool ------------------------------------------------------------------------------ */

static bool ethtool(int fd, const char *name, void *command)
{
	struct ifreq request = {.ifr_data = command};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", name);
	return ioctl(fd, SIOCETHTOOL, &request) == 0;
}

static uint32_t ethtool_value(int fd, const char *name, uint32_t command)
{
	struct ethtool_value value = {.cmd = command};

	return ethtool(fd, name, &value) ? value.data : 0;
}

/* The kernel's number of the feature `wanted`, and in *count how many there are; -1: none. */
static int feature_number(int fd, const char *name, const char *wanted, uint32_t *count)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t count;
	} set = {{.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES}, 0};
	struct ethtool_gstrings *strings;
	int number = -1;

	if (!ethtool(fd, name, &set) || !set.info.sset_mask || !set.count)
		return -1;
	strings = calloc(1, sizeof(*strings) + (size_t)set.count * ETH_GSTRING_LEN);
	if (!strings)
		return -1;
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_FEATURES;
	strings->len = set.count;
	if (ethtool(fd, name, strings)) {
		for (uint32_t i = 0; i < set.count && number < 0; i++) {
			if (!strncmp((const char *)strings->data + i * ETH_GSTRING_LEN, wanted,
				     ETH_GSTRING_LEN))
				number = (int)i;
		}
	}
	free(strings);
	*count = set.count;
	return number;
}

static bool has_feature(int fd, const char *name, const char *wanted)
{
	struct ethtool_gfeatures *features;
	uint32_t count = 0;
	int number = feature_number(fd, name, wanted, &count);
	bool active = false;

	if (number < 0)
		return false;
	features = calloc(1, sizeof(*features) + (count + 31) / 32 * sizeof(features->features[0]));
	if (!features)
		return false;
	features->cmd = ETHTOOL_GFEATURES;
	features->size = (count + 31) / 32;
	if (ethtool(fd, name, features))
		active = features->features[number / 32].active >> number % 32 & 1;
	free(features);
	return active;
}

static void read_queues(int fd, struct nic_facts *out)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};

	if (!ethtool(fd, out->name, &channels))
		return;
	out->queues = channels.combined_count + channels.tx_count;
	out->queues_max = channels.max_combined ? channels.max_combined : channels.max_tx;
}

static void read_offloads(struct nic_facts *out)
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t flags;

	if (fd < 0)
		return;
	if (ethtool(fd, out->name, &driver))
		snprintf(out->driver, sizeof(out->driver), "%.31s", driver.driver);
	flags = ethtool_value(fd, out->name, ETHTOOL_GFLAGS);
	out->lro = flags & ETH_FLAG_LRO;
	out->rx_vlan = flags & ETH_FLAG_RXVLAN;
	out->tx_vlan = flags & ETH_FLAG_TXVLAN;
	out->gro = ethtool_value(fd, out->name, ETHTOOL_GGRO);
	out->gro_hw = has_feature(fd, out->name, "rx-gro-hw");
	read_queues(fd, out);
	out->tx_checksum = ethtool_value(fd, out->name, ETHTOOL_GTXCSUM);
	close(fd);
}

int nic_facts_read(uint32_t ifindex, struct nic_facts *out)
{
	int rc;

	*out = (struct nic_facts){.ifindex = ifindex, .link_netnsid = -1};
	rc = read_link(ifindex, out);
	if (rc == 0)
		read_offloads(out);
	return rc;
}

/* ---- another network namespace ------------------------------------------------------------ */

static int parse_nsid_attr(const struct nlattr *attr, void *context)
{
	if (mnl_attr_get_type(attr) == NETNSA_NSID)
		*(int *)context = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int parse_nsid(const struct nlmsghdr *message, void *context)
{
	mnl_attr_parse(message, sizeof(struct rtgenmsg), parse_nsid_attr, context);
	return MNL_CB_STOP;
}

/* The number by which our namespace calls the one behind `fd`; -1: none. */
static int nsid_of(int fd)
{
	char buffer[128];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	int nsid = -1;

	request->nlmsg_type = RTM_GETNSID;
	request->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(request, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(request, NETNSA_FD, (uint32_t)fd);
	return ask(request, parse_nsid, &nsid) == 0 ? nsid : -1;
}

/*
 * Opens the namespace that ours calls `nsid`, among the entries of `folder` with `suffix` behind
 * their names; a descriptor with *path set, or -ENOENT.
 */
static int search(const char *folder, const char *suffix, int nsid, char path[NAMESPACE_PATH_MAX])
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int found = -ENOENT;

	if (!dir)
		return -ENOENT;
	while (found < 0 && (entry = readdir(dir))) {
		int fd;

		if (entry->d_name[0] == '.' ||
		    (*suffix && (entry->d_name[0] < '0' || entry->d_name[0] > '9')))
			continue;
		snprintf(path, NAMESPACE_PATH_MAX, "%.20s/%.255s%.10s", folder, entry->d_name,
			 suffix);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (nsid_of(fd) == nsid)
			found = fd;
		else
			close(fd);
	}
	closedir(dir);
	return found;
}

static int read_in_namespace(int namespace, uint32_t ifindex, struct nic_facts *out)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int rc = -EPERM;

	if (home >= 0 && setns(namespace, CLONE_NEWNET) == 0) {
		rc = nic_facts_read(ifindex, out);
		/* Nothing of ours may go on in a namespace that it does not know of. */
		if (setns(home, CLONE_NEWNET) < 0)
			rc = -EIO;
	}
	if (home >= 0)
		close(home);
	return rc;
}

int nic_facts_read_peer(const struct nic_facts *nic, struct nic_facts *out)
{
	char path[NAMESPACE_PATH_MAX];
	int fd, rc;

	if (!nic->link)
		return -ENOENT;
	if (nic->link_netnsid < 0)
		return nic_facts_read(nic->link, out);
	fd = search("/run/netns", "", nic->link_netnsid, path);
	if (fd < 0)
		fd = search("/proc", "/ns/net", nic->link_netnsid, path);
	if (fd < 0)
		return fd;
	rc = read_in_namespace(fd, nic->link, out);
	snprintf(out->namespace, sizeof(out->namespace), "%.63s", path);
	close(fd);
	return rc;
}
