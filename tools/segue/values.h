/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of options and operands that belong to the relay: endpoints, sides, DSCP, learning. */
#ifndef SEGUE_TOOL_VALUES_H
#define SEGUE_TOOL_VALUES_H

#include "cli.h"

/* LOCAL:PORT=REMOTE:PORT */
struct endpoints {
	bool set;
	struct sg_endpoint local, remote;
};
option_parse_fn option_endpoints; /* struct endpoints */

struct dscp {
	bool set;
	uint8_t value; /* 0..63 */
};
option_parse_fn option_dscp; /* struct dscp */

struct learn {
	bool on[SG_SIDES];
	uint8_t bits[SG_SIDES]; /* 0: any source */
};
option_parse_fn option_learn;	   /* struct learn: a|b|both[=BITS] */
option_parse_fn option_learn_path; /* struct learn: any|BITS, both sides alike */

extern const struct choice direction_choices[]; /* enum sg_direction + 1: 0 is "not given" */
extern const struct choice toggle_choices[];	/* enum sg_toggle */
extern const struct range learn_range, resolve_range, clock_range;

/* Options that a path shares wherever it is described. */
struct path_args {
	struct dscp dscp;
	struct learn learn;
	unsigned learn_seconds;
	unsigned resolve_ms;
};
void path_args_apply(const struct path_args *args, enum sg_side side,
		     const struct endpoints *endpoints, struct sg_path_spec *spec);

int parse_endpoints(const char *text, struct endpoints *out, struct sg_error *err);
/* Operands "a" or "b", and a path's slot number; an exit code, the error said. */
int operand_side(const struct cli *cli, const char *text, enum sg_side *side);
int operand_slot(const struct cli *cli, const char *text, unsigned *slot);
const char *side_name(enum sg_side side);

#endif
