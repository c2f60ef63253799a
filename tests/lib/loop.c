// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"

bool loop_watch(int epoll, uint32_t number, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};

	return fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

int loop_open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Open for writing too, so that the FIFO never reports that its last writer has gone. */
int loop_open_control(const char *path)
{
	if (mkfifo(path, 0600) && errno != EEXIST)
		return -1;
	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

void loop_read_control(int fd, void (*fn)(const char *line, void *context), void *context)
{
	char text[1024];
	char *save = NULL;
	ssize_t length = read(fd, text, sizeof(text) - 1);

	if (length <= 0)
		return;
	text[length] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		fn(line, context);
}
