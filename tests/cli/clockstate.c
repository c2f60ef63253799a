// SPDX-License-Identifier: BSD-2-Clause
/*
 * clockstate.so, preloaded: the kernel says that the clock is synchronised where $CLOCKSTATE is
 * "synchronised", and that nothing keeps it else. A test may not set the clock of the machine.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

int adjtimex(struct timex *out)
{
	const char *state = getenv("CLOCKSTATE");

	memset(out, 0, sizeof(*out));
	if (state && !strcmp(state, "synchronised"))
		return TIME_OK;
	out->status = STA_UNSYNC;
	return TIME_ERROR;
}
