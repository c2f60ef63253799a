/* SPDX-License-Identifier: BSD-2-Clause */
/* The rooms that the commands of the control socket may enter, and the tables of those commands. */
#ifndef SEGUE_OPS_ROOMS_H
#define SEGUE_OPS_ROOMS_H

#include "call/call.h"
#include "call/media.h"
#include "ops/control.h"
#include "ops/guard.h"
#include "ops/hep.h"
#include "ops/limit.h"

struct rooms {
	struct sip_stack *stack;
	struct registrar *registrar;
	struct location *location;
	struct store *store;
	struct media *media;
	struct calls *calls;
	struct limit *limit;
	struct guard *guard;
	struct hep *hep;	     /* NULL: nobody wants copies */
	const struct config *config; /* as last loaded */
	const char *config_file;
	uint64_t started_ms; /* of wheel_now_ms() */
	bool draining;
};

extern const struct control_command call_commands[], registration_commands[], subscriber_commands[],
	status_commands[], handover_commands[], drop_commands[], cdr_commands[], ban_commands[];
/* All of them, for control_alloc(). A further object is a table of its own, and a line there. */
extern const struct control_command *const control_tables[];

static inline const struct rooms *rooms_of(const struct control_request *request)
{
	return request->rooms;
}

/* JSON of text that may be no UTF-8: what a phone sent. Bytes that are not ASCII become '?' then.
 */
json_t *rooms_text(struct str text);
/* -ENOENT, with the sentence. */
int rooms_no_such_call(struct control_request *request, struct str id);

#endif
