// SPDX-License-Identifier: BSD-2-Clause
/*
 * How many calls a subscriber may begin, how many legs a trunk may have, and numbers that nobody
 * calls: what a stolen password costs (docs/security.md).
 */
#include "ua.h"

struct world {
	struct call_rig rig;
	struct ua gateway, bob,
		carol; /* a trunk with the numbers of +49 and +88, two subscribers */
	char gateway_uri[64];
};

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char address[NETADDR_STRLEN];

	assert_non_null(w);
	call_rig_open(&w->rig);
	ua_open(&w->gateway, &w->rig, "gateway", TRUNK);
	ua_open(&w->bob, &w->rig, "bob", "127.0.0.3");
	ua_open(&w->carol, &w->rig, "carol", "127.0.0.4");
	ua_register(&w->bob, "");
	ua_register(&w->carol, "");
	snprintf(w->gateway_uri, sizeof(w->gateway_uri), "sip:%s",
		 netaddr_format(&w->gateway.peer.at, address));
	w->rig.trunk[0].uri = w->gateway_uri;
	w->rig.trunk[0].prefix_match = text_of("+");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ua_close(&w->gateway);
	ua_close(&w->bob);
	ua_close(&w->carol);
	call_rig_close(&w->rig);
	free(w);
	return 0;
}

static uint64_t refused(const struct world *w, enum calls_refusal reason)
{
	return calls_refused(w->rig.calls, reason);
}

/* A subscriber calls with its password. */
static void call_to(struct ua *from, const char *to)
{
	char headers[2048];

	ua_prove(from, to, "", headers, sizeof(headers));
	ua_request(from, "INVITE", headers, ua_sdp("203.0.113.2", 5000, ""));
}

static void answer(struct ua *from, struct ua *to)
{
	ua_reply(to, ua_expect_invite(to), 200, "", ua_sdp("203.0.113.4", 6000, ""));
	ua_expect(to, "ACK ");
	ua_ack(from, ua_expect(from, "SIP/2.0 200"), NULL);
}

static const char *expect_refusal(struct ua *ua, const char *start)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%s", ua_expect(ua, start));
	ua_request(ua, "ACK", "", NULL);
	return text;
}

/* One that rings counts, too; the callee has its own account. */
static void test_subscriber(void **state)
{
	struct world *w = *state;
	struct ua second;
	const char *text;

	w->rig.config.subscriber_most = 1;
	ua_open(&second, &w->rig, "bob", "127.0.0.5");
	call_to(&w->bob, "carol");
	text = ua_expect_invite(&w->carol);
	ua_reply(&w->carol, text, 180, "", NULL);
	ua_expect(&w->bob, "SIP/2.0 180");
	call_to(&second, "carol");
	text = expect_refusal(&second, "SIP/2.0 403");
	assert_memory_equal(text, "SIP/2.0 403 Too Many Calls\r\n", 28);
	assert_string_equal(header_of(text, "Retry-After"), "");
	ua_reply(&w->carol, w->carol.invite, 200, "", ua_sdp("203.0.113.4", 6000, ""));
	ua_expect(&w->carol, "ACK ");
	ua_ack(&w->bob, ua_expect(&w->bob, "SIP/2.0 200"), NULL);
	call_to(&second, "carol");
	expect_refusal(&second, "SIP/2.0 403");
	assert_int_equal(refused(w, CALLS_REFUSED_SUBSCRIBER), 2);
	/* Carol is called, and may still call. */
	call_to(&w->carol, "nobody");
	expect_refusal(&w->carol, "SIP/2.0 404");
	w->rig.config.subscriber_most = 2;
	call_to(&second, "nobody");
	expect_refusal(&second, "SIP/2.0 404");
	ua_close(&second);
}

/* What is over does not count: refused, cancelled, hung up. */
static void test_subscriber_again(void **state)
{
	struct world *w = *state;

	w->rig.config.subscriber_most = 1;
	call_to(&w->bob, "carol");
	ua_reply(&w->carol, ua_expect_invite(&w->carol), 486, "", NULL);
	ua_expect(&w->carol, "ACK ");
	expect_refusal(&w->bob, "SIP/2.0 486");
	call_to(&w->bob, "carol");
	ua_reply(&w->carol, ua_expect_invite(&w->carol), 180, "", NULL);
	ua_expect(&w->bob, "SIP/2.0 180");
	ua_cancel(&w->bob);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_reply(&w->carol, ua_expect(&w->carol, "CANCEL "), 200, "", NULL);
	ua_reply(&w->carol, w->carol.invite, 487, "", NULL);
	ua_expect(&w->carol, "ACK ");
	expect_refusal(&w->bob, "SIP/2.0 487");
	call_to(&w->bob, "carol");
	answer(&w->bob, &w->carol);
	ua_hang_up(&w->carol, &w->bob);
	call_to(&w->bob, "carol");
	answer(&w->bob, &w->carol);
	ua_hang_up(&w->bob, &w->carol);
	assert_int_equal(refused(w, CALLS_REFUSED_SUBSCRIBER), 0);
}

/* Who brings others together goes on answering for it, and so it is after kill -9. */
static void test_subscriber_answers(void **state)
{
	struct world *w = *state;
	struct ua second;

	w->rig.config.subscriber_most = 1;
	ua_open(&second, &w->rig, "bob", "127.0.0.5");
	call_to(&w->bob, "carol");
	answer(&w->bob, &w->carol);
	call_rig_restart(&w->rig);
	call_to(&second, "carol");
	expect_refusal(&second, "SIP/2.0 403");
	ua_request(&w->bob, "REFER", "Refer-To: <sip:+4930123@example.net>\r\n", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_reply(&w->bob, ua_expect(&w->bob, "NOTIFY "), 200, "", NULL);
	ua_reply(&w->gateway, ua_expect_invite(&w->gateway), 200, "",
		 ua_sdp("198.51.100.1", 4000, ""));
	ua_expect(&w->gateway, "ACK ");
	ua_reply(&w->bob, ua_expect(&w->bob, "NOTIFY "), 200, "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	assert_int_equal(calls_at_trunk(w->rig.calls, STR("carrier")), 1);
	call_to(&second, "carol");
	expect_refusal(&second, "SIP/2.0 403");
	ua_hang_up(&w->carol, &w->gateway);
	assert_int_equal(calls_at_trunk(w->rig.calls, STR("carrier")), 0);
	call_to(&second, "nobody");
	expect_refusal(&second, "SIP/2.0 404");
	ua_close(&second);
}

/* Legs from it and to it; a full one may say so of the next call (RFC 3398: no circuit is 503). */
static void test_trunk(void **state)
{
	struct world *w = *state;
	struct ua second;
	const char *text;

	w->rig.trunk[0].most = 2;
	ua_open(&second, &w->rig, "gateway", TRUNK);
	ua_connect(&w->gateway, &w->carol);
	call_to(&w->bob, "+4930123");
	ua_reply(&second, ua_expect_invite(&w->gateway), 486, "", NULL);
	ua_expect(&w->gateway, "ACK ");
	expect_refusal(&w->bob, "SIP/2.0 486");
	ua_connect(&second, &w->bob);
	assert_int_equal(calls_at_trunk(w->rig.calls, STR("carrier")), 2);
	{
		struct ua third;

		ua_open(&third, &w->rig, "third", TRUNK);
		ua_invite(&third, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
		text = expect_refusal(&third, "SIP/2.0 503");
		assert_string_equal(header_of(text, "Retry-After"), "");
		ua_close(&third);
		ua_open(&third, &w->rig, "bob", "127.0.0.5");
		call_to(&third, "+4930123");
		expect_refusal(&third, "SIP/2.0 503");
		ua_close(&third);
	}
	assert_int_equal(refused(w, CALLS_REFUSED_TRUNK), 2);
	/* What no trunk has to do with goes on; and so does what was full. */
	call_rig_restart(&w->rig);
	assert_int_equal(calls_at_trunk(w->rig.calls, STR("carrier")), 2);
	ua_request(&second, "BYE", "", NULL);
	ua_expect(&second, "SIP/2.0 200");
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	ua_invite(&second, "nobody", "", ua_sdp("198.51.100.1", 4000, ""));
	expect_refusal(&second, "SIP/2.0 404");
	ua_hang_up(&w->carol, &w->gateway);
	ua_close(&second);
}

static void expect_barred(struct world *w, const char *refer_to)
{
	uint64_t before = refused(w, CALLS_REFUSED_BARRED);
	char headers[256];

	snprintf(headers, sizeof(headers), "Refer-To: <%s>\r\n", refer_to);
	ua_request(&w->bob, "REFER", headers, NULL);
	ua_expect(&w->bob, "SIP/2.0 403");
	assert_int_equal(refused(w, CALLS_REFUSED_BARRED), before + 1);
}

/* However it is written, and whichever way it is reached; a subscriber is no number. */
static void test_barred(void **state)
{
	static char *barred[] = {(char *)(uintptr_t) "+882", (char *)(uintptr_t) "bo"};
	struct world *w = *state;

	w->rig.config.barred = barred;
	w->rig.config.barreds = 2;
	call_to(&w->bob, "+8821612345");
	expect_refusal(&w->bob, "SIP/2.0 403");
	call_to(&w->bob, "%2B882(16)12-345");
	expect_refusal(&w->bob, "SIP/2.0 403");
	ua_invite(&w->gateway, "+88216", "", ua_sdp("198.51.100.1", 4000, ""));
	expect_refusal(&w->gateway, "SIP/2.0 403");
	assert_int_equal(refused(w, CALLS_REFUSED_BARRED), 3);
	/* A subscriber whose name begins so is called all the same. */
	call_to(&w->carol, "bob");
	answer(&w->carol, &w->bob);
	expect_barred(w, "tel:+8-82-16");
	expect_barred(w, "sip:+8.82@elsewhere.invalid");
	ua_hang_up(&w->carol, &w->bob);
	/* Sent there by whom one calls. */
	call_to(&w->bob, "carol");
	ua_reply(&w->carol, ua_expect_invite(&w->carol), 302,
		 "Contact: <tel:+882-16>, <sip:+4930123@example.net>;q=0.1\r\n", NULL);
	ua_expect(&w->carol, "ACK ");
	assert_memory_equal(ua_expect_invite(&w->gateway), "INVITE sip:+4930123@", 20);
	ua_reply(&w->gateway, w->gateway.invite, 486, "", NULL);
	ua_expect(&w->gateway, "ACK ");
	expect_refusal(&w->bob, "SIP/2.0 480");
	assert_int_equal(refused(w, CALLS_REFUSED_BARRED), 6);
	assert_int_equal(peer_drain(&w->gateway.peer, ""), 0);
}

static void refer_to_host(struct world *w, const char *user, const struct ua *host)
{
	char headers[256], address[NETADDR_STRLEN];

	snprintf(headers, sizeof(headers), "Refer-To: <sip:%s@%s>\r\n", user,
		 netaddr_format(&host->peer.at, address));
	ua_request(&w->bob, "REFER", headers, NULL);
}

/* Another domain is refused where that is wanted; a trunk by its host is that trunk. */
static void test_foreign(void **state)
{
	struct world *w = *state;
	struct ua stranger;

	ua_open(&stranger, &w->rig, "stranger", "127.0.0.6");
	call_to(&w->carol, "bob");
	answer(&w->carol, &w->bob);
	w->rig.config.foreign = false;
	refer_to_host(w, "stranger", &stranger);
	ua_expect(&w->bob, "SIP/2.0 403");
	assert_int_equal(refused(w, CALLS_REFUSED_FOREIGN), 1);
	refer_to_host(w, "4930123", &w->gateway);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_reply(&w->bob, ua_expect(&w->bob, "NOTIFY "), 200, "", NULL);
	ua_expect_invite(&w->gateway);
	assert_int_equal(calls_at_trunk(w->rig.calls, STR("carrier")), 1);
	ua_reply(&w->gateway, w->gateway.invite, 486, "", NULL);
	ua_expect(&w->gateway, "ACK ");
	ua_reply(&w->bob, ua_expect(&w->bob, "NOTIFY "), 200, "", NULL);
	w->rig.trunk[0].most = 1;
	ua_connect(&w->gateway, &w->carol);
	refer_to_host(w, "4930123", &w->gateway);
	ua_expect(&w->bob, "SIP/2.0 503");
	ua_request(&w->gateway, "BYE", "", NULL);
	ua_expect(&w->gateway, "SIP/2.0 200");
	ua_reply(&w->carol, ua_expect(&w->carol, "BYE "), 200, "", NULL);
	w->rig.config.foreign = true;
	refer_to_host(w, "stranger", &stranger);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_reply(&w->bob, ua_expect(&w->bob, "NOTIFY "), 200, "", NULL);
	ua_reply(&stranger, ua_expect_invite(&stranger), 486, "", NULL);
	ua_expect(&stranger, "ACK ");
	ua_reply(&w->bob, ua_expect(&w->bob, "NOTIFY "), 200, "", NULL);
	ua_close(&stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_subscriber, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subscriber_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subscriber_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trunk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_barred, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
