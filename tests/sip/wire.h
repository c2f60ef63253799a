/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages for tests, written with plain line ends. */
#ifndef SEGUE_TESTS_SIP_WIRE_H
#define SEGUE_TESTS_SIP_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sip/message.h"

#define assert_str(text, wanted) assert_str_at(text, wanted, __FILE__, __LINE__)

static inline void assert_str_at(struct str text, const char *wanted, const char *file, int line)
{
	if (!str_eq(text, str_of(wanted))) {
		print_error("'%.*s' is not '%s'\n", STR_ARG(text), wanted);
		_fail(file, line);
	}
}

/* A UDP datagram from 192.0.2.9:5070 to 192.0.2.1:5060. */
static inline struct sip_flow wire_flow(void)
{
	struct sip_flow flow = {.proto = SIP_UDP};

	assert_int_equal(netaddr_parse(&flow.remote, STR("192.0.2.9:5070")), 0);
	assert_int_equal(netaddr_parse(&flow.local, STR("192.0.2.1:5060")), 0);
	return flow;
}

/* '\n' becomes CRLF; to be freed by the caller. Exactly as long as the text: a byte too far is
 * seen. */
static inline char *wire_text(const char *text, size_t *len)
{
	char *out = malloc(2 * strlen(text) + 1), *at = out;

	assert_non_null(out);
	for (; *text; text++) {
		if (*text == '\n')
			*at++ = '\r';
		*at++ = *text;
	}
	*len = (size_t)(at - out);
	out = realloc(out, *len ? *len : 1);
	assert_non_null(out);
	return out;
}

static inline int wire_try(struct sip_message **out, const char *text, struct sip_verdict *verdict)
{
	const struct sip_flow flow = wire_flow();
	size_t len;
	char *bytes = wire_text(text, &len);
	int ret = sip_message_parse(out, &flow, (struct str){bytes, len}, verdict);

	free(bytes); /* the message has its own */
	return ret;
}

/* A message that must be good. */
static inline struct sip_message *wire_message(const char *text)
{
	struct sip_message *message;
	struct sip_verdict verdict;
	int ret = wire_try(&message, text, &verdict);

	if (ret)
		print_error("%d: %d %s\n", ret, verdict.status, verdict.reason);
	assert_int_equal(ret, 0);
	return message;
}

#endif
