/* SPDX-License-Identifier: BSD-2-Clause */
/* One Contact of a REGISTER, with the parameters that a registrar cares for. */
#ifndef SEGUE_REGISTRAR_CONTACT_H
#define SEGUE_REGISTRAR_CONTACT_H

#include "sip/message.h"

#define CONTACT_URI_LEN 512u
#define CONTACT_PARAMS_LEN 1024u
#define CONTACT_UA_ID_LEN 64u /* PH-1 */
#define CONTACT_INSTANCE_LEN 128u

struct contact {
	struct str text; /* the URI as written */
	struct sip_uri uri;
	struct str params;   /* what is given back as it is; points into the `params` of parse */
	struct str instance; /* ua_id, or +sip.instance without its quotes; empty: none */
	uint32_t number;     /* if_no, or reg-id; 0: none given */
	bool has_ua_id, has_expires;
	uint32_t expires; /* s; beyond 2^32 - 1: the most */
	unsigned q, if_q; /* thousandths; 1000 when not given */
};

/*
 * Takes one value of a Contact header apart; `params` is emptied and holds what out->params points
 * to. NULL, or what is wrong with it, for a 400. Grammar of ours: ua_id is a token of at most 64
 * characters, if_q a qvalue, if_no one or two digits (PH-1).
 */
const char *contact_parse(struct contact *out, struct str value, struct buf *params);

/* "0.7" in thousandths: RFC 3261 25.1, qvalue. */
bool contact_qvalue(struct str text, unsigned *out);
void contact_write_qvalue(struct buf *out, unsigned thousandths);

#endif
