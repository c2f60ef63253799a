// SPDX-License-Identifier: BSD-2-Clause
#include "registrar/contact.h"

/* RFC 3261 10.2.1.1: what a malformed expires means. */
#define EXPIRES_MALFORMED 3600u

bool contact_qvalue(struct str text, unsigned *out)
{
	unsigned value, weight = 100;

	if (!text.n || text.n > 5 || (text.p[0] != '0' && text.p[0] != '1') ||
	    (text.n > 1 && text.p[1] != '.'))
		return false;
	value = text.p[0] == '1' ? 1000 : 0;
	for (size_t i = 2; i < text.n; i++, weight /= 10) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		value += (unsigned)(text.p[i] - '0') * weight;
	}
	if (value > 1000)
		return false;
	*out = value;
	return true;
}

void contact_write_qvalue(struct buf *out, unsigned thousandths)
{
	buf_add_char(out, thousandths >= 1000 ? '1' : '0');
	buf_add_char(out, '.');
	thousandths %= 1000;
	do { /* "1.0", "0.75": no more digits than it takes */
		buf_add_char(out, (char)('0' + thousandths / 100));
		thousandths = thousandths % 100 * 10;
	} while (thousandths);
}

static bool is_token(struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i], letter = (char)(c | 0x20);

		if (!(letter >= 'a' && letter <= 'z') && !(c >= '0' && c <= '9') &&
		    (!c || !strchr("-.!%*_+`'~", c)))
			return false;
	}
	return text.n;
}

/* ";name=value" off the front of `rest`, whole; semicolons in quotes do not count. */
static struct str next_param(struct str *rest)
{
	bool quoted = false;
	size_t end = 1;
	struct str param;

	for (; end < rest->n && (quoted || rest->p[end] != ';'); end++) {
		if (rest->p[end] == '"')
			quoted = !quoted;
		else if (quoted && rest->p[end] == '\\')
			end++;
	}
	end = end < rest->n ? end : rest->n;
	param = (struct str){rest->p, end};
	rest->p += end;
	rest->n -= end;
	return param;
}

static bool is_ours_to_write(struct str param)
{
	static const struct str ours[] = {{"expires", 7}, {"ua_id", 5}, {"if_q", 4}, {"if_no", 5}};
	struct str name = {param.p + 1, param.n - 1};

	name.n = str_index(name, '=');
	name = str_trim(name);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (str_case_eq(name, ours[i]))
			return true;
	}
	return false;
}

static void keep_params(struct buf *out, struct str params)
{
	buf_reset(out);
	while (params.n) {
		struct str param = next_param(&params);

		if (!is_ours_to_write(param))
			buf_add(out, param);
	}
}

static void parse_expires(struct contact *out, struct str params)
{
	struct str text;

	out->has_expires = sip_param(params, "expires", &text);
	if (!out->has_expires || str_to_u32(text, &out->expires))
		return;
	out->expires = EXPIRES_MALFORMED;
	for (size_t i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
		if (i + 1 == text.n) /* digits, only too many */
			out->expires = UINT32_MAX;
	}
}

/* "<urn:uuid:...>" between quotes (RFC 5626 4.1); kept with its brackets. */
static const char *parse_instance(struct contact *out, struct str params)
{
	struct str text;

	if (!sip_param(params, "+sip.instance", &text))
		return NULL;
	if (text.n < 3 || text.n > CONTACT_INSTANCE_LEN || text.p[0] != '"' ||
	    text.p[text.n - 1] != '"')
		return "Malformed +sip.instance";
	out->instance = (struct str){text.p + 1, text.n - 2};
	/* RFC 5626 6: without an instance a reg-id means nothing. */
	if (sip_param(params, "reg-id", &text) &&
	    (!str_to_u32(text, &out->number) || !out->number || out->number > INT32_MAX))
		return "Malformed reg-id";
	return NULL;
}

static const char *parse_ua_id(struct contact *out, struct str params)
{
	struct str text;

	if (sip_param(params, "if_q", &text) && !contact_qvalue(text, &out->if_q))
		return "Malformed if_q";
	if (!sip_param(params, "ua_id", &text))
		return NULL;
	if (!is_token(text) || text.n > CONTACT_UA_ID_LEN)
		return "Malformed ua_id";
	out->has_ua_id = true;
	out->instance = text; /* PH-5: of the two names for one thing this one wins */
	out->number = 0;
	if (sip_param(params, "if_no", &text) &&
	    (text.n > 2 || !str_to_u32(text, &out->number) || !out->number))
		return "Malformed if_no";
	return NULL;
}

const char *contact_parse(struct contact *out, struct str value, struct buf *params)
{
	struct sip_nameaddr address;
	const char *wrong;
	struct str q;

	*out = (struct contact){.q = 1000, .if_q = 1000};
	if (sip_nameaddr_parse(&address, value) || sip_uri_parse(&out->uri, address.uri))
		return "Malformed Contact";
	out->text = address.uri;
	if (!out->uri.host.n)
		return "Contact is no SIP URI";
	if (out->text.n > CONTACT_URI_LEN || address.params.n > CONTACT_PARAMS_LEN)
		return "Contact too long";
	if (sip_param(address.params, "q", &q) && !contact_qvalue(q, &out->q))
		return "Malformed q";
	parse_expires(out, address.params);
	wrong = parse_instance(out, address.params);
	if (!wrong)
		wrong = parse_ua_id(out, address.params);
	keep_params(params, address.params);
	out->params = buf_str(params);
	return wrong;
}
