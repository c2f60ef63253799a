// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory runs out in what the operator asks for, at one allocation after the other: the answer is
 * whole, or an error; the call goes on, or ends with a record; and the next one works. Ours, and
 * those of SQLite.
 */
#include "ua.h"

#include <sys/socket.h>

#include "../store/oom_sqlite.h"
#include "ops/json_memory.h"
#include "ops/rooms.h"

#define MOST 2000ul
#define SETTLE_MS 20u

static const struct control_command *const tables[] = {call_commands, handover_commands,
						       registration_commands, cdr_commands, NULL};

struct world {
	struct call_rig rig;
	struct rooms rooms;
	struct ua alice, bob, moved; /* bob's other network */
	char id[64];		     /* of the call */
	uint64_t lost;		     /* writes, before it began */
	bool hit;		     /* the last allocation that was to fail came */
};

/* ---- parties that say yes to everything ------------------------------------------------------ */

static bool begins(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static void hear(struct ua *ua, unsigned port)
{
	static char text[4096];
	ssize_t len;

	while ((len = recv(ua->peer.fd, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
		text[len] = '\0';
		if (begins(text, "SIP/2.0 ") || begins(text, "ACK "))
			continue;
		ua_reply(ua, text, 200, "",
			 begins(text, "INVITE ") ? ua_sdp("203.0.113.2", port, "") : NULL);
	}
}

static void turn(struct world *w)
{
	rig_turn(&w->rig.rig);
	hear(&w->alice, 4000);
	hear(&w->bob, 5000);
	hear(&w->moved, 7000);
}

static void settle(struct world *w)
{
	uint64_t end = wheel_now_ms() + SETTLE_MS;

	while (wheel_now_ms() < end)
		turn(w);
}

/* ---- what the operator asks ------------------------------------------------------------------ */

static void count_values(const json_t *value, size_t *count)
{
	const char *key;
	json_t *inner;
	size_t i;

	++*count;
	json_array_foreach((json_t *)(uintptr_t)value, i, inner) count_values(inner, count);
	json_object_foreach((json_t *)(uintptr_t)value, key, inner) count_values(inner, count);
}

/* While the n-th allocation fails (0: none does): how much is said; 0: an error, which is said. */
static size_t ask(struct world *w, unsigned long n, const char *object, const char *command,
		  const char *key, const char *value)
{
	json_t *body = json_pack("{s:i, s:s, s:s, s:s}", "segue", CONTROL_VERSION, "object", object,
				 "command", command, key, value);
	json_t *reply, *error;
	size_t said = 0;

	assert_non_null(body);
	oom_arm(n);
	reply = control_ask(tables, &w->rooms, body);
	oom_disarm();
	if (n)
		w->hit = oom_hit;
	error = json_object_get(reply, "error");
	if (error)
		assert_true(json_string_length(json_object_get(error, "text")) > 0);
	else if (reply)
		count_values(json_object_get(reply, "data"), &said);
	json_decref(reply);
	json_decref(body);
	assert_true(said || !n || w->hit);
	return said;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void begin_call(struct world *w)
{
	struct store_stats store;
	json_t *list;

	store_stats(w->rig.store, &store);
	w->lost = store.lost;
	ua_connect(&w->alice, &w->bob);
	list = calls_list(w->rig.calls, 0);
	snprintf(w->id, sizeof(w->id), "%s",
		 json_string_value(json_object_get(json_array_get(list, 0), "id")));
	json_decref(list);
}

/* And there is a record of it, or of its loss. */
static void await_end(struct world *w)
{
	uint64_t end = wheel_now_ms() + RIG_PATIENCE_MS;
	struct sip_stack_stats stats;
	struct store_stats store;

	do {
		turn(w);
		if (wheel_now_ms() > end)
			fail_msg("the call does not end");
		sip_stack_stats(w->rig.rig.stack, &stats);
	} while (calls_count(w->rig.calls) || stats.dialogs);
	assert_int_equal(fake_media_streams(&w->rig.media), 0);
	assert_int_equal(store_flush(w->rig.store), 0);
	store_stats(w->rig.store, &store);
	assert_true(ask(w, 0, "cdr", "show", "id", w->id) > 5 || store.lost > w->lost);
}

static void end_call(struct world *w)
{
	assert_true(ask(w, 0, "call", "end", "id", w->id) > 0);
	await_end(w);
}

/* Bob is in a second network, which takes the call. */
static void begin_handover(struct world *w)
{
	uint64_t end = wheel_now_ms() + RIG_PATIENCE_MS;

	begin_call(w);
	fake_media_tell(&w->rig.media);
	assert_true(ask(w, 0, "handover", "start", "id", w->id) > 0);
	while (!strstr(w->rig.media.story, "join")) {
		assert_true(wheel_now_ms() < end);
		turn(w);
	}
	assert_int_equal(calls_handovers_running(w->rig.calls), 1);
}

/* ---- each of them ---------------------------------------------------------------------------- */

static void call_end(void **state)
{
	struct world *w = *state;
	unsigned long n = 0;

	do {
		assert_true(++n < MOST);
		begin_call(w);
		if (ask(w, n, "call", "end", "id", w->id) || !calls_count(w->rig.calls)) {
			await_end(w);
			continue;
		}
		settle(w);
		if (calls_count(w->rig.calls))
			ask(w, 0, "call", "end", "id", w->id);
		await_end(w);
	} while (w->hit);
	assert_true(n > 10);
}

static void handover_start(void **state)
{
	struct world *w = *state;
	unsigned long n = 0;

	do {
		assert_true(++n < MOST);
		begin_call(w);
		ask(w, n, "handover", "start", "id", w->id);
		settle(w);
		assert_int_equal(calls_count(w->rig.calls), 1);
		end_call(w);
	} while (w->hit);
	assert_true(n > 10);
	begin_handover(w);
	end_call(w);
}

static void finish_or_abort(struct world *w, const char *command)
{
	unsigned long n = 0;

	do {
		assert_true(++n < MOST);
		begin_handover(w);
		if (!ask(w, n, "handover", command, "id", w->id) &&
		    calls_handovers_running(w->rig.calls))
			assert_true(ask(w, 0, "handover", command, "id", w->id) > 0);
		for (uint64_t end = wheel_now_ms() + RIG_PATIENCE_MS;
		     calls_handovers_running(w->rig.calls);) {
			assert_true(wheel_now_ms() < end);
			turn(w);
		}
		assert_int_equal(calls_count(w->rig.calls), 1);
		end_call(w);
	} while (w->hit);
	assert_true(n > 5);
}

static void handover_finish(void **state)
{
	finish_or_abort(*state, "finish");
}

static void handover_abort(void **state)
{
	finish_or_abort(*state, "abort");
}

static void handover_show(void **state)
{
	struct world *w = *state;
	size_t whole, said;
	unsigned long n = 0;

	begin_handover(w);
	whole = ask(w, 0, "handover", "show", "id", w->id);
	assert_true(whole > 5);
	do {
		assert_true(++n < MOST);
		said = ask(w, n, "handover", "show", "id", w->id);
		assert_true(said == whole || (!said && w->hit));
	} while (w->hit);
	assert_true(n > 10);
	end_call(w);
}

static void cdr_show(void **state)
{
	struct world *w = *state;
	size_t whole, said;
	unsigned long n = 0;

	begin_call(w);
	end_call(w);
	whole = ask(w, 0, "cdr", "show", "id", w->id);
	do {
		assert_true(++n < MOST);
		said = ask(w, n, "cdr", "show", "id", w->id);
		assert_true(said == whole || (!said && w->hit));
	} while (w->hit);
	assert_true(n > 10);
}

/* All that are meant are gone, or none is; and whoever registers again is there again. */
static void registration_del(void **state)
{
	struct world *w = *state;
	size_t said, left;
	unsigned long n = 0;

	do {
		assert_true(++n < MOST);
		said = ask(w, n, "registration", "del", "aor", "bob@example.net");
		left = location_count(w->rig.location);
		assert_true(left == 0 || (left == 2 && !said));
		ua_register(&w->bob, "");
		ua_register(&w->moved, "");
		assert_int_equal(location_count(w->rig.location), 2);
	} while (w->hit);
	assert_true(n > 3);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	call_rig_open(&w->rig);
	w->rig.config.handover_window_ms = 10000;
	w->rooms = (struct rooms){.stack = w->rig.rig.stack,
				  .registrar = w->rig.registrar,
				  .location = w->rig.location,
				  .store = w->rig.store,
				  .media = &w->rig.media,
				  .calls = w->rig.calls,
				  .config = &w->rig.config};
	ua_open(&w->alice, &w->rig, "alice", TRUNK);
	ua_open(&w->bob, &w->rig, "bob", "127.0.0.3");
	ua_open(&w->moved, &w->rig, "bob", "127.0.0.44");
	ua_register(&w->bob, ";q=1.0");
	ua_register(&w->moved, ";q=0.1");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ua_close(&w->alice);
	ua_close(&w->bob);
	ua_close(&w->moved);
	call_rig_close(&w->rig);
	free(w);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(call_end),		TEST(handover_start), TEST(handover_finish),
		TEST(handover_abort),	TEST(handover_show),  TEST(cdr_show),
		TEST(registration_del),
	};

	if (!oom_sqlite_reach())
		return 1;
	json_memory_watch();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
