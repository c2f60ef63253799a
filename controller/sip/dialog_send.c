// SPDX-License-Identifier: BSD-2-Clause
/* What a dialog writes into requests, where they go, and what the journal keeps of it. */
#include <errno.h>

#include "sip/dialog_private.h"

/* dialog->routes is written by set_routes() alone: "<uri>, <uri>". */
bool dialog_first_route(const struct sip_dialog *dialog, struct str *uri, struct str *rest)
{
	struct str routes = str_of(dialog->routes);
	size_t close = str_index(routes, '>');

	if (close == routes.n)
		return false;
	*uri = (struct str){routes.p + 1, close - 1};
	*rest = (struct str){routes.p + close + 1, routes.n - close - 1};
	if (rest->n)
		*rest = (struct str){rest->p + 2, rest->n - 2};
	return true;
}

struct str dialog_request_uri(struct str uri_text)
{
	struct sip_uri uri;

	if (sip_uri_parse(&uri, uri_text) || !uri.host.n)
		return STR_NONE;
	if (uri.headers.n)
		uri_text = str_from(uri_text.p, uri.headers.p - 1);
	return uri_text;
}

static bool is_loose(struct str uri_text)
{
	struct sip_uri uri;
	struct str value;

	return !sip_uri_parse(&uri, uri_text) && sip_param(uri.params, "lr", &value);
}

/* RFC 3261 12.2.1.1: a strict router (RFC 2543) gets its own URI, ours goes to the end. */
static void write_way(const struct sip_dialog *dialog, struct buf *out, struct str method)
{
	struct str target = str_of(dialog->target), uri, rest;

	if (!dialog_first_route(dialog, &uri, &rest)) {
		sip_write_request_line(out, method, target);
	} else if (is_loose(uri)) {
		sip_write_request_line(out, method, target);
		sip_write_header(out, "Route", str_of(dialog->routes));
	} else {
		sip_write_request_line(out, method, dialog_request_uri(uri));
		buf_add(out, STR("Route: "));
		buf_add(out, rest);
		buf_add(out, rest.n ? STR(", <") : STR("<"));
		buf_add(out, target);
		buf_add(out, STR(">\r\n"));
	}
}

static void write_party(struct buf *out, const char *name, const char *uri, const char *tag)
{
	buf_add(out, str_of(name));
	buf_add(out, STR(": "));
	buf_add(out, str_of(uri));
	if (tag[0]) {
		buf_add(out, STR(";tag="));
		buf_add(out, str_of(tag));
	}
	buf_add(out, STR("\r\n"));
}

void sip_dialog_write(struct sip_dialog *dialog, struct buf *out, struct str method, uint32_t cseq)
{
	enum sip_method known = sip_method_of(method);

	if (known != SIP_ACK && known != SIP_CANCEL)
		cseq = ++dialog->local_cseq;
	write_way(dialog, out, method);
	write_party(out, "From", dialog->local_uri, dialog->local_tag);
	write_party(out, "To", dialog->remote_uri, dialog->remote_tag);
	sip_write_header(out, "Call-ID", str_of(dialog->call_id));
	buf_add(out, STR("CSeq: "));
	buf_add_u64(out, cseq);
	buf_add_char(out, ' ');
	buf_add(out, method);
	buf_add(out, STR("\r\nMax-Forwards: "));
	buf_add_u64(out, dialog->max_forwards ? dialog->max_forwards : 70);
	buf_add(out, STR("\r\n"));
}

void sip_dialog_aim(const struct sip_dialog *dialog, struct sip_outgoing *outgoing)
{
	struct str uri, rest;

	outgoing->uri = dialog_first_route(dialog, &uri, &rest) ? uri : str_of(dialog->target);
	outgoing->flow = dialog->use_flow ? &dialog->flow : NULL;
}

/* ---- the journal ------------------------------------------------------------------------------
 */

/*
 * "length:text," for each: whatever stands in them can be read back. No text of a message has a
 * line's end in it.
 */
static void save_text(struct buf *out, struct str text)
{
	buf_add_u64(out, text.n);
	buf_add_char(out, ':');
	buf_add(out, text);
	buf_add_char(out, ',');
}

static void save_number(struct buf *out, uint64_t number)
{
	buf_add_u64(out, number);
	buf_add_char(out, ',');
}

#define FORMAT STR("dialog1,") /* another layout, another number */

void sip_dialog_save(const struct sip_dialog *dialog, struct buf *out)
{
	char text[NETADDR_STRLEN];

	buf_add(out, FORMAT);
	save_number(out, dialog->state);
	save_number(out, dialog->local_cseq);
	save_number(out, dialog->remote_cseq);
	save_number(out, dialog->use_flow);
	save_number(out, dialog->flow.proto);
	save_text(out, str_of(netaddr_format(&dialog->flow.local, text)));
	save_text(out, str_of(netaddr_format(&dialog->flow.remote, text)));
	save_text(out, str_of(dialog->contact_user));
	save_text(out, str_of(dialog->call_id));
	save_text(out, str_of(dialog->local_tag));
	save_text(out, str_of(dialog->remote_tag));
	save_text(out, str_of(dialog->local_uri));
	save_text(out, str_of(dialog->remote_uri));
	save_text(out, str_of(dialog->target));
	save_text(out, str_of(dialog->routes));
}

static bool load_number(struct str *rest, uint32_t most, uint32_t *out)
{
	struct str number;

	return str_split(rest, ',', &number) && str_to_u32(number, out) && *out <= most;
}

static bool load_text(struct str *rest, struct str *out)
{
	struct str length;
	uint32_t n;

	if (!str_split(rest, ':', &length) || !str_to_u32(length, &n) || n >= rest->n ||
	    rest->p[n] != ',')
		return false;
	*out = (struct str){rest->p, n};
	*rest = (struct str){rest->p + n + 1, rest->n - n - 1};
	return !memchr(out->p, '\0', out->n);
}

static bool load_address(struct str *rest, struct netaddr *out)
{
	struct str text;

	return load_text(rest, &text) && !netaddr_parse(out, text);
}

static bool load_numbers(struct sip_dialog *dialog, struct str *rest)
{
	uint32_t state, use_flow, proto;

	if (!load_number(rest, SIP_DIALOG_TERMINATED, &state) ||
	    !load_number(rest, UINT32_MAX, &dialog->local_cseq) ||
	    !load_number(rest, UINT32_MAX, &dialog->remote_cseq) ||
	    !load_number(rest, 1, &use_flow) || !load_number(rest, SIP_TLS, &proto) ||
	    !load_address(rest, &dialog->flow.local) || !load_address(rest, &dialog->flow.remote))
		return false;
	dialog->state = (enum sip_dialog_state)state;
	dialog->use_flow = use_flow;
	dialog->flow.proto = (enum sip_proto)proto;
	return true;
}

static int load_texts(struct sip_dialog *dialog, struct str *rest)
{
	char **const into[] = {&dialog->call_id,   &dialog->local_tag,	&dialog->remote_tag,
			       &dialog->local_uri, &dialog->remote_uri, &dialog->target,
			       &dialog->routes};
	struct str text;

	if (!load_text(rest, &text) || text.n >= sizeof(dialog->contact_user))
		return -EINVAL;
	memcpy(dialog->contact_user, text.p, text.n);
	for (size_t i = 0; i < sizeof(into) / sizeof(into[0]); i++) {
		if (!load_text(rest, &text))
			return -EINVAL;
		if (dialog_set(into[i], text))
			return -ENOMEM;
	}
	return rest->n ? -EINVAL : 0;
}

int sip_dialog_restore(struct sip_dialog **out, struct sip_dialogs *dialogs, struct str saved)
{
	struct sip_dialog *dialog;
	int ret = 0;

	if (!str_starts(saved, FORMAT))
		return -EINVAL;
	saved = (struct str){saved.p + FORMAT.n, saved.n - FORMAT.n};
	dialog = dialog_new(dialogs);
	if (!dialog)
		return -ENOMEM;
	if (!load_numbers(dialog, &saved))
		ret = -EINVAL;
	if (!ret)
		ret = load_texts(dialog, &saved);
	if (ret) {
		sip_dialog_free(dialog);
		return ret;
	}
	dialog_enter(dialog);
	*out = dialog;
	return 0;
}
