// SPDX-License-Identifier: BSD-2-Clause
/* CN-assisted calls: which are, and what keeps their legs in pairs. */
#include "call/assist.h"

#include <errno.h>

#define TAG STR("handover")

/* ---- may it be one ------------------------------------------------------------------------------
 */

static bool same_family(const struct netaddr *a, const struct netaddr *b)
{
	return netaddr_is_ipv4(a) == netaddr_is_ipv4(b);
}

/* Behind NAT it says an address where only the relay could find it (streams_path). */
static bool is_reachable(const struct leg *caller)
{
	const struct sip_dialog *dialog = caller->dialog;

	for (size_t i = 0; i < caller->medias; i++)
		if (caller->media[i].on && dialog->use_flow && dialog->flow.proto == SIP_UDP &&
		    !netaddr_same_host(&caller->media[i].remote, &dialog->flow.remote))
			return false;
	return true;
}

/* SG-54: two families meet in the relay only. Of a foreign callee the family is not known yet. */
static bool is_of_family(const struct target *target, const struct leg *caller)
{
	if (!target->user)
		return true;
	if (target->use_flow && target->flow.proto == SIP_UDP)
		return false; /* behind NAT */
	for (size_t i = 0; i < caller->medias; i++)
		if (caller->media[i].on &&
		    !same_family(&caller->media[i].remote, &target->flow.remote))
			return false;
	return true;
}

/* A device is known by its instance, else by its contact (HH-8). */
static struct str device_of(const struct target *target)
{
	return str_of(target->instance ? target->instance : target->uri);
}

bool assist_wanted(const struct call *call, const struct target *target)
{
	const struct config *config = call->calls->config;
	enum assist_known known;

	if (config->handover_anchor != CONFIG_ANCHOR_AUTO || !call->wants_assist ||
	    call->late_offer || !is_reachable(call->caller) || !is_of_family(target, call->caller))
		return false;
	known = assist_cache_find(call->calls->assist_cache, device_of(target));
	return known == ASSIST_KNOWS ||
	       (known == ASSIST_UNKNOWN && config->handover_probe == CONFIG_PROBE_REQUIRE);
}

bool assist_is_untouched(const struct leg *to)
{
	const struct call *call = to->call;

	/* Each fork is asked in its own way until one of them has answered. */
	if (call->state == CALL_SETUP && to->side == SG_SIDE_B)
		return to->assisted;
	return call->assisted;
}

/* ---- the callee's answer ------------------------------------------------------------------------
 */

/* HH-7: it lacks something else that the caller insists on. */
static bool lacks_more(const struct call *call, const struct sip_message *response)
{
	const struct sip_message *invite = sip_server_tx_request(call->invite);
	size_t cursor = 0;
	struct str tag;

	while (sip_header_list(response, "Unsupported", &cursor, &tag))
		if (!str_case_eq(tag, TAG) && sip_header_has_token(invite, "Require", tag))
			return true;
	return false;
}

bool assist_goes_without(struct attempt *attempt, const struct sip_message *response)
{
	struct call *call = attempt->call;
	struct leg *leg = container_of(attempt->legs.next, struct leg, link);

	if (response->status != 420 || !leg->assisted || lacks_more(call, response))
		return false;
	assist_cache_put(call->calls->assist_cache, device_of(&call->target[attempt->target]),
			 false);
	call_step(call, SG_SIDE_B, "INVITE again", "without handover", 0);
	return !attempt_again(attempt, false);
}

void assist_answered(struct leg *leg, const struct sip_message *response)
{
	const struct attempt *attempt = leg->attempt;
	struct call *call = leg->call;

	call->assisted = leg->assisted;
	/* One that just had no resources (HH-9) still says that it supports it. */
	if (call->wants_assist && !attempt->again)
		assist_cache_put(call->calls->assist_cache,
				 device_of(&call->target[attempt->target]),
				 leg->assisted || sip_header_has_token(response, "Supported", TAG));
	if (!call->assisted)
		return;
	streams_leave(call); /* what other forks had of it */
	assist_pair(call->caller, leg);
	call_media_step(call, NULL, -1, "media past the relay", NULL);
}

/* ---- pairs --------------------------------------------------------------------------------------
 */

void assist_pair(struct leg *a, struct leg *b)
{
	a->peer = b;
	b->peer = a;
}

void assist_pair_all(struct call *call)
{
	struct list *a = &call->side[SG_SIDE_A].legs, *b = &call->side[SG_SIDE_B].legs;
	struct list *left = a->next, *right = b->next;

	for (; left != a && right != b; left = left->next, right = right->next)
		assist_pair(container_of(left, struct leg, link),
			    container_of(right, struct leg, link));
}

static bool is_one_of_several(const struct leg *leg)
{
	return leg->call->assisted && leg->peer && leg->state == LEG_UP &&
	       leg->call->side[leg->side].count > 1;
}

/* The report knows how it ended. */
static void note_leaving(const struct leg *leg)
{
	struct handover *handover = NULL;

	for (unsigned side = 0; !handover && side < SG_SIDES; side++)
		handover = handover_on(leg->call, (enum sg_side)side);
	if (!handover || handover->state != HANDOVER_BOTH)
		return;
	if (leg == handover->fresh || leg->peer == handover->fresh)
		handover_end(handover, HANDOVER_ABORTED);
	else if (leg == handover->old || leg->peer == handover->old)
		handover_end(handover, HANDOVER_FINISHED);
}

bool assist_bye(struct leg *leg, struct sip_server_tx *tx, const struct sip_message *request)
{
	struct call *call = leg->call;
	struct leg *peer = leg->peer;

	if (!is_one_of_several(leg))
		return false;
	call_step(call, (int)leg->side, "handover", "one pair of several leaves", 0);
	note_leaving(leg);
	leg_drop(leg);
	leg_drop(peer);
	leg_refuse(leg, tx, 200, NULL);
	leg_bye(peer, headers_reason(request));
	leg_free(leg);
	journal_save(call);
	return true;
}

void assist_turn_away(struct leg *leg, struct str reason)
{
	struct call *call = leg->call;
	struct leg *peer = leg->peer;

	note_leaving(leg);
	leg_drop(leg);
	if (peer) {
		leg_drop(peer);
		leg_bye(peer, reason);
	}
	leg_bye(leg, reason);
	journal_save(call);
}
