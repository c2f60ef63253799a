// SPDX-License-Identifier: BSD-2-Clause
/* Who is who: which URIs are ours, whom they name, and who proved to be one of them. */
#include <errno.h>

#include "registrar/registrar_private.h"

/* ---- names ------------------------------------------------------------------------------------
 */

static bool is_sips(const struct sip_uri *uri)
{
	return str_case_eq(uri->scheme, STR("sips"));
}

static bool is_sip(const struct sip_uri *uri)
{
	return is_sips(uri) || str_case_eq(uri->scheme, STR("sip"));
}

/* The domain as configured; an address that we listen on stands for the first one. NULL: not ours.
 */
static const char *our_domain(struct registrar *registrar, const struct sip_uri *uri)
{
	struct netaddr at;

	if (!is_sip(uri) || !uri->host.n)
		return NULL;
	for (size_t i = 0; i < registrar->config.domain_count; i++) {
		if (str_case_eq(uri->host, str_of(registrar->config.domains[i])))
			return registrar->config.domains[i];
	}
	if (netaddr_parse_host(&at, uri->host, uri->port) ||
	    !sip_transport_is_ours(sip_stack_transport(registrar->stack), &at))
		return NULL;
	return registrar->config.domains[0];
}

bool registrar_is_ours(struct registrar *registrar, const struct sip_uri *uri)
{
	return our_domain(registrar, uri);
}

/* The user of an address-of-record: no password, escapes resolved (RFC 3261 10.3, step 5). */
static int add_user(struct buf *out, struct str user)
{
	size_t from = out->len;

	user.n = str_index(user, ':');
	sip_unescape(out, user);
	if (buf_error(out))
		return -EINVAL;
	for (size_t i = from; i < out->len; i++) {
		if ((unsigned char)out->data[i] <= ' ' || out->data[i] == 0x7f)
			return -EINVAL;
	}
	return out->len > from ? 0 : -EINVAL;
}

int registrar_aor(struct registrar *registrar, const struct sip_uri *uri, struct buf *out)
{
	const char *domain = our_domain(registrar, uri);
	int error;

	buf_reset(out);
	if (!domain)
		return -EINVAL;
	error = add_user(out, uri->user);
	buf_add_char(out, '@');
	buf_add(out, str_of(domain));
	return error || buf_error(out) ? -EINVAL : 0;
}

bool registrar_has_subscriber(struct registrar *registrar, struct str aor)
{
	return subscribers_find(registrar->subscribers, aor);
}

int registrar_target(struct registrar *registrar, const struct sip_message *request)
{
	struct sip_uri to;

	if (sip_uri_parse(&to, request->to.uri))
		return 400;
	return registrar_aor(registrar, &to, &registrar->aor) ? 404 : 0;
}

/* ---- proof ------------------------------------------------------------------------------------
 */

struct claim {
	struct registrar *registrar;
	const char *domain; /* that a user name without one is looked for in */
	struct subscriber *subscriber;
};

static const char *domain_of(struct registrar *registrar, struct str text)
{
	struct sip_uri uri;

	return sip_uri_parse(&uri, text) ? NULL : our_domain(registrar, &uri);
}

static bool look_up(void *context, struct str user, struct digest_ha1 *out)
{
	struct claim *claim = context;
	struct buf *name = &claim->registrar->unescaped;
	bool whole = str_index(user, '@') < user.n;

	buf_reset(name);
	buf_add(name, user);
	if (!whole) {
		buf_add_char(name, '@');
		buf_add(name, str_of(claim->domain));
	}
	if (buf_error(name))
		return false;
	claim->subscriber = subscribers_find(claim->registrar->subscribers, buf_str(name));
	if (!claim->subscriber)
		return false;
	*out = whole ? claim->subscriber->whole : claim->subscriber->user;
	return true;
}

static void challenge(struct registrar *registrar, struct sip_server_tx *tx, bool proxy, bool stale)
{
	struct buf *headers = &registrar->unescaped;

	buf_reset(headers);
	digest_challenge(registrar->digest, headers, proxy, stale);
	if (buf_error(headers))
		registrar_refuse(registrar, tx, 500, NULL, STR_NONE);
	else
		registrar_refuse(registrar, tx, proxy ? 407 : 401, NULL, buf_str(headers));
}

/*
 * One user of ours may not call itself another one. Inside a dialog From is what the dialog began
 * with, which may be an alias; the dialog itself says there whose it is. REGISTER looks at To.
 */
static bool claims_another(struct registrar *registrar, const struct sip_message *request,
			   struct str proven)
{
	struct sip_uri from;

	if (request->to_tag.n || request->method == SIP_REGISTER ||
	    sip_uri_parse(&from, request->from.uri) || !our_domain(registrar, &from))
		return false;
	return registrar_aor(registrar, &from, &registrar->unescaped) ||
	       !str_eq(buf_str(&registrar->unescaped), proven);
}

/* For debugging only: it is the sender who decides how often this is written. */
static void tell_of_wrong_proof(struct registrar *registrar, const struct sip_message *request)
{
	char from[NETADDR_STRLEN];

	log_debug(registrar->log, NULL, "%.*s from %s proves nothing: %.*s",
		  STR_ARG(request->method_name), netaddr_format(&request->flow.remote, from),
		  STR_ARG(request->from.uri));
}

static void tell_of_proof(struct registrar *registrar, const struct sip_message *request,
			  enum digest_outcome outcome)
{
	bool good = outcome == DIGEST_GOOD;

	if (outcome == DIGEST_WRONG)
		tell_of_wrong_proof(registrar, request);
	if (registrar->proof && (good || outcome == DIGEST_WRONG || outcome == DIGEST_MALFORMED))
		registrar->proof(registrar->proof_context, &request->flow, good);
}

/*
 * We are registrar, proxy and far end at once, and one nonce serves all: whoever has answered our
 * 401 of a REGISTER, or our 407 of its first INVITE, may answer it ahead in any request (HH-4: no
 * round trip more). `proxy` says only what we ask for.
 */
static bool proves_to_proxy(const struct sip_message *request, bool proxy)
{
	bool to_proxy = sip_has_header(request, "Proxy-Authorization");

	return to_proxy == sip_has_header(request, "Authorization") ? proxy : to_proxy;
}

bool registrar_authenticate(struct registrar *registrar, struct sip_server_tx *tx,
			    struct sip_message *request, bool proxy, struct buf *aor)
{
	struct claim claim = {registrar, domain_of(registrar, request->from.uri), NULL};
	enum digest_outcome outcome;
	struct str user;

	if (!claim.domain)
		claim.domain = domain_of(registrar, request->to.uri);
	if (!claim.domain)
		claim.domain = registrar->config.domains[0];
	outcome = digest_check(registrar->digest, request, proves_to_proxy(request, proxy), look_up,
			       &claim, &user);
	tell_of_proof(registrar, request, outcome);
	if (outcome == DIGEST_MALFORMED) {
		registrar_refuse(registrar, tx, 400, "Malformed Credentials", STR_NONE);
		return false;
	}
	if (outcome != DIGEST_GOOD) {
		challenge(registrar, tx, proxy, outcome == DIGEST_STALE);
		return false;
	}
	buf_reset(aor);
	buf_add(aor, subscriber_aor(claim.subscriber));
	if (buf_error(aor)) {
		registrar_refuse(registrar, tx, 500, NULL, STR_NONE);
		return false;
	}
	if (claims_another(registrar, request, buf_str(aor))) {
		registrar_refuse(registrar, tx, 403, "From is another User", STR_NONE);
		return false;
	}
	return true;
}
