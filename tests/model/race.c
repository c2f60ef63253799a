/* SPDX-License-Identifier: BSD-2-Clause */
#include "race.h"

#define SECOND 1000000000ull

static uint32_t lock_step(uint32_t pair)
{
	(void)pair;
	return 1;
}

static uint32_t some_lead(uint32_t pair)
{
	static const uint32_t leads[] = {1, 2, 16, 512};

	return leads[pair / 65536 % 4];
}

static bool always(uint32_t pair)
{
	(void)pair;
	return true;
}

static struct race_packet steady(uint32_t pair)
{
	return (struct race_packet){SECOND + pair, 7, (uint16_t)(pair + 65500)};
}

static struct race_packet silence(uint32_t pair)
{
	return (struct race_packet){SECOND + pair * 3 * SECOND, 7, (uint16_t)(pair + 65500)};
}

/* The number of the packet is that of the SSRC before it, which a mix-up would call seen. */
static struct race_packet ssrc(uint32_t pair)
{
	return (struct race_packet){SECOND + pair, pair, 100};
}

/* Groups of three: out of the window after 300 ms, the one that confirms it, and an ordinary one.
 */
static struct race_packet restart(uint32_t pair)
{
	uint32_t group = pair / 3;

	return (struct race_packet){SECOND + group * (3 * SECOND / 10) + pair % 3, 7,
				    (uint16_t)(group * 20000 + pair % 3)};
}

static bool restart_passes(uint32_t pair)
{
	return pair < 3 || pair % 3 != 0;
}

const struct race_kind race_steady = {steady, some_lead, always};
const struct race_kind race_silence = {silence, lock_step, always};
const struct race_kind race_ssrc = {ssrc, lock_step, always};
const struct race_kind race_restart = {restart, lock_step, restart_passes};

struct race_result race_count(const struct race_kind *kind, const uint8_t *first,
			      const uint8_t *second, uint32_t pairs)
{
	struct race_result result = {0, 0, 0};

	for (uint32_t pair = 0; pair < pairs; pair++) {
		int passed = first[pair] + second[pair];
		int wanted = kind->passes(pair);

		result.lost += passed < wanted;
		result.doubled += passed > wanted;
		result.won += first[pair];
	}
	return result;
}
