/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of all times in the maps. */
#include <time.h>

#include "internal.h"

uint64_t sg_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}
