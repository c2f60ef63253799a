// SPDX-License-Identifier: BSD-2-Clause
/* All calls of a worker, and which of them a message is for. */
#include "call/assist.h"

#include <errno.h>
#include <stdlib.h>

static int init_tables(struct calls *calls)
{
	int ret = hash_seed_make(&calls->seed);

	if (!ret)
		ret = hash_init(&calls->by_id);
	if (ret)
		return ret;
	ret = hash_init(&calls->by_call_id);
	if (!ret)
		ret = tally_init(&calls->tally, &calls->seed);
	if (!ret)
		ret = graves_alloc(&calls->graves, &calls->seed);
	if (!ret)
		ret = assist_cache_alloc(&calls->assist_cache, &calls->seed);
	if (!ret)
		ret = stories_alloc(&calls->stories, &calls->seed);
	if (ret) {
		assist_cache_free(calls->assist_cache);
		graves_free(calls->graves);
		tally_free(&calls->tally);
		hash_free(&calls->by_call_id);
		hash_free(&calls->by_id);
	}
	return ret;
}

int calls_alloc(struct calls **out, struct sip_stack *stack, struct registrar *registrar,
		struct location *location, struct store *store, struct media *media,
		struct log *log, const struct config *config, struct error *err)
{
	struct calls *calls = calloc(1, sizeof(*calls));
	int ret = calls ? init_tables(calls) : -ENOMEM;

	if (ret) {
		free(calls);
		return error_set(err, ret, "no memory for calls");
	}
	calls->stack = stack;
	calls->dialogs = sip_stack_dialogs(stack);
	calls->wheel = sip_stack_wheel(stack);
	calls->registrar = registrar;
	calls->location = location;
	calls->store = store;
	calls->media = media;
	calls->log = log;
	calls->config = config;
	list_init(&calls->leaving);
	list_init(&calls->orphans);
	list_init(&calls->passes);
	registrar_on_move(registrar, calls_follow, calls);
	*out = calls;
	return 0;
}

/* Media stays in the relay, and the calls in the journal: the next controller adopts them. */
static void let_go(struct call *call)
{
	call->state = CALL_OVER;
	transfer_drop(call);
	assist_free(call->assist, 503);
	while (!list_empty(&call->exchanges))
		exchange_abandon(container_of(call->exchanges.next, struct exchange, link), 503);
	while (!list_empty(&call->attempts))
		attempt_free(container_of(call->attempts.next, struct attempt, link));
	if (call->caller && call->caller->state == LEG_EARLY) {
		if (call->invite)
			sip_server_tx_forget(call->invite);
		leg_free(call->caller);
	}
	handovers_free(call);
	/* One of the legs that go now: the others must not look at it any more. */
	call->caller = NULL;
	for (unsigned side = 0; side < SG_SIDES; side++)
		list_for_each(node, after, &call->side[side].legs)
			leg_free(container_of(node, struct leg, link));
	call_free(call);
}

void calls_free(struct calls *calls)
{
	struct hash_node *node;
	size_t cursor = 0;

	if (!calls)
		return;
	calls->drained = NULL;
	while ((node = hash_walk(&calls->by_id, &cursor, NULL))) {
		let_go(container_of(node, struct call, node));
		cursor--; /* there may be more in that bucket */
	}
	while (!list_empty(&calls->orphans))
		attempt_free(container_of(calls->orphans.next, struct attempt, link));
	while (!list_empty(&calls->passes))
		pass_free(container_of(calls->passes.next, struct pass, link));
	while (!list_empty(&calls->leaving))
		leg_free(container_of(calls->leaving.next, struct leg, link));
	hash_free(&calls->by_id);
	hash_free(&calls->by_call_id);
	tally_free(&calls->tally);
	graves_free(calls->graves);
	assist_cache_free(calls->assist_cache);
	stories_free(calls->stories);
	sip_message_unref(calls->asking);
	buf_free(&calls->told);
	buf_free(&calls->text);
	buf_free(&calls->sdp);
	buf_free(&calls->extra);
	free(calls);
}

void calls_reconfigure(struct calls *calls, const struct config *config)
{
	calls->config = config;
}

/* ---- messages ---------------------------------------------------------------------------------
 */

static void refuse_method(struct calls *calls, struct sip_server_tx *tx,
			  const struct sip_message *request)
{
	struct buf *extra = &calls->extra;

	buf_reset(extra);
	headers_allow(extra);
	/* Known, but not here; or never heard of (SG-14). */
	respond_plain(calls, tx, request->method == SIP_UNKNOWN ? 501 : 405, NULL, buf_str(extra));
}

static void receive_outside(struct calls *calls, struct sip_server_tx *tx,
			    struct sip_message *request)
{
	switch (request->method) {
	case SIP_INVITE:
		if (handover_asked(request))
			handover_receive(calls, tx, request);
		else if (backup_asked(calls, request))
			backup_receive(calls, tx, request);
		else
			invite_receive(calls, tx, request);
		break;
	case SIP_OPTIONS:
	case SIP_MESSAGE:
	case SIP_SUBSCRIBE:
	case SIP_PUBLISH:
	case SIP_NOTIFY:
	case SIP_REFER:
		pass_receive(calls, tx, request);
		break;
	case SIP_BYE:
	case SIP_PRACK:
	case SIP_UPDATE:
	case SIP_INFO:
		respond_plain(calls, tx, 481, NULL, STR_NONE);
		break;
	default:
		refuse_method(calls, tx, request);
		break;
	}
}

static int take_tag(struct sip_dialog *dialog, const struct sip_message *request)
{
	char *tag = str_dup(request->from_tag);

	if (!tag)
		return -ENOMEM;
	free(dialog->remote_tag);
	dialog->remote_tag = tag;
	return sip_dialog_refresh(dialog, request);
}

static void receive_inside(struct calls *calls, struct leg *leg, struct sip_server_tx *tx,
			   struct sip_message *request)
{
	int status = sip_dialog_in_order(leg->dialog, request);

	/* A NOTIFY may be faster than the 2xx to its SUBSCRIBE (RFC 6665 4.4.1). */
	if (!leg->dialog->remote_tag[0] && take_tag(leg->dialog, request)) {
		leg_refuse(leg, tx, 500, NULL);
		return;
	}

	if (status) {
		leg_refuse(leg, tx, status, "CSeq Out of Order");
		return;
	}
	if (request->method == SIP_UNKNOWN) {
		refuse_method(calls, tx, request);
		return;
	}
	if (!request->max_forwards) {
		leg_refuse(leg, tx, 483, NULL);
		return;
	}
	if (!leg_authenticate(leg, tx, request))
		return;
	if (request->method == SIP_BYE)
		bye_receive(leg, tx, request);
	else if (!leg->call)
		leg_refuse(leg, tx, 481, NULL); /* its BYE is on the way */
	else
		exchange_receive(leg, tx, request);
}

void calls_receive(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request)
{
	struct sip_dialog *dialog;

	if (!request->to_tag.n) {
		receive_outside(calls, tx, request);
		return;
	}
	dialog = sip_dialog_of(calls->dialogs, request);
	if (dialog && dialog->owner) /* a pass owns none: its peer knows no dialog */
		receive_inside(calls, dialog->owner, tx, request);
	else
		respond_plain(calls, tx, 481, NULL, STR_NONE);
}

void calls_receive_ack(struct calls *calls, struct sip_message *ack)
{
	struct sip_dialog *dialog = sip_dialog_of(calls->dialogs, ack);
	struct leg *leg = dialog ? dialog->owner : NULL;

	if (!leg)
		return;
	if (leg->unacked) {
		sip_server_tx_acked(leg->unacked);
		leg->unacked = NULL;
	}
	if (leg->bye_waits)
		leg_bye_now(leg);
	else if (leg->call && leg->offer_again)
		invite_offer_again(leg);
	else if (leg->call)
		exchange_acked(leg, ack);
}

/* A leg that waits for the answer to its BYE has no call any more, but still the call's Contact. */
static struct str id_of(const struct leg *leg)
{
	if (!leg)
		return STR_NONE;
	return str_of(leg->call ? leg->call->id : leg->dialog->contact_user);
}

struct str calls_seen(struct calls *calls, const struct sip_seen *seen)
{
	return id_of(story_seen(calls, seen));
}

struct str calls_id_of(const struct calls *calls, const struct sip_seen *seen)
{
	return id_of(story_leg_of(calls, seen));
}

void calls_receive_stray(struct calls *calls, struct sip_message *response)
{
	attempt_stray(calls, response);
}

/* ---- the operator's ---------------------------------------------------------------------------
 */

/* They have no media that would break off; who wants to know asks the next controller. */
static void end_subscriptions(struct calls *calls)
{
	struct hash_node *node, *next = NULL;
	size_t cursor = 0;

	while ((node = hash_walk(&calls->by_id, &cursor, next))) {
		struct call *call = container_of(node, struct call, node);

		next = node->next;
		if (call->subscription)
			call_end(call, 503, STR_NONE, "shutting down", NULL);
	}
}

void calls_drain(struct calls *calls, void (*drained)(void *context), void *context)
{
	end_subscriptions(calls);
	calls->draining = true;
	calls->drained = drained;
	calls->drained_context = context;
	if (!calls->by_id.count && drained)
		drained(context);
}

size_t calls_count(const struct calls *calls)
{
	return calls->by_id.count;
}

/* What a person typed, as the value of a Reason header (RFC 3326). */
static void write_reason(struct buf *out, struct str text)
{
	buf_reset(out);
	buf_add(out, STR("SIP;cause=487;text=\""));
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] >= ' ' && text.p[i] != '"' && text.p[i] != '\\')
			buf_add_char(out, text.p[i]);
	buf_add_char(out, '"');
}

int calls_end(struct calls *calls, struct str id, struct str reason)
{
	struct call *call = call_find(calls, id);

	if (!call)
		return -ENOENT;
	write_reason(&calls->sdp, reason);
	call_end(call, 487, buf_error(&calls->sdp) ? STR_NONE : buf_str(&calls->sdp),
		 "ended by the operator", NULL);
	return 0;
}
