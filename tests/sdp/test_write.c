// SPDX-License-Identifier: BSD-2-Clause
/* Editing descriptions: what must change changes, nothing else does, nothing leaks. */
#include <errno.h>

#include "corpus.h"
#include "describe.h"
#include "oracle.h"

#define HEAD "v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define OURS "v=0\r\no=- 77 78 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\n"

struct rewriting {
	const char *name, *text, *wanted;
};

static const struct rewriting rewritings[] = {
	{"addresses and ports", HEAD "m=audio 5004 RTP/AVP 0\r\na=ptime:20\r\n",
	 OURS "m=audio 30000 RTP/AVP 0\r\na=ptime:20\r\n"},
	{"blanks stay where they were", HEAD "m=audio  5004\tRTP/AVP  0 8 \r\n",
	 OURS "m=audio  30000\tRTP/AVP  0 8 \r\n"},
	{"a range becomes one pair", HEAD "m=audio 5004/2 RTP/AVP 0\r\n",
	 OURS "m=audio 30000 RTP/AVP 0\r\n"},
	{"line feeds stay line feeds",
	 "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 5 RTP/AVP 0\n",
	 "v=0\no=- 77 78 IN IP4 203.0.113.1\ns=-\nc=IN IP4 203.0.113.1\nt=0 0\n"
	 "m=audio 30000 RTP/AVP 0\n"},
	{"the last line gets its end", HEAD "m=audio 5004 RTP/AVP 0",
	 OURS "m=audio 30000 RTP/AVP 0\r\n"},
	{"a=rtcp without address", HEAD "m=audio 5004 RTP/AVP 0\r\na=rtcp:6000\r\n",
	 OURS "m=audio 30000 RTP/AVP 0\r\na=rtcp:30001\r\n"},
	{"a=rtcp with address",
	 HEAD "m=audio 5004 RTP/AVP 0\r\na=rtcp:6000 IN IP4 192.0.2.2\r\na=ptime:20\r\n",
	 OURS "m=audio 30000 RTP/AVP 0\r\na=rtcp:30001 IN IP4 203.0.113.1\r\na=ptime:20\r\n"},
	{"c= of a section",
	 HEAD "m=audio 5004 RTP/AVP 0\r\nc=IN IP6 2001:db8::9\r\nm=video 6 RTP/AVP 34\r\n",
	 OURS "m=audio 30000 RTP/AVP 0\r\nc=IN IP4 203.0.113.1\r\nm=video 30002 RTP/AVP 34\r\n"},
	{"a missing c= is added behind i=",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 5 RTP/AVP "
	 "0\r\ni=x\r\nb=AS:64\r\n",
	 "v=0\r\no=- 77 78 IN IP4 203.0.113.1\r\ns=-\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\ni=x\r\n"
	 "c=IN IP4 203.0.113.1\r\nb=AS:64\r\n"},
	{"a missing o= is added behind v=",
	 "v=0\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nm=audio 5 RTP/AVP 0\r\n",
	 "v=0\r\no=- 77 78 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\n"
	 "m=audio 30000 RTP/AVP 0\r\n"},
	{"hold by zero becomes hold by direction",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
	 "m=audio 5004 RTP/AVP 0\r\na=ptime:20\r\nm=video 5006 RTP/AVP 34\r\na=sendrecv\r\n",
	 OURS "m=audio 30000 RTP/AVP 0\r\na=sendonly\r\na=ptime:20\r\n"
	      "m=video 30002 RTP/AVP 34\r\na=sendonly\r\n"},
	{"what is not RTP is refused here", HEAD "m=image 5004 udptl t38\r\na=T38FaxVersion:0\r\n",
	 OURS "m=image 0 udptl t38\r\na=T38FaxVersion:0\r\n"},
	{"a refused line stays refused, and loses its address",
	 HEAD "m=audio 0 RTP/AVP 0\r\nc=IN IP4 192.0.2.7\r\na=rtcp:7 IN IP4 192.0.2.8\r\n",
	 OURS "m=audio 0 RTP/AVP 0\r\nc=IN IP4 203.0.113.1\r\n"},
	{"ICE ends here",
	 HEAD
	 "a=ice-lite\r\nm=audio 5004 RTP/AVP 0\r\na=ice-ufrag:x\r\na=ice-pwd:y\r\n"
	 "a=candidate:1 1 UDP 1 192.0.2.9 5004 typ host\r\na=remote-candidates:1 192.0.2.3 4\r\n"
	 "a=end-of-candidates\r\na=mid:1\r\n",
	 OURS "m=audio 30000 RTP/AVP 0\r\na=mid:1\r\n"},
	{"keys, bandwidth, groups, set-up and unknown lines pass",
	 HEAD "a=group:DUP a b\r\nx=1\r\nm=audio 5004 RTP/SAVP 0\r\nb=TIAS:64000\r\nk=prompt\r\n"
	      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\na=setup:actpass\r\n"
	      "a=connection:new\r\na=fingerprint:sha-1 AA:BB\r\na=ssrc-group:DUP 1 2\r\ny=2\r\n",
	 OURS "a=group:DUP a b\r\nx=1\r\nm=audio 30000 RTP/SAVP 0\r\nb=TIAS:64000\r\nk=prompt\r\n"
	      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\na=setup:actpass\r\n"
	      "a=connection:new\r\na=fingerprint:sha-1 AA:BB\r\na=ssrc-group:DUP 1 2\r\ny=2\r\n"},
	{"lines that tell an address go, s= stays empty",
	 "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=me at 192.0.2.1\r\ni=192.0.2.1\r\n"
	 "c=IN IP4 192.0.2.1\r\nt=0 0\r\na=X-nat:192.0.2.1:5\r\nm=audio 5 RTP/AVP 0\r\n"
	 "a=fmtp:0 192.0.2.12 5192.0.2.1\r\na=ssrc:1 cname:a@192.0.2.1\r\n",
	 OURS "m=audio 30000 RTP/AVP 0\r\na=fmtp:0 192.0.2.12 5192.0.2.1\r\n"},
	{"two c= lines become one",
	 HEAD "c=IN IP4 192.0.2.9\r\nm=audio 5 RTP/AVP 0\r\nc=IN IP4 192.0.2.8\r\n"
	      "c=IN IP4 192.0.2.7\r\n",
	 OURS "m=audio 30000 RTP/AVP 0\r\nc=IN IP4 203.0.113.1\r\n"},
};

static void rewrites_as_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rewritings) / sizeof(rewritings[0]); i++) {
		char *got = edited(rewritings[i].text, OUR_IPV4);

		if (strcmp(got, rewritings[i].wanted))
			fail_msg("%s:\n%swanted:\n%s", rewritings[i].name, got,
				 rewritings[i].wanted);
		free(got);
	}
}

/* ---- single edits
 * ---------------------------------------------------------------------------------
 */

static char *edit_one(const char *text, const struct sdp_media_edit *media, const char *origin)
{
	struct sdp_edit edit = {.session_id = 77, .version = 78, .origin = address(origin, 0)};
	struct buf out = BUF_EMPTY;
	struct sdp sdp;

	for (size_t i = 0; i < SDP_MEDIA; i++)
		edit.media[i] = *media;
	assert_int_equal(sdp_parse(&sdp, str_of(text), NULL), 0);
	assert_int_equal(sdp_write(&sdp, &edit, &out), 0);
	return out.data;
}

static void expect(char *got, const char *wanted)
{
	assert_string_equal(got, wanted);
	free(got);
}

static struct sdp_media_edit at(const char *host, uint16_t port, uint16_t rtcp)
{
	return (struct sdp_media_edit){
		.rtp = address(host, port), .rtcp_port = rtcp, .direction = SDP_SENDRECV};
}

static void adds_rtcp_where_it_is_elsewhere(void **state)
{
	struct sdp_media_edit media = at(OUR_IPV4, 30000, 30007);

	(void)state;
	expect(edit_one(HEAD "m=audio 5 RTP/AVP 0\r\na=ptime:20\r\n", &media, OUR_IPV4),
	       OURS "m=audio 30000 RTP/AVP 0\r\na=rtcp:30007\r\na=ptime:20\r\n");
	expect(edit_one(HEAD "m=audio 5 RTP/AVP 0\r\n", &media, OUR_IPV4),
	       OURS "m=audio 30000 RTP/AVP 0\r\na=rtcp:30007\r\n");
}

/* With mux, both are one port (RFC 5761 5.1.3), and a=rtcp must not say another. */
static void rtcp_is_muxed_into_the_media_port(void **state)
{
	struct sdp_media_edit media = at(OUR_IPV4, 30000, 0);

	(void)state;
	expect(edit_one(HEAD "m=audio 5 RTP/AVP 0\r\na=rtcp-mux\r\na=rtcp:6\r\n", &media, OUR_IPV4),
	       OURS "m=audio 30000 RTP/AVP 0\r\na=rtcp-mux\r\na=rtcp:30000\r\n");
	expect(edit_one(HEAD "m=audio 5 RTP/AVP 0\r\na=rtcp-mux\r\n", &media, OUR_IPV4),
	       OURS "m=audio 30000 RTP/AVP 0\r\na=rtcp-mux\r\n");
}

static void changes_the_direction_where_it_differs(void **state)
{
	struct sdp_media_edit media = at(OUR_IPV4, 30000, 30001);

	(void)state;
	media.direction = SDP_RECVONLY;
	expect(edit_one(HEAD "m=audio 5 RTP/AVP 0\r\na=sendonly\r\n", &media, OUR_IPV4),
	       OURS "m=audio 30000 RTP/AVP 0\r\na=recvonly\r\n");
	expect(edit_one(HEAD "a=sendonly\r\nm=audio 5 RTP/AVP 0\r\n", &media, OUR_IPV4),
	       OURS "a=sendonly\r\nm=audio 30000 RTP/AVP 0\r\na=recvonly\r\n");
	expect(edit_one(HEAD "a=recvonly\r\nm=audio 5 RTP/AVP 0\r\n", &media, OUR_IPV4),
	       OURS "a=recvonly\r\nm=audio 30000 RTP/AVP 0\r\n");
	media.direction = SDP_SENDRECV;
	expect(edit_one(HEAD "a=inactive\r\nm=audio 5 RTP/AVP 0\r\n", &media, OUR_IPV4),
	       OURS "a=inactive\r\nm=audio 30000 RTP/AVP 0\r\na=sendrecv\r\n");
}

/* An IPv4 party hears of IPv6 and the other way round (SG-54). */
static void crosses_families(void **state)
{
	struct sdp_media_edit media = at(OUR_IPV6, 30000, 30001);

	(void)state;
	expect(edit_one(HEAD "m=audio 5 RTP/AVP 0\r\nc=IN IP4 192.0.2.4\r\na=rtcp:9 IN IP4 "
			     "192.0.2.4\r\n",
			&media, OUR_IPV6),
	       "v=0\r\no=- 77 78 IN IP6 2001:db8:5e9e::1\r\ns=-\r\nc=IN IP6 2001:db8:5e9e::1\r\n"
	       "t=0 0\r\nm=audio 30000 RTP/AVP 0\r\nc=IN IP6 2001:db8:5e9e::1\r\n"
	       "a=rtcp:30001 IN IP6 2001:db8:5e9e::1\r\n");
}

static void a_section_elsewhere_gets_its_own_c(void **state)
{
	struct sdp_media_edit media = at("203.0.113.2", 30000, 30001);

	(void)state;
	expect(edit_one(HEAD "m=audio 5 RTP/AVP 0\r\na=ptime:20\r\n", &media, OUR_IPV4),
	       OURS "m=audio 30000 RTP/AVP 0\r\nc=IN IP4 203.0.113.2\r\na=ptime:20\r\n");
}

/* Kept media go past the relay: not one byte changes, and they still say where they are. */
static void kept_sections_keep_their_address(void **state)
{
	struct sdp_media_edit media = {.keep = true};

	(void)state;
	expect(edit_one(HEAD "m=image 5 udptl t38\r\nc=IN IP4 192.0.2.9\r\na=X:192.0.2.9\r\n",
			&media, OUR_IPV4),
	       OURS "m=image 5 udptl t38\r\nc=IN IP4 192.0.2.9\r\na=X:192.0.2.9\r\n");
	expect(edit_one(HEAD "m=image 5 udptl t38\r\na=T38FaxVersion:0\r\n", &media, OUR_IPV4),
	       OURS "m=image 5 udptl t38\r\nc=IN IP4 192.0.2.1\r\na=T38FaxVersion:0\r\n");
	expect(edit_one(HEAD "m=image 5 udptl t38", &media, OUR_IPV4),
	       OURS "m=image 5 udptl t38\r\nc=IN IP4 192.0.2.1\r\n");
}

static void a_refused_line_may_be_kept(void **state)
{
	struct sdp_media_edit media = {.keep = true};

	(void)state;
	expect(edit_one(HEAD "m=image 0 udptl t38\r\nc=IN IP4 192.0.2.9\r\n", &media, OUR_IPV4),
	       OURS "m=image 0 udptl t38\r\nc=IN IP4 203.0.113.1\r\n");
}

static void refuses_on_request(void **state)
{
	struct sdp_media_edit media = at(OUR_IPV4, 30000, 30001);

	(void)state;
	media.refuse = true;
	expect(edit_one(HEAD "m=video 5 RTP/AVP 34\r\na=rtcp:6\r\na=sendonly\r\n", &media,
			OUR_IPV4),
	       OURS "m=video 0 RTP/AVP 34\r\na=sendonly\r\n");
}

/* An offer of port 0 may not be answered otherwise (RFC 3264 6), whatever the edit says. */
static void what_is_off_stays_off(void **state)
{
	struct sdp_media_edit media = at(OUR_IPV4, 30000, 30001);

	(void)state;
	expect(edit_one(HEAD "m=video 0 RTP/AVP 34\r\na=rtcp:6\r\n", &media, OUR_IPV4),
	       OURS "m=video 0 RTP/AVP 34\r\n");
}

static void appends_to_what_is_there(void **state)
{
	struct buf out = BUF_EMPTY;
	struct sdp_edit edit;
	struct sdp sdp;

	(void)state;
	assert_int_equal(sdp_parse(&sdp, STR(HEAD), NULL), 0);
	edit = anchor(&sdp, OUR_IPV4);
	edit.username = STR("segue");
	buf_add(&out, STR("before "));
	assert_int_equal(sdp_write(&sdp, &edit, &out), 0);
	assert_true(
		str_starts(buf_str(&out), STR("before v=0\r\no=segue 77 78 IN IP4 203.0.113.1")));
	buf_free(&out);
}

static void says_when_it_becomes_too_long(void **state)
{
	struct buf out = BUF_EMPTY;
	struct sdp_edit edit;
	struct sdp sdp;

	(void)state;
	assert_int_equal(sdp_parse(&sdp, STR(HEAD), NULL), 0);
	edit = anchor(&sdp, OUR_IPV4);
	for (unsigned i = 0; i < BUF_LIMIT / 16 - 2; i++)
		buf_add(&out, STR("0123456789abcdef"));
	assert_int_equal(sdp_write(&sdp, &edit, &out), -EMSGSIZE);
	buf_free(&out);
}

/* ---- the corpus
 * -----------------------------------------------------------------------------------
 */

static void no_secret_in(const struct corpus_body *body, const char *text)
{
	struct str rest = str_of(body->secret), word;

	while (str_split(&rest, ' ', &word)) {
		/* 110.9.8.71 is not 10.9.8.7: it is there to see that it stays. */
		const char *found = memmem(text, strlen(text), word.p, word.n);

		if (found && !(found > text && found[-1] >= '0' && found[-1] <= '9'))
			fail_msg("%s: %.*s leaks:\n%s", body->name, STR_ARG(word), text);
	}
}

/* The edited text says of each RTP line what the original said, at our address. */
static void check_again(const struct corpus_body *body, const char *text, const char *host)
{
	struct netaddr ours = address(host, 0);
	struct sdp before, after;
	struct error err = {""};

	assert_int_equal(sdp_parse(&before, str_of(body->text), NULL), 0);
	if (sdp_parse(&after, str_of(text), &err))
		fail_msg("%s: %s\n%s", body->name, err.text, text);
	assert_int_equal(before.medias, after.medias);
	for (size_t i = 0; i < after.medias; i++) {
		const struct sdp_media *was = &before.media[i], *is = &after.media[i];
		bool carried = was->rtp && was->port;

		assert_int_equal(is->port, carried ? OUR_PORT + 2 * i : 0);
		assert_true(str_eq(was->type, is->type));
		assert_true(str_eq(was->proto, is->proto));
		assert_int_equal(was->formats, is->formats);
		assert_int_equal(was->clock_hz, is->clock_hz);
		assert_int_equal(was->rtcp_mux, is->rtcp_mux);
		assert_false(is->held_by_zero);
		if (!carried)
			continue;
		assert_int_equal(was->direction, is->direction);
		assert_true(is->has_address && netaddr_same_host(&is->rtp_at, &ours));
		assert_true(netaddr_same_host(&is->rtcp_at, &ours));
		assert_int_equal(is->rtcp_at.port, is->port + 1);
	}
}

static void check_oracle(const struct corpus_body *body, const char *text, const char *host)
{
	struct oracle oracle;
	char why[ORACLE_TEXT];

	if (!oracle_read(&oracle, str_of(body->text), why))
		return; /* it did not understand the original either */
	if (!oracle_read(&oracle, str_of(text), why))
		fail_msg("%s: sofia-sip refuses what we made of it: %s\n%s", body->name, why, text);
	assert_string_equal(oracle.origin_host, host);
	for (size_t i = 0; i < oracle.medias; i++) {
		if (!oracle.media[i].port)
			continue;
		assert_int_equal(oracle.media[i].port, OUR_PORT + 2 * i);
		assert_string_equal(oracle.media[i].host, host);
	}
}

static void the_corpus_leaves_edited_and_readable(void **state)
{
	static const char *const hosts[] = {OUR_IPV4, OUR_IPV6};
	const struct corpus_body *body;

	(void)state;
	for (size_t i = 0; (body = corpus_get(i)); i++) {
		for (size_t j = 0; j < 2; j++) {
			char *text = edited(body->text, hosts[j]);

			no_secret_in(body, text);
			check_again(body, text, hosts[j]);
			check_oracle(body, text, hosts[j]);
			free(text);
		}
	}
}

/* What we wrote once does not change when we write it again: two relays in a row do no harm. */
static void editing_twice_changes_nothing(void **state)
{
	const struct corpus_body *body;

	(void)state;
	for (size_t i = 0; (body = corpus_get(i)); i++) {
		char *once = edited(body->text, OUR_IPV4), *twice = edited(once, OUR_IPV4);

		assert_string_equal(once, twice);
		free(once);
		free(twice);
	}
}

/* An edit with the addresses and ports that are there already gives the same bytes. */
static void editing_nothing_changes_nothing(void **state)
{
	static const char text[] =
		"v=0\r\no=u 1 2 IN IP4 192.0.2.1\r\ns= \r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
		"x=y\r\na=tool:z\r\nm=audio 5004 RTP/AVP 0 101\r\nb=AS:64\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=sendonly\r\nm=video 0 RTP/AVP 34\r\n\r\n";
	struct sdp_edit edit = {.username = STR("u"), .session_id = 1, .version = 2};
	struct buf out = BUF_EMPTY;
	struct sdp sdp;

	(void)state;
	assert_int_equal(sdp_parse(&sdp, STR(text), NULL), 0);
	edit.origin = address("192.0.2.1", 0);
	edit.media[0] = (struct sdp_media_edit){
		.rtp = sdp.media[0].rtp_at, .rtcp_port = 5005, .direction = SDP_SENDONLY};
	edit.media[1].keep = true;
	assert_int_equal(sdp_write(&sdp, &edit, &out), 0);
	assert_string_equal(out.data, text);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rewrites_as_the_table_says),
		cmocka_unit_test(adds_rtcp_where_it_is_elsewhere),
		cmocka_unit_test(rtcp_is_muxed_into_the_media_port),
		cmocka_unit_test(changes_the_direction_where_it_differs),
		cmocka_unit_test(crosses_families),
		cmocka_unit_test(a_section_elsewhere_gets_its_own_c),
		cmocka_unit_test(kept_sections_keep_their_address),
		cmocka_unit_test(a_refused_line_may_be_kept),
		cmocka_unit_test(refuses_on_request),
		cmocka_unit_test(what_is_off_stays_off),
		cmocka_unit_test(appends_to_what_is_there),
		cmocka_unit_test(says_when_it_becomes_too_long),
		cmocka_unit_test(the_corpus_leaves_edited_and_readable),
		cmocka_unit_test(editing_twice_changes_nothing),
		cmocka_unit_test(editing_nothing_changes_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
