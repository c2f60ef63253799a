// SPDX-License-Identifier: BSD-2-Clause
#include "follow.h"

#include <errno.h>
#include <event2/event.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "move.h"
#include "registration.h"
#include "way.h"

#define RETRY_MS 200u /* while another move is under way */

struct state {
	int index; /* of the interface that has, or had, the address; 0: never seen */
	bool address, carrier;
};

/* One list at a time: the kernel refuses two at once. Nothing is judged meanwhile. */
enum stage { STAGE_ADDRESSES, STAGE_LINKS, STAGE_IDLE };

struct ua_follow {
	struct ua *ua;
	struct mnl_socket *socket;
	struct event *readable;
	struct timer retry;
	unsigned sequence;
	enum stage stage;
	bool again; /* an address came whose link we do not know */
	struct state state[UA_NETWORKS];
};

static void choose(void *context);

/* ---- what follows from it -------------------------------------------------------------------- */

static struct ua_network *best(struct ua *ua)
{
	for (size_t i = 0; i < ua->networks; i++) {
		if (ua->network[i].up)
			return &ua->network[i];
	}
	return NULL;
}

static bool move_call(struct ua *ua, struct ua_network *network)
{
	const struct ua_leg *leg = ua_call_moving(ua->call);

	return !leg || leg->network == network || !ua_move_begin(ua->call, network);
}

static void move_registration(struct ua *ua, struct ua_network *network)
{
	struct ua_registration *registration = ua->registration[network->index];

	for (size_t i = 0; !registration && i < ua->networks; i++) {
		registration = ua->registration[i];
		if (!registration)
			continue;
		ua->registration[i] = NULL;
		ua->registration[network->index] = registration;
		ua_registration_move(registration, network, NULL, NULL);
	}
}

static void choose(void *context)
{
	struct ua_follow *follow = context;
	struct ua *ua = follow->ua;
	struct ua_network *network = best(ua);

	if (!network || ua->quitting || !ua->options->follow)
		return;
	if (!ua->call)
		move_registration(ua, network);
	else if (!move_call(ua, network))
		timer_start(ua->wheel, &follow->retry, RETRY_MS, choose, follow);
}

static void judge(struct ua_follow *follow, size_t i)
{
	const struct state *state = &follow->state[i];
	struct ua_network *network = &follow->ua->network[i];
	bool up = !state->index || (state->address && state->carrier);

	if (follow->stage != STAGE_IDLE || up == network->up)
		return;
	network->up = up;
	if (!up)
		ua_way_abandon(follow->ua, network);
	ua_event(follow->ua, up ? "network-up" : "network-down",
		 json_pack("{s:s}", "network", network->name));
	choose(follow);
}

/* ---- messages -------------------------------------------------------------------------------- */

static int match(const struct nlattr *attr, void *context)
{
	const struct netaddr *address = context;
	bool ipv4 = netaddr_is_ipv4(address);
	const uint8_t *bytes = ipv4 ? address->addr + 12 : address->addr;
	uint16_t type = mnl_attr_get_type(attr), length = ipv4 ? 4 : 16;

	if ((type == IFA_LOCAL || type == IFA_ADDRESS) &&
	    mnl_attr_get_payload_len(attr) == length &&
	    !memcmp(mnl_attr_get_payload(attr), bytes, length))
		return MNL_CB_STOP;
	return MNL_CB_OK;
}

/* Is the message about that address? */
static bool is_about(const struct nlmsghdr *message, const struct netaddr *address)
{
	struct netaddr copy = *address;

	return mnl_attr_parse(message, sizeof(struct ifaddrmsg), match, &copy) == MNL_CB_STOP;
}

static void take_address(struct ua_follow *follow, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	bool added = message->nlmsg_type == RTM_NEWADDR;

	for (size_t i = 0; i < follow->ua->networks; i++) {
		struct state *state = &follow->state[i];

		if (!is_about(message, &follow->ua->network[i].sip))
			continue;
		if (added && state->index != (int)header->ifa_index) {
			state->index = (int)header->ifa_index;
			follow->again = true;
		}
		state->address = added;
		if (!follow->again)
			judge(follow, i);
	}
}

static void take_link(struct ua_follow *follow, const struct nlmsghdr *message)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);

	for (size_t i = 0; i < follow->ua->networks; i++) {
		if (follow->state[i].index != header->ifi_index)
			continue;
		follow->state[i].carrier = message->nlmsg_type == RTM_NEWLINK &&
					   (header->ifi_flags & IFF_RUNNING) &&
					   (header->ifi_flags & IFF_UP);
		judge(follow, i);
	}
}

static int take(const struct nlmsghdr *message, void *context)
{
	switch (message->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
		take_address(context, message);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		take_link(context, message);
		break;
	}
	return MNL_CB_OK;
}

/* ---- the socket ------------------------------------------------------------------------------ */

static int list(struct ua_follow *follow, enum stage stage)
{
	union {
		struct nlmsghdr header;
		char bytes[64];
	} request = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(&request);
	struct rtgenmsg *family;

	message->nlmsg_type = stage == STAGE_LINKS ? RTM_GETLINK : RTM_GETADDR;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = ++follow->sequence;
	family = mnl_nlmsg_put_extra_header(message, sizeof(*family));
	family->rtgen_family = AF_UNSPEC;
	follow->stage = stage;
	return mnl_socket_sendto(follow->socket, message, message->nlmsg_len) < 0 ? -errno : 0;
}

/* Everything that is queued now. 0; 1: a list is complete; -ENOBUFS: something was lost. */
static int drain(struct ua_follow *follow)
{
	_Alignas(struct nlmsghdr) char room[16384];
	bool complete = false;
	ssize_t length;

	while ((length = recv(mnl_socket_get_fd(follow->socket), room, sizeof(room),
			      MSG_DONTWAIT)) > 0)
		complete = mnl_cb_run(room, (size_t)length, 0, 0, take, follow) == MNL_CB_STOP ||
			   complete;
	return length < 0 && errno == ENOBUFS ? -ENOBUFS : complete;
}

/* All from the beginning: what was lost is in no message to come. */
static void start_over(struct ua_follow *follow)
{
	for (size_t i = 0; i < UA_NETWORKS; i++)
		follow->state[i].address = false;
	list(follow, STAGE_ADDRESSES);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct ua_follow *follow = context;
	int complete = drain(follow);

	(void)fd;
	(void)what;
	if (complete < 0) {
		start_over(follow);
		return;
	}
	if (complete && follow->stage == STAGE_LINKS)
		follow->stage = STAGE_IDLE;
	if ((complete && follow->stage == STAGE_ADDRESSES) ||
	    (follow->again && follow->stage == STAGE_IDLE)) {
		follow->again = false;
		list(follow, STAGE_LINKS);
		return;
	}
	for (size_t i = 0; i < follow->ua->networks; i++)
		judge(follow, i);
}

int ua_follow_open(struct ua_follow **out, struct ua *ua, struct error *err)
{
	struct ua_follow *follow = calloc(1, sizeof(*follow));
	const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
	int ret = -ENOMEM;

	if (!follow)
		return error_set(err, -ENOMEM, "no memory to follow the networks");
	follow->ua = ua;
	follow->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!follow->socket || mnl_socket_bind(follow->socket, groups, MNL_SOCKET_AUTOPID) < 0) {
		ret = -errno;
		goto fail;
	}
	follow->readable = event_new(ua->base, mnl_socket_get_fd(follow->socket),
				     EV_READ | EV_PERSIST, on_readable, follow);
	if (!follow->readable || event_add(follow->readable, NULL))
		goto fail;
	ret = list(follow, STAGE_ADDRESSES);
	if (ret)
		goto fail;
	*out = follow;
	return 0;
fail:
	ua_follow_close(follow);
	return error_set(err, ret, "cannot follow the networks by netlink: %s", strerror(-ret));
}

void ua_follow_close(struct ua_follow *follow)
{
	if (!follow)
		return;
	timer_stop(&follow->retry);
	if (follow->readable)
		event_free(follow->readable);
	if (follow->socket)
		mnl_socket_close(follow->socket);
	free(follow);
}
