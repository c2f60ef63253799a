/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes in by SIP, and whom it is given to. */
#ifndef SEGUE_UA_RECEIVE_H
#define SEGUE_UA_RECEIVE_H

#include "ua.h"

/* For sip_stack_alloc; the context is struct ua. */
extern const struct sip_stack_handlers ua_stack_handlers;

#endif
