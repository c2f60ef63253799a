/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a running segued over its control socket (the protocol: controller/ops/control.h). */
#ifndef SEGUE_TOOL_DAEMON_H
#define SEGUE_TOOL_DAEMON_H

#include "cli.h"

#define DAEMON_SOCKET "/run/segue/control.sock"

/*
 * Sends the command with the members of `arguments` (stolen; NULL: none) and waits for the answer.
 * EXIT_OK with *data, which is the caller's; or another exit code, with the error already said.
 */
int daemon_ask(const struct cli *cli, json_t *arguments, json_t **data);
/* ... another command than the one that runs. */
int daemon_ask_for(const struct cli *cli, const char *object, const char *command,
		   json_t *arguments, json_t **data);

/* Without a word when nobody answers, and without arguments. True: *data is the caller's. */
bool daemon_try(const struct cli *cli, const char *object, const char *command, json_t **data);

/*
 * Without arguments, and without a word when nobody answers. True: *data is the caller's.
 */
bool daemon_try(const struct cli *cli, const char *object, const char *command, json_t **data);

/* A list: an array of rows, stolen. */
void daemon_print_rows(struct cli *cli, const struct column *columns, json_t *rows);
/*
 * A record of any shape, for output_data(): its values as fields; what is inside it (objects,
 * lists) behind them, each under its name.
 */
output_text_fn daemon_record_text;

#endif
