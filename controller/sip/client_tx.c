// SPDX-License-Identifier: BSD-2-Clause
/*
 * Client transactions: RFC 3261 17.1 with the Accepted state of RFC 6026. One timer serves each;
 * what it means is said by the state.
 */
#include <errno.h>
#include <stdlib.h>

#include "sip/client_tx.h"

/*
 * Nothing lives for ever: how long a phone may ring is the caller's matter, and less. Each
 * provisional response begins it anew (as timer C of RFC 3261 16.8).
 */
#define RINGING_MS (60u * 60 * 1000)

static void on_timer(void *context);

static bool is_stream(const struct sip_client_tx *tx)
{
	return sip_proto_is_stream(tx->flow.proto);
}

/* ---- beginnings and ends --------------------------------------------------------------------- */

struct sip_client_tx *client_tx_create(struct sip_stack *stack, bool invite)
{
	struct sip_client_tx *tx = calloc(1, sizeof(*tx));

	if (!tx)
		return NULL;
	tx->stack = stack;
	tx->invite = invite;
	stack->clients++;
	list_append(&stack->unsent, &tx->place);
	return tx;
}

static void drop_packet(struct sip_client_tx *tx)
{
	free(tx->packet);
	tx->packet = NULL;
	tx->packet_len = tx->hop_at = tx->hop_len = 0;
}

static void drop_reason(struct sip_client_tx *tx)
{
	free(tx->reason);
	tx->reason = NULL;
}

void client_tx_free(struct sip_client_tx *tx)
{
	timer_stop(&tx->timer);
	client_tx_unindex(tx);
	client_tx_drop_route(tx);
	list_remove(&tx->place);
	drop_packet(tx);
	drop_reason(tx);
	tx->stack->clients--;
	free(tx);
}

void client_tx_terminate(struct sip_client_tx *tx)
{
	if (tx->state == CLIENT_TERMINATED)
		return;
	tx->state = CLIENT_TERMINATED;
	tx->handlers = NULL;
	timer_stop(&tx->timer);
	client_tx_unindex(tx);
	client_tx_drop_route(tx);
	list_remove(&tx->place);
	list_append(&tx->stack->spent_client, &tx->place);
	stack_sweep_soon(tx->stack);
}

void client_tx_fail(struct sip_client_tx *tx, int status)
{
	const struct sip_client_tx_handlers *handlers = tx->handlers;
	void *context = tx->context;

	client_tx_terminate(tx);
	if (handlers && handlers->failed)
		handlers->failed(context, status);
}

void client_tx_fail_soon(struct sip_client_tx *tx, int status)
{
	tx->state = CLIENT_FAILING;
	tx->status = status;
	timer_start(tx->stack->wheel, &tx->timer, 0, on_timer, tx);
}

void client_tx_sweep(struct sip_stack *stack)
{
	list_for_each(node, after, &stack->spent_client)
		client_tx_free(container_of(node, struct sip_client_tx, place));
}

void client_tx_free_all(struct sip_stack *stack)
{
	struct tx_node *found;
	size_t cursor = 0;

	client_tx_sweep(stack);
	list_for_each(node, after, &stack->unsent)
		client_tx_free(container_of(node, struct sip_client_tx, place));
	while (stack->client.count && (found = tx_walk(&stack->client, &cursor))) {
		struct sip_client_tx *tx = container_of(found, struct sip_client_tx, node);

		client_tx_leave_carrier(tx);
		tx->indexed = false; /* the table goes as a whole */
		client_tx_free(tx);
	}
}

/* ---- timers ---------------------------------------------------------------------------------- */

static void wait_next(struct sip_client_tx *tx)
{
	uint64_t now = wheel_now_ms(), left = tx->deadline > now ? tx->deadline - now : 0;

	timer_start(tx->stack->wheel, &tx->timer,
		    tx->interval && tx->interval < left ? tx->interval : left, on_timer, tx);
}

static void enter(struct sip_client_tx *tx, enum client_state state, uint64_t life,
		  uint32_t interval)
{
	tx->state = state;
	tx->deadline = wheel_now_ms() + life;
	tx->interval = interval;
	if (life)
		wait_next(tx);
	else
		client_tx_terminate(tx);
}

/* Timers A and E on datagrams, B and F on all (RFC 3261 17.1.1.2, 17.1.2.2). */
void client_tx_enter_calling(struct sip_client_tx *tx)
{
	enter(tx, CLIENT_CALLING, stack_life_ms(tx->stack),
	      is_stream(tx) ? 0 : tx->stack->config.t1_ms);
}

static void retransmit(struct sip_client_tx *tx)
{
	const struct sip_stack_config *config = &tx->stack->config;

	tx->stack->stats.retransmitted_out++;
	client_tx_transmit(tx);
	tx->interval *= 2;
	if (!tx->invite && tx->interval > config->t2_ms)
		tx->interval = config->t2_ms;
	wait_next(tx);
}

static void timed_out(struct sip_client_tx *tx)
{
	client_tx_settle(tx);
	/* The next target only if this one said nothing at all, and nobody has lost interest. */
	if (tx->state != CLIENT_CALLING || tx->reason || client_tx_try_next(tx) < 0)
		client_tx_fail(tx, 408);
}

static void on_timer(void *context)
{
	struct sip_client_tx *tx = context;

	switch (tx->state) {
	case CLIENT_CALLING:
	case CLIENT_PROCEEDING:
		if (wheel_now_ms() >= tx->deadline)
			timed_out(tx);
		else
			retransmit(tx);
		break;
	case CLIENT_FAILING:
		client_tx_fail(tx, tx->status);
		break;
	case CLIENT_COMPLETED:
	case CLIENT_ACCEPTED:
		client_tx_terminate(tx);
		break;
	case CLIENT_RESOLVING:
	case CLIENT_TERMINATED:
		break;
	}
}

/* ---- CANCEL ---------------------------------------------------------------------------------- */

/* A transaction made of a text that holds its Via already: CANCEL, on the flow of its INVITE. */
static int launch_text(const struct sip_client_tx *invite, struct str text)
{
	struct sip_client_tx *tx = client_tx_create(invite->stack, false);
	int ret;

	if (!tx)
		return -ENOMEM;
	tx->flow = invite->flow;
	ret = client_tx_write_request(tx, text);
	if (!ret)
		ret = client_tx_index(tx, client_tx_branch(invite));
	if (!ret)
		ret = client_tx_transmit(tx);
	if (ret < 0)
		client_tx_free(tx);
	else
		client_tx_enter_calling(tx);
	return ret;
}

static void send_cancel(struct sip_client_tx *tx)
{
	struct buf text = BUF_EMPTY;

	tx->cancelled = true;
	client_tx_write_cancel(&text, tx);
	if (!buf_error(&text))
		launch_text(tx, buf_str(&text));
	buf_free(&text);
	/* The other side has to answer the INVITE now; it may be too old to (RFC 3261 9.1). */
	enter(tx, CLIENT_PROCEEDING, stack_life_ms(tx->stack), 0);
}

/* As a whole line, whether the caller gave one or its value. */
static char *reason_line(struct str reason)
{
	struct buf line = BUF_EMPTY;

	reason = str_trim(reason);
	if (reason.n && !str_case_starts(reason, STR("Reason:")))
		buf_add(&line, STR("Reason: "));
	buf_add(&line, reason);
	if (line.data && !buf_error(&line))
		return line.data;
	buf_free(&line);
	return str_dup(STR(""));
}

void sip_client_tx_cancel(struct sip_client_tx *tx, struct str reason_header)
{
	if (!tx->invite || tx->reason ||
	    (tx->state != CLIENT_RESOLVING && tx->state != CLIENT_CALLING &&
	     tx->state != CLIENT_PROCEEDING))
		return;
	tx->reason = reason_line(reason_header);
	if (tx->state == CLIENT_PROCEEDING)
		send_cancel(tx);
}

void sip_client_tx_forget(struct sip_client_tx *tx)
{
	tx->handlers = NULL;
	if (tx->state == CLIENT_FAILING)
		client_tx_terminate(tx);
	/* Nobody is left who would limit how long it rings. */
	if (tx->state == CLIENT_PROCEEDING && tx->invite && !tx->cancelled)
		enter(tx, CLIENT_PROCEEDING, stack_life_ms(tx->stack), 0);
}

void sip_client_tx_follow(struct sip_client_tx *tx, const struct sip_flow *flow)
{
	if (tx->state != CLIENT_PROCEEDING)
		return;
	client_tx_leave_carrier(tx);
	tx->flow = *flow;
}

const struct sip_flow *sip_client_tx_flow(const struct sip_client_tx *tx)
{
	return &tx->flow;
}

/* ---- responses ------------------------------------------------------------------------------- */

static void stray(struct sip_stack *stack, struct sip_message *response)
{
	if (response->method == SIP_INVITE && response->status >= 200 && response->status < 300 &&
	    stack->handlers.stray)
		stack->handlers.stray(stack->context, response);
}

static void deliver(struct sip_client_tx *tx, struct sip_message *response)
{
	if (tx->handlers && tx->handlers->response)
		tx->handlers->response(tx->context, response);
	else
		stray(tx->stack, response);
}

/* The last one: the transaction is the stack's own from here on. */
static void deliver_final(struct sip_client_tx *tx, struct sip_message *response, uint64_t life)
{
	const struct sip_client_tx_handlers *handlers = tx->handlers;
	void *context = tx->context;

	tx->handlers = NULL;
	client_tx_leave_carrier(tx);
	client_tx_drop_route(tx);
	drop_reason(tx);
	enter(tx, CLIENT_COMPLETED, life, 0);
	if (handlers && handlers->response)
		handlers->response(context, response);
}

static void receive_provisional(struct sip_client_tx *tx, struct sip_message *response)
{
	if (!tx->invite) {
		tx->state = CLIENT_PROCEEDING;
		tx->interval = is_stream(tx) ? 0 : tx->stack->config.t2_ms;
	} else if (tx->reason && !tx->cancelled) {
		send_cancel(tx);
	} else if (!tx->cancelled && tx->handlers) {
		enter(tx, CLIENT_PROCEEDING, RINGING_MS, 0);
	} else if (tx->state == CLIENT_CALLING) {
		enter(tx, CLIENT_PROCEEDING, stack_life_ms(tx->stack), 0);
	}
	if (!client_tx_has_next(tx))
		client_tx_drop_route(tx);
	deliver(tx, response);
}

static uint64_t tag_hash(const struct sip_client_tx *tx, const struct sip_message *response)
{
	return hash_text(&tx->stack->seeds.check, response->to_tag);
}

/* True for a To tag that was not seen yet, and remembers it. */
static bool is_new_fork(struct sip_client_tx *tx, const struct sip_message *response)
{
	uint64_t tag = tag_hash(tx, response);

	for (unsigned i = 0; i < tx->tags; i++) {
		if (tx->tag[i] == tag)
			return false;
	}
	if (tx->tags >= CLIENT_FORKS)
		return false;
	tx->tag[tx->tags++] = tag;
	return true;
}

static void receive_2xx(struct sip_client_tx *tx, struct sip_message *response)
{
	if (tx->state != CLIENT_ACCEPTED) {
		client_tx_leave_carrier(tx);
		client_tx_drop_route(tx);
		drop_packet(tx);
		drop_reason(tx);
		enter(tx, CLIENT_ACCEPTED, stack_life_ms(tx->stack), 0); /* timer M */
	}
	if (is_new_fork(tx, response))
		deliver(tx, response);
	else
		stray(tx->stack, response);
}

/* From here on the packet is the ACK. */
static int send_ack(struct sip_client_tx *tx, const struct sip_message *response)
{
	struct buf *out = &tx->stack->scratch;
	char *ack;

	buf_reset(out);
	client_tx_write_ack(out, tx, response);
	ack = buf_error(out) ? NULL : str_dup(buf_str(out));
	if (!ack)
		return -ENOMEM;
	drop_packet(tx);
	tx->packet = ack;
	tx->packet_len = (uint32_t)out->len;
	return client_tx_transmit(tx);
}

/* Timer D: as long as the answer may be repeated; there is no repeating on connections. */
static uint64_t completed_ms(const struct sip_client_tx *tx)
{
	if (is_stream(tx))
		return 0;
	return tx->invite ? stack_life_ms(tx->stack) : tx->stack->config.t4_ms;
}

/*
 * The INVITE goes on to the next target, but the refusal of this one may be repeated: what is left
 * behind here sends its ACK again.
 */
static void leave_remnant(const struct sip_client_tx *tx, const struct sip_message *response)
{
	struct sip_client_tx *remnant = client_tx_create(tx->stack, true);
	struct str request = {tx->packet, tx->packet_len}, branch = client_tx_branch(tx);

	if (!remnant)
		return;
	remnant->flow = tx->flow;
	if (client_tx_write_request(remnant, request) < 0 || client_tx_index(remnant, branch) < 0) {
		client_tx_free(remnant);
		return;
	}
	remnant->hop_len = tx->hop_len;
	send_ack(remnant, response);
	enter(remnant, CLIENT_COMPLETED, completed_ms(remnant), 0);
}

/* RFC 3263 4.3: 503 means that this server is of no use now. False: it is to be treated as final.
 */
static bool moved_on(struct sip_client_tx *tx, struct sip_message *response)
{
	if (response->status != 503 || tx->reason || !client_tx_has_next(tx))
		return false;
	if (tx->invite)
		leave_remnant(tx, response);
	if (client_tx_try_next(tx) < 0)
		deliver_final(tx, response, 0);
	return true;
}

static void receive_refusal(struct sip_client_tx *tx, struct sip_message *response)
{
	if (tx->state == CLIENT_COMPLETED) {
		tx->stack->stats.retransmitted_in++;
		client_tx_transmit(tx);
	} else if (tx->state == CLIENT_CALLING || tx->state == CLIENT_PROCEEDING) {
		if (moved_on(tx, response))
			return;
		send_ack(tx, response);
		deliver_final(tx, response, completed_ms(tx));
	}
}

static void receive_to_invite(struct sip_client_tx *tx, struct sip_message *response)
{
	bool waiting = tx->state == CLIENT_CALLING || tx->state == CLIENT_PROCEEDING;

	if (response->status >= 300)
		receive_refusal(tx, response);
	else if (response->status >= 200 && (waiting || tx->state == CLIENT_ACCEPTED))
		receive_2xx(tx, response);
	else if (response->status < 200 && waiting)
		receive_provisional(tx, response);
}

static void receive_to_other(struct sip_client_tx *tx, struct sip_message *response)
{
	if (tx->state != CLIENT_CALLING && tx->state != CLIENT_PROCEEDING) {
		tx->stack->stats.retransmitted_in++;
	} else if (response->status < 200) {
		receive_provisional(tx, response);
	} else if (!moved_on(tx, response)) {
		drop_packet(tx);
		deliver_final(tx, response, completed_ms(tx));
	}
}

struct tx_key client_tx_key(const struct sip_stack *stack, const struct sip_message *response)
{
	return tx_key_client(&stack->seeds, &stack->client, response->via.branch,
			     response->method_name);
}

void client_tx_receive(struct sip_stack *stack, struct sip_message *response, struct tx_key key)
{
	struct tx_node *node = tx_find(&stack->client, key);
	struct sip_client_tx *tx;

	if (!node) {
		stray(stack, response);
		return;
	}
	tx = container_of(node, struct sip_client_tx, node);
	client_tx_settle(tx);
	if (tx->invite)
		receive_to_invite(tx, response);
	else
		receive_to_other(tx, response);
}
