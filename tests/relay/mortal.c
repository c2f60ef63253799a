/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>

#include "../../relay/index.h"
#include "mortal.h"

static unsigned long steps_left;

void mortal_die_at(unsigned long step)
{
	steps_left = step;
}

/* Only where something is half-done: under the lock. */
static void step(const struct sg_relay *relay)
{
	if (relay->lock_depth && steps_left && --steps_left == 0)
		raise(SIGKILL);
}

#define MORTAL(type, name, parameters, arguments)                                                  \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		step(relay);                                                                       \
		return __real_##name arguments;                                                    \
	}

MORTAL(int, sg_nexthop_get,
       (struct sg_relay * relay, const uint8_t local[16], const uint8_t remote[16],
	unsigned resolve_ms, uint16_t *index, struct sg_error *err),
       (relay, local, remote, resolve_ms, index, err))
MORTAL(void, sg_nexthop_put, (struct sg_relay * relay, uint16_t index), (relay, index))
MORTAL(int64_t, sg_index_take_slot, (struct sg_relay * relay), (relay))
MORTAL(void, sg_stat_clear, (struct sg_relay * relay, uint32_t stream), (relay, stream))
MORTAL(void, sg_path_install,
       (struct sg_relay * relay, uint32_t stream, uint32_t side, uint32_t slot,
	const struct sg_path_plan *plan),
       (relay, stream, side, slot, plan))
MORTAL(void, sg_port_install,
       (struct sg_relay * relay, const struct sg_endpoint *local, uint64_t entry),
       (relay, local, entry))
MORTAL(void, sg_route_store, (struct sg_relay * relay, uint32_t stream, uint64_t route),
       (relay, stream, route))
MORTAL(void, sg_index_add_name, (struct sg_relay * relay, uint32_t stream), (relay, stream))
MORTAL(void, sg_index_remove_name, (struct sg_relay * relay, uint32_t stream), (relay, stream))
MORTAL(void, sg_path_rest_ports,
       (struct sg_relay * relay, uint32_t stream, uint32_t side, uint32_t slot, uint64_t until_ns),
       (relay, stream, side, slot, until_ns))
MORTAL(void, sg_port_rest,
       (struct sg_relay * relay, const struct sg_endpoint *local, uint64_t until_ns),
       (relay, local, until_ns))
MORTAL(void, sg_stream_release, (struct sg_relay * relay, uint32_t stream), (relay, stream))
MORTAL(int, sg_change_end, (struct sg_relay * relay, int ret), (relay, ret))
