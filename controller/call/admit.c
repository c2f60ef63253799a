// SPDX-License-Identifier: BSD-2-Clause
/*
 * May there be another call: in all, of that subscriber, at that trunk, to that number. What a
 * stolen password costs is held here; what a source may send is held by ops/limit.c.
 */
#include "call/internal.h"

#define COMPLAIN_MS 1000u

static const char *const reason_name[CALLS_REFUSALS] = {
	[CALLS_REFUSED_MOST] = "most",	     [CALLS_REFUSED_SUBSCRIBER] = "subscriber",
	[CALLS_REFUSED_TRUNK] = "trunk",     [CALLS_REFUSED_BARRED] = "barred",
	[CALLS_REFUSED_FOREIGN] = "foreign",
};

const char *calls_refusal_name(enum calls_refusal reason)
{
	return reason_name[reason];
}

uint64_t calls_refused(const struct calls *calls, enum calls_refusal reason)
{
	return calls->refused[reason];
}

/* Who keeps asking is one line a second; the figures have them all. */
void admit_refused(struct calls *calls, enum calls_refusal reason, const struct identity *who,
		   const char *why, struct str what)
{
	uint64_t now_ms = wheel_now_ms();
	struct str asker = who->trunk ? str_of(who->trunk->name) : who->aor;

	calls->refused[reason]++;
	if (calls->refusal_told_ms && now_ms - calls->refusal_told_ms < COMPLAIN_MS)
		return;
	calls->refusal_told_ms = now_ms;
	log_warning(calls->log, NULL, "a call of %.*s is refused: %s %.*s", STR_ARG(asker), why,
		    STR_ARG(what));
}

bool call_room(const struct calls *calls)
{
	return !calls->draining &&
	       (!calls->config->max_calls || calls->by_id.count < calls->config->max_calls);
}

/* Several entries of one name are one peer with several addresses: the first limit is its limit. */
static unsigned legs_most(const struct config *config, struct str trunk)
{
	for (size_t i = 0; i < config->trunks; i++)
		if (config->trunk[i].most && str_eq(str_of(config->trunk[i].name), trunk))
			return config->trunk[i].most;
	return 0;
}

static bool is_full(const struct calls *calls, struct str trunk)
{
	unsigned most = legs_most(calls->config, trunk);

	return most && tally_of(&calls->tally, TALLY_TRUNK, trunk) >= most;
}

size_t calls_at_trunk(const struct calls *calls, struct str trunk)
{
	return tally_of(&calls->tally, TALLY_TRUNK, trunk);
}

/*
 * A full trunk gets 503, by which it tries another way, but no Retry-After: the next call may end
 * in a moment. A subscriber gets 403, since another server of ours would say the same.
 */
bool admit_caller(struct calls *calls, struct sip_server_tx *tx, const struct identity *who)
{
	unsigned most = calls->config->subscriber_most;

	if (!call_room(calls)) {
		calls->refused[CALLS_REFUSED_MOST]++;
		respond_plain(calls, tx, 503, NULL, STR("Retry-After: 10\r\n"));
		return false;
	}
	if (who->trunk) {
		struct str trunk = str_of(who->trunk->name);

		if (!is_full(calls, trunk))
			return true;
		admit_refused(calls, CALLS_REFUSED_TRUNK, who, "no more legs (trunks[].most) at",
			      trunk);
		respond_plain(calls, tx, 503, NULL, STR_NONE);
		return false;
	}
	if (!most || tally_of(&calls->tally, TALLY_SUBSCRIBER, who->aor) < most)
		return true;
	admit_refused(calls, CALLS_REFUSED_SUBSCRIBER, who,
		      "no more calls (calls.subscriber_most) of", who->aor);
	respond_plain(calls, tx, 403, "Too Many Calls", STR_NONE);
	return false;
}

int admit_targets(struct calls *calls, const struct identity *who, const struct target *target,
		  size_t targets)
{
	for (size_t i = 0; i < targets; i++) {
		struct str trunk = str_of(target[i].trunk);

		if (!trunk.n || !is_full(calls, trunk))
			continue;
		admit_refused(calls, CALLS_REFUSED_TRUNK, who, "no more legs (trunks[].most) at",
			      trunk);
		return 503;
	}
	return 0;
}

bool admit_number(const struct calls *calls, struct str number)
{
	for (size_t i = 0; i < calls->config->barreds; i++)
		if (sip_number_starts(number, str_of(calls->config->barred[i])))
			return false;
	return true;
}
