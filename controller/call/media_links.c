// SPDX-License-Identifier: BSD-2-Clause
#include "call/media_links.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SETTLE_MS 20u	/* one change of a link is several messages */
#define MOST_AT_ONCE 64 /* messages read before the loop gets its turn */

struct media_links {
	struct wheel *wheel;
	struct event *event;
	int fd;
	struct timer settle;
	timer_fn *fn;
	void *context;
};

/* What a message says is not read: it is looked up, so nothing is lost when the socket overran. */
static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct media_links *links = context;
	char text[8192];

	(void)what;
	for (int i = 0; i < MOST_AT_ONCE; i++) {
		if (recv(fd, text, sizeof(text), MSG_DONTWAIT) < 0 && errno != ENOBUFS)
			break;
		if (!timer_running(&links->settle))
			timer_start(links->wheel, &links->settle, SETTLE_MS, links->fn,
				    links->context);
	}
}

static int open_socket(struct media_links *links)
{
	const struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};

	links->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (links->fd < 0 ||
	    bind(links->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

int media_links_alloc(struct media_links **out, struct event_base *base, struct wheel *wheel,
		      timer_fn *fn, void *context, struct error *err)
{
	struct media_links *links = calloc(1, sizeof(*links));
	int ret;

	if (!links)
		return error_set(err, -ENOMEM, "no memory to follow addresses with");
	links->wheel = wheel;
	links->fn = fn;
	links->context = context;
	ret = open_socket(links);
	if (!ret) {
		links->event = event_new(base, links->fd, EV_READ | EV_PERSIST, on_readable, links);
		ret = links->event && !event_add(links->event, NULL) ? 0 : -ENOMEM;
	}
	if (ret) {
		media_links_free(links);
		return error_set(err, ret, "following addresses by netlink: %s", strerror(-ret));
	}
	*out = links;
	return 0;
}

void media_links_free(struct media_links *links)
{
	if (!links)
		return;
	timer_stop(&links->settle);
	if (links->event)
		event_free(links->event);
	if (links->fd >= 0)
		close(links->fd);
	free(links);
}
