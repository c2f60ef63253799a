// SPDX-License-Identifier: BSD-2-Clause
/*
 * Requests that are too long for a datagram (RFC 3261 18.1.1): fragments get lost, and many a NAT
 * drops them all. They go by TCP to the same address; whoever does not take a connection gets
 * the datagram after all.
 */
#include "sip/stack_private.h"

#define MTU_SPARE 200u /* RFC 3261 18.1.1: room for what a proxy adds, and the headers below */

static struct no_stream *slot_of(struct sip_stack *stack, const struct netaddr *remote)
{
	const char port[] = {(char)(remote->port >> 8), (char)remote->port};
	uint64_t key = hash_text(&stack->seeds.check, (struct str){(const char *)remote->addr, 16});

	key = hash_more(&stack->seeds.check, key, (struct str){port, sizeof(port)});
	return &stack->no_stream[key % NO_STREAMS];
}

bool large_goes_by_stream(struct sip_stack *stack, const struct netaddr *remote, size_t length)
{
	size_t most = stack->config.datagram_max;
	const struct no_stream *slot;
	unsigned mtu;

	/* Nothing that short is too long for any way: the least MTU is that of IPv6, 1280. */
	if (!most || (length <= most && length <= 1280 - MTU_SPARE))
		return false;
	mtu = sip_transport_mtu(stack->transport, remote);
	if (length <= most && (!mtu || length + MTU_SPARE <= mtu))
		return false;
	slot = slot_of(stack, remote);
	return !netaddr_eq(&slot->remote, remote) || wheel_now_ms() >= slot->until_ms;
}

/* As long as a 2xx is repeated: its ACK, which no transaction watches over, gets through then. */
void large_not_by_stream(struct sip_stack *stack, const struct netaddr *remote)
{
	*slot_of(stack, remote) =
		(struct no_stream){*remote, wheel_now_ms() + stack_life_ms(stack)};
}
