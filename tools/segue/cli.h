/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame of the command line: OBJECT -> COMMAND tables, and what a command is given. One file
 * per object; each exports its `struct object` (list in main.c).
 */
#ifndef SEGUE_TOOL_CLI_H
#define SEGUE_TOOL_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <segue/relay.h>

#include "options.h"
#include "output.h"

struct cli;

/* How main.c opens the maps before a command runs. */
enum access {
	ACCESS_NONE, /* the command opens them itself, or needs none */
	ACCESS_READ,
	ACCESS_WRITE,
};

struct command {
	const char *name; /* NULL for the only command of an object */
	const char *operands;
	const char *help;
	/*
	 * Reads the operands into args before the maps are opened: what is malformed is wrong
	 * usage, whatever the state of the relay. NULL: nothing to read. Both return an exit code.
	 */
	int (*check)(struct cli *cli);
	int (*run)(struct cli *cli);
	int min_operands, max_operands;
	enum access access;
	bool repeats; /* --watch repeats it */
	const struct option *options;
	size_t args_size; /* of the structure that `options` fills */
};

/* For the tables: how many operands there may be, and options with the structure they fill. */
#define OPERANDS(least, most) .min_operands = (least), .max_operands = (most)
#define OPTIONS(table, arguments) .options = (table), .args_size = sizeof(arguments)

struct object {
	const char *name;
	const char *help;
	const struct command *commands;
	size_t command_count;
};

#define OBJECT_COMMANDS(array)                                                                     \
	.commands = (array), .command_count = sizeof(array) / sizeof(*(array))

struct globals {
	bool json, pretty, help, version;
	unsigned watch; /* seconds, 0: once */
	const char *pin_dir;
	const char *control; /* segued's socket; NULL: see daemon.c */
};

struct cli {
	struct globals globals;
	const struct object *object;
	const struct command *command;
	char **operand;
	int operands;
	void *args;		/* as the command's options filled it, zeroed before */
	struct sg_relay *relay; /* opened as command->access says */
	struct output out;
};

extern const struct option global_options[];
extern const struct object *const objects[]; /* NULL ends */

extern const struct object interface_object, stream_object, path_object, port_object,
	nexthop_object, window_object, drop_object, map_object, event_object, follow_object,
	doctor_object, top_object, call_object, handover_object, registration_object,
	subscriber_object, status_object, trace_object, cdr_object, capture_object, ban_object;

/* ---- usage.c ------------------------------------------------------------------------------ */

void usage_all(FILE *out);
void usage_object(const struct object *object, FILE *out);
void usage_command(const struct object *object, const struct command *command, FILE *out);
/* The whole table, for `segue --help --json`. */
json_t *usage_json(void);

/* ---- cli.c: what every command needs ----------------------------------------------------------
 */

/* Opens the maps into cli->relay; an exit code, with the error already said. */
int cli_open(struct cli *cli, unsigned flags, uint32_t capacity);
/* The same without a word: a negative errno. */
int cli_try_open(struct cli *cli, unsigned flags, uint32_t capacity, struct sg_error *err);
/* Says why the library refused and returns the exit code that belongs to it. */
int cli_refused(const struct cli *cli, int rc, const struct sg_error *err);
/* Stream by name; EXIT_NOT_FOUND with the error said. */
int cli_find_stream(const struct cli *cli, const char *name, uint32_t *stream);
/* What the maps say of a stream, by name; EXIT_NOT_FOUND with the error said. */
int cli_stream_info(const struct cli *cli, const char *name, struct sg_stream_info *info);
/* A usage error for this command, with where to read on. */
__attribute__((format(printf, 2, 3))) int cli_usage_error(const struct cli *cli, const char *format,
							  ...);
/* The name of an open stream, or "" if it is gone. */
void cli_stream_name(struct cli *cli, uint32_t stream, char out[SG_NAME_LEN]);

/*
 * For commands that run until SIGINT or SIGTERM: hold the signals back once, then ask. `ms` is
 * how long to wait for one; true: stop.
 */
void cli_hold_signals(void);
bool cli_stop_requested(unsigned ms);

uint64_t cli_now_ns(void);
/* Milliseconds since a CLOCK_MONOTONIC time; null for 0 = never. */
json_t *cli_since_ms(uint64_t then_ns);

/* Allocation that ends the program when there is no memory: nothing sensible is left to do. */
void *cli_alloc(size_t size);

#endif
