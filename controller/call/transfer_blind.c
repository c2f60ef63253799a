// SPDX-License-Identifier: BSD-2-Clause
/*
 * A transfer to somebody who is not in a call with us: all contacts are tried as an INVITE of a
 * call tries them (group.h). The first 2xx wins, the others are cancelled; who answers all the same
 * gets ACK and BYE.
 */
#include "call/transfer.h"

#include <errno.h>
#include <stdlib.h>

/* ---- one INVITE ------------------------------------------------------------------------------ */

/* To, as the target of the REFER is called; From is the one who stays. */
static int make_dialog(struct leg *leg, const struct leg *stays, const struct target *target,
		       struct str to)
{
	struct calls *calls = leg->calls;
	char call_id[SIP_TOKEN_LEN], tag[SIP_TOKEN_LEN];
	struct sip_dialog *dialog;
	struct buf *remote = &calls->sdp;
	int ret;

	buf_reset(remote);
	buf_add_char(remote, '<');
	buf_add(remote, to);
	buf_add_char(remote, '>');
	if (buf_error(remote))
		return buf_error(remote);
	sip_token(calls->stack, call_id);
	sip_token(calls->stack, tag);
	ret = sip_dialog_create(&dialog, calls->dialogs, str_of(call_id), str_of(tag),
				str_of(stays->dialog->remote_uri), buf_str(remote),
				str_of(target->uri));
	if (ret)
		return ret;
	leg_take_dialog(leg, dialog);
	memcpy(dialog->contact_user, leg->call->id, sizeof(dialog->contact_user));
	return target_aim(target, dialog);
}

static int make_leg(struct refer *refer, const struct leg *stays, const struct target *target,
		    struct leg **out)
{
	struct leg *leg;
	int ret = leg_alloc(&leg, refer->call->calls, refer->call, refer->side);

	if (ret)
		return ret;
	ret = leg_take_party(leg, str_of(target->user), str_of(target->trunk));
	if (!ret)
		ret = make_dialog(leg, stays, target, str_of(refer->uri));
	if (!ret)
		ret = transfer_write_offer(leg, stays);
	if (ret)
		leg_free(leg);
	else
		*out = leg;
	return ret;
}

static int invite(struct refer *refer, size_t index)
{
	const struct leg *stays = refer->call->side[side_other(refer->side)].main;
	struct attempt *attempt;
	struct leg *leg;
	int ret = stays ? make_leg(refer, stays, &refer->target[index], &leg) : -ENOENT;

	if (!ret)
		ret = attempt_join(&attempt, leg, str_of(refer->extra), buf_str(&leg->calls->sdp),
				   NULL, refer);
	if (ret)
		return ret;
	attempt->target = index;
	list_append(&refer->attempts, &attempt->link);
	return 0;
}

/* ---- one group after the other --------------------------------------------------------------- */

static void abandon_all(struct refer *refer, struct str reason)
{
	while (!list_empty(&refer->attempts))
		attempt_abandon(container_of(refer->attempts.next, struct attempt, link), reason);
}

static void group_over(void *context);

/* False: nobody is left. */
static bool next_group(struct refer *refer)
{
	size_t index[CALL_TARGETS], count, started = 0;

	while (!started && (count = group_next(refer->target, refer->targets, index))) {
		for (size_t i = 0; i < count; i++) {
			int ret = invite(refer, index[i]);

			if (!ret)
				started++;
			else
				group_judge(&refer->best, change_status(ret), NULL);
		}
	}
	if (started)
		timer_start(refer->call->calls->wheel, &refer->timer,
			    group_has_more(refer->target, refer->targets) ? NEXT_GROUP_MS
									  : SETUP_MS,
			    group_over, refer);
	return started;
}

static void group_over(void *context)
{
	struct refer *refer = context;

	abandon_all(refer, STR("SIP;cause=408"));
	group_judge(&refer->best, 408, NULL);
	if (!next_group(refer))
		transfer_fail(refer, refer->best.status);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void refused(struct refer *refer, struct attempt *attempt, int status,
		    struct sip_message *response)
{
	group_refused(&refer->target[attempt->target], status);
	if (response && status / 100 == 3 && refer->from)
		redirect_follow(refer->from, &refer->target, &refer->targets, response);
	group_judge(&refer->best, status, response);
	attempt_free(attempt);
	if (status >= 600 || (list_empty(&refer->attempts) && !next_group(refer)))
		transfer_fail(refer, refer->best.status);
}

void transfer_response(struct attempt *attempt, struct sip_message *response)
{
	struct refer *refer = attempt->refer;
	struct leg *leg;

	if (response->status < 200) {
		transfer_notify(refer, response->status);
		return;
	}
	if (response->status >= 300) {
		attempt->tx = NULL;
		refused(refer, attempt, response->status, response);
		return;
	}
	leg = attempt_take(attempt, response);
	if (!leg)
		return; /* the 2xx comes again, and there may be memory then */
	refer->leg = leg;
	attempt_free(attempt);
	abandon_all(refer, STR("SIP;cause=200;text=\"Call completed elsewhere\""));
	transfer_answered(refer, response);
}

void transfer_unanswered(struct attempt *attempt, int status)
{
	refused(attempt->refer, attempt, status, NULL);
}

/* ---- the beginning and the end --------------------------------------------------------------- */

static void write_extra(struct buf *extra, const struct sip_message *request, struct str replaces)
{
	struct str by = sip_header(request, "Referred-By", 0);

	buf_reset(extra);
	headers_supported(extra, false);
	if (by.p)
		sip_write_header(extra, "Referred-By", by);
	if (replaces.n) /* a dialog that we do not know: the new party may */
		sip_write_header(extra, "Replaces", replaces);
}

int blind_start(struct refer *refer, struct sip_message *request, const struct wish *wish,
		const struct leg *stays)
{
	struct calls *calls = refer->call->calls;
	struct leg *from = refer->from;
	const struct config_trunk *trunk =
		from->trunk ? trunk_of(calls->config, &request->flow.remote) : NULL;
	struct identity who = {.aor = str_of(from->user), .trunk = trunk};
	int status =
		route_uri(calls, &wish->parsed, wish->uri, &who, &refer->target, &refer->targets);

	if (!status)
		status = admit_targets(calls, &who, refer->target, refer->targets);
	if (status)
		return status;
	if (!stays->oa.remote)
		return change_status(-EBADMSG);
	write_extra(&calls->extra, request, buf_str(&wish->replaces));
	refer->uri = str_dup(wish->uri);
	refer->extra = buf_error(&calls->extra) ? NULL : str_dup(buf_str(&calls->extra));
	if (!refer->uri || !refer->extra)
		return 500;
	return next_group(refer) ? 0 : refer->best.status;
}

void blind_free(struct refer *refer)
{
	abandon_all(refer, STR_NONE);
	targets_free(refer->target, refer->targets);
	sip_message_unref(refer->best.message);
	free(refer->uri);
	free(refer->extra);
}
