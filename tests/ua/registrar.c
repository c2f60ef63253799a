// SPDX-License-Identifier: BSD-2-Clause
/*
 * registrar PORT PASSWORD [MIN-EXPIRES]: challenges every REGISTER and INVITE for the realm "test",
 * answers REGISTER, and refuses calls with 404. A line on standard output for each accepted
 * REGISTER: its Contacts. Ends with SIGTERM.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "sip/digest.h"
#include "sip/stack.h"

struct registrar {
	struct sip_stack *stack;
	struct digest *digest;
	const char *password;
	uint32_t least;
};

static bool lookup(void *context, struct str user, struct digest_ha1 *out)
{
	const struct registrar *registrar = context;

	return !digest_ha1(out, user, STR("test"), str_of(registrar->password));
}

static void challenge(struct registrar *registrar, struct sip_server_tx *tx,
		      enum digest_outcome outcome)
{
	struct buf headers = BUF_EMPTY;

	digest_challenge(registrar->digest, &headers, false, outcome == DIGEST_STALE);
	sip_server_tx_reply(tx, 401, "Unauthorized", STR("registrar"), buf_str(&headers));
	buf_free(&headers);
}

static bool is_brief(const struct registrar *registrar, const struct sip_message *request)
{
	struct sip_nameaddr contact;
	struct str value;
	uint32_t seconds;
	size_t cursor = 0;

	return sip_header_list(request, "Contact", &cursor, &value) &&
	       !sip_nameaddr_parse(&contact, value) &&
	       sip_param(contact.params, "expires", &value) && str_to_u32(value, &seconds) &&
	       seconds && seconds < registrar->least;
}

static void accept_contacts(struct sip_server_tx *tx, const struct sip_message *request)
{
	struct buf headers = BUF_EMPTY;
	size_t cursor = 0;
	unsigned number = 0;

	printf("REGISTER %u", request->cseq);
	for (struct str value; sip_header_list(request, "Contact", &cursor, &value);) {
		printf(" | %.*s", STR_ARG(value));
		buf_addf(&headers, "Contact: %.*s;if_no=%u\r\n", STR_ARG(value), ++number);
	}
	putchar('\n');
	fflush(stdout);
	sip_server_tx_reply(tx, 200, "OK", STR("registrar"), buf_str(&headers));
	buf_free(&headers);
}

static void on_request(void *context, struct sip_server_tx *tx, struct sip_message *request)
{
	struct registrar *registrar = context;
	enum digest_outcome outcome;
	struct str user;
	char text[64];

	outcome = digest_check(registrar->digest, request, false, lookup, registrar, &user);
	if (outcome != DIGEST_GOOD) {
		challenge(registrar, tx, outcome);
	} else if (request->method != SIP_REGISTER) {
		sip_server_tx_reply(tx, 404, "Not Found", STR("registrar"), STR_NONE);
	} else if (is_brief(registrar, request)) {
		snprintf(text, sizeof(text), "Min-Expires: %u\r\n", registrar->least);
		sip_server_tx_reply(tx, 423, "Interval Too Brief", STR("registrar"), str_of(text));
	} else {
		accept_contacts(tx, request);
	}
}

static void on_signal(evutil_socket_t number, short what, void *base)
{
	(void)number;
	(void)what;
	event_base_loopexit(base, NULL);
}

static int serve(struct registrar *registrar, struct event_base *base, const char *port)
{
	const struct sip_stack_handlers handlers = {.request = on_request};
	const struct sip_stack_config config = {0};
	struct event *end = evsignal_new(base, SIGTERM, on_signal, base);
	struct wheel *wheel = NULL;
	struct log *log = NULL;
	struct error err = {""};
	struct netaddr at;
	int ret = 1;

	netaddr_parse_host(&at, STR("127.0.0.1"), (uint16_t)atoi(port));
	if (end && !event_add(end, NULL) && !wheel_alloc(&wheel, base) &&
	    !log_open(&log, LOG_LEVEL_WARNING) &&
	    !sip_stack_alloc(&registrar->stack, base, wheel, log, &config, &handlers, registrar,
			     &err) &&
	    !sip_transport_listen(sip_stack_transport(registrar->stack), SIP_UDP, &at, NULL,
				  &err)) {
		puts("ready");
		fflush(stdout);
		ret = event_base_dispatch(base);
	}
	fputs(err.text, stderr);
	sip_stack_free(registrar->stack);
	wheel_free(wheel);
	log_close(log);
	if (end)
		event_free(end);
	return ret;
}

int main(int argc, char **argv)
{
	char realm[] = "test";
	const struct digest_config config = {
		.realm = realm, .order = {DIGEST_SHA256, DIGEST_MD5}, .algorithms = 2};
	struct registrar registrar = {0};
	struct event_base *base = event_base_new();
	struct error err = {""};
	int ret = 1;

	if (argc < 3 || !base)
		return 2;
	registrar.password = argv[2];
	registrar.least = argc > 3 ? (uint32_t)atoi(argv[3]) : 0;
	if (!digest_alloc(&registrar.digest, &config, &err))
		ret = serve(&registrar, base, argv[1]);
	digest_free(registrar.digest);
	event_base_free(base);
	return ret;
}
