// SPDX-License-Identifier: BSD-2-Clause
/* The far end of somebody who moves: an INVITE that joins a leg (Handover), or replaces it. */
#include <errno.h>

#include "move.h"

struct named {
	struct str call_id, to_tag, from_tag;
	bool replaces;
};

bool ua_move_is_leg(const struct sip_message *request)
{
	return sip_has_header(request, "Handover") || sip_has_header(request, "Replaces");
}

/* It answers to each leg, and a device may have no more to give (HH-9). */
static bool has_room(const struct ua *ua)
{
	unsigned legs = 0;

	if (!ua->call)
		return true;
	list_for_each(node, after, &ua->call->legs) legs++;
	return legs < ua->options->legs;
}

/* "callid;to-tag=a;from-tag=b" (HH-1, RFC 3891 6.1). 0 or the status to refuse it with. */
static int read_header(struct named *out, const struct sip_message *request)
{
	struct str handover = sip_header(request, "Handover", 0);
	struct str replaces = sip_header(request, "Replaces", 0);
	struct str value = handover.p ? handover : replaces, params;
	size_t semicolon = str_index(value, ';');

	if ((handover.p && replaces.p) || sip_header(request, "Handover", 1).p ||
	    sip_header(request, "Replaces", 1).p)
		return 400;
	out->replaces = replaces.p;
	out->call_id = str_trim((struct str){value.p, semicolon});
	params = (struct str){value.p + semicolon, value.n - semicolon};
	if (!out->call_id.n || !sip_param(params, "to-tag", &out->to_tag) ||
	    !sip_param(params, "from-tag", &out->from_tag))
		return 400;
	return 0;
}

static int find_leg(struct ua_leg **out, struct ua *ua, const struct named *named)
{
	struct sip_dialog *dialog = sip_dialog_find(sip_stack_dialogs(ua->stack), named->call_id,
						    named->to_tag, named->from_tag);
	struct ua_leg *leg = dialog ? dialog->owner : NULL;

	if (!leg || !ua->call || leg->call != ua->call || leg->state != UA_LEG_UP)
		return 481;
	*out = leg;
	return 0;
}

static void on_replaced(void *context, int status, struct sip_message *response)
{
	struct ua_leg *leg = context;

	(void)status;
	(void)response;
	ua_call_drop(leg->call, leg, "replaced");
}

static int add_leg(struct ua_leg *old, struct ua_network *network, bool replaces,
		   struct sip_server_tx *tx, struct sip_message *request)
{
	struct ua_call *call = old->call;
	struct ua_leg *leg;

	if (ua_leg_accept(&leg, call, network, tx, request))
		return 500;
	leg->wanted = old->wanted;
	ua_event(call->ua, "joined",
		 json_pack("{s:s, s:s}", "call_id", leg->dialog->call_id, "by",
			   replaces ? "Replaces" : "Handover"));
	/* Where it cannot be, it is refused, and the old one goes on. */
	if (ua_leg_answer(leg, 200) == 200 && replaces &&
	    ua_leg_end(old, old->network, on_replaced, old))
		ua_call_drop(call, old, "replaced");
	return 0;
}

void ua_move_receive(struct ua *ua, struct ua_network *network, struct sip_server_tx *tx,
		     struct sip_message *request)
{
	struct named named;
	struct ua_leg *old = NULL;
	int status = read_header(&named, request);

	if (!status && !named.replaces && (!ua->options->accept_handover || !has_room(ua))) {
		ua_refuse(ua, tx, 420, STR("Unsupported: handover\r\n"));
		return;
	}
	if (!status)
		status = find_leg(&old, ua, &named);
	if (!status)
		status = add_leg(old, network, named.replaces, tx, request);
	if (status)
		ua_refuse(ua, tx, status, STR_NONE);
}
