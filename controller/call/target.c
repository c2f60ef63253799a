// SPDX-License-Identifier: BSD-2-Clause
/* What a request of ours to a target says: who from, who to, by which way. */
#include "call/internal.h"

#include <errno.h>
#include <stdlib.h>

/* "Alice" <sip:alice@example.net>, as sip_dialog_create wants it. */
static void write_party(struct buf *out, const struct sip_nameaddr *party, struct str uri)
{
	buf_reset(out);
	if (party->display.n) {
		buf_add(out, party->display);
		buf_add_char(out, ' ');
	}
	buf_add_char(out, '<');
	buf_add(out, uri);
	buf_add_char(out, '>');
}

/* From as the callee may see it: a name of a domain, not an address of the caller's (SG-53). */
static void write_from(struct calls *calls, const struct sip_message *invite, struct buf *out)
{
	struct netaddr address;
	struct sip_uri uri;
	struct buf text = BUF_EMPTY;

	if (sip_uri_parse(&uri, invite->from.uri) || netaddr_parse_host(&address, uri.host, 0) ||
	    !calls->config->domain_count) {
		write_party(out, &invite->from, invite->from.uri);
		return;
	}
	buf_add(&text, STR("sip:"));
	buf_add(&text, uri.user);
	if (uri.user.n)
		buf_add_char(&text, '@');
	buf_add(&text, str_of(calls->config->domains[0]));
	write_party(out, &invite->from, buf_str(&text));
	buf_free(&text);
}

/* The URIs of a Path, as a dialog keeps routes: "<uri>, <uri>". */
static char *routes_of(const char *path)
{
	struct str rest = str_of(path), part;
	struct buf out = BUF_EMPTY;
	struct sip_nameaddr hop;
	char *routes = NULL;

	while (str_split(&rest, ',', &part)) {
		if (sip_nameaddr_parse(&hop, part))
			continue;
		buf_add(&out, out.len ? STR(", <") : STR("<"));
		buf_add(&out, hop.uri);
		buf_add_char(&out, '>');
	}
	if (!buf_error(&out))
		routes = str_dup(buf_str(&out));
	buf_free(&out);
	return routes;
}

int target_parties(struct calls *calls, const struct sip_message *request, struct buf *from,
		   struct buf *to)
{
	write_from(calls, request, from);
	write_party(to, &request->to, request->to.uri);
	return buf_error(from) ? buf_error(from) : buf_error(to);
}

int target_aim(const struct target *target, struct sip_dialog *dialog)
{
	char *routes;

	dialog->flow = target->flow;
	dialog->use_flow = target->use_flow;
	if (!target->path[0])
		return 0;
	routes = routes_of(target->path);
	if (!routes)
		return -ENOMEM;
	free(dialog->routes);
	dialog->routes = routes;
	return 0;
}
