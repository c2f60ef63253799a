// SPDX-License-Identifier: BSD-2-Clause
/*
 * The story of a call: each message of each leg, in order; what was done about its media; why it
 * was refused. It is kept when the call is over, and never grows beyond what it may.
 */
#include "ua.h"

struct world {
	struct pair pair;
	char id[64];
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	pair_open(&w->pair);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	pair_close(&w->pair);
	free(w);
	return 0;
}

/* Remembers the only call's name. */
static void note_id(struct world *w)
{
	json_t *list = calls_list(w->pair.rig.calls, 0);

	assert_int_equal(json_array_size(list), 1);
	snprintf(w->id, sizeof(w->id), "%s",
		 json_string_value(json_object_get(json_array_get(list, 0), "id")));
	json_decref(list);
}

static json_t *show(struct world *w)
{
	json_t *call = calls_show(w->pair.rig.calls, str_of(w->id));

	assert_non_null(call);
	return call;
}

static const char *text(const json_t *step, const char *key)
{
	const char *value = json_string_value(json_object_get(step, key));

	return value ? value : "";
}

static json_int_t number(const json_t *step, const char *key)
{
	return json_integer_value(json_object_get(step, key));
}

/*
 * "a>INVITE", "b<180": messages in a word each, from the party (>) or to it (<); without 100, which
 * comes or not. Static.
 */
static const char *messages(struct world *w)
{
	static char out[1024];
	json_t *call = show(w), *step;
	double last_ms = 0;
	size_t i, used = 0;

	out[0] = '\0';
	json_array_foreach(json_object_get(call, "steps"), i, step)
	{
		double ms = json_real_value(json_object_get(step, "after_ms"));
		char status[16];

		assert_true(ms >= last_ms);
		last_ms = ms;
		if (strcmp(text(step, "kind"), "sip") || number(step, "status") == 100)
			continue;
		snprintf(status, sizeof(status), "%lld", (long long)number(step, "status"));
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%s%s%s",
					 used ? " " : "", text(step, "side"),
					 strcmp(text(step, "direction"), "in") ? "<" : ">",
					 number(step, "status") ? status : text(step, "what"));
	}
	json_decref(call);
	return out;
}

/* The first step of that name, and of that status; the caller's reference. */
static json_t *find(struct world *w, const char *what, int status)
{
	json_t *call = show(w), *step, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(call, "steps"), i, step)
	{
		if (!found && !strcmp(text(step, "what"), what) && number(step, "status") == status)
			found = json_incref(step);
	}
	json_decref(call);
	if (!found)
		fail_msg("there is no %s %d", what, status);
	return found;
}

/* How often it came. */
static json_int_t invite_came(struct world *w)
{
	json_t *step = find(w, "INVITE", 0);
	json_int_t times = number(step, "times");

	json_decref(step);
	return times;
}

static void expect(struct world *w, const char *what, int status, const char *key,
		   const char *value)
{
	json_t *step = find(w, what, status);

	assert_string_equal(text(step, key), value);
	json_decref(step);
}

static void test_whole_call(void **state)
{
	static const char wanted[] =
		"a>INVITE b<INVITE b>180 a<180 b>200 b<ACK a<200 a>ACK a>BYE a<200 b<BYE b>200";
	struct world *w = *state;
	char local[NETADDR_STRLEN], remote[NETADDR_STRLEN];
	json_t *call, *list;

	ua_invite(&w->pair.alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->pair.bob);
	note_id(w);
	ua_reply(&w->pair.bob, w->pair.bob.invite, 180, "", NULL);
	ua_expect(&w->pair.alice, "SIP/2.0 180");
	ua_reply(&w->pair.bob, w->pair.bob.invite, 200, "",
		 ua_sdp("203.0.113.2", 5000, "a=sendonly\r\n"));
	ua_ack(&w->pair.alice, ua_expect(&w->pair.alice, "SIP/2.0 200"), NULL);
	ua_expect(&w->pair.bob, "ACK ");
	fake_media_report(fake_media_only(&w->pair.rig.media), MEDIA_FIRST_PACKET, SG_SIDE_B, 0);
	expect(w, "INVITE", 0, "sdp", "audio PCMU 198.51.100.1:4000");
	expect(w, "INVITE", 0, "from", netaddr_format(&w->pair.alice.peer.at, remote));
	expect(w, "INVITE", 0, "to", netaddr_format(&w->pair.rig.rig.at[SIP_UDP], local));
	expect(w, "INVITE", 200, "sdp", "audio PCMU 203.0.113.2:5000 sendonly");
	expect(w, "media installed", 0, "more", "198.51.100.1:4000");
	expect(w, "first packet", 0, "more", "203.0.113.2:5000");
	ua_hang_up(&w->pair.alice, &w->pair.bob);
	assert_string_equal(messages(w), wanted);
	call = show(w);
	assert_string_equal(text(call, "state"), "ended");
	assert_string_equal(text(call, "callee"), "sip:bob@example.net");
	assert_int_equal(json_array_size(json_object_get(call, "parties")), 2);
	json_decref(call);
	list = calls_list_ended(w->pair.rig.calls, 0);
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
}

static void test_why_refused(void **state)
{
	struct world *w = *state;

	ua_invite(&w->pair.alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->pair.bob);
	note_id(w);
	ua_reply(&w->pair.bob, w->pair.bob.invite, 486, "Reason: Q.850;cause=17\r\n", NULL);
	ua_expect(&w->pair.bob, "ACK ");
	ua_expect(&w->pair.alice, "SIP/2.0 486");
	ua_request(&w->pair.alice, "ACK", "", NULL);
	call_rig_expect_empty(&w->pair.rig);
	assert_string_equal(messages(w), "a>INVITE b<INVITE b>486 b<ACK a<486");
	expect(w, "INVITE", 486, "why", "Q.850;cause=17");
	expect(w, "ended", 486, "more", "refused");
}

/* A lost packet makes the same message again: told once, and how often. */
static void test_again(void **state)
{
	struct world *w = *state;

	ua_invite(&w->pair.alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	ua_expect_invite(&w->pair.bob);
	note_id(w);
	ua_again(&w->pair.alice);
	ua_again(&w->pair.alice);
	call_rig_until(&w->pair.rig, invite_came(w) >= 3);
	expect(w, "INVITE", 0, "direction", "in");
	ua_cancel(&w->pair.alice);
	ua_expect(&w->pair.alice, "SIP/2.0 487");
	ua_reply(&w->pair.bob, w->pair.bob.invite, 487, "", NULL);
	call_rig_expect_empty(&w->pair.rig);
}

#define MOVES 60

/* The oldest go; who the parties are stays. */
static void test_bounded(void **state)
{
	struct world *w = *state;
	json_t *call, *last;
	size_t count;

	ua_connect(&w->pair.alice, &w->pair.bob);
	note_id(w);
	for (unsigned i = 0; i < MOVES; i++) {
		ua_request(&w->pair.alice, "INVITE", "", ua_sdp("198.51.100.1", 4002 + 2 * i, ""));
		ua_ack(&w->pair.alice, ua_expect(&w->pair.alice, "SIP/2.0 200"), NULL);
	}
	call_rig_until(&w->pair.rig, strstr(messages(w), "ACK"));
	call = show(w);
	count = json_array_size(json_object_get(call, "steps"));
	last = json_array_get(json_object_get(call, "steps"), count - 1);
	assert_true(count > 10 && count < MOVES * 3);
	assert_true(number(call, "steps_forgotten") > 0);
	assert_int_equal(number(last, "number") + 1 - 2,
			 number(call, "steps_forgotten") + (json_int_t)count);
	assert_int_equal(json_array_size(json_object_get(call, "parties")), 2);
	assert_true(*text(last, "from"));
	json_decref(call);
	ua_hang_up(&w->pair.bob, &w->pair.alice);
}

#define CALLS 1030 /* STORIES_KEPT, and some more */

static void test_so_many_are_kept(void **state)
{
	struct world *w = *state;
	json_t *list, *call;
	char first[64];

	for (unsigned i = 0; i < CALLS; i++) {
		ua_invite(&w->pair.alice, "bob", "", NULL);
		ua_expect_invite(&w->pair.bob);
		note_id(w);
		if (!i)
			memcpy(first, w->id, sizeof(first));
		assert_int_equal(calls_end(w->pair.rig.calls, str_of(w->id), STR_NONE), 0);
		ua_expect(&w->pair.alice, "SIP/2.0 487");
		ua_request(&w->pair.alice, "ACK", "", NULL);
		peer_drain(&w->pair.bob.peer, "");
		w->pair.alice.cseq++;
		snprintf(w->pair.alice.call_id, sizeof(w->pair.alice.call_id), "story%u", i);
	}
	list = calls_list_ended(w->pair.rig.calls, 0);
	assert_int_equal(json_array_size(list), 1024);
	json_decref(list);
	assert_null(calls_show(w->pair.rig.calls, str_of(first)));
	call = show(w);
	json_decref(call);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whole_call), TEST(test_why_refused),	    TEST(test_again),
		TEST(test_bounded),    TEST(test_so_many_are_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("the story of a call", tests, NULL, NULL);
}
