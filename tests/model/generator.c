/* SPDX-License-Identifier: BSD-2-Clause */
/* The senders, what happens to them, and the order in which their copies arrive. */
#include "generator.h"
#include "flight.h"
#include "oddity.h"

#include <string.h>

#define MS 1000000ull

static const uint64_t ptimes_ns[] = {20 * MS, 20 * MS, 10 * MS, 30 * MS, 5 * MS, MS, MS / 10};
static const uint16_t leaps[] = {2,    63,   64,   65,	  1023,	 1024,	1025,  2998,
				 2999, 3000, 3001, 32766, 32767, 32768, 32769, 65535};

static uint16_t some_leap(struct generator *g)
{
	if (rng_one_in(&g->rng, 3))
		return (uint16_t)rng_u64(&g->rng);
	return leaps[rng_below(&g->rng, sizeof(leaps) / sizeof(leaps[0]))];
}

/* SSRC 0 is as good as any other; a small pool makes old ones come back. */
static uint32_t some_ssrc(struct generator *g)
{
	if (g->options.ssrcs)
		return rng_below(&g->rng, g->options.ssrcs) * 0x01010101u;
	if (rng_one_in(&g->rng, 2))
		return (uint32_t)rng_u64(&g->rng);
	return rng_below(&g->rng, 7) * 0x01010101u;
}

static uint16_t some_sequence(struct generator *g)
{
	if (rng_one_in(&g->rng, 2))
		return (uint16_t)(65500 + rng_below(&g->rng, 72));
	return (uint16_t)rng_u64(&g->rng);
}

static uint64_t some_silence(struct generator *g)
{
	const struct model_params *params = &g->options.params;
	const uint64_t edges[] = {params->restart_ns, params->reset_ns};

	if (rng_one_in(&g->rng, 2))
		return edges[rng_below(&g->rng, 2)] - 1 + rng_below(&g->rng, 3);
	return rng_below(&g->rng, 4000) * MS;
}

/* A short loss is commoner than one of 60 s, but that comes too. */
static uint64_t some_burst(struct generator *g)
{
	return rng_below(&g->rng, 60000u >> rng_below(&g->rng, 8)) * MS;
}

static void change_paths(struct generator *g, struct generator_sender *sender)
{
	static const uint32_t losses[] = {0, 0, 10, 50, 200};

	sender->delay_ns[0] = rng_below(&g->rng, 20) * MS;
	sender->delay_ns[1] = sender->delay_ns[0] + rng_below(&g->rng, 451) * MS;
	for (int i = 0; i < 2; i++)
		sender->loss_permille[i] = losses[rng_below(&g->rng, 5)];
	sender->ptime_ns = ptimes_ns[rng_below(&g->rng, sizeof(ptimes_ns) / sizeof(ptimes_ns[0]))];
	sender->reorder_permille = rng_below(&g->rng, 3) * 40;
	sender->reorder_packets = g->options.params.window * (1 + rng_below(&g->rng, 8)) / 4;
}

static void start_thrash(struct generator *g, struct generator_sender *sender)
{
	sender->voices = 2 + rng_below(&g->rng, GENERATOR_THRASH - 1);
	for (unsigned i = 1; i < sender->voices; i++) {
		sender->voice[i].ssrc = some_ssrc(g);
		sender->voice[i].sequence = some_sequence(g);
	}
}

/* One packet that the sender never sent, or sent long ago; often two that follow each other. */
static void stray(struct generator *g, unsigned side)
{
	const struct generator_sender *sender = &g->sender[side];
	struct generator_flight copy = {
		.time_ns = g->now_ns + rng_below(&g->rng, 1000) * (MS / 10),
		.ssrc = sender->voice[0].ssrc,
		.sequence = (uint16_t)(sender->voice[0].sequence + some_leap(g)),
		.side = (uint8_t)side,
		.path = (uint8_t)rng_below(&g->rng, 2),
	};

	if (rng_one_in(&g->rng, 2))
		copy.sequence = (uint16_t)(sender->voice[0].sequence - some_leap(g));
	flight_push(g, copy);
	if (rng_one_in(&g->rng, 2)) {
		copy.sequence++;
		copy.time_ns += MS;
		flight_push(g, copy);
	}
}

static void something_happens(struct generator *g, unsigned side)
{
	struct generator_sender *sender = &g->sender[side];
	struct generator_voice *voice = &sender->voice[0];

	switch (rng_below(&g->rng, 12)) {
	case 0:
		sender->lost_until_ns = sender->next_ns + some_burst(g);
		break;
	case 1:
		sender->dead_until_ns[rng_below(&g->rng, 2)] = sender->next_ns + some_burst(g);
		break;
	case 2:
		sender->next_ns += some_silence(g);
		break;
	case 3:
		voice->ssrc = some_ssrc(g);
		voice->sequence = some_sequence(g);
		break;
	case 4: /* a restart, with or without the silence that it needs */
		if (rng_one_in(&g->rng, 2))
			sender->next_ns += some_silence(g);
		voice->sequence = some_sequence(g);
		break;
	case 5:
		voice->sequence = (uint16_t)(voice->sequence + some_leap(g));
		break;
	case 6:
		start_thrash(g, sender);
		break;
	case 7:
		sender->voices = 1;
		break;
	case 8:
		change_paths(g, sender);
		break;
	default:
		stray(g, side);
		break;
	}
}

static bool is_lost(struct generator *g, const struct generator_sender *sender, unsigned path)
{
	return sender->next_ns < sender->lost_until_ns ||
	       sender->next_ns < sender->dead_until_ns[path] ||
	       rng_below(&g->rng, 1000) < sender->loss_permille[path];
}

static void send_copies(struct generator *g, unsigned side, const struct generator_voice *voice)
{
	const struct generator_sender *sender = &g->sender[side];
	bool rtcp = g->options.admission && rng_one_in(&g->rng, 100);

	for (unsigned path = 0; path < 2; path++) {
		struct generator_flight copy = {
			.time_ns = sender->next_ns + sender->delay_ns[path],
			.ssrc = voice->ssrc,
			.sequence = voice->sequence,
			.side = (uint8_t)side,
			.path = (uint8_t)path,
			.rtcp = rtcp,
		};

		if (is_lost(g, sender, path))
			continue;
		if (rng_below(&g->rng, 1000) < sender->reorder_permille)
			copy.time_ns +=
				sender->ptime_ns * rng_below(&g->rng, sender->reorder_packets + 1);
		flight_push(g, copy);
	}
}

static void send(struct generator *g, unsigned side)
{
	struct generator_sender *sender = &g->sender[side];
	struct generator_voice *voice = &sender->voice[rng_below(&g->rng, sender->voices)];

	send_copies(g, side, voice);
	voice->sequence++;
	sender->next_ns += sender->ptime_ns;
	if (rng_one_in(&g->rng, 400))
		something_happens(g, side);
}

/* Lets everybody send who does so before the earliest copy under way arrives. */
static void advance(struct generator *g)
{
	for (;;) {
		unsigned side = g->sender[1].next_ns < g->sender[0].next_ns;

		if (g->flying && g->flight[0].time_ns <= g->sender[side].next_ns)
			return;
		send(g, side);
	}
}

void generator_init(struct generator *g, const struct generator_options *options)
{
	memset(g, 0, sizeof(*g));
	g->options = *options;
	rng_seed(&g->rng, options->seed);
	g->now_ns = 1000 * MS;
	g->route = oddity_first_route();
	for (unsigned side = 0; side < SG_SIDES; side++) {
		struct generator_sender *sender = &g->sender[side];

		sender->next_ns = g->now_ns + rng_below(&g->rng, 1000) * MS;
		sender->voices = 1;
		sender->voice[0].ssrc = some_ssrc(g);
		sender->voice[0].sequence = some_sequence(g);
		change_paths(g, sender);
	}
}

void generator_next(struct generator *g, struct generator_item *item)
{
	struct generator_flight copy;

	memset(item, 0, sizeof(*item));
	if (g->options.admission && oddity_change(g, item))
		return;
	advance(g);
	copy = flight_pop(g);
	/* Strictly rising times: "oldest" is then never a tie. */
	g->now_ns = copy.time_ns > g->now_ns ? copy.time_ns : g->now_ns + 1;
	oddity_packet(g, &copy, item);
}
