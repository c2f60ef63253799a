// SPDX-License-Identifier: BSD-2-Clause
#include "receive.h"

#include "call.h"
#include "way.h"

static struct ua_network *network_of(struct ua *ua, const struct sip_flow *flow)
{
	for (size_t i = 0; i < ua->networks; i++) {
		if (netaddr_eq(&ua->network[i].sip, &flow->local))
			return &ua->network[i];
	}
	return NULL;
}

static struct ua_leg *leg_of(struct ua *ua, const struct sip_message *message)
{
	struct sip_dialog *dialog = sip_dialog_of(sip_stack_dialogs(ua->stack), message);

	return dialog ? dialog->owner : NULL;
}

/* What the request requires and we have not (RFC 3261 8.2.2.3), as a list. */
static void unsupported(struct ua *ua, const struct sip_message *request, struct buf *out)
{
	size_t cursor = 0;

	for (struct str token; sip_header_list(request, "Require", &cursor, &token);) {
		if (str_case_eq(token, STR("replaces")) || str_case_eq(token, STR("100rel")) ||
		    (str_case_eq(token, STR("handover")) && ua->options->accept_handover))
			continue;
		buf_add(out, out->len ? STR(", ") : STR("Unsupported: "));
		buf_add(out, token);
	}
	if (out->len)
		buf_add(out, STR("\r\n"));
}

static void receive_bye(struct ua *ua, struct sip_server_tx *tx, struct ua_leg *leg)
{
	ua_refuse(ua, tx, 200, STR_NONE);
	ua_call_receive_bye(leg);
}

static void in_dialog(struct ua *ua, struct sip_server_tx *tx, struct sip_message *request,
		      struct ua_leg *leg)
{
	if (request->method == SIP_BYE) {
		receive_bye(ua, tx, leg);
	} else if (leg->state == UA_LEG_ENDING) {
		ua_refuse(ua, tx, 481, STR_NONE);
	} else if (request->method == SIP_PRACK) {
		ua_refuse(ua, tx, ua_leg_receive_prack(leg, request), STR_NONE);
	} else if (request->method == SIP_INVITE || request->method == SIP_UPDATE) {
		ua_leg_receive_offer(leg, tx, request);
	} else if (request->method == SIP_INFO || request->method == SIP_NOTIFY ||
		   request->method == SIP_MESSAGE || request->method == SIP_OPTIONS) {
		ua_refuse(ua, tx, 200, STR_NONE);
	} else {
		ua_refuse(ua, tx, 405, STR("Allow: " UA_ALLOW "\r\n"));
	}
}

static void outside(struct ua *ua, struct sip_server_tx *tx, struct sip_message *request)
{
	struct ua_network *network = network_of(ua, &request->flow);

	if (request->method == SIP_INVITE && network)
		ua_call_receive(ua, network, tx, request);
	else if (request->method == SIP_OPTIONS || request->method == SIP_MESSAGE)
		ua_refuse(ua, tx, 200, STR("Allow: " UA_ALLOW "\r\nAccept: application/sdp\r\n"));
	else if (request->method == SIP_BYE || request->method == SIP_UPDATE ||
		 request->method == SIP_PRACK || request->method == SIP_INFO ||
		 request->method == SIP_NOTIFY)
		ua_refuse(ua, tx, 481, STR_NONE);
	else
		ua_refuse(ua, tx, 405, STR("Allow: " UA_ALLOW "\r\n"));
}

static void on_request(void *context, struct sip_server_tx *tx, struct sip_message *request)
{
	struct ua *ua = context;
	struct ua_leg *leg = leg_of(ua, request);
	struct buf missing = BUF_EMPTY;

	unsupported(ua, request, &missing);
	if (missing.len)
		ua_refuse(ua, tx, 420, buf_str(&missing));
	else if (leg)
		in_dialog(ua, tx, request, leg);
	else if (request->to_tag.n)
		ua_refuse(ua, tx, 481, STR_NONE);
	else
		outside(ua, tx, request);
	buf_free(&missing);
}

static void on_ack(void *context, struct sip_message *ack)
{
	struct ua_leg *leg = leg_of(context, ack);

	if (leg)
		ua_leg_receive_ack(leg, ack);
}

static void on_stray(void *context, struct sip_message *response)
{
	struct ua_leg *leg = leg_of(context, response);

	if (leg && response->method == SIP_INVITE && response->status >= 200 &&
	    response->status < 300)
		ua_leg_repeat_ack(leg);
}

static void on_closed(void *context, const struct sip_flow *flow)
{
	ua_way_lost(context, flow);
}

const struct sip_stack_handlers ua_stack_handlers = {
	.request = on_request, .ack = on_ack, .stray = on_stray, .closed = on_closed};
