// SPDX-License-Identifier: BSD-2-Clause
#include "call/newest.h"

#include <errno.h>

int newest_init(struct newest *newest, size_t most)
{
	*newest = (struct newest){.most = most < NEWEST_MAX ? most : NEWEST_MAX};
	newest->item = calloc(newest->most, sizeof(*newest->item));
	return newest->item ? 0 : -ENOMEM;
}

/* In a walk without order few are newer than the oldest that is kept: insertion is cheap. */
void newest_add(struct newest *newest, void *what, uint64_t at_ns)
{
	size_t at = newest->count;

	if (at == newest->most && at_ns <= newest->item[at - 1].at_ns)
		return;
	if (at == newest->most)
		at--;
	else
		newest->count++;
	for (; at && newest->item[at - 1].at_ns < at_ns; at--)
		newest->item[at] = newest->item[at - 1];
	newest->item[at] = (struct newest_item){what, at_ns};
}
