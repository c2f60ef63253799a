/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEGUE_TOOL_BATCH_H
#define SEGUE_TOOL_BATCH_H

#include "cli.h"

/* One line of a batch, split into words; 0 or a negative errno with the reason. */
typedef int batch_line_fn(struct cli *cli, int argc, char **argv, struct sg_error *err);

/*
 * Calls fn for each line of `file` ("-": standard input) that is neither empty nor a comment (#).
 * The first error ends it and names the line, unless keep_going. Says how many were `done`.
 */
int batch_run(struct cli *cli, const char *file, bool keep_going, batch_line_fn *fn,
	      const char *done);

#endif
