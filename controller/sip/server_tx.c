// SPDX-License-Identifier: BSD-2-Clause
/*
 * Server transactions: RFC 3261 17.2 with the Accepted state of RFC 6026 and the non-INVITE rules
 * of RFC 4320. One timer serves each; what it means is said by the state.
 */
#include <errno.h>
#include <stdlib.h>

#include "sip/stack_private.h"

#define TRYING_MS 200u /* SG-1, RFC 3261 17.2.1 */

enum server_state {
	SERVER_PROCEEDING, /* not answered yet */
	SERVER_COMPLETED,  /* a final response went out; to INVITE: not a 2xx */
	SERVER_CONFIRMED,  /* INVITE: and its ACK came */
	SERVER_ACCEPTED,   /* INVITE: a 2xx went out (RFC 6026) */
	SERVER_TERMINATED,
};

struct sip_server_tx {
	struct tx_node node;
	struct tx_node merged; /* in the table only while `may_merge` */
	struct list spent;
	struct timer timer;
	struct sip_stack *stack;
	struct sip_flow flow; /* where responses go */
	struct sip_message *request;
	const struct sip_server_tx_handlers *handlers;
	void *context;
	char *last; /* the last response, for those who ask again */
	uint32_t last_len;
	uint32_t interval; /* until the next retransmission, ms */
	uint64_t deadline; /* of the state, by wheel_now_ms() */
	enum server_state state;
	bool invite, may_merge;
	bool acked; /* ACCEPTED */
};

static void on_timer(void *context);

static bool is_stream(const struct sip_server_tx *tx)
{
	return sip_proto_is_stream(tx->flow.proto);
}

static struct sip_server_tx *of_node(struct tx_node *node)
{
	return node ? container_of(node, struct sip_server_tx, node) : NULL;
}

/* ---- ends ---------------------------------------------------------------------------------- */

static void bury(struct sip_server_tx *tx)
{
	if (list_empty(&tx->spent))
		list_append(&tx->stack->spent_server, &tx->spent);
	stack_sweep_soon(tx->stack);
}

static void drop_request(struct sip_server_tx *tx)
{
	bury(tx);
}

static void leave_merged(struct sip_server_tx *tx)
{
	if (tx->may_merge)
		tx_remove(&tx->stack->merged, &tx->merged);
	tx->may_merge = false;
}

static void drop_last(struct sip_server_tx *tx)
{
	free(tx->last);
	tx->last = NULL;
	tx->last_len = 0;
}

static void terminate(struct sip_server_tx *tx)
{
	tx->state = SERVER_TERMINATED;
	tx->handlers = NULL;
	timer_stop(&tx->timer);
	leave_merged(tx);
	tx_remove(&tx->stack->server, &tx->node);
	bury(tx);
}

static void server_tx_free(struct sip_server_tx *tx)
{
	timer_stop(&tx->timer);
	list_remove(&tx->spent);
	sip_message_unref(tx->request);
	free(tx->last);
	free(tx);
}

void server_tx_sweep(struct sip_stack *stack)
{
	list_for_each(node, after, &stack->spent_server)
	{
		struct sip_server_tx *tx = container_of(node, struct sip_server_tx, spent);

		if (tx->state == SERVER_TERMINATED) {
			server_tx_free(tx);
			continue;
		}
		list_remove(&tx->spent);
		sip_message_unref(tx->request);
		tx->request = NULL;
	}
}

void server_tx_free_all(struct sip_stack *stack)
{
	struct tx_node *node;
	size_t cursor = 0;

	server_tx_sweep(stack);
	while (stack->server.count && (node = tx_walk(&stack->server, &cursor)))
		server_tx_free(of_node(node));
}

/* ---- timers -------------------------------------------------------------------------------- */

static void wait_ms(struct sip_server_tx *tx, uint64_t ms)
{
	timer_start(tx->stack->wheel, &tx->timer, ms, on_timer, tx);
}

/* Waits for the next retransmission or the end of the state, whichever is first. */
static void wait_next(struct sip_server_tx *tx)
{
	uint64_t now = wheel_now_ms(), left = tx->deadline > now ? tx->deadline - now : 0;

	wait_ms(tx, tx->interval && tx->interval < left ? tx->interval : left);
}

static void enter(struct sip_server_tx *tx, enum server_state state, uint64_t life,
		  uint32_t interval)
{
	tx->state = state;
	tx->deadline = wheel_now_ms() + life;
	tx->interval = interval;
	if (life)
		wait_next(tx);
	else
		terminate(tx);
}

static int resend(struct sip_server_tx *tx)
{
	if (!tx->last)
		return 0;
	tx->stack->stats.retransmitted_out++;
	return stack_send(tx->stack, &tx->flow, STR_NONE, (struct str){tx->last, tx->last_len});
}

static void resend_and_wait(struct sip_server_tx *tx)
{
	resend(tx);
	tx->interval *= 2;
	if (tx->interval > tx->stack->config.t2_ms)
		tx->interval = tx->stack->config.t2_ms;
	wait_next(tx);
}

static void give_up_on_ack(struct sip_server_tx *tx)
{
	const struct sip_server_tx_handlers *handlers = tx->handlers;
	void *context = tx->context;
	bool tell = !tx->acked && handlers && handlers->unacknowledged;

	terminate(tx);
	if (tell)
		handlers->unacknowledged(context);
}

static void on_timer(void *context)
{
	struct sip_server_tx *tx = context;
	bool over = wheel_now_ms() >= tx->deadline;

	switch (tx->state) {
	case SERVER_PROCEEDING:
		sip_server_tx_reply(tx, 100, "Trying", STR_NONE, STR_NONE);
		break;
	case SERVER_ACCEPTED:
		if (over)
			give_up_on_ack(tx);
		else
			resend_and_wait(tx);
		break;
	case SERVER_COMPLETED:
		if (over)
			terminate(tx);
		else
			resend_and_wait(tx);
		break;
	case SERVER_CONFIRMED:
		terminate(tx);
		break;
	case SERVER_TERMINATED:
		break;
	}
}

/* ---- responses ------------------------------------------------------------------------------ */

static int status_of(struct str response)
{
	uint32_t status;

	if (!str_starts(response, STR("SIP/2.0 ")) || response.n < 12 ||
	    !str_to_u32((struct str){response.p + 8, 3}, &status) || status < 100 || status > 699)
		return -EINVAL;
	return (int)status;
}

/* Without memory it goes out once and is not repeated: better than a transaction without an end. */
static void keep(struct sip_server_tx *tx, struct str response)
{
	drop_last(tx);
	tx->last = str_dup(response);
	if (tx->last)
		tx->last_len = (uint32_t)response.n;
}

static bool is_challenge(int status)
{
	return status == 401 || status == 407;
}

/*
 * Whoever wrote a false address into a request makes us send to somebody else: a challenge goes out
 * once for each request that comes, and is remembered only as long as one may be on its way (RFC
 * 3261 26.3.2.4). It also ends that two copies of the request are one: some clients come back with
 * credentials and the same CSeq.
 */
static void complete_challenge(struct sip_server_tx *tx)
{
	leave_merged(tx);
	tx->handlers = NULL;
	drop_request(tx);
	enter(tx, SERVER_COMPLETED, is_stream(tx) && !tx->invite ? 0 : tx->stack->config.t4_ms, 0);
}

static void complete(struct sip_server_tx *tx, int status)
{
	const struct sip_stack_config *config = &tx->stack->config;
	uint64_t life = stack_life_ms(tx->stack);

	if (is_challenge(status)) {
		complete_challenge(tx);
		return;
	}
	if (tx->invite && status < 300) {
		/* Sent again on connections too: a hop behind may lose it (RFC 3261 13.3.1.4). */
		enter(tx, SERVER_ACCEPTED, life, config->t1_ms);
		return;
	}
	tx->handlers = NULL;
	drop_request(tx);
	if (tx->invite)
		enter(tx, SERVER_COMPLETED, life, is_stream(tx) ? 0 : config->t1_ms);
	else
		enter(tx, SERVER_COMPLETED, is_stream(tx) ? 0 : life, 0);
}

int sip_server_tx_send(struct sip_server_tx *tx, struct str response)
{
	int status = status_of(response), ret;

	if (status < 0)
		return status;
	if (tx->state != SERVER_PROCEEDING)
		return -EALREADY;
	if (!tx->invite && status == 408) { /* It would come too late to help: RFC 4320 4.2. */
		tx->handlers = NULL;
		terminate(tx);
		return 0;
	}
	if (!tx->invite && status > 100 && status < 200) /* RFC 4320 4.1 */
		return -EINVAL;
	timer_stop(&tx->timer);
	keep(tx, response);
	ret = stack_send(tx->stack, &tx->flow, STR_NONE, response);
	if (status >= 200)
		complete(tx, status);
	return ret;
}

int sip_server_tx_reply(struct sip_server_tx *tx, int status, const char *reason, struct str to_tag,
			struct str headers)
{
	struct buf *out = &tx->stack->scratch;

	if (tx->state != SERVER_PROCEEDING)
		return -EALREADY;
	buf_reset(out);
	sip_write_response(out, tx->request, status, reason, to_tag, false);
	buf_add(out, headers);
	sip_write_body(out, STR_NONE, STR_NONE);
	return buf_error(out) ? buf_error(out) : sip_server_tx_send(tx, buf_str(out));
}

void sip_server_tx_acked(struct sip_server_tx *tx)
{
	if (tx->state != SERVER_ACCEPTED || tx->acked)
		return;
	tx->acked = true;
	tx->handlers = NULL;
	tx->interval = 0;
	drop_last(tx);
	drop_request(tx);
	wait_next(tx);
}

struct sip_message *sip_server_tx_request(struct sip_server_tx *tx)
{
	return tx->request;
}

void sip_server_tx_handle(struct sip_server_tx *tx, const struct sip_server_tx_handlers *handlers,
			  void *context)
{
	tx->handlers = handlers;
	tx->context = context;
}

void sip_server_tx_forget(struct sip_server_tx *tx)
{
	tx->handlers = NULL;
}

static bool came_through_proxy(const struct sip_message *request)
{
	size_t cursor = 0, vias = 0;

	for (struct str via; sip_header_list(request, "Via", &cursor, &via);)
		vias++;
	return vias > 1;
}

void sip_server_tx_follow(struct sip_server_tx *tx, const struct sip_flow *flow)
{
	bool waits = tx->state == SERVER_PROCEEDING || (tx->state == SERVER_ACCEPTED && !tx->acked);

	if (waits && tx->request && !came_through_proxy(tx->request))
		tx->flow = *flow;
}

/* ---- requests ------------------------------------------------------------------------------- */

struct sip_flow server_tx_return_flow(const struct sip_message *request)
{
	const struct sip_via *via = &request->via;
	struct sip_flow flow = request->flow;

	/*
	 * To where it came from when that was asked for (RFC 3581 4); else to the port of sent-by
	 * at the address that it came from. A connection is named by flow.conn and that port is for
	 * the case that it is gone (RFC 3261 18.2.2). maddr is not followed: it would let anybody
	 * aim our responses at somebody else.
	 */
	if (via->rport && flow.proto == SIP_UDP)
		return flow;
	if (via->port)
		flow.remote.port = via->port;
	else
		flow.remote.port = flow.proto == SIP_TLS ? 5061 : 5060;
	return flow;
}

/*
 * Non-INVITE: a 100 only once the client repeats itself every T2 (RFC 4320 4.1), which it does
 * after T1 + 2 T1 + ... until T2 is reached.
 */
static uint64_t trying_ms(const struct sip_server_tx *tx)
{
	const struct sip_stack_config *config = &tx->stack->config;
	uint64_t ms = 0;

	if (tx->invite)
		return TRYING_MS;
	for (uint64_t step = config->t1_ms; step < config->t2_ms; step *= 2)
		ms += step;
	return ms;
}

/* `merged`: where copies of the request find it; NULL: nowhere. */
static struct sip_server_tx *create(struct sip_stack *stack, struct sip_message *request,
				    struct tx_key key, const struct tx_key *merged)
{
	struct sip_server_tx *tx = calloc(1, sizeof(*tx));

	if (!tx)
		return NULL;
	tx->stack = stack;
	tx->request = sip_message_ref(request);
	tx->flow = server_tx_return_flow(request);
	tx->invite = request->method == SIP_INVITE;
	if (tx_add(&stack->server, &tx->node, key) < 0) {
		server_tx_free(tx);
		return NULL;
	}
	tx->may_merge = merged && !tx_add(&stack->merged, &tx->merged, *merged);
	wait_ms(tx, trying_ms(tx));
	return tx;
}

static void again(struct sip_server_tx *tx)
{
	tx->stack->stats.retransmitted_in++;
	/* In Accepted the 2xx has a timer of its own (RFC 6026 7.1). */
	if (tx->state == SERVER_PROCEEDING || tx->state == SERVER_COMPLETED)
		resend(tx);
}

/* The transaction that a CANCEL belongs to: it has the branch of its INVITE. */
static struct sip_server_tx *invite_of(const struct sip_stack *stack,
				       const struct sip_message *message)
{
	return of_node(tx_find(&stack->server, tx_key_server(&stack->seeds, &stack->server, message,
							     STR("INVITE"))));
}

/* `tx`: of its INVITE, NULL where there is none. */
static void receive_ack(struct sip_stack *stack, struct sip_server_tx *tx, struct sip_message *ack)
{
	/* In Accepted: of a client that gives the ACK of a 2xx the branch of its INVITE. */
	if (!tx || tx->state == SERVER_ACCEPTED) {
		if (stack->handlers.ack)
			stack->handlers.ack(stack->context, ack);
	} else if (tx->state == SERVER_COMPLETED) {
		drop_last(tx);
		enter(tx, SERVER_CONFIRMED, is_stream(tx) ? 0 : stack->config.t4_ms, 0);
	}
}

/* The To tag that the INVITE was answered with: RFC 3261 9.2 wants the same for its CANCEL. */
static struct str tag_of_last(const struct sip_server_tx *tx)
{
	struct str rest = {tx->last, tx->last_len}, line, tag;

	while (str_split(&rest, '\n', &line) && (line = str_trim(line)).n) {
		size_t at = str_index(line, '>');

		if (str_case_starts(line, STR("To:")) && at < line.n &&
		    sip_param((struct str){line.p + at + 1, line.n - at - 1}, "tag", &tag))
			return tag;
	}
	return STR_NONE;
}

/* RFC 3261 9.2. Only an INVITE can be cancelled, in effect. */
static void receive_cancel(struct sip_stack *stack, struct sip_message *cancel, struct tx_key key)
{
	struct sip_server_tx *tx = invite_of(stack, cancel), *own;
	char fresh[SIP_TOKEN_LEN];
	struct str tag;

	if (!tx) {
		stack_refuse(stack, cancel, 481, "Call/Transaction Does Not Exist", STR_NONE);
		return;
	}
	own = create(stack, cancel, key, NULL);
	if (!own)
		return;
	tag = tag_of_last(tx);
	sip_token(stack, fresh);
	sip_server_tx_reply(own, 200, "OK", tag.n ? tag : str_of(fresh), STR_NONE);
	if (tx->state == SERVER_PROCEEDING && tx->handlers && tx->handlers->cancelled)
		tx->handlers->cancelled(tx->context, cancel);
}

static void receive_new(struct sip_stack *stack, struct sip_message *request, struct tx_key key)
{
	bool may_merge = !request->to_tag.n;
	struct sip_server_tx *tx = NULL;
	struct tx_key merged;

	if (may_merge) {
		merged = tx_key_merged(&stack->seeds, &stack->merged, request);
		if (tx_find(&stack->merged, merged)) {
			stack_refuse(stack, request, 482, "Loop Detected", STR_NONE);
			return;
		}
	}
	if (stack->server.count + stack->clients < stack->config.transactions)
		tx = create(stack, request, key, may_merge ? &merged : NULL);
	if (!tx)
		stack_refuse(stack, request, 503, "Service Unavailable",
			     STR("Retry-After: 10\r\n"));
	else
		stack->handlers.request(stack->context, tx, request);
}

struct tx_key server_tx_key(const struct sip_stack *stack, const struct sip_message *request)
{
	return tx_key_server(&stack->seeds, &stack->server, request,
			     request->method == SIP_ACK ? STR("INVITE") : request->method_name);
}

void server_tx_receive(struct sip_stack *stack, struct sip_message *request, struct tx_key key)
{
	struct sip_server_tx *tx = of_node(tx_find(&stack->server, key));

	if (request->method == SIP_ACK)
		receive_ack(stack, tx, request);
	else if (tx)
		again(tx);
	else if (request->method == SIP_CANCEL)
		receive_cancel(stack, request, key);
	else
		receive_new(stack, request, key);
}
