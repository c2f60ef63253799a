/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka's own output goes to stdout as TAP; a diagnostic line beside it. */
#ifndef SEGUE_TESTS_TAP_H
#define SEGUE_TESTS_TAP_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#define diag(...)                                                                                  \
	do {                                                                                       \
		printf("# " __VA_ARGS__);                                                          \
		printf("\n");                                                                      \
		fflush(stdout);                                                                    \
	} while (0)

#endif
