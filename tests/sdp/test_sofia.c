// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two parsers, one text: whatever sofia-sip's and ours both accept, they must read alike. The
 * corpus first, then descriptions put together at random, as they came and as we would send them
 * on.
 */
#include "corpus.h"
#include "describe.h"
#include "oracle.h"

#define RANDOM_BODIES 4000u

static void formats_of(const struct sdp_media *media, char out[ORACLE_TEXT])
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < media->formats; i++)
		at += (size_t)snprintf(out + at, ORACLE_TEXT - at, "%s%.*s", at ? " " : "",
				       STR_ARG(media->format[i]));
}

static void same_host(const struct sdp_media *ours, const struct oracle_media *theirs,
		      const char *text)
{
	struct netaddr host;

	if (!ours->has_address)
		return;
	if (netaddr_parse_host(&host, str_of(theirs->host), 0))
		fail_msg("no address for sofia-sip: \"%s\"\n%s", theirs->host, text);
	assert_true(netaddr_same_host(&host, &ours->rtp_at));
}

static void same_media(const struct sdp_media *ours, const struct oracle_media *theirs,
		       const char *text)
{
	char formats[ORACLE_TEXT];

	if (!str_case_eq(ours->type, str_of(theirs->type)))
		fail_msg("type: %.*s %s\n%s", STR_ARG(ours->type), theirs->type, text);
	if (!str_case_eq(ours->proto, str_of(theirs->proto)))
		fail_msg("protocol: %.*s %s\n%s", STR_ARG(ours->proto), theirs->proto, text);
	assert_int_equal(ours->port, theirs->port);
	same_host(ours, theirs, text);
	if (ours->port && (int)ours->direction != theirs->direction)
		fail_msg("direction: %s, for sofia-sip %d\n%s", sdp_direction_name(ours->direction),
			 theirs->direction, text);
	formats_of(ours, formats);
	/* We stop at SDP_FORMATS. */
	if (ours->formats == SDP_FORMATS ? strncmp(formats, theirs->formats, strlen(formats))
					 : strcmp(formats, theirs->formats))
		fail_msg("formats: %s, for sofia-sip %s\n%s", formats, theirs->formats, text);
	if (ours->clock_hz && theirs->clock_hz)
		assert_int_equal(ours->clock_hz, theirs->clock_hz);
}

/* True when both read it. */
static bool compare(const char *text)
{
	struct oracle theirs;
	char why[ORACLE_TEXT];
	struct sdp ours;

	if (sdp_parse(&ours, str_of(text), NULL) || !oracle_read(&theirs, str_of(text), why))
		return false;
	assert_int_equal(ours.medias, theirs.medias);
	for (size_t i = 0; i < ours.medias; i++)
		same_media(&ours.media[i], &theirs.media[i], text);
	return true;
}

static void compare_both_ways(const char *text, unsigned *agreed)
{
	static const char *const hosts[] = {OUR_IPV4, OUR_IPV6};

	if (!compare(text))
		return;
	*agreed += 1;
	for (size_t i = 0; i < 2; i++) {
		char *sent = edited(text, hosts[i]);

		if (!compare(sent))
			fail_msg("not read again by both:\n%s", sent);
		free(sent);
	}
}

static void they_agree_on_the_corpus(void **state)
{
	const struct corpus_body *body;
	unsigned agreed = 0;
	size_t i;

	(void)state;
	for (i = 0; (body = corpus_get(i)); i++) {
		struct oracle oracle;
		char why[ORACLE_TEXT];

		compare_both_ways(body->text, &agreed);
		if (!oracle_read(&oracle, str_of(body->text), why))
			printf("# sofia-sip refuses \"%s\": %s\n", body->name, why);
	}
	printf("# %u of %zu read by both\n", agreed, i);
	/* Of those that are as they ought to be, none may be missing. */
	assert_in_range(agreed, corpus_count, i);
}

/* ---- at random
 * ------------------------------------------------------------------------------------
 */

struct dice {
	uint64_t state;
};

static unsigned roll(struct dice *dice, unsigned sides)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return (unsigned)(dice->state >> 33) % sides;
}

#define PICK(dice, array) (array)[roll(dice, sizeof(array) / sizeof((array)[0]))]

static const char *const connections[] = {
	"c=IN IP4 192.0.2.1\r\n",	 "c=IN IP4 10.0.0.200\r\n", "c=IN IP6 2001:db8::1\r\n",
	"c=IN IP4 0.0.0.0\r\n",		 "c=IN IP6 ::\r\n",	    "",
	"c=IN IP4 host.example.net\r\n",
};

static const char *const attributes[] = {
	"a=sendonly\r\n",
	"a=recvonly\r\n",
	"a=inactive\r\n",
	"a=sendrecv\r\n",
	"a=ptime:20\r\n",
	"a=rtcp:9000\r\n",
	"a=rtcp:9000 IN IP4 192.0.2.5\r\n",
	"a=rtcp-mux\r\n",
	"a=rtpmap:96 opus/48000/2\r\n",
	"a=rtpmap:97 AMR/8000\r\n",
	"a=rtpmap:8 PCMA/8000\r\n",
	"a=fmtp:96 useinbandfec=1\r\n",
	"a=candidate:1 1 UDP 2130706431 192.0.2.9 5004 typ host\r\n",
	"a=ice-ufrag:abcd\r\n",
	"a=setup:actpass\r\n",
	"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\n",
	"a=unheard\r\n",
};

static const char *const medias[] = {
	"m=audio %u RTP/AVP 0 8 96\r\n", "m=audio %u RTP/SAVP 96 97\r\n",
	"m=video %u RTP/AVPF 96\r\n",	 "m=image %u udptl t38\r\n",
	"m=audio %u RTP/AVP 18\r\n",	 "m=application %u UDP/BFCP *\r\n",
	"m=video %u/2 RTP/AVP 34\r\n",	 "m=message %u TCP/MSRP *\r\n",
};

static void random_attributes(struct dice *dice, struct buf *out)
{
	for (unsigned i = roll(dice, 6); i; i--)
		buf_addf(out, "%s", PICK(dice, attributes));
}

static void random_media(struct dice *dice, struct buf *out)
{
	char line[96];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(line, sizeof(line), PICK(dice, medias), roll(dice, 5) ? roll(dice, 65536) : 0);
#pragma GCC diagnostic pop
	buf_addf(out, "%s", line);
	if (!roll(dice, 4))
		buf_addf(out, "i=about\r\n");
	buf_addf(out, "%s", PICK(dice, connections));
	if (!roll(dice, 4))
		buf_addf(out, "b=AS:64\r\n");
	random_attributes(dice, out);
}

static void random_body(struct dice *dice, struct buf *out)
{
	buf_addf(out, "v=0\r\no=u %u %u IN IP4 192.0.2.1\r\ns=-\r\n%st=0 0\r\n",
		 roll(dice, 1u << 30), roll(dice, 1u << 30), PICK(dice, connections));
	random_attributes(dice, out);
	for (unsigned i = roll(dice, 5); i; i--)
		random_media(dice, out);
}

static void they_agree_on_random_descriptions(void **state)
{
	struct dice dice = {0x9e3779b97f4a7c15};
	struct buf text = BUF_EMPTY;
	unsigned agreed = 0;

	(void)state;
	for (unsigned i = 0; i < RANDOM_BODIES; i++) {
		buf_reset(&text);
		random_body(&dice, &text);
		compare_both_ways(text.data, &agreed);
	}
	buf_free(&text);
	printf("# %u of %u read by both\n", agreed, RANDOM_BODIES);
	assert_in_range(agreed, RANDOM_BODIES / 2, RANDOM_BODIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_agree_on_the_corpus),
		cmocka_unit_test(they_agree_on_random_descriptions),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sofia", tests, NULL, NULL);
}
