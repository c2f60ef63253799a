/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEGUE_SIP_DIALOG_PRIVATE_H
#define SEGUE_SIP_DIALOG_PRIVATE_H

#include "sip/dialog.h"

/* An empty one of that table; its texts are NULL until dialog_enter. NULL: out of memory. */
struct sip_dialog *dialog_new(struct sip_dialogs *dialogs);
/* Replaces one of its texts. -ENOMEM leaves the old one. */
int dialog_set(char **text, struct str value);
/* The URI of the first route, and the routes behind it. False: there is none. */
bool dialog_first_route(const struct sip_dialog *dialog, struct str *uri, struct str *rest);
/* The URI as a Request-URI may have it: no headers (RFC 3261 19.1.1). Empty: not one of SIP. */
struct str dialog_request_uri(struct str uri_text);
/* Into the table, by Call-ID and local tag. */
void dialog_enter(struct sip_dialog *dialog);

#endif
