// SPDX-License-Identifier: BSD-2-Clause
/* What a controller that was killed finds again, and what it makes of it. */
#include "ua.h"

static void test_bye_from_a(void **state)
{
	struct pair *w = *state;

	ua_connect(&w->alice, &w->bob);
	call_rig_restart(&w->rig);
	assert_int_equal(calls_count(w->rig.calls), 1);
	assert_int_equal(fake_media_streams(&w->rig.media), 1);
	ua_hang_up(&w->alice, &w->bob);
	assert_string_equal(call_rig_cdr(&w->rig), "200 BYE from A");
	call_rig_restart(&w->rig);
	assert_int_equal(calls_count(w->rig.calls), 0);
}

/* After a move the journal knows the new state; a re-INVITE works, and so does a second death. */
static void test_changes_survive(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_connect(&w->alice, &w->bob);
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.7", 4007, ""));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	peer_drain(&w->bob.peer, "");
	call_rig_restart(&w->rig);
	fake_media_tell(&w->rig.media);
	ua_request(&w->bob, "INVITE", "", ua_sdp("203.0.113.2", 5000, "a=sendonly\r\n"));
	text = ua_expect(&w->alice, "INVITE ");
	ua_reply(&w->alice, text, 200, "", ua_sdp("198.51.100.7", 4007, "a=recvonly\r\n"));
	ua_ack(&w->bob, ua_expect(&w->bob, "SIP/2.0 200"), NULL);
	assert_string_equal(w->rig.media.story, "direction b-to-a; ");
	ua_expect(&w->alice, "ACK ");
	call_rig_restart(&w->rig);
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.8", 4008, "a=recvonly\r\n"));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	assert_non_null(strstr(w->rig.media.story, "move a to 198.51.100.8:4008; "));
	ua_hang_up(&w->bob, &w->alice);
}

/* The relay lost the stream: both parties are told. */
static void test_stream_is_lost(void **state)
{
	struct pair *w = *state;

	ua_connect(&w->alice, &w->bob);
	fake_media_only(&w->rig.media)->used = false;
	call_rig_restart(&w->rig);
	ua_reply(&w->alice, ua_expect(&w->alice, "BYE "), 200, "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 200, "", NULL);
	call_rig_expect_empty(&w->rig);
}

/* One that was not answered yet is nobody's. */
static void test_ringing_is_not_kept(void **state)
{
	struct pair *w = *state;

	ua_invite(&w->alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_reply(&w->bob, ua_expect_invite(&w->bob), 180, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 180");
	call_rig_restart(&w->rig);
	assert_int_equal(calls_count(w->rig.calls), 0);
}

static int take_record(void *context, const struct store_cdr *cdr)
{
	assert_true(cdr->ended_ns > 0);
	snprintf(context, 128, "%.*s to %.*s, %llu %llu %u: %d %.*s", STR_ARG(cdr->caller),
		 STR_ARG(cdr->callee), (unsigned long long)cdr->started_ns,
		 (unsigned long long)cdr->answered_ns, cdr->handovers, cdr->status,
		 STR_ARG(cdr->reason));
	return 0;
}

/* What cannot be adopted has a record, with what can be read of it. */
static void test_nonsense(void **state)
{
	struct pair *w = *state;
	static const struct {
		const char *row, *record;
	} calls[] = {
		{"", " to , 0 0 0: 0 not adopted"},
		{"5:call4,", " to , 0 0 0: 0 not adopted"},
		{"5:call4,1,2,3,0,1:a,1:b,99,", "a to b, 1 2 3: 200 not adopted"},
		{"5:call4,1,2,0,0,1:a,1:b,0,4000000000,", "a to b, 1 2 0: 200 not adopted"},
		{"5:call4,1,2,0,0,1:a,7:b,0,", "a to , 1 2 0: 200 not adopted"},
		{"4:call,1,", " to , 0 0 0: 0 not adopted"},
		{"5:callx,1,", " to , 0 0 0: 0 not adopted"},
		{"5:other,1,", " to , 0 0 0: 0 not adopted"},
		{"99999:x", " to , 0 0 0: 0 not adopted"},
	};
	struct error err;
	char key[8];

	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		snprintf(key, sizeof(key), "k%u", i);
		store_put(w->rig.store, "call", str_of(key), str_of(calls[i].row));
	}
	call_rig_restart(&w->rig);
	assert_int_equal(calls_count(w->rig.calls), 0);
	assert_int_equal(store_flush(w->rig.store), 0);
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		char record[128] = "";

		snprintf(key, sizeof(key), "k%u", i);
		store_cdrs(w->rig.store, str_of(key), 2, take_record, record, &err);
		assert_string_equal(record, calls[i].record);
	}
	ua_connect(&w->alice, &w->bob);
	ua_hang_up(&w->alice, &w->bob);
}

static int remember_another(void *context, struct str key, struct str value)
{
	if (str_eq(key, STR("another")))
		snprintf(context, 64, "%.*s", STR_ARG(value));
	return 0;
}

/* Calls of a later version, or of one before: that one can have them. Nothing is touched. */
static void test_another_version(void **state)
{
	static const char *const rows[] = {"5:call5,whatever", "5:call3,1,2,3,", "8:call1000,"};
	struct pair *w = *state;
	char kept[64] = "";
	struct error err;

	ua_connect(&w->alice, &w->bob);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		store_put(w->rig.store, "call", STR("another"), str_of(rows[i]));
		assert_int_equal(store_flush(w->rig.store), 0);
		assert_int_equal(calls_adopt(w->rig.calls, &err), -EPROTO);
		assert_non_null(strstr(err.text, "1 calls of the journal were written by another "
						 "version of Segue (form call"));
		assert_int_equal(fake_media_streams(&w->rig.media), 1);
		store_flush(w->rig.store);
		assert_int_equal(store_each(w->rig.store, "call", remember_another, kept, &err), 0);
		assert_string_equal(kept, rows[i]);
	}
	store_delete(w->rig.store, "call", STR("another"));
	call_rig_restart(&w->rig);
	assert_int_equal(calls_count(w->rig.calls), 1);
	ua_hang_up(&w->alice, &w->bob);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bye_from_a),	   TEST(test_changes_survive),
		TEST(test_stream_is_lost), TEST(test_ringing_is_not_kept),
		TEST(test_nonsense),	   TEST(test_another_version),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
