/* SPDX-License-Identifier: BSD-2-Clause */
/* A directory for one test. Those of test programs that were killed go when the next one begins. */
#ifndef SEGUE_TESTS_SCRATCH_H
#define SEGUE_TESTS_SCRATCH_H

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH "/tmp/segue-store."

static inline int scratch_remove(const char *directory)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static inline void scratch_sweep(void)
{
	glob_t found;

	if (glob(SCRATCH "[1-9]*.*", 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		pid_t owner = (pid_t)atoi(found.gl_pathv[i] + strlen(SCRATCH));

		if (owner > 0 && kill(owner, 0) && errno == ESRCH)
			scratch_remove(found.gl_pathv[i]);
	}
	globfree(&found);
}

/* False: it cannot be made. */
static inline bool scratch_make(char *out, size_t room)
{
	scratch_sweep();
	snprintf(out, room, SCRATCH "%d.XXXXXX", getpid());
	return mkdtemp(out);
}

#endif
