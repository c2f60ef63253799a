/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live page: what segued does now, in a browser, and the JSON that it is made of, which is what
 * the control socket answers. It changes nothing. It shows who calls whom, from which addresses, so
 * it is for whoever `page` of the configuration says.
 */
#ifndef SEGUE_OPS_PAGE_H
#define SEGUE_OPS_PAGE_H

#include "ops/http.h"

/* "/", its files and "/api/", for http_alloc(); their `rooms` is a struct rooms. */
extern const struct http_page page_pages[];

#endif
