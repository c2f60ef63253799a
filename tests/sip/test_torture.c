// SPDX-License-Identifier: BSD-2-Clause
/*
 * The messages of RFC 4475 and RFC 5118, each with the verdict that the RFC gives. What is judged
 * above the parser says so in the last column, and must come through the parser whole.
 *
 * Three bodies of RFC 5118 are printed with a Content-Length that is not theirs; the vectors have
 * the right one, since the RFC calls the messages valid.
 */
#include <errno.h>
#include <stdio.h>

#include "wire.h"

#define GOOD 0
#define SILENCE (-1)

struct vector {
	const char *name;
	int verdict;	     /* GOOD, a status, or SILENCE */
	const char *section; /* of RFC 4475 ("3...") or RFC 5118 ("4...") */
	const char *above;   /* the verdict that layers above have to give */
};

static const struct vector vectors[] = {
	{"wsinv", GOOD, "3.1.1.1", NULL},
	{"intmeth", GOOD, "3.1.1.2", "501 or 405: a method that nobody knows"},
	{"esc01", GOOD, "3.1.1.3", NULL},
	{"escnull", GOOD, "3.1.1.4", "registrar: two bindings, %00 is a character like others"},
	{"esc02", GOOD, "3.1.1.5", "501 or 405: RE%47IST%45R is not REGISTER"},
	{"lwsdisp", GOOD, "3.1.1.6", NULL},
	{"longreq", GOOD, "3.1.1.7", NULL},
	{"dblreq", GOOD, "3.1.1.8", NULL},
	{"semiuri", GOOD, "3.1.1.9", NULL},
	{"transports", GOOD, "3.1.1.10", NULL},
	{"mpart01", GOOD, "3.1.1.11", NULL},
	{"unreason", GOOD, "3.1.1.12", NULL},
	{"noreason", GOOD, "3.1.1.13", NULL},
	{"badinv01", 400, "3.1.2.1", NULL},
	{"clerr", 400, "3.1.2.2", NULL},
	{"ncl", 400, "3.1.2.3", NULL},
	{"scalar02", 400, "3.1.2.4", NULL},
	{"scalarlg", SILENCE, "3.1.2.5", NULL},
	{"quotbal", 400, "3.1.2.6", NULL},
	{"ltgtruri", 400, "3.1.2.7", NULL},
	{"lwsruri", 400, "3.1.2.8", NULL},
	{"lwsstart", 400, "3.1.2.9", NULL},
	{"trws", 400, "3.1.2.10", NULL},
	{"escruri", 400, "3.1.2.11", NULL},
	{"baddate", 400, "3.1.2.12", NULL},
	{"regbadct", 400, "3.1.2.13", NULL},
	{"badaspec", 400, "3.1.2.14", NULL},
	{"baddn", 400, "3.1.2.15", NULL},
	{"badvers", 505, "3.1.2.16", NULL},
	{"mismatch01", 400, "3.1.2.17", NULL},
	{"mismatch02", 400, "3.1.2.18", NULL},
	{"bigcode", SILENCE, "3.1.2.19", NULL},
	{"badbranch", GOOD, "3.2.1", "transaction: nothing behind the cookie, matched as RFC 2543"},
	{"insuf", 400, "3.3.1", NULL},
	{"unkscm", 416, "3.3.2", NULL},
	{"novelsc", 416, "3.3.3", NULL},
	{"unksm2", GOOD, "3.3.4", "registrar: no address-of-record of ours"},
	{"bext01", GOOD, "3.3.5", "420 with Unsupported"},
	{"invut", GOOD, "3.3.6", "415 with Accept"},
	{"regaut01", GOOD, "3.3.7", "401: a scheme that we do not know is as none"},
	{"multi01", 400, "3.3.8", NULL},
	{"mcl01", 400, "3.3.9", NULL},
	{"bcast", GOOD, "3.3.10", "transaction: a branch that we never sent, dropped"},
	{"zeromf", GOOD, "3.3.11", "483 unless it is for us"},
	{"cparam01", GOOD, "3.3.12", NULL},
	{"cparam02", GOOD, "3.3.13", NULL},
	{"regescrt", GOOD, "3.3.14", NULL},
	{"sdp01", GOOD, "3.3.15", "406: it accepts no SDP"},
	{"inv2543", GOOD, "3.4.1", NULL},
	{"ipv6-good", GOOD, "4.1", NULL},
	{"ipv6-bad", 400, "4.2", NULL},
	{"port-ambiguous", GOOD, "4.3", NULL},
	{"port-unambiguous", GOOD, "4.4", NULL},
	{"via-received-param-with-delim", GOOD, "4.5", NULL},
	{"via-received-param-no-delim", GOOD, "4.5", NULL},
	{"ipv6-in-sdp", GOOD, "4.6", NULL},
	{"mult-ip-in-header", GOOD, "4.7", NULL},
	{"mult-ip-in-sdp", GOOD, "4.8", NULL},
	{"ipv4-mapped-ipv6", GOOD, "4.9", NULL},
	{"ipv6-bug-abnf-3-colons", GOOD, "4.10", NULL},
	{"ipv6-correct-abnf-2-colons", GOOD, "4.10", NULL},
};

#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

/* Exactly as much memory as the message is long. */
static char *load(const char *name, size_t *len)
{
	char path[128], block[16384], *out;
	FILE *file;

	snprintf(path, sizeof(path), "tests/sip/torture/%s.dat", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	*len = fread(block, 1, sizeof(block), file);
	fclose(file);
	assert_true(*len > 0 && *len < sizeof(block));
	out = malloc(*len);
	assert_non_null(out);
	memcpy(out, block, *len);
	return out;
}

static int parse(const char *name, struct sip_message **out, struct sip_verdict *verdict)
{
	const struct sip_flow flow = wire_flow();
	size_t len;
	char *bytes = load(name, &len);
	int ret = sip_message_parse(out, &flow, (struct str){bytes, len}, verdict);

	free(bytes);
	return ret;
}

static struct sip_message *parse_good(const char *name)
{
	struct sip_message *message;
	struct sip_verdict verdict;

	assert_int_equal(parse(name, &message, &verdict), 0);
	return message;
}

static void each_gets_its_verdict(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *vector = &vectors[i];
		struct sip_message *message;
		struct sip_verdict verdict;
		int ret = parse(vector->name, &message, &verdict);
		int got = ret == -EINVAL ? SILENCE : verdict.status;

		if (got != vector->verdict || ret != (got == GOOD      ? 0
						      : got == SILENCE ? -EINVAL
								       : -EBADMSG)) {
			print_error("%s (%s): %d %d '%s', not %d\n", vector->name, vector->section,
				    ret, verdict.status, verdict.reason, vector->verdict);
			wrong++;
		}
		sip_message_unref(message);
	}
	assert_int_equal(wrong, 0);
}

/* Whatever is wrong with a request: the answer is a response that a parser takes. */
static void refusals_can_be_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		struct buf out = BUF_EMPTY;
		struct sip_message *message, *answer;
		struct sip_verdict verdict, again;

		if (parse(vectors[i].name, &message, &verdict) != -EBADMSG) {
			sip_message_unref(message);
			continue;
		}
		sip_write_response(&out, message, verdict.status, verdict.reason, STR("t"), false);
		sip_write_body(&out, STR_NONE, STR_NONE);
		assert_int_equal(buf_error(&out), 0);
		assert_true(str_starts(buf_str(&out), STR("SIP/2.0 ")));
		/* What it copies may be what was wrong; then it is refused, but never crashes. */
		sip_message_parse(&answer, &message->flow, buf_str(&out), &again);
		sip_message_unref(answer);
		sip_message_unref(message);
		buf_free(&out);
	}
}

static void wsinv_is_read_through_its_folds(void **state)
{
	struct sip_message *m = parse_good("wsinv");
	size_t cursor = 0;
	struct str value;

	(void)state;
	assert_int_equal(m->method, SIP_INVITE);
	assert_int_equal(m->cseq, 9);
	assert_int_equal(m->max_forwards, 68);
	assert_str(m->to_tag, "1918181833n");
	assert_str(m->from_tag, "98asjd8");
	assert_str(m->from.display, "\"J Rosenberg \\\\\\\"\"");
	assert_str(m->via.host, "192.0.2.2");
	assert_str(m->via.branch, "390skdjuw");
	assert_int_equal(m->body.n, 150);
	assert_true(sip_has_header(m, "Subject"));
	assert_int_equal(sip_header(m, "Subject", 0).n, 0);
	assert_str(sip_header(m, "UnknownHeaderWithUnusualValue", 0), ";;,,;;,;");
	for (unsigned i = 0; i < 3; i++)
		assert_true(sip_header_list(m, "Via", &cursor, &value));
	assert_true(str_starts(value, STR("SIP  /    2.0   / UDP  192.168.255.111")));
	assert_false(sip_header_list(m, "Via", &cursor, &value));
	sip_message_unref(m);
}

static void intmeth_keeps_every_character(void **state)
{
	struct sip_message *m = parse_good("intmeth");

	(void)state;
	assert_int_equal(m->method, SIP_UNKNOWN);
	assert_str(m->method_name, "!interesting-Method0123456789_*+`.%indeed'~");
	assert_str(m->uri.host, "example.com");
	assert_int_equal(m->to.display.n, 22); /* "BEL:\. NUL:\. DEL:\." with its NUL */
	assert_non_null(memchr(m->to.display.p, '\0', m->to.display.n));
	assert_str(m->from_tag, "_token~1'+`*%!-.");
	assert_str(m->call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
	assert_int_equal(m->max_forwards, 255);
	sip_message_unref(m);
}

static void escapes_stay_escaped(void **state)
{
	struct sip_message *m = parse_good("esc01");
	struct sip_nameaddr contact;
	struct sip_uri uri;
	struct str value;

	(void)state;
	assert_str(m->uri.user, "sips%3Auser%40example.com");
	assert_str(m->uri.host, "example.net");
	assert_int_equal(sip_nameaddr_parse(&contact, sip_header(m, "Contact", 0)), 0);
	assert_int_equal(sip_uri_parse(&uri, contact.uri), 0);
	assert_str(uri.user, "cal%6Cer");
	assert_false(sip_param(uri.params, "lr", &value)); /* the name is %6C%72, as it stands */
	sip_message_unref(m);

	m = parse_good("esc02"); /* C%6Fntact is not Contact */
	assert_str(sip_header(m, "Contact", 1), "<sip:alias3@host3.example.com>");
	assert_null(sip_header(m, "Contact", 2).p);
	sip_message_unref(m);
}

static void bodies_end_where_they_say(void **state)
{
	struct sip_message *m = parse_good("dblreq");

	(void)state;
	assert_int_equal(m->method, SIP_REGISTER);
	assert_int_equal(m->body.n, 0);
	sip_message_unref(m);
	m = parse_good("mpart01");
	assert_int_equal(m->body.n, 553);
	assert_non_null(memchr(m->body.p, '\0', m->body.n));
	sip_message_unref(m);
	m = parse_good("inv2543"); /* without a Content-Length it is all the rest */
	assert_true(str_starts(m->body, STR("v=0\r\n")));
	assert_int_equal(m->via.branch.n, 0);
	assert_int_equal(m->from_tag.n, 0);
	sip_message_unref(m);
}

static void ports_and_addresses_are_told_apart(void **state)
{
	struct sip_message *m = parse_good("port-ambiguous");

	(void)state;
	assert_str(m->uri.host, "[2001:db8::10:5070]");
	assert_int_equal(m->uri.port, 0);
	sip_message_unref(m);
	m = parse_good("port-unambiguous");
	assert_str(m->uri.host, "[2001:db8::10]");
	assert_int_equal(m->uri.port, 5070);
	sip_message_unref(m);
	m = parse_good("ipv4-mapped-ipv6");
	assert_str(m->via.host, "[::ffff:192.0.2.10]");
	assert_int_equal(m->via.port, 19823);
	sip_message_unref(m);
}

/* Every message cut at every length: nothing is read that is not there. */
static void cut_anywhere_it_does_no_harm(void **state)
{
	const struct sip_flow flow = wire_flow();

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		size_t len;
		char *bytes = load(vectors[i].name, &len);

		for (size_t cut = 0; cut < len; cut++) {
			char *part = malloc(cut ? cut : 1);
			struct sip_message *message;
			struct sip_verdict verdict;

			assert_non_null(part);
			memcpy(part, bytes, cut);
			sip_message_parse(&message, &flow, (struct str){part, cut}, &verdict);
			sip_message_unref(message);
			free(part);
		}
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gets_its_verdict),
		cmocka_unit_test(refusals_can_be_sent),
		cmocka_unit_test(wsinv_is_read_through_its_folds),
		cmocka_unit_test(intmeth_keeps_every_character),
		cmocka_unit_test(escapes_stay_escaped),
		cmocka_unit_test(bodies_end_where_they_say),
		cmocka_unit_test(ports_and_addresses_are_told_apart),
		cmocka_unit_test(cut_anywhere_it_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
