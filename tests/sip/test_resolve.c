// SPDX-License-Identifier: BSD-2-Clause
/* RFC 3263 against a small name server. */
#include "stack_rig.h"

#include <event2/event.h>

#include "dns_rig.h"
#include "sip/resolve_dns.h"

static const struct zone_record zone[] = {
	/* NAPTR says: TLS before TCP before UDP. */
	{ZONE_NAPTR, "naptr.test", "_sip._udp.naptr.test", 60, 90, 50, 0, "SIP+D2U"},
	{ZONE_NAPTR, "naptr.test", "_sips._tcp.naptr.test", 60, 50, 50, 0, "SIPS+D2T"},
	{ZONE_NAPTR, "naptr.test", "_sip._tcp.naptr.test", 60, 90, 10, 0, "SIP+D2T"},
	{ZONE_NAPTR, "naptr.test", "_http._tcp.naptr.test", 60, 1, 1, 0, "HTTP+D2T"},
	{ZONE_SRV, "_sip._udp.naptr.test", "one.test", 60, 1, 0, 5070, NULL},
	{ZONE_SRV, "_sip._tcp.naptr.test", "one.test", 60, 1, 0, 5071, NULL},
	{ZONE_SRV, "_sips._tcp.naptr.test", "two.test", 60, 2, 0, 5073, NULL},
	{ZONE_SRV, "_sips._tcp.naptr.test", "one.test", 60, 1, 0, 5072, NULL},
	{ZONE_A, "one.test", "192.0.2.1", 60, 0, 0, 0, NULL},
	{ZONE_A, "two.test", "192.0.2.2", 60, 0, 0, 0, NULL},
	{ZONE_AAAA, "two.test", "2001:db8::2", 60, 0, 0, 0, NULL},
	/* No NAPTR: SRV of the protocols that there are. */
	{ZONE_SRV, "_sip._udp.srv.test", "one.test", 60, 1, 0, 5080, NULL},
	{ZONE_SRV, "_sip._tcp.srv.test", "two.test", 60, 1, 0, 5081, NULL},
	{ZONE_SRV, "_sips._tcp.none.test", ".", 60, 0, 0, 0, NULL},
	/* Addresses only. */
	{ZONE_A, "brief.test", "192.0.2.9", 0, 0, 0, 0, NULL},
};

static struct event_base *base;
static struct wheel *wheel;
static struct log *log_;
static struct dns_rig dns;
static struct sip_resolver *resolver;

/* What the last resolution gave. */
static struct sip_targets got;
static int got_error;
static unsigned answers;

static int set_up(void **state)
{
	(void)state;
	base = event_base_new();
	assert_int_equal(wheel_alloc(&wheel, base), 0);
	assert_int_equal(log_open(&log_, LOG_LEVEL_ERROR), 0);
	dns_rig_bind(&dns, zone, sizeof(zone) / sizeof(zone[0]));
	dns_rig_serve(&dns, base);
	assert_int_equal(sip_resolver_alloc(&resolver, base, wheel, log_, &dns.at, 1), 0);
	answers = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sip_resolver_free(resolver);
	dns_rig_close(&dns);
	log_close(log_);
	wheel_free(wheel);
	event_base_free(base);
	return 0;
}

static void on_resolved(void *context, const struct sip_targets *targets, int error)
{
	assert_ptr_equal(context, &got);
	got = *targets;
	got_error = error;
	answers++;
}

static int begin(const char *text, struct sip_query **query)
{
	struct sip_uri uri;

	assert_int_equal(sip_uri_parse(&uri, str_of(text)), 0);
	return sip_resolve(resolver, &uri, &got, on_resolved, &got, query);
}

/* At once or later. */
static int resolve(const char *text)
{
	struct sip_query *query;
	unsigned before = answers;
	int ret = begin(text, &query);

	assert_int_equal(answers, before);
	if (ret != -EINPROGRESS) {
		assert_null(query);
		return ret;
	}
	while (answers == before)
		event_base_loop(base, EVLOOP_ONCE);
	return got_error;
}

static void expect(size_t index, enum sip_proto proto, const char *address)
{
	char text[NETADDR_STRLEN];

	assert_true(index < got.count);
	assert_int_equal(got.target[index].proto, proto);
	assert_string_equal(netaddr_format(&got.target[index].address, text), address);
}

static void numbers_need_no_dns(void **state)
{
	static const struct {
		const char *uri;
		enum sip_proto proto;
		const char *address;
	} cases[] = {
		{"sip:192.0.2.1", SIP_UDP, "192.0.2.1:5060"},
		{"sip:alice@192.0.2.1:5070", SIP_UDP, "192.0.2.1:5070"},
		{"sip:192.0.2.1;transport=tcp", SIP_TCP, "192.0.2.1:5060"},
		{"sip:192.0.2.1;transport=TLS", SIP_TLS, "192.0.2.1:5061"},
		{"sips:192.0.2.1", SIP_TLS, "192.0.2.1:5061"},
		{"sips:192.0.2.1;transport=tcp", SIP_TLS, "192.0.2.1:5061"},
		{"sip:[2001:db8::1]", SIP_UDP, "[2001:db8::1]:5060"},
		{"sip:[2001:db8::1]:5070;transport=udp", SIP_UDP, "[2001:db8::1]:5070"},
		{"sip:example.net;maddr=192.0.2.7", SIP_UDP, "192.0.2.7:5060"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sip_query *query;

		assert_int_equal(begin(cases[i].uri, &query), 0);
		assert_int_equal(got.count, 1);
		expect(0, cases[i].proto, cases[i].address);
	}
	assert_int_equal(dns.queries, 0);
}

static void what_cannot_be_routed_is_refused(void **state)
{
	static const char *const uris[] = {
		"tel:+4930123456",
		"sip:one.test;transport=ws",
		"sips:192.0.2.1;transport=udp",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		struct sip_uri uri = {.scheme = STR("tel")};
		struct sip_query *query;

		if (i)
			assert_int_equal(sip_uri_parse(&uri, str_of(uris[i])), 0);
		assert_int_equal(sip_resolve(resolver, &uri, &got, on_resolved, &got, &query),
				 -EINVAL);
	}
}

static void naptr_orders_the_protocols(void **state)
{
	(void)state;
	assert_int_equal(resolve("sip:naptr.test"), 0);
	assert_int_equal(got.count, 5);
	expect(0, SIP_TLS, "192.0.2.1:5072");
	expect(1, SIP_TLS, "192.0.2.2:5073");
	expect(2, SIP_TLS, "[2001:db8::2]:5073");
	expect(3, SIP_TCP, "192.0.2.1:5071");
	expect(4, SIP_UDP, "192.0.2.1:5070");
	/* The certificate is the domain's, not the server's (RFC 5922). */
	assert_string_equal(got.name, "naptr.test");
}

static void sips_takes_nothing_but_tls(void **state)
{
	(void)state;
	assert_int_equal(resolve("sips:naptr.test"), 0);
	assert_int_equal(got.count, 3);
	for (size_t i = 0; i < got.count; i++)
		assert_int_equal(got.target[i].proto, SIP_TLS);
	assert_int_equal(resolve("sips:srv.test"), -EHOSTUNREACH);
	assert_int_equal(resolve("sips:one.test"), 0);
	assert_int_equal(got.count, 1);
	expect(0, SIP_TLS, "192.0.2.1:5061");
}

static void without_naptr_srv_is_asked(void **state)
{
	(void)state;
	assert_int_equal(resolve("sip:srv.test"), 0);
	assert_int_equal(got.count, 3);
	expect(0, SIP_UDP, "192.0.2.1:5080");
	expect(1, SIP_TCP, "192.0.2.2:5081");
	expect(2, SIP_TCP, "[2001:db8::2]:5081");
}

static void a_chosen_protocol_needs_no_naptr(void **state)
{
	(void)state;
	assert_int_equal(resolve("sip:naptr.test;transport=tcp"), 0);
	assert_int_equal(got.count, 1);
	expect(0, SIP_TCP, "192.0.2.1:5071");
	assert_int_equal(dns.of[ZONE_NAPTR], 0);
	assert_int_equal(resolve("sip:one.test;transport=tcp"), 0);
	expect(0, SIP_TCP, "192.0.2.1:5060");
}

static void a_port_needs_addresses_only(void **state)
{
	(void)state;
	assert_int_equal(resolve("sip:TWO.test.:5099"), 0);
	assert_int_equal(got.count, 2);
	expect(0, SIP_UDP, "192.0.2.2:5099");
	expect(1, SIP_UDP, "[2001:db8::2]:5099");
	assert_int_equal(dns.of[ZONE_NAPTR] + dns.of[ZONE_SRV], 0);
}

static void without_srv_the_domain_is_the_server(void **state)
{
	(void)state;
	assert_int_equal(resolve("sip:one.test"), 0);
	assert_int_equal(got.count, 1);
	expect(0, SIP_UDP, "192.0.2.1:5060");
	assert_int_equal(resolve("sip:none.test"), -EHOSTUNREACH);
	assert_int_equal(resolve("sip:unknown.test"), -EHOSTUNREACH);
	assert_int_equal(got.count, 0);
}

static void answers_are_remembered(void **state)
{
	struct sip_query *query;
	unsigned asked;

	(void)state;
	assert_int_equal(resolve("sip:naptr.test"), 0);
	asked = dns.queries;
	assert_int_equal(begin("sip:NAPTR.test", &query), 0);
	assert_int_equal(got.count, 5);
	assert_int_equal(begin("sip:unknown.test:5060", &query), -EINPROGRESS);
	sip_query_cancel(query);
	/* A time to live of 0: each time anew. */
	assert_int_equal(resolve("sip:brief.test:5060"), 0);
	asked = dns.of[ZONE_A];
	assert_int_equal(resolve("sip:brief.test:5060"), 0);
	assert_int_equal(dns.of[ZONE_A], asked + 1);
}

static void the_same_question_is_asked_once(void **state)
{
	struct sip_query *query[20];

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(begin("sip:two.test:5060", &query[i]), -EINPROGRESS);
	sip_query_cancel(query[7]);
	while (answers < 19)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(dns.queries, 2);
	assert_int_equal(got.count, 2);
}

static void a_silent_server_is_given_up(void **state)
{
	uint64_t began = wheel_now_ms();

	(void)state;
	dns.silent = true;
	assert_int_equal(resolve("sip:one.test:5060"), -ETIMEDOUT);
	assert_true(wheel_now_ms() - began < 20000);
	assert_true(dns.queries >= 2);
}

static void queries_may_be_left_open(void **state)
{
	struct sip_query *query;

	(void)state;
	assert_int_equal(begin("sip:naptr.test", &query), -EINPROGRESS);
	assert_int_equal(begin("sip:srv.test", &query), -EINPROGRESS);
}

static void odd_names_do_no_harm(void **state)
{
	char text[400];

	(void)state;
	snprintf(text, sizeof(text), "sip:%070d.test:5060", 0); /* a label of 70 */
	assert_true(resolve(text) < 0);
	snprintf(text, sizeof(text), "sip:%0300d.test", 0);
	assert_true(resolve(text) < 0);
	assert_true(resolve("sip:a..b:5060") < 0);
}

static void the_memory_for_answers_is_bounded(void **state)
{
	uint64_t end = wheel_now_ms() + RIG_PATIENCE_MS;
	char text[80];
	int ret;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct sip_query *query;

		snprintf(text, sizeof(text), "sip:n%u.test:5060", i);
		if (begin(text, &query) == -EINPROGRESS && i % 2)
			sip_query_cancel(query);
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	/* While too much is being asked nothing more is; that passes. */
	do {
		ret = resolve("sip:one.test:5060");
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	} while (ret && wheel_now_ms() < end);
	assert_int_equal(ret, 0);
}

/* RFC 2782: by priority; among alike, the first place goes by weight. */
static void srv_records_are_chosen_by_weight(void **state)
{
	uint64_t random = 1;
	unsigned first[4] = {0};

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		struct dns_record record[4] = {{.order = 20, .preference = 100, .port = 3},
					       {.order = 10, .preference = 30, .port = 1},
					       {.order = 10, .preference = 0, .port = 0},
					       {.order = 10, .preference = 70, .port = 2}};

		srv_order(record, 4, &random);
		assert_int_equal(record[3].port, 3);
		first[record[0].port]++;
	}
	assert_in_range(first[1], 2600, 3400);
	assert_in_range(first[2], 6500, 7400);
	assert_in_range(first[0], 1, 300);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_need_no_dns),
		TEST(what_cannot_be_routed_is_refused),
		TEST(naptr_orders_the_protocols),
		TEST(sips_takes_nothing_but_tls),
		TEST(without_naptr_srv_is_asked),
		TEST(a_chosen_protocol_needs_no_naptr),
		TEST(a_port_needs_addresses_only),
		TEST(without_srv_the_domain_is_the_server),
		TEST(answers_are_remembered),
		TEST(the_same_question_is_asked_once),
		TEST(a_silent_server_is_given_up),
		TEST(queries_may_be_left_open),
		TEST(odd_names_do_no_harm),
		TEST(the_memory_for_answers_is_bounded),
		cmocka_unit_test(srv_records_are_chosen_by_weight),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
