// SPDX-License-Identifier: BSD-2-Clause
/* The way of a request: resolving, one target after the other (RFC 3263 4.3), and connections. */
#include <errno.h>
#include <stdlib.h>

#include "sip/client_tx.h"

/* ---- connections ----------------------------------------------------------------------------- */

static uint64_t carrier_key(const struct sip_stack *stack, const struct sip_flow *flow)
{
	const struct netaddr *remote = &flow->remote;
	const char port[] = {(char)(remote->port >> 8), (char)remote->port};
	uint64_t key = flow->conn;

	if (key)
		return key;
	key = hash_text(&stack->seeds.check, (struct str){(const char *)remote->addr, 16});
	return hash_more(&stack->seeds.check, key, (struct str){port, sizeof(port)});
}

static struct carrier *carrier_of(struct sip_stack *stack, uint64_t key)
{
	struct hash_node *node = hash_first(&stack->carriers, key);

	return node ? container_of(node, struct carrier, node) : NULL;
}

/* Without memory for it the transaction learns of the end by its time-out. */
static void join_carrier(struct sip_client_tx *tx)
{
	uint64_t key = carrier_key(tx->stack, &tx->flow);
	struct carrier *carrier = carrier_of(tx->stack, key);

	if (!carrier) {
		carrier = calloc(1, sizeof(*carrier));
		if (!carrier)
			return;
		list_init(&carrier->waiting);
		hash_add(&tx->stack->carriers, &carrier->node, key);
	}
	list_append(&carrier->waiting, &tx->carried);
	tx->carrier = carrier;
}

void client_tx_leave_carrier(struct sip_client_tx *tx)
{
	struct carrier *carrier = tx->carrier;

	if (!carrier)
		return;
	list_remove(&tx->carried);
	tx->carrier = NULL;
	if (list_empty(&carrier->waiting)) {
		hash_remove(&tx->stack->carriers, &carrier->node);
		free(carrier);
	}
}

/* An answer that has begun may yet come by another connection (RFC 3261 18.2.2). */
static void lose_way(struct sip_client_tx *tx, bool datagram)
{
	if (tx->state != CLIENT_CALLING)
		return;
	if (tx->reason && datagram)
		return; /* nobody wants it elsewhere: it ends by its time-out */
	if (tx->reason || client_tx_try_next(tx) < 0)
		client_tx_fail(tx, 503);
}

/*
 * Of datagrams only those wait here that have a further target. The others are sent on as if
 * nothing was heard: a phone between two networks is unreachable for a moment only.
 */
void client_tx_closed(struct sip_stack *stack, const struct sip_flow *flow)
{
	uint64_t key = carrier_key(stack, flow);
	struct carrier *carrier;

	/* The last that leaves frees it. A target that is there twice may join again, not for ever.
	 */
	while ((carrier = carrier_of(stack, key))) {
		struct sip_client_tx *tx =
			container_of(carrier->waiting.next, struct sip_client_tx, carried);

		client_tx_leave_carrier(tx);
		lose_way(tx, !flow->conn);
	}
}

/* ---- the table ------------------------------------------------------------------------------- */

int client_tx_index(struct sip_client_tx *tx, struct str branch)
{
	struct sip_stack *stack = tx->stack;
	int ret =
		tx_add(&stack->client, &tx->node,
		       tx_key_client(&stack->seeds, &stack->client, branch, client_tx_method(tx)));

	if (ret < 0)
		return ret;
	list_remove(&tx->place);
	tx->indexed = true;
	return 0;
}

void client_tx_unindex(struct sip_client_tx *tx)
{
	client_tx_leave_carrier(tx);
	if (!tx->indexed)
		return;
	tx_remove(&tx->stack->client, &tx->node);
	tx->indexed = false;
	list_append(&tx->stack->unsent, &tx->place);
}

/* ---- sending --------------------------------------------------------------------------------- */

static int transmit(struct sip_client_tx *tx, struct str name)
{
	return stack_send(tx->stack, &tx->flow, name, (struct str){tx->packet, tx->packet_len});
}

int client_tx_transmit(struct sip_client_tx *tx)
{
	return transmit(tx, STR_NONE);
}

/* Writes the lines of this hop, under a new branch. */
static int prepare(struct sip_client_tx *tx, const struct sip_flow *flow, bool contact,
		   struct str contact_user)
{
	char branch[SIP_BRANCH_LEN];
	int ret;

	client_tx_unindex(tx);
	tx->flow = *flow;
	ret = sip_transport_choose(tx->stack->transport, &tx->flow);
	if (ret < 0)
		return ret;
	stack_branch(tx->stack, branch);
	return client_tx_write_hop(tx, str_of(branch), contact, contact_user);
}

static int launch(struct sip_client_tx *tx, struct str name)
{
	int ret = transmit(tx, name);

	if (ret < 0 || tx->stateless)
		return ret;
	ret = client_tx_index(tx, client_tx_branch(tx));
	if (ret < 0)
		return ret;
	if (tx->flow.conn || client_tx_has_next(tx))
		join_carrier(tx);
	client_tx_enter_calling(tx);
	return 0;
}

/* On that flow and no other: it may be all that leads through a NAT (RFC 5626 5.3). */
static int launch_on_flow(struct sip_client_tx *tx, const struct sip_outgoing *outgoing)
{
	int ret = prepare(tx, outgoing->flow, outgoing->contact, outgoing->contact_user);

	return ret < 0 ? ret : launch(tx, outgoing->server_name);
}

bool client_tx_has_next(const struct sip_client_tx *tx)
{
	return tx->route && tx->route->next < tx->route->targets.count;
}

void client_tx_settle(struct sip_client_tx *tx)
{
	if (!tx->route || !tx->route->streamed)
		return;
	tx->route->streamed = false;
	tx->route->next++;
}

/* RFC 3261 18.1.1. The target is counted as tried when it was tried by UDP as well. */
static int try_target(struct sip_client_tx *tx, struct client_route *route)
{
	const struct sip_target *target = &route->targets.target[route->next];
	struct str user = str_of(route->contact_user);
	struct sip_flow flow = {.proto = target->proto, .remote = target->address};
	bool again = route->streamed;
	int ret = prepare(tx, &flow, route->contact, user);

	route->streamed = !ret && !again && flow.proto == SIP_UDP &&
			  large_goes_by_stream(tx->stack, &flow.remote, tx->packet_len);
	if (route->streamed) {
		flow.proto = SIP_TCP;
		ret = prepare(tx, &flow, route->contact, user);
	} else {
		route->next++;
	}
	return ret < 0 ? ret : launch(tx, str_of(route->targets.name));
}

int client_tx_try_next(struct sip_client_tx *tx)
{
	struct client_route *route = tx->route;
	int ret = -EHOSTUNREACH;

	while (ret < 0 && client_tx_has_next(tx))
		ret = try_target(tx, route);
	if (!client_tx_has_next(tx))
		client_tx_drop_route(tx);
	return ret;
}

void client_tx_drop_route(struct sip_client_tx *tx)
{
	if (!tx->route)
		return;
	sip_query_cancel(tx->route->query);
	free(tx->route->contact_user);
	free(tx->route);
	tx->route = NULL;
}

static void resolved(void *context, const struct sip_targets *targets, int error)
{
	struct sip_client_tx *tx = context;

	tx->route->query = NULL;
	if (!error) {
		tx->route->targets = *targets;
		error = tx->reason ? -ECANCELED : client_tx_try_next(tx);
	}
	if (error < 0)
		client_tx_fail(tx, error == -ETIMEDOUT || error == -ECANCELED ? 408 : 503);
	else if (tx->stateless)
		client_tx_terminate(tx);
}

/* ---- the door -------------------------------------------------------------------------------- */

static int launch_by_uri(struct sip_client_tx *tx, const struct sip_outgoing *outgoing)
{
	struct client_route *route = calloc(1, sizeof(*route));
	struct sip_uri uri;
	int ret;

	if (!route)
		return -ENOMEM;
	tx->route = route;
	route->contact = outgoing->contact;
	route->contact_user = str_dup(outgoing->contact_user);
	if (!route->contact_user)
		return -ENOMEM;
	ret = sip_uri_parse(&uri, outgoing->uri);
	if (ret < 0)
		return ret;
	ret = sip_resolve(tx->stack->resolver, &uri, &route->targets, resolved, tx, &route->query);
	return ret < 0 ? ret : client_tx_try_next(tx);
}

/* What the caller can do nothing about is told later, as a failure. */
static bool is_callers(int error)
{
	return error == -ENOMEM || error == -EINVAL || error == -EMSGSIZE;
}

static int send_outgoing(struct sip_stack *stack, const struct sip_outgoing *outgoing,
			 bool stateless, struct sip_client_tx **out)
{
	struct sip_client_tx *tx;
	int ret;

	/* Some room beyond what requests may take: calls that live must be able to end. */
	if (stack->server.count + stack->clients >=
	    stack->config.transactions + stack->config.transactions / 2)
		return -ENOBUFS;
	tx = client_tx_create(stack, outgoing->method == SIP_INVITE);
	if (!tx)
		return -ENOMEM;
	tx->stateless = stateless;
	ret = client_tx_write_request(tx, outgoing->text);
	if (!ret)
		ret = outgoing->flow ? launch_on_flow(tx, outgoing) : launch_by_uri(tx, outgoing);
	if (ret < 0 && is_callers(ret)) {
		client_tx_free(tx);
		return ret;
	}
	*out = tx;
	return ret;
}

int sip_client_send(struct sip_stack *stack, const struct sip_outgoing *outgoing,
		    const struct sip_client_tx_handlers *handlers, void *context,
		    struct sip_client_tx **out)
{
	struct sip_client_tx *tx;
	int ret = send_outgoing(stack, outgoing, false, &tx);

	if (ret < 0 && (is_callers(ret) || ret == -ENOBUFS))
		return ret;
	tx->handlers = handlers;
	tx->context = context;
	if (ret < 0 && ret != -EINPROGRESS) {
		client_tx_fail_soon(tx, 503);
	}
	if (out)
		*out = tx;
	return 0;
}

int sip_send_stateless(struct sip_stack *stack, const struct sip_outgoing *outgoing)
{
	struct sip_client_tx *tx;
	int ret = send_outgoing(stack, outgoing, true, &tx);

	if (ret == -EINPROGRESS)
		return 0;
	if (ret < 0 && (is_callers(ret) || ret == -ENOBUFS))
		return ret;
	client_tx_terminate(tx);
	return ret;
}
