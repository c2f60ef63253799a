// SPDX-License-Identifier: BSD-2-Clause
#include "leg.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "call.h"
#include "request.h"
#include "way.h"

#define APPLICATION_SDP STR("application/sdp")

/* ---- beginning and end ----------------------------------------------------------------------- */

static struct ua_leg *new_leg(struct ua_call *call, struct ua_network *network)
{
	struct ua_leg *leg = calloc(1, sizeof(*leg));
	uint32_t id = 0;

	if (!leg)
		return NULL;
	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
		id = (uint32_t)ua_now_us();
	leg->call = call;
	leg->network = network;
	leg->wanted = SDP_SENDRECV;
	oa_init(&leg->oa, id >> 1); /* some read it into 31 bits */
	return leg;
}

static void enter(struct ua_leg *leg)
{
	leg->dialog->owner = leg;
	list_append(&leg->call->legs, &leg->node);
}

int ua_leg_create(struct ua_leg **out, struct ua_call *call, struct ua_network *network,
		  const char *call_id, const char *to, const char *target)
{
	struct ua_leg *leg = new_leg(call, network);
	char new_id[SIP_TOKEN_LEN], tag[SIP_TOKEN_LEN];
	struct buf from = BUF_EMPTY;
	int ret;

	if (!leg)
		return -ENOMEM;
	sip_token(call->ua->stack, new_id);
	sip_token(call->ua->stack, tag);
	ua_call_write_self(call->ua, network, &from);
	ret = buf_error(&from);
	if (!ret)
		ret = sip_dialog_create(&leg->dialog, sip_stack_dialogs(call->ua->stack),
					str_of(call_id ? call_id : new_id), str_of(tag),
					buf_str(&from), str_of(to), str_of(target));
	buf_free(&from);
	if (ret) {
		ua_leg_free(leg);
		return ret;
	}
	leg->state = UA_LEG_CALLING;
	enter(leg);
	*out = leg;
	return 0;
}

int ua_leg_accept(struct ua_leg **out, struct ua_call *call, struct ua_network *network,
		  struct sip_server_tx *tx, struct sip_message *request)
{
	struct ua_leg *leg = new_leg(call, network);
	char tag[SIP_TOKEN_LEN];
	int ret;

	if (!leg)
		return -ENOMEM;
	sip_token(call->ua->stack, tag);
	ret = sip_dialog_accept(&leg->dialog, sip_stack_dialogs(call->ua->stack), request,
				str_of(tag));
	if (ret) {
		ua_leg_free(leg);
		return ret;
	}
	leg->state = UA_LEG_RINGING;
	leg->incoming = tx;
	enter(leg);
	*out = leg;
	return 0;
}

void ua_leg_free(struct ua_leg *leg)
{
	if (!leg)
		return;
	list_remove(&leg->node);
	if (leg->incoming)
		sip_server_tx_forget(leg->incoming);
	ua_request_free(leg->request);
	ua_leg_free_early(leg);
	sip_dialog_free(leg->dialog);
	oa_free(&leg->oa);
	free(leg->ack);
	free(leg);
}

/* ---- descriptions ---------------------------------------------------------------------------- */

static struct ua_describe describe(struct ua_leg *leg, const struct ua_network *network,
				   enum sdp_direction direction)
{
	return (struct ua_describe){
		.rtp = &network->port[UA_AUDIO].at,
		.video = leg->call->ua->options->video ? &network->port[UA_VIDEO].at : NULL,
		.a_law = leg->call->ua->options->a_law,
		.direction = direction,
		.session_id = leg->oa.session_id,
		.version = oa_next_version(&leg->oa, false)};
}

/* SG-30: another version exactly when something else changed. */
static bool is_new(struct ua_leg *leg, struct ua_describe *self, struct buf *text)
{
	if (leg->oa.local && str_eq(str_of(leg->oa.local), buf_str(text)))
		return false;
	self->version = oa_next_version(&leg->oa, true);
	buf_reset(text);
	return true;
}

int ua_leg_write_offer(struct ua_leg *leg, struct ua_network *network, enum sdp_direction direction,
		       struct buf *out)
{
	struct ua_describe self = describe(leg, network, direction);

	ua_describe_offer(out, &self);
	if (is_new(leg, &self, out))
		ua_describe_offer(out, &self);
	leg->asked = direction;
	return buf_error(out) ? buf_error(out) : oa_send_offer(&leg->oa, buf_str(out));
}

int ua_leg_write_again(struct ua_leg *leg, struct ua_network *network, struct buf *out)
{
	struct ua_describe self = describe(leg, network, leg->wanted);
	struct ua_agreed agreed = {0};
	struct sdp theirs;
	int ret;

	if (leg->state != UA_LEG_RINGING)
		return ua_leg_write_offer(leg, network, leg->wanted, out);
	/* In the words of our answer: it is nobody's business but who carries it. */
	ret = sdp_parse(&theirs, str_of(leg->oa.remote), NULL);
	if (ret)
		return ret;
	ua_describe_answer(out, &self, &theirs, &agreed);
	if (is_new(leg, &self, out))
		ua_describe_answer(out, &self, &theirs, &agreed);
	leg->asked = leg->wanted;
	return buf_error(out) ? buf_error(out) : oa_send_offer(&leg->oa, buf_str(out));
}

int ua_leg_take_answer(struct ua_leg *leg, struct str text, struct error *err)
{
	struct ua_agreed agreed;
	struct sdp answer;
	int ret = oa_receive_answer(&leg->oa, text, err);

	if (!ret)
		ret = sdp_parse(&answer, text, err);
	if (ret)
		return ret;
	ua_describe_agree(&answer, &agreed);
	if (!agreed.stream[UA_AUDIO].there)
		return error_set(err, -EBADMSG, "the answer has no voice that we understand");
	for (unsigned kind = 0; kind < UA_KINDS; kind++)
		agreed.stream[kind].direction &= leg->asked;
	leg->agreed = agreed;
	return 0;
}

int ua_leg_make_answer(struct ua_leg *leg, struct ua_network *network, struct str text,
		       struct buf *out)
{
	struct ua_describe self = describe(leg, network, leg->wanted);
	struct ua_agreed agreed = {0};
	const bool *voice = &agreed.stream[UA_AUDIO].there;
	struct sdp offer;
	int ret = oa_receive_offer(&leg->oa, text);

	if (ret)
		return ret == -EALREADY ? 491 : 500;
	if (!sdp_parse(&offer, text, NULL)) {
		ua_describe_answer(out, &self, &offer, &agreed);
		if (*voice && is_new(leg, &self, out))
			ua_describe_answer(out, &self, &offer, &agreed);
	}
	if (*voice)
		ret = oa_send_answer(&leg->oa, buf_str(out), NULL);
	if (!*voice || ret) {
		oa_abandon(&leg->oa);
		return *voice ? 500 : 488;
	}
	leg->agreed = agreed;
	return 0;
}

/* ---- INVITE ---------------------------------------------------------------------------------- */

static void finish(struct ua_leg *leg, int status, struct sip_message *response)
{
	ua_leg_fn *fn = leg->fn;
	void *context = leg->context;

	ua_request_free(leg->request);
	leg->request = NULL;
	leg->fn = NULL;
	ua_call_aim(leg->call);
	if (fn)
		fn(context, status, response); /* may free the leg */
}

static int send_ack(struct ua_leg *leg)
{
	struct sip_outgoing outgoing = {.method = SIP_ACK, .text = str_of(leg->ack)};
	struct ua *ua = leg->call->ua;
	struct ua_way way;
	int ret = ua_way_of(ua, leg->network, leg->dialog, &way);

	outgoing.flow = &way.flow;
	outgoing.server_name = way.server_name;
	return ret ? ret : sip_send_stateless(ua->stack, &outgoing);
}

/* The ACK of a 2xx is a request of its own (RFC 3261 13.2.2.4). */
static int acknowledge(struct ua_leg *leg, uint32_t cseq, struct str answer)
{
	struct buf text = BUF_EMPTY;
	int ret;

	sip_dialog_write(leg->dialog, &text, STR("ACK"), cseq);
	sip_write_body(&text, APPLICATION_SDP, answer);
	ret = buf_error(&text);
	free(leg->ack);
	leg->ack = text.data;
	return ret ? ret : send_ack(leg);
}

void ua_leg_repeat_ack(struct ua_leg *leg)
{
	if (leg->ack)
		send_ack(leg);
}

static int take_description(struct ua_leg *leg, struct sip_message *response, struct buf *answer)
{
	struct error err = {""};
	int ret;

	if (leg->settled)
		return 0;
	if (leg->oa.state == OA_OFFER_SENT)
		ret = ua_leg_take_answer(leg, response->body, &err);
	else
		ret = ua_leg_make_answer(leg, leg->asked_by, response->body, answer);
	if (ret)
		log_warning(leg->call->ua->log, leg->dialog->call_id, "no use for the answer: %s",
			    err.text[0] ? err.text : "nothing that we understand");
	return ret;
}

static void accepted(struct ua_leg *leg, struct sip_message *response)
{
	struct buf answer = BUF_EMPTY;
	bool again = leg->dialog->state == SIP_DIALOG_CONFIRMED;
	int ret = again ? sip_dialog_refresh(leg->dialog, response) : ua_leg_learn(leg, response);
	uint32_t cseq = ua_request_cseq(leg->request);

	if (ret) {
		finish(leg, 500, response);
		return;
	}
	leg->network = leg->asked_by;
	leg->state = UA_LEG_UP;
	ret = take_description(leg, response, &answer);
	leg->settled = false;
	acknowledge(leg, cseq, ret ? STR_NONE : buf_str(&answer));
	buf_free(&answer);
	/* Without an agreement there is a dialog all the same: it has to be ended by a BYE. */
	finish(leg, ret ? 488 : response->status, response);
}

static void on_response(void *context, int status, struct sip_message *response)
{
	struct ua_leg *leg = context;

	if (status < 200) {
		ua_leg_provisional(leg, response);
	} else if (status < 300) {
		accepted(leg, response);
	} else {
		oa_abandon(&leg->oa);
		finish(leg, status, response);
	}
}

static int invite(struct ua_leg *leg, struct str headers, struct str body)
{
	struct ua_request_spec spec = {.method = SIP_INVITE,
				       .network = leg->asked_by,
				       .dialog = leg->dialog,
				       .contact = true,
				       .headers = headers,
				       .content_type = APPLICATION_SDP,
				       .body = body,
				       .fn = on_response,
				       .context = leg};

	return ua_request_send(&leg->request, leg->call->ua, &spec);
}

int ua_leg_invite(struct ua_leg *leg, struct ua_network *network, enum sdp_direction direction,
		  struct str headers, ua_leg_fn *fn, void *context)
{
	struct buf offer = BUF_EMPTY;
	bool late = leg->state == UA_LEG_CALLING && leg->call->ua->options->late && !leg->standby;
	int ret = 0;

	if (leg->request || leg->incoming || leg->state == UA_LEG_ENDING)
		return -EBUSY;
	leg->asked_by = network;
	if (!late)
		ret = ua_leg_write_offer(leg, network, direction, &offer);
	if (!ret)
		ret = invite(leg, headers, buf_str(&offer));
	if (ret)
		oa_abandon(&leg->oa);
	leg->fn = ret ? NULL : fn;
	leg->context = context;
	buf_free(&offer);
	return ret;
}

/* ---- BYE ------------------------------------------------------------------------------------- */

static void on_bye(void *context, int status, struct sip_message *response)
{
	if (status >= 200)
		finish(context, status, response);
}

static int bye(struct ua_leg *leg, struct ua_network *network)
{
	const struct ua_request_spec spec = {.method = SIP_BYE,
					     .network = network,
					     .dialog = leg->dialog,
					     .fn = on_bye,
					     .context = leg};

	ua_request_free(leg->request);
	leg->request = NULL;
	leg->state = UA_LEG_ENDING;
	return ua_request_send(&leg->request, leg->call->ua, &spec);
}

int ua_leg_end(struct ua_leg *leg, struct ua_network *network, ua_leg_fn *fn, void *context)
{
	leg->fn = fn;
	leg->context = context;
	switch (leg->state) {
	case UA_LEG_UP:
	case UA_LEG_ENDING: /* by another network, when the first BYE found no way */
		return bye(leg, network);
	case UA_LEG_CALLING:
		if (!leg->request)
			return -ENOENT;
		ua_request_cancel(leg->request); /* its 487 ends the leg */
		return 0;
	default:
		ua_leg_answer(leg, 480);
		return -ENOENT;
	}
}
