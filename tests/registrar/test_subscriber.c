/* SPDX-License-Identifier: BSD-2-Clause */
/* Subscribers: added, replaced, deleted, kept as hashes only, and there again after a restart. */
#include <errno.h>

#include "phone.h"

static int list_one(void *context, struct str aor)
{
	struct buf *out = context;

	buf_add(out, aor);
	buf_add_char(out, '\n');
	return 0;
}

static unsigned lines(struct server *s, const char *wanted)
{
	struct buf out = BUF_EMPTY;
	unsigned count = 0;
	struct str rest, line;

	registrar_subscriber_each(s->registrar, list_one, &out);
	for (rest = buf_str(&out); str_split(&rest, '\n', &line);)
		count += !wanted || str_eq(line, str_of(wanted));
	buf_free(&out);
	return count;
}

static void all_are_listed(void **state)
{
	assert_int_equal(lines(*state, NULL), 3);
	assert_int_equal(lines(*state, "alice@example.net"), 1);
	assert_int_equal(lines(*state, "alice@second.example"), 1);
}

static void adding_twice_wants_to_be_told(void **state)
{
	struct server *s = *state;
	struct error err;

	assert_int_equal(registrar_subscriber_add(s->registrar, STR("bob@EXAMPLE.net"), STR("x"),
						  false, &err),
			 -EEXIST);
	assert_int_equal(registrar_subscriber_add(s->registrar, STR("bob@EXAMPLE.net"), STR("x"),
						  true, &err),
			 0);
	assert_int_equal(lines(s, NULL), 3);
}

static void bad_ones_are_refused(void **state)
{
	static const char *const bad[] = {"",
					  "alice",
					  "@example.net",
					  "alice@",
					  "a@elsewhere",
					  "a:b@example.net",
					  "a b@example.net",
					  "a\"@example.net"};
	struct server *s = *state;
	struct error err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(registrar_subscriber_add(s->registrar, str_of(bad[i]), STR("x"),
							  true, &err),
				 -EINVAL);
	assert_int_equal(registrar_subscriber_add(s->registrar, STR("carol@example.net"), STR_NONE,
						  true, &err),
			 -EINVAL);
	assert_int_equal(lines(s, NULL), 3);
}

static void deleting_takes_bindings_along(void **state)
{
	struct server *s = *state;
	struct phone *p = phone_new(s, "bob", "builder", "127.0.0.1", false);
	struct error err;

	assert_int_equal(phone_ask(p, "Contact: <sip:b@127.0.0.1:6000>\r\n"), 200);
	assert_int_equal(location_count(s->w.location), 1);
	assert_int_equal(registrar_subscriber_delete(s->registrar, STR("bob@example.net"), &err),
			 0);
	assert_int_equal(location_count(s->w.location), 0);
	assert_int_equal(registrar_subscriber_delete(s->registrar, STR("bob@example.net"), &err),
			 -ENOENT);
	assert_false(registrar_has_subscriber(s->registrar, STR("bob@example.net")));
	assert_int_equal(phone_ask(p, ""), 401);
	phone_free(p);
}

static void they_outlive_a_restart(void **state)
{
	struct server *s = *state;
	struct phone *p;

	server_restart(s);
	assert_int_equal(lines(s, NULL), 3);
	p = phone_new(s, "bob", "builder", "127.0.0.1", false);
	assert_int_equal(phone_ask(p, ""), 200);
	phone_free(p);
}

static int find_password(void *context, struct str key, struct str value)
{
	(void)key;
	*(bool *)context |= memmem(value.p, value.n, "wonderland", 10) != NULL;
	return 0;
}

static void passwords_are_not_kept(void **state)
{
	struct server *s = *state;
	bool found = false;
	struct error err;

	store_flush(s->w.store);
	assert_int_equal(store_each(s->w.store, "subscriber", find_password, &found, &err), 0);
	assert_false(found);
}

static void hashes_of_another_realm_are_no_use(void **state)
{
	struct server *s = *state;
	struct phone *p;
	char *other[] = {(char[]){"second.example"}};

	s->config.domains = other;
	s->config.domain_count = 1;
	server_restart(s);
	assert_int_equal(lines(s, NULL), 0);
	p = phone_new(s, "alice", "other", "127.0.0.1", false);
	snprintf(p->to, sizeof(p->to), "alice@second.example");
	snprintf(p->ruri, sizeof(p->ruri), "sip:second.example");
	assert_int_equal(phone_ask(p, ""), 401);
	phone_free(p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_are_listed),
		TEST(adding_twice_wants_to_be_told),
		TEST(bad_ones_are_refused),
		TEST(deleting_takes_bindings_along),
		TEST(they_outlive_a_restart),
		TEST(passwords_are_not_kept),
		TEST(hashes_of_another_realm_are_no_use),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
