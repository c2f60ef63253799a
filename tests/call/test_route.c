// SPDX-License-Identifier: BSD-2-Clause
/* Who may call whom, by which way, and what crosses on it (SG-26, SG-53, SG-54, RFC 3325, 3327,
 * 7332). */
#include "ua.h"

#include "call/internal.h"

static void test_authenticated(void **state)
{
	struct pair *w = *state;
	struct ua carol;
	char headers[2048];
	const char *text;

	ua_open(&carol, &w->rig, "carol", "127.0.0.4");
	ua_register(&carol, "");
	ua_prove(&w->bob, "carol", "P-Asserted-Identity: <sip:the-king@example.net>\r\n", headers,
		 sizeof(headers));
	ua_request(&w->bob, "INVITE", headers, ua_sdp("203.0.113.2", 5000, ""));
	text = ua_expect_invite(&carol);
	assert_string_equal(header_of(text, "P-Asserted-Identity"), "<sip:bob@example.net>");
	assert_null(strstr(text, "Proxy-Authorization"));
	ua_reply(&carol, text, 200, "", ua_sdp("203.0.113.4", 6000, ""));
	ua_ack(&w->bob, ua_expect(&w->bob, "SIP/2.0 200"), NULL);
	ua_expect(&carol, "ACK ");
	ua_hang_up(&w->bob, &carol);
	ua_close(&carol);
}

static void test_not_your_name(void **state)
{
	struct pair *w = *state;
	char headers[2048];

	ua_prove(&w->bob, "nobody", "", headers, sizeof(headers));
	snprintf(w->bob.from, sizeof(w->bob.from), "<sip:carol@example.net>;tag=mask");
	ua_request(&w->bob, "INVITE", headers, ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->bob, "SIP/2.0 403");
	call_rig_expect_empty(&w->rig);
}

/* Numbers of a prefix go to the trunk, as itself or as tel: (SG-26); answers and BYEs come back. */
static void test_to_trunk(void **state)
{
	struct pair *w = *state;
	char uri[64], headers[2048], address[NETADDR_STRLEN];
	const char *text;

	snprintf(uri, sizeof(uri), "sip:%s", netaddr_format(&w->alice.peer.at, address));
	w->rig.trunk[0].uri = uri;
	w->rig.trunk[0].prefix_match = (char *)(uintptr_t) "+49";
	ua_prove(&w->bob, "+4930123", "Privacy: id\r\n", headers, sizeof(headers));
	ua_request(&w->bob, "INVITE", headers, ua_sdp("203.0.113.2", 5000, ""));
	text = ua_expect_invite(&w->alice);
	assert_int_equal(strncmp(text, "INVITE sip:+4930123@127.0.0.2:", 30), 0);
	assert_string_equal(header_of(text, "P-Asserted-Identity"), "<sip:bob@example.net>");
	assert_string_equal(header_of(text, "Privacy"), "id");
	ua_reply(&w->alice, text, 200, "", ua_sdp("198.51.100.1", 4000, ""));
	ua_ack(&w->bob, ua_expect(&w->bob, "SIP/2.0 200"), NULL);
	ua_expect(&w->alice, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

/* What concerns a leg stays on it: nothing of Alice's way is seen by Bob. */
static void test_hidden(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_invite(&w->alice, "bob",
		  "Record-Route: <sip:secret-proxy.example.org;lr>\r\nSubject: tea\r\n"
		  "User-Agent: Secretphone\r\nServer: secret\r\nX-Shared: yes\r\n"
		  "History-Info: <sip:x@example.net>\r\n",
		  ua_sdp("198.51.100.1", 4000,
			 "a=candidate:1 1 UDP 1 198.51.100.1 4000 typ host\r\n"));
	text = ua_expect_invite(&w->bob);
	assert_null(strstr(text, "ecret"));
	assert_null(strstr(text, "198.51.100.1"));
	assert_null(strstr(text, TRUNK));
	assert_null(strstr(text, w->alice.call_id));
	assert_string_equal(header_of(text, "Subject"), "tea");
	assert_string_equal(header_of(text, "X-Shared"), "yes");
	assert_string_equal(header_of(text, "History-Info"), "<sip:x@example.net>");
	ua_reply(&w->bob, text, 486, "Server: Bobsecret\r\n", NULL);
	text = ua_expect(&w->alice, "SIP/2.0 486");
	assert_null(strstr(text, "ecret"));
	ua_request(&w->alice, "ACK", "", NULL);
	call_rig_expect_empty(&w->rig);
}

static void test_hops(void **state)
{
	struct pair *w = *state;
	char text[512];

	snprintf(text, sizeof(text),
		 "INVITE sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/UDP "
		 "%s;branch=z9hG4bKmf;rport\r\n"
		 "Max-Forwards: 0\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:bob@example.net>\r\n"
		 "Call-ID: mf\r\nCSeq: 1 INVITE\r\nContact: <sip:a@b>\r\nContent-Length: 0\r\n\r\n",
		 TRUNK);
	peer_send(&w->alice.peer, &w->rig.rig.at[SIP_UDP], "%s", text);
	ua_expect(&w->alice, "SIP/2.0 483");
	call_rig_expect_empty(&w->rig);
}

/* Our own INVITE comes back to us, by a trunk that knows no better. */
static void test_loop(void **state)
{
	struct pair *w = *state;
	char copy[4096], *at;

	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	snprintf(copy, sizeof(copy), "%s", ua_expect_invite(&w->bob));
	at = strstr(copy, "branch=z9hG4bK");
	memcpy(at + 14, "loopl", 5);
	peer_send(&w->alice.peer, &w->rig.rig.at[SIP_UDP], "%s", copy);
	ua_expect(&w->alice, "SIP/2.0 482");
	ua_reply(&w->bob, w->bob.invite, 486, "", NULL);
	ua_expect(&w->bob, "ACK ");
	ua_expect(&w->alice, "SIP/2.0 486");
	ua_request(&w->alice, "ACK", "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* IPv4 media on one side, IPv6 on the other; and a trunk that speaks SIP over IPv6. */
static void test_families(void **state)
{
	struct pair *w = *state;
	struct media_stream *stream;
	const char *text;

	ua_invite(&w->alice, "bob", "", ua_sdp("2001:db8::7", 4000, ""));
	text = ua_expect_invite(&w->bob);
	assert_non_null(strstr(text, "c=IN IP4 192.0.2.1"));
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_non_null(strstr(text, "c=IN IP6 2001:db8::1"));
	stream = fake_media_only(&w->rig.media);
	assert_false(netaddr_is_ipv4(&stream->path[SG_SIDE_A].local));
	assert_true(netaddr_is_ipv4(&stream->path[SG_SIDE_B].local));
	ua_ack(&w->alice, text, NULL);
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
	/* The callee answers with the family that it was not offered. */
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_reply(&w->bob, ua_expect_invite(&w->bob), 200, "", ua_sdp("2001:db8::9", 5000, ""));
	ua_expect(&w->bob, "ACK ");
	ua_expect(&w->alice, "SIP/2.0 488");
	ua_request(&w->alice, "ACK", "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* ---- the role of a redirect server (SG-20) ---------------------------------------------------
 */

static void outside(struct ua *ua, const char *method, const char *to, const char *headers);

static char *redirected[] = {(char *)(uintptr_t) "example.net"};

/* Who reads 302 finds each contact, the best first, and calls there without us. */
static void test_redirected(void **state)
{
	struct pair *w = *state;
	char wanted[256], address[NETADDR_STRLEN], other[NETADDR_STRLEN];
	struct ua desk;
	const char *text, *second;

	w->rig.config.redirect = redirected;
	w->rig.config.redirects = 1;
	ua_open(&desk, &w->rig, "desk", "127.0.0.4");
	ua_register_as(&desk, "bob", ";q=0.5");
	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	text = ua_expect(&w->alice, "SIP/2.0 302");
	snprintf(wanted, sizeof(wanted), "<sip:bob@%s>;q=1.0;expires=3",
		 netaddr_format(&w->bob.peer.at, address));
	assert_memory_equal(header_of(text, "Contact"), wanted, strlen(wanted));
	second = strstr(strstr(text, "Contact: ") + 1, "Contact: ");
	assert_non_null(second);
	snprintf(wanted, sizeof(wanted),
		 "Contact: <sip:bob@%s>;q=0.5;expires=", netaddr_format(&desk.peer.at, other));
	assert_memory_equal(second, wanted, strlen(wanted));
	ua_request(&w->alice, "ACK", "", NULL);
	outside(&w->alice, "MESSAGE", "sip:bob@example.net", "");
	ua_expect(&w->alice, "SIP/2.0 302");
	outside(&w->alice, "SUBSCRIBE", "sip:bob@example.net", "Event: dialog\r\n");
	ua_expect(&w->alice, "SIP/2.0 302");
	ua_invite(&w->alice, "nobody", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect(&w->alice, "SIP/2.0 404");
	ua_request(&w->alice, "ACK", "", NULL);
	call_rig_expect_empty(&w->rig);
	assert_int_equal(peer_drain(&w->bob.peer, ""), 0);
	assert_int_equal(peer_drain(&desk.peer, ""), 0);
	ua_close(&desk);
}

/* A stranger learns nothing of where anybody is. */
static void test_redirected_for_ours_only(void **state)
{
	struct pair *w = *state;
	char headers[2048];
	struct ua carol;

	w->rig.config.redirect = redirected;
	w->rig.config.redirects = 1;
	ua_open(&carol, &w->rig, "carol", "127.0.0.4");
	ua_register(&carol, "");
	ua_prove(&w->bob, "carol", "", headers, sizeof(headers));
	ua_request(&w->bob, "INVITE", headers, ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->bob, "SIP/2.0 302");
	ua_request(&w->bob, "ACK", "", NULL);
	call_rig_expect_empty(&w->rig);
	ua_close(&carol);
}

/* Of a device's networks the best only; a phone behind NAT is called as ever. */
static void test_not_redirected_to_whom_only_we_reach(void **state)
{
	struct pair *w = *state;
	struct ua home, mobile;
	const char *text;

	w->rig.config.redirect = redirected;
	w->rig.config.redirects = 1;
	ua_open(&home, &w->rig, "home", "127.0.0.4");
	ua_open(&mobile, &w->rig, "mobile", "127.0.0.5");
	ua_register_as(&home, "dora", ";ua_id=phone;if_q=0.9");
	ua_register_as(&mobile, "dora", ";ua_id=phone;if_q=0.3");
	ua_invite(&w->alice, "dora", "", ua_sdp("198.51.100.1", 4000, ""));
	text = ua_expect(&w->alice, "SIP/2.0 302");
	assert_non_null(strstr(header_of(text, "Contact"), "@127.0.0.4:"));
	assert_null(strstr(text, "127.0.0.5"));
	ua_request(&w->alice, "ACK", "", NULL);
	ua_close(&home);
	ua_close(&mobile);
	/* What it takes for its address is not where it sends from. */
	w->bob.hidden = true;
	location_remove(w->rig.location, STR("bob@example.net"), STR_NONE);
	ua_register(&w->bob, "");
	ua_connect(&w->alice, &w->bob);
	ua_hang_up(&w->alice, &w->bob);
}

/* ---- outside dialogs ---------------------------------------------------------------------------
 */

static void outside(struct ua *ua, const char *method, const char *to, const char *headers)
{
	snprintf(ua->call_id, sizeof(ua->call_id), "outside-%u", ++ua->branches);
	snprintf(ua->from, sizeof(ua->from), "<sip:%s@example.net>;tag=out%u", ua->name,
		 ua->branches);
	snprintf(ua->to, sizeof(ua->to), "<%s>", to);
	snprintf(ua->target, sizeof(ua->target), "%s", to);
	ua_request(ua, method, headers, NULL);
}

static void test_options(void **state)
{
	struct pair *w = *state;
	const char *text;

	outside(&w->alice, "OPTIONS", "sip:example.net", "");
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_non_null(strstr(header_of(text, "Allow"), "INVITE"));
	assert_string_equal(header_of(text, "Accept"), "application/sdp");
	assert_non_null(strstr(header_of(text, "Supported"), "100rel"));
	outside(&w->alice, "FLY", "sip:example.net", "");
	text = ua_expect(&w->alice, "SIP/2.0 501");
	assert_non_null(strstr(header_of(text, "Allow"), "INVITE"));
	outside(&w->alice, "BYE", "sip:bob@example.net", "");
	ua_expect(&w->alice, "SIP/2.0 481");
	call_rig_expect_empty(&w->rig);
}

static void test_message(void **state)
{
	struct pair *w = *state;
	const char *text;

	outside(&w->alice, "MESSAGE", "sip:bob@example.net", "Subject: hello\r\n");
	text = ua_expect(&w->bob, "MESSAGE ");
	assert_string_equal(header_of(text, "Subject"), "hello");
	assert_string_equal(header_of(text, "Contact"), "");
	assert_string_equal(header_of(text, "Max-Forwards"), "69");
	ua_reply(&w->bob, text, 202, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 202");
	outside(&w->alice, "PUBLISH", "sip:bob@example.net",
		"Event: presence\r\nSIP-If-Match: e1\r\nExpires: 60\r\n");
	text = ua_expect(&w->bob, "PUBLISH ");
	assert_string_equal(header_of(text, "SIP-If-Match"), "e1");
	ua_reply(&w->bob, text, 412, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 412");
	outside(&w->alice, "MESSAGE", "sip:nobody@example.net", "");
	ua_expect(&w->alice, "SIP/2.0 404");
	call_rig_expect_empty(&w->rig);
}

/* Two more phones of Bob's; `q` of each. */
static void more_phones(struct pair *w, struct ua *desk, const char *desk_q, struct ua *mobile,
			const char *mobile_q)
{
	ua_open(desk, &w->rig, "desk", "127.0.0.4");
	ua_open(mobile, &w->rig, "mobile", "127.0.0.5");
	ua_register_as(desk, "bob", desk_q);
	ua_register_as(mobile, "bob", mobile_q);
}

static void reply_to(struct ua *ua, const char *start, int status)
{
	ua_reply(ua, ua_expect(ua, start), status, "", NULL);
}

/* All phones of the highest q get it, and the first yes is the answer (RFC 3261 16.7). */
static void test_message_forks(void **state)
{
	struct pair *w = *state;
	struct ua desk, mobile;

	more_phones(w, &desk, "", &mobile, ";q=0.5");
	outside(&w->alice, "MESSAGE", "sip:bob@example.net", "");
	ua_expect(&desk, "MESSAGE ");
	reply_to(&w->bob, "MESSAGE ", 480);
	rig_run_ms(&w->rig.rig, 50);
	assert_int_equal(peer_drain(&w->alice.peer, "SIP/2.0 4"), 0);
	assert_int_equal(peer_drain(&mobile.peer, ""), 0);
	ua_reply(&desk, desk.peer.text, 200, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	call_rig_expect_empty(&w->rig);
	assert_int_equal(peer_drain(&mobile.peer, ""), 0);
	/* Who says yes too late says it in vain, and once. */
	outside(&w->alice, "MESSAGE", "sip:bob@example.net", "");
	ua_expect(&desk, "MESSAGE ");
	reply_to(&w->bob, "MESSAGE ", 202);
	ua_expect(&w->alice, "SIP/2.0 202");
	ua_reply(&desk, desk.peer.text, 200, "", NULL);
	call_rig_expect_empty(&w->rig);
	assert_int_equal(peer_drain(&w->alice.peer, "SIP/2.0 2"), 0);
	ua_close(&desk);
	ua_close(&mobile);
}

/* When all have refused the next group is asked, and in the end the best answer is passed on. */
static void test_message_best_answer(void **state)
{
	struct pair *w = *state;
	struct ua desk, mobile;

	more_phones(w, &desk, ";q=0.8", &mobile, ";q=0.5");
	outside(&w->alice, "MESSAGE", "sip:bob@example.net", "");
	reply_to(&w->bob, "MESSAGE ", 503);
	reply_to(&desk, "MESSAGE ", 415);
	reply_to(&mobile, "MESSAGE ", 404);
	ua_expect(&w->alice, "SIP/2.0 415");
	call_rig_expect_empty(&w->rig);
	outside(&w->alice, "MESSAGE", "sip:bob@example.net", "");
	reply_to(&w->bob, "MESSAGE ", 603); /* nobody else is asked */
	ua_expect(&w->alice, "SIP/2.0 603");
	call_rig_expect_empty(&w->rig);
	assert_int_equal(peer_drain(&desk.peer, "MESSAGE "), 0);
	ua_close(&desk);
	ua_close(&mobile);
}

static void test_message_unanswered(void **state)
{
	struct pair *w = *state;

	outside(&w->alice, "MESSAGE", "sip:bob@example.net", "");
	ua_expect(&w->bob, "MESSAGE ");
	call_rig_expect_empty(&w->rig); /* no 408 for what is no INVITE: RFC 4320 */
	assert_int_equal(peer_drain(&w->alice.peer, "SIP/2.0 408"), 0);
}

/* ---- subscriptions -----------------------------------------------------------------------------
 */

static void subscribe(struct pair *w)
{
	outside(&w->alice, "SUBSCRIBE", "sip:bob@example.net",
		"Event: dialog\r\nExpires: 600\r\nAccept: application/dialog-info+xml\r\n");
	ua_expect(&w->bob, "SUBSCRIBE ");
	assert_string_equal(header_of(w->bob.peer.text, "Event"), "dialog");
	assert_string_not_equal(header_of(w->bob.peer.text, "Contact"), "");
	snprintf(w->bob.invite, sizeof(w->bob.invite), "%.4000s", w->bob.peer.text);
	snprintf(w->bob.call_id, sizeof(w->bob.call_id), "%s", header_of(w->bob.invite, "Call-ID"));
	snprintf(w->bob.to, sizeof(w->bob.to), "%s", header_of(w->bob.invite, "From"));
	snprintf(w->bob.from, sizeof(w->bob.from), "%s;tag=bob-tag",
		 header_of(w->bob.invite, "To"));
	snprintf(w->bob.target, sizeof(w->bob.target), "sip:us@example.net");
	w->bob.cseq = 100;
}

static void notify(struct pair *w, const char *state)
{
	char headers[128];

	snprintf(headers, sizeof(headers), "Event: dialog\r\nSubscription-State: %s\r\n", state);
	ua_request(&w->bob, "NOTIFY", headers, NULL);
	ua_expect(&w->alice, "NOTIFY ");
	assert_string_equal(header_of(w->alice.peer.text, "Subscription-State"), state);
	ua_reply(&w->alice, w->alice.peer.text, 200, "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
}

/* The first NOTIFY is faster than the 200; the last one ends it. */
static void test_subscription(void **state)
{
	struct pair *w = *state;
	const char *text;

	subscribe(w);
	notify(w, "active;expires=600");
	ua_reply(&w->bob, w->bob.invite, 200, "Expires: 500\r\n", NULL);
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(header_of(text, "Expires"), "500");
	ua_learn(&w->alice, text);
	notify(w, "active;expires=500");
	ua_request(&w->alice, "SUBSCRIBE", "Event: dialog\r\nExpires: 0\r\n", NULL);
	text = ua_expect(&w->bob, "SUBSCRIBE ");
	assert_string_equal(header_of(text, "Expires"), "0");
	ua_reply(&w->bob, text, 200, "Expires: 0\r\n", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	notify(w, "terminated;reason=timeout");
	call_rig_expect_empty(&w->rig);
	assert_string_equal(call_rig_cdr(&w->rig), "");
}

static void test_subscription_refused(void **state)
{
	struct pair *w = *state;

	subscribe(w);
	ua_reply(&w->bob, w->bob.invite, 489, "Allow-Events: reg\r\n", NULL);
	assert_string_equal(header_of(ua_expect(&w->alice, "SIP/2.0 489"), "Allow-Events"), "reg");
	call_rig_expect_empty(&w->rig);
}

/* One phone after the other is asked; the one that grants it is the one that is heard. */
static void test_subscription_forks(void **state)
{
	struct pair *w = *state;
	struct ua desk, mobile;
	const char *text;

	more_phones(w, &desk, ";q=0.8", &mobile, ";q=0.5");
	outside(&w->alice, "SUBSCRIBE", "sip:bob@example.net", "Event: dialog\r\n");
	reply_to(&w->bob, "SUBSCRIBE ", 489);
	text = ua_expect(&desk, "SUBSCRIBE ");
	assert_string_equal(header_of(text, "Event"), "dialog");
	assert_int_equal(peer_drain(&mobile.peer, ""), 0);
	ua_reply(&desk, text, 200, "Expires: 300\r\n", NULL);
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(header_of(text, "Expires"), "300");
	ua_learn(&w->alice, text);
	ua_request(&w->alice, "SUBSCRIBE", "Event: dialog\r\nExpires: 0\r\n", NULL);
	/* A refresh has nobody else to go to. */
	reply_to(&desk, "SUBSCRIBE ", 481);
	ua_expect(&w->alice, "SIP/2.0 481");
	call_rig_expect_empty(&w->rig);
	outside(&w->alice, "SUBSCRIBE", "sip:bob@example.net", "Event: dialog\r\n");
	reply_to(&w->bob, "SUBSCRIBE ", 503);
	reply_to(&desk, "SUBSCRIBE ", 489);
	reply_to(&mobile, "SUBSCRIBE ", 500);
	ua_expect(&w->alice, "SIP/2.0 489");
	call_rig_expect_empty(&w->rig);
	assert_int_equal(peer_drain(&mobile.peer, "SUBSCRIBE "), 0);
	ua_close(&desk);
	ua_close(&mobile);
}

/* Eight seconds are too long for a test. */
static void time_passes(struct timer *timer, void *context)
{
	timer_fn *fn = timer->fn;

	assert_true(timer_running(timer));
	timer_stop(timer);
	fn(context);
}

/* A phone that says nothing is not waited for until the end; yet it may still be the first. */
static void test_a_silent_phone(void **state)
{
	struct pair *w = *state;
	struct ua desk, mobile;
	struct pass *pass;
	struct leg *leg;

	more_phones(w, &desk, ";q=0.8", &mobile, ";q=0.5");
	outside(&w->alice, "MESSAGE", "sip:bob@example.net", "");
	ua_expect(&w->bob, "MESSAGE ");
	pass = container_of(w->rig.calls->passes.next, struct pass, link);
	time_passes(&pass->timer, pass);
	ua_expect(&desk, "MESSAGE ");
	ua_reply(&w->bob, w->bob.peer.text, 200, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply(&desk, desk.peer.text, 200, "", NULL);
	call_rig_expect_empty(&w->rig);
	outside(&w->alice, "SUBSCRIBE", "sip:bob@example.net", "Event: dialog\r\n");
	ua_expect(&w->bob, "SUBSCRIBE ");
	leg = leg_of_call_id(w->rig.calls, str_of(w->alice.call_id), NULL);
	assert_non_null(leg);
	time_passes(&leg->call->timer, leg->call);
	reply_to(&desk, "SUBSCRIBE ", 489);
	ua_reply(&w->bob, w->bob.peer.text, 200, "", NULL); /* too late: its NOTIFY gets 481 */
	reply_to(&mobile, "SUBSCRIBE ", 489);
	ua_expect(&w->alice, "SIP/2.0 489");
	call_rig_expect_empty(&w->rig);
	ua_close(&desk);
	ua_close(&mobile);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_authenticated),
		TEST(test_not_your_name),
		TEST(test_to_trunk),
		TEST(test_hidden),
		TEST(test_hops),
		TEST(test_loop),
		TEST(test_redirected),
		TEST(test_redirected_for_ours_only),
		TEST(test_not_redirected_to_whom_only_we_reach),
		TEST(test_families),
		TEST(test_options),
		TEST(test_message),
		TEST(test_message_unanswered),
		TEST(test_subscription),
		TEST(test_subscription_refused),
		TEST(test_subscription_forks),
		TEST(test_message_forks),
		TEST(test_message_best_answer),
		TEST(test_a_silent_phone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
