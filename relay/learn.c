/* SPDX-License-Identifier: BSD-2-Clause */
/* Which new sources are believed, and what happens then. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "learn.h"

#define MAX_DROPOUT 3000u /* RFC 3550 A.1 */
/* A party that is still there sends again at once: older reports are not worth a change. */
#define STALE_NS 2000000000ull

/* ---- the decision --------------------------------------------------------------------------- */

static bool is_ipv4(const __be32 addr[4])
{
	return sg_address_is_ipv4((const uint8_t *)addr);
}

/* Could a party be there? Not unspecified, loopback, multicast, or IPv4's class E. */
static bool is_party(const __be32 addr[4], __be16 port)
{
	const uint8_t *byte = (const uint8_t *)addr;
	static const uint8_t zero[15];

	if (!port)
		return false;
	if (is_ipv4(addr))
		return byte[12] != 0 && byte[12] != 127 && byte[12] < 224;
	return byte[0] != 0xff && !(memcmp(byte, zero, sizeof(zero)) == 0 && byte[15] <= 1);
}

static bool shares_prefix(const __be32 a[4], const __be32 b[4], unsigned bits)
{
	const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
	unsigned at = is_ipv4(a) ? 96 : 0;

	for (bits += at; at < bits && at < 128; at++)
		if ((x[at / 8] ^ y[at / 8]) & 0x80u >> at % 8)
			return false;
	return true;
}

enum sg_learn sg_learn_decide(const struct sg_path *path, bool heard, const struct sg_event *event)
{
	uint16_t ahead = (uint16_t)(event->sequence - event->old_sequence);

	if (!(path->flags & SG_PATH_LEARN))
		return SG_LEARN_OFF;
	if (is_ipv4(path->remote) != is_ipv4(event->addr))
		return SG_LEARN_FAMILY;
	if (!is_party(event->addr, event->port))
		return SG_LEARN_ADDRESS;
	if (event->time_ns < path->until_ns)
		return shares_prefix(path->remote, event->addr, path->learn_bits) ? SG_LEARN_ACCEPT
										  : SG_LEARN_PREFIX;
	if (!heard)
		return SG_LEARN_SILENT;
	if (event->component == SG_OPAQUE)
		return SG_LEARN_OPAQUE;
	if (event->ssrc != event->old_ssrc)
		return SG_LEARN_SSRC;
	return ahead > 0 && ahead < MAX_DROPOUT ? SG_LEARN_ACCEPT : SG_LEARN_SEQUENCE;
}

const char *sg_learn_text(enum sg_learn verdict)
{
	static const char *const text[] = {
		[SG_LEARN_OFF] = "the path does not learn",
		[SG_LEARN_FAMILY] = "another address family",
		[SG_LEARN_ADDRESS] = "no address that media can be sent to",
		[SG_LEARN_PREFIX] = "outside the signalled prefix",
		[SG_LEARN_SILENT] = "the learning window is over and nothing was heard in it",
		[SG_LEARN_OPAQUE] = "the learning window is over and nothing tells who it is",
		[SG_LEARN_SSRC] = "the learning window is over and the SSRC is another",
		[SG_LEARN_SEQUENCE] =
			"the learning window is over and the sequence does not continue",
	};

	return verdict == SG_LEARN_ACCEPT ? NULL : text[verdict];
}

/* ---- the event ------------------------------------------------------------------------------ */

/* Everything in an event is from the past: is there still such a stream and such a live path? */
static bool is_fresh(const struct sg_relay *relay, const struct sg_event *event)
{
	return event->component != SG_RTCP && event->stream < relay->capacity &&
	       event->side < SG_SIDES && event->slot < SG_PATH_SLOTS &&
	       sg_stream_is_open(relay, event->stream) &&
	       relay->stream[event->stream].generation == event->generation &&
	       sg_path_at(relay, event->stream, event->side, event->slot)->state == SG_PATH_LIVE &&
	       sg_now_ns() - event->time_ns < STALE_NS;
}

/* Reports queue up while one is handled: the path may be there already. */
static bool is_known(const struct sg_relay *relay, const struct sg_event *event)
{
	for (uint32_t slot = 0; slot < SG_PATH_SLOTS; slot++) {
		const struct sg_path *path = sg_path_at(relay, event->stream, event->side, slot);

		if ((path->state == SG_PATH_LIVE || path->state == SG_PATH_DRAINING) &&
		    memcmp(path->remote, event->addr, sizeof(path->remote)) == 0 &&
		    path->remote_port[SG_RTP] == event->port)
			return true;
	}
	return false;
}

/* The path as it is, but for its party's address. */
static void spec_of(const struct sg_path *path, const struct sg_event *event, bool mux,
		    struct sg_path_spec *spec)
{
	uint64_t now = sg_now_ns();

	memset(spec, 0, sizeof(*spec));
	memcpy(spec->local.addr, path->local, sizeof(spec->local.addr));
	memcpy(spec->remote.addr, event->addr, sizeof(spec->remote.addr));
	spec->local.port = ntohs(path->local_port[SG_RTP]);
	spec->remote.port = ntohs(event->port);
	if (!mux) {
		spec->local_rtcp_port = ntohs(path->local_port[SG_RTCP]);
		/* Another address has another RTCP port, most likely the next one. */
		if (memcmp(path->remote, event->addr, sizeof(path->remote)) == 0 ||
		    spec->remote.port == UINT16_MAX)
			spec->remote_rtcp_port = ntohs(path->remote_port[SG_RTCP]);
	}
	spec->dscp = path->flags & SG_PATH_KEEP_DSCP ? SG_DSCP_KEEP : path->dscp;
	spec->learn = true;
	spec->learn_bits = path->learn_bits;
	spec->learn_ns = path->until_ns > now ? path->until_ns - now : 1;
}

static int say(const struct sg_relay *relay, const struct sg_event *event, const char *why,
	       struct sg_error *text)
{
	struct sg_endpoint source = {.port = ntohs(event->port)};
	char from[SG_ENDPOINT_STRLEN];

	memcpy(source.addr, event->addr, sizeof(source.addr));
	sg_endpoint_format(&source, from);
	snprintf(text->text, sizeof(text->text), "%s %c %u: %s %s%s",
		 relay->record[event->stream].name, event->side ? 'b' : 'a', event->slot, from,
		 why ? "refused: " : "learned", why ? why : "");
	return why ? SG_FOLLOW_REFUSED : SG_FOLLOW_LEARNED;
}

static int decide_locked(struct sg_relay *relay, const struct sg_event *event,
			 struct sg_error *text)
{
	bool mux = relay->stream[event->stream].flags & SG_STREAM_MUX;
	const struct sg_path *path = sg_path_at(relay, event->stream, event->side, event->slot);
	struct sg_path_stat stat;
	struct sg_path_spec spec;
	enum sg_learn verdict;
	struct sg_error why;
	int error;

	if (!is_fresh(relay, event) || is_known(relay, event))
		return 0;
	sg_path_stat_read(relay, event->stream, event->side, event->slot, &stat);
	verdict = sg_learn_decide(path, stat.last_ns != 0, event);
	if (verdict != SG_LEARN_ACCEPT)
		return say(relay, event, sg_learn_text(verdict), text);
	spec_of(path, event, mux, &spec);
	error = sg_path_move(relay, event->stream, event->side, event->slot, &spec,
			     SG_RESOLVE_NOWAIT, NULL, &why);
	/* Its next hop is being asked; the source goes on sending, so it will be heard of again. */
	if (error == -EINPROGRESS)
		return 0;
	return say(relay, event, error ? why.text : NULL, text);
}

int sg_learn_source(struct sg_relay *relay, const struct sg_event *event, struct sg_error *text)
{
	int said;

	if (!is_fresh(relay, event) || sg_lock(relay, NULL))
		return 0;
	said = decide_locked(relay, event, text);
	sg_unlock(relay, false);
	return said;
}
