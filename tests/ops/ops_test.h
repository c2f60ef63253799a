/* SPDX-License-Identifier: BSD-2-Clause */
/* What every test here includes. */
#ifndef SEGUE_TESTS_OPS_H
#define SEGUE_TESTS_OPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
