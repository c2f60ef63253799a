/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pairs of equal packets for two CPUs (MP-6), and what must come of them. The same pairs race in
 * user space (test_window_race.c) and in the kernel (tests/bpf).
 */
#ifndef SEGUE_TESTS_RACE_H
#define SEGUE_TESTS_RACE_H

#include <stdbool.h>
#include <stdint.h>

struct race_packet {
	uint64_t now_ns;
	uint32_t ssrc;
	uint16_t sequence;
};

struct race_kind {
	struct race_packet (*packet)(uint32_t pair);
	/* How many pairs one CPU may be ahead of the other; 1 is lock step. */
	uint32_t (*lead)(uint32_t pair);
	bool (*passes)(uint32_t pair); /* one copy must pass; else none may */
};

/* One SSRC, numbers in order, both in lock step and up to half a window apart. */
extern const struct race_kind race_steady;
/* Each pair comes after a silence of more than the reset time. */
extern const struct race_kind race_silence;
/* Each pair brings an SSRC that has no window. */
extern const struct race_kind race_ssrc;
/* Each third pair is out of the window, and the next confirms it as a restart. */
extern const struct race_kind race_restart;

struct race_result {
	uint64_t lost, doubled;
	uint64_t won; /* by the first CPU */
};
/* passed[i] is 1 where that CPU saw pair i pass. */
struct race_result race_count(const struct race_kind *kind, const uint8_t *first,
			      const uint8_t *second, uint32_t pairs);

#endif
