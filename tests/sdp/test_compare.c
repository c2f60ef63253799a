// SPDX-License-Identifier: BSD-2-Clause
/* Whether two descriptions differ in more than addresses: a move needs nobody's consent then
 * (SG-40).
 */
#include "corpus.h"
#include "describe.h"

#define HEAD(address, version)                                                                     \
	"v=0\r\no=- 1 " version " IN IP4 " address "\r\ns=-\r\nc=IN IP4 " address "\r\nt=0 0\r\n"
#define BASE HEAD("192.0.2.1", "1") "m=audio 5004 RTP/AVP 0 8\r\na=ptime:20\r\n"

struct pair {
	const char *name, *other;
	bool same;
};

static const struct pair pairs[] = {
	{"the same text", BASE, true},
	{"another address, port and version",
	 HEAD("198.51.100.9", "2") "m=audio 6000 RTP/AVP 0 8\r\na=ptime:20\r\n", true},
	{"the other family, c= in the section",
	 "v=0\r\no=- 1 2 IN IP6 2001:db8::1\r\ns=-\r\nt=0 0\r\n"
	 "m=audio 6000 RTP/AVP 0 8\r\nc=IN IP6 2001:db8::1\r\na=ptime:20\r\n",
	 true},
	{"a=rtcp and ICE come with the address",
	 HEAD("198.51.100.9", "2") "a=ice-lite\r\nm=audio 6000 RTP/AVP 0 8\r\n"
				   "a=rtcp:7 IN IP4 192.0.2.4\r\na=candidate:1 1 UDP 1 10.0.0.1 1 "
				   "typ host\r\na=ptime:20\r\n",
	 true},
	{"the direction by another line",
	 HEAD("192.0.2.1", "1") "a=sendrecv\r\nm=audio 5004 RTP/AVP 0 8\r\na=ptime:20\r\n", true},
	{"line feeds alone, and no last one",
	 "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n"
	 "m=audio 5004 RTP/AVP 0 8\na=ptime:20",
	 true},
	{"hold", BASE "a=sendonly\r\n", false},
	{"hold by zero", HEAD("0.0.0.0", "1") "m=audio 5004 RTP/AVP 0 8\r\na=ptime:20\r\n", false},
	{"refused", HEAD("192.0.2.1", "1") "m=audio 0 RTP/AVP 0 8\r\na=ptime:20\r\n", false},
	{"other formats", HEAD("192.0.2.1", "1") "m=audio 5004 RTP/AVP 8\r\na=ptime:20\r\n", false},
	{"formats in another order",
	 HEAD("192.0.2.1", "1") "m=audio 5004 RTP/AVP 8 0\r\na=ptime:20\r\n", false},
	{"another protocol", HEAD("192.0.2.1", "1") "m=audio 5004 RTP/SAVP 0 8\r\na=ptime:20\r\n",
	 false},
	{"another type", HEAD("192.0.2.1", "1") "m=video 5004 RTP/AVP 0 8\r\na=ptime:20\r\n",
	 false},
	{"another attribute", HEAD("192.0.2.1", "1") "m=audio 5004 RTP/AVP 0 8\r\na=ptime:30\r\n",
	 false},
	{"one attribute more", BASE "a=maxptime:20\r\n", false},
	{"one attribute less", HEAD("192.0.2.1", "1") "m=audio 5004 RTP/AVP 0 8\r\n", false},
	{"another session line", BASE "m=video 0 RTP/AVP 34\r\n", false},
	{"a new key", BASE "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:BBBB\r\n", false},
	{"a session attribute",
	 HEAD("192.0.2.1", "1") "a=x\r\nm=audio 5004 RTP/AVP 0 8\r\na=ptime:20\r\n", false},
};

static struct sdp parsed(const char *text)
{
	struct sdp sdp;

	assert_int_equal(sdp_parse(&sdp, str_of(text), NULL), 0);
	return sdp;
}

static void compares_as_the_table_says(void **state)
{
	struct sdp base = parsed(BASE);

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct sdp other = parsed(pairs[i].other);

		if (sdp_same_but_address(&base, &other) != pairs[i].same ||
		    sdp_same_but_address(&other, &base) != pairs[i].same)
			fail_msg("%s: wanted %s", pairs[i].name,
				 pairs[i].same ? "same" : "different");
	}
}

/* What a relay changes is what the comparison leaves out: unless it had something to hide or
 * refuse.
 */
static void an_edited_body_is_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < corpus_count; i++) {
		struct sdp before = parsed(corpus[i].text), after;
		bool carried = true;
		char *text;

		for (size_t j = 0; j < before.medias; j++) {
			carried = carried && (before.media[j].rtp || !before.media[j].port);
		}
		if (!carried)
			continue;
		text = edited(corpus[i].text, OUR_IPV6);
		after = parsed(text);
		if (!sdp_same_but_address(&before, &after))
			fail_msg("%s:\n%s", corpus[i].name, text);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_as_the_table_says),
		cmocka_unit_test(an_edited_body_is_the_same),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
