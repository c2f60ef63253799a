// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory runs out in the middle of a call, at one allocation after the other: the call may come to
 * nothing, but it ends, nothing of it is left, and the next one works.
 */
#include "ua.h"

#include <sys/socket.h>
#include <threads.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* Of this thread alone: the store has one of its own. */
static thread_local unsigned long allocations, failing;

static bool fails(void)
{
	return ++allocations == failing;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

#define GIVE_UP_MS 1000

/* ---- parties that know what to do
 * ---------------------------------------------------------------- */

enum stage { CALLING, HOLDING, ENDING, DONE };

struct world {
	struct pair pair;
	enum stage stage;
	char invite[4096]; /* Bob's 200 to it waits for the ACK; empty: none does */
};

static bool take(struct peer *peer)
{
	ssize_t len = recv(peer->fd, peer->text, sizeof(peer->text) - 1, MSG_DONTWAIT);

	peer->len = len > 0 ? (size_t)len : 0;
	peer->text[peer->len] = '\0';
	return len > 0;
}

static bool begins(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static void alice_goes_on(struct world *w, const char *text, int status)
{
	bool invite = strstr(header_of(text, "CSeq"), "INVITE");

	if (status < 200)
		return;
	if (invite && status < 300)
		ua_ack(&w->pair.alice, text, NULL);
	if ((unsigned)atoi(header_of(text, "CSeq")) != w->pair.alice.cseq)
		return; /* once more, of what is over */
	if (w->stage == CALLING && invite && status < 300) {
		w->stage = HOLDING;
		ua_request(&w->pair.alice, "INVITE", "",
			   ua_sdp("198.51.100.1", 4000, "a=sendonly\r\n"));
	} else if (w->stage == HOLDING && invite) {
		w->stage = ENDING;
		ua_request(&w->pair.alice, "BYE", "", NULL);
	} else {
		w->stage = DONE;
	}
}

static void alice_hears(struct world *w)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%.4000s", w->pair.alice.peer.text);
	if (begins(text, "SIP/2.0 ")) {
		alice_goes_on(w, text, atoi(text + 8));
	} else if (begins(text, "BYE ")) {
		ua_reply(&w->pair.alice, text, 200, "", NULL);
		w->stage = DONE;
	}
}

static void bob_answers(struct world *w)
{
	const char *attribute = strstr(w->invite, "a=sendonly") ? "a=recvonly\r\n" : "";

	ua_reply(&w->pair.bob, w->invite, 200, "", ua_sdp("203.0.113.2", 5000, attribute));
}

static void bob_hears(struct world *w)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%.4000s", w->pair.bob.peer.text);
	if (begins(text, "INVITE ")) {
		memcpy(w->invite, text, sizeof(text));
		if (!strstr(header_of(text, "To"), ";tag="))
			ua_reply(&w->pair.bob, text, 183, "", ua_sdp("203.0.113.2", 5000, ""));
		bob_answers(w);
	} else if (begins(text, "ACK ")) {
		w->invite[0] = '\0';
	} else if (begins(text, "BYE ") || begins(text, "CANCEL ")) {
		ua_reply(&w->pair.bob, text, 200, "", NULL);
		w->invite[0] = '\0';
	}
}

static void send_again(struct world *w)
{
	if (w->stage != DONE)
		ua_again(&w->pair.alice);
	if (w->invite[0])
		bob_answers(w);
}

/* Alice has lost patience, and leaves what there is to the operator. */
static void give_up(struct world *w)
{
	json_t *list = calls_list(w->pair.rig.calls, 0);
	const char *id = json_string_value(json_object_get(json_array_get(list, 0), "id"));

	w->stage = DONE;
	w->invite[0] = '\0';
	if (id)
		calls_end(w->pair.rig.calls, str_of(id), STR("no patience"));
	json_decref(list);
}

/* Nobody waits for anything but time: what was lost is sent again, as on a network. */
static void run_call(struct world *w)
{
	uint64_t started = wheel_now_ms(), again = started + 15;
	struct sip_stack_stats stats;

	w->stage = CALLING;
	w->invite[0] = '\0';
	ua_invite(&w->pair.alice, "bob", "", ua_sdp("198.51.100.1", 4000, ""));
	do {
		rig_turn(&w->pair.rig.rig);
		while (take(&w->pair.alice.peer))
			alice_hears(w);
		while (take(&w->pair.bob.peer))
			bob_hears(w);
		if (wheel_now_ms() > again) {
			send_again(w);
			again = wheel_now_ms() + 15;
		}
		if (wheel_now_ms() > started + GIVE_UP_MS)
			give_up(w);
		if (wheel_now_ms() > started + RIG_PATIENCE_MS)
			fail_msg("allocation %lu failed, and the call does not end", failing);
		sip_stack_stats(w->pair.rig.rig.stack, &stats);
	} while (w->stage != DONE || calls_count(w->pair.rig.calls) || stats.dialogs);
}

static void test_each_allocation(void **state)
{
	struct world *w = *state;
	unsigned long most;

	run_call(w); /* everything that grows once has grown */
	allocations = 0;
	run_call(w);
	most = allocations + 20;
	assert_true(most > 50);
	for (unsigned long n = 1; n <= most; n++) {
		allocations = 0;
		failing = n;
		run_call(w);
		failing = 0;
		assert_int_equal(fake_media_streams(&w->pair.rig.media), 0);
		assert_int_equal(w->pair.rig.media.reserved, 0);
	}
	call_rig_expect_empty(&w->pair.rig);
	run_call(w);
	call_rig_expect_empty(&w->pair.rig);
	assert_string_equal(call_rig_cdr(&w->pair.rig), "200 BYE from A");
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_allocation, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
