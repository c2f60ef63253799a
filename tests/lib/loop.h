/* SPDX-License-Identifier: BSD-2-Clause */
/* What the test programs wait for beside packets: signals, and commands through a FIFO. */
#ifndef TEST_LOOP_H
#define TEST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* epoll_wait tells `number` when `fd` is readable. False if that, or opening fd, failed. */
bool loop_watch(int epoll, uint32_t number, int fd);
/* Readable when SIGINT or SIGTERM came; they do nothing else from here on. -1: errno says why. */
int loop_open_signals(void);
/* Makes the FIFO where it is missing, and opens it. -1: errno says why. */
int loop_open_control(const char *path);
/* Calls fn for each line that was written to the FIFO since the last call. */
void loop_read_control(int fd, void (*fn)(const char *line, void *context), void *context);

#endif
