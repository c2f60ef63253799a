/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEGUE_TESTS_CONTROLLER_BASE_H
#define SEGUE_TESTS_CONTROLLER_BASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static inline void assert_str(struct str text, const char *wanted)
{
	if (!str_eq(text, str_of(wanted)))
		print_error("'%.*s' is not '%s'\n", STR_ARG(text), wanted);
	assert_true(str_eq(text, str_of(wanted)));
}

#endif
