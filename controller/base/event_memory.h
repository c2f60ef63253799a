/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libevent's memory. It answers most of what fails, but bufferevent_openssl_socket_new() of 2.1
 * falls when there is none for its buffers: a reserve is held for such calls.
 */
#ifndef SEGUE_EVENT_MEMORY_H
#define SEGUE_EVENT_MEMORY_H

/* Before any other use of libevent in this process. */
void event_memory_watch(void);
/*
 * Until event_memory_let_go(), what libevent allocates in this thread comes from the reserve where
 * there is nothing else, at most 4 kB. -ENOMEM: there is no reserve, and nothing to let go.
 */
int event_memory_hold(void);
void event_memory_let_go(void);

#endif
