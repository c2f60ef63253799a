// SPDX-License-Identifier: BSD-2-Clause
/* What is let in, what is refused and how, and how headers are found. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "wire.h"

#define START "OPTIONS sip:bob@example.net SIP/2.0\n"
#define VIA "Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa\n"
#define REST                                                                                       \
	"From: <sip:alice@example.net>;tag=f\nTo: <sip:bob@example.net>\nCall-ID: c@h\nCSeq: 7 "   \
	"OPTIONS\n"
#define END "\n"

static void refused(const char *text, int status, const char *reason)
{
	struct sip_message *message;
	struct sip_verdict verdict;
	int ret = wire_try(&message, text, &verdict);

	if (ret != (status ? -EBADMSG : -EINVAL) || verdict.status != status)
		print_error("%s\n%d, %d %s\n", text, ret, verdict.status, verdict.reason);
	assert_int_equal(ret, status ? -EBADMSG : -EINVAL);
	assert_int_equal(verdict.status, status);
	if (reason)
		assert_string_equal(verdict.reason, reason);
	sip_message_unref(message);
}

static void accepted(const char *text)
{
	sip_message_unref(wire_message(text));
}

static void the_parts_of_a_good_request(void **state)
{
	struct sip_message *m = wire_message(
		"\n\nINVITE sip:bob@example.net:5062;transport=tcp SIP/2.0\n"
		"Via: SIP/2.0/TCP [2001:db8::1]:5070 ; rport;branch=z9hG4bKa\n"
		"From: Alice <sip:alice@example.net>;tag=f\nTo: sip:bob@example.net;tag=t\n"
		"Call-ID: c@h\nCSeq: 7 INVITE\nMax-Forwards: 12\nContent-Type: text/plain\n"
		"Content-Length: 2\n\nhithere");

	(void)state;
	assert_int_equal(m->status, 0);
	assert_int_equal(m->method, SIP_INVITE);
	assert_str(m->method_name, "INVITE");
	assert_str(m->request_uri, "sip:bob@example.net:5062;transport=tcp");
	assert_str(m->uri.host, "example.net");
	assert_int_equal(m->uri.port, 5062);
	assert_str(m->uri.params, ";transport=tcp");
	assert_int_equal(m->via.proto, SIP_TCP);
	assert_str(m->via.host, "[2001:db8::1]");
	assert_int_equal(m->via.port, 5070);
	assert_str(m->via.branch, "z9hG4bKa");
	assert_true(m->via.rport);
	assert_str(m->from.display, "Alice");
	assert_str(m->from.uri, "sip:alice@example.net");
	assert_str(m->from_tag, "f");
	assert_str(m->to.uri, "sip:bob@example.net");
	assert_str(m->to_tag, "t");
	assert_str(m->call_id, "c@h");
	assert_int_equal(m->cseq, 7);
	assert_int_equal(m->max_forwards, 12);
	assert_str(m->content_type, "text/plain");
	assert_str(m->body, "hi");
	sip_message_unref(m);
}

static void the_parts_of_a_response(void **state)
{
	struct sip_message *m = wire_message("sip/2.0 486 Busy Here now\n" VIA REST END);

	(void)state;
	assert_int_equal(m->status, 486);
	assert_str(m->reason, "Busy Here now");
	assert_int_equal(m->method, SIP_OPTIONS);
	assert_str(m->method_name, "OPTIONS");
	assert_int_equal(m->max_forwards, 70);
	sip_message_unref(m);
}

static void compact_names_become_long(void **state)
{
	static const struct {
		char compact;
		const char *name;
	} names[] = {{'i', "Call-ID"},
		     {'m', "Contact"},
		     {'e', "Content-Encoding"},
		     {'s', "Subject"},
		     {'k', "Supported"},
		     {'o', "Event"},
		     {'u', "Allow-Events"},
		     {'r', "Refer-To"},
		     {'b', "Referred-By"},
		     {'x', "Session-Expires"},
		     {'a', "Accept-Contact"},
		     {'j', "Reject-Contact"},
		     {'d', "Request-Disposition"},
		     {'y', "Identity"},
		     {'n', "Identity-Info"},
		     {'I', "Call-ID"},
		     {'K', "Supported"}};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool call_id = !strcmp(names[i].name, "Call-ID");
		char text[512];
		struct sip_message *m;

		snprintf(text, sizeof(text),
			 START "v:SIP/2.0/UDP h\nf:sip:a@b;tag=1\nt:sip:c@d\n%sCSeq:1 OPTIONS\n"
			       "l:0\n%c: <x:y>\n\n",
			 call_id ? "" : "Call-ID: 1\n", names[i].compact);
		m = wire_message(text);
		assert_str(sip_header(m, names[i].name, 0), "<x:y>");
		assert_null(sip_header(m, names[i].name, 1).p);
		sip_message_unref(m);
	}
}

static void headers_are_found_in_any_case(void **state)
{
	struct sip_message *m =
		wire_message(START VIA REST "x-thing: 1\nX-Other: 2\nX-THING:\t3 \nEmpty:\n" END);

	(void)state;
	assert_str(sip_header(m, "X-Thing", 0), "1");
	assert_str(sip_header(m, "X-Thing", 1), "3");
	assert_null(sip_header(m, "X-Thing", 2).p);
	assert_true(sip_has_header(m, "Empty"));
	assert_non_null(sip_header(m, "Empty", 0).p);
	assert_int_equal(sip_header(m, "Empty", 0).n, 0);
	assert_false(sip_has_header(m, "X-Thin"));
	sip_message_unref(m);
}

static void lists_are_walked_over_lines_and_commas(void **state)
{
	static const char *const wanted[] = {"\"a,b\" <sip:a@x>;p=\"q,r\"", "<sip:b,c@x>",
					     "sip:d@x", "<sip:e@x>"};
	struct sip_message *m = wire_message(
		START VIA REST
		"Contact: \"a,b\" <sip:a@x>;p=\"q,r\" , <sip:b,c@x>\nX: 1\nm: sip:d@x,\n "
		"<sip:e@x>\nSupported: replaces,, timer ,\nSupported:\nk: Path\n" END);
	size_t cursor = 0;
	struct str value;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(sip_header_list(m, "Contact", &cursor, &value));
		assert_str(value, wanted[i]);
	}
	assert_false(sip_header_list(m, "Contact", &cursor, &value));
	assert_false(sip_header_list(m, "Contact", &cursor, &value));
	assert_true(sip_header_has_token(m, "Supported", STR("TIMER")));
	assert_true(sip_header_has_token(m, "Supported", STR("path")));
	assert_false(sip_header_has_token(m, "Supported", STR("time")));
	assert_false(sip_header_has_token(m, "Require", STR("timer")));
	sip_message_unref(m);
}

static void folds_are_joined(void **state)
{
	struct sip_message *m =
		wire_message(START VIA REST "Subject: one\n  two\n\tthree\n\nX-Body: no\n four\n");

	(void)state;
	assert_str(sip_header(m, "Subject", 0), "one    two  \tthree");
	assert_false(sip_has_header(m, "X-Body"));
	assert_str(m->body, "X-Body: no\r\n four\r\n");
	sip_message_unref(m);
	/* The empty line ends the headers even when the body begins with a blank. */
	m = wire_message(START VIA REST "Subject: one\n\n two");
	assert_str(sip_header(m, "Subject", 0), "one");
	assert_str(m->body, " two");
	sip_message_unref(m);
}

static void lines_may_end_with_lf_alone(void **state)
{
	static const char text[] = "OPTIONS sip:b@x SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: sip:a@b\n"
				   "To: sip:b@x\nCall-ID: 1\nCSeq: 1 OPTIONS\nSubject: a\n b\n\nx";
	const struct sip_flow flow = wire_flow();
	struct sip_message *m;
	struct sip_verdict verdict;

	(void)state;
	assert_int_equal(
		sip_message_parse(&m, &flow, (struct str){text, sizeof(text) - 1}, &verdict), 0);
	assert_str(sip_header(m, "Subject", 0), "a  b");
	assert_str(m->body, "x");
	sip_message_unref(m);
}

static void what_is_no_sip_gets_no_answer(void **state)
{
	(void)state;
	refused("", 0, NULL);
	refused("\n\n", 0, NULL);
	refused("GET / HTTP/1.1\nVia: SIP/2.0/UDP h\n\n", 0, NULL);
	refused("OPTIONS SIP/2.0\n" VIA REST END, 0, NULL);
	refused("hello\n" VIA REST END, 0, NULL);
	refused(START REST END, 0, NULL); /* no Via: nobody to answer */
	refused(START "Via: nonsense\n" REST END, 0, NULL);
	refused(START "Via: SIP/2.0/UDP [::1\n" VIA REST END, 0,
		NULL);				      /* the next is not the topmost */
	refused("SIP/2.0 200 OK\n" VIA END, 0, NULL); /* responses never are answered */
	refused("SIP/2.0 99 OK\n" VIA REST END, 0, NULL);
	refused("SIP/2.0 700 OK\n" VIA REST END, 0, NULL);
	refused("SIP/3.0 200 OK\n" VIA REST END, 0, NULL);
	refused("ACK sip:b@x SIP/2.0\n" VIA REST END, 0, NULL); /* nor is ACK */
	refused("ACK sip:b@x SIP/7.0\n" VIA "From: x\n" END, 0, NULL);
}

static void what_is_missing_is_named(void **state)
{
	(void)state;
	refused(START VIA END, 400, "Missing From");
	refused(START VIA "From: sip:a@b\nCall-ID: 1\nCSeq: 1 OPTIONS\n" END, 400, "Missing To");
	refused(START VIA "From: sip:a@b\nTo: sip:a@b\nCSeq: 1 OPTIONS\n" END, 400,
		"Missing Call-ID");
	refused(START VIA "From: sip:a@b\nTo: sip:a@b\nCall-ID: 1\n" END, 400, "Missing CSeq");
	accepted(START VIA REST END); /* Max-Forwards may be missing */
}

static void what_is_malformed_is_named(void **state)
{
	(void)state;
	refused(START VIA REST "Max-Forwards: 256\n" END, 400, "Malformed Max-Forwards");
	refused(START VIA REST "Max-Forwards: x\n" END, 400, "Malformed Max-Forwards");
	refused(START VIA REST "Expires: 4294967296\n" END, 400, "Malformed Expires");
	refused(START VIA REST "Content-Length: -1\n" END, 400, "Malformed Content-Length");
	refused(START VIA REST "Content-Length: 1\n" END, 400, "Content-Length beyond the Message");
	refused(START VIA REST "Content-Type: text\n" END, 400, "Malformed Content-Type");
	refused(START VIA REST "Contact: <sip:a@b\n" END, 400, "Malformed Contact");
	refused(START VIA REST "Contact: <sip:a@b>,\n" END, 400, "Malformed Contact");
	refused(START VIA REST "Route: sip:a@b;lr\n" END, 400, "Malformed Route");
	refused(START VIA REST "Record-Route: <sip:a@b> x\n" END, 400, "Malformed Record-Route");
	refused(START VIA REST "Call-ID: 2\n" END, 400, "More than one Call-ID");
	refused(START VIA REST "Date: Fri, 01 Jan 2010 16:00:00 CET\n" END, 400, "Malformed Date");
	refused(START VIA "Via: SIP/2.0/UDP\n" REST END, 400, "Malformed Via");
	refused("OPTIONS sip:b@x:99999 SIP/2.0\n" VIA REST END, 400, "Malformed Request-URI");
	refused("OPTIONS sip:b@x SIP/2.0 \n" VIA REST END, 400, "Blanks after the Request Line");
	refused("OPTIONS sip:b@x SIP/2.1\n" VIA REST END, 505, NULL);
	refused("OPTIONS http://x/ SIP/2.0\n" VIA REST END, 416, NULL);
	accepted("OPTIONS tel:+15551234 SIP/2.0\n" VIA REST END);
}

static void cseq(const char *value, bool good)
{
	char text[512];

	snprintf(text, sizeof(text),
		 START VIA "From: sip:a@b\nTo: sip:a@b\nCall-ID: 1\nCSeq: %s\n\n", value);
	if (good)
		accepted(text);
	else
		refused(text, 400, NULL);
}

static void cseq_is_a_number_and_the_method(void **state)
{
	(void)state;
	cseq("0 OPTIONS", true);
	cseq("2147483647 OPTIONS", true);
	cseq("1 \t OPTIONS", true);
	cseq("2147483648 OPTIONS", false);
	cseq("1", false);
	cseq("1OPTIONS", false);
	cseq("OPTIONS", false);
	cseq("-1 OPTIONS", false);
	cseq("1 options", false);
	cseq("1 INVITE", false);
	cseq("1 OPTIONS x", false);
}

static void tags_are_tokens(void **state)
{
	(void)state;
	refused(START VIA "From: <sip:a@b>;tag\nTo: sip:a@b\nCall-ID: 1\nCSeq: 1 OPTIONS\n" END,
		400, "Malformed tag in From");
	refused(START VIA
		"From: <sip:a@b>\nTo: sip:a@b;tag=\"x\"\nCall-ID: 1\nCSeq: 1 OPTIONS\n" END,
		400, "Malformed tag in To");
}

/* RFC 3261 25.1: only quoted pairs hold control characters, and a lone CR would end a line. */
static void control_characters_are_refused(void **state)
{
	(void)state;
	refused(START VIA REST "Subject: a\001b\n" END, 400, "Malformed Line");
	refused(START VIA REST "Subject: a\rInjected: b\n" END, 400, "Malformed Line");
	refused(START VIA REST "Subject: \"a\\\rb\"\n" END, 400, "Malformed Line");
	refused(START VIA REST "Subject: a\\\001b\n" END, 400, "Malformed Line");
	refused(START VIA REST "Subject: a\177\n" END, 400, "Malformed Line");
	refused(START VIA REST ": nameless\n" END, 400, "Malformed Line");
	refused(START VIA REST "No colon\n" END, 400, "Malformed Line");
	refused(START VIA REST "Subject: no end", 400, "Malformed Line");
	accepted(START VIA REST "Subject: \"a\\\001b\"\n" END);
	accepted(START VIA REST "Subject: a\tb \303\244\n" END);
}

static char *repeated(const char *before, const char *pattern, size_t count, const char *after)
{
	struct buf buf = BUF_EMPTY;

	buf_add(&buf, str_of(before));
	while (count--)
		buf_add(&buf, str_of(pattern));
	buf_add(&buf, str_of(after));
	assert_int_equal(buf_error(&buf), 0);
	return buf.data;
}

static void limits_are_kept(void **state)
{
	char *text;

	(void)state;
	text = repeated(START VIA REST, "X: 1\n", SIP_HEADERS - 5, END);
	accepted(text);
	free(text);
	text = repeated(START VIA REST, "X: 1\n", SIP_HEADERS - 4, END);
	refused(text, 400, "More than 64 Headers");
	free(text);
	text = repeated(START VIA REST "Contact: <sip:a@b>", ";p", 64, "\n" END);
	accepted(text);
	free(text);
	text = repeated(START VIA REST "Contact: <sip:a@b>", ";p", 65, "\n" END);
	refused(text, 400, NULL);
	free(text);
	text = repeated(START VIA REST "X: ", ",", 65, "\n" END);
	refused(text, 400, NULL);
	free(text);
	text = repeated(START VIA REST "X: ", "a", SIP_MESSAGE_UDP, "\n" END);
	refused(text, 513, NULL);
	free(text);
}

static void references_keep_it(void **state)
{
	struct sip_message *m = wire_message(START VIA REST END);

	(void)state;
	assert_ptr_equal(sip_message_ref(m), m);
	sip_message_unref(m);
	assert_str(m->call_id, "c@h");
	sip_message_unref(m);
	sip_message_unref(NULL);
}

static double cost_ns(const struct sip_flow *flow, struct str data)
{
	struct timespec begin, end;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (unsigned i = 0; i < 20; i++) {
		struct sip_message *message;
		struct sip_verdict verdict;

		sip_message_parse(&message, flow, data, &verdict);
		sip_message_unref(message);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	return (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
}

static double ordinary_ns_a_byte(const struct sip_flow *flow)
{
	size_t len;
	char *bytes = wire_text(START VIA REST "Contact: <sip:alice@192.0.2.9:5070;transport=udp>\n"
					       "Allow: INVITE, ACK, CANCEL, BYE\n" END,
				&len);
	double cost = 0;

	for (unsigned i = 0; i < 20; i++)
		cost += cost_ns(flow, (struct str){bytes, len});
	free(bytes);
	return cost / (20.0 * (double)len);
}

/*
 * libosip2 takes 130 ms for 64 kB of tiny headers. Here four times the bytes may cost four times
 * the time, not sixteen (eight leaves room for a busy machine), and a byte no more than an ordinary
 * one's (again with room).
 */
static void cost_grows_with_the_size_alone(void **state)
{
	static const char *const patterns[][2] = {
		{"X: 1", "\na:b"},	     {"Contact: <sip:a@b>", ";a=b"},
		{"Contact: <sip:a@b", ";a"}, {"Via: SIP/2.0/UDP a", ",SIP/2.0/UDP a"},
		{"Contact: ", "\\\""},	     {"Contact: ", "\""},
		{"Contact: ", "<"},	     {"Subject: a", "\n "},
		{"Contact: ", " "},	     {"To: ", "%41"},
		{"Subject: \"", "\\\001"},   {"Call-ID: ", "\t"},
	};
	struct sip_flow flow = wire_flow();
	double ordinary;

	(void)state;
	flow.proto = SIP_TCP; /* as long as may be */
	ordinary = ordinary_ns_a_byte(&flow);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		double cost[2];

		for (size_t big = 0; big < 2; big++) {
			size_t count = (big ? 40000 : 10000) / strlen(patterns[i][1]), len;
			char *text = repeated(START VIA, patterns[i][1], 0, patterns[i][0]);
			char *whole = repeated(text, patterns[i][1], count, "\n\n"), *bytes;

			bytes = wire_text(whole, &len);
			cost[big] = cost_ns(&flow, (struct str){bytes, len});
			free(bytes);
			free(whole);
			free(text);
		}
		if (cost[1] > 8 * cost[0] + 1e6)
			print_error("%s%s...: %.0f ns, then %.0f\n", patterns[i][0], patterns[i][1],
				    cost[0], cost[1]);
		assert_true(cost[1] <= 8 * cost[0] + 1e6);
		assert_true(cost[1] <= 3 * 40000 * ordinary + 1e6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parts_of_a_good_request),
		cmocka_unit_test(the_parts_of_a_response),
		cmocka_unit_test(compact_names_become_long),
		cmocka_unit_test(headers_are_found_in_any_case),
		cmocka_unit_test(lists_are_walked_over_lines_and_commas),
		cmocka_unit_test(folds_are_joined),
		cmocka_unit_test(lines_may_end_with_lf_alone),
		cmocka_unit_test(what_is_no_sip_gets_no_answer),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(what_is_malformed_is_named),
		cmocka_unit_test(cseq_is_a_number_and_the_method),
		cmocka_unit_test(tags_are_tokens),
		cmocka_unit_test(control_characters_are_refused),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(references_keep_it),
		cmocka_unit_test(cost_grows_with_the_size_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
