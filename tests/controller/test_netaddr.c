// SPDX-License-Identifier: BSD-2-Clause
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "base/netaddr.h"

#include "base.h"

static struct netaddr host(const char *text)
{
	struct netaddr out;

	assert_int_equal(netaddr_parse_host(&out, str_of(text), 5060), 0);
	return out;
}

static void text_goes_there_and_back(void **state)
{
	static const char *const texts[][2] = {
		{"192.0.2.1:5060", "192.0.2.1:5060"},
		{"[2001:DB8::1]:5061", "[2001:db8::1]:5061"},
		{"[::ffff:192.0.2.1]:1", "192.0.2.1:1"},
		{"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
		 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
		{"[2001:db8:::192.0.2.1]:5", "[2001:db8::c000:201]:5"}, /* RFC 5118 4.10 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct netaddr addr;
		char text[NETADDR_STRLEN];

		assert_int_equal(netaddr_parse(&addr, str_of(texts[i][0])), 0);
		assert_string_equal(netaddr_format(&addr, text), texts[i][1]);
	}
}

static void what_is_no_address(void **state)
{
	static const char *const bad[] = {
		"",
		":5060",
		"192.0.2.1",
		"192.0.2.1:",
		"192.0.2.1:65536",
		"192.0.2.1:x",
		"2001:db8::1",
		"[2001:db8::1]",
		"[]:1",
		"[x]:1",
		"1.2.3:5",
		"1.2.3.4.5:6",
		"[::1]5",
		"host:5",
		"[:::1]:5",
		"[1:::2]:5",
		"192.0.2.1:-1",
		"[::1%lo]:5",
	};
	struct netaddr addr;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(netaddr_parse(&addr, str_of(bad[i])), -EINVAL);
	assert_int_equal(netaddr_parse_host(&addr, (struct str){"1.2.3.4\0", 8}, 0), -EINVAL);
	assert_int_equal(netaddr_parse_host(&addr, STR("[1.2.3.4"), 0), -EINVAL);
}

static void hosts_are_written_as_wanted(void **state)
{
	struct netaddr six = host("[2001:db8::1]"), four = host("192.0.2.1");
	char text[NETADDR_STRLEN];

	(void)state;
	assert_string_equal(netaddr_format_host(&six, text), "2001:db8::1");
	assert_string_equal(netaddr_format_uri(&six, text), "[2001:db8::1]");
	assert_string_equal(netaddr_format_uri(&four, text), "192.0.2.1");
	assert_true(netaddr_is_ipv4(&four));
	assert_false(netaddr_is_ipv4(&six));
}

static void any_is_any(void **state)
{
	struct netaddr addr = host("0.0.0.0");

	(void)state;
	assert_true(netaddr_is_any(&addr));
	addr = host("::");
	assert_true(netaddr_is_any(&addr));
	addr = host("0.0.0.1");
	assert_false(netaddr_is_any(&addr));
	addr = host("::1");
	assert_false(netaddr_is_any(&addr));
}

static void in(const char *address, const char *prefix, unsigned bits, bool wanted)
{
	struct netaddr a = host(address), b = host(prefix);

	assert_int_equal(netaddr_in_prefix(&a, &b, bits), wanted);
}

static void prefixes_end_at_any_bit(void **state)
{
	(void)state;
	in("192.0.2.1", "192.0.2.0", 24, true);
	in("192.0.3.1", "192.0.2.0", 24, false);
	in("192.0.3.1", "192.0.2.0", 23, true);
	in("192.0.2.1", "192.0.2.1", 32, true);
	in("192.0.2.1", "192.0.2.0", 32, false);
	in("192.0.2.1", "10.0.0.0", 0, true);
	in("2001:db8::1", "2001:db8::", 128, false);
	in("2001:db8::1", "2001:db8::", 127, true);
	in("2001:db8::1", "::", 0, true);
	in("2001:db8::1", "0.0.0.0", 0, false); /* families do not mix */
	in("192.0.2.1", "::", 0, false);
	in("192.0.2.1", "192.0.2.1", 200, true);
}

static void socket_addresses_go_there_and_back(void **state)
{
	static const char *const texts[] = {"192.0.2.1:5060", "[2001:db8::1]:5061"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_storage storage;
		struct netaddr addr, back;
		socklen_t length;

		assert_int_equal(netaddr_parse(&addr, str_of(texts[i])), 0);
		length = netaddr_to_sockaddr(&addr, &storage);
		assert_int_equal(storage.ss_family, i ? AF_INET6 : AF_INET);
		assert_int_equal(length,
				 i ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
		netaddr_from_sockaddr(&back, (struct sockaddr *)&storage);
		assert_true(netaddr_eq(&addr, &back));
	}
}

static void the_kernel_knows_our_address(void **state)
{
	struct netaddr remote = host("127.0.0.5"), source;
	unsigned mtu = 0;

	(void)state;
	assert_int_equal(netaddr_source_for(&source, &mtu, &remote), 0);
	assert_true(mtu >= 1280);
	assert_int_equal(source.port, 0);
	assert_int_equal(source.addr[12], 127);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_goes_there_and_back),
		cmocka_unit_test(what_is_no_address),
		cmocka_unit_test(hosts_are_written_as_wanted),
		cmocka_unit_test(any_is_any),
		cmocka_unit_test(prefixes_end_at_any_bit),
		cmocka_unit_test(socket_addresses_go_there_and_back),
		cmocka_unit_test(the_kernel_knows_our_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
