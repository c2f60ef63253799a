// SPDX-License-Identifier: BSD-2-Clause
/*
 * Requests outside dialogs that are for somebody else and make none (SG-8, SG-13): they go on as
 * requests of ours to each contact, as an INVITE would (group.h), and one answer comes back: the
 * first 2xx, or the best of what else was said. OPTIONS to ourselves is answered here (SG-6).
 */
#include "call/group.h"

#include <errno.h>
#include <stdlib.h>

/* For contacts to answer before those of less q are asked, too: who asks waits 32 s (timer F). */
#define PASS_GROUP_MS 8000u

/* ---- OPTIONS ----------------------------------------------------------------------------------
 */

static void answer_options(struct calls *calls, struct sip_server_tx *tx)
{
	struct buf *extra = &calls->extra;

	buf_reset(extra);
	headers_allow(extra);
	buf_add(extra, STR("Accept: application/sdp\r\n"));
	headers_supported(extra, true);
	respond_plain(calls, tx, 200, NULL, buf_str(extra));
}

static bool is_for_us(struct calls *calls, const struct sip_message *request)
{
	return request->method == SIP_OPTIONS && !request->uri.user.n &&
	       registrar_is_ours(calls->registrar, &request->uri);
}

/* ---- the object -------------------------------------------------------------------------------
 */

/* The request, as one contact has got it. */
struct branch {
	struct list link; /* pass.branches */
	struct pass *pass;
	size_t target;
	struct sip_client_tx *out; /* NULL: answered */
	struct sip_dialog *dialog; /* only for writing the request */
};

/* One that is still asked may answer in vain: what is no INVITE cannot be cancelled. */
static void branch_free(struct branch *branch)
{
	list_remove(&branch->link);
	if (branch->out)
		sip_client_tx_forget(branch->out);
	sip_dialog_free(branch->dialog);
	free(branch);
}

void pass_free(struct pass *pass)
{
	timer_stop(&pass->timer);
	list_remove(&pass->link);
	pass->calls->pass_count--;
	list_for_each(node, after, &pass->branches)
		branch_free(container_of(node, struct branch, link));
	if (pass->in)
		sip_server_tx_forget(pass->in);
	targets_free(pass->target, pass->targets);
	sip_message_unref(pass->best.message);
	free(pass);
}

/* ---- the answer -------------------------------------------------------------------------------
 */

static void answer(struct pass *pass, int status, const struct sip_message *response)
{
	struct calls *calls = pass->calls;
	struct buf *text = &calls->text;
	char tag[SIP_TOKEN_LEN];

	sip_token(calls->stack, tag);
	buf_reset(text);
	sip_write_response(text, sip_server_tx_request(pass->in), status, sip_reason(status),
			   str_of(tag), false);
	if (response)
		headers_pass(response, text);
	sip_write_body(text, response ? response->content_type : STR_NONE,
		       response ? response->body : STR_NONE);
	if (buf_error(text))
		sip_server_tx_reply(pass->in, 500, sip_reason(500), str_of(tag), STR_NONE);
	else
		sip_server_tx_send(pass->in, buf_str(text));
	pass->in = NULL;
	pass_free(pass);
}

static void try_group(struct pass *pass);

/* The contact did not take it; may free the pass. */
static void branch_over(struct branch *branch, int status, struct sip_message *response)
{
	struct pass *pass = branch->pass;

	branch->out = NULL;
	group_refused(&pass->target[branch->target], status);
	group_judge(&pass->best, status, response);
	branch_free(branch);
	if (status >= 600)
		answer(pass, pass->best.status, pass->best.message);
	else if (list_empty(&pass->branches))
		try_group(pass);
}

static void on_response(void *context, struct sip_message *response)
{
	struct branch *branch = context;

	if (response->status < 200)
		return;
	if (response->status >= 300) {
		branch_over(branch, response->status, response);
		return;
	}
	branch->out = NULL;
	answer(branch->pass, response->status, response);
}

static void on_failure(void *context, int status)
{
	branch_over(context, status, NULL);
}

static const struct sip_client_tx_handlers branch_handlers = {on_response, on_failure};

/* ---- the way through ---------------------------------------------------------------------------
 */

static int make_dialog(struct branch *branch, const struct target *target,
		       const struct sip_message *request)
{
	struct calls *calls = branch->pass->calls;
	char call_id[SIP_TOKEN_LEN], tag[SIP_TOKEN_LEN];
	int ret;

	sip_token(calls->stack, call_id);
	sip_token(calls->stack, tag);
	ret = target_parties(calls, request, &calls->sdp, &calls->extra);
	if (ret)
		return ret;
	ret = sip_dialog_create(&branch->dialog, calls->dialogs, str_of(call_id), str_of(tag),
				buf_str(&calls->sdp), buf_str(&calls->extra), str_of(target->uri));
	if (ret)
		return ret;
	branch->dialog->max_forwards = request->max_forwards - 1;
	return target_aim(target, branch->dialog);
}

static int send_on(struct branch *branch, const struct sip_message *request)
{
	struct pass *pass = branch->pass;
	struct buf *text = &pass->calls->text;
	struct sip_outgoing outgoing = {.method = request->method,
					.method_name = request->method_name};
	int ret = make_dialog(branch, &pass->target[branch->target], request);

	if (ret)
		return ret;
	buf_reset(text);
	sip_dialog_write(branch->dialog, text, request->method_name, 0);
	headers_pass(request, text);
	outgoing.contact = request->method == SIP_SUBSCRIBE || request->method == SIP_NOTIFY ||
			   request->method == SIP_REFER;
	sip_write_body(text, request->content_type, request->body);
	if (buf_error(text))
		return buf_error(text);
	outgoing.text = buf_str(text);
	sip_dialog_aim(branch->dialog, &outgoing);
	return sip_client_send(pass->calls->stack, &outgoing, &branch_handlers, branch,
			       &branch->out);
}

static int branch_start(struct pass *pass, size_t target)
{
	struct branch *branch = calloc(1, sizeof(*branch));
	int ret;

	if (!branch)
		return -ENOMEM;
	branch->pass = pass;
	branch->target = target;
	list_append(&pass->branches, &branch->link);
	ret = send_on(branch, sip_server_tx_request(pass->in));
	if (ret)
		branch_free(branch);
	return ret;
}

/* Those who were asked before may still answer, and the first 2xx of all counts. */
static void group_over(void *context)
{
	try_group(context);
}

/* The next group, or the answer if nobody is left to be waited for; may free the pass. */
static void try_group(struct pass *pass)
{
	size_t index[CALL_TARGETS], count, started = 0;

	while (!started && (count = group_next(pass->target, pass->targets, index))) {
		for (size_t i = 0; i < count; i++) {
			if (!branch_start(pass, index[i]))
				started++;
			else
				group_judge(&pass->best, 500, NULL);
		}
	}
	if (list_empty(&pass->branches))
		answer(pass, pass->best.status, pass->best.message);
	else if (group_has_more(pass->target, pass->targets))
		timer_start(pass->calls->wheel, &pass->timer, PASS_GROUP_MS, group_over, pass);
}

/* Takes the targets over. */
static void begin(struct calls *calls, struct sip_server_tx *tx, struct target *target,
		  size_t targets)
{
	struct pass *pass = calls->pass_count < PASSES ? calloc(1, sizeof(*pass)) : NULL;

	if (!pass) {
		targets_free(target, targets);
		respond_plain(calls, tx, 503, NULL, STR("Retry-After: 10\r\n"));
		return;
	}
	pass->calls = calls;
	pass->in = tx;
	pass->target = target;
	pass->targets = targets;
	list_init(&pass->branches);
	list_append(&calls->passes, &pass->link);
	calls->pass_count++;
	try_group(pass);
}

static void route(struct calls *calls, struct sip_server_tx *tx, const struct sip_message *request,
		  const struct identity *who)
{
	struct target *target;
	size_t targets;
	int status = route_find(calls, request, who, &target, &targets);

	if (status)
		respond_plain(calls, tx, status, NULL, STR_NONE);
	else
		begin(calls, tx, target, targets);
}

void pass_receive(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request)
{
	int status = invite_refusal(calls, request);
	struct buf aor = BUF_EMPTY;
	struct identity who;

	if (is_for_us(calls, request))
		answer_options(calls, tx);
	else if (status)
		respond_plain(calls, tx, status, NULL, STR_NONE);
	else if (!require_refused(calls, tx, request) &&
		 invite_identify(calls, tx, request, &aor, &who) &&
		 !redirect_serve(calls, tx, request)) {
		if (request->method == SIP_SUBSCRIBE)
			subscription_receive(calls, tx, request, &who);
		else
			route(calls, tx, request, &who);
	}
	buf_free(&aor);
}
