// SPDX-License-Identifier: BSD-2-Clause
#include "ops/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct notify {
	struct wheel *wheel;
	struct log *log;
	struct timer timer;
	uint64_t interval_ms; /* 0: no watchdog */
	int fd;		      /* negative: nobody asked */
};

__attribute__((format(printf, 2, 3))) static void tell(struct notify *notify, const char *format,
						       ...)
{
	char text[512];
	va_list list;
	int length;

	if (notify->fd < 0)
		return;
	va_start(list, format);
	length = vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	if (length >= (int)sizeof(text))
		length = (int)sizeof(text) - 1;
	if (send(notify->fd, text, (size_t)length, MSG_NOSIGNAL) < 0)
		log_warning(notify->log, NULL, "the service manager was not told '%.*s': %s",
			    (int)strcspn(text, "\n"), text, strerror(errno));
}

/* From the loop itself: a loop that hangs must not look alive. */
static void on_watchdog(void *context)
{
	struct notify *notify = context;

	tell(notify, "WATCHDOG=1");
	timer_start(notify->wheel, &notify->timer, notify->interval_ms, on_watchdog, notify);
}

/* $WATCHDOG_PID is another's where a wrapper started us. */
static uint64_t watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtoull(usec, NULL, 10) / 1000;
}

/* A path, or '@' and a name without a file. */
static int connect_to(struct notify *notify, const char *path, struct error *err)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t length = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(at.sun_path))
		return error_set(err, -EINVAL, "NOTIFY_SOCKET '%.100s' is no path of a socket",
				 path);
	memcpy(at.sun_path, path, length);
	if (path[0] == '@')
		at.sun_path[0] = '\0';
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify->fd < 0 || connect(notify->fd, (const struct sockaddr *)&at,
				      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)))
		return error_set(err, -errno, "NOTIFY_SOCKET '%.100s': %s", path, strerror(errno));
	return 0;
}

int notify_alloc(struct notify **out, struct wheel *wheel, struct log *log, struct error *err)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct notify *notify = calloc(1, sizeof(*notify));
	int ret;

	if (!notify)
		return error_set(err, -ENOMEM, "out of memory");
	notify->wheel = wheel;
	notify->log = log;
	notify->fd = -1;
	ret = path && *path ? connect_to(notify, path, err) : 0;
	if (ret) {
		notify_free(notify);
		return ret;
	}
	notify->interval_ms = notify->fd >= 0 ? watchdog_ms() / 2 : 0;
	if (notify->interval_ms)
		timer_start(wheel, &notify->timer, notify->interval_ms, on_watchdog, notify);
	*out = notify;
	return 0;
}

void notify_free(struct notify *notify)
{
	if (!notify)
		return;
	timer_stop(&notify->timer);
	if (notify->fd >= 0)
		close(notify->fd);
	free(notify);
}

void notify_ready(struct notify *notify, const char *sentence)
{
	tell(notify, "READY=1\nSTATUS=%s\nMAINPID=%ld", sentence, (long)getpid());
}

void notify_reloading(struct notify *notify)
{
	tell(notify, "RELOADING=1\nSTATUS=reading the configuration\nMONOTONIC_USEC=%" PRIu64,
	     wheel_now_ms() * 1000);
}

void notify_stopping(struct notify *notify, const char *sentence)
{
	tell(notify, "STOPPING=1\nSTATUS=%s", sentence);
}
