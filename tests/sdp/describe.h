/* SPDX-License-Identifier: BSD-2-Clause */
/* What every test of descriptions needs: one in a line of text, and edits that a relay makes. */
#ifndef SEGUE_TESTS_SDP_DESCRIBE_H
#define SEGUE_TESTS_SDP_DESCRIBE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdp/offer_answer.h"

#define OUR_IPV4 "203.0.113.1"
#define OUR_IPV6 "2001:db8:5e9e::1"
#define OUR_PORT 30000u /* of the first m= line; each next one has two more */

/* A line for each m=; the caller frees. */
char *describe(const struct sdp *sdp);
/* The edit that anchors every RTP line at us and refuses the rest; directions stay. */
struct sdp_edit anchor(const struct sdp *sdp, const char *host);
struct netaddr address(const char *host, uint16_t port);
/* Reads it, edits it so, returns the text; the caller frees. Fails the test when it cannot. */
char *edited(const char *text, const char *host);

/* A copy without a NUL behind it, so that the sanitizer sees a byte too far. */
struct str exact(const char *text);
void exact_free(struct str text);

#endif
