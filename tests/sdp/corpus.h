/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptions shaped like those that phones, trunks, gateways and browsers send. */
#ifndef SEGUE_TESTS_SDP_CORPUS_H
#define SEGUE_TESTS_SDP_CORPUS_H

#include <stddef.h>

struct corpus_body {
	const char *name;
	const char *text;
	const char *reads; /* what describe() says of it, a line for each m= */
	/* Words of the describer that must not be in what we send; separated by blanks. */
	const char *secret;
};

extern const struct corpus_body corpus[];     /* as they ought to be */
extern const struct corpus_body corpus_odd[]; /* as they come all the same */
extern const size_t corpus_count, corpus_odd_count;

/* The index-th of both; NULL behind the last. */
const struct corpus_body *corpus_get(size_t index);

#endif
