// SPDX-License-Identifier: BSD-2-Clause
/*
 * A callee that says where it is instead (3xx, RFC 3261 8.1.3.4): its contacts become further
 * targets of the call, each once, as many as a call may have. The caller hears nothing of it. They
 * are routed with the caller's rights: who may not call a place cannot be redirected there.
 */
#include "call/internal.h"

#include <errno.h>
#include <stdlib.h>

#define Q_FULL 1000u

static bool is_known(const struct target *target, size_t targets, const char *uri)
{
	for (size_t i = 0; i < targets; i++)
		if (!strcmp(target[i].uri, uri))
			return true;
	return false;
}

/* Takes what fits and is new over from `found`, whose texts it leaves empty. 0 or -ENOMEM. */
static int add_targets(struct target **target, size_t *targets, struct target *found, size_t count,
		       unsigned q)
{
	struct target *grown;

	for (size_t i = 0; i < count && *targets < CALL_TARGETS; i++) {
		if (is_known(*target, *targets, found[i].uri))
			continue;
		grown = realloc(*target, (*targets + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		*target = grown;
		grown[*targets] = found[i];
		grown[(*targets)++].q = q;
		found[i] = (struct target){0};
	}
	return 0;
}

/* 0.5 is 500; what cannot be read counts as 1. */
static unsigned q_of(struct str params)
{
	struct str value;
	unsigned q = 0;

	if (!sip_param(params, "q", &value) || !value.n || value.p[0] != '0')
		return Q_FULL;
	for (size_t i = 2, unit = 100;
	     i < value.n && unit && value.p[i] >= '0' && value.p[i] <= '9'; i++, unit /= 10)
		q += (unsigned)(value.p[i] - '0') * (unsigned)unit;
	return q;
}

static void add_contact(const struct leg *asker, struct str contact, struct target **target,
			size_t *targets)
{
	struct calls *calls = asker->calls;
	struct identity who = {.aor = str_of(asker->user)};
	struct sip_nameaddr address;
	struct target *found = NULL;
	struct sip_uri uri;
	size_t count = 0;

	if (asker->trunk)
		who.trunk = trunk_of(calls->config, &asker->dialog->flow.remote);
	if (sip_nameaddr_parse(&address, contact) || sip_uri_parse(&uri, address.uri) ||
	    route_uri(calls, &uri, address.uri, &who, &found, &count))
		return;
	if (!admit_targets(calls, &who, found, count) &&
	    add_targets(target, targets, found, count, q_of(address.params)))
		log_warning(calls->log, asker->call->id, "no memory to follow a redirection");
	targets_free(found, count);
}

void redirect_follow(const struct leg *who, struct target **target, size_t *targets,
		     const struct sip_message *response)
{
	size_t cursor = 0;
	struct str contact;

	while (who && sip_header_list(response, "Contact", &cursor, &contact))
		add_contact(who, contact, target, targets);
}
