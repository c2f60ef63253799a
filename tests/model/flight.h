/* SPDX-License-Identifier: BSD-2-Clause */
/* The generator's copies under way, as a heap. Private to the generator. */
#ifndef SEGUE_TESTS_FLIGHT_H
#define SEGUE_TESTS_FLIGHT_H

#include "generator.h"

/* Sets .order; a full heap loses the copy, as a network would. */
void flight_push(struct generator *generator, struct generator_flight copy);
/* The earliest; there must be one. */
struct generator_flight flight_pop(struct generator *generator);

#endif
