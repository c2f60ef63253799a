// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a controller that starts after a crash needs to know of a call: both parties' dialogs, what
 * was agreed, and which paths carry it. Written after each change that was confirmed.
 */
#include "call/assist.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/offline.h"

#define TABLE "call"
#define NOT_ADOPTED "not adopted" /* the reason in a record */
#define WORD "call"
#define FORMAT STR(WORD "4") /* another layout, another number */

/* ---- writing: "length:text," for texts, "number," for numbers ----------------------------------
 */

static void put_text(struct buf *out, struct str text)
{
	buf_add_u64(out, text.n);
	buf_add_char(out, ':');
	buf_add(out, text);
	buf_add_char(out, ',');
}

static void put_number(struct buf *out, uint64_t number)
{
	buf_add_u64(out, number);
	buf_add_char(out, ',');
}

static void put_address(struct buf *out, const struct netaddr *address)
{
	char text[NETADDR_STRLEN];

	put_text(out, str_of(netaddr_format(address, text)));
}

static void put_path(struct buf *out, const struct path *path)
{
	put_address(out, &path->local);
	put_address(out, &path->remote);
	put_number(out, path->remote_rtcp);
	put_number(out, path->slot);
}

static void put_streams(struct buf *out, const struct call *call)
{
	put_number(out, call->streams);
	for (size_t i = 0; i < call->streams; i++) {
		const struct stream *stream = &call->stream[i];

		put_number(out, stream->media != NULL);
		put_number(out, stream->direction);
		put_text(out, str_of(stream->encoding));
		put_path(out, &stream->path[SG_SIDE_A]);
		put_path(out, &stream->path[SG_SIDE_B]);
	}
}

static void put_leg(struct buf *out, const struct leg *leg, struct buf *dialog)
{
	put_number(out, leg->side);
	put_number(out, leg->updates);
	put_number(out, leg->standby);
	put_number(out, leg->invite_cseq);
	put_number(out, leg->session.interval_s);
	put_number(out, leg->session.we_refresh);
	put_text(out, str_of(leg->user));
	put_text(out, str_of(leg->trunk));
	put_number(out, leg->oa.session_id);
	put_number(out, leg->oa.version);
	put_text(out, str_of(leg->oa.local));
	put_text(out, str_of(leg->oa.remote));
	put_number(out, leg->medias);
	for (size_t i = 0; i < leg->medias; i++)
		put_path(out, &leg->media[i].own);
	buf_reset(dialog);
	sip_dialog_save(leg->dialog, dialog);
	put_text(out, buf_str(dialog));
}

static void put_side(struct buf *out, const struct side *side, struct buf *dialog)
{
	put_number(out, side->count);
	if (side->main)
		put_leg(out, side->main, dialog);
	list_for_each(node, after, &side->legs)
	{
		const struct leg *leg = container_of(node, struct leg, link);

		if (leg != side->main)
			put_leg(out, leg, dialog);
	}
}

void journal_save(struct call *call)
{
	struct buf *out = &call->calls->text, *dialog = &call->calls->sdp;

	if (!call->calls->store || call->state != CALL_UP || call->subscription)
		return;
	buf_reset(out);
	put_text(out, FORMAT);
	put_number(out, call->started_ns);
	put_number(out, call->answered_ns);
	put_number(out, call->handovers);
	put_number(out, call->assisted);
	put_text(out, str_of(call->from));
	put_text(out, str_of(call->to));
	put_streams(out, call);
	put_side(out, &call->side[SG_SIDE_A], dialog);
	put_side(out, &call->side[SG_SIDE_B], dialog);
	/* What did not fit is counted and logged by the store; the next change tries again. */
	if (!buf_error(out) &&
	    !store_put(call->calls->store, TABLE, str_of(call->id), buf_str(out)))
		call->journalled = true;
}

void journal_forget(struct call *call)
{
	if (call->journalled)
		store_delete(call->calls->store, TABLE, str_of(call->id));
}

/* ---- reading -----------------------------------------------------------------------------------
 */

struct reader {
	struct str rest;
	bool bad;
};

static uint64_t get_number(struct reader *reader)
{
	struct str part;
	uint64_t number = 0;

	if (!str_split(&reader->rest, ',', &part) || !str_to_u64(part, &number))
		reader->bad = true;
	return number;
}

static struct str get_text(struct reader *reader)
{
	struct str part, text;
	uint64_t length;

	if (!str_split(&reader->rest, ':', &part) || !str_to_u64(part, &length) ||
	    length >= reader->rest.n) {
		reader->bad = true;
		reader->rest = STR_NONE;
		return STR_NONE;
	}
	text = (struct str){reader->rest.p, (size_t)length};
	reader->rest = str_from(text.p + length + 1, reader->rest.p + reader->rest.n);
	return text;
}

static void get_address(struct reader *reader, struct netaddr *address)
{
	if (netaddr_parse(address, get_text(reader)))
		reader->bad = true;
}

static void get_path(struct reader *reader, struct path *path)
{
	get_address(reader, &path->local);
	get_address(reader, &path->remote);
	path->remote_rtcp = (uint16_t)get_number(reader);
	path->slot = (unsigned)get_number(reader);
}

/* Empty: NULL. 0 or -ENOMEM. */
static int get_copy(struct reader *reader, char **out)
{
	struct str text = get_text(reader);

	*out = text.n ? str_dup(text) : NULL;
	return text.n && !*out ? -ENOMEM : 0;
}

static int get_streams(struct reader *reader, struct call *call)
{
	uint64_t count = get_number(reader);
	int ret = 0;

	if (count > SDP_MEDIA)
		return -EINVAL;
	if (streams_room(call, (size_t)count))
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct stream *stream = &call->stream[i];
		bool installed = get_number(reader);
		struct str encoding;

		stream->direction = (enum sg_direction)get_number(reader);
		encoding = get_text(reader);
		if (encoding.n < ENCODING_LEN && encoding.n)
			memcpy(stream->encoding, encoding.p, encoding.n);
		get_path(reader, &stream->path[SG_SIDE_A]);
		get_path(reader, &stream->path[SG_SIDE_B]);
		if (installed && !reader->bad && !ret)
			ret = streams_adopt(call, i);
	}
	return ret;
}

static int get_oa(struct reader *reader, struct offer_answer *oa)
{
	oa->session_id = get_number(reader);
	oa->version = get_number(reader);
	if (get_copy(reader, &oa->local) || get_copy(reader, &oa->remote))
		return -ENOMEM;
	if (oa->local && oa->remote) {
		oa->state = OA_AGREED;
		oa->agreed_before = true;
	}
	return 0;
}

static int get_medias(struct reader *reader, struct leg *leg)
{
	uint64_t count = get_number(reader);

	if (count > SDP_MEDIA)
		return -EINVAL;
	if (leg_media_room(leg, (size_t)count))
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		get_path(reader, &leg->media[i].own);
	return 0;
}

static int fill_leg(struct reader *reader, struct leg *leg)
{
	struct sip_dialog *dialog;
	struct str user, trunk;
	int ret;

	leg->side = get_number(reader) ? SG_SIDE_B : SG_SIDE_A;
	leg->updates = get_number(reader);
	leg->standby = get_number(reader);
	leg->invite_cseq = (uint32_t)get_number(reader);
	leg->session.interval_s = (unsigned)get_number(reader);
	leg->session.we_refresh = get_number(reader);
	user = get_text(reader);
	trunk = get_text(reader);
	if (leg_take_party(leg, user, trunk) || get_oa(reader, &leg->oa))
		return -ENOMEM;
	ret = get_medias(reader, leg);
	if (ret)
		return ret;
	ret = sip_dialog_restore(&dialog, leg->calls->dialogs, get_text(reader));
	if (ret)
		return ret;
	leg_take_dialog(leg, dialog);
	leg_join_side(leg);
	if (leg->oa.remote)
		offer_hear(leg, str_of(leg->oa.remote));
	return reader->bad ? -EINVAL : 0;
}

static int get_side(struct reader *reader, struct call *call, enum sg_side side)
{
	uint64_t count = get_number(reader);
	int ret = count <= SIDE_LEGS ? 0 : -EINVAL;

	for (uint64_t i = 0; !ret && i < count; i++) {
		struct leg *leg;

		ret = leg_alloc(&leg, call->calls, call, side);
		if (ret)
			break;
		ret = fill_leg(reader, leg);
		if (ret && !leg->dialog)
			leg_free(leg);
	}
	return ret;
}

struct head { /* of a row: what a record needs of it */
	uint64_t started_ns, answered_ns, handovers;
	bool assisted;
	struct str from, to;
};

/* As far as it can be read: the rest is zero. */
static void get_head(struct reader *reader, struct head *head)
{
	*head = (struct head){0};
	if (!str_eq(get_text(reader), FORMAT))
		reader->bad = true;
	if (!reader->bad)
		head->started_ns = get_number(reader);
	if (!reader->bad)
		head->answered_ns = get_number(reader);
	if (!reader->bad)
		head->handovers = get_number(reader);
	if (!reader->bad)
		head->assisted = get_number(reader);
	if (!reader->bad)
		head->from = get_text(reader);
	if (!reader->bad)
		head->to = get_text(reader);
}

static int restore(struct calls *calls, struct str key, struct str value, struct call **out)
{
	struct reader reader = {value, false};
	struct head head;
	struct call *call;
	int ret;

	get_head(&reader, &head);
	if (reader.bad || key.n >= SIP_TOKEN_LEN)
		return -EINVAL;
	ret = call_alloc(&call, calls, key, head.from, head.to);
	if (ret)
		return ret;
	call_start_clock(call, head.started_ns);
	call->answered_ns = head.answered_ns;
	call->handovers = (unsigned)head.handovers;
	call->assisted = head.assisted;
	call->state = CALL_UP;
	call->journalled = true;
	*out = call;
	ret = get_streams(&reader, call);
	if (ret != -ENOMEM && !reader.bad) {
		int sides = get_side(&reader, call, SG_SIDE_A);

		if (!sides)
			sides = get_side(&reader, call, SG_SIDE_B);
		ret = ret && sides != -ENOMEM ? ret : sides;
	}
	if (call->assisted)
		assist_pair_all(call);
	if (!ret && (!call->side[SG_SIDE_A].main || !call->side[SG_SIDE_B].main))
		ret = -EINVAL;
	/* Who began it is not in the journal: whoever is side A by now answers for it. */
	return ret ? ret : call_begun_by(call, str_of(call->side[SG_SIDE_A].main->user));
}

/* ---- adoption -----------------------------------------------------------------------------------
 */

struct adoption {
	struct calls *calls;
	size_t adopted, lost;
	int error;
};

static void carry_on(struct call *call)
{
	call->caller = call->side[SG_SIDE_A].main;
	for (unsigned side = 0; side < SG_SIDES; side++)
		list_for_each(node, after, &call->side[side].legs)
			session_timer_start(container_of(node, struct leg, link));
	call_step(call, -1, "adopted", NULL, 0);
	call_watch(call);
}

/* There is no call to end: its record has what can be read of the row. Then the row goes. */
static void bury(struct calls *calls, struct str key, struct str value)
{
	struct reader reader = {value, false};
	struct timespec now;
	struct head head;

	get_head(&reader, &head);
	clock_gettime(CLOCK_REALTIME, &now);
	store_add_cdr(calls->store, &(struct store_cdr){
					    .call_id = key,
					    .caller = head.from,
					    .callee = head.to,
					    .started_ns = head.started_ns,
					    .answered_ns = head.answered_ns,
					    .ended_ns = (uint64_t)now.tv_sec * 1000000000u +
							(uint64_t)now.tv_nsec,
					    .reason = STR(NOT_ADOPTED),
					    .status = head.answered_ns ? 200 : 0,
					    .handovers = (unsigned)head.handovers,
					    .details = STR("{}"),
				    });
	store_delete(calls->store, TABLE, key);
}

static int adopt_one(void *context, struct str key, struct str value)
{
	struct adoption *adoption = context;
	struct call *call = NULL;
	int ret = restore(adoption->calls, key, value, &call);

	if (!ret) {
		carry_on(call);
		adoption->adopted++;
		return 0;
	}
	/* The call is as good as before: who starts with more memory takes it over. */
	if (ret == -ENOMEM) {
		adoption->error = ret;
		return 1;
	}
	adoption->lost++;
	log_warning(adoption->calls->log, NULL, "call %.*s of the journal cannot be adopted: %s",
		    STR_ARG(key), strerror(-ret));
	/* Its parties still believe in it, but the relay does not carry it. */
	if (call)
		call_end(call, 0, STR("SIP;cause=503;text=\"Call was lost\""), NOT_ADOPTED, NULL);
	else
		bury(adoption->calls, key, value);
	return 0;
}

struct foreigners { /* rows of another version, and the form of one of them */
	size_t count;
	char form[16];
};

static bool is_of_another_version(struct str form)
{
	struct str number = form;
	uint64_t value;

	if (form.n <= strlen(WORD) || memcmp(form.p, WORD, strlen(WORD)) || str_eq(form, FORMAT))
		return false;
	number.p += strlen(WORD);
	number.n -= strlen(WORD);
	return str_to_u64(number, &value);
}

static int look_for_foreigner(void *context, struct str key, struct str value)
{
	struct foreigners *foreigners = context;
	struct reader reader = {value, false};
	struct str form = get_text(&reader);

	(void)key;
	if (!is_of_another_version(form))
		return 0;
	foreigners->count++;
	snprintf(foreigners->form, sizeof(foreigners->form), "%.*s", STR_ARG(form));
	return 0;
}

static int judge(const struct foreigners *foreigners, struct error *err)
{
	if (!foreigners->count)
		return 0;
	return error_set(err, -EPROTO,
			 "%zu calls of the journal were written by another version of Segue (form "
			 "%s; this one has %.*s): start that version again and wait until they are "
			 "over, or give them up: sqlite3 STORE 'DELETE FROM " TABLE "'",
			 foreigners->count, foreigners->form, STR_ARG(FORMAT));
}

int calls_check(const char *url, struct error *err)
{
	struct foreigners foreigners = {0};
	int ret = store_look(url, TABLE, look_for_foreigner, &foreigners, err);

	return ret ? ret : judge(&foreigners, err);
}

int calls_adopt(struct calls *calls, struct error *err)
{
	struct adoption adoption = {.calls = calls};
	struct foreigners foreigners = {0};
	int ret = store_each(calls->store, TABLE, look_for_foreigner, &foreigners, err);
	int collected;

	if (!ret)
		ret = judge(&foreigners, err);
	if (!ret)
		ret = store_each(calls->store, TABLE, adopt_one, &adoption, err);
	if (ret)
		return ret;
	if (adoption.error)
		return error_set(err, adoption.error,
				 "no memory to adopt the calls of the journal");
	collected = media_collect(calls->media);
	if (adoption.adopted || adoption.lost || collected > 0)
		log_info(calls->log, NULL,
			 "%zu calls adopted, %zu could not be, %d streams of none collected",
			 adoption.adopted, adoption.lost, collected);
	return 0;
}
