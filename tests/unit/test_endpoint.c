/* SPDX-License-Identifier: BSD-2-Clause */
/* Endpoints as text: what is understood, what is refused and why, and how they are written. */
#include <errno.h>

#include "unit.h"

static const uint8_t v4_192_0_2_1[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
static const uint8_t v6_db8_1[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

static void reads_ipv4(void **state)
{
	struct sg_endpoint endpoint = unit_endpoint("192.0.2.1:5004");

	(void)state;
	assert_memory_equal(endpoint.addr, v4_192_0_2_1, 16);
	assert_int_equal(endpoint.port, 5004);
	assert_true(sg_address_is_ipv4(endpoint.addr));
}

static void reads_ipv6(void **state)
{
	struct sg_endpoint endpoint = unit_endpoint("[2001:db8::1]:65535");

	(void)state;
	assert_memory_equal(endpoint.addr, v6_db8_1, 16);
	assert_int_equal(endpoint.port, 65535);
	assert_false(sg_address_is_ipv4(endpoint.addr));
}

/* Text, and a word that the reason must name. */
static const struct {
	const char *text, *word;
} bad[] = {
	{"", "IPv4"},
	{":", "IPv4"},
	{":5004", "IPv4"},
	{"192.0.2.1", "no port"},
	{"192.0.2.1:", "is not a port"},
	{"192.0.2.1:0", "is not a port"},
	{"192.0.2.1:00080", "is not a port"},
	{"192.0.2.1:05004", "is not a port"},
	{"192.0.2.1:65536", "is not a port"},
	{"192.0.2.1:99999", "is not a port"},
	{"192.0.2.1:4294972300", "is not a port"},
	{"192.0.2.1:-1", "is not a port"},
	{"192.0.2.1:+5", "is not a port"},
	{"192.0.2.1: 5", "is not a port"},
	{"192.0.2.1:5004 ", "is not a port"},
	{"192.0.2.1:5004x", "is not a port"},
	{"192.0.2.1:0x50", "is not a port"},
	{"192.0.2.1:rtp", "is not a port"},
	{" 192.0.2.1:5004", "is not an IPv4 address"},
	{"192.0.2:5004", "is not an IPv4 address"},
	{"192.0.2.1.5:5004", "is not an IPv4 address"},
	{"192.0.2.256:5004", "is not an IPv4 address"},
	{"192.0.2.01:5004", "is not an IPv4 address"},
	{"192.0.2.-1:5004", "is not an IPv4 address"},
	{"0xc0000201:5004", "is not an IPv4 address"},
	{"3221225985:5004", "is not an IPv4 address"},
	{"localhost:5004", "is not an IPv4 address"},
	{"a-host-name.example.net:5004", "not an IPv4 address"},
	{"2001:db8::1:5004", "[2001:db8::1]:5004"},
	{"::1", "[2001:db8::1]:5004"},
	{"[2001:db8::1]", "no port"},
	{"[2001:db8::1]5004", "no port"},
	{"[2001:db8::1]:", "is not a port"},
	{"[2001:db8::1]:0", "is not a port"},
	{"[2001:db8::1:5004", "no ']'"},
	{"[", "no ']'"},
	{"[]:5004", "is not an IPv6 address"},
	{"[192.0.2.1]:5004", "is not an IPv6 address"},
	{"[2001:db8:::1]:5004", "is not an IPv6 address"},
	{"[2001:db8::12345]:5004", "is not an IPv6 address"},
	{"[2001:db8::1 ]:5004", "is not an IPv6 address"},
	{"[[2001:db8::1]]:5004", "is not an IPv6 address"},
	{"[fe80::1%eth0]:5004", "zone"},
	{"[::ffff:192.0.2.1]:5004", "192.0.2.1:5004"},
	{"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:5004", "too long"},
};

static void refuses_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sg_endpoint endpoint = {.port = 7};
		struct sg_error err = {""};

		if (sg_endpoint_parse(&endpoint, bad[i].text, &err) != -EINVAL)
			fail_msg("'%s' was taken", bad[i].text);
		if (!strstr(err.text, bad[i].word))
			fail_msg("'%s': '%s' does not say '%s'", bad[i].text, err.text,
				 bad[i].word);
		if (!strstr(err.text, bad[i].text))
			fail_msg("'%s' does not name '%s'", err.text, bad[i].text);
		assert_int_equal(endpoint.port, 7); /* a call that fails has changed nothing */
	}
}

static void refuses_long_input(void **state)
{
	struct sg_endpoint endpoint;
	struct sg_error err;
	char text[4096];

	(void)state;
	for (const char *start = "1:["; *start; start++) {
		memset(text, *start, sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		assert_int_equal(sg_endpoint_parse(&endpoint, text, &err), -EINVAL);
		assert_true(strlen(err.text) < sizeof(err.text));
	}
}

static void refuses_without_a_place_for_the_reason(void **state)
{
	struct sg_endpoint endpoint;

	(void)state;
	assert_int_equal(sg_endpoint_parse(&endpoint, "nonsense", NULL), -EINVAL);
}

static void writes_what_it_reads(void **state)
{
	static const char *const same[] = {
		"0.0.0.1:1",
		"192.0.2.1:5004",
		"255.255.255.255:65535",
		"[::]:1",
		"[::1]:5004",
		"[2001:db8::1]:5004",
		"[fe80::1]:65535",
		"[2001:db8:1:2:3:4:5:6]:30000",
		"[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
	};
	char text[SG_ENDPOINT_STRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct sg_endpoint endpoint = unit_endpoint(same[i]);

		assert_string_equal(sg_endpoint_format(&endpoint, text), same[i]);
	}
}

static void writes_the_longest(void **state)
{
	struct sg_endpoint endpoint = {.port = 65535};
	char text[SG_ENDPOINT_STRLEN];

	(void)state;
	memset(endpoint.addr, 0xff, sizeof(endpoint.addr));
	assert_string_equal(sg_endpoint_format(&endpoint, text),
			    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void writes_the_shortest_form(void **state)
{
	struct sg_endpoint endpoint = unit_endpoint("[2001:0DB8:0000:0000:0000:0000:0000:0001]:80");
	char text[SG_ENDPOINT_STRLEN];

	(void)state;
	assert_string_equal(sg_endpoint_format(&endpoint, text), "[2001:db8::1]:80");
}

static void writes_addresses_without_brackets(void **state)
{
	char text[SG_ENDPOINT_STRLEN];

	(void)state;
	assert_string_equal(sg_address_format(v4_192_0_2_1, text), "192.0.2.1");
	assert_string_equal(sg_address_format(v6_db8_1, text), "2001:db8::1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ipv4),
		cmocka_unit_test(reads_ipv6),
		cmocka_unit_test(refuses_malformed),
		cmocka_unit_test(refuses_long_input),
		cmocka_unit_test(refuses_without_a_place_for_the_reason),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(writes_the_longest),
		cmocka_unit_test(writes_the_shortest_form),
		cmocka_unit_test(writes_addresses_without_brackets),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
