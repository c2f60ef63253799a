/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A party moves: a second leg joins its side, the relay sends to both and listens to both, later
 * one of them leaves (HH-10 to HH-16, SG-41). This is the handover that runs on a side, and the
 * report of it.
 */
#ifndef SEGUE_CALL_HANDOVER_H
#define SEGUE_CALL_HANDOVER_H

#include "call/internal.h"

#define HANDOVER_REPORTS 8u	/* of a call: the last ones */
#define HANDOVER_TAIL_MS 600u	/* after a path left: what drains is counted too (MP-16) */
#define HANDOVER_WATCH_MS 2000u /* after a path took over: its first packet may take a while */

enum handover_scheme {
	HANDOVER_HEADER,   /* INVITE with Handover */
	HANDOVER_REPLACES, /* INVITE with Replaces */
	HANDOVER_BACKUP,   /* a backup session is activated (PH-9) */
	HANDOVER_ADDRESS,  /* re-INVITE or UPDATE from a new address: hard (HH-17) */
	HANDOVER_REGISTER, /* followed a REGISTER */
	HANDOVER_OPERATOR, /* asked for on the control socket */
};

enum handover_state {
	HANDOVER_JOINING,  /* the relay waits for a next hop */
	HANDOVER_BOTH,	   /* both legs are up */
	HANDOVER_FINISHED, /* the old leg left */
	HANDOVER_ABORTED,  /* the new one did */
	HANDOVER_EXPIRED,  /* neither did in time: the better one was kept (HH-16) */
	HANDOVER_FAILED,   /* the new leg never came about */
};

/* CLOCK_MONOTONIC, ns; 0: did not happen (yet). */
struct handover_times {
	uint64_t requested, changed, answered, first_new, last_old, ended;
};

/* What the party of a side had sent. */
struct handover_count {
	uint64_t packets, duplicates;
	uint64_t reordered;		 /* first copies behind a later packet: they went on */
	uint64_t late;			 /* behind the window: they did not */
	uint32_t first_seq, highest_seq; /* lower 16 bits count */
	bool seen;			 /* there was a packet */
};

struct handover {
	struct list link; /* call.moves */
	struct call *call;
	enum sg_side side;
	enum handover_scheme scheme;
	enum handover_state state;
	struct leg *old, *fresh;      /* NULL once it is gone */
	struct timer timer;	      /* the window, then the tail */
	struct timer look;	      /* handover_trigger.c */
	struct sip_server_tx *invite; /* until it has its final answer */
	struct sip_message *request;  /* a reference, likewise */
	unsigned waiting;	      /* operations of the relay */
	int result;
	bool assisted;	   /* by the far end: nothing of it passes the relay */
	bool standby;	   /* the new leg is to stand by (PH-7): no handover yet */
	uint64_t began_ns; /* CLOCK_REALTIME */
	struct handover_times at;
	struct netaddr old_local, new_local; /* of the first stream's paths */
	unsigned new_slot;
	uint32_t old_seq; /* where the old path stood when it began, and when */
	uint64_t old_ns;
	struct handover_count before, after;
	double skew_ms; /* how much later the new path's copies come */
	bool counted;
};

/* The one that runs on that side; NULL: none. */
struct handover *handover_on(const struct call *call, enum sg_side side);
/* It began when `request` came to this machine; NULL: nobody asked us, and it begins now. */
struct handover *handover_begin(struct call *call, enum sg_side side, enum handover_scheme scheme,
				const struct sip_message *request);
bool handover_runs(const struct handover *handover);
/* Of a call that ends: what waits is answered 487. */
void handovers_free(struct call *call);
/* Out of the list; a new leg that is not up yet goes with it. */
void handover_free(struct handover *handover);
/* It is over: the window's timer ends, the report follows after HANDOVER_TAIL_MS. */
void handover_end(struct handover *handover, enum handover_state state);
/* It is over: counted among all (handover_figures.c). */
void handover_figure(const struct handover *handover);
const char *handover_scheme_name(enum handover_scheme scheme);
const char *handover_state_name(enum handover_state state);
uint64_t handover_clock_ns(void); /* CLOCK_MONOTONIC */

/* ---- handover_join.c: the second leg ----------------------------------------------------------
 */

/* Does the INVITE outside dialogs ask for one (Handover, Replaces, Join)? */
bool handover_asked(const struct sip_message *request);
/* Answers it, now or when the relay is done. */
void handover_receive(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request);
/* From where the relay comes in: its sender is the leg's own user. Answers it, now or later. */
void handover_start(struct leg *old, struct sip_server_tx *tx, struct sip_message *request,
		    enum handover_scheme scheme);

/*
 * Lets the leg, which has its ports and its answer, join the relay, and answers the INVITE (NULL:
 * it was ours, and is answered). With handover->result set already, it fails.
 */
void handover_join(struct handover *handover, struct leg *fresh, struct sip_server_tx *tx,
		   struct sip_message *request);

/* The new leg does not come about: all that it has is taken back, and its INVITE refused. */
void handover_fail(struct handover *handover, int status);

/* ---- handover_ask.c: one that we begin ---------------------------------------------------------
 */

/* 0; -ESRCH the party has no other contact, -EBUSY not now, or another negative errno. */
int handover_ask(struct call *call, enum sg_side side);
/* The call ends while the INVITE is on its way: a late 2xx gets ACK and BYE. */
void handover_ask_abandon(struct leg *leg);

/* ---- backup.c: the earlier scheme (PH-7 to PH-11) -----------------------------------------------
 */

/* An INVITE outside dialogs with the Call-ID of a leg that is up, which wants no media (yet)? */
bool backup_asked(const struct calls *calls, const struct sip_message *request);
void backup_receive(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request);
/*
 * The party's one leg has another address (HH-17). Nothing happens where none of its streams moves;
 * else the report begins, is told when the relay has done it, and ends after the answer.
 */
void handover_hard_begin(struct leg *leg, const struct sip_message *request);
void handover_hard_changed(struct leg *leg);
void handover_hard_end(struct leg *leg, int result);

/* A re-INVITE of a leg that stands by, its offer taken: the other networks take over from here. */
void backup_offered(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request);

/* ---- handover_trigger.c --------------------------------------------------------------------- */

/* Both legs are up: looks from now on whether the old path is still heard. */
void handover_trigger_start(struct handover *handover);
/* The relay says that the link of that path is down: its leg goes. May end the handover. */
void handover_link_down(struct handover *handover, unsigned slot);

/* ---- second_leg.c ------------------------------------------------------------------------------
 */

/* HH-4: whoever sends it must be the user of the leg. False: it was answered (401, 403). */
bool second_leg_is_owner(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request,
			 const struct leg *leg);
/* 0, or the status that it is refused with now, the call being as it is (488, 491, 503). */
int second_leg_obstacle(const struct calls *calls, const struct leg *leg, struct str offer);
void second_leg_refuse(struct calls *calls, struct sip_server_tx *tx, int status);
/* Its dialog and its offer, and no more. 0 or a negative errno. */
int second_leg_accept(struct leg **out, const struct leg *old, struct sip_message *request);
/*
 * A leg of old's side for the INVITE: its dialog, ports of its own, the answer agreed
 * (leg->oa.local). Not in the relay, not on its side. 0 or a negative errno (offer_status).
 */
int second_leg_make(struct leg **out, const struct leg *old, struct sip_message *request);
/* Its ports go back, as far as no stream has them. */
void second_leg_release(struct leg *leg);

/* ---- handover_leave.c: one of the two leaves ----------------------------------------------------
 */

/*
 * A BYE for a leg whose side has others: that leg leaves the relay, is answered 200 and freed.
 * False: it is not one of several, and the call ends.
 */
bool handover_bye(struct leg *leg, struct sip_server_tx *tx);
/* When the leg's path brought its last packet (CLOCK_MONOTONIC, ns); 0: never. */
uint64_t handover_last_heard(const struct leg *leg);
/* The window is over: keeps the leg that is heard, says BYE to the other (HH-16). */
void handover_expired(void *context);
/* Drops the leg and says BYE to it. */
void handover_turn_away(struct leg *leg, struct str reason);
/* For the operator: drops the old leg (finish) or the new one (abort). 0 or -ENOENT. */
int handover_finish(struct call *call, enum sg_side side, bool keep_new);

/* ---- handover_report.c -------------------------------------------------------------------------
 */

/* Before the first change. */
void handover_count_before(struct handover *handover);
/* Before the old path leaves: its last packet, and the skew. */
void handover_note_old(struct handover *handover);
/* The counters as they are now; for one whose tail is over, as they were then. */
void handover_count_after(struct handover *handover);
/* Packets of the moving party that no path brought; negative: not known. */
int64_t handover_lost(const struct handover *handover);
/* Packets that went on to the far end more than once; negative: not known. One that is lost at the
 * same time hides one of these, and is hidden by it. */
int64_t handover_doubled(const struct handover *handover);
/* One of them, counted anew. */
json_t *handover_report(struct handover *handover);
/* All of a call, for CDR and show. */
json_t *handover_reports(const struct call *call);
/* Watches the relay's events of the call's streams. */
/* What the relay reported of the first stream. */
void handover_event(struct call *call, const struct media_event *event);

/* ---- grave.c: dialogs that are over (HH-3: 603 and not 481) -------------------------------------
 */

struct graves;
int graves_alloc(struct graves **out, const struct hash_seed *seed);
void graves_free(struct graves *graves);
void grave_dig(struct graves *graves, const struct sip_dialog *dialog);
bool grave_find(struct graves *graves, struct str call_id, struct str local_tag,
		struct str remote_tag);

#endif
