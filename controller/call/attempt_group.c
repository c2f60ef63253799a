// SPDX-License-Identifier: BSD-2-Clause
/* Which contacts of a callee are tried when, and what their refusals come to (SG-21, SG-22). */
#include "call/group.h"

#include <errno.h>

/* Nobody answered in time: those who still ring are cancelled. */
static void group_over(void *context)
{
	struct call *call = context;

	if (call->answering || call->change.waiting)
		return;
	call->best.status = call->best.status ? call->best.status : 480;
	while (!list_empty(&call->attempts)) {
		struct attempt *attempt = container_of(call->attempts.next, struct attempt, link);

		call->target[attempt->target].state = TARGET_TRIED;
		attempt_abandon(attempt, STR("SIP;cause=408"));
	}
	if (!attempt_next_group(call))
		call_refuse(call, call->best.status, call->best.message);
}

static void note_error(struct call *call, int error)
{
	int status = error == -EBADMSG || error == -EAFNOSUPPORT ? 488 : 503;

	log_info(call->calls->log, call->id, "INVITE not sent: %s", strerror(-error));
	if (!call->best.status)
		call->best.status = status;
}

bool attempt_next_group(struct call *call)
{
	size_t index[CALL_TARGETS], count, started = 0;

	while (!started && (count = group_next(call->target, call->targets, index))) {
		for (size_t i = 0; i < count; i++) {
			int ret = attempt_start(call, index[i]);

			if (!ret) {
				started++;
				continue;
			}
			group_refused(&call->target[index[i]], 503);
			note_error(call, ret);
		}
	}
	if (started)
		timer_start(call->calls->wheel, &call->timer,
			    group_has_more(call->target, call->targets) ? NEXT_GROUP_MS : SETUP_MS,
			    group_over, call);
	return started;
}

/* The attempt came to nothing; may end the call. */
void attempt_over(struct attempt *attempt, int status, struct sip_message *response)
{
	struct call *call = attempt->call;

	group_refused(&call->target[attempt->target], status);
	if (response && status / 100 == 3)
		redirect_follow(call->caller, &call->target, &call->targets, response);
	group_judge(&call->best, status, response);
	attempt_free(attempt);
	if (call->answering)
		return;
	if (status >= 600) {
		call_refuse(call, call->best.status, call->best.message);
		return;
	}
	if (list_empty(&call->attempts) && !attempt_next_group(call))
		call_refuse(call, call->best.status, call->best.message);
}
