/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands while it runs, one a line, from a FIFO or from standard input. */
#ifndef SEGUE_UA_COMMAND_H
#define SEGUE_UA_COMMAND_H

#include "ua.h"

struct ua_command;

/* `path` "-": standard input; else a FIFO, made if there is none. */
int ua_command_open(struct ua_command **out, struct ua *ua, const char *path, struct error *err);
void ua_command_close(struct ua_command *command); /* NULL is fine */
/* Does what the line says; a negative errno when it cannot. */
int ua_command_do(struct ua *ua, struct str line);

#endif
