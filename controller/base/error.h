/* SPDX-License-Identifier: BSD-2-Clause */
/* The sentence that goes with a negative errno: names the thing, the value and the way out. */
#ifndef SEGUE_ERROR_H
#define SEGUE_ERROR_H

struct error {
	char text[320];
};

/* Writes the sentence (err may be NULL) and returns `code`. */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
