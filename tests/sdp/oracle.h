/* SPDX-License-Identifier: BSD-2-Clause */
/* What sofia-sip's parser reads in a description: another opinion (tests only). */
#ifndef SEGUE_TESTS_SDP_ORACLE_H
#define SEGUE_TESTS_SDP_ORACLE_H

#include "base/str.h"

#define ORACLE_MEDIA 32
#define ORACLE_TEXT 512

struct oracle_media {
	char type[64], proto[64];
	unsigned long port;
	char host[ORACLE_TEXT]; /* "": none */
	char formats[ORACLE_TEXT];
	int direction;		/* as enum sdp_direction */
	unsigned long clock_hz; /* of the first format; 0: unknown */
};

struct oracle {
	char origin_host[ORACLE_TEXT]; /* "": no o= */
	size_t medias;
	struct oracle_media media[ORACLE_MEDIA];
};

/* False: it refuses the text; *why (static) may say so. */
bool oracle_read(struct oracle *out, struct str text, char why[ORACLE_TEXT]);

#endif
