// SPDX-License-Identifier: BSD-2-Clause
#include "call/group.h"

/* ---- whom to try ----------------------------------------------------------------------------- */

/* PH-3: a further interface of the same device only when the better one could not be reached. */
static bool may_try(const struct target *target, size_t index)
{
	const struct target *this = &target[index];

	if (this->state != TARGET_NEW)
		return false;
	for (size_t i = 0; this->instance && i < index; i++) {
		const struct target *other = &target[i];

		if (other->instance && !strcmp(other->instance, this->instance) &&
		    other->state != TARGET_UNREACHED)
			return false;
	}
	return true;
}

static bool find_group(const struct target *target, size_t count, unsigned *q)
{
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		if (!may_try(target, i))
			continue;
		if (!found || target[i].q > *q)
			*q = target[i].q;
		found = true;
	}
	return found;
}

bool group_has_more(const struct target *target, size_t count)
{
	unsigned q = 0;

	return find_group(target, count, &q);
}

size_t group_next(struct target *target, size_t count, size_t index[CALL_TARGETS])
{
	size_t found = 0;
	unsigned q = 0;

	if (!find_group(target, count, &q))
		return 0;
	/* Chosen before the first one counts as tried: that changes who may be. */
	for (size_t i = 0; i < count && found < CALL_TARGETS; i++)
		if (target[i].q == q && may_try(target, i))
			index[found++] = i;
	for (size_t i = 0; i < found; i++)
		target[index[i]].state = TARGET_TRIED;
	return found;
}

/* Not there, rather than not willing (RFC 5626 7). */
void group_refused(struct target *target, int status)
{
	bool unreached = status == 408 || status == 430 || status == 503;

	target->state = unreached ? TARGET_UNREACHED : TARGET_TRIED;
}

/* ---- what it comes to ------------------------------------------------------------------------ */

/* Of the answers that are no 2xx the one to pass on (RFC 3261 16.7 step 6). */
static bool is_better(int status, int best)
{
	static const int preferred[] = {401, 407, 415, 420, 484};

	if (!best || status >= 600)
		return true;
	if (best >= 600)
		return false;
	if (status / 100 != best / 100)
		return status / 100 < best / 100;
	for (size_t i = 0; i < sizeof(preferred) / sizeof(preferred[0]); i++) {
		if (best == preferred[i])
			return false;
		if (status == preferred[i])
			return true;
	}
	/* A timer of ours says less than what somebody said. */
	return best == 408;
}

/* What B asks of us, and cannot be A's business. */
static int status_for_caller(int status)
{
	switch (status) {
	case 401:
	case 407:
		return 403; /* the trunk or the foreign domain does not know us */
	case 422:
		return 480; /* a timer that not even we could grant */
	default:
		return status < 400 ? 480 : status;
	}
}

void group_judge(struct group_best *best, int status, struct sip_message *message)
{
	status = status_for_caller(status);
	if (!is_better(status, best->status))
		return;
	sip_message_unref(best->message);
	best->message = message ? sip_message_ref(message) : NULL;
	best->status = status;
}
