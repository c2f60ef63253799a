/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls: the B2BUA. A call has two sides, A and B; a side has one leg (a SIP dialog) or, during a
 * handover, several. Media is anchored in the relay before the SIP that tells of it leaves ("map
 * first").
 */
#ifndef SEGUE_CALL_H
#define SEGUE_CALL_H

#include <jansson.h>

#include "config.h"
#include "registrar/registrar.h"

struct calls; /* all calls of a worker */
struct media; /* the room that speaks to the relay: call/media.h */

int calls_alloc(struct calls **out, struct sip_stack *stack, struct registrar *registrar,
		struct location *location, struct store *store, struct media *media,
		struct log *log, const struct config *config, struct error *err);
void calls_free(struct calls *calls);
/* Takes other limits, trunks and timers over; calls that exist are left alone. */
void calls_reconfigure(struct calls *calls, const struct config *config);
/* Of a store that another segued may have open. -EPROTO: its journal has calls of a version that
 * writes them in another form, or it is of a later one. */
int calls_check(const char *url, struct error *err);
/* Calls of the journal, as far as the relay still has their streams; the rest is collected.
 * -ENOMEM: not all of them; -EPROTO: some are of a version that writes them in another form: relay
 * and journal are as before, for the next start. */
int calls_adopt(struct calls *calls, struct error *err);

/* Every request but REGISTER; ACK of a 2xx; responses of no transaction; connections that ended. */
void calls_receive(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request);
void calls_receive_ack(struct calls *calls, struct sip_message *ack);
void calls_receive_stray(struct calls *calls, struct sip_message *response);
/* Every message on the wire, for the stories of the calls. The id of its call; empty: of none yet.
 */
struct str calls_seen(struct calls *calls, const struct sip_seen *seen);
/* Only the id. */
struct str calls_id_of(const struct calls *calls, const struct sip_seen *seen);

/* New calls are refused (503) from now on; `drained` is called when the last one is over. */
void calls_drain(struct calls *calls, void (*drained)(void *context), void *context);

/* ---- for the operator
 * ----------------------------------------------------------------------------- */

size_t calls_count(const struct calls *calls);

enum calls_refusal {
	CALLS_REFUSED_MOST,	  /* calls.most, or segued is to end */
	CALLS_REFUSED_SUBSCRIBER, /* calls.subscriber_most */
	CALLS_REFUSED_TRUNK,	  /* trunks[].most */
	CALLS_REFUSED_BARRED,	  /* calls.barred */
	CALLS_REFUSED_FOREIGN,	  /* calls.foreign */
	CALLS_REFUSALS
};

/* New calls, transfers and redirections that a limit kept from being, since we began. */
uint64_t calls_refused(const struct calls *calls, enum calls_refusal reason);
const char *calls_refusal_name(enum calls_refusal reason);
/* The legs that a trunk has now: during a handover of its own a call has two. */
size_t calls_at_trunk(const struct calls *calls, struct str trunk);
/*
 * An array of short objects; the caller's reference. The newest `most` (1000 at most), the newest
 * one first; 0: all of them, in no order. NULL: out of memory.
 */
json_t *calls_list(struct calls *calls, size_t most);
/* Calls that are over and whose story is still there, the last one first; else the same. */
json_t *calls_list_ended(struct calls *calls, size_t most);
/*
 * One call in full: sides, legs, streams, and its story: parties, steps. Of one that is over only
 * its story. NULL: there is none of that id.
 */
json_t *calls_show(struct calls *calls, struct str id);
#define CALLS_HANDOVER_SCHEMES 6u
#define CALLS_HANDOVER_STATES 6u
#define CALLS_HANDOVER_BOUNDS 9u

/* Of all handovers that are over, since we began. */
struct calls_handover_figures {
	uint64_t ended[CALLS_HANDOVER_SCHEMES][CALLS_HANDOVER_STATES];
	/* From the request's arrival to the changed map, by the first bound that is not less (the
	 * last one: none is); those whose media goes past the relay, or failed, have no time. */
	uint64_t changed[CALLS_HANDOVER_BOUNDS + 1];
	uint64_t changed_ns; /* the sum */
};

extern const uint64_t calls_handover_bound_ns[CALLS_HANDOVER_BOUNDS];
const struct calls_handover_figures *calls_handover_figures(const struct calls *calls);
/* How many run now. */
size_t calls_handovers_running(const struct calls *calls);
/* By index; NULL: no handover ends like that. */
const char *calls_handover_scheme(size_t index);
const char *calls_handover_outcome(size_t index);
/* The handovers that run and the last reports, of all calls; `most` as above. */
json_t *calls_handovers(struct calls *calls, size_t most);
/* ... of one call. NULL: there is none of that id. */
json_t *calls_handovers_of(struct calls *calls, struct str id);
/*
 * Begins one: the party's other contact is sent an INVITE with Replaces. 0: it is on its way.
 * -ENOENT no such call, -ESRCH neither party is registered from a second network, -EBUSY something
 * else runs.
 */
int calls_handover_start(struct calls *calls, struct str id);
/*
 * Ends the handover that runs in the call, with a BYE to the old leg (`keep_new`) or to the new
 * one. -ENOENT no such call, -EAGAIN none runs there.
 */
int calls_handover_end(struct calls *calls, struct str id, bool keep_new);
/* Ends it: BYE (or CANCEL, 487) to both, with a Reason. -ENOENT. */
int calls_end(struct calls *calls, struct str id, struct str reason);

#endif
