/* SPDX-License-Identifier: BSD-2-Clause */
/* What segue/window.h needs for one side of a stream, in user space. All zero: empty. */
#ifndef SEGUE_TESTS_TESTED_H
#define SEGUE_TESTS_TESTED_H

#include <segue/window.h>

#define TESTED_LATE 0x80000000u /* in a verdict: passed behind the highest number */

struct tested_window {
	struct sg_window window;
};

/* enum sg_reason, with TESTED_LATE. */
static inline __u32 tested_accept(struct tested_window *tested,
				  const struct sg_window_params *params, __u32 ssrc, __u16 sequence,
				  __u64 now_ns)
{
	int late = 0;
	enum sg_reason reason =
		sg_window_pass(&tested->window, params, ssrc, sequence, now_ns, &late);

	return reason | (late ? TESTED_LATE : 0);
}

#endif
