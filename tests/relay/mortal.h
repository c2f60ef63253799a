/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that is killed in mid-change, at a moment that the caller names and no luck decides:
 * the steps of a change are wrapped by the linker (MORTAL_STEPS in build.mk), and before the step
 * of that number the process sends itself SIGKILL.
 */
#ifndef SG_TESTS_MORTAL_H
#define SG_TESTS_MORTAL_H

/* Before the `step`-th step from now on; 0: never. */
void mortal_die_at(unsigned long step);

#endif
