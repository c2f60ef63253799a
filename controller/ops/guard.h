/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is banned, and for what: counts what sources do wrong (ops/limit.h remembers it) and lets the
 * relay's guard drop what comes from those who do it too often. Whoever writes our messages' source
 * addresses himself could have others banned, so what came over UDP costs less: a shorter ban, and
 * none for a source where a subscriber lately proved to be one.
 */
#ifndef SEGUE_OPS_GUARD_H
#define SEGUE_OPS_GUARD_H

#include "call/media.h"
#include "ops/limit.h"
#include "sip/stack.h"

enum guard_cause {
	GUARD_FLOOD,	/* goes on sending more than sip.limit allows */
	GUARD_PASSWORD, /* credentials that are nobody's */
	GUARD_GARBAGE,	/* messages that are none */
	GUARD_SLOW,	/* connections that say nothing */
	GUARD_AGENT,	/* a User-Agent that is not wanted (sip.ban.agents) */
	GUARD_OPERATOR, /* segue ban add */
	GUARD_CAUSES
};

struct guard;

/* `limit`, `media` and `log` must outlive *out; nothing counts before guard_set(). -ENOMEM. */
int guard_alloc(struct guard **out, struct limit *limit, struct media *media, struct log *log);
void guard_free(struct guard *guard); /* NULL is fine */
/* From now on this holds, for new offences; bans that there are stay. `config` must stay until it
 * is set anew. The sentence is of what could not be told to the kernel. */
int guard_set(struct guard *guard, const struct config *config, struct error *err);

void guard_offend(struct guard *guard, const struct sip_flow *flow, enum guard_cause cause);
/* Credentials were looked at. */
void guard_proof(struct guard *guard, const struct sip_flow *flow, bool good);
/* A request that is valid: bans its source at once where its User-Agent is not wanted. */
void guard_request(struct guard *guard, const struct sip_message *request);

/* By command. An allowed source is refused: -EPERM. `for_ms` UINT64_MAX: for ever. */
int guard_ban(struct guard *guard, const struct netaddr *source, uint64_t for_ms,
	      struct error *err);
/* -ENOENT: it is not banned. */
int guard_unban(struct guard *guard, const struct netaddr *source, struct error *err);

const char *guard_cause_name(enum guard_cause cause);
/* How many were banned for that since we started. */
uint64_t guard_banned(const struct guard *guard, enum guard_cause cause);

#endif
