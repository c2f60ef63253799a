// SPDX-License-Identifier: BSD-2-Clause
#include "base/acceptor.h"

#include <errno.h>
#include <event2/listener.h>
#include <string.h>

#include "base/log.h"

#define PAUSE_MS 1000u

static void resume(void *context)
{
	struct acceptor *acceptor = context;

	if (acceptor->full || timer_running(&acceptor->pause))
		return;
	/* Out of memory: a listener that nobody asks again would be deaf for good. */
	if (evconnlistener_enable(acceptor->listener))
		timer_start(acceptor->wheel, &acceptor->pause, PAUSE_MS, resume, acceptor);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		      int length, void *context)
{
	struct acceptor *acceptor = context;

	(void)listener;
	(void)length;
	acceptor->failing = false;
	acceptor->accepted(acceptor->context, fd, from);
}

static void on_error(struct evconnlistener *listener, void *context)
{
	struct acceptor *acceptor = context;

	if (!acceptor->failing)
		log_warning(acceptor->log, NULL,
			    "%s: cannot accept a connection: %s; tried each second", acceptor->name,
			    strerror(errno));
	acceptor->failing = true;
	evconnlistener_disable(listener);
	timer_start(acceptor->wheel, &acceptor->pause, PAUSE_MS, resume, acceptor);
}

int acceptor_listen(struct acceptor *acceptor, struct event_base *base, int fd, int backlog)
{
	errno = 0;
	acceptor->listener =
		evconnlistener_new(base, on_accept, acceptor,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, backlog, fd);
	if (!acceptor->listener)
		return errno ? -errno : -ENOMEM;
	evconnlistener_set_error_cb(acceptor->listener, on_error);
	return 0;
}

int acceptor_bind(struct acceptor *acceptor, struct event_base *base, const struct sockaddr *at,
		  socklen_t length, bool ipv6_only, int backlog)
{
	unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC;

	/* The kernel refuses IPV6_V6ONLY on a socket of IPv4. */
	if (ipv6_only && at->sa_family == AF_INET6)
		flags |= LEV_OPT_BIND_IPV6ONLY;
	errno = 0;
	acceptor->listener =
		evconnlistener_new_bind(base, on_accept, acceptor, flags, backlog, at, (int)length);
	if (!acceptor->listener)
		return errno ? -errno : -ENOMEM;
	evconnlistener_set_error_cb(acceptor->listener, on_error);
	return 0;
}

void acceptor_set_full(struct acceptor *acceptor, bool full)
{
	if (!acceptor->listener || acceptor->full == full)
		return;
	acceptor->full = full;
	if (full)
		evconnlistener_disable(acceptor->listener);
	else
		resume(acceptor);
}

int acceptor_fd(const struct acceptor *acceptor)
{
	return acceptor->listener ? evconnlistener_get_fd(acceptor->listener) : -1;
}

void acceptor_close(struct acceptor *acceptor)
{
	timer_stop(&acceptor->pause);
	if (acceptor->listener)
		evconnlistener_free(acceptor->listener);
	acceptor->listener = NULL;
}
