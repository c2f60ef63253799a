/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The objects of this room and how they hang together.
 *
 *   calls   all of a worker
 *   call    one B2BUA call: two sides, the streams, what is being changed about them
 *   side    the legs of one party that are up: one, or during a handover up to SIDE_LEGS
 *   leg     a SIP dialog with a party, its offer/answer, the media paths that it signalled
 *   attempt an INVITE of ours that looks for the callee; it may fork into several legs
 *   exchange a request inside a dialog that one leg sent and that the other side answers
 *   stream  one m= line: its ports and its place in the relay
 *   target  a contact that a request goes to (route.h)
 *
 * Whoever may have ended a call (the comment says "may end the call") leaves its caller with a
 * pointer that must not be used again.
 */
#ifndef SEGUE_CALL_INTERNAL_H
#define SEGUE_CALL_INTERNAL_H

#include "call/call.h"
#include "call/media.h"
#include "call/route.h"
#include "call/story.h"
#include "call/tally.h"
#include "sdp/offer_answer.h"
#include "sip/dialog.h"

#define SIDE_LEGS 4u	  /* of a side that are up at once (SG_PATHS) */
#define CALL_TARGETS 16u  /* contacts that one call is tried at */
#define ATTEMPT_LEGS 8u	  /* early dialogs of one INVITE; further forks are not listened to */
#define CALL_HELD 8u	  /* responses that wait for the relay */
#define CALL_EXCHANGES 8u /* requests on their way through a call */
#define ENCODING_LEN 16u

#define MAX_FORWARDS 70u
#define SETUP_MS                                                                                   \
	180000u /* timer C (RFC 3261 16.6): more than three minutes of ringing is enough           \
		 */
#define NEXT_GROUP_MS 30000u /* how long contacts ring before those of less q are tried (SG-22) */

struct calls {
	struct sip_stack *stack;
	struct sip_dialogs *dialogs;
	struct wheel *wheel;
	struct registrar *registrar;
	struct location *location;
	struct store *store;
	struct media *media;
	struct log *log;
	const struct config *config; /* the owner of this room keeps it alive */
	struct hash_seed seed;
	struct hash by_id;	/* call.node */
	struct hash by_call_id; /* leg.node, by the Call-ID of its dialog: 482, PH-7 */
	struct tally tally;	/* calls of each subscriber, legs of each trunk */
	uint64_t refused[CALLS_REFUSALS];
	uint64_t refusal_told_ms; /* the last line of the log about one; 0: none yet */
	struct list leaving;	  /* legs of no call any more, whose BYE waits for its answer */
	struct list orphans;	  /* attempts that nobody waits for: a late 2xx gets ACK and BYE */
	struct list passes;	  /* requests outside dialogs on their way through */
	size_t pass_count;
	struct graves *graves;	 /* dialogs that are over */
	struct stories *stories; /* of calls that are over */
	struct sip_message
		*asking; /* came last of those that no leg has yet; a reference, or NULL */
	struct assist_cache *assist_cache;
	size_t handovers; /* that run now */
	struct calls_handover_figures handover_figures;
	/* Where messages are written; whoever writes sends at once, so nobody finds it in use. */
	struct buf text, sdp, extra;
	struct buf told; /* ... but for the story, which is written while they are in use */
	bool draining;
	void (*drained)(void *context);
	void *drained_context;
};

/* ---- call ----------------------------------------------------------------------------------- */

enum call_state { CALL_SETUP, CALL_UP, CALL_OVER };

struct side {
	struct list legs; /* leg.link */
	unsigned count;
	struct leg *main; /* the one that the other side speaks with; NULL: none is up yet */
};

/* A path of the relay: between our port and the party's. */
struct path {
	struct netaddr local; /* port 0: there is none */
	struct netaddr remote;
	uint16_t remote_rtcp;
	unsigned slot;
};

struct stream {
	struct call *call;
	struct media_stream *media;	      /* NULL: not installed */
	struct netaddr reserved[SG_SIDES][2]; /* ports not yet given to the relay: IPv4, IPv6 */
	struct path path[SG_SIDES];	      /* of the main leg of each side */
	struct path next[SG_SIDES];	      /* what it becomes when the change is done */
	bool changing[SG_SIDES];
	enum sg_direction direction;
	char encoding[ENCODING_LEN]; /* for the MOS of the CDR */
};

/* A change of the media that waits for the relay; one at a time for a call. */
struct change {
	unsigned waiting; /* operations that are not done */
	int result;
	/* Called once when all are done; may end the call. */
	void (*done)(struct call *call, struct leg *leg, struct sip_message *message, int result);
	struct leg *leg;	     /* what it is called with */
	struct sip_message *message; /* a reference; NULL: none */
};

/* The best refusal so far of several contacts (group.h): zeroed at first. */
struct group_best {
	int status; /* as the one who asked may hear it; 0: nothing yet */
	struct sip_message
		*message; /* it stands in; a reference. NULL: nobody said it, it is ours */
};

struct call {
	struct hash_node node;
	struct calls *calls;
	char id[SIP_TOKEN_LEN];
	enum call_state state;
	struct side side[SG_SIDES];
	struct leg *caller;	      /* the leg that asked for the call; NULL once it is gone */
	struct sip_server_tx *invite; /* its INVITE, as long as it has no final answer */
	struct list attempts;
	struct target *target;
	size_t targets;
	struct group_best best;
	struct stream *stream;
	size_t streams;
	struct change change;
	struct {
		struct attempt *attempt;
		struct sip_message *message;
	} held[CALL_HELD];
	size_t held_count;
	struct list exchanges;
	size_t exchange_count;
	struct exchange *offering; /* the one of them that carries an offer: one at a time */
	struct timer timer;	   /* set-up, next group, duration */
	struct timer silence;
	uint64_t started_ns, answered_ns; /* CLOCK_REALTIME; answered: see call_now_ns() */
	uint64_t began_ns;		  /* CLOCK_MONOTONIC at started_ns */
	unsigned handovers;		  /* that began */
	struct list moves;   /* struct handover: one may run on each side; the last reports */
	char *from, *to;     /* URIs, for the operator and the CDR */
	struct story *story; /* NULL: there was no memory for it */
	bool late_offer;     /* the INVITE had none: it comes with the answer of B */
	bool answering;	     /* a 2xx of B was taken; no other will be */
	bool journalled;
	bool wants_assist;     /* the caller's INVITE said Require: handover (HH-5) */
	bool assisted;	       /* media goes past the relay (assist.h) */
	struct assist *assist; /* a move of such a call that waits for the far end; NULL: none */
	struct refer *refer;   /* a transfer that runs; NULL: none */
	/* The subscriber who began it, and who answers for it until it ends, whoever has taken its
	 * place meanwhile; NULL: a trunk did, or it is a subscription. */
	struct tally_entry *begun_by;
	bool subscription; /* no call at all, but a subscription: subscription.c */
	bool subscribed;   /* ... that was granted */
	size_t asked;	   /* ... the target that is asked for it */
};

/* `id` empty: a new one. */
int call_alloc(struct call **out, struct calls *calls, struct str id, struct str from,
	       struct str to);
/* That subscriber answers for it (calls.subscriber_most); empty: none does. 0 or -ENOMEM. */
int call_begun_by(struct call *call, struct str aor);
/* Only what it owns itself: its legs, attempts, exchanges and streams are gone. */
void call_free(struct call *call);
/*
 * Ends it: media goes, the CDR is written, an unanswered INVITE is answered with `status`, every
 * leg but `except` (may be NULL) gets a BYE with the Reason header value `reason` (may be empty),
 * and the call is freed.
 */
void call_end(struct call *call, int status, struct str reason, const char *why,
	      const struct leg *except);
/* The A side's INVITE is refused with what B said; ends the call. */
void call_refuse(struct call *call, int status, const struct sip_message *response);
struct call *call_find(const struct calls *calls, struct str id);
/* Starts what runs while a call is up: duration, silence. */
void call_watch(struct call *call);
/* The leg that the other side of `leg` is spoken to by; NULL: none yet. */
struct leg *call_opposite(const struct leg *leg);
static inline enum sg_side side_other(enum sg_side side)
{
	return side == SG_SIDE_A ? SG_SIDE_B : SG_SIDE_A;
}

/* A step that we took, for the story and the log (debug). `more` may be NULL; status 0: none. */
void call_step(struct call *call, int side, const char *what, const char *more, int status);
struct stream;
/* ... about media, of that stream or (NULL) of all. `of`: the party's end of the path, or NULL. */
void call_media_step(struct call *call, const struct stream *stream, int side, const char *what,
		     const struct netaddr *of);
uint64_t call_clock_ns(void); /* CLOCK_REALTIME */
/* The call began at that time; one that was adopted, before us. */
void call_start_clock(struct call *call, uint64_t started_ns);
/* The time as if nobody had set the clock since the call began: what lies between its times is
 * true. */
uint64_t call_now_ns(const struct call *call);

/* ---- leg ------------------------------------------------------------------------------------ */

enum leg_state {
	LEG_EARLY,
	LEG_UP,
	LEG_LEAVING, /* of no call: its BYE is on the way, or waits for an ACK */
};

/* What a party last said of one m= line, and the path of its own that it has during a handover. */
struct leg_media {
	struct netaddr remote; /* where it receives; port 0: nowhere */
	struct netaddr told;   /* our port, as we last said it to the party */
	uint16_t remote_rtcp;  /* 0: the port above, or muxed */
	uint8_t direction;     /* enum sdp_direction */
	bool on;	       /* not refused, and of a kind that the relay carries */
	bool mux;
	bool opaque; /* no RTP */
	uint32_t clock_hz;
	struct path own; /* local.port 0: the side's main path serves it (struct stream) */
};

struct session_timer {
	struct timer timer;
	unsigned interval_s; /* 0: none */
	bool we_refresh;
	unsigned asked_s; /* by our last request; 0: it asked for none */
	unsigned least_s; /* that the party grants (its 422); 0: it did not say */
	unsigned raised;  /* how often it said so */
};

struct leg {
	struct list link; /* side.legs, attempt.legs or calls.leaving */
	struct hash_node node;
	struct calls *calls;
	struct call *call; /* NULL: leaving */
	enum sg_side side;
	enum leg_state state;
	bool bye_waits;	       /* a BYE must not leave before the ACK (RFC 3261 15) */
	bool owes_ack;	       /* its 2xx is here, and media is being opened first */
	bool late_answer;      /* our ACK carries the answer, which is oa.local */
	bool reliable;	       /* the party takes reliable provisionals (100rel) */
	bool demands_reliable; /* and no others (Require) */
	bool told;	       /* B's: A has its answer in a reliable provisional */
	bool offer_again;      /* A's: another of B's dialogs has won than it was told of */
	bool standby;	       /* of a backup session: sends and hears nothing (PH-7) */
	bool updates;	       /* it takes UPDATE */
	bool timers;	       /* it knows RFC 4028 */
	bool assisted;	  /* an INVITE of ours, with Require: handover and A's offer untouched */
	struct leg *peer; /* the other leg of a CN-assisted pair; NULL: the side speaks as one */
	struct sip_dialog *dialog;
	char *user;  /* the address-of-record that it must prove to be; NULL: a trunk or foreign */
	char *trunk; /* the name of the trunk that it is of; NULL: none */
	struct tally_entry *at_trunk; /* it is one of the trunk's; NULL: of none, or leaving */
	struct offer_answer oa;
	char *preview; /* the SDP of an unreliable provisional (RFC 3261 13.2.1) */
	struct attempt *attempt;
	struct sip_server_tx *unacked; /* our 2xx to an INVITE of theirs waits for the ACK */
	struct sip_client_tx *bye;
	uint32_t invite_cseq; /* of our last INVITE: the ACK needs it */
	struct early *early;  /* reliable provisionals; NULL: none */
	uint32_t rseq;	      /* the last one: B's own, or ours to A */
	struct session_timer session;
	char *bye_reason;
	struct story *story; /* of its call, which it may outlive; a reference, or NULL */
	uint8_t story_leg;   /* its number there; 0: it has not spoken */
	size_t medias;
	struct leg_media *media; /* one for each stream */
};

int leg_alloc(struct leg **out, struct calls *calls, struct call *call, enum sg_side side);
/* Out of every list and table; its dialog goes with it. NULL is fine. */
void leg_free(struct leg *leg);
/* Whose it is: a subscriber's, a trunk's (counted as one of its legs), or (both empty) foreign. 0
 * or -ENOMEM. */
int leg_take_party(struct leg *leg, struct str user, struct str trunk);
/* The dialog becomes its own, and it can be found by Call-ID. */
void leg_take_dialog(struct leg *leg, struct sip_dialog *dialog);
/* It joins its side; the first one becomes the main one. */
void leg_join_side(struct leg *leg);
void leg_leave_side(struct leg *leg);
/* One of several legs of a side goes: its paths leave the relay (they are still listened to for a
 * while), another leg becomes the main one. It is not freed. */
void leg_drop(struct leg *leg);
/* Room for the media of `count` streams. 0 or -ENOMEM. */
int leg_media_room(struct leg *leg, size_t count);
/* The first leg of that Call-ID at or after `after`; walk by passing the last one. */
struct leg *leg_of_call_id(const struct calls *calls, struct str call_id, struct leg *after);

/* A response of ours in this leg's dialog. `extra`: whole lines; all may be empty. */
int leg_respond(struct leg *leg, struct sip_server_tx *tx, int status, const char *reason,
		struct str extra, struct str type, struct str body);
/* One with nothing more to say; reason NULL: the usual phrase. */
void leg_refuse(struct leg *leg, struct sip_server_tx *tx, int status, const char *reason);
/* Its 2xx to an INVITE went out: it waits for the ACK, and ends the call without one. */
void leg_await_ack(struct leg *leg, struct sip_server_tx *tx);
/* Without a dialog of ours, or where nothing but the status is said. */
void respond_plain(struct calls *calls, struct sip_server_tx *tx, int status, const char *reason,
		   struct str extra);
/*
 * A request in this leg's dialog: `extra` are whole lines; the body has the given type. For INVITE
 * the CSeq is remembered. `method` names it.
 */
int leg_request(struct leg *leg, struct str method, struct str extra, struct str type,
		struct str body, const struct sip_client_tx_handlers *handlers, void *context,
		struct sip_client_tx **out);
/* ACK for a 2xx to an INVITE of ours, with the answer where it has one. */
void leg_ack(struct leg *leg);
/* Says BYE and belongs to no call from here on; frees itself. `reason`: header value or empty. */
void leg_bye(struct leg *leg, struct str reason);
/* The BYE that waited for the ACK may leave. */
void leg_bye_now(struct leg *leg);
/* Is the request's sender the party of this leg? False: it was answered (SG-40, HH-17). */
bool leg_authenticate(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request);

/* ---- attempts (attempt.c) ------------------------------------------------------------------- */

struct attempt {
	struct list link; /* call.attempts or calls.orphans */
	struct calls *calls;
	struct call *call; /* NULL: nobody waits for it */
	struct sip_client_tx *tx;
	struct list legs; /* early ones: one for each To tag, the first made with the INVITE */
	unsigned leg_count;
	size_t target;	       /* index in call.target */
	bool again;	       /* sent a second time, without a tag that was refused (HH-6) */
	struct assist *assist; /* of a call that is up: whose INVITE it is; NULL: of a new call */
	struct refer *refer;   /* the same, of a transfer */
};

/* Whose leg it is, and its dialog: for carrying `request` on to the target. */
int leg_prepare(struct leg *leg, const struct target *target, const struct sip_message *request);
/* Sends the INVITE to one target. 0 or a negative errno. */
int attempt_start(struct call *call, size_t index);
/* It came to nothing, with that status; may end the call. */
void attempt_over(struct attempt *attempt, int status, struct sip_message *response);
/* Tries the next group of targets. False: there is none. */
bool attempt_next_group(struct call *call);
/* Nobody waits for it any more: cancelled unless it is over; a late 2xx gets ACK and BYE. */
void attempt_abandon(struct attempt *attempt, struct str reason);
void attempt_free(struct attempt *attempt);
/* The INVITE to the same target once more, in the same dialog to be: with Require: handover, or
 * without (HH-6). 0 or negative errno. */
int attempt_again(struct attempt *attempt, bool assisted);
/*
 * An INVITE of a call that is up, for somebody who moves or comes: `leg` has its dialog and belongs
 * to the attempt from here on, also when it fails. The answers go to assist_response or
 * transfer_response.
 */
int attempt_join(struct attempt **out, struct leg *leg, struct str extra, struct str sdp,
		 struct assist *assist, struct refer *refer);
/* The leg that a 2xx is of: it is the caller's from here on. NULL: no memory for it. */
struct leg *attempt_take(struct attempt *attempt, const struct sip_message *response);
/* The responses that waited for the relay; may end the call. */
void attempt_resume(struct call *call);
/* A 2xx of no transaction: it is ACKed again; of an unknown fork: ACK and BYE. */
void attempt_stray(struct calls *calls, struct sip_message *response);

/* ---- invite.c: a new call ------------------------------------------------------------------- */

void invite_receive(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request);
/* The offer or answer of B reached A: 2xx, with the answer in it; may end the call. */
void invite_answered(struct call *call, struct leg *leg, struct sip_message *response, int result);
/* A has acknowledged, and is to hear who it really speaks with. */
void invite_offer_again(struct leg *caller);
/* Who sends it, by trunk or digest; the text goes to `aor`. False: it was answered. */
bool invite_identify(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request,
		     struct buf *aor, struct identity *out);
/* A's leg, with the dialog that the request makes. -EINVAL: it has no Contact; -ENOMEM. */
int call_make_caller(struct call *call, struct sip_message *request, const struct identity *who);
/* The status that a request outside a dialog is refused with before anybody is asked; 0: none. */
int invite_refusal(struct calls *calls, const struct sip_message *request);
/* 420 with Unsupported, when Require names what we do not know. True: it was answered. */
bool require_refused(struct calls *calls, struct sip_server_tx *tx,
		     const struct sip_message *request);

/* ---- offer.c: SDP across the call ----------------------------------------------------------- */

/*
 * Reads what the leg's party says of itself and remembers it in leg->media: -EBADMSG when it cannot
 * be read, or when nothing in it can be relayed; -ENOMEM.
 */
int offer_hear(struct leg *leg, struct str text);
/* The offer of `leg` (or to it) came to nothing: what was agreed before holds. */
void offer_abandon(struct leg *leg);
/*
 * `text`, by which the other party described itself, as we say it to `to`: our addresses, the
 * version counted. Reserves ports. -ENOSPC no port left, -EAFNOSUPPORT, -EBADMSG, -ENOMEM.
 */
int offer_write(struct leg *to, struct str text, struct buf *out);
/* ... but open in both directions, whatever the description says. */
int offer_write_open(struct leg *to, struct str text, struct buf *out);
/* Does the party only move, or say the same again (SG-40)? Then nobody else is asked. */
bool offer_is_move(const struct leg *leg, struct str text);
/* The SDP of a message; empty: it has none. */
struct str offer_of(const struct sip_message *message);
/* The status that such an error is refused with: of a new call, of a change to one that is up. */
int offer_status(int error);
int change_status(int error);

/* ---- streams.c: SDP into the relay ---------------------------------------------------------- */

typedef void change_done_fn(struct call *call, struct leg *leg, struct sip_message *message,
			    int result);

/*
 * Makes the relay do what the parties of both legs (of different sides) last said: installs, moves,
 * opens, closes, removes. 0: done; -EINPROGRESS: `done` will be called with leg and message; else
 * it failed.
 */
int streams_apply(struct leg *a, struct leg *b, change_done_fn *done, struct leg *leg,
		  struct sip_message *message);
/* Our port towards the leg's party, reserved if it must be. 0, -ENOSPC, -EAFNOSUPPORT. */
int streams_local(struct leg *leg, size_t index, struct netaddr *local);
/* Room for so many m= lines. 0 or -ENOMEM. Not while a change runs. */
int streams_room(struct call *call, size_t count);
#define STREAM_NAME_LEN (SIP_TOKEN_LEN + 4)
/* Its name in the relay, "CALL.0". */
const char *stream_name(const struct stream *stream, char out[STREAM_NAME_LEN]);
/* Where the relay has to send for the leg's m= line; behind NAT that is not what was said. */
void streams_path(const struct leg *leg, size_t index, struct media_path *out);
/* After a restart: takes the m= line's stream over. -ENOENT: the relay does not have it. */
int streams_adopt(struct call *call, size_t index);
/* The leg left its side: its paths leave the relay, and the new main leg's become the main ones. */
void streams_drop(struct leg *leg);
/* Whoever began the change that waits is gone: it is done all the same, and nobody is told. */
void streams_disown(struct call *call);
/* Takes all out of the relay, and gives ports back; what was said of the m= lines stays. */
void streams_leave(struct call *call);
/* ... and forgets the m= lines. */
void streams_free(struct call *call);

/* ---- exchange.c: requests inside dialogs ---------------------------------------------------- */

struct exchange {
	struct list link;
	struct call *call;
	struct leg *from, *to;
	struct sip_server_tx *in; /* NULL: answered */
	struct sip_client_tx *out;
	enum sip_method method;
	bool offers; /* the request has an offer */
	bool late;   /* an INVITE without one: the offer comes with the 2xx, the answer with the ACK
		      */
	char rack[40]; /* PRACK: the line with B's numbers */
	bool last;     /* a NOTIFY that ends its subscription */
	bool over;     /* the subscription is, once this is done */
	bool put_back; /* `to` agreed in vain: it is offered what held before */
	bool lenient;  /* its refusal does not end the call, whatever the status */
	int status;    /* how it ended */
	void (*after)(struct call *call, int status); /* is told; NULL: nobody */
};

void exchange_receive(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request);
/* The ACK of a late offer; may end the call. */
void exchange_acked(struct leg *leg, struct sip_message *ack);
/* A's PRACK goes on to B, with B's numbers and whatever SDP it carries. */
void exchange_prack(struct leg *from, struct leg *to, struct sip_server_tx *tx,
		    struct sip_message *request, uint32_t rseq, uint32_t cseq);
/* Offers `description` of the other party to the leg's, in an INVITE of ours. */
int exchange_offer(struct leg *leg, struct str description);
/* Asks the leg's party whether it is still there. -EBUSY: not now. */
int exchange_refresh(struct leg *leg);
/* The offer of B's 2xx to the INVITE went to A; the answer will come with A's ACK. 0 or -ENOMEM. */
int exchange_await_answer(struct leg *from, struct leg *to);
/* Its leg or its call goes: what waits is answered with `status`, and it is freed. */
void exchange_abandon(struct exchange *exchange, int status);
/* All of a leg. */
void exchange_abandon_leg(struct leg *leg, int status);

/* ---- session_timer.c (RFC 4028) ----------------------------------------------------------------
 */

/* 422, when the request wants less than we grant. True: it was answered. */
bool session_timer_refused(struct leg *leg, struct sip_server_tx *tx,
			   const struct sip_message *request);
/* Headers of a request of ours, and of our 2xx to one of the party's. */
void session_timer_request(struct leg *leg, struct buf *out);
void session_timer_response(struct leg *leg, const struct sip_message *request, struct buf *out);
/* The party's 2xx says what it agrees to. */
void session_timer_answered(struct leg *leg, const struct sip_message *response);
void session_timer_start(struct leg *leg);
/* A 422 to a request of ours (RFC 4028 7.3). True: it may be sent again, and asks for more then. */
bool session_timer_raise(struct leg *leg, const struct sip_message *response);

/* ---- early.c: before the answer ----------------------------------------------------------------
 */

/* A provisional response other than 100; may end the call. */
void early_receive(struct attempt *attempt, struct leg *leg, struct sip_message *response);
void early_free(struct leg *leg);
/* A's PRACK is still to come: nothing else may be answered until then (RFC 3262 3). */
bool early_waits(const struct call *call);
void early_prack(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request);
/* The leg's party proved by an UPDATE that it is there: what is still to be said about the INVITE
 * goes there. */
void early_follow(struct leg *leg, const struct sip_flow *flow);

/* ---- others --------------------------------------------------------------------------------- */

/* ---- subscription.c
 * ------------------------------------------------------------------------------ */

void subscription_receive(struct calls *calls, struct sip_server_tx *tx,
			  struct sip_message *request, const struct identity *who);
/* After such a request was answered: is the subscription over? `last`: see subscription_ends. */
bool subscription_is_over(struct call *call, enum sip_method method, int status,
			  const struct sip_message *response, bool last);
bool subscription_ends(const struct sip_message *notify);
/* The first SUBSCRIBE was refused: does another contact get it? If not, call->best says what was.
 */
bool subscription_asks_next(struct exchange *exchange, int status, struct sip_message *response);

/* ---- transfer.c (REFER)
 * -------------------------------------------------------------------------- */

void transfer_receive(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request);
/* The call ends, or the one that its new party comes from. */
void transfer_drop(struct call *call);
/* What comes of an INVITE of a transfer, and whether nothing does; may end the call. */
void transfer_response(struct attempt *attempt, struct sip_message *response);
void transfer_unanswered(struct attempt *attempt, int status);
/* The transferor hangs up: does the call wait for somebody in its place? */
bool transfer_outlives(struct leg *leg);

void bye_receive(struct leg *leg, struct sip_server_tx *tx, struct sip_message *request);

/* The headers of a message that may cross (SG-53), as whole lines. */
void headers_pass(const struct sip_message *message, struct buf *out);
/* Who calls, as the callee may know it (RFC 3325): P-Asserted-Identity, Privacy. */
void headers_identity(const struct leg *to, const struct sip_message *invite, struct buf *out);
/* "Allow: ...", "Supported: ..." lines. */
void headers_allow(struct buf *out);
void headers_supported(struct buf *out, bool reliable);
bool headers_knows_option(struct str tag);
/* "Reason: VALUE" of a message, value only; empty for none. */
struct str headers_reason(const struct sip_message *message);

/* A registrar_moved_fn: calls follow their party's registration, where that is configured. */
void calls_follow(void *context, struct str aor, const struct binding *moved,
		  const struct sip_flow *before);

void cdr_write(struct call *call, const char *why, int status);
void journal_save(struct call *call);
void journal_forget(struct call *call);

/* ---- pass.c: requests outside dialogs -----------------------------------------------------------
 */

#define PASSES 100000u /* on their way at once */

struct pass {
	struct list link; /* calls.passes */
	struct calls *calls;
	struct sip_server_tx *in;
	struct list branches; /* contacts that have not answered yet */
	struct target *target;
	size_t targets;
	struct group_best best;
	struct timer timer; /* the next group's turn */
};

void pass_receive(struct calls *calls, struct sip_server_tx *tx, struct sip_message *request);
void pass_free(struct pass *pass);

#endif
