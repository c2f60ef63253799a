// SPDX-License-Identifier: BSD-2-Clause
/* A leg: the dialog with one party, and what is said in it. */
#include "call/handover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int leg_alloc(struct leg **out, struct calls *calls, struct call *call, enum sg_side side)
{
	struct leg *leg = calloc(1, sizeof(*leg));
	uint64_t session_id;

	if (!leg)
		return -ENOMEM;
	leg->calls = calls;
	leg->call = call;
	leg->side = side;
	leg->story = call ? story_ref(call->story) : NULL;
	/* Unique on this machine, and what o= wants: a number (RFC 8866 5.2). */
	session_id = call_clock_ns() >> 10;
	oa_init(&leg->oa, session_id);
	*out = leg;
	return 0;
}

static void forget_peer(struct leg *leg)
{
	if (leg->peer)
		leg->peer->peer = NULL;
	leg->peer = NULL;
}

/* Its call must not speak with it any more. */
static void leave_call(struct leg *leg)
{
	if (leg->call && leg->call->caller == leg)
		leg->call->caller = NULL;
}

int leg_take_party(struct leg *leg, struct str user, struct str trunk)
{
	const struct call *call = leg->call;

	if (user.n) {
		leg->user = str_dup(user);
		if (!leg->user)
			return -ENOMEM;
	}
	if (!trunk.n)
		return 0;
	leg->trunk = str_dup(trunk);
	if (!leg->trunk)
		return -ENOMEM;
	if (call && call->subscription)
		return 0;
	leg->at_trunk = tally_take(&leg->calls->tally, TALLY_TRUNK, trunk);
	return leg->at_trunk ? 0 : -ENOMEM;
}

static void leave_trunk(struct leg *leg)
{
	tally_give(&leg->calls->tally, leg->at_trunk);
	leg->at_trunk = NULL;
}

void leg_free(struct leg *leg)
{
	if (!leg)
		return;
	list_remove(&leg->link);
	forget_peer(leg);
	hash_remove(&leg->calls->by_call_id, &leg->node);
	timer_stop(&leg->session.timer);
	if (leg->unacked)
		sip_server_tx_forget(leg->unacked);
	if (leg->bye)
		sip_client_tx_forget(leg->bye);
	oa_free(&leg->oa);
	if (leg->dialog && leg->dialog->state == SIP_DIALOG_CONFIRMED)
		grave_dig(leg->calls->graves, leg->dialog);
	sip_dialog_free(leg->dialog);
	free(leg->preview);
	free(leg->bye_reason);
	free(leg->user);
	free(leg->trunk);
	early_free(leg);
	leave_trunk(leg);
	leave_call(leg);
	story_unref(leg->story);
	free(leg->media);
	free(leg);
}

static uint64_t call_id_key(const struct calls *calls, struct str call_id)
{
	return hash_text(&calls->seed, call_id);
}

void leg_take_dialog(struct leg *leg, struct sip_dialog *dialog)
{
	leg->dialog = dialog;
	dialog->owner = leg;
	hash_add(&leg->calls->by_call_id, &leg->node,
		 call_id_key(leg->calls, str_of(dialog->call_id)));
	story_leg_begins(leg);
}

struct leg *leg_of_call_id(const struct calls *calls, struct str call_id, struct leg *after)
{
	struct hash_node *node;

	node = after ? hash_next(&after->node)
		     : hash_first(&calls->by_call_id, call_id_key(calls, call_id));
	while (node) {
		struct leg *leg = container_of(node, struct leg, node);

		if (str_eq(str_of(leg->dialog->call_id), call_id))
			return leg;
		node = hash_next(node);
	}
	return NULL;
}

void leg_join_side(struct leg *leg)
{
	struct side *side = &leg->call->side[leg->side];

	list_remove(&leg->link);
	list_append(&side->legs, &leg->link);
	side->count++;
	leg->state = LEG_UP;
	if (!side->main)
		side->main = leg;
}

/* Whoever speaks for the side now; one that stands by only when there is no other. */
static struct leg *first_awake(struct side *side)
{
	struct leg *first = NULL;

	list_for_each(node, after, &side->legs)
	{
		struct leg *leg = container_of(node, struct leg, link);

		if (!first || (first->standby && !leg->standby))
			first = leg;
	}
	return first;
}

void leg_leave_side(struct leg *leg)
{
	struct side *side = &leg->call->side[leg->side];

	list_remove(&leg->link);
	side->count--;
	if (side->main == leg)
		side->main = first_awake(side);
	if (leg->call->caller == leg)
		leg->call->caller = NULL;
}

void leg_drop(struct leg *leg)
{
	const struct exchange *offering = leg->call->offering;

	if (offering && (offering->from == leg || offering->to == leg))
		streams_disown(leg->call);
	exchange_abandon_leg(leg, 487);
	leg_leave_side(leg);
	streams_drop(leg);
}

int leg_media_room(struct leg *leg, size_t count)
{
	struct leg_media *media;

	if (count <= leg->medias)
		return 0;
	media = realloc(leg->media, count * sizeof(*media));
	if (!media)
		return -ENOMEM;
	memset(media + leg->medias, 0, (count - leg->medias) * sizeof(*media));
	leg->media = media;
	leg->medias = count;
	return 0;
}

/* ---- responses ------------------------------------------------------------------------------ */

/* RFC 3261 table 2, RFC 3311, RFC 6665: where a Contact belongs. */
static bool response_has_contact(enum sip_method method, int status)
{
	if (status <= 100 || status >= 300)
		return false;
	return method == SIP_INVITE || method == SIP_UPDATE || method == SIP_SUBSCRIBE ||
	       (status >= 200 && (method == SIP_REFER || method == SIP_NOTIFY));
}

int leg_respond(struct leg *leg, struct sip_server_tx *tx, int status, const char *reason,
		struct str extra, struct str type, struct str body)
{
	const struct sip_message *request = sip_server_tx_request(tx);
	struct buf *text = &leg->calls->text;

	buf_reset(text);
	sip_write_response(text, request, status, reason ? reason : sip_reason(status),
			   str_of(leg->dialog->local_tag), true);
	if (response_has_contact(request->method, status)) {
		buf_add(text, STR("Contact: "));
		sip_write_contact(text, &request->flow, str_of(leg->dialog->contact_user));
		buf_add(text, STR("\r\n"));
		headers_allow(text);
		headers_supported(text, true);
	}
	buf_add(text, extra);
	sip_write_body(text, type, body);
	if (buf_error(text))
		return buf_error(text);
	return sip_server_tx_send(tx, buf_str(text));
}

void leg_refuse(struct leg *leg, struct sip_server_tx *tx, int status, const char *reason)
{
	leg_respond(leg, tx, status, reason, STR_NONE, STR_NONE, STR_NONE);
}

/* RFC 3261 13.3.1.4: a 2xx that nobody acknowledges is the end of the session. */
static void unacknowledged(void *context)
{
	struct leg *leg = context;

	leg->unacked = NULL;
	if (leg->bye_waits)
		leg_bye_now(leg);
	else if (leg->call)
		call_end(leg->call, 0, STR("SIP;cause=408;text=\"No ACK\""), "no ACK", NULL);
}

void leg_await_ack(struct leg *leg, struct sip_server_tx *tx)
{
	static const struct sip_server_tx_handlers handlers = {NULL, unacknowledged};

	leg->unacked = tx;
	sip_server_tx_handle(tx, &handlers, leg);
}

void respond_plain(struct calls *calls, struct sip_server_tx *tx, int status, const char *reason,
		   struct str extra)
{
	char tag[SIP_TOKEN_LEN];

	sip_token(calls->stack, tag);
	sip_server_tx_reply(tx, status, reason, str_of(tag), extra);
}

/* ---- requests ------------------------------------------------------------------------------- */

/* Target refreshes and what makes dialogs (RFC 3261 8.1.1.8, 12.2.1.1). */
static bool request_has_contact(enum sip_method method)
{
	return method == SIP_INVITE || method == SIP_UPDATE || method == SIP_SUBSCRIBE ||
	       method == SIP_NOTIFY || method == SIP_REFER;
}

int leg_request(struct leg *leg, struct str method, struct str extra, struct str type,
		struct str body, const struct sip_client_tx_handlers *handlers, void *context,
		struct sip_client_tx **out)
{
	struct buf *text = &leg->calls->text;
	struct sip_outgoing outgoing = {.method = sip_method_of(method), .method_name = method};

	buf_reset(text);
	sip_dialog_write(leg->dialog, text, method, 0);
	if (outgoing.method == SIP_INVITE)
		leg->invite_cseq = leg->dialog->local_cseq;
	outgoing.contact = request_has_contact(outgoing.method);
	outgoing.contact_user = str_of(leg->dialog->contact_user);
	if (outgoing.contact) {
		headers_allow(text);
	}
	buf_add(text, extra);
	sip_write_body(text, type, body);
	if (buf_error(text))
		return buf_error(text);
	outgoing.text = buf_str(text);
	sip_dialog_aim(leg->dialog, &outgoing);
	return sip_client_send(leg->calls->stack, &outgoing, handlers, context, out);
}

void leg_ack(struct leg *leg)
{
	struct buf *text = &leg->calls->text;
	struct sip_outgoing outgoing = {.method = SIP_ACK, .method_name = STR("ACK")};
	struct str answer = STR_NONE;

	leg->owes_ack = false;
	if (leg->late_answer && leg->oa.local)
		answer = str_of(leg->oa.local);
	buf_reset(text);
	sip_dialog_write(leg->dialog, text, STR("ACK"), leg->invite_cseq);
	sip_write_body(text, answer.n ? STR("application/sdp") : STR_NONE, answer);
	if (buf_error(text))
		return; /* the 2xx comes again, and so do we */
	outgoing.text = buf_str(text);
	sip_dialog_aim(leg->dialog, &outgoing);
	sip_send_stateless(leg->calls->stack, &outgoing);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void bye_answered(void *context, struct sip_message *response)
{
	struct leg *leg = context;

	if (response->status < 200)
		return;
	leg->bye = NULL;
	leg_free(leg);
}

static void bye_failed(void *context, int status)
{
	struct leg *leg = context;

	(void)status;
	leg->bye = NULL;
	leg_free(leg);
}

static const struct sip_client_tx_handlers bye_handlers = {bye_answered, bye_failed};

void leg_bye_now(struct leg *leg)
{
	struct buf *extra = &leg->calls->extra;

	leg->bye_waits = false;
	if (leg->owes_ack) /* it ends while its media is still being opened */
		leg_ack(leg);
	buf_reset(extra);
	if (leg->bye_reason)
		sip_write_header(extra, "Reason", str_of(leg->bye_reason));
	if (leg_request(leg, STR("BYE"), buf_str(extra), STR_NONE, STR_NONE, &bye_handlers, leg,
			&leg->bye))
		leg_free(leg);
}

/*
 * The dialog stays until the BYE is answered: a BYE that crosses ours finds it and gets its 200, a
 * 2xx that comes again its ACK.
 */
void leg_bye(struct leg *leg, struct str reason)
{
	list_remove(&leg->link);
	forget_peer(leg);
	timer_stop(&leg->session.timer);
	leave_trunk(leg);
	leave_call(leg);
	leg->call = NULL;
	leg->attempt = NULL;
	leg->state = LEG_LEAVING;
	list_append(&leg->calls->leaving, &leg->link);
	leg->bye_reason = reason.n ? str_dup(reason) : NULL;
	leg->bye_waits = leg->unacked != NULL;
	if (!leg->bye_waits)
		leg_bye_now(leg);
}

/* ---- who is it ------------------------------------------------------------------------------ */

static bool refuse(struct leg *leg, struct sip_server_tx *tx, int status, const char *reason)
{
	leg_refuse(leg, tx, status, reason);
	return false;
}

/*
 * Identifiers of a dialog are hard to guess but can be overheard: from where the party was last,
 * they are enough; from elsewhere it must prove who it is, before anything changes (HH-4, HH-17).
 */
bool leg_authenticate(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request)
{
	const struct config_trunk *trunk;
	struct buf aor = BUF_EMPTY;
	bool good;

	if (netaddr_same_host(&request->flow.remote, &leg->dialog->flow.remote))
		return true;
	if (leg->trunk) {
		trunk = trunk_of(leg->calls->config, &request->flow.remote);
		if (trunk && !strcmp(trunk->name, leg->trunk))
			return true;
		return refuse(leg, tx, 403, "Not From This Trunk");
	}
	if (!leg->user)
		return true;
	good = registrar_authenticate(leg->calls->registrar, tx, request, true, &aor);
	if (good && !str_eq(buf_str(&aor), str_of(leg->user)))
		good = refuse(leg, tx, 403, "Not Your Call");
	buf_free(&aor);
	return good;
}
