/* SPDX-License-Identifier: BSD-2-Clause */
/* The newest few of many, found in one walk and without sorting the rest. */
#ifndef SEGUE_CALL_NEWEST_H
#define SEGUE_CALL_NEWEST_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define NEWEST_MAX 1000u /* more than that is sorting, and takes as long */

struct newest {
	struct newest_item {
		void *what;
		uint64_t at_ns;
	} * item; /* the newest first */
	size_t count, most;
};

/* `most`: 1 to NEWEST_MAX, which is what more becomes. 0 or -ENOMEM; newest_free() in any case. */
int newest_init(struct newest *newest, size_t most);
void newest_add(struct newest *newest, void *what, uint64_t at_ns);

static inline void newest_free(struct newest *newest)
{
	free(newest->item);
}

#endif
