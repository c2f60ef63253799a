// SPDX-License-Identifier: BSD-2-Clause
/* URIs and name-addrs: parts, what is refused, when two are one (RFC 3261 19.1.4). */
#include <errno.h>

#include "wire.h"

static struct sip_uri uri(const char *text)
{
	struct sip_uri out;

	if (sip_uri_parse(&out, str_of(text)))
		print_error("%s\n", text);
	assert_int_equal(sip_uri_parse(&out, str_of(text)), 0);
	return out;
}

static void parts_of_a_uri(void **state)
{
	struct str value;
	struct sip_uri u = uri("sips:alice:secret@[2001:db8::1]:5071;lr;ttl=3?Subject=a%20b&x=");

	(void)state;
	assert_str(u.scheme, "sips");
	assert_str(u.user, "alice:secret");
	assert_str(u.host, "[2001:db8::1]");
	assert_int_equal(u.port, 5071);
	assert_str(u.params, ";lr;ttl=3");
	assert_str(u.headers, "Subject=a%20b&x=");
	u = uri("SIP:example.net");
	assert_int_equal(u.user.n, 0);
	assert_int_equal(u.port, 0);
	assert_int_equal(u.params.n, 0);
	u = uri("tel:+1-555;phone-context=x");
	assert_str(u.user, "+1-555");
	assert_str(u.params, ";phone-context=x");
	assert_int_equal(u.host.n, 0);
	u = uri("sip:+15551234;npdi@gw.example.net;user=phone");
	assert_str(u.user, "+15551234;npdi");
	assert_str(u.params, ";user=phone");
	u = uri("sip:a@b;line=QUI9PQ==;ob");
	assert_str(u.params, ";line=QUI9PQ==;ob");
	assert_true(sip_param(u.params, "line", &value));
	assert_str(value, "QUI9PQ==");
	u = uri("sip:#31#0123@x");
	assert_str(u.user, "#31#0123");
}

static void what_is_no_uri(void **state)
{
	static const char bad[][24] = {
		"",
		"sip",
		"sip:",
		":x",
		"1sip:a@b",
		"sip:@b",
		"sip:a@",
		"sip:a@b:",
		"sip:a@b:x",
		"sip:a@b:65536",
		"sip:a b@c",
		"sip:a@b c",
		"sip:a@b;",
		"sip:a@b;=x",
		"sip:a@b;p=",
		"sip:a@b?",
		"sip:a%4@b",
		"sip:a%zz@b",
		"sip:a@b;p=%4",
		"sip:a@[::1",
		"sip:a@[1.2.3.4]",
		"sip:a@[x]",
		"sip:2001:db8::1",
		"sip:a@@b",
		"sip:<a@b>",
		"sip:a@b\"",
		"tel:",
		"http://x y",
		"sip:a@b: 5060",
		"sip::pw@b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sip_uri out;

		if (!sip_uri_parse(&out, str_of(bad[i])))
			print_error("'%.*s' is let in\n", STR_ARG(str_of(bad[i])));
		assert_int_equal(sip_uri_parse(&out, str_of(bad[i])), -EINVAL);
	}
}

static void same(const char *a, const char *b, bool wanted)
{
	struct sip_uri x = uri(a), y = uri(b);

	if (sip_uri_eq(&x, &y) != wanted || sip_uri_eq(&y, &x) != wanted)
		print_error("%s %s: not %d\n", a, b, wanted);
	assert_int_equal(sip_uri_eq(&x, &y), wanted);
	assert_int_equal(sip_uri_eq(&y, &x), wanted);
}

/* The examples of the RFC's section are among these. */
static void when_two_uris_are_one(void **state)
{
	(void)state;
	same("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true);
	same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true);
	same("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true);
	same("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
	     "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true);
	same("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
	     "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true);
	same("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false);
	same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false);
	same("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false);
	same("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false);
	same("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false);
	same("sip:a@x;p=1", "sip:a@x;p=2", false);
	same("sip:a@x;user=phone", "sip:a@x", false);
	same("sip:a@x;maddr=1.2.3.4", "sip:a@x", false);
	same("sip:a@x", "sips:a@x", false);
	same("sip:a@x?h=1&h=2", "sip:a@x?h=1", false);
	same("sip:a%40b@x", "sip:a%40b@x", true);
	same("sip:a%2Fb@x", "sip:a%2fb@x", true);
	same("sip:a:p@x", "sip:a:q@x", false);
	same("sip:a@x;%70=1", "sip:a@x;p=2", false);
}

static void parts_of_a_nameaddr(void **state)
{
	struct sip_nameaddr n;

	(void)state;
	assert_int_equal(sip_nameaddr_parse(&n, STR(" \"A \\\"x\\\" <y>\" <sip:a@b;u=1> ; tag=t ")),
			 0);
	assert_str(n.display, "\"A \\\"x\\\" <y>\"");
	assert_str(n.uri, "sip:a@b;u=1");
	assert_str(n.params, "; tag=t");
	assert_str(n.whole, "\"A \\\"x\\\" <y>\" <sip:a@b;u=1> ; tag=t");
	assert_int_equal(sip_nameaddr_parse(&n, STR("Al ice<sip:a@b>")), 0);
	assert_str(n.display, "Al ice");
	assert_int_equal(n.params.n, 0);
	assert_int_equal(sip_nameaddr_parse(&n, STR("sip:a@b;tag=t")), 0);
	assert_str(n.uri, "sip:a@b");
	assert_str(n.params, ";tag=t");
	assert_int_equal(n.display.n, 0);
	assert_int_equal(sip_nameaddr_parse(&n, STR("<isbn:123>;q=0.5")), 0);
}

static void what_is_no_nameaddr(void **state)
{
	static const char bad[][24] = {
		"",
		"*",
		"<sip:a@b",
		"sip:a@b>",
		"\"x <sip:a@b>",
		"< sip:a@b>",
		"<sip:a@b >",
		"a, b <sip:a@b>",
		"<sip:a@b>;",
		"<sip:a@b>;=1",
		"<sip:a@b>;t=",
		"<sip:a@b> x",
		"<sip:a@b>,<sip:c@d>",
		"sip:a@b?h=1",
		"<sip:a@b>;t=\"x",
		"x",
		"\"x\"",
		"<>",
	};
	struct sip_nameaddr out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!sip_nameaddr_parse(&out, str_of(bad[i])))
			print_error("'%.*s' is let in\n", STR_ARG(str_of(bad[i])));
		assert_int_equal(sip_nameaddr_parse(&out, str_of(bad[i])), -EINVAL);
	}
}

static void parameters_are_found(void **state)
{
	const struct str params = STR("; lr ;TAG = x;q=\"a;b\";empty=;last");
	struct str value;

	(void)state;
	assert_true(sip_param(params, "lr", &value));
	assert_int_equal(value.n, 0);
	assert_true(sip_param(params, "tag", &value));
	assert_str(value, "x");
	assert_true(sip_param(params, "q", &value));
	assert_str(value, "\"a;b\"");
	assert_true(sip_param(params, "last", &value));
	assert_false(sip_param(params, "b", &value));
	assert_false(sip_param(params, "la", &value));
	assert_false(sip_param(STR_NONE, "lr", &value));
	assert_false(sip_param(STR("lr"), "lr", &value));
}

static void unquoted(const char *quoted, const char *wanted)
{
	struct buf out = BUF_EMPTY;

	sip_unquote(&out, str_of(quoted));
	assert_str(buf_str(&out), wanted);
	buf_free(&out);
}

static void unescaped(const char *escaped, const char *wanted)
{
	struct buf out = BUF_EMPTY;

	sip_unescape(&out, str_of(escaped));
	assert_str(buf_str(&out), wanted);
	buf_free(&out);
}

static void quotes_and_escapes_are_taken_off_once(void **state)
{
	(void)state;
	unquoted("\"a \\\"b\\\" \\\\c\"", "a \"b\" \\c");
	unquoted("\"\"", "");
	unquoted("\"a\\\"", "a"); /* a backslash before nothing */
	unquoted("plain", "plain");
	unquoted("\"", "\"");
	unescaped("a%40b%4a", "a@bJ");
	unescaped("%2540", "%40"); /* VO-9: once, not twice */
	unescaped("%4", "%4");
	unescaped("%zz%", "%zz%");
}

static void numbers_begin(void **state)
{
	(void)state;
	assert_true(sip_number_starts(STR("+88216"), STR("+882")));
	assert_true(sip_number_starts(STR("+882"), STR("+882")));
	assert_true(sip_number_starts(STR("%2b8%38-(2).16"), STR("+882")));
	assert_true(sip_number_starts(STR("--+-882"), STR("+882")));
	assert_true(sip_number_starts(STR("anything"), STR("")));
	assert_false(sip_number_starts(STR("+88"), STR("+882")));
	assert_false(sip_number_starts(STR("+88-"), STR("+882")));
	assert_false(sip_number_starts(STR("882"), STR("+882")));
	assert_false(sip_number_starts(STR("%252b882"), STR("+882")));
	assert_false(sip_number_starts(STR(""), STR("0")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_a_uri),
		cmocka_unit_test(what_is_no_uri),
		cmocka_unit_test(when_two_uris_are_one),
		cmocka_unit_test(parts_of_a_nameaddr),
		cmocka_unit_test(what_is_no_nameaddr),
		cmocka_unit_test(parameters_are_found),
		cmocka_unit_test(quotes_and_escapes_are_taken_off_once),
		cmocka_unit_test(numbers_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
