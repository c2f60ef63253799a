// SPDX-License-Identifier: BSD-2-Clause
/* What passes by on the wire becomes entries of the story of its call. */
#include <stdlib.h>

#include "call/internal.h"
#include "call/story_private.h"

/* What an entry takes from a message; all points into it. */
struct said {
	bool sent;
	const struct sip_flow *flow;
	enum sip_method method;
	int status; /* 0: a request */
	uint32_t cseq;
	struct str call_id, local_tag, remote_tag;
	struct str reason; /* of a refusal */
	struct str why;	   /* the value of a Reason header */
	struct str body;
};

/* ---- reading -------------------------------------------------------------------------------- */

static void read_received(const struct sip_message *message, struct said *out)
{
	*out = (struct said){
		.method = message->method,
		.status = message->status,
		.cseq = message->cseq,
		.call_id = message->call_id,
		.local_tag = message->status ? message->from_tag : message->to_tag,
		.remote_tag = message->status ? message->to_tag : message->from_tag,
		.reason = message->reason,
		.why = headers_reason(message),
		.body = offer_of(message),
	};
}

static struct str tag_of(struct str value)
{
	static const struct str mark = STR(";tag=");
	const char *at = value.n ? memmem(value.p, value.n, mark.p, mark.n) : NULL;
	struct str tag;

	if (!at)
		return STR_NONE;
	tag = str_from(at + mark.n, value.p + value.n);
	tag.n = str_index(tag, ';');
	return tag;
}

static bool header_is(struct str line, struct str name, struct str *value)
{
	if (!str_starts(line, name))
		return false;
	*value = str_from(line.p + name.n, line.p + line.n);
	return true;
}

static void read_cseq(struct str value, struct said *out)
{
	size_t blank = str_index(value, ' ');

	str_to_u32((struct str){value.p, blank}, &out->cseq);
	if (blank < value.n)
		out->method = sip_method_of(str_from(value.p + blank + 1, value.p + value.n));
}

/* Messages of ours need no parser: one header a line, its name as we write it. */
static void read_sent(struct str text, struct said *out)
{
	struct str line, value, from = STR_NONE, to = STR_NONE, code;
	uint32_t status = 0;

	*out = (struct said){.sent = true};
	str_split(&text, '\n', &line);
	if (header_is(str_trim(line), STR("SIP/2.0 "), &value)) {
		str_split(&value, ' ', &code);
		str_to_u32(code, &status);
		out->status = (int)status;
		out->reason = value;
	}
	while (str_split(&text, '\n', &line) && (line = str_trim(line)).n) {
		if (header_is(line, STR("CSeq: "), &value))
			read_cseq(value, out);
		else if (header_is(line, STR("Call-ID: "), &out->call_id) ||
			 header_is(line, STR("From: "), &from) ||
			 header_is(line, STR("To: "), &to) ||
			 header_is(line, STR("Reason: "), &out->why))
			continue;
		else if (header_is(line, STR("Content-Type: application/sdp"), &value))
			out->body = (struct str){"", 1}; /* it follows the empty line */
	}
	if (out->body.n)
		out->body = text;
	out->local_tag = tag_of(out->status ? to : from);
	out->remote_tag = tag_of(out->status ? from : to);
}

/* ---- whose it is ---------------------------------------------------------------------------- */

/* Legs of one INVITE that forked share all but the remote tag, which may not be known yet. */
static struct leg *leg_of(const struct calls *calls, const struct said *said)
{
	struct leg *leg = NULL, *found = NULL;

	while ((leg = leg_of_call_id(calls, said->call_id, leg))) {
		const struct sip_dialog *dialog = leg->dialog;

		/* A CANCEL and the INVITE that comes again know no tag of ours. */
		if (said->local_tag.n && !str_eq(str_of(dialog->local_tag), said->local_tag))
			continue;
		if (!said->local_tag.n && !str_eq(str_of(dialog->remote_tag), said->remote_tag))
			continue;
		if (str_eq(str_of(dialog->remote_tag), said->remote_tag))
			return leg;
		if (!found)
			found = leg;
	}
	return found;
}

/* ---- writing -------------------------------------------------------------------------------- */

static const struct story_entry *last_of_leg(const struct story *story, unsigned number)
{
	const struct story_entry *entry = NULL, *found = NULL;

	while ((entry = story_next(story, entry)))
		if (entry->kind == STORY_LEG && entry->leg == number)
			found = entry;
	return found;
}

/* The leg gets its number with its first message; where it speaks from is told when it is new. */
static void introduce(struct leg *leg, const struct sip_flow *flow)
{
	struct story *story = leg->story;
	char remote[NETADDR_STRLEN], local[NETADDR_STRLEN];
	const struct story_entry *known;
	struct story_entry entry = {.kind = STORY_LEG, .side = (int8_t)leg->side, .count = 1};
	const struct str part[STORY_PARTS] = {
		str_of(netaddr_format(&flow->remote, remote)),
		str_of(netaddr_format(&flow->local, local)),
		str_of(leg->dialog->call_id),
	};

	if (!leg->story_leg && story->legs < STORY_LEGS)
		leg->story_leg = ++story->legs;
	known = last_of_leg(story, leg->story_leg);
	if (!leg->story_leg || (known && !strcmp(story_part(known, 0), remote) &&
				!strcmp(story_part(known, 1), local)))
		return;
	entry.leg = leg->story_leg;
	entry.method = (uint8_t)flow->proto;
	story_append(story, story_clock_ns(), &entry, part);
}

static bool same_message(const struct story_entry *a, const struct story_entry *b)
{
	return a->kind == b->kind && a->leg == b->leg && a->method == b->method &&
	       a->status == b->status && a->cseq == b->cseq;
}

/* Once more: counted where it stands. */
static bool is_repeated(const struct story *story, const struct story_entry *entry)
{
	struct story_entry *old = NULL;

	while ((old = story_next(story, old))) {
		if (!same_message(old, entry))
			continue;
		if (old->count < UINT8_MAX)
			old->count++;
		return true;
	}
	return false;
}

static void write_down(struct leg *leg, const struct said *said)
{
	struct story_entry entry = {
		.kind = said->sent ? STORY_SENT : STORY_RECEIVED,
		.method = (uint8_t)said->method,
		.status = (uint16_t)said->status,
		.cseq = (uint16_t)said->cseq,
		.side = (int8_t)leg->side,
		.count = 1,
	};
	struct buf *sdp = &leg->calls->told;
	struct str part[STORY_PARTS] = {STR_NONE, said->why};

	introduce(leg, said->flow);
	entry.leg = leg->story_leg;
	if (is_repeated(leg->story, &entry))
		return;
	if (said->status >= 300)
		part[0] = said->reason;
	buf_reset(sdp);
	if (said->body.n)
		sdp_brief(said->body, sdp);
	if (!buf_error(sdp))
		part[2] = buf_str(sdp);
	story_append(leg->story, story_clock_ns(), &entry, part);
}

/* ---- from outside -----------------------------------------------------------------------------
 */

/* No leg has it yet; one may come of it. */
static void keep(struct calls *calls, struct sip_message *request)
{
	if (request->method != SIP_INVITE && request->method != SIP_SUBSCRIBE)
		return;
	sip_message_unref(calls->asking);
	calls->asking = sip_message_ref(request);
}

/* False: nothing that a call could have. */
static bool read_seen(const struct sip_seen *seen, struct said *out)
{
	if (seen->message)
		read_received(seen->message, out);
	else if (seen->sent)
		read_sent(seen->text, out);
	else
		return false;
	out->flow = seen->flow;
	return out->method != SIP_REGISTER && out->call_id.n;
}

struct leg *story_leg_of(const struct calls *calls, const struct sip_seen *seen)
{
	struct said said;

	return read_seen(seen, &said) ? leg_of(calls, &said) : NULL;
}

struct leg *story_seen(struct calls *calls, const struct sip_seen *seen)
{
	struct said said;
	struct leg *leg;

	if (!read_seen(seen, &said))
		return NULL;
	leg = leg_of(calls, &said);
	if (leg && leg->story)
		write_down(leg, &said);
	else if (!leg && seen->message && !said.status)
		keep(calls, seen->message);
	return leg;
}

void story_leg_begins(struct leg *leg)
{
	struct sip_message *asking = leg->calls->asking;
	struct said said;

	if (!asking || !leg->story || !str_eq(asking->call_id, str_of(leg->dialog->call_id)) ||
	    !str_eq(asking->from_tag, str_of(leg->dialog->remote_tag)))
		return;
	read_received(asking, &said);
	said.flow = &asking->flow;
	write_down(leg, &said);
	sip_message_unref(asking);
	leg->calls->asking = NULL;
}
