/* SPDX-License-Identifier: BSD-2-Clause */
/* What every unit test includes, and a handle on plain memory in place of the pinned maps. */
#ifndef SEGUE_TESTS_UNIT_H
#define SEGUE_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../relay/internal.h"

#define UNIT_CAPACITY 64u

/* A handle with the tables that address.c and ports.c work on, all zero: as if freshly made. */
static inline struct sg_relay *unit_relay(void)
{
	struct sg_relay *relay = calloc(1, sizeof(*relay));

	assert_non_null(relay);
	relay->capacity = UNIT_CAPACITY;
	relay->address = calloc(SG_ADDRESS_BUCKETS, sizeof(*relay->address));
	relay->port = calloc(SG_ADDRESS_SLOTS * SG_PORTS_PER_ADDRESS, sizeof(*relay->port));
	relay->record = calloc(UNIT_CAPACITY, sizeof(*relay->record));
	assert_non_null(relay->address);
	assert_non_null(relay->port);
	assert_non_null(relay->record);
	return relay;
}

static inline void unit_relay_free(struct sg_relay *relay)
{
	free(relay->address);
	free(relay->port);
	free(relay->record);
	free(relay);
}

static inline struct sg_endpoint unit_endpoint(const char *text)
{
	struct sg_endpoint endpoint;

	assert_int_equal(sg_endpoint_parse(&endpoint, text, NULL), 0);
	return endpoint;
}

#endif
