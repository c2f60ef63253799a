// SPDX-License-Identifier: BSD-2-Clause
#include "ops/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define COMPLAINTS_MS 1000u /* bans are told of so often at most */

struct guard {
	struct limit *limit;
	struct media *media;
	struct log *log;
	const struct config *config;
	uint64_t banned[GUARD_CAUSES];
	uint64_t told_ms;
	unsigned untold; /* bans since then */
};

static const char *const causes[GUARD_CAUSES] = {"flood", "password", "garbage",
						 "slow",  "agent",    "operator"};

const char *guard_cause_name(enum guard_cause cause)
{
	return causes[cause];
}

uint64_t guard_banned(const struct guard *guard, enum guard_cause cause)
{
	return guard->banned[cause];
}

int guard_alloc(struct guard **out, struct limit *limit, struct media *media, struct log *log)
{
	static const struct config none;
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return -ENOMEM;
	guard->limit = limit;
	guard->media = media;
	guard->log = log;
	guard->config = &none;
	*out = guard;
	return 0;
}

void guard_free(struct guard *guard)
{
	free(guard);
}

int guard_set(struct guard *guard, const struct config *config, struct error *err)
{
	guard->config = config;
	limit_set_offences(guard->limit, config->ban.offences, config->ban.window * 1000);
	return media_guard(guard->media, config, err);
}

/* ---- who may be banned, and how long -----------------------------------------------------------
 */

static bool is_allowed(const struct guard *guard, const struct netaddr *source)
{
	const struct config *config = guard->config;

	for (size_t i = 0; i < config->trunks; i++) {
		if (netaddr_in_prefix(source, &config->trunk[i].source, config->trunk[i].prefix))
			return true;
	}
	for (size_t i = 0; i < config->ban.allows; i++) {
		if (netaddr_in_prefix(source, &config->ban.allow[i].at, config->ban.allow[i].bits))
			return true;
	}
	return false;
}

/* 0: not at all. */
static unsigned seconds_for(const struct guard *guard, const struct sip_flow *flow)
{
	if (is_allowed(guard, &flow->remote))
		return 0;
	if (sip_proto_is_stream(flow->proto))
		return guard->config->ban.time;
	return limit_is_known(guard->limit, &flow->remote, wheel_now_ms())
		       ? 0
		       : guard->config->ban.udp_time;
}

/* ---- banning --------------------------------------------------------------------------------- */

/* A flood from many sources must not become a flood of lines. */
static void tell(struct guard *guard, const struct sip_flow *flow, enum guard_cause cause,
		 unsigned seconds)
{
	uint64_t now_ms = wheel_now_ms();
	char text[NETADDR_STRLEN];

	guard->untold++;
	if (guard->told_ms && now_ms - guard->told_ms < COMPLAINTS_MS)
		return;
	log_warning(guard->log, NULL,
		    "%s is banned for %u s: %s over %s (sip.ban; %u since the last line)",
		    netaddr_format_host(&flow->remote, text), seconds, causes[cause],
		    sip_proto_parameter(flow->proto), guard->untold);
	guard->told_ms = now_ms;
	guard->untold = 0;
}

static void ban(struct guard *guard, const struct sip_flow *flow, enum guard_cause cause)
{
	unsigned seconds = seconds_for(guard, flow);
	struct error err = {""};

	if (!seconds)
		return;
	if (media_ban(guard->media, &flow->remote, seconds * 1000ull, causes[cause], &err)) {
		log_debug(guard->log, NULL, "%s", err.text);
		return;
	}
	guard->banned[cause]++;
	tell(guard, flow, cause, seconds);
}

void guard_offend(struct guard *guard, const struct sip_flow *flow, enum guard_cause cause)
{
	enum limit_offence offence = cause == GUARD_FLOOD ? LIMIT_OVERRUN : LIMIT_WRONG;

	if (limit_offend(guard->limit, &flow->remote, offence, wheel_now_ms()))
		ban(guard, flow, cause);
}

void guard_proof(struct guard *guard, const struct sip_flow *flow, bool good)
{
	if (good)
		limit_prove(guard->limit, &flow->remote, wheel_now_ms(),
			    guard->config->max_expires * 1000ull);
	else
		guard_offend(guard, flow, GUARD_PASSWORD);
}

void guard_request(struct guard *guard, const struct sip_message *request)
{
	const struct config_ban *config = &guard->config->ban;
	struct str agent;

	if (!config->agents)
		return;
	agent = sip_header(request, "User-Agent", 0);
	for (size_t i = 0; i < config->agents; i++) {
		if (str_case_starts(agent, str_of(config->agent[i]))) {
			ban(guard, &request->flow, GUARD_AGENT);
			return;
		}
	}
}

int guard_ban(struct guard *guard, const struct netaddr *source, uint64_t for_ms, struct error *err)
{
	char text[NETADDR_STRLEN];
	int ret;

	if (is_allowed(guard, source))
		return error_set(err, -EPERM,
				 "%s is never banned: it is a trunk's, or in sip.ban.allow",
				 netaddr_format_host(source, text));
	ret = media_ban(guard->media, source, for_ms, causes[GUARD_OPERATOR], err);
	if (!ret)
		guard->banned[GUARD_OPERATOR]++;
	return ret;
}

int guard_unban(struct guard *guard, const struct netaddr *source, struct error *err)
{
	return media_unban(guard->media, source, err);
}
