// SPDX-License-Identifier: BSD-2-Clause
/* Reading descriptions. */
#include <errno.h>

#include "corpus.h"
#include "describe.h"

static int parse(struct sdp *sdp, const char *text, struct error *err)
{
	return sdp_parse(sdp, str_of(text), err);
}

static void reads_the_corpus(void **state)
{
	const struct corpus_body *body;

	(void)state;
	for (size_t i = 0; (body = corpus_get(i)); i++) {
		struct str copy = exact(body->text);
		struct error err = {""};
		struct sdp sdp;
		char *got;

		if (sdp_parse(&sdp, copy, &err))
			fail_msg("%s: %s", body->name, err.text);
		got = describe(&sdp);
		if (strcmp(got, body->reads))
			fail_msg("%s:\n%swanted:\n%s", body->name, got, body->reads);
		free(got);
		exact_free(copy);
	}
}

/* Sections are adjacent pieces of the text: nothing is lost between them. */
static void sections_cover_the_text(void **state)
{
	const struct corpus_body *body;

	(void)state;
	for (size_t i = 0; (body = corpus_get(i)); i++) {
		struct sdp sdp;
		const char *end;

		assert_int_equal(parse(&sdp, body->text, NULL), 0);
		assert_ptr_equal(sdp.session.p, body->text);
		end = sdp.session.p + sdp.session.n;
		for (size_t j = 0; j < sdp.medias; j++) {
			assert_ptr_equal(sdp.media[j].lines.p, end);
			end += sdp.media[j].lines.n;
		}
		assert_ptr_equal(end, body->text + strlen(body->text));
	}
}

static void reads_the_origin(void **state)
{
	struct sdp sdp;

	(void)state;
	assert_int_equal(parse(&sdp,
			       "v=0\r\no=jdoe 2890844526 2890842807 IN IP4 192.0.2.1\r\ns=-\r\n",
			       NULL),
			 0);
	assert_true(str_eq(sdp.origin, STR("jdoe 2890844526 2890842807 IN IP4 192.0.2.1")));
	assert_true(str_eq(sdp.session_id, STR("2890844526")));
	assert_true(str_eq(sdp.session_version, STR("2890842807")));
}

struct refusal {
	const char *text, *says;
};

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"

static const struct refusal refusals[] = {
	{"", "SDP is empty"},
	{"\r\n\r\n", "SDP is empty"},
	{"hello\r\n", "SDP line 1, \"hello\", is not of the form TYPE=VALUE"},
	{" v=0\r\n", "SDP line 1, \" v=0\", is not of the form TYPE=VALUE"},
	{"v=1\r\n", "SDP line 1, \"v=1\", is another version than 0"},
	{HEAD "o=- 2 2 IN IP4 192.0.2.2\r\n",
	 "SDP line 5, \"o=- 2 2 IN IP4 192.0.2.2\", is a second o= line"},
	{"v=0\r\no=me\r\n", "SDP line 2, \"o=me\", wants USER ID VERSION NETWORK FAMILY ADDRESS"},
	{HEAD "m=audio\r\n", "SDP line 5, \"m=audio\", wants TYPE PORT PROTOCOL FORMATS"},
	{HEAD "m=audio 5004 RTP/AVP\r\n", "SDP line 5, \"m=audio 5004 RTP/AVP\", has no format"},
	{HEAD "m=audio 70000 RTP/AVP 0\r\n",
	 "SDP line 5, \"m=audio 70000 RTP/AVP 0\", has no port from 0 to 65535"},
	{HEAD "m=audio -1 RTP/AVP 0\r\n",
	 "SDP line 5, \"m=audio -1 RTP/AVP 0\", has no port from 0 to 65535"},
	{HEAD "m=audio 5004/x RTP/AVP 0\r\n",
	 "SDP line 5, \"m=audio 5004/x RTP/AVP 0\", has no number of ports behind the slash"},
	{HEAD "c=IN IP4\r\n", "SDP line 5, \"c=IN IP4\", wants NETWORK FAMILY ADDRESS"},
	{HEAD "c=IN IP4 192.0.2.999\r\n",
	 "SDP line 5, \"c=IN IP4 192.0.2.999\", holds neither an address nor a name"},
	{HEAD "c=IN IP4 fe80::1%eth0\r\n",
	 "SDP line 5, \"c=IN IP4 fe80::1%eth0\", holds neither an address nor a name"},
	{HEAD "c=IN IP4 224.2.1.1/127/3\r\n",
	 "SDP line 5, \"c=IN IP4 224.2.1.1/127/3\", is a multicast address, which cannot be "
	 "relayed"},
	{HEAD "m=audio 5004 RTP/AVP 0\r\nc=IN IP6 ff15::101/3\r\n",
	 "SDP line 6, \"c=IN IP6 ff15::101/3\", is a multicast address, which cannot be relayed"},
	{HEAD "m=audio 5004 RTP/AVP 0\r\na=rtcp:x\r\n",
	 "SDP line 6, \"a=rtcp:x\", has no port from 0 to 65535"},
	{HEAD "m=audio 5004 RTP/AVP 0\r\na=rtcp\r\n",
	 "SDP line 6, \"a=rtcp\", has no port from 0 to 65535"},
	{HEAD "m=audio 5004 RTP/AVP 0\r\na=rtcp:5005 IN\r\n",
	 "SDP line 6, \"a=rtcp:5005 IN\", wants NETWORK FAMILY ADDRESS"},
	{HEAD "z\x1b[31m\r\n", "SDP line 5, \"z?[31m\", is not of the form TYPE=VALUE"},
};

static void names_the_line_that_it_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct str copy = exact(refusals[i].text);
		struct error err = {""};
		struct sdp sdp;

		assert_int_equal(sdp_parse(&sdp, copy, &err), -EINVAL);
		assert_string_equal(err.text, refusals[i].says);
		exact_free(copy);
	}
}

static void refuses_a_nul_and_what_is_too_long(void **state)
{
	char *longest = malloc(SDP_TEXT_MAX + 1);
	struct error err = {""};
	struct sdp sdp;

	(void)state;
	assert_int_equal(sdp_parse(&sdp, STR("v=0\r\ns=\0x\r\n"), &err), -EINVAL);
	assert_string_equal(err.text, "SDP has a NUL at byte 7");
	assert_non_null(longest);
	memset(longest, 'x', SDP_TEXT_MAX + 1);
	memcpy(longest, "s=", 2);
	assert_int_equal(sdp_parse(&sdp, (struct str){longest, SDP_TEXT_MAX}, &err), 0);
	assert_int_equal(sdp_parse(&sdp, (struct str){longest, SDP_TEXT_MAX + 1}, &err), -EINVAL);
	free(longest);
}

static void takes_sixteen_media_and_no_more(void **state)
{
	struct buf text = BUF_EMPTY;
	struct error err = {""};
	struct sdp sdp;

	(void)state;
	buf_add(&text, STR(HEAD));
	for (unsigned i = 0; i < SDP_MEDIA; i++)
		buf_add(&text, STR("m=audio 5004 RTP/AVP 0\r\n"));
	assert_int_equal(sdp_parse(&sdp, buf_str(&text), &err), 0);
	assert_int_equal(sdp.medias, SDP_MEDIA);
	buf_add(&text, STR("m=audio 5004 RTP/AVP 0\r\n"));
	assert_int_equal(sdp_parse(&sdp, buf_str(&text), &err), -EINVAL);
	assert_string_equal(err.text,
			    "SDP line 21, \"m=audio 5004 RTP/AVP 0\", is one m= line too many");
	buf_free(&text);
}

struct protocol {
	const char *name;
	bool rtp, opaque;
};

static void knows_what_it_can_carry(void **state)
{
	static const struct protocol protocols[] = {
		{"RTP/AVP", true, false},
		{"RTP/AVPF", true, false},
		{"RTP/SAVP", true, false},
		{"RTP/SAVPF", true, false},
		{"UDP/TLS/RTP/SAVP", true, false},
		{"UDP/TLS/RTP/SAVPF", true, false},
		{"udptl", false, true},
		{"UDPTL", false, true},
		{"TCP/RTP/AVP", false, false},
		{"TCP/MSRP", false, false},
		{"UDP/DTLS/SCTP", false, true},
		{"UDP/TLS/UDPTL", false, true},
		{"UDP/BFCP", false, true},
		{"TCP/BFCP", false, false},
		{"udp", false, true},
		{"TCP/TLS/RTP/SAVP", false, false},
		{"RTP/AVPX", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		char text[128];
		struct sdp sdp;

		snprintf(text, sizeof(text), HEAD "m=audio 5004 %s 0\r\n", protocols[i].name);
		assert_int_equal(parse(&sdp, text, NULL), 0);
		assert_int_equal(sdp.media[0].rtp, protocols[i].rtp);
		assert_int_equal(sdp.media[0].opaque, protocols[i].opaque);
	}
}

/* RFC 3551, tables 4 and 5. */
static void knows_the_clocks_of_static_types(void **state)
{
	static const uint32_t clocks[128] = {
		[0] = 8000,   [3] = 8000,   [4] = 8000,	  [5] = 8000,	[6] = 16000,  [7] = 8000,
		[8] = 8000,   [9] = 8000,   [10] = 44100, [11] = 44100, [12] = 8000,  [13] = 8000,
		[14] = 90000, [15] = 8000,  [16] = 11025, [17] = 22050, [18] = 8000,  [25] = 90000,
		[26] = 90000, [28] = 90000, [31] = 90000, [32] = 90000, [33] = 90000, [34] = 90000};

	(void)state;
	for (unsigned type = 0; type < 128; type++) {
		char text[128];
		struct sdp sdp;

		snprintf(text, sizeof(text), HEAD "m=audio 5004 RTP/AVP %u\r\n", type);
		assert_int_equal(parse(&sdp, text, NULL), 0);
		assert_int_equal(sdp.media[0].clock_hz, clocks[type]);
	}
}

static void rtpmap_wins_over_the_table(void **state)
{
	struct sdp sdp;

	(void)state;
	assert_int_equal(parse(&sdp,
			       HEAD "m=audio 5004 RTP/AVP 0 97\r\na=rtpmap:97 AMR-WB/16000/1\r\n"
				    "a=rtpmap:0 PCMU/16000\r\n",
			       NULL),
			 0);
	assert_int_equal(sdp.media[0].clock_hz, 16000);
}

static void finds_encodings_by_number_and_by_name(void **state)
{
	struct sdp sdp;

	(void)state;
	assert_int_equal(parse(&sdp,
			       HEAD "m=audio 5004 RTP/AVP 8 97\r\na=rtpmap:97 AMR/8000\r\n"
				    "a=rtpmap:98 opus/48000\r\nm=image 5006 udptl t38\r\n",
			       NULL),
			 0);
	assert_true(sdp_has_encoding(&sdp, 0, STR("8")));
	assert_true(sdp_has_encoding(&sdp, 0, STR("pcma")));
	assert_true(sdp_has_encoding(&sdp, 0, STR("Amr")));
	assert_true(sdp_has_encoding(&sdp, 1, STR("T38")));
	assert_false(sdp_has_encoding(&sdp, 0, STR("PCMU")));
	/* Mapped, but in no m= line. */
	assert_false(sdp_has_encoding(&sdp, 0, STR("opus")));
	assert_false(sdp_has_encoding(&sdp, 1, STR("PCMA")));
	assert_false(sdp_has_encoding(&sdp, 2, STR("PCMA")));
}

static void directions_have_names_and_opposites(void **state)
{
	(void)state;
	assert_string_equal(sdp_direction_name(SDP_SENDONLY), "sendonly");
	assert_string_equal(sdp_direction_name(SDP_RECVONLY), "recvonly");
	assert_string_equal(sdp_direction_name(SDP_SENDRECV), "sendrecv");
	assert_string_equal(sdp_direction_name(SDP_INACTIVE), "inactive");
	assert_int_equal(sdp_direction_reversed(SDP_SENDONLY), SDP_RECVONLY);
	assert_int_equal(sdp_direction_reversed(SDP_RECVONLY), SDP_SENDONLY);
	assert_int_equal(sdp_direction_reversed(SDP_SENDRECV), SDP_SENDRECV);
	assert_int_equal(sdp_direction_reversed(SDP_INACTIVE), SDP_INACTIVE);
}

/* Whatever is cut off: no byte behind the end is read (sanitizer), no crash. */
static void survives_every_truncation(void **state)
{
	const struct corpus_body *body;

	(void)state;
	for (size_t i = 0; (body = corpus_get(i)); i++) {
		for (size_t length = 0; length < strlen(body->text); length++) {
			char *copy = malloc(length ? length : 1);
			struct sdp sdp;

			assert_non_null(copy);
			memcpy(copy, body->text, length);
			sdp_parse(&sdp, (struct str){copy, length}, NULL);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_corpus),
		cmocka_unit_test(sections_cover_the_text),
		cmocka_unit_test(reads_the_origin),
		cmocka_unit_test(names_the_line_that_it_refuses),
		cmocka_unit_test(refuses_a_nul_and_what_is_too_long),
		cmocka_unit_test(takes_sixteen_media_and_no_more),
		cmocka_unit_test(knows_what_it_can_carry),
		cmocka_unit_test(knows_the_clocks_of_static_types),
		cmocka_unit_test(rtpmap_wins_over_the_table),
		cmocka_unit_test(finds_encodings_by_number_and_by_name),
		cmocka_unit_test(directions_have_names_and_opposites),
		cmocka_unit_test(survives_every_truncation),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sdp", tests, NULL, NULL);
}
