// SPDX-License-Identifier: BSD-2-Clause
/* bpf/parse.h on any bytes: reads nothing outside the frame, and what it says is what stands there.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "../../bpf/parse.h"

static uint16_t at16(const uint8_t *data, size_t at)
{
	return (uint16_t)(data[at] << 8 | data[at + 1]);
}

static void check_udp(const uint8_t *data, size_t size, const struct sg_packet *packet)
{
	size_t ip_length;

	FUZZ_ASSERT(packet->l3 == 14 || packet->l3 == 18);
	FUZZ_ASSERT(packet->l4 == packet->l3 + (packet->ipv6 ? 40 : 20));
	FUZZ_ASSERT((size_t)packet->l4 + 8 <= size);
	FUZZ_ASSERT(data[packet->l3] >> 4 == (packet->ipv6 ? 6 : 4));
	FUZZ_ASSERT(at16(data, packet->l4) == ntohs(packet->src_port));
	FUZZ_ASSERT(at16(data, packet->l4 + 2u) == ntohs(packet->dst_port));
	FUZZ_ASSERT(at16(data, packet->l4 + 4u) == packet->udp_len);
	if (packet->ipv6)
		ip_length = at16(data, packet->l3 + 4u);
	else
		ip_length = at16(data, packet->l3 + 2u) - 20u;
	FUZZ_ASSERT(packet->udp_len >= 8 && packet->udp_len <= ip_length);
	FUZZ_ASSERT(packet->ttl == data[packet->l3 + (packet->ipv6 ? 7 : 8)]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* An allocation of exactly the frame's size: a byte too far is seen. */
	uint8_t *frame = malloc(size ? size : 1);
	struct sg_packet packet = {0};

	memcpy(frame, data, size);
	if (sg_parse(frame, frame + size, &packet) == SG_PARSED_UDP)
		check_udp(frame, size, &packet);
	FUZZ_ASSERT(memcmp(frame, data, size) == 0);
	free(frame);
	return 0;
}
