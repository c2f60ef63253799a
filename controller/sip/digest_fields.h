/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands in an Authorization or a WWW-Authenticate header (RFC 7616 3.3, 3.4). */
#ifndef SEGUE_SIP_DIGEST_FIELDS_H
#define SEGUE_SIP_DIGEST_FIELDS_H

#include "base/str.h"

enum digest_field {
	DIGEST_USERNAME,
	DIGEST_REALM,
	DIGEST_NONCE,
	DIGEST_URI,
	DIGEST_RESPONSE,
	DIGEST_ALGORITHM,
	DIGEST_QOP,
	DIGEST_NC,
	DIGEST_CNONCE,
	DIGEST_OPAQUE,
	DIGEST_FIELDS
};

/* Into the header's text, without quotes; p is NULL where a field is missing. */
struct digest_fields {
	struct str field[DIGEST_FIELDS];
};

/* -ENOENT: another scheme than Digest. -EINVAL: malformed, or a field stands twice. */
int digest_fields_parse(struct digest_fields *out, struct str value);

#endif
