// SPDX-License-Identifier: BSD-2-Clause
#include "ops/rooms.h"

const struct control_command *const control_tables[] = {
	call_commands,	     handover_commands, registration_commands,
	subscriber_commands, status_commands,	drop_commands,
	cdr_commands,	     ban_commands,	NULL,
};
