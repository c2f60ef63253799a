/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of exchanges (exchange*.c) share. */
#ifndef SEGUE_CALL_EXCHANGE_H
#define SEGUE_CALL_EXCHANGE_H

#include "call/internal.h"

extern const struct sip_client_tx_handlers exchange_handlers;

/* `from` NULL: a request of ours; `to` NULL: answered by us. NULL: too many, or no memory. */
struct exchange *exchange_alloc(struct leg *from, struct leg *to, struct sip_server_tx *tx,
				enum sip_method method);
void exchange_free(struct exchange *exchange);
/* It is over: what waited behind it goes on; may end the call. */
void exchange_done(struct exchange *exchange);
/* 500 with Retry-After (RFC 3261 14.2). */
void exchange_refuse_for_now(struct leg *leg, struct sip_server_tx *tx);
/* The offer of a request. 0, or the request was answered. */
int exchange_take_offer(struct leg *leg, struct sip_server_tx *tx, struct str sdp);
/* A request that nobody asked us for, with that offer or none; again where it was refused for its
 * session timer. 0 or a negative errno. */
int exchange_send_own(struct exchange *exchange, struct str offer);
/* The request came to nothing: `response` says so, or NULL; may end the call. */
void exchange_refused(struct exchange *exchange, int status, struct sip_message *response);
/* The request of the one party to the other. 0 or a negative errno. */
int exchange_send_across(struct exchange *exchange, const struct sip_message *request,
			 struct str type, struct str body);
/* How the leg's party describes itself; before the answer that is its offer. Empty: it has not yet,
 * or there is no leg. */
struct str exchange_description(const struct leg *leg);
/* The party only moved: the relay follows, and we answer. */
void exchange_answer_move(struct exchange *exchange, struct sip_message *request);
static inline struct str exchange_body_type(struct str body)
{
	return body.n ? STR("application/sdp") : STR_NONE;
}
/* The leg's party has agreed to what the other one cannot have: offers it what held before. */
void exchange_put_back(struct leg *leg);
/* Carries the request on, with its offer as ours where it has one. */
void exchange_relay_offer(struct exchange *exchange, const struct sip_message *request);

#endif
