/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each allocation of the registrar fails in turn: bindings change wholly or not at all, nothing is
 * told that is not so, nothing leaks, and the next REGISTER works.
 */
#include <errno.h>

#include "../store/oom.h"
#include "phone.h"

#define ALICE STR("alice@example.net")
#define MOST 1000ul

static unsigned long fail_at;
static bool failed;

/* Only what the registrar does is made to fail. */
static void failing_request(void *context, struct sip_server_tx *tx, struct sip_message *request)
{
	oom_arm(fail_at);
	server_request(context, tx, request);
	failed = oom_disarm();
}

static int setup(void **state)
{
	static const struct sip_stack_handlers handlers = {.request = failing_request,
							   .ack = server_ignore,
							   .stray = server_ignore,
							   .closed = server_closed};
	struct server *s;
	int error = server_setup(state);

	s = *state;
	s->handlers = &handlers;
	fail_at = 0;
	server_restart(s);
	return error;
}

/* Like phone_send(), but no answer is an answer, too: 0. */
static int try(struct phone *p, const char *headers)
{
	struct buf out = BUF_EMPTY;
	ssize_t got = -1;

	phone_write(p, &out, headers);
	assert_int_equal(send(p->fd, out.data, out.len, 0), out.len);
	buf_free(&out);
	for (unsigned turn = 0; turn < 20 && got < 0; turn++) {
		server_turn(p->server);
		got = recv(p->fd, p->text, sizeof(p->text) - 1, MSG_DONTWAIT);
	}
	p->text[got < 0 ? 0 : got] = '\0';
	if (got > 0 && (got < 4 || strcmp(p->text + got - 4, "\r\n\r\n")))
		fail_msg("half an answer: %s", p->text);
	return got < 0 ? 0 : atoi(p->text + 8);
}

/* Are these, and no others, the contacts of alice? */
static bool stands(struct server *s, const char *a, const char *b)
{
	const struct binding *found[LOCATION_BINDINGS];
	size_t count = location_lookup(s->w.location, ALICE, found, LOCATION_BINDINGS);
	unsigned seen = 0;

	for (size_t i = 0; i < count; i++)
		seen |= !strcmp(found[i]->contact, a)	? 1u
			: !strcmp(found[i]->contact, b) ? 2u
							: 4u;
	return count == 2 && seen == 3;
}

/*
 * A phone that knows a nonce, two bindings that stand, and a server that just started: buffers that
 * are warm would need no memory.
 */
static struct phone *fresh(struct server *s)
{
	struct phone *p, *again;

	fail_at = 0;
	location_remove(s->w.location, ALICE, STR_NONE);
	p = phone_new(s, "alice", "wonderland", "127.0.0.1", false);
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>, <sip:b@h>\r\n"), 200);
	server_restart(s);
	again = phone_new(s, "alice", "wonderland", "127.0.0.1", false);
	again->challenge = sip_message_ref(p->challenge);
	again->nc = p->nc;
	again->cseq = p->cseq;
	phone_free(p);
	return again;
}

static void a_change_is_whole_or_none(void **state)
{
	struct server *s = *state;
	unsigned long n, refused = 0;

	failed = true;
	for (n = 1; n < MOST && failed; n++) {
		struct phone *p = fresh(s);
		int status;

		fail_at = n;
		status = try(p, "Contact: <sip:c@h>, <sip:d@h>;q=0.5, <sip:a@h>;expires=0, "
				"<sip:b@h>;expires=0\r\n");
		if (status == 200 ? !stands(s, "sip:c@h", "sip:d@h")
				  : !stands(s, "sip:a@h", "sip:b@h") &&
					    (status || !stands(s, "sip:c@h", "sip:d@h")))
			fail_msg("allocation %lu: %d, and half of it was done", n, status);
		refused += status != 200;
		phone_free(p);
	}
	assert_in_range(n, 10, MOST - 1);
	assert_in_range(refused, 5, n);
}

static void starting_fails_cleanly(void **state)
{
	struct server *s = *state;
	struct registrar *registrar = NULL;
	struct location *location = NULL;
	struct phone *p = phone_new(s, "alice", "wonderland", "127.0.0.1", false);
	struct error err = {""};
	unsigned long n;
	int error;

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>, <sip:b@h>\r\n"), 200);
	phone_free(p);
	assert_int_equal(store_flush(s->w.store), 0);
	for (n = 1; n < MOST; n++) {
		oom_arm(n);
		error = registrar_alloc(&registrar, s->stack, s->w.location, s->w.store, s->w.log,
					&s->config, &err);
		if (!oom_disarm())
			break;
		assert_int_not_equal(error, 0);
		assert_string_not_equal(err.text, "");
	}
	assert_int_equal(error, 0);
	assert_in_range(n, 5, MOST - 1);
	registrar_free(registrar);
	for (n = 1; n < MOST; n++) {
		oom_arm(n);
		error = location_alloc(&location, s->w.wheel, s->w.store, s->w.log);
		if (!error) {
			error = location_load(location, &err);
			if (error)
				location_free(location);
		}
		if (!oom_disarm())
			break;
	}
	assert_int_equal(error, 0);
	assert_int_equal(location_count(location), 2);
	location_free(location);
}

static void subscribers_are_added_or_not(void **state)
{
	struct server *s = *state;
	struct error err;
	unsigned long n;
	int error;

	for (n = 1; n < MOST; n++) {
		oom_arm(n);
		error = registrar_subscriber_add(s->registrar, STR("carol@example.net"),
						 STR("secret"), false, &err);
		if (!oom_disarm())
			break;
		/* A table that could not grow is no failure. */
		assert_int_equal(registrar_has_subscriber(s->registrar, STR("carol@example.net")),
				 !error);
		if (!error)
			registrar_subscriber_delete(s->registrar, STR("carol@example.net"), &err);
	}
	assert_int_equal(error, 0);
	assert_in_range(n, 2, MOST - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_is_whole_or_none),
		TEST(starting_fails_cleanly),
		TEST(subscribers_are_added_or_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
