// SPDX-License-Identifier: BSD-2-Clause
#include "move.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "media.h"
#include "move_private.h"
#include "registration.h"
#include "way.h"

#define LOOK_MS 20u	     /* between looks at what the new leg carries */
#define DEAD_US 1000000u     /* so long without a packet: the old link is not there any more */
#define OWNER_LEAST_MS 2100u /* RFC 3261 14.1, after 491 */
#define OWNER_SPAN_MS 1900u
#define OTHER_SPAN_MS 2000u

static void on_look(void *context);

/* ---- what is written down -------------------------------------------------------------------- */

static json_t *report(const struct ua_move *move)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "scheme",
			 move->early ? "update" : ua_scheme_name(move->scheme), "from",
			 move->former->name, "to", move->network->name, "status", move->status,
			 "asked_us", (json_int_t)move->asked_us, "answered_us",
			 (json_int_t)move->answered_us, "first_new_us",
			 (json_int_t)move->network->port[UA_AUDIO].since_first_us, "good_us",
			 (json_int_t)move->good_us, "last_old_us",
			 (json_int_t)move->former->port[UA_AUDIO].traffic.last_us, "released_us",
			 (json_int_t)move->released_us);
}

void ua_move_free(struct ua_move *move)
{
	if (move)
		timer_stop(&move->timer);
	free(move);
}

/* It is over: done, failed, or the call is. */
static void close_move(struct ua_move *move, const char *event)
{
	struct ua_call *call = move->call;

	json_array_append_new(call->ua->moves, report(move));
	if (event)
		ua_event(call->ua, event, report(move));
	call->move = NULL;
	ua_move_free(move);
}

void ua_move_end(struct ua_call *call)
{
	if (call->move)
		close_move(call->move, NULL);
}

/* HH-20, PH-11: the registrar hears of it once, when all is done. */
static void tell_registrar(struct ua_move *move)
{
	struct ua *ua = move->call->ua;
	struct ua_registration *here = ua->registration[move->network->index];
	struct ua_registration *there = ua->registration[move->former->index];

	if (move->registered)
		return;
	if (here && there) {
		ua_registration_swap(here, there);
	} else if (there) {
		ua->registration[move->former->index] = NULL;
		ua->registration[move->network->index] = there;
		ua_registration_move(there, move->network, NULL, NULL);
	}
	move->registered = true;
}

void move_released(struct ua_move *move)
{
	move->released_us = ua_now_us();
	tell_registrar(move);
	close_move(move, "released");
}

void move_failed(struct ua_move *move, int status)
{
	move->status = status;
	close_move(move, "move-failed");
}

/* ---- letting the old leg go ------------------------------------------------------------------ */

/* Whatever was just dropped may have been the call's last leg, and the move went with the call. */
static bool lives(const struct ua *ua, const struct ua_call *call, const struct ua_move *move)
{
	return ua->call == call && call->move == move;
}

static void on_released(void *context, int status, struct sip_message *response)
{
	struct ua_move *move = context;
	struct ua_call *call = move->call;
	struct ua *ua = call->ua;

	(void)response;
	/* HH-14: nobody heard the BYE by the old network; by the new one somebody will. */
	if ((status == 408 || status == 503) && !move->by_new) {
		move->by_new = true;
		if (!ua_leg_end(move->from, move->network, on_released, move))
			return;
	}
	ua_call_drop(call, move->from, "moved");
	if (lives(ua, call, move))
		move_released(move);
}

static bool is_dead(const struct ua_network *network)
{
	return !network->up || ua_now_us() - network->port[UA_AUDIO].traffic.last_us > DEAD_US;
}

static int release(struct ua_move *move)
{
	struct ua_network *way = move->former;

	if (move->releasing || !move->from || !move->answered_us || move->call->ending)
		return -ENOENT;
	if (is_dead(way)) {
		ua_way_abandon(move->call->ua, way);
		way = move->network;
		move->by_new = true;
	}
	move->releasing = true;
	timer_stop(&move->timer);
	return ua_leg_end(move->from, way, on_released, move);
}

int ua_move_release(struct ua_call *call)
{
	return call->move ? release(call->move) : -ENOENT;
}

/* HH-12: the new stream is looked at before the old one is given up. */
static void on_look(void *context)
{
	struct ua_move *move = context;

	if (move->network->port[UA_AUDIO].since_packets < move->call->ua->options->good) {
		timer_start(move->call->ua->wheel, &move->timer, LOOK_MS, on_look, move);
		return;
	}
	move->good_us = ua_now_us();
	ua_event(move->call->ua, "good", json_pack("{s:s}", "network", move->network->name));
	if (!move->call->ua->options->manual)
		release(move);
}

void move_moved(struct ua_move *move, int status)
{
	struct ua_call *call = move->call;

	move->status = status;
	move->answered_us = ua_now_us();
	ua_event(call->ua, "moved", report(move));
	ua_media_note(call->ua->media[UA_AUDIO], move->network->name);
	if (!move->from) { /* it ended meanwhile */
		move_released(move);
		return;
	}
	timer_start(call->ua->wheel, &move->timer, LOOK_MS, on_look, move);
}

/* ---- schemes: another leg (Handover, Replaces) ----------------------------------------------- */

static void on_left(void *context, int status, struct sip_message *response)
{
	struct ua_leg *leg = context;

	(void)status;
	(void)response;
	/* A 2xx that crossed our CANCEL made a dialog: it is ended like one. */
	if (leg->state != UA_LEG_UP || ua_leg_end(leg, leg->network, on_left, leg))
		ua_call_drop(leg->call, leg, "aborted");
}

static void drop_new(struct ua_move *move)
{
	struct ua_leg *leg = move->to;

	move->to = NULL;
	if (!leg)
		return;
	if (ua_leg_end(leg, leg->network, on_left, leg))
		ua_call_drop(move->call, leg, "move failed");
}

static void on_joined(void *context, int status, struct sip_message *response)
{
	struct ua_move *move = context;
	struct ua_call *call = move->call;
	struct ua *ua = call->ua;

	(void)response;
	if (status < 300) {
		move_moved(move, status);
		return;
	}
	drop_new(move);
	if (!lives(ua, call, move))
		return;
	/* Nobody on the way supports it: the plain way remains (HH-17). */
	if (status != 420 || move_reinvite(move))
		move_failed(move, status);
}

static void write_join(const struct ua_move *move, struct buf *headers)
{
	const struct sip_dialog *dialog = move->from->dialog;
	bool handover = move->scheme == UA_HANDOVER;

	/* HH-2, RFC 3891 3: the tags as the receiver sees them. */
	buf_addf(headers, "%s: %s;to-tag=%s;from-tag=%s\r\n", handover ? "Handover" : "Replaces",
		 dialog->call_id, dialog->remote_tag, dialog->local_tag);
	sip_write_header(headers, "Require", handover ? STR("handover") : STR("replaces"));
	sip_write_header(headers, "Supported", STR("replaces, handover"));
}

static int join(struct ua_move *move)
{
	const struct sip_dialog *dialog = move->from->dialog;
	struct buf headers = BUF_EMPTY;
	int ret = ua_leg_create(&move->to, move->call, move->network, NULL, dialog->remote_uri,
				dialog->target);

	if (ret)
		return ret;
	write_join(move, &headers);
	ret = buf_error(&headers);
	if (!ret)
		ret = ua_leg_invite(move->to, move->network, move->from->wanted, buf_str(&headers),
				    on_joined, move);
	buf_free(&headers);
	if (ret)
		drop_new(move);
	return ret;
}

/* ---- schemes: the same leg, from elsewhere --------------------------------------------------- */

static void on_retry(void *context)
{
	struct ua_move *move = context;

	if (move_reinvite(move))
		move_failed(move, 500);
}

void move_retry_later(struct ua_move *move, void (*again)(void *move))
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		random = (uint32_t)ua_now_us();
	timer_start(move->call->ua->wheel, &move->timer,
		    move->call->outgoing ? OWNER_LEAST_MS + random % OWNER_SPAN_MS
					 : random % OTHER_SPAN_MS,
		    again, move);
}

static void on_moved(void *context, int status, struct sip_message *response)
{
	struct ua_move *move = context;

	(void)response;
	if (status == 491) {
		move_retry_later(move, on_retry);
	} else if (status >= 300) {
		move_failed(move, status);
	} else {
		struct ua_call *call = move->call;

		move_moved(move, status);
		if (call->move == move) /* there is no other leg to release */
			move_released(move);
	}
}

int move_reinvite(struct ua_move *move)
{
	if (!move->from)
		return -ENOTCONN;
	return ua_leg_invite(move->from, move->network, move->from->wanted, STR_NONE, on_moved,
			     move);
}

static void on_registered(void *context, int status)
{
	struct ua *ua = context;
	struct ua_move *move = ua->call ? ua->call->move : NULL;

	if (!move || move->scheme != UA_REREGISTER || ua->options->parallel)
		return;
	if (status >= 300 || move_reinvite(move))
		move_failed(move, status >= 300 ? status : 500);
}

/* VO-1, VO-2: the registrar first, unless both at once are wanted. */
static int reregister(struct ua_move *move)
{
	struct ua *ua = move->call->ua;
	struct ua_registration *there = ua->registration[move->former->index];
	int ret;

	move->registered = true;
	if (!there)
		return move_reinvite(move);
	ua->registration[move->former->index] = NULL;
	ua->registration[move->network->index] = there;
	ret = ua_registration_move(there, move->network, on_registered, ua);
	return ret || !ua->options->parallel ? ret : move_reinvite(move);
}

/* ---- schemes: a standby leg ------------------------------------------------------------------ */

static struct ua_leg *standby_leg(const struct ua_call *call, const struct ua_network *network)
{
	list_for_each(node, after, &call->legs)
	{
		struct ua_leg *leg = container_of(node, struct ua_leg, node);

		if (leg->standby && leg->network == network && leg->state == UA_LEG_UP)
			return leg;
	}
	return NULL;
}

static void on_activated(void *context, int status, struct sip_message *response)
{
	struct ua_move *move = context;

	(void)response;
	if (status >= 300) {
		move_failed(move, status);
		return;
	}
	/* The former main leg waits until it is released, or used again. */
	move->to->standby = false;
	if (move->from)
		move->from->standby = true;
	ua_call_aim(move->call);
	tell_registrar(move);
	move_moved(move, status);
}

static int activate(struct ua_move *move)
{
	move->to = standby_leg(move->call, move->network);
	if (!move->to)
		return -ENOENT;
	return ua_leg_invite(move->to, move->network, SDP_SENDRECV, STR_NONE, on_activated, move);
}

static void on_standby(void *context, int status, struct sip_message *response)
{
	struct ua_leg *leg = context;
	struct ua_call *call = leg->call;

	(void)response;
	ua_event(call->ua, status < 300 ? "standby" : "standby-failed",
		 json_pack("{s:s, s:i}", "network", leg->network->name, "status", status));
	if (status >= 300 &&
	    (leg->state != UA_LEG_UP || ua_leg_end(leg, leg->network, on_left, leg)))
		ua_call_drop(call, leg, "no standby leg");
}

/* The backup scheme makes its standby leg. */
static void prepare(struct ua_call *call)
{
	const struct ua_options *options = call->ua->options;
	const struct ua_leg *main_leg = ua_call_leg(call);
	struct ua_network *network = NULL;
	struct buf target = BUF_EMPTY;
	struct ua_leg *leg;

	if (options->scheme == UA_BACKUP)
		network = ua_network_find(call->ua, str_of(options->backup));
	if (!network || !main_leg || network == main_leg->network)
		return;
	/* PH-7: to the far end, with the Call-ID of the main leg and a From tag of its own. */
	buf_add(&target, (struct str){call->peer + 1, strlen(call->peer) - 2});
	if (!buf_error(&target) && !ua_leg_create(&leg, call, network, main_leg->dialog->call_id,
						  call->peer, target.data)) {
		leg->standby = true;
		if (ua_leg_invite(leg, network, SDP_SENDONLY, STR_NONE, on_standby, leg))
			ua_call_drop(call, leg, "no standby leg");
	}
	buf_free(&target);
}

void ua_move_established(struct ua_call *call)
{
	if (call->move)
		move_early_answered(call->move);
	else
		prepare(call);
}

/* ---- verbs ----------------------------------------------------------------------------------- */

static int begin(struct ua_move *move)
{
	if (move->early)
		return move_early_begin(move);
	switch (move->scheme) {
	case UA_HANDOVER:
	case UA_REPLACES:
		return join(move);
	case UA_BACKUP:
		return activate(move);
	case UA_REREGISTER:
		return reregister(move);
	default:
		return move_reinvite(move);
	}
}

int ua_move_begin(struct ua_call *call, struct ua_network *network)
{
	struct ua_leg *from = ua_call_moving(call);
	struct ua_move *move;
	int ret;

	if (call->move)
		return -EBUSY;
	if (!from || call->ending)
		return -ENOTCONN;
	if (from->network == network)
		return -EALREADY;
	move = calloc(1, sizeof(*move));
	if (!move)
		return -ENOMEM;
	*move = (struct ua_move){.call = call,
				 .scheme = call->ua->options->scheme,
				 .from = from,
				 .former = from->network,
				 .network = network,
				 .early = !call->answered,
				 .asked_us = ua_now_us()};
	network->port[UA_AUDIO].since_packets = network->port[UA_AUDIO].since_first_us = 0;
	call->move = move;
	ua_event(call->ua, "moving",
		 json_pack("{s:s, s:s, s:s}", "scheme", ua_scheme_name(move->scheme), "from",
			   move->former->name, "to", network->name));
	ret = begin(move);
	if (ret)
		move_failed(move, 0);
	return ret;
}

int ua_move_abort(struct ua_call *call)
{
	struct ua_move *move = call->move;

	if (!move || !move->to || move->releasing || move->scheme == UA_BACKUP)
		return -ENOENT;
	timer_stop(&move->timer);
	drop_new(move);
	close_move(move, "aborted");
	return 0;
}

void ua_move_forget(struct ua_move *move, const struct ua_leg *leg)
{
	if (move && move->from == leg)
		move->from = NULL;
	if (move && move->to == leg)
		move->to = NULL;
}

bool ua_move_receive_bye(struct ua_move *move, struct ua_leg *leg)
{
	if (!move || leg->call->ending)
		return false;
	if (leg == move->from && move->to && move->answered_us) {
		/* SG-41: it is the other side that ends the replaced leg. */
		ua_call_drop(leg->call, leg, "moved");
		move_released(move);
		return true;
	}
	if (leg == move->to && move->from) {
		ua_call_drop(leg->call, leg, "move ended by the other side");
		close_move(move, "move-undone");
		return true;
	}
	return false;
}
