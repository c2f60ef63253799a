// SPDX-License-Identifier: BSD-2-Clause
/*
 * Session timers (RFC 4028), each leg its own: what one party wants to be asked again, and how
 * often, is no business of the other.
 */
#include "call/internal.h"

#include <stdio.h>

#define LEAST_S 90u   /* RFC 4028 5 */
#define MOST_S 86400u /* who wants a longer one as the least does not mean it */
#define RAISES 4u     /* each hop may want more than the one before */
#define RETRY_MS 2000u

static bool read_interval(const struct sip_message *message, const char *name, unsigned *seconds,
			  struct str *refresher)
{
	struct str value = sip_header(message, name, 0);
	size_t semicolon;
	uint32_t number;

	*refresher = STR_NONE;
	if (!value.p)
		return false;
	semicolon = str_index(value, ';');
	if (!str_to_u32(str_trim((struct str){value.p, semicolon}), &number))
		return false;
	*seconds = number;
	sip_param((struct str){value.p + semicolon, value.n - semicolon}, "refresher", refresher);
	return true;
}

static unsigned least_s(const struct leg *leg)
{
	unsigned least = leg->calls->config->min_se;

	return least > LEAST_S ? least : LEAST_S;
}

/* For requests of ours: what the party was heard to grant at least counts, too. */
static unsigned least_asked_s(const struct leg *leg)
{
	unsigned least = least_s(leg);

	return leg->session.least_s > least ? leg->session.least_s : least;
}

bool session_timer_refused(struct leg *leg, struct sip_server_tx *tx,
			   const struct sip_message *request)
{
	struct str refresher;
	unsigned seconds;
	char text[32];

	/* One who does not know 422 would not understand it (RFC 4028 9). */
	if (!read_interval(request, "Session-Expires", &seconds, &refresher) ||
	    !sip_header_has_token(request, "Supported", STR("timer")) || seconds >= least_s(leg))
		return false;
	snprintf(text, sizeof(text), "Min-SE: %u\r\n", least_s(leg));
	leg_respond(leg, tx, 422, NULL, str_of(text), STR_NONE, STR_NONE);
	return true;
}

static void add_expires(struct buf *out, unsigned seconds, struct str refresher)
{
	buf_add(out, STR("Session-Expires: "));
	buf_add_u64(out, seconds);
	if (refresher.n) {
		buf_add(out, STR(";refresher="));
		buf_add(out, refresher);
	}
	buf_add(out, STR("\r\n"));
}

void session_timer_request(struct leg *leg, struct buf *out)
{
	unsigned seconds = leg->session.interval_s ? leg->session.interval_s
						   : leg->calls->config->session_expires;

	leg->session.asked_s = 0;
	if (!seconds)
		return;
	if (seconds < least_asked_s(leg))
		seconds = least_asked_s(leg);
	leg->session.asked_s = seconds;
	add_expires(out, seconds,
		    !leg->session.interval_s  ? STR_NONE
		    : leg->session.we_refresh ? STR("uac")
					      : STR("uas"));
	buf_add(out, STR("Min-SE: "));
	buf_add_u64(out, least_asked_s(leg));
	buf_add(out, STR("\r\n"));
}

bool session_timer_raise(struct leg *leg, const struct sip_message *response)
{
	struct session_timer *session = &leg->session;
	struct str value = sip_header(response, "Min-SE", 0);
	uint32_t least;

	if (response->status != 422 || !value.p ||
	    !str_to_u32(str_trim((struct str){value.p, str_index(value, ';')}), &least))
		return false;
	if (!session->asked_s || least <= session->asked_s || least > MOST_S ||
	    session->raised >= RAISES)
		return false;
	session->raised++;
	session->least_s = least;
	return true;
}

/* RFC 4028 9 and its table 2: the refresher is who was asked for, else the party if it can. */
void session_timer_response(struct leg *leg, const struct sip_message *request, struct buf *out)
{
	bool knows = sip_header_has_token(request, "Supported", STR("timer"));
	unsigned seconds = leg->calls->config->session_expires, wanted;
	struct str refresher = STR_NONE;

	if (read_interval(request, "Session-Expires", &wanted, &refresher) &&
	    (!seconds || wanted < seconds))
		seconds = wanted;
	if (seconds && seconds < least_s(leg))
		seconds = least_s(leg);
	leg->session.interval_s = seconds;
	if (!seconds)
		return;
	leg->session.we_refresh = !knows || str_case_eq(refresher, STR("uas"));
	if (!knows)
		return; /* it would not understand; we ask it now and then (RFC 4028 9) */
	add_expires(out, seconds, leg->session.we_refresh ? STR("uas") : STR("uac"));
	if (!leg->session.we_refresh)
		buf_add(out, STR("Require: timer\r\n"));
}

void session_timer_answered(struct leg *leg, const struct sip_message *response)
{
	struct str refresher;
	unsigned seconds;

	if (read_interval(response, "Session-Expires", &seconds, &refresher) && seconds) {
		leg->session.interval_s = seconds < LEAST_S ? LEAST_S : seconds;
		leg->session.we_refresh = !str_case_eq(refresher, STR("uas"));
	} else {
		/* The party has no timers: we find out by ourselves whether it is still there. */
		leg->session.interval_s = leg->calls->config->session_expires;
		leg->session.we_refresh = true;
	}
}

/* ---- it is time -------------------------------------------------------------------------------
 */

static void expired(void *context)
{
	struct leg *leg = context;

	if (leg->call)
		call_end(leg->call, 0, STR("SIP;cause=408;text=\"Session expired\""),
			 "session timer", NULL);
}

static void refresh(void *context)
{
	struct leg *leg = context;

	if (!leg->call || leg->call->state != CALL_UP)
		return;
	/* Something else is being asked just now: that refreshes too, or we come back. */
	if (exchange_refresh(leg))
		timer_start(leg->calls->wheel, &leg->session.timer, RETRY_MS, refresh, leg);
}

/* RFC 4028 10: half of the interval for who refreshes, a little less than all for who waits. */
void session_timer_start(struct leg *leg)
{
	uint64_t ms = leg->session.interval_s * 1000ull, early = ms / 3;

	timer_stop(&leg->session.timer);
	if (!ms)
		return;
	if (early > 32000)
		early = 32000;
	if (leg->session.we_refresh)
		timer_start(leg->calls->wheel, &leg->session.timer, ms / 2, refresh, leg);
	else
		timer_start(leg->calls->wheel, &leg->session.timer, ms - early, expired, leg);
}
