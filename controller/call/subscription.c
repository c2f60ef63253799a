// SPDX-License-Identifier: BSD-2-Clause
/*
 * SUBSCRIBE outside a dialog (SG-7, RFC 6665): it makes one across us, in which NOTIFYs come back.
 * It is a call without media: two legs and what is exchanged between them, no BYE, no record. Of
 * several contacts one is asked after the other, highest q first, until one grants it: asked all at
 * once, each would make a subscription of its own, and all but one had to be ended again.
 */
#include "call/exchange.h"
#include "call/group.h"

#include <errno.h>

#define GRACE_MS 32000u /* for the last NOTIFY, after what was granted is over */
#define DEFAULT_S 3600u
#define NEXT_MS 8000u /* for a contact to answer: who asks waits 32 s for all (timer F) */

static void expired(void *context)
{
	call_end(context, 481, STR_NONE, "subscription expired", NULL);
}

/* ---- whom to ask ----------------------------------------------------------------------------- */

static int add_leg(struct call *call, const struct sip_message *request,
		   const struct target *target)
{
	struct leg *leg;
	int ret = leg_alloc(&leg, call->calls, call, SG_SIDE_B);

	if (ret)
		return ret;
	ret = leg_prepare(leg, target, request);
	if (ret)
		leg_free(leg);
	else
		leg_join_side(leg);
	return ret;
}

/* The next contact has its turn. True: *target is it. */
static bool next_target(struct call *call, const struct target **target)
{
	size_t index[CALL_TARGETS], count = group_next(call->target, call->targets, index);

	if (!count)
		return false;
	/* Not together with the others of its q. */
	for (size_t i = 1; i < count; i++)
		call->target[index[i]].state = TARGET_NEW;
	call->asked = index[0];
	*target = &call->target[index[0]];
	return true;
}

static void too_slow(void *context);

/* Until somebody grants more; with others left to ask, not so long. */
static void await_grant(struct call *call)
{
	if (group_has_more(call->target, call->targets))
		timer_start(call->calls->wheel, &call->timer, NEXT_MS, too_slow, call);
	else
		timer_start(call->calls->wheel, &call->timer, GRACE_MS, expired, call);
}

bool subscription_asks_next(struct exchange *exchange, int status, struct sip_message *response)
{
	struct call *call = exchange->call;
	const struct sip_message *request =
		exchange->in ? sip_server_tx_request(exchange->in) : NULL;
	const struct target *target;
	struct leg *before = exchange->to;

	if (!call->subscription || call->subscribed || !call->targets || !request ||
	    request->method != SIP_SUBSCRIBE)
		return false;
	group_refused(&call->target[call->asked], status);
	group_judge(&call->best, status, response);
	while (status < 600 && next_target(call, &target)) {
		if (add_leg(call, request, target))
			continue;
		exchange->to = container_of(call->side[SG_SIDE_B].legs.prev, struct leg, link);
		leg_leave_side(before);
		leg_free(before);
		before = exchange->to;
		if (!exchange_send_across(exchange, request, request->content_type,
					  request->body)) {
			await_grant(call);
			return true;
		}
	}
	return false;
}

static void too_slow(void *context)
{
	struct call *call = context;

	list_for_each(node, after, &call->exchanges)
	{
		struct exchange *exchange = container_of(node, struct exchange, link);

		if (!exchange->in || exchange->method != SIP_SUBSCRIBE || !exchange->out)
			continue;
		sip_client_tx_forget(exchange->out);
		exchange->out = NULL;
		exchange_refused(exchange, 408, NULL);
		return;
	}
}

/* ---- the call ---------------------------------------------------------------------------------
 */

static int make_legs(struct call *call, struct sip_message *request, const struct identity *who)
{
	const struct target *target;
	int ret = call_make_caller(call, request, who);

	if (ret)
		return ret;
	leg_join_side(call->caller);
	return next_target(call, &target) ? add_leg(call, request, target) : -EINVAL;
}

/* Takes the targets over. */
static void begin(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request,
		  const struct identity *who, struct target *target, size_t targets)
{
	struct call *call;
	int ret = call_alloc(&call, calls, STR_NONE, request->from.uri, request->request_uri);

	if (ret) {
		targets_free(target, targets);
		respond_plain(calls, tx, 500, NULL, STR_NONE);
		return;
	}
	call->subscription = true;
	call->target = target;
	call->targets = targets;
	ret = make_legs(call, request, who);
	if (ret) {
		call_end(call, 0, STR_NONE, "no dialog", NULL);
		respond_plain(calls, tx, ret == -ENOMEM ? 500 : 400, NULL, STR_NONE);
		return;
	}
	call->state = CALL_UP;
	await_grant(call);
	exchange_receive(call->caller, tx, request);
}

void subscription_receive(struct calls *calls, struct sip_server_tx *tx,
			  struct sip_message *request, const struct identity *who)
{
	struct target *target;
	size_t targets;
	int status = call_room(calls) ? route_find(calls, request, who, &target, &targets) : 503;

	if (status)
		respond_plain(calls, tx, status, NULL, STR_NONE);
	else
		begin(calls, tx, request, who, target, targets);
}

/* A 2xx to SUBSCRIBE says for how long. */
static void granted(struct call *call, const struct sip_message *response)
{
	uint32_t seconds = DEFAULT_S;

	str_to_u32(sip_header(response, "Expires", 0), &seconds);
	call->subscribed = true;
	timer_start(call->calls->wheel, &call->timer, seconds * 1000ull + GRACE_MS, expired, call);
}

bool subscription_is_over(struct call *call, enum sip_method method, int status,
			  const struct sip_message *response, bool last)
{
	switch (method) {
	case SIP_SUBSCRIBE:
		if (status < 300 && response)
			granted(call, response);
		/* A refresh that is refused leaves what was granted (RFC 6665 4.1.2.2). */
		return status >= 300 && (!call->subscribed || status == 481);
	case SIP_NOTIFY:
		return last || status == 481;
	default:
		return false;
	}
}

bool subscription_ends(const struct sip_message *notify)
{
	struct str state = sip_header(notify, "Subscription-State", 0);

	return notify->method == SIP_NOTIFY && state.p && str_case_starts(state, STR("terminated"));
}
