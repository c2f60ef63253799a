/* SPDX-License-Identifier: BSD-2-Clause */
/* A header that names another dialog: Handover (HH-1), Replaces (RFC 3891) and Join (RFC 3911). */
#ifndef SEGUE_CALL_DIALOG_IDS_H
#define SEGUE_CALL_DIALOG_IDS_H

#include "sip/message.h"

struct dialog_ids {
	struct str call_id;
	struct str to_tag;   /* of whoever receives it: its local tag (RFC 3891 3) */
	struct str from_tag; /* its remote tag */
	bool early_only;     /* Replaces; means nothing in the others */
};

/* callid *(SEMI param): to-tag and from-tag once each, in any order, others ignored. -EINVAL. */
int dialog_ids_parse(struct dialog_ids *out, struct str value);
void dialog_ids_write(struct buf *out, const char *name, const struct dialog_ids *ids);

#endif
