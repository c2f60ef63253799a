// SPDX-License-Identifier: BSD-2-Clause
/* How handovers end, and how fast the map changes: the sums over all calls, for the metrics. */
#include "call/handover.h"

#define US 1000ull
#define MS 1000000ull

const uint64_t calls_handover_bound_ns[CALLS_HANDOVER_BOUNDS] = {
	100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS, 50 * MS, 250 * MS,
};

_Static_assert(HANDOVER_OPERATOR == CALLS_HANDOVER_SCHEMES - 1, "each scheme is counted");
_Static_assert(HANDOVER_FAILED == CALLS_HANDOVER_STATES - 1, "and each way to end");

void handover_figure(const struct handover *handover)
{
	struct calls_handover_figures *figures = &handover->call->calls->handover_figures;
	uint64_t ns = handover->at.changed - handover->at.requested;
	size_t i = 0;

	figures->ended[handover->scheme][handover->state]++;
	if (!handover->at.changed || handover->state == HANDOVER_FAILED)
		return;
	while (i < CALLS_HANDOVER_BOUNDS && ns > calls_handover_bound_ns[i])
		i++;
	figures->changed[i]++;
	figures->changed_ns += ns;
}

const struct calls_handover_figures *calls_handover_figures(const struct calls *calls)
{
	return &calls->handover_figures;
}

size_t calls_handovers_running(const struct calls *calls)
{
	return calls->handovers;
}

const char *calls_handover_scheme(size_t index)
{
	return handover_scheme_name((enum handover_scheme)index);
}

const char *calls_handover_outcome(size_t index)
{
	return index < HANDOVER_FINISHED ? NULL : handover_state_name((enum handover_state)index);
}
