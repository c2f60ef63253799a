// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls that follow a registration (`handover.follow: register`): a device registered again, with
 * credentials, from another address. Its dialogs are told apart by where they were: those of the
 * old address get the new target, and an offer of ours asks there for the new place of the media.
 */
#include <errno.h>
#include <stdlib.h>

#include "call/handover.h"

/* 0, or -ENOMEM with the old target in force. */
static int retarget(struct sip_dialog *dialog, const struct binding *binding)
{
	char *target = str_dup(str_of(binding->contact));

	if (!target)
		return -ENOMEM;
	free(dialog->target);
	dialog->target = target;
	dialog->flow = binding->flow;
	dialog->use_flow = binding->use_flow;
	return 0;
}

static void follow_leg(struct leg *leg, const struct binding *binding)
{
	struct call *call = leg->call;
	const struct leg *other = call_opposite(leg);
	int ret = retarget(leg->dialog, binding);

	call_step(call, (int)leg->side, "follows", "its registration", 0);
	if (!ret &&
	    (call->offering || call->change.waiting || leg->unacked || !other || !other->oa.remote))
		ret = -EBUSY; /* whatever runs now goes to the new target, and asks there */
	if (!ret)
		ret = exchange_offer(leg, str_of(other->oa.remote));
	if (ret)
		log_warning(call->calls->log, call->id,
			    "followed a registration, but could not ask for the media: %s",
			    strerror(-ret));
	journal_save(call);
}

static bool follows(const struct leg *leg, struct str aor, const struct sip_flow *before)
{
	return leg->state == LEG_UP && leg->user && str_eq(str_of(leg->user), aor) &&
	       leg->dialog->flow.proto == before->proto &&
	       netaddr_same_host(&leg->dialog->flow.remote, &before->remote);
}

static void follow_call(struct call *call, struct str aor, const struct binding *binding,
			const struct sip_flow *before)
{
	for (unsigned side = 0; side < SG_SIDES; side++) {
		struct leg *leg = call->side[side].main;

		if (call->state == CALL_UP && !call->assisted && leg && follows(leg, aor, before))
			follow_leg(leg, binding);
	}
}

/* All calls are looked at: a device seldom moves, and who has this off pays nothing. */
void calls_follow(void *context, struct str aor, const struct binding *moved,
		  const struct sip_flow *before)
{
	struct calls *calls = context;
	struct hash_node *node = NULL;
	size_t cursor = 0;

	if (!calls->config->follow_register || !before)
		return;
	while ((node = hash_walk(&calls->by_id, &cursor, node ? node->next : NULL)))
		follow_call(container_of(node, struct call, node), aor, moved, before);
}
