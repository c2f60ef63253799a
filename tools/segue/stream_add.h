/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEGUE_TOOL_STREAM_ADD_H
#define SEGUE_TOOL_STREAM_ADD_H

#include "values.h"

struct stream_add_args {
	struct endpoints side[SG_SIDES];
	struct path_args path;
	bool rtcp_mux;
	bool opaque;
	unsigned clock_hz;
	int direction; /* enum sg_direction + 1, 0: not given */
	const char *batch;
	bool keep_going;
};

extern const struct option stream_add_options[];
int stream_add_check(struct cli *cli);
int stream_add(struct cli *cli);

#endif
