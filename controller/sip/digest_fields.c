// SPDX-License-Identifier: BSD-2-Clause
#include "sip/digest_fields.h"

#include <errno.h>

#include "sip/message_scan.h"

static const struct str names[DIGEST_FIELDS] = {
	[DIGEST_USERNAME] = STR("username"), [DIGEST_REALM] = STR("realm"),
	[DIGEST_NONCE] = STR("nonce"),	     [DIGEST_URI] = STR("uri"),
	[DIGEST_RESPONSE] = STR("response"), [DIGEST_ALGORITHM] = STR("algorithm"),
	[DIGEST_QOP] = STR("qop"),	     [DIGEST_NC] = STR("nc"),
	[DIGEST_CNONCE] = STR("cnonce"),     [DIGEST_OPAQUE] = STR("opaque"),
};

static int set_field(struct digest_fields *out, struct str name, struct str value)
{
	for (unsigned i = 0; i < DIGEST_FIELDS; i++) {
		if (!str_case_eq(names[i], name))
			continue;
		if (out->field[i].p)
			return -EINVAL;
		out->field[i] = value;
		break;
	}
	return 0; /* unknown ones are ignored */
}

int digest_fields_parse(struct digest_fields *out, struct str value)
{
	struct str name, text;
	int ret = 0;

	*out = (struct digest_fields){0};
	value = str_trim(value);
	if (!str_case_eq(scan_take(&value, SCAN_TOKEN), STR("Digest")))
		return -ENOENT;
	if (!value.n || (value.p[0] != ' ' && value.p[0] != '\t'))
		return -EINVAL;
	scan_blanks(&value);
	do {
		name = scan_take(&value, SCAN_TOKEN);
		if (!name.n || !scan_separator(&value, '='))
			return -EINVAL;
		/* Quotes go, escapes stay: unq() of RFC 7616 3.4 takes only the quotes. */
		if (scan_quoted(&value, &text))
			text = (struct str){text.p + 1, text.n - 2};
		else
			text = scan_take(&value, SCAN_VALUE);
		ret = set_field(out, name, text);
	} while (!ret && scan_separator(&value, ','));
	return ret || !value.n ? ret : -EINVAL;
}
