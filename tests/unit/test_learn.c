/* SPDX-License-Identifier: BSD-2-Clause */
/* Which new sources are believed (DESIGN, section 3, "Learning a source"). */
#include <arpa/inet.h>

#include "../../relay/learn.h"
#include "unit.h"

#define WINDOW_END 1000u

static void set_addr(__be32 out[4], uint16_t *port, const char *text)
{
	struct sg_endpoint endpoint = unit_endpoint(text);

	memcpy(out, endpoint.addr, sizeof(endpoint.addr));
	*port = htons(endpoint.port);
}

/* A learning path whose window ends at WINDOW_END. */
static struct sg_path path_to(const char *remote, uint8_t bits)
{
	struct sg_path path = {
		.flags = SG_PATH_LEARN,
		.state = SG_PATH_LIVE,
		.learn_bits = bits,
		.until_ns = WINDOW_END,
	};

	set_addr(path.remote, &path.remote_port[SG_RTP], remote);
	if (!sg_address_is_ipv4((const uint8_t *)path.remote))
		path.flags |= SG_PATH_IPV6;
	return path;
}

/* A source that continues SSRC 7 at 100 with sequence 101. */
static struct sg_event event_from(const char *source, uint64_t time_ns)
{
	struct sg_event event = {
		.type = SG_EVENT_NEW_SOURCE,
		.time_ns = time_ns,
		.ssrc = 7,
		.old_ssrc = 7,
		.sequence = 101,
		.old_sequence = 100,
	};

	set_addr(event.addr, &event.port, source);
	return event;
}

static enum sg_learn in_window(const char *remote, uint8_t bits, const char *source)
{
	struct sg_path path = path_to(remote, bits);
	struct sg_event event = event_from(source, WINDOW_END - 1);

	/* Inside the window nothing need continue. */
	event.old_ssrc = 0;
	event.old_sequence = 0;
	return sg_learn_decide(&path, false, &event);
}

static enum sg_learn after_window(bool heard, uint32_t ssrc, uint16_t old_sequence,
				  uint16_t sequence)
{
	struct sg_path path = path_to("192.0.2.1:4000", 32);
	struct sg_event event = event_from("203.0.113.9:999", WINDOW_END);

	event.ssrc = ssrc;
	event.old_sequence = old_sequence;
	event.sequence = sequence;
	return sg_learn_decide(&path, heard, &event);
}

static void a_path_that_does_not_learn_never_does(void **state)
{
	struct sg_path path = path_to("192.0.2.1:4000", 0);
	struct sg_event event = event_from("192.0.2.1:4002", 0);

	(void)state;
	path.flags = 0;
	assert_int_equal(sg_learn_decide(&path, true, &event), SG_LEARN_OFF);
}

static void the_window_accepts_the_signalled_prefix(void **state)
{
	(void)state;
	assert_int_equal(in_window("192.0.2.1:4000", 24, "192.0.2.77:5"), SG_LEARN_ACCEPT);
	assert_int_equal(in_window("192.0.2.1:4000", 24, "192.0.3.1:4000"), SG_LEARN_PREFIX);
	assert_int_equal(in_window("192.0.2.1:4000", 32, "192.0.2.1:4002"), SG_LEARN_ACCEPT);
	assert_int_equal(in_window("192.0.2.1:4000", 32, "192.0.2.0:4000"), SG_LEARN_PREFIX);
	assert_int_equal(in_window("192.0.2.1:4000", 31, "192.0.2.0:4000"), SG_LEARN_ACCEPT);
	assert_int_equal(in_window("192.0.2.1:4000", 23, "192.0.3.9:1"), SG_LEARN_ACCEPT);
	assert_int_equal(in_window("192.0.2.1:4000", 1, "64.0.0.1:1"), SG_LEARN_PREFIX);
	assert_int_equal(in_window("192.0.2.1:4000", 0, "64.0.0.1:1"), SG_LEARN_ACCEPT);
}

static void ipv6_prefixes_count_from_the_first_bit(void **state)
{
	(void)state;
	assert_int_equal(in_window("[2001:db8::1]:4000", 64, "[2001:db8::ffff:1]:1"),
			 SG_LEARN_ACCEPT);
	assert_int_equal(in_window("[2001:db8::1]:4000", 64, "[2001:db8:0:1::1]:1"),
			 SG_LEARN_PREFIX);
	assert_int_equal(in_window("[2001:db8::1]:4000", 63, "[2001:db8:0:1::1]:1"),
			 SG_LEARN_ACCEPT);
	assert_int_equal(in_window("[2001:db8::1]:4000", 128, "[2001:db8::2]:4000"),
			 SG_LEARN_PREFIX);
	assert_int_equal(in_window("[2001:db8::1]:4000", 128, "[2001:db8::1]:9"), SG_LEARN_ACCEPT);
}

static void families_do_not_mix(void **state)
{
	(void)state;
	assert_int_equal(in_window("192.0.2.1:4000", 0, "[2001:db8::1]:1"), SG_LEARN_FAMILY);
	assert_int_equal(in_window("[2001:db8::1]:4000", 0, "192.0.2.1:1"), SG_LEARN_FAMILY);
}

static void nobody_lives_at_such_addresses(void **state)
{
	static const char *const v4[] = {"0.0.0.1:1", "127.0.0.1:1", "224.0.0.1:1", "239.1.1.1:1",
					 "255.255.255.255:1"};
	static const char *const v6[] = {"[::1]:1", "[ff02::1]:1"};
	struct sg_path path = path_to("192.0.2.1:4000", 0);
	struct sg_event event = event_from("192.0.2.2:4000", 0);

	(void)state;
	for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++)
		assert_int_equal(in_window("192.0.2.1:4000", 0, v4[i]), SG_LEARN_ADDRESS);
	for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++)
		assert_int_equal(in_window("[2001:db8::1]:4000", 0, v6[i]), SG_LEARN_ADDRESS);
	event.port = 0;
	assert_int_equal(sg_learn_decide(&path, false, &event), SG_LEARN_ADDRESS);
}

static void the_window_ends_at_its_time(void **state)
{
	struct sg_path path = path_to("192.0.2.1:4000", 24);
	struct sg_event event = event_from("192.0.2.2:4000", WINDOW_END - 1);

	(void)state;
	assert_int_equal(sg_learn_decide(&path, false, &event), SG_LEARN_ACCEPT);
	event.time_ns = WINDOW_END;
	assert_int_equal(sg_learn_decide(&path, false, &event), SG_LEARN_SILENT);
}

static void later_only_a_continuing_source_is_believed(void **state)
{
	(void)state;
	assert_int_equal(after_window(true, 7, 100, 101), SG_LEARN_ACCEPT);
	assert_int_equal(after_window(true, 7, 100, 3099), SG_LEARN_ACCEPT);
	assert_int_equal(after_window(true, 7, 100, 3100), SG_LEARN_SEQUENCE);
	assert_int_equal(after_window(true, 7, 100, 100), SG_LEARN_SEQUENCE);
	assert_int_equal(after_window(true, 7, 100, 99), SG_LEARN_SEQUENCE);
	assert_int_equal(after_window(true, 8, 100, 101), SG_LEARN_SSRC);
	assert_int_equal(after_window(false, 7, 100, 101), SG_LEARN_SILENT);
}

static void sequences_continue_through_their_wrap(void **state)
{
	(void)state;
	assert_int_equal(after_window(true, 7, 65535, 0), SG_LEARN_ACCEPT);
	assert_int_equal(after_window(true, 7, 65000, 2463), SG_LEARN_ACCEPT);
	assert_int_equal(after_window(true, 7, 65000, 2464), SG_LEARN_SEQUENCE);
	assert_int_equal(after_window(true, 7, 0, 65535), SG_LEARN_SEQUENCE);
}

static void every_refusal_has_a_text(void **state)
{
	(void)state;
	assert_null(sg_learn_text(SG_LEARN_ACCEPT));
	for (int verdict = SG_LEARN_OFF; verdict <= SG_LEARN_SEQUENCE; verdict++)
		assert_non_null(sg_learn_text((enum sg_learn)verdict));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_that_does_not_learn_never_does),
		cmocka_unit_test(the_window_accepts_the_signalled_prefix),
		cmocka_unit_test(ipv6_prefixes_count_from_the_first_bit),
		cmocka_unit_test(families_do_not_mix),
		cmocka_unit_test(nobody_lives_at_such_addresses),
		cmocka_unit_test(the_window_ends_at_its_time),
		cmocka_unit_test(later_only_a_continuing_source_is_believed),
		cmocka_unit_test(sequences_continue_through_their_wrap),
		cmocka_unit_test(every_refusal_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
