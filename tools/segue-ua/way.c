// SPDX-License-Identifier: BSD-2-Clause
#include "way.h"

#include <errno.h>

#include "call.h"
#include "registration.h"

/* ---- finding it ------------------------------------------------------------------------------ */

static bool same_family(const struct ua_network *network, const struct netaddr *remote)
{
	return netaddr_is_ipv4(&network->sip) == netaddr_is_ipv4(remote);
}

static void on_resolved(void *context, const struct sip_targets *targets, int error)
{
	struct ua *ua = context;

	ua->query = NULL;
	if (!error)
		ua->proxy = *targets;
	ua->on_way(ua, error);
}

/* "": none is wanted. */
static void write_proxy(const struct ua_options *options, struct buf *out)
{
	struct str proxy = str_of(options->proxy ? options->proxy : "");

	if (str_starts(proxy, STR("sip:")) || str_starts(proxy, STR("sips:")))
		buf_add(out, proxy);
	else if (proxy.n)
		buf_addf(out, "sip:%s", options->proxy);
	else if (options->aor && options->expires && !options->network[0].proxy.port)
		buf_addf(out, "%s", options->aor);
	if (out->len && options->transport_chosen)
		buf_addf(out, ";transport=%s", sip_proto_parameter(options->transport));
}

int ua_way_find(struct ua *ua, ua_way_fn *fn, struct error *err)
{
	struct buf text = BUF_EMPTY;
	struct sip_uri uri;
	int ret;

	ua->on_way = fn;
	write_proxy(ua->options, &text);
	ret = buf_error(&text);
	if (!ret && text.len)
		ret = sip_uri_parse(&uri, buf_str(&text));
	if (!ret && text.len)
		ret = sip_resolve(ua->resolver, &uri, &ua->proxy, on_resolved, ua, &ua->query);
	if (ret && ret != -EINPROGRESS)
		error_set(err, ret, "%s: no way there: %s", text.data ? text.data : "",
			  strerror(-ret));
	buf_free(&text);
	return ret;
}

/* ---- what is spoken -------------------------------------------------------------------------- */

static enum sip_proto proto_of_uri(const char *text)
{
	enum sip_proto proto = SIP_UDP;
	struct sip_uri uri;
	struct str value;

	if (!text || sip_uri_parse(&uri, str_of(text)))
		return SIP_UDP;
	if (sip_param(uri.params, "transport", &value) && sip_proto_parse(&proto, value))
		proto = SIP_UDP;
	return str_case_eq(uri.scheme, STR("sips")) ? SIP_TLS : proto;
}

/* Of the proxy's protocols the first one that a network of ours can reach. */
static enum sip_proto choose(const struct ua *ua)
{
	if (ua->options->transport_chosen)
		return ua->options->transport;
	for (size_t i = 0; i < ua->proxy.count; i++) {
		for (size_t j = 0; j < ua->networks; j++) {
			if (same_family(&ua->network[j], &ua->proxy.target[i].address))
				return ua->proxy.target[i].proto;
		}
	}
	return proto_of_uri(ua->options->callee);
}

int ua_way_open(struct ua *ua, struct error *err)
{
	const struct sip_tls_config tls = {.ca = ua->options->tls_ca,
					   .unchecked = ua->options->tls_unchecked};
	int ret = 0;

	ua->proto = choose(ua);
	for (size_t i = 0; !ret && i < ua->networks; i++)
		ret = ua_network_listen(&ua->network[i], sip_stack_transport(ua->stack), ua->proto,
					ua->options->sip_port, &tls, err);
	return ret;
}

/* ---- taking it ------------------------------------------------------------------------------- */

static bool proxy_for(const struct ua *ua, const struct ua_network *network, struct netaddr *out)
{
	for (size_t i = 0; i < ua->proxy.count; i++) {
		if (ua->proxy.target[i].proto == ua->proto &&
		    same_family(network, &ua->proxy.target[i].address)) {
			*out = ua->proxy.target[i].address;
			return true;
		}
	}
	return false;
}

static bool host_of_uri(const struct ua *ua, const struct ua_network *network, const char *text,
			struct netaddr *out)
{
	struct sip_uri uri;
	uint16_t port = ua->proto == SIP_TLS ? 5061 : 5060;

	return !sip_uri_parse(&uri, str_of(text)) &&
	       !netaddr_parse_host(out, uri.host, uri.port ? uri.port : port) &&
	       same_family(network, out);
}

static bool to_peer(const struct ua_network *network, const struct sip_dialog *dialog,
		    struct netaddr *out)
{
	if (!dialog || !dialog->flow.remote.port || !same_family(network, &dialog->flow.remote))
		return false;
	*out = dialog->flow.remote;
	return true;
}

int ua_way_of(const struct ua *ua, const struct ua_network *network,
	      const struct sip_dialog *dialog, struct ua_way *out)
{
	struct netaddr *remote = &out->flow.remote;

	*out = (struct ua_way){.flow = {.proto = ua->proto, .local = network->sip}};
	if (ua->options->tls_name)
		out->server_name = str_of(ua->options->tls_name);
	if (dialog && dialog->flow.conn && netaddr_eq(&dialog->flow.local, &network->sip)) {
		out->flow = dialog->flow;
		return 0;
	}
	if (network->proxy.port) {
		*remote = network->proxy;
		return 0;
	}
	if (ua->proto == SIP_UDP && to_peer(network, dialog, remote))
		return 0;
	if (proxy_for(ua, network, remote)) {
		if (!ua->options->tls_name)
			out->server_name = str_of(ua->proxy.name);
		return 0;
	}
	/* Who connected to us did so from a port where nobody listens. */
	return (dialog && host_of_uri(ua, network, dialog->target, remote)) ||
			       to_peer(network, dialog, remote)
		       ? 0
		       : -EHOSTUNREACH;
}

/* ---- losing it ------------------------------------------------------------------------------- */

static struct ua_network *network_of(struct ua *ua, const struct netaddr *local)
{
	for (size_t i = 0; i < ua->networks; i++) {
		if (netaddr_same_host(&ua->network[i].sip, local))
			return &ua->network[i];
	}
	return NULL;
}

static void on_refreshed(void *context, int status, struct sip_message *response)
{
	const struct ua_leg *leg = context;

	(void)response;
	ua_event(leg->call->ua, "reconnected",
		 json_pack("{s:s, s:i}", "network", leg->network->name, "status", status));
}

/* A re-INVITE tells the other side which connection leads to us now (RFC 3261 12.2.1.1). */
static void refresh_leg(struct ua_leg *leg, const struct ua_network *network)
{
	const struct ua_call *call = leg->call;

	if (leg->network == network && leg->state == UA_LEG_UP && !call->move && !call->ending)
		ua_leg_invite(leg, leg->network, leg->wanted, STR_NONE, on_refreshed, leg);
}

static void forget_connection(struct ua *ua, const struct sip_flow *flow, bool refresh)
{
	if (!ua->call)
		return;
	list_for_each(node, after, &ua->call->legs)
	{
		struct ua_leg *leg = container_of(node, struct ua_leg, node);

		if (leg->dialog->flow.conn != flow->conn)
			continue;
		leg->dialog->flow.conn = 0;
		if (refresh)
			refresh_leg(leg, network_of(ua, &flow->local));
	}
}

void ua_way_lost(struct ua *ua, const struct sip_flow *flow)
{
	const struct ua_network *network = network_of(ua, &flow->local);
	bool again = network && network->up && !network->abandoned && !ua->quitting;

	forget_connection(ua, flow, again);
	if (again && ua->registration[network->index])
		ua_registration_renew(ua->registration[network->index]);
}

void ua_way_abandon(struct ua *ua, struct ua_network *network)
{
	network->abandoned = true;
	sip_transport_disconnect(sip_stack_transport(ua->stack), &network->sip);
	network->abandoned = false;
}
