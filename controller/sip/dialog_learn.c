// SPDX-License-Identifier: BSD-2-Clause
/* What a dialog takes from messages of its peer (RFC 3261 12.1, 12.2). */
#include <errno.h>
#include <stdlib.h>

#include "sip/dialog_private.h"

/*
 * From or To as it shall stand in requests: name and URI, no parameters. A NUL (in a quoted pair)
 * would end our copy: such a name is left out, it means nothing to a dialog.
 */
static int set_party(char **text, const struct sip_nameaddr *party)
{
	struct buf buf = BUF_EMPTY;
	int ret;

	if (party->display.n && !memchr(party->display.p, '\0', party->display.n)) {
		buf_add(&buf, party->display);
		buf_add_char(&buf, ' ');
	}
	buf_add_char(&buf, '<');
	buf_add(&buf, party->uri);
	buf_add_char(&buf, '>');
	ret = buf_error(&buf);
	if (!ret)
		ret = dialog_set(text, buf_str(&buf));
	buf_free(&buf);
	return ret;
}

/* -ENOENT: no Contact that one could send to. */
static int set_target(char **text, const struct sip_message *message)
{
	struct sip_nameaddr contact;
	size_t cursor = 0;
	struct str value, uri;

	if (!sip_header_list(message, "Contact", &cursor, &value) ||
	    sip_nameaddr_parse(&contact, value))
		return -ENOENT;
	uri = dialog_request_uri(contact.uri);
	return uri.n ? dialog_set(text, uri) : -ENOENT;
}

/* How many values a list header has. */
static size_t count_values(const struct sip_message *message, const char *name)
{
	size_t count = 0, cursor = 0;

	for (struct str value; sip_header_list(message, name, &cursor, &value);)
		count++;
	return count;
}

/*
 * The URIs of Record-Route, as a Route header has them. RFC 3261 12.1.1, 12.1.2: the one who asked
 * finds them in the order of the answer's way, and turns them round.
 */
static int set_routes(char **text, const struct sip_message *message)
{
	size_t count = count_values(message, "Record-Route"), cursor = 0, n = 0;
	struct sip_nameaddr *route = calloc(count + 1, sizeof(*route));
	struct buf buf = BUF_EMPTY;
	struct str value;
	int ret;

	if (!route)
		return -ENOMEM;
	while (n < count && sip_header_list(message, "Record-Route", &cursor, &value)) {
		if (!sip_nameaddr_parse(&route[n], value))
			n++;
	}
	for (size_t i = 0; i < n; i++) {
		buf_add(&buf, i ? STR(", <") : STR("<"));
		buf_add(&buf, route[message->status ? n - 1 - i : i].uri);
		buf_add_char(&buf, '>');
	}
	ret = buf_error(&buf);
	if (!ret)
		ret = dialog_set(text, buf_str(&buf));
	buf_free(&buf);
	free(route);
	return ret;
}

static bool host_is_elsewhere(struct str uri_text, const struct netaddr *source, bool name_is)
{
	struct sip_uri uri;
	struct netaddr host;

	if (sip_uri_parse(&uri, uri_text) || netaddr_parse_host(&host, uri.host, 0))
		return name_is;
	return !netaddr_same_host(&host, source);
}

/*
 * Does the next hop stand behind the flow, and not where its URI says? On a connection always. Over
 * UDP when its host is not the one that the packet came from: NAT, or a name that only the peer
 * knows (SG-5, RFC 5626). A proxy's name in a route is one that DNS knows. A request that passed a
 * proxy which wants to see no more of the dialog came from nobody's Contact.
 */
static bool flow_is_the_way(const struct sip_dialog *dialog, const struct sip_message *message)
{
	struct str first, rest;
	bool routed = dialog_first_route(dialog, &first, &rest);

	if (!routed && !message->status && count_values(message, "Via") > 1)
		return false;
	if (sip_proto_is_stream(message->flow.proto))
		return true;
	return host_is_elsewhere(routed ? first : str_of(dialog->target), &message->flow.remote,
				 !routed);
}

static void take_flow(struct sip_dialog *dialog, const struct sip_message *message)
{
	dialog->flow = message->flow;
	dialog->use_flow = flow_is_the_way(dialog, message);
}

static int learn_request(struct sip_dialog *dialog, const struct sip_message *request,
			 struct str local_tag)
{
	int ret = set_target(&dialog->target, request);

	if (ret == -ENOENT)
		return -EINVAL; /* RFC 3261 12.1.1 */
	if (ret || dialog_set(&dialog->call_id, request->call_id) ||
	    dialog_set(&dialog->local_tag, local_tag) ||
	    dialog_set(&dialog->remote_tag, request->from_tag) ||
	    set_party(&dialog->local_uri, &request->to) ||
	    set_party(&dialog->remote_uri, &request->from) || set_routes(&dialog->routes, request))
		return -ENOMEM;
	dialog->remote_cseq = request->cseq;
	take_flow(dialog, request);
	return 0;
}

int sip_dialog_accept(struct sip_dialog **out, struct sip_dialogs *dialogs,
		      const struct sip_message *request, struct str local_tag)
{
	struct sip_dialog *dialog = dialog_new(dialogs);
	int ret;

	if (!dialog)
		return -ENOMEM;
	ret = learn_request(dialog, request, local_tag);
	if (ret) {
		sip_dialog_free(dialog);
		return ret;
	}
	dialog_enter(dialog);
	*out = dialog;
	return 0;
}

int sip_dialog_learn(struct sip_dialog *dialog, const struct sip_message *response)
{
	char *tag = NULL, *routes = NULL, *target = NULL;
	int ret;

	if (response->status <= 100 || response->status > 299)
		return -EINVAL;
	if (dialog->remote_tag[0] && !str_eq(str_of(dialog->remote_tag), response->to_tag))
		return -EINVAL; /* another dialog: sip_dialog_fork */
	if (dialog->state == SIP_DIALOG_CONFIRMED && response->status < 200)
		return 0; /* overtaken by the 2xx */
	ret = dialog_set(&tag, response->to_tag);
	if (!ret)
		ret = set_routes(&routes, response); /* the 2xx's count: RFC 3261 13.2.2.4 */
	if (!ret)
		ret = set_target(&target, response);
	if (ret && ret != -ENOENT)
		goto out;
	ret = 0;
	if (target) {
		char *old = dialog->target;

		dialog->target = target;
		target = old;
	}
	free(dialog->remote_tag);
	free(dialog->routes);
	dialog->remote_tag = tag;
	dialog->routes = routes;
	tag = routes = NULL;
	if (response->status >= 200)
		dialog->state = SIP_DIALOG_CONFIRMED;
	take_flow(dialog, response);
out:
	free(target);
	free(routes);
	free(tag);
	return ret;
}

int sip_dialog_fork(struct sip_dialog **out, const struct sip_dialog *first,
		    const struct sip_message *response)
{
	struct sip_dialog *dialog;
	int ret = sip_dialog_create(&dialog, first->dialogs, str_of(first->call_id),
				    str_of(first->local_tag), str_of(first->local_uri),
				    str_of(first->remote_uri), str_of(first->target));

	if (ret)
		return ret;
	dialog->local_cseq = first->local_cseq;
	memcpy(dialog->contact_user, first->contact_user, sizeof(dialog->contact_user));
	ret = sip_dialog_learn(dialog, response);
	if (ret)
		sip_dialog_free(dialog);
	else
		*out = dialog;
	return ret;
}

int sip_dialog_refresh(struct sip_dialog *dialog, const struct sip_message *message)
{
	int ret = set_target(&dialog->target, message);

	if (ret && ret != -ENOENT) /* without one the target stays */
		return ret;
	take_flow(dialog, message);
	return 0;
}

int sip_dialog_in_order(struct sip_dialog *dialog, const struct sip_message *request)
{
	/* The same number again is a copy that came another way, or a replay: not in order. */
	if (dialog->remote_cseq && request->cseq <= dialog->remote_cseq)
		return 500;
	dialog->remote_cseq = request->cseq;
	return 0;
}
