// SPDX-License-Identifier: BSD-2-Clause
/*
 * The role of a redirect server (SG-20, RFC 3261 8.3), for the domains of sip.redirect: who asks
 * for a user is told where it is, 302, and asks there itself. We carry neither its signalling nor
 * its media then.
 */
#include "call/internal.h"

#include "registrar/contact.h"

static bool is_redirected(const struct config *config, struct str aor)
{
	struct str domain = str_from(aor.p + str_index(aor, '@'), aor.p + aor.n);

	for (size_t i = 0; domain.n && i < config->redirects; i++)
		if (str_case_eq(str_from(domain.p + 1, domain.p + domain.n),
				str_of(config->redirect[i])))
			return true;
	return false;
}

/* Can others reach it? Not through a NAT, by its connection, or on a Path that begins with us. */
static bool is_public(const struct binding *binding)
{
	return !binding->use_flow && !binding->path[0];
}

/* <sip:alice@192.0.2.7>;q=0.7;expires=120 */
static void write_contact(struct buf *out, const struct binding *binding)
{
	uint64_t now = wheel_now_ms();

	buf_add(out, STR("Contact: <"));
	buf_add(out, str_of(binding->contact));
	buf_add(out, STR(">;q="));
	contact_write_qvalue(out, binding->q);
	buf_add(out, STR(";expires="));
	buf_add_u64(out, binding->expires_ms > now ? (binding->expires_ms - now) / 1000 : 0);
	buf_add(out, STR("\r\n"));
}

/* Of a device with several networks only the best one (PH-3): bindings of one stand together. */
static void write_contacts(struct buf *out, const struct binding *const *binding, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i && binding_same_instance(binding[i - 1], binding[i]))
			continue;
		if (is_public(binding[i]))
			write_contact(out, binding[i]);
	}
}

bool redirect_serve(struct calls *calls, struct sip_server_tx *tx,
		    const struct sip_message *request)
{
	const struct binding *binding[LOCATION_BINDINGS];
	struct buf *contacts = &calls->extra, aor = BUF_EMPTY;
	size_t count = 0;

	if (calls->config->redirects && !registrar_aor(calls->registrar, &request->uri, &aor) &&
	    is_redirected(calls->config, buf_str(&aor)))
		count = location_lookup(calls->location, buf_str(&aor), binding, LOCATION_BINDINGS);
	buf_free(&aor);
	buf_reset(contacts);
	write_contacts(contacts, binding, count);
	if (!contacts->len || buf_error(contacts))
		return false;
	respond_plain(calls, tx, 302, NULL, buf_str(contacts));
	return true;
}
