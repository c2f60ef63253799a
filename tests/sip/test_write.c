// SPDX-License-Identifier: BSD-2-Clause
/* Responses copy what they must (RFC 3261 8.2.6, 18.2.1, RFC 3581), and come back as they went. */
#include "wire.h"

#define HEAD "INVITE sip:bob@example.net SIP/2.0\n"
#define REST                                                                                       \
	"From: \"A\" <sip:alice@example.net>;tag=f\nTo: <sip:bob@example.net>\nCall-ID: c@h\n"     \
	"CSeq: 7 INVITE\nTimestamp: 5\nRecord-Route: <sip:p2;lr>\nRecord-Route: <sip:p1;lr>\n\n"

static void answers(const char *request, int status, const char *tag, bool routes,
		    const char *wanted)
{
	struct sip_message *m = wire_message(request);
	struct buf out = BUF_EMPTY;
	size_t len;
	char *bytes = wire_text(wanted, &len);

	sip_write_response(&out, m, status, NULL, str_of(tag), routes);
	assert_int_equal(buf_error(&out), 0);
	if (!str_eq(buf_str(&out), (struct str){bytes, len}))
		print_error("%s\n", out.data);
	assert_true(str_eq(buf_str(&out), (struct str){bytes, len}));
	free(bytes);
	buf_free(&out);
	sip_message_unref(m);
}

#define SAME_HEADERS                                                                               \
	"From: \"A\" <sip:alice@example.net>;tag=f\nTo: <sip:bob@example.net>;tag=t\nCall-ID: "    \
	"c@h\nCSeq: 7 INVITE\n"

static void the_source_is_told(void **state)
{
	(void)state;
	/* A name is never the address: received. */
	answers(HEAD "Via: SIP/2.0/UDP pc.example.net;branch=z9hG4bKa\n" REST, 200, "t", false,
		"SIP/2.0 200 OK\nVia: SIP/2.0/UDP "
		"pc.example.net;branch=z9hG4bKa;received=192.0.2.9\n" SAME_HEADERS);
	/* The very address: nothing to add. */
	answers(HEAD "Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa\n" REST, 200, "t", false,
		"SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa\n" SAME_HEADERS);
	/* rport asks for both, whatever the host. */
	answers(HEAD "Via: SIP/2.0/UDP 192.0.2.9 : 5070 ; rport ;branch=z9hG4bKa\n" REST, 200, "t",
		false,
		"SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.9 : "
		"5070;branch=z9hG4bKa;received=192.0.2.9;rport=5070\n" SAME_HEADERS);
	/* Nobody else says where it came from. */
	answers(HEAD "Via: SIP/2.0/UDP a;received=198.51.100.1;rport=1;branch=b;x=\"a;b\"\n" REST,
		200, "t", false,
		"SIP/2.0 200 OK\nVia: SIP/2.0/UDP "
		"a;branch=b;x=\"a;b\";received=192.0.2.9;rport=5070\n" SAME_HEADERS);
}

static void all_vias_go_back_in_order(void **state)
{
	(void)state;
	answers(HEAD
		"v: SIP/2.0/UDP 192.0.2.9, SIP/2.0/TCP [::1]:5;rport\nVia: SIP/2.0/TLS c\n" REST,
		486, "t", false,
		"SIP/2.0 486 Busy Here\nVia: SIP/2.0/UDP 192.0.2.9, SIP/2.0/TCP [::1]:5;rport\n"
		"Via: SIP/2.0/TLS c\n" SAME_HEADERS);
}

static void routes_go_back_where_they_make_a_dialog(void **state)
{
	(void)state;
	answers(HEAD "Via: SIP/2.0/UDP 192.0.2.9\n" REST, 183, "t", true,
		"SIP/2.0 183 Session Progress\nVia: SIP/2.0/UDP 192.0.2.9\nRecord-Route: "
		"<sip:p2;lr>\n"
		"Record-Route: <sip:p1;lr>\n" SAME_HEADERS);
	answers(HEAD "Via: SIP/2.0/UDP 192.0.2.9\n" REST, 404, "t", true,
		"SIP/2.0 404 Not Found\nVia: SIP/2.0/UDP 192.0.2.9\n" SAME_HEADERS);
}

static void trying_has_the_timestamp_and_no_tag(void **state)
{
	(void)state;
	answers(HEAD "Via: SIP/2.0/UDP 192.0.2.9\n" REST, 100, "", true,
		"SIP/2.0 100 Trying\nVia: SIP/2.0/UDP 192.0.2.9\nFrom: \"A\" "
		"<sip:alice@example.net>;tag=f\nTo: <sip:bob@example.net>\nCall-ID: c@h\nCSeq: 7 "
		"INVITE\nTimestamp: 5\n");
}

static void a_tag_that_is_there_stays(void **state)
{
	(void)state;
	answers("BYE sip:b@x SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9\nf: sip:a@b;tag=f\nt: "
		"sip:b@x;tag=mine\ni: 1\nCSeq: 8 BYE\n\n",
		481, "other", false,
		"SIP/2.0 481 Call/Transaction Does Not Exist\nVia: SIP/2.0/UDP 192.0.2.9\nFrom: "
		"sip:a@b;tag=f\nTo: sip:b@x;tag=mine\nCall-ID: 1\nCSeq: 8 BYE\n");
}

static void requests_and_bodies_come_back(void **state)
{
	struct buf out = BUF_EMPTY;
	struct sip_flow flow = wire_flow();
	struct sip_message *m;
	struct sip_verdict verdict;

	(void)state;
	sip_write_request_line(&out, STR("MESSAGE"), STR("sip:b@x"));
	sip_write_header(&out, "Via", STR("SIP/2.0/UDP h;branch=z9hG4bK1"));
	sip_write_header(&out, "From", STR("<sip:a@x>;tag=1"));
	sip_write_header(&out, "To", STR("<sip:b@x>"));
	sip_write_header(&out, "Call-ID", STR("1"));
	sip_write_header(&out, "CSeq", STR("1 MESSAGE"));
	sip_write_header_u64(&out, "Expires", 4294967295u);
	sip_write_body(&out, STR("text/plain"), STR("hello"));
	assert_int_equal(sip_message_parse(&m, &flow, buf_str(&out), &verdict), 0);
	assert_str(m->body, "hello");
	assert_str(m->content_type, "text/plain");
	assert_str(sip_header(m, "Expires", 0), "4294967295");
	sip_message_unref(m);
	buf_reset(&out);
	sip_write_body(&out, STR("text/plain"), STR_NONE);
	assert_str(buf_str(&out), "Content-Length: 0\r\n\r\n");
	buf_free(&out);
}

static void every_status_has_a_reason(void **state)
{
	(void)state;
	assert_string_equal(sip_reason(200), "OK");
	assert_string_equal(sip_reason(491), "Request Pending");
	assert_string_equal(sip_reason(299), "Success");
	for (int status = -1; status < 800; status++)
		assert_true(sip_reason(status)[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_source_is_told),
		cmocka_unit_test(all_vias_go_back_in_order),
		cmocka_unit_test(routes_go_back_where_they_make_a_dialog),
		cmocka_unit_test(trying_has_the_timestamp_and_no_tag),
		cmocka_unit_test(a_tag_that_is_there_stays),
		cmocka_unit_test(requests_and_bodies_come_back),
		cmocka_unit_test(every_status_has_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
