/* SPDX-License-Identifier: BSD-2-Clause */
/* The reasons of segue/abi.h in words. */
#include "internal.h"

struct reason_words {
	const char *name, *fate, *text;
};

static const struct reason_words reasons[SG_REASON_COUNT] = {
#define REASON_WORDS(symbol, name, fate, text) [SG_##symbol] = {name, #fate, text},
	SG_REASONS(REASON_WORDS)
#undef REASON_WORDS
};

static const struct reason_words *words_of(enum sg_reason reason)
{
	static const struct reason_words none = {NULL, NULL, NULL};

	return (unsigned)reason < SG_REASON_COUNT ? &reasons[reason] : &none;
}

const char *sg_reason_name(enum sg_reason reason)
{
	return words_of(reason)->name;
}

const char *sg_reason_fate(enum sg_reason reason)
{
	return words_of(reason)->fate;
}

const char *sg_reason_text(enum sg_reason reason)
{
	return words_of(reason)->text;
}
