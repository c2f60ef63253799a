/* SPDX-License-Identifier: BSD-2-Clause */
/* The location: order of targets, expiry, atomic changes, connections, and restarts. */
#include <errno.h>

#include "registrar/change.h"
#include "world.h"

#define ALICE STR("alice@example.net")

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	world_init(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_fini(*state);
	free(*state);
	return 0;
}

static struct location_draft draft(const char *contact)
{
	return (struct location_draft){
		.contact = str_of(contact),
		.call_id = STR("call"),
		.cseq = 7,
		.q = 1000,
		.if_q = 1000,
		.expires_ms = wheel_now_ms() + 60000,
		.changed_ms = wheel_now_ms(),
	};
}

static void add(struct world *w, struct str aor, const struct location_draft *d)
{
	struct location_change change;

	assert_int_equal(location_change_begin(&change, w->location, aor), 0);
	assert_int_equal(location_change_set(&change, change.count, d), 0);
	location_change_commit(&change);
}

/* "a b c": the contacts, in the order to try them. */
static const char *order(struct world *w, struct str aor)
{
	const struct binding *found[LOCATION_BINDINGS];
	size_t count = location_lookup(w->location, aor, found, LOCATION_BINDINGS), len = 0;
	static char text[512];

	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
					found[i]->contact);
	return text;
}

static void add_ranked(struct world *w, const char *contact, unsigned q, const char *instance,
		       unsigned if_q, unsigned age)
{
	struct location_draft d = draft(contact);

	d.q = q;
	d.instance = str_of(instance);
	d.if_q = if_q;
	d.changed_ms -= age;
	add(w, ALICE, &d);
}

static void nobody_is_nowhere(void **state)
{
	assert_string_equal(order(*state, ALICE), "");
	assert_int_equal(location_remove(((struct world *)*state)->location, ALICE, STR_NONE), 0);
}

static void highest_q_goes_first(void **state)
{
	add_ranked(*state, "low", 100, "", 1000, 0);
	add_ranked(*state, "high", 900, "", 1000, 0);
	add_ranked(*state, "mid", 500, "", 1000, 0);
	assert_string_equal(order(*state, ALICE), "high mid low");
}

static void of_equal_q_the_latest_goes_first(void **state)
{
	add_ranked(*state, "old", 500, "", 1000, 20);
	add_ranked(*state, "new", 500, "", 1000, 10);
	assert_string_equal(order(*state, ALICE), "new old");
}

static void interfaces_stand_together_by_if_q(void **state)
{
	add_ranked(*state, "x1", 500, "x", 300, 0);
	add_ranked(*state, "y1", 500, "y", 200, 5);
	add_ranked(*state, "x2", 500, "X", 900, 10);
	add_ranked(*state, "y2", 500, "y", 100, 1);
	add_ranked(*state, "z", 700, "", 1000, 0);
	/* Of x the best is x2, of y y1: y1 is the more recent of these two. */
	assert_string_equal(order(*state, ALICE), "z y1 y2 x2 x1");
}

static void best_interface_decides_even_with_lower_q(void **state)
{
	add_ranked(*state, "x-wlan", 100, "x", 900, 0);
	add_ranked(*state, "x-umts", 1000, "x", 100, 0);
	add_ranked(*state, "desk", 500, "", 1000, 0);
	assert_string_equal(order(*state, ALICE), "desk x-wlan x-umts");
}

static void same_instance_wants_an_instance(void **state)
{
	struct binding a = {.instance = (char[]){""}}, b = a, c = {.instance = (char[]){"Q"}},
		       d = {.instance = (char[]){"q"}};

	(void)state;
	assert_false(binding_same_instance(&a, &b));
	assert_false(binding_same_instance(&a, &c));
	assert_true(binding_same_instance(&c, &d));
}

static void room_is_respected(void **state)
{
	struct world *w = *state;
	const struct binding *found[1];

	add_ranked(w, "low", 100, "", 1000, 0);
	add_ranked(w, "high", 900, "", 1000, 0);
	assert_int_equal(location_lookup(w->location, ALICE, found, 1), 1);
	assert_string_equal(found[0]->contact, "high");
	assert_int_equal(location_lookup(w->location, ALICE, found, 0), 0);
}

static void users_do_not_mix(void **state)
{
	struct world *w = *state;
	struct location_draft d = draft("a");

	add(w, ALICE, &d);
	d.contact = STR("b");
	add(w, STR("bob@example.net"), &d);
	assert_string_equal(order(w, ALICE), "a");
	assert_string_equal(order(w, STR("bob@example.net")), "b");
	assert_int_equal(location_count(w->location), 2);
	assert_int_equal(location_remove(w->location, ALICE, STR("b")), 0);
	assert_int_equal(location_remove(w->location, ALICE, STR("a")), 1);
	assert_string_equal(order(w, ALICE), "");
	assert_int_equal(location_count(w->location), 1);
}

static void bindings_expire(void **state)
{
	struct world *w = *state;
	struct location_draft d = draft("short");

	d.expires_ms = wheel_now_ms() + 30;
	add(w, ALICE, &d);
	d = draft("long");
	add(w, ALICE, &d);
	assert_int_equal(location_count(w->location), 2);
	for (unsigned i = 0; i < 1000 && location_count(w->location) > 1; i++) {
		event_base_loop(w->base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
	assert_string_equal(order(w, ALICE), "long");
}

static void a_change_is_all_or_nothing(void **state)
{
	struct world *w = *state;
	struct location_change change;
	struct location_draft d = draft("old");

	add(w, ALICE, &d);
	assert_int_equal(location_change_begin(&change, w->location, ALICE), 0);
	d = draft("new");
	assert_int_equal(location_change_set(&change, 1, &d), 0);
	location_change_remove(&change, 0);
	assert_string_equal(order(w, ALICE), "old");
	location_change_abandon(&change);
	assert_string_equal(order(w, ALICE), "old");
	assert_int_equal(location_change_begin(&change, w->location, STR("new@example.net")), 0);
	assert_int_equal(location_change_set(&change, 0, &d), 0);
	location_change_abandon(&change);
	assert_int_equal(location_count(w->location), 1);
	assert_int_equal(location_change_begin(&change, w->location, ALICE), 0);
	assert_int_equal(location_change_set(&change, 0, &d), 0); /* in the place of old ... */
	d.contact = STR("newer");
	assert_int_equal(location_change_set(&change, 0, &d), 0); /* ... twice */
	location_change_commit(&change);
	assert_string_equal(order(w, ALICE), "newer");
}

static void bindings_of_a_user_are_bounded(void **state)
{
	struct world *w = *state;
	struct location_change change;
	struct location_draft d = draft("c");

	assert_int_equal(location_change_begin(&change, w->location, ALICE), 0);
	for (unsigned i = 0; i < LOCATION_BINDINGS; i++)
		assert_int_equal(location_change_set(&change, i, &d), 0);
	assert_int_equal(location_change_set(&change, change.count, &d), -ENOSPC);
	location_change_commit(&change);
	assert_int_equal(location_count(w->location), LOCATION_BINDINGS);
}

static struct location_draft over_connection(const char *contact, uint64_t conn, bool flow_only)
{
	struct location_draft d = draft(contact);

	d.flow = (struct sip_flow){.proto = SIP_TCP, .conn = conn};
	d.use_flow = true;
	d.flow_only = flow_only;
	return d;
}

static void a_closed_connection_takes_what_needs_it(void **state)
{
	struct world *w = *state;
	struct location_draft d = over_connection("needs", 5, true);
	const struct binding *found[2];

	add(w, ALICE, &d);
	d = over_connection("listens", 5, false);
	add(w, ALICE, &d);
	d = over_connection("other", 6, true);
	add(w, STR("bob@example.net"), &d);
	location_closed(w->location, &(struct sip_flow){.proto = SIP_UDP});
	assert_int_equal(location_count(w->location), 3);
	location_closed(w->location, &(struct sip_flow){.proto = SIP_TCP, .conn = 5});
	assert_string_equal(order(w, ALICE), "listens");
	assert_int_equal(location_lookup(w->location, ALICE, found, 2), 1);
	assert_false(found[0]->use_flow);
	assert_string_equal(order(w, STR("bob@example.net")), "other");
	location_closed(w->location, &(struct sip_flow){.proto = SIP_TCP, .conn = 5});
	location_closed(w->location, &(struct sip_flow){.proto = SIP_TCP, .conn = 6});
	assert_int_equal(location_count(w->location), 1);
}

static int count_one(void *context, struct str aor, const struct binding *binding)
{
	(void)aor;
	(void)binding;
	return ++*(unsigned *)context == 3;
}

static void all_are_visited_until_told_to_end(void **state)
{
	struct world *w = *state;
	struct location_draft d = draft("c");
	unsigned count = 0;
	char aor[32];

	for (unsigned i = 0; i < 2; i++) {
		snprintf(aor, sizeof(aor), "u%u@example.net", i);
		add(w, str_of(aor), &d);
	}
	location_each(w->location, count_one, &count);
	assert_int_equal(count, 2);
	add(w, ALICE, &d);
	add(w, ALICE, &d);
	count = 0;
	location_each(w->location, count_one, &count);
	assert_int_equal(count, 3);
}

static void bindings_outlive_a_restart(void **state)
{
	struct world *w = *state;
	struct location_draft d = draft("sip:a@[2001:db8::1]:5060");
	const struct binding *found[2];

	d.params = STR(";x=\"a,1:b\"");
	d.path = STR("<sip:p;lr>, <sip:q;lr>");
	d.instance = STR("tok");
	d.reg_id = 3;
	d.q = 250;
	d.if_q = 125;
	d.cseq = 4000000000;
	d.has_ua_id = d.use_flow = d.flow_only = true;
	d.flow.proto = SIP_TLS;
	d.flow.conn = 77;
	assert_int_equal(netaddr_parse(&d.flow.local, STR("[2001:db8::2]:5061")), 0);
	assert_int_equal(netaddr_parse(&d.flow.remote, STR("192.0.2.7:40000")), 0);
	add(w, ALICE, &d);
	d = draft("second");
	add(w, ALICE, &d);
	world_close(w);
	world_open(w);
	assert_int_equal(location_lookup(w->location, ALICE, found, 2), 2);
	assert_string_equal(found[0]->contact, "second");
	assert_string_equal(found[1]->contact, "sip:a@[2001:db8::1]:5060");
	assert_string_equal(found[1]->params, ";x=\"a,1:b\"");
	assert_string_equal(found[1]->path, "<sip:p;lr>, <sip:q;lr>");
	assert_string_equal(found[1]->call_id, "call");
	assert_string_equal(found[1]->instance, "tok");
	assert_int_equal(found[1]->reg_id, 3);
	assert_int_equal(found[1]->q, 250);
	assert_int_equal(found[1]->if_q, 125);
	assert_int_equal(found[1]->cseq, 4000000000);
	assert_true(found[1]->has_ua_id && found[1]->use_flow && found[1]->flow_only);
	assert_int_equal(found[1]->flow.proto, SIP_TLS);
	assert_int_equal(found[1]->flow.conn, 0); /* the connection did not */
	assert_int_equal(found[1]->flow.remote.port, 40000);
	assert_in_range(found[1]->expires_ms, wheel_now_ms() + 50000, wheel_now_ms() + 60001);
}

static int count_row(void *context, struct str key, struct str value)
{
	(void)key;
	(void)value;
	++*(unsigned *)context;
	return 0;
}

static unsigned rows(struct world *w)
{
	unsigned count = 0;
	struct error err;

	assert_int_equal(store_flush(w->store), 0);
	assert_int_equal(store_each(w->store, "binding", count_row, &count, &err), 0);
	return count;
}

static void what_expired_meanwhile_is_forgotten(void **state)
{
	struct world *w = *state;
	struct location_draft d = draft("a");

	d.expires_ms = wheel_now_ms() + 20;
	add(w, ALICE, &d);
	world_close(w);
	usleep(30000);
	world_open(w);
	assert_int_equal(location_count(w->location), 0);
	assert_int_equal(rows(w), 0);
}

static void the_store_follows_each_change(void **state)
{
	struct world *w = *state;
	struct location_draft d = over_connection("c", 9, true);

	add(w, ALICE, &d);
	assert_int_equal(rows(w), 1);
	location_closed(w->location, &d.flow);
	assert_int_equal(rows(w), 0);
	add(w, ALICE, &d);
	location_remove(w->location, ALICE, STR_NONE);
	assert_int_equal(rows(w), 0);
}

static void malformed_records_are_forgotten(void **state)
{
	static const char *const records[] = {"",	    "x",
					      "5:alice",    "99999999999:a,",
					      "3:a,",	    "1:a,1:b,1:c,1:d,1:e,1 2 3,",
					      ":,:,:,:,:,,"};
	struct world *w = *state;
	char aor[32];

	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		snprintf(aor, sizeof(aor), "u%zu@example.net", i);
		store_put(w->store, "binding", str_of(aor), str_of(records[i]));
	}
	world_close(w);
	world_open(w);
	assert_int_equal(location_count(w->location), 0);
	assert_int_equal(rows(w), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_is_nowhere),
		TEST(highest_q_goes_first),
		TEST(of_equal_q_the_latest_goes_first),
		TEST(interfaces_stand_together_by_if_q),
		TEST(best_interface_decides_even_with_lower_q),
		TEST(same_instance_wants_an_instance),
		TEST(room_is_respected),
		TEST(users_do_not_mix),
		TEST(bindings_expire),
		TEST(a_change_is_all_or_nothing),
		TEST(bindings_of_a_user_are_bounded),
		TEST(a_closed_connection_takes_what_needs_it),
		TEST(all_are_visited_until_told_to_end),
		TEST(bindings_outlive_a_restart),
		TEST(what_expired_meanwhile_is_forgotten),
		TEST(the_store_follows_each_change),
		TEST(malformed_records_are_forgotten),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
