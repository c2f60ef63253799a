// SPDX-License-Identifier: BSD-2-Clause
#include "registration.h"

#include <errno.h>
#include <stdlib.h>

#include "request.h"

#define RETRY_MS 30000u
#define BRIEF 40u /* seconds: shorter registrations are renewed at their half */

struct ua_registration {
	struct ua *ua;
	struct ua_network *network, *former; /* former: its binding is to go; NULL: none */
	struct ua_registration *other;	     /* told of in the next request; NULL: none */
	struct sip_dialog *dialog;	     /* none, but it has what a request needs */
	struct ua_request *request;
	struct timer timer;
	unsigned expires, quality;
	bool up, leaving, brief; /* brief: the registrar wanted longer already */
	ua_registered_fn *fn;
	void *context;
};

static int send_register(struct ua_registration *registration);

/* ---- the request ----------------------------------------------------------------------------- */

static void write_contact(const struct ua_registration *registration, struct buf *out,
			  const struct ua_network *network, unsigned quality, unsigned expires)
{
	const struct ua *ua = registration->ua;
	const struct sip_flow flow = {.proto = ua->proto, .local = network->sip};

	buf_add(out, STR("Contact: "));
	sip_write_contact(out, &flow, str_of(ua->user));
	buf_addf(out, ";expires=%u", expires);
	if (quality) {
		buf_addf(out, ";ua_id=%s;if_q=%u.%03u", ua->instance + strlen("urn:uuid:"),
			 quality / 1000, quality % 1000);
	} else {
		buf_addf(out, ";+sip.instance=\"<%s>\"", ua->instance);
	}
	buf_add(out, STR("\r\n"));
}

/* The 200 says how long it lasts: at our Contact, else in Expires (RFC 3261 10.2.4). */
static unsigned granted(const struct ua_registration *registration,
			const struct sip_message *response)
{
	char own[NETADDR_STRLEN];
	uint32_t seconds = registration->expires;
	struct sip_nameaddr contact;
	size_t cursor = 0;

	str_to_u32(sip_header(response, "Expires", 0), &seconds);
	netaddr_format(&registration->network->sip, own);
	for (struct str value, text; sip_header_list(response, "Contact", &cursor, &value);) {
		if (sip_nameaddr_parse(&contact, value) || contact.uri.n < strlen(own) ||
		    !memmem(contact.uri.p, contact.uri.n, own, strlen(own)))
			continue;
		if (sip_param(contact.params, "expires", &text))
			str_to_u32(text, &seconds);
	}
	return seconds;
}

/* Does the registrar know of several interfaces (PH-4)? */
static bool knows_interfaces(const struct sip_message *response)
{
	struct sip_nameaddr contact;
	size_t cursor = 0;

	for (struct str value, text; sip_header_list(response, "Contact", &cursor, &value);) {
		if (!sip_nameaddr_parse(&contact, value) &&
		    sip_param(contact.params, "if_no", &text))
			return true;
	}
	return false;
}

static void on_timer(void *context)
{
	struct ua_registration *registration = context;

	if (send_register(registration))
		timer_start(registration->ua->wheel, &registration->timer, RETRY_MS, on_timer,
			    registration);
}

static void tell(struct ua_registration *registration, int status)
{
	ua_registered_fn *fn = registration->fn;

	registration->fn = NULL;
	if (fn)
		fn(registration->context, status);
}

static void succeeded(struct ua_registration *registration, const struct sip_message *response)
{
	unsigned seconds = granted(registration, response);

	registration->former = NULL;
	registration->up = !registration->leaving;
	if (registration->leaving) {
		ua_event(registration->ua, "unregistered",
			 json_pack("{s:s}", "network", registration->network->name));
		return;
	}
	ua_event(registration->ua, "registered",
		 json_pack("{s:s, s:i, s:b}", "network", registration->network->name, "expires",
			   (int)seconds, "interfaces", knows_interfaces(response)));
	timer_start(registration->ua->wheel, &registration->timer,
		    (seconds > BRIEF ? seconds - BRIEF / 2 : seconds / 2 + 1) * 1000ull, on_timer,
		    registration);
}

static void refused(struct ua_registration *registration, int status)
{
	registration->up = false;
	ua_event(registration->ua, "register-failed",
		 json_pack("{s:s, s:i}", "network", registration->network->name, "status", status));
	if (!registration->leaving)
		timer_start(registration->ua->wheel, &registration->timer, RETRY_MS, on_timer,
			    registration);
}

/* RFC 3261 10.2.8: as long as it must be, once. */
static bool stretches(struct ua_registration *registration, const struct sip_message *response)
{
	uint32_t least;

	if (!response || response->status != 423 || registration->brief ||
	    !str_to_u32(sip_header(response, "Min-Expires", 0), &least) || least > 86400)
		return false;
	registration->brief = true;
	registration->expires = least;
	return !send_register(registration);
}

static void on_response(void *context, int status, struct sip_message *response)
{
	struct ua_registration *registration = context;

	if (status < 200 || stretches(registration, response))
		return;
	ua_request_free(registration->request);
	registration->request = NULL;
	if (status < 300)
		succeeded(registration, response);
	else
		refused(registration, status);
	tell(registration, status);
}

static int send_register(struct ua_registration *registration)
{
	struct buf headers = BUF_EMPTY;
	struct ua_request_spec spec = {.method = SIP_REGISTER,
				       .network = registration->network,
				       .dialog = registration->dialog,
				       .fn = on_response,
				       .context = registration};
	int ret;

	ua_request_free(registration->request);
	registration->request = NULL;
	timer_stop(&registration->timer);
	write_contact(registration, &headers, registration->network, registration->quality,
		      registration->leaving ? 0 : registration->expires);
	if (registration->former)
		write_contact(registration, &headers, registration->former, registration->quality,
			      0);
	if (registration->other)
		write_contact(registration, &headers, registration->other->network,
			      registration->other->quality, registration->expires);
	registration->other = NULL;
	sip_write_header(&headers, "Supported", STR("path, outbound"));
	spec.headers = buf_str(&headers);
	ret = buf_error(&headers);
	if (!ret)
		ret = ua_request_send(&registration->request, registration->ua, &spec);
	buf_free(&headers);
	return ret;
}

/* ---- verbs ----------------------------------------------------------------------------------- */

/* "sip:example.net" of "sip:alice@example.net". */
static int write_registrar(struct buf *out, struct str aor)
{
	struct sip_uri uri;
	int ret = sip_uri_parse(&uri, aor);

	if (ret)
		return ret;
	buf_add(out, uri.scheme);
	buf_add_char(out, ':');
	buf_add(out, uri.host);
	if (uri.port)
		buf_addf(out, ":%u", uri.port);
	return buf_error(out);
}

static int make_dialog(struct ua_registration *registration)
{
	struct ua *ua = registration->ua;
	char call_id[SIP_TOKEN_LEN], tag[SIP_TOKEN_LEN];
	struct buf party = BUF_EMPTY, registrar = BUF_EMPTY;
	int ret = write_registrar(&registrar, str_of(ua->options->aor));

	sip_token(ua->stack, call_id);
	sip_token(ua->stack, tag);
	buf_addf(&party, "<%s>", ua->options->aor);
	if (!ret)
		ret = buf_error(&party);
	if (!ret)
		ret = sip_dialog_create(&registration->dialog, sip_stack_dialogs(ua->stack),
					str_of(call_id), str_of(tag), buf_str(&party),
					buf_str(&party), buf_str(&registrar));
	buf_free(&party);
	buf_free(&registrar);
	return ret;
}

int ua_registration_start(struct ua_registration **out, struct ua *ua, struct ua_network *network,
			  unsigned quality, ua_registered_fn *fn, void *context)
{
	struct ua_registration *registration = calloc(1, sizeof(*registration));
	int ret;

	if (!registration)
		return -ENOMEM;
	registration->ua = ua;
	registration->network = network;
	registration->quality = quality;
	registration->expires = ua->options->expires;
	registration->fn = fn;
	registration->context = context;
	ret = make_dialog(registration);
	if (!ret)
		ret = send_register(registration);
	if (ret)
		ua_registration_free(registration);
	else
		*out = registration;
	return ret;
}

int ua_registration_move(struct ua_registration *registration, struct ua_network *network,
			 ua_registered_fn *fn, void *context)
{
	if (registration->network != network)
		registration->former = registration->network;
	registration->network = network;
	registration->fn = fn;
	registration->context = context;
	return send_register(registration);
}

int ua_registration_swap(struct ua_registration *registration, struct ua_registration *other)
{
	unsigned quality = registration->quality;

	registration->quality = other->quality;
	other->quality = quality;
	registration->other = other;
	return send_register(registration);
}

int ua_registration_stop(struct ua_registration *registration, ua_registered_fn *fn, void *context)
{
	if (!registration->up)
		return -ENOENT;
	registration->leaving = true;
	registration->fn = fn;
	registration->context = context;
	return send_register(registration);
}

void ua_registration_renew(struct ua_registration *registration)
{
	if (registration->up && !registration->request)
		on_timer(registration);
}

bool ua_registration_is_up(const struct ua_registration *registration)
{
	return registration->up;
}

struct ua_network *ua_registration_network(const struct ua_registration *registration)
{
	return registration->network;
}

void ua_registration_free(struct ua_registration *registration)
{
	if (!registration)
		return;
	timer_stop(&registration->timer);
	ua_request_free(registration->request);
	sip_dialog_free(registration->dialog);
	free(registration);
}
