/* SPDX-License-Identifier: BSD-2-Clause */
/* ITU-T G.711: 16-bit linear samples to and from 8 bits. */
#ifndef SEGUE_UA_G711_H
#define SEGUE_UA_G711_H

#include <stddef.h>
#include <stdint.h>

enum g711_law { G711_MU, G711_A }; /* PCMU, PCMA */

#define G711_RATE 8000u

void g711_encode(enum g711_law law, const int16_t *samples, size_t count, uint8_t *out);
void g711_decode(enum g711_law law, const uint8_t *data, size_t count, int16_t *out);

#endif
