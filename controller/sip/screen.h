/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first look at what came: are its lines sound and few, and where do they begin? No byte is
 * looked at more than a few times, whatever they are.
 */
#ifndef SEGUE_SIP_SCREEN_H
#define SEGUE_SIP_SCREEN_H

#include "sip/message.h"

#define SCREEN_PARTS 64u /* parameters, or values in a list, that one header may have */

/* Headers that this room reads itself. */
enum screen_kind {
	SCREEN_OTHER,
	SCREEN_VIA,
	SCREEN_FROM,
	SCREEN_TO,
	SCREEN_CALL_ID,
	SCREEN_CSEQ,
	SCREEN_CONTACT,
	SCREEN_ROUTE,
	SCREEN_RECORD_ROUTE,
	SCREEN_MAX_FORWARDS,
	SCREEN_CONTENT_LENGTH,
	SCREEN_CONTENT_TYPE,
	SCREEN_EXPIRES,
	SCREEN_DATE,
	SCREEN_KINDS
};

struct screen {
	struct str start;     /* the first line; leading empty lines are gone */
	size_t headers, room; /* how many there are, and there may be in `header` */
	struct sip_header *header;
	uint8_t kind[SIP_HEADERS];  /* enum screen_kind */
	struct str body;	    /* all that follows the empty line */
	bool too_many, too_complex; /* more than `room`; more than SCREEN_PARTS */
	bool unsound;		    /* a control character, a line without a name, no end */
};

/* How many headers (not above SIP_HEADERS) `data` seems to have. */
size_t screen_count(struct str data);
/*
 * Finds the lines; joins folded ones in place (RFC 3261 7.3.1) and gives compact names their long
 * form (SG-25). The caller gives screen->header, with screen->room = screen_count(). -EINVAL:
 * nothing to be made of it.
 */
int screen_lines(struct screen *screen, char *data, size_t len);

#endif
