/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf/window_test.bpf.c: the window alone, in the kernel, with times of the caller's choice. */
#ifndef SEGUE_TESTS_WINDOW_PROGRAM_H
#define SEGUE_TESTS_WINDOW_PROGRAM_H

#include "../model/tested.h"

#define WINDOW_BATCH 64u

struct window_record {
	__u64 now_ns;
	__u32 ssrc;
	__u32 verdict; /* in: the sequence number; out: enum sg_reason, TESTED_LATE */
};

struct window_program {
	struct bpf_object *object;
	int fd;
};

/* Ends the test program if it cannot be loaded. */
void window_program_open(struct window_program *program);
void window_program_close(struct window_program *program);
/* Sets the tunables and empties the window. */
void window_program_reset(const struct window_program *program,
			  const struct sg_window_params *params);
/* Asks about up to WINDOW_BATCH packets in order. Safe on several threads at once. */
void window_program_ask(const struct window_program *program, struct window_record *records,
			unsigned count);

#endif
