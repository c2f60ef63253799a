// SPDX-License-Identifier: BSD-2-Clause
/*
 * setclock.so, preloaded: the real-time clock of a program is that of the machine and as many
 * seconds more as the file $SETCLOCK says, each time that it is asked. No other clock moves, as
 * when an operator sets the time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
	const char *path = getenv("SETCLOCK");
	FILE *file = path ? fopen(path, "re") : NULL;
	long seconds = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &seconds) != 1)
		seconds = 0;
	fclose(file);
	return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	int ret = (int)syscall(SYS_clock_gettime, clock, out);

	if (!ret && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		out->tv_sec += offset();
	return ret;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;
	int ret = clock_gettime(CLOCK_REALTIME, &now);

	(void)zone;
	if (!ret)
		*out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return ret;
}

time_t time(time_t *out)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
