/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A listening socket that accepts connections. When file descriptors or memory run out it pauses
 * for a second, since asking again at once would only burn the processor, and says so once.
 */
#ifndef SEGUE_ACCEPTOR_H
#define SEGUE_ACCEPTOR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/timer.h"

struct event_base;
struct evconnlistener;
struct log;

/* The file descriptor is the callee's. */
typedef void acceptor_fn(void *context, int fd, const struct sockaddr *from);

/* The first five are set before it is opened, the others are zero. */
struct acceptor {
	const char *name; /* what the log calls it */
	struct wheel *wheel;
	struct log *log;
	acceptor_fn *accepted;
	void *context;

	struct evconnlistener *listener; /* NULL: not open */
	struct timer pause;		 /* accepting goes on when it fires */
	bool failing;			 /* nothing was accepted since, and that was said */
	bool full;
};

/* Takes a bound socket. 0, or a negative errno: the socket is still the caller's. */
int acceptor_listen(struct acceptor *acceptor, struct event_base *base, int fd, int backlog);
/* Makes a socket and binds it; an IPv6 one may leave IPv4 to others. 0 or a negative errno. */
int acceptor_bind(struct acceptor *acceptor, struct event_base *base, const struct sockaddr *at,
		  socklen_t length, bool ipv6_only, int backlog);
/* While it is full, who comes waits in the kernel. Does nothing when it is closed. */
void acceptor_set_full(struct acceptor *acceptor, bool full);
/* One that is not open has -1. */
int acceptor_fd(const struct acceptor *acceptor);
void acceptor_close(struct acceptor *acceptor);

#endif
