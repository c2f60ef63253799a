/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CN-assisted calls (HH-5 to HH-11): where caller and callee both know the Handover extension,
 * their media goes past the relay. The session descriptions cross untouched, we stay in the
 * signalling, and when a party moves it is the far end that duplicates: it gets the mover's INVITE,
 * with the identifiers of its own leg.
 */
#ifndef SEGUE_CALL_ASSIST_H
#define SEGUE_CALL_ASSIST_H

#include "call/handover.h"

/* ---- assist.c: is it one? ----------------------------------------------------------------------
 */

/* Shall the callee at that target be asked, with the caller's offer as it is? */
bool assist_wanted(const struct call *call, const struct target *target);
/* Does what is said to this leg's party cross untouched? */
bool assist_is_untouched(const struct leg *to);
/* The callee's 420: true when the INVITE went out again without the tag (HH-6, HH-7, HH-9). */
bool assist_goes_without(struct attempt *attempt, const struct sip_message *response);
/* The callee answered: what it can do is remembered (HH-8), and the call is one, or is none. */
void assist_answered(struct leg *leg, const struct sip_message *response);
/* Both legs of each pair speak with each other. */
void assist_pair(struct leg *a, struct leg *b);
/* After a restart: the first leg of one side with the first of the other, and so on. */
void assist_pair_all(struct call *call);
/*
 * A BYE for one of several pairs: it crosses to the other leg of the pair, and the call goes on.
 * False: it is the last one, or not such a call.
 */
bool assist_bye(struct leg *leg, struct sip_server_tx *tx, const struct sip_message *request);
/* Says BYE to both legs of a pair, of which there are others. */
void assist_turn_away(struct leg *leg, struct str reason);

/* ---- assist_cache.c: who knows the extension (HH-8) ---------------------------------------------
 */

#define ASSIST_KNOWN_MS 3600000u

enum assist_known { ASSIST_UNKNOWN, ASSIST_KNOWS, ASSIST_KNOWS_NOT };

struct assist_cache;
int assist_cache_alloc(struct assist_cache **out, const struct hash_seed *seed);
void assist_cache_free(struct assist_cache *cache); /* NULL is fine */
void assist_cache_put(struct assist_cache *cache, struct str device, bool knows);
enum assist_known assist_cache_find(const struct assist_cache *cache, struct str device);

/* ---- assist_move.c: a party of such a call moves (HH-11) ----------------------------------------
 */

/* Is the INVITE with Join for a dialog of such a call? The far end may do what a relay cannot. */
bool assist_may_join(const struct leg *leg);
/* The INVITE, which was sent by the leg's own user: it goes on to the far end, and is answered. */
void assist_receive(struct leg *old, struct sip_server_tx *tx, struct sip_message *request,
		    enum handover_scheme scheme);
/* What the far end says to it (see attempt_join). */
void assist_response(struct assist *assist, struct sip_message *response);
void assist_failed(struct assist *assist, int status);
/* The call or the leg is over: what waits is answered `status`. NULL is fine. */
void assist_free(struct assist *assist, int status);

#endif
