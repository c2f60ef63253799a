// SPDX-License-Identifier: BSD-2-Clause
/*
 * libosip2's parsers of single elements as a second opinion: whatever our scanner lets in, they
 * take apart in the same way. (The other way round they let in much that RFC 4475 refuses.)
 */
#include <stdio.h>

#include <osipparser2/osip_parser.h>

#include "wire.h"

/* What a text may be changed to: all that means something to one of the parsers. */
static const char changes[] = "\"<>;:@,?=&%[]\\/ a1.";

static bool same_text(struct str ours, const char *theirs)
{
	return str_eq(ours, str_of(theirs));
}

static struct str without_brackets(struct str host)
{
	if (host.n && host.p[0] == '[')
		host = (struct str){host.p + 1, host.n - 2};
	return host;
}

static bool same_port(uint16_t ours, const char *theirs)
{
	return ours == (theirs ? (uint16_t)atoi(theirs) : 0);
}

/* It takes escapes off the user and splits the password from it. */
static bool same_user(struct str ours, const osip_uri_t *theirs)
{
	struct buf mine = BUF_EMPTY;
	struct str name = {ours.p, str_index(ours, ':')};
	bool same;

	sip_unescape(&mine, name);
	same = same_text(buf_str(&mine), theirs->username);
	buf_free(&mine);
	return same;
}

static bool has_empty_password(struct str user)
{
	return user.n && user.p[user.n - 1] == ':';
}

static bool uris_agree(struct str text, const osip_uri_t *theirs)
{
	struct sip_uri ours;

	/* It knows no other scheme, and no empty password (RFC 3261 25.1 has one). */
	if (sip_uri_parse(&ours, text) || !ours.host.n || has_empty_password(ours.user))
		return true;
	return theirs && str_case_eq(ours.scheme, str_of(theirs->scheme)) &&
	       str_eq(without_brackets(ours.host), str_of(theirs->host)) &&
	       same_port(ours.port, theirs->port) && same_user(ours.user, theirs);
}

static bool check_uri(const char *text)
{
	struct sip_uri ours;
	osip_uri_t *theirs;
	bool good;

	if (sip_uri_parse(&ours, str_of(text)))
		return true;
	osip_uri_init(&theirs);
	good = uris_agree(str_of(text), osip_uri_parse(theirs, text) ? NULL : theirs);
	osip_uri_free(theirs);
	return good;
}

static bool check_nameaddr(const char *text)
{
	struct sip_nameaddr ours;
	osip_from_t *theirs;
	osip_generic_param_t *tag = NULL;
	struct str our_tag;
	bool good;

	if (sip_nameaddr_parse(&ours, str_of(text)))
		return true;
	osip_from_init(&theirs);
	good = uris_agree(ours.uri, osip_from_parse(theirs, text) ? NULL : theirs->url);
	if (good && theirs->url && sip_param(ours.params, "tag", &our_tag) && our_tag.n)
		good = !osip_from_get_tag(theirs, &tag) && tag->gvalue &&
		       same_text(our_tag, tag->gvalue);
	osip_from_free(theirs);
	return good;
}

#define REQUEST(via, cseq)                                                                         \
	"OPTIONS sip:b@x SIP/2.0\r\nVia: %s\r\nFrom: sip:a@b\r\nTo: sip:b@x\r\nCall-ID: "          \
	"1\r\nCSeq: "                                                                              \
	"%s\r\n\r\n",                                                                              \
		via, cseq

static int parse(struct sip_message **out, const char *via, const char *cseq)
{
	const struct sip_flow flow = wire_flow();
	struct sip_verdict verdict;
	char text[1024];
	int length = snprintf(text, sizeof(text), REQUEST(via, cseq));

	return sip_message_parse(out, &flow, (struct str){text, (size_t)length}, &verdict);
}

static bool check_via(const char *text)
{
	osip_generic_param_t *branch = NULL;
	struct sip_message *m;
	osip_via_t *theirs;
	bool good = true;

	if (!parse(&m, text, "1 OPTIONS") && !strchr(text, ',')) { /* it takes one at a time */
		osip_via_init(&theirs);
		good = !osip_via_parse(theirs, text) &&
		       str_eq(without_brackets(m->via.host), str_of(theirs->host)) &&
		       same_port(m->via.port, theirs->port);
		if (good && m->via.branch.n)
			good = !osip_via_param_get_byname(theirs, (char *)"branch", &branch) &&
			       branch && same_text(m->via.branch, branch->gvalue);
		osip_via_free(theirs);
	}
	sip_message_unref(m);
	return good;
}

static bool check_cseq(const char *text)
{
	struct sip_message *m = NULL;
	osip_cseq_t *theirs;
	bool good = true;

	if (text[0] != ' ' && !parse(&m, "SIP/2.0/UDP h", text)) {
		osip_cseq_init(&theirs);
		good = !osip_cseq_parse(theirs, text) &&
		       m->cseq == (uint32_t)atol(theirs->number) &&
		       same_text(m->method_name, theirs->method);
		osip_cseq_free(theirs);
	}
	sip_message_unref(m);
	return good;
}

/* Each text as it is, and with each of its characters changed, left out, or doubled. */
static void with_changes(const char *text, bool (*check)(const char *text))
{
	unsigned wrong = 0;

	wrong += !check(text);
	for (size_t at = 0; text[at]; at++) {
		for (size_t i = 0; i <= sizeof(changes); i++) {
			char changed[256];

			if (i < sizeof(changes) - 1)
				snprintf(changed, sizeof(changed), "%.*s%c%s", (int)at, text,
					 changes[i], text + at + 1);
			else
				snprintf(changed, sizeof(changed), "%.*s%s", (int)at, text,
					 text + at + (i == sizeof(changes)));
			if (!check(changed)) {
				print_error("'%s': they disagree\n", changed);
				wrong++;
			}
		}
	}
	assert_int_equal(wrong, 0);
}

static void uris(void **state)
{
	static const char *const texts[] = {
		"sip:example.net",
		"sips:alice@example.net:5061;transport=tcp;lr",
		"sip:alice:pw@[2001:db8::1]:5060;user=phone?Subject=a&x=b",
		"sip:%41lice@192.0.2.1",
		"sip:a@b?c=d",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		with_changes(texts[i], check_uri);
}

static void nameaddrs(void **state)
{
	static const char *const texts[] = {
		"\"Alice \\\"A\\\"\" <sip:alice@example.net;lr>;tag=abc",
		"Alice <sip:alice@example.net>;q=1;tag=abc",
		"sip:alice@example.net;tag=abc",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		with_changes(texts[i], check_nameaddr);
}

static void vias(void **state)
{
	static const char *const texts[] = {
		"SIP/2.0/UDP pc.example.net:5060;branch=z9hG4bKabc;rport",
		"SIP/2.0/TCP [2001:db8::1]:5070;branch=z9hG4bKabc;received=192.0.2.1",
		"SIP/2.0/UDP 192.0.2.1 : 5060 ; branch = x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		with_changes(texts[i], check_via);
}

static void cseqs(void **state)
{
	(void)state;
	with_changes("4711 OPTIONS", check_cseq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uris),
		cmocka_unit_test(nameaddrs),
		cmocka_unit_test(vias),
		cmocka_unit_test(cseqs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
