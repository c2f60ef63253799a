// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "sip/dialog.h"
#include "sip/stack_private.h"

#define TRANSACTIONS 1000000u

/* ---- messages -------------------------------------------------------------------------------- */

static void show(struct sip_stack *stack, const struct sip_seen *seen)
{
	if (stack->handlers.seen)
		stack->handlers.seen(stack->context, seen);
}

int stack_send(struct sip_stack *stack, struct sip_flow *flow, struct str name, struct str text)
{
	int ret = sip_transport_send(stack->transport, flow, name, text);

	stack->stats.sent++;
	if (!ret)
		show(stack, &(struct sip_seen){.sent = true, .flow = flow, .text = text});
	return ret;
}

uint64_t stack_life_ms(const struct sip_stack *stack)
{
	return 64ull * stack->config.t1_ms;
}

/* The same for the same request, whoever sends it: nothing needs to be remembered. */
static void stateless_tag(const struct sip_stack *stack, const struct sip_message *request,
			  char tag[17])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t hash = hash_text(&stack->token_seed, request->call_id);

	hash = hash_more(&stack->token_seed, hash, request->via.branch);
	for (unsigned i = 0; i < 16; i++, hash >>= 4)
		tag[i] = digits[hash & 15];
	tag[16] = '\0';
}

void stack_refuse(struct sip_stack *stack, const struct sip_message *request, int status,
		  const char *reason, struct str headers)
{
	struct sip_flow flow = server_tx_return_flow(request);
	struct buf *out = &stack->scratch;
	char tag[17];

	if (request->method == SIP_ACK) /* is never answered */
		return;
	stateless_tag(stack, request, tag);
	buf_reset(out);
	sip_write_response(out, request, status, reason, str_of(tag), false);
	buf_add(out, headers);
	sip_write_body(out, STR_NONE, STR_NONE);
	if (!buf_error(out))
		stack_send(stack, &flow, STR_NONE, buf_str(out));
}

/* The ACK of what stack_refuse() sent (RFC 3261 8.2.7). */
static bool acks_refusal(const struct sip_stack *stack, const struct sip_message *message)
{
	char tag[17];

	if (message->method != SIP_ACK || message->status)
		return false;
	stateless_tag(stack, message, tag);
	return str_eq(message->to_tag, str_of(tag));
}

static void dispatch(struct sip_stack *stack, struct sip_message *message, struct tx_key key)
{
	if (!message->status) {
		if (!acks_refusal(stack, message))
			server_tx_receive(stack, message, key);
	} else if (!sip_header(message, "Via", 1).p) {
		/* With a second Via it was somebody else's (RFC 3261 8.1.3.3). */
		client_tx_receive(stack, message, key);
	}
}

static void tell_offence(const struct sip_stack *stack, const struct sip_flow *flow,
			 enum sip_offence offence)
{
	if (stack->handlers.offence)
		stack->handlers.offence(stack->context, flow, offence);
}

static bool admit(struct sip_stack *stack, const struct sip_flow *flow)
{
	stack->stats.received++;
	if (!stack->handlers.admit || stack->handlers.admit(stack->context, flow))
		return true;
	stack->stats.refused++;
	return false;
}

/* An arrival between its two halves: what could be said of it without acting. */
struct incoming {
	const struct sip_arrival *arrival;
	struct sip_message *message; /* NULL: not worth an answer */
	struct sip_verdict verdict;
	int error; /* of the parser */
	struct tx_key key;
};

static void prepare(struct sip_stack *stack, const struct sip_arrival *arrival,
		    struct incoming *out)
{
	*out = (struct incoming){.arrival = arrival};
	out->error = sip_message_parse(&out->message, &arrival->flow,
				       (struct str){arrival->data, arrival->len}, &out->verdict);
	if (!out->message)
		return;
	out->message->arrived_ns = arrival->at_ns;
	if (!out->error)
		out->key = out->message->status ? client_tx_key(stack, out->message)
						: server_tx_key(stack, out->message);
}

static void handle(struct sip_stack *stack, struct incoming *in)
{
	const struct sip_arrival *arrival = in->arrival;
	struct sip_message *message = in->message;

	show(stack, &(struct sip_seen){.flow = &arrival->flow,
				       .text = {arrival->data, arrival->len},
				       .message = message});
	if (!in->error && message) {
		dispatch(stack, message, in->key);
	} else {
		stack->stats.refused++;
		if (message && !message->status && in->verdict.status)
			stack_refuse(stack, message, in->verdict.status, in->verdict.reason,
				     STR_NONE);
		if (in->error != -ENOMEM)
			tell_offence(stack, &arrival->flow, SIP_OFFENCE_MALFORMED);
	}
	sip_message_unref(message);
}

/*
 * All are parsed before the first is acted on: where their transactions are looked up is fetched
 * from memory meanwhile, of which a million are more than a cache holds.
 */
static void received(void *context, const struct sip_arrival *arrivals, size_t count)
{
	struct incoming incoming[SIP_ARRIVALS];
	size_t admitted = 0;

	for (size_t i = 0; i < count; i++) {
		if (admit(context, &arrivals[i].flow))
			prepare(context, &arrivals[i], &incoming[admitted++]);
	}
	for (size_t i = 0; i < admitted; i++)
		handle(context, &incoming[i]);
}

static void closed(void *context, const struct sip_flow *flow, int error)
{
	struct sip_stack *stack = context;

	if (error && flow->proto == SIP_TCP)
		large_not_by_stream(stack, &flow->remote);
	if (error == -ETIME)
		tell_offence(stack, flow, SIP_OFFENCE_SLOW);
	client_tx_closed(stack, flow);
	if (flow->conn && stack->handlers.closed)
		stack->handlers.closed(stack->context, flow);
}

/* ---- what is spent --------------------------------------------------------------------------- */

static void sweep(evutil_socket_t fd, short what, void *context)
{
	struct sip_stack *stack = context;

	(void)fd;
	(void)what;
	stack->sweeping = false;
	server_tx_sweep(stack);
	client_tx_sweep(stack);
}

void stack_sweep_soon(struct sip_stack *stack)
{
	if (!stack->sweeping)
		event_active(stack->sweep, EV_TIMEOUT, 0);
	stack->sweeping = true;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

/*
 * 4 digits of the worker and 128 bits of a keyed hash (SipHash as a pseudo-random function) of a
 * counter: unguessable without a system call each. Letters and digits only, one case, since there
 * are peers that do not keep the case.
 */
void sip_token(struct sip_stack *stack, char out[SIP_TOKEN_LEN])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	unsigned worker = stack->config.worker;
	char *at = out;

	for (int shift = 12; shift >= 0; shift -= 4)
		*at++ = digits[worker >> shift & 15];
	for (unsigned half = 0; half < 2; half++) {
		char count[sizeof(stack->tokens)];
		uint64_t bits;

		stack->tokens++;
		memcpy(count, &stack->tokens, sizeof(count));
		bits = hash_text(&stack->token_seed, (struct str){count, sizeof(count)});
		for (unsigned i = 0; i < 13; i++, bits >>= 5)
			*at++ = digits[bits & 31];
	}
	*at = '\0';
}

void stack_branch(struct sip_stack *stack, char out[SIP_BRANCH_LEN])
{
	memcpy(out, SIP_BRANCH_COOKIE.p, SIP_BRANCH_COOKIE.n);
	sip_token(stack, out + SIP_BRANCH_COOKIE.n);
}

/* inet_ntop() prints with printf; this is in each request that we send. */
static void write_ipv4(struct buf *out, const uint8_t four[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (i)
			buf_add_char(out, '.');
		buf_add_u64(out, four[i]);
	}
}

void stack_write_host_port(struct buf *out, const struct netaddr *at)
{
	char host[NETADDR_STRLEN];

	if (netaddr_is_ipv4(at))
		write_ipv4(out, at->addr + 12);
	else
		buf_add(out, str_of(netaddr_format_uri(at, host)));
	buf_add_char(out, ':');
	buf_add_u64(out, at->port);
}

void sip_write_contact(struct buf *out, const struct sip_flow *flow, struct str user)
{
	buf_add(out, STR("<sip:"));
	buf_add(out, user);
	if (user.n)
		buf_add_char(out, '@');
	stack_write_host_port(out, &flow->local);
	if (flow->proto != SIP_UDP) {
		buf_add(out, STR(";transport="));
		buf_add(out, str_of(sip_proto_parameter(flow->proto)));
	}
	buf_add_char(out, '>');
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static void use_config(struct sip_stack *stack, const struct sip_stack_config *config)
{
	struct sip_stack_config *own = &stack->config;

	*own = *config;
	own->nameserver = NULL; /* the resolver has its own copy */
	own->nameservers = 0;
	own->transactions = config->transactions ? config->transactions : TRANSACTIONS;
	own->t1_ms = config->t1_ms ? config->t1_ms : 500;
	own->t2_ms = config->t2_ms ? config->t2_ms : 4000;
	own->t4_ms = config->t4_ms ? config->t4_ms : 5000;
}

static int make_secrets(struct sip_stack *stack)
{
	int ret = hash_seed_make(&stack->token_seed);

	if (!ret)
		ret = hash_seed_make(&stack->seeds.bucket);
	return ret ? ret : hash_seed_make(&stack->seeds.check);
}

static int make_tables(struct sip_stack *stack)
{
	int ret = hash_init(&stack->carriers);

	if (!ret)
		ret = tx_table_init(&stack->server);
	if (!ret)
		ret = tx_table_init(&stack->merged);
	return ret ? ret : tx_table_init(&stack->client);
}

static int make_parts(struct sip_stack *stack, const struct sip_stack_config *config)
{
	const struct sip_transport_handlers handlers = {received, closed};
	int ret = make_secrets(stack);

	if (!ret)
		ret = make_tables(stack);
	if (!ret)
		ret = sip_dialogs_alloc(&stack->dialogs);
	if (!ret)
		ret = sip_resolver_alloc(&stack->resolver, stack->base, stack->wheel, stack->log,
					 config->nameserver, config->nameservers);
	if (!ret)
		ret = sip_transport_alloc(&stack->transport, stack->base, stack->wheel, stack->log,
					  &handlers, stack);
	return ret;
}

int sip_stack_alloc(struct sip_stack **out, struct event_base *base, struct wheel *wheel,
		    struct log *log, const struct sip_stack_config *config,
		    const struct sip_stack_handlers *handlers, void *context, struct error *err)
{
	struct sip_stack *stack = calloc(1, sizeof(*stack));
	int ret;

	if (!stack)
		return error_set(err, -ENOMEM, "no memory for the SIP stack");
	stack->base = base;
	stack->wheel = wheel;
	stack->log = log;
	stack->handlers = *handlers;
	stack->context = context;
	use_config(stack, config);
	list_init(&stack->spent_server);
	list_init(&stack->spent_client);
	list_init(&stack->unsent);
	stack->sweep = event_new(base, -1, 0, sweep, stack);
	ret = stack->sweep ? make_parts(stack, config) : -ENOMEM;
	if (ret < 0) {
		sip_stack_free(stack);
		return error_set(err, ret, "cannot start the SIP stack: %s", strerror(-ret));
	}
	*out = stack;
	return 0;
}

void sip_stack_free(struct sip_stack *stack)
{
	if (!stack)
		return;
	client_tx_free_all(stack);
	server_tx_free_all(stack);
	sip_transport_free(stack->transport);
	sip_resolver_free(stack->resolver);
	sip_dialogs_free(stack->dialogs);
	hash_free(&stack->carriers);
	tx_table_free(&stack->client);
	tx_table_free(&stack->merged);
	tx_table_free(&stack->server);
	if (stack->sweep)
		event_free(stack->sweep);
	buf_free(&stack->scratch);
	free(stack);
}

struct sip_transport *sip_stack_transport(struct sip_stack *stack)
{
	return stack->transport;
}

struct sip_dialogs *sip_stack_dialogs(struct sip_stack *stack)
{
	return stack->dialogs;
}

struct wheel *sip_stack_wheel(struct sip_stack *stack)
{
	return stack->wheel;
}

void sip_stack_stats(const struct sip_stack *stack, struct sip_stack_stats *out)
{
	*out = stack->stats;
	out->server_transactions = stack->server.count;
	out->client_transactions = stack->clients;
	out->dialogs = sip_dialogs_count(stack->dialogs);
}
