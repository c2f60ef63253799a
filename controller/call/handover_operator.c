// SPDX-License-Identifier: BSD-2-Clause
/* Handovers as the operator sees and ends them. */
#include <errno.h>

#include "call/handover.h"
#include "call/newest.h"

static void note_newest(struct newest *newest, const struct call *call)
{
	list_for_each(node, after, &call->moves)
	{
		struct handover *handover = container_of(node, struct handover, link);

		newest_add(newest, handover, handover->began_ns);
	}
}

/* Only those that are told of are counted: that asks the relay. */
static int append_newest(json_t *list, struct calls *calls, size_t most)
{
	struct hash_node *node = NULL;
	struct newest newest;
	size_t cursor = 0;

	if (newest_init(&newest, most))
		return -ENOMEM;
	while ((node = hash_walk(&calls->by_id, &cursor, node ? node->next : NULL)))
		note_newest(&newest, container_of(node, struct call, node));
	for (size_t i = 0; i < newest.count; i++)
		json_array_append_new(list, handover_report(newest.item[i].what));
	newest_free(&newest);
	return 0;
}

json_t *calls_handovers(struct calls *calls, size_t most)
{
	struct hash_node *node = NULL;
	json_t *all = json_array(), *one;
	size_t cursor = 0;

	if (all && most) {
		if (!append_newest(all, calls, most))
			return all;
		json_decref(all);
		return NULL;
	}
	while (all && (node = hash_walk(&calls->by_id, &cursor, node ? node->next : NULL))) {
		one = handover_reports(container_of(node, struct call, node));
		json_array_extend(all, one);
		json_decref(one);
	}
	return all;
}

json_t *calls_handovers_of(struct calls *calls, struct str id)
{
	struct call *call = call_find(calls, id);

	return call ? handover_reports(call) : NULL;
}

int calls_handover_end(struct calls *calls, struct str id, bool keep_new)
{
	struct call *call = call_find(calls, id);
	bool ended = false;

	if (!call)
		return -ENOENT;
	for (unsigned side = 0; side < SG_SIDES; side++)
		ended |= !handover_finish(call, (enum sg_side)side, keep_new);
	return ended ? 0 : -EAGAIN;
}

int calls_handover_start(struct calls *calls, struct str id)
{
	struct call *call = call_find(calls, id);
	int ret = call ? -ESRCH : -ENOENT;

	/* Of whichever party is in two networks. */
	for (unsigned side = 0; call && ret == -ESRCH && side < SG_SIDES; side++)
		ret = handover_ask(call, (enum sg_side)side);
	return ret;
}
