/* SPDX-License-Identifier: BSD-2-Clause */
/* The grammar of a Contact in REGISTER: q, expires, instances, and the ua_id of PH-1. */
#include "registrar/contact.h"
#include "world.h"

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct buf));
	return 0;
}

static int teardown(void **state)
{
	buf_free(*state);
	free(*state);
	return 0;
}

static struct contact good(void **state, const char *text)
{
	struct contact contact;
	const char *wrong = contact_parse(&contact, str_of(text), *state);

	if (wrong)
		fail_msg("%s: %s", text, wrong);
	return contact;
}

static void bad(void **state, const char *text)
{
	struct contact contact;

	if (!contact_parse(&contact, str_of(text), *state))
		fail_msg("%s: accepted", text);
}

static void is_text(struct str got, const char *wanted)
{
	assert_int_equal(got.n, strlen(wanted));
	assert_memory_equal(got.n ? got.p : "", wanted, got.n);
}

static void plain_contact_has_defaults(void **state)
{
	struct contact c = good(state, "\"A\" <sip:a@192.0.2.1:5070;transport=udp>");

	is_text(c.text, "sip:a@192.0.2.1:5070;transport=udp");
	is_text(c.params, "");
	assert_int_equal(c.q, 1000);
	assert_int_equal(c.if_q, 1000);
	assert_false(c.has_expires);
	assert_int_equal(c.instance.n, 0);
	assert_int_equal(c.number, 0);
}

static void qvalues(void **state)
{
	static const struct {
		const char *text;
		int value;
	} cases[] = {{"0", 0},	   {"1", 1000},	 {"1.", 1000},	  {"0.", 0},	 {"0.5", 500},
		     {"0.05", 50}, {"0.005", 5}, {"1.000", 1000}, {"1.001", -1}, {"0.0001", -1},
		     {"2", -1},	   {"", -1},	 {"-1", -1},	  {".5", -1},	 {"0,5", -1},
		     {"0.5x", -1}, {"10", -1}};
	unsigned value;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool ok = contact_qvalue(str_of(cases[i].text), &value);

		if (ok != (cases[i].value >= 0) || (ok && value != (unsigned)cases[i].value))
			fail_msg("q=%s: %u", cases[i].text, value);
	}
}

static void qvalues_are_written_short(void **state)
{
	struct buf *out = *state;

	contact_write_qvalue(out, 1000);
	buf_add_char(out, ' ');
	contact_write_qvalue(out, 0);
	buf_add_char(out, ' ');
	contact_write_qvalue(out, 750);
	buf_add_char(out, ' ');
	contact_write_qvalue(out, 5);
	assert_string_equal(out->data, "1.0 0.0 0.75 0.005");
}

static void ua_id_and_interface(void **state)
{
	struct contact c = good(state, "<sip:u@main>;ua_id=Tok-1;if_q=0.5;if_no=2;q=0.1;x=y");

	assert_true(c.has_ua_id);
	is_text(c.instance, "Tok-1");
	assert_int_equal(c.if_q, 500);
	assert_int_equal(c.number, 2);
	assert_int_equal(c.q, 100);
	is_text(c.params, ";q=0.1;x=y");
}

static void ua_id_grammar(void **state)
{
	char text[128], id[70];

	memset(id, 'i', sizeof(id));
	snprintf(text, sizeof(text), "<sip:u@h>;ua_id=%.64s", id);
	good(state, text);
	snprintf(text, sizeof(text), "<sip:u@h>;ua_id=%.65s", id);
	bad(state, text);
	bad(state, "<sip:u@h>;ua_id");
	bad(state, "<sip:u@h>;ua_id=\"x\"");
	bad(state, "<sip:u@h>;ua_id=x;if_q=1.5");
	bad(state, "<sip:u@h>;ua_id=x;if_q=high");
	bad(state, "<sip:u@h>;ua_id=x;if_no=0");
	bad(state, "<sip:u@h>;ua_id=x;if_no=100");
	bad(state, "<sip:u@h>;ua_id=x;if_no=a");
}

static void instance_and_reg_id(void **state)
{
	struct contact c = good(state, "<sip:u@h>;+sip.instance=\"<urn:uuid:0-1>\";reg-id=1");

	assert_false(c.has_ua_id);
	is_text(c.instance, "<urn:uuid:0-1>");
	assert_int_equal(c.number, 1);
	is_text(c.params, ";+sip.instance=\"<urn:uuid:0-1>\";reg-id=1");
	assert_int_equal(good(state, "<sip:u@h>;reg-id=1").number, 0); /* RFC 5626 6 */
	bad(state, "<sip:u@h>;+sip.instance=\"<urn:x>\";reg-id=0");
	bad(state, "<sip:u@h>;+sip.instance=\"<urn:x>\";reg-id=x");
	bad(state, "<sip:u@h>;+sip.instance=bare");
}

static void expires_of_all_sorts(void **state)
{
	assert_int_equal(good(state, "<sip:u@h>;expires=0").expires, 0);
	assert_int_equal(good(state, "<sip:u@h>;expires=120").expires, 120);
	assert_int_equal(good(state, "<sip:u@h>;expires=abc").expires, 3600);
	assert_int_equal(good(state, "<sip:u@h>;expires=-1").expires, 3600);
	assert_int_equal(good(state, "<sip:u@h>;expires=99999999999999999999").expires, UINT32_MAX);
	is_text(good(state, "<sip:u@h>;expires=1").params, "");
}

static void semicolons_in_quotes_do_not_count(void **state)
{
	struct contact c = good(state, "<sip:u@h>;a=\"x;expires=3\\\";if_q=9\";expires=5;b");

	is_text(c.params, ";a=\"x;expires=3\\\";if_q=9\";b");
	assert_int_equal(c.expires, 5);
}

static void what_is_no_sip_uri_is_refused(void **state)
{
	bad(state, "<tel:+4930>");
	bad(state, "<mailto:a@b>");
	bad(state, "nonsense");
	bad(state, "<sip:a@b");
}

static void lengths_are_bounded(void **state)
{
	char text[2048];
	size_t len = (size_t)snprintf(text, sizeof(text), "<sip:");

	memset(text + len, 'u', 600);
	snprintf(text + len + 600, 16, "@h>");
	bad(state, text);
	len = (size_t)snprintf(text, sizeof(text), "<sip:u@h>;x=");
	memset(text + len, 'x', 1100);
	text[len + 1100] = '\0';
	bad(state, text);
}

/* Whatever stands there, nothing is read beside it (sanitizers), and what is kept is part of it. */
static void any_bytes_are_survived(void **state)
{
	static const char *const seeds[] = {
		"\"A\" <sip:a@192.0.2.1:5070;transport=udp>;q=0.5;expires=60;x=\"a;b\\\"\"",
		"<sip:u@main>;ua_id=TOK;if_q=1.0;if_no=12",
		"<sip:u@h>;+sip.instance=\"<urn:uuid:0-1>\";reg-id=1;expires=99999999999"};
	uint64_t random = 1;
	unsigned accepted = 0;

	for (unsigned i = 0; i < 60000; i++) {
		size_t length = strlen(seeds[i % 3]);
		char *text = malloc(length); /* exact, so that a byte too far is seen */
		struct contact contact;

		memcpy(text, seeds[i % 3], length);
		for (unsigned edits = 1 + i % 3; edits; edits--) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			text[(random >> 33) % length] = (char)(random >> 24);
		}
		length -= (random >> 40) % 4;
		if (!contact_parse(&contact, (struct str){text, length}, *state)) {
			accepted++;
			assert_true(contact.text.p > text &&
				    contact.text.p + contact.text.n <= text + length);
			assert_in_range(contact.q, 0, 1000);
			assert_in_range(contact.if_q, 0, 1000);
			assert_true(!contact.number || contact.instance.n);
		}
		free(text);
	}
	assert_in_range(accepted, 1000, 59000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plain_contact_has_defaults),
		TEST(qvalues),
		TEST(qvalues_are_written_short),
		TEST(ua_id_and_interface),
		TEST(ua_id_grammar),
		TEST(instance_and_reg_id),
		TEST(expires_of_all_sorts),
		TEST(semicolons_in_quotes_do_not_count),
		TEST(what_is_no_sip_uri_is_refused),
		TEST(lengths_are_bounded),
		TEST(any_bytes_are_survived),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
