// SPDX-License-Identifier: BSD-2-Clause
/*
 * A REGISTER, in the steps of RFC 3261 10.3. Whatever is wrong is found while the change is put
 * together, and the answer is written from what will stand: only then the change is made.
 */
#include <errno.h>
#include <strings.h>

#include "registrar/change.h"
#include "registrar/contact.h"
#include "registrar/registrar_private.h"

#define CONTACTS 32u   /* in one request; more are refused */
#define PATH_LEN 2048u /* bytes */
#define HOUR 3600u
#define NO_SUCH SIZE_MAX /* index */

/* One REGISTER while it is worked on. */
struct registration {
	struct registrar *registrar;
	const struct sip_message *request;
	struct location_change change;
	uint64_t now;
	bool direct;   /* came from the phone itself, through no proxy */
	bool outbound; /* a flow of RFC 5626 was registered */
	/*
	 * Who moved (follow: register): one that came back from elsewhere, or one that was put
	 * while another, registered from elsewhere, was taken off (VO-1).
	 */
	const struct location_entry *moved, *put;
	bool left;		/* another was taken off */
	struct sip_flow before; /* of the one that came back, or left */
	/* What to answer, when not 200: */
	int status;
	const char *reason; /* NULL: that of the status */
};

static bool refuse(struct registration *r, int status, const char *reason)
{
	r->status = status;
	r->reason = reason;
	return false;
}

/* ---- is it for us, and do we understand it? -----------------------------------------------------
 */

/* RFC 3261 10.3, step 2: 420 names all that we do not know. */
static bool check_require(struct registration *r)
{
	struct buf *text = &r->registrar->text;
	struct str tag;
	size_t cursor = 0;

	buf_reset(text);
	while (sip_header_list(r->request, "Require", &cursor, &tag)) {
		if (str_case_eq(tag, STR("path")) || str_case_eq(tag, STR("outbound")))
			continue;
		buf_add(text, text->len ? STR(", ") : STR("Unsupported: "));
		buf_add(text, tag);
	}
	if (!text->len)
		return true;
	buf_add(text, STR("\r\n"));
	return refuse(r, buf_error(text) ? 500 : 420, NULL);
}

/*
 * RFC 3327 5.3: a Path that the phone does not know of (no Supported: path) is not accepted, as it
 * could neither see nor prevent who puts itself between.
 */
static bool check_path(struct registration *r)
{
	struct buf *path = &r->registrar->path, *text = &r->registrar->text;
	struct sip_nameaddr address;
	struct str value;
	size_t cursor = 0;

	buf_reset(path);
	while (sip_header_list(r->request, "Path", &cursor, &value)) {
		if (sip_nameaddr_parse(&address, value) || value.p[value.n - 1] == ',')
			return refuse(r, 400, "Malformed Path");
		buf_add(path, path->len ? STR(", ") : STR_NONE);
		buf_add(path, value);
	}
	if (buf_error(path) || path->len > PATH_LEN)
		return refuse(r, 400, "Path too long");
	if (!path->len || sip_header_has_token(r->request, "Supported", STR("path")) ||
	    sip_header_has_token(r->request, "Require", STR("path")))
		return true;
	buf_reset(text);
	buf_add(text, STR("Unsupported: path\r\n"));
	return refuse(r, 420, NULL);
}

static bool is_direct(const struct sip_message *request)
{
	size_t cursor = 0;
	struct str via;

	sip_header_list(request, "Via", &cursor, &via);
	return !sip_header_list(request, "Via", &cursor, &via) && !sip_has_header(request, "Path");
}

static bool check_request(struct registration *r)
{
	/* HH-1, RFC 3891 3: both belong into INVITE and nowhere else. */
	if (sip_has_header(r->request, "Handover") || sip_has_header(r->request, "Replaces"))
		return refuse(r, 400, "Handover and Replaces belong into INVITE");
	if (!registrar_is_ours(r->registrar, &r->request->uri))
		return refuse(r, 404, "Not a Domain of ours");
	return check_require(r) && check_path(r);
}

/* ---- one contact ------------------------------------------------------------------------------
 */

static bool same_uri(const struct sip_uri *uri, const struct binding *binding)
{
	struct sip_uri other;

	return !sip_uri_parse(&other, str_of(binding->contact)) && sip_uri_eq(uri, &other);
}

static bool same_instance(const struct contact *contact, const struct binding *binding)
{
	return str_case_eq(contact->instance, str_of(binding->instance));
}

/*
 * Which binding does the contact mean? With an instance and a number for its interface these say
 * it, and not the URI (RFC 5626 6, PH-5). With ua_id alone another URI is another interface, which
 * is added (PH-2). Else it is the URI (RFC 3261 10.3, step 7).
 */
static bool means(const struct contact *contact, const struct binding *binding)
{
	bool instance = same_instance(contact, binding);

	if (contact->number && instance && binding->reg_id == contact->number)
		return true;
	if ((contact->number && binding->reg_id) || (contact->has_ua_id && !instance))
		return !binding->instance[0] && same_uri(&contact->uri, binding);
	return same_uri(&contact->uri, binding);
}

static size_t find(const struct registration *r, const struct contact *contact)
{
	size_t found = NO_SUCH;

	for (size_t i = 0; i < r->change.count; i++) {
		const struct binding *binding = &r->change.after[i]->binding;

		if (!means(contact, binding))
			continue;
		/* Two interfaces may share a URI (RFC 5626 4.2.1): the same instance goes first. */
		if (same_instance(contact, binding))
			return i;
		found = found == NO_SUCH ? i : found;
	}
	return found;
}

/* Is the request newer than the one that made this binding (RFC 3261 10.3, step 7)? */
static bool in_order(struct registration *r, const struct location_entry *entry)
{
	const struct binding *binding = &entry->binding;

	if (!entry->user || !str_eq(r->request->call_id, str_of(binding->call_id)) ||
	    r->request->cseq > binding->cseq)
		return true;
	return refuse(r, 500, "CSeq out of Order");
}

/*
 * RFC 5626 6: a flow can only be promised when the first hop keeps it. That is us, or a proxy that
 * says so by "ob" in its Path, which is the last one.
 */
static bool first_hop_keeps_flows(const struct registration *r)
{
	struct sip_nameaddr address;
	struct str value, last = STR_NONE;
	struct sip_uri uri;
	size_t cursor = 0;

	while (sip_header_list(r->request, "Path", &cursor, &value))
		last = value;
	return r->direct || !sip_header_has_token(r->request, "Supported", STR("outbound")) ||
	       (last.n && !sip_nameaddr_parse(&address, last) &&
		!sip_uri_parse(&uri, address.uri) && sip_param(uri.params, "ob", &value));
}

static uint32_t interval(const struct registration *r, const struct contact *contact)
{
	uint32_t seconds = r->registrar->config.default_expires;

	if (contact->has_expires)
		seconds = contact->expires;
	else
		str_to_u32(sip_header(r->request, "Expires", 0), &seconds);
	if (seconds > r->registrar->config.max_expires)
		seconds = r->registrar->config.max_expires;
	return seconds;
}

/* The smallest number that no interface of that instance has (PH-2). */
static uint32_t free_number(const struct registration *r, const struct contact *contact)
{
	uint32_t taken = 0, number = 1;

	for (size_t i = 0; i < r->change.count; i++) {
		const struct binding *binding = &r->change.after[i]->binding;

		if (same_instance(contact, binding) && binding->reg_id && binding->reg_id < 32)
			taken |= 1u << binding->reg_id;
	}
	while (taken & 1u << number)
		number++;
	return number;
}

/*
 * A direct phone whose Contact names another host than it sends from sits behind a NAT; an outbound
 * flow is to be used as it is (RFC 5626 5.3); and a connection is used while it lasts. A Contact
 * with a name in it says nothing of NAT.
 */
static void set_flow(const struct registration *r, const struct contact *contact, bool outbound,
		     struct location_draft *draft)
{
	const struct sip_flow *flow = &r->request->flow;
	bool stream = sip_proto_is_stream(flow->proto), nat = false, same_port = false;
	struct netaddr said;

	if (!netaddr_parse_host(&said, contact->uri.host, contact->uri.port)) {
		nat = !netaddr_same_host(&said, &flow->remote);
		same_port = said.port == flow->remote.port;
	}
	draft->flow = *flow;
	draft->use_flow = r->direct && (nat || outbound || stream);
	/* A Contact with the connection's own far port: nobody listens there once it is closed. */
	draft->flow_only = r->direct && (nat || outbound || (stream && same_port));
}

static bool from_elsewhere(const struct registration *r, const struct binding *binding)
{
	return !netaddr_same_host(&binding->flow.remote, &r->request->flow.remote);
}

/*
 * Did the device come back from another address? With numbers for its interfaces, only the binding
 * that is replaced is where it was; without, each one of the instance is.
 */
static bool look_for_move(struct registration *r, const struct contact *contact, uint32_t number,
			  const struct binding *old)
{
	bool found = old && from_elsewhere(r, old);

	if (found)
		r->before = old->flow;
	for (size_t i = 0; i < r->change.count && contact->instance.n && !number && !old; i++) {
		const struct binding *binding = &r->change.after[i]->binding;

		if (!binding->reg_id && same_instance(contact, binding) &&
		    from_elsewhere(r, binding)) {
			r->before = binding->flow;
			found = true;
		}
	}
	return found;
}

static bool put(struct registration *r, const struct contact *contact, size_t at, uint32_t seconds)
{
	const struct binding *old = at == NO_SUCH ? NULL : &r->change.after[at]->binding;
	bool outbound = contact->number && !contact->has_ua_id;
	struct location_draft draft = {
		.contact = contact->text,
		.params = contact->params,
		.path = buf_str(&r->registrar->path),
		.call_id = r->request->call_id,
		.instance = contact->instance,
		.cseq = r->request->cseq,
		.reg_id = contact->number,
		.q = contact->q,
		.if_q = contact->if_q,
		.has_ua_id = contact->has_ua_id,
		.expires_ms = r->now + seconds * 1000ull,
		.changed_ms = r->now,
	};
	bool moved;
	int error;

	if (contact->has_ua_id && !contact->number)
		draft.reg_id = old && old->reg_id && same_instance(contact, old)
				       ? old->reg_id
				       : free_number(r, contact);
	set_flow(r, contact, outbound, &draft);
	r->outbound |= outbound;
	if (at == NO_SUCH)
		at = r->change.count;
	moved = look_for_move(r, contact, draft.reg_id, old);
	error = location_change_set(&r->change, at, &draft);
	if (error == -ENOSPC)
		return refuse(r, 403, "Too many Contacts");
	if (error)
		return refuse(r, error == -ENOBUFS ? 503 : 500, NULL);
	r->put = r->change.after[at];
	r->moved = moved ? r->put : r->moved;
	return true;
}

static void take_off(struct registration *r, size_t at)
{
	const struct binding *binding = &r->change.after[at]->binding;

	if (from_elsewhere(r, binding) && !r->moved) {
		r->left = true;
		r->before = binding->flow;
	}
	location_change_remove(&r->change, at);
}

/* RFC 3261 10.3, step 7: an hour or more may not be called too brief, whatever we would like. */
static bool is_too_brief(const struct registration *r, uint32_t seconds)
{
	return seconds && seconds < r->registrar->config.min_expires && seconds < HOUR;
}

/* A call to it would come back to us, and with two such contacts fork again and again (RFC 5393).
 */
static bool is_this_server(const struct registration *r, struct sip_uri uri)
{
	if (!uri.port)
		uri.port = str_case_eq(uri.scheme, STR("sips")) ? 5061 : 5060;
	return registrar_is_ours(r->registrar, &uri);
}

static bool take_contact(struct registration *r, struct str value)
{
	const char *wrong;
	struct contact contact;
	uint32_t seconds;
	size_t at;

	wrong = contact_parse(&contact, value, &r->registrar->params);
	if (wrong)
		return refuse(r, 400, wrong);
	if (buf_error(&r->registrar->params))
		return refuse(r, 500, NULL);
	seconds = interval(r, &contact);
	if (is_too_brief(r, seconds))
		return refuse(r, 423, NULL);
	if (seconds && is_this_server(r, contact.uri))
		return refuse(r, 400, "Contact is this Server");
	if (seconds && contact.number && !contact.has_ua_id && !first_hop_keeps_flows(r))
		return refuse(r, 439, NULL);
	at = find(r, &contact);
	if (at != NO_SUCH && !in_order(r, r->change.after[at]))
		return false;
	if (seconds)
		return put(r, &contact, at, seconds);
	if (at != NO_SUCH)
		take_off(r, at);
	return true;
}

/* "*": all go, and it must be said twice (RFC 3261 10.3, step 6). */
static bool take_all_off(struct registration *r, size_t cursor)
{
	struct str more;
	uint32_t expires;

	if (!str_to_u32(sip_header(r->request, "Expires", 0), &expires) || expires ||
	    sip_header_list(r->request, "Contact", &cursor, &more))
		return refuse(r, 400, "Contact * wants Expires: 0 and no other Contact");
	while (r->change.count) {
		if (!in_order(r, r->change.after[0]))
			return false;
		location_change_remove(&r->change, 0);
	}
	return true;
}

static bool take_contacts(struct registration *r)
{
	unsigned count = 0;
	size_t cursor = 0;
	struct str value;

	while (sip_header_list(r->request, "Contact", &cursor, &value)) {
		if (str_eq(value, STR("*")))
			return count ? refuse(r, 400, "Contact * among others")
				     : take_all_off(r, cursor);
		if (++count > CONTACTS)
			return refuse(r, 400, "Too many Contacts");
		if (!take_contact(r, value))
			return false;
	}
	return true;
}

/* ---- the answer -------------------------------------------------------------------------------
 */

/* Seconds that are left, rounded so that a fresh binding has what was granted. */
static uint64_t seconds_left(const struct registration *r, const struct binding *binding)
{
	return binding->expires_ms > r->now ? (binding->expires_ms - r->now + 999) / 1000 : 0;
}

static void write_contact(struct buf *out, const struct registration *r,
			  const struct binding *binding)
{
	buf_add(out, STR("Contact: <"));
	buf_add(out, str_of(binding->contact));
	buf_add_char(out, '>');
	buf_add(out, str_of(binding->params));
	buf_add(out, STR(";expires="));
	buf_add_u64(out, seconds_left(r, binding));
	if (binding->has_ua_id) { /* PH-1 */
		buf_add(out, STR(";ua_id="));
		buf_add(out, str_of(binding->instance));
		buf_add(out, STR(";if_q="));
		contact_write_qvalue(out, binding->if_q);
		buf_add(out, STR(";if_no="));
		buf_add_u64(out, binding->reg_id);
	}
	buf_add(out, STR("\r\n"));
}

/* Once a second is often enough to ask what the time is called. */
static struct str date(struct registrar *registrar)
{
	time_t now = time(NULL);
	struct tm parts;

	if (now != registrar->date_at) {
		strftime(registrar->date, sizeof(registrar->date), "%a, %d %b %Y %H:%M:%S GMT",
			 gmtime_r(&now, &parts));
		registrar->date_at = now;
	}
	return str_of(registrar->date);
}

static void write_ok(struct registration *r)
{
	struct registrar *registrar = r->registrar;
	struct buf *out = &registrar->text;
	char tag[SIP_TOKEN_LEN];

	sip_token(registrar->stack, tag);
	buf_reset(out);
	sip_write_response(out, r->request, 200, NULL, str_of(tag), false);
	for (size_t i = 0; i < r->change.count; i++)
		write_contact(out, r, &r->change.after[i]->binding);
	if (registrar->path.len) /* RFC 3327 5.3 */
		sip_write_header(out, "Path", buf_str(&registrar->path));
	if (r->outbound && sip_header_has_token(r->request, "Supported", STR("outbound")))
		buf_add(out, STR("Require: outbound\r\n")); /* RFC 5626 6 */
	sip_write_header(out, "Date", date(registrar));
	sip_write_body(out, STR_NONE, STR_NONE);
}

static void answer_refused(struct registration *r, struct sip_server_tx *tx)
{
	struct buf *text = &r->registrar->text;

	if (r->status == 423) {
		buf_reset(text);
		sip_write_header_u64(text, "Min-Expires", r->registrar->config.min_expires);
	}
	registrar_refuse(r->registrar, tx, r->status, r->reason,
			 r->status == 423 || r->status == 420 ? buf_str(text) : STR_NONE);
}

static void tell_of_move(struct registration *r, const struct binding *moved)
{
	struct registrar *registrar = r->registrar;
	char from[NETADDR_STRLEN], to[NETADDR_STRLEN];

	log_info(registrar->log, NULL, "%.*s moved from %s to %s",
		 STR_ARG(buf_str(&registrar->aor)), netaddr_format(&r->before.remote, from),
		 netaddr_format(&moved->flow.remote, to));
	if (registrar->moved)
		registrar->moved(registrar->moved_context, buf_str(&registrar->aor), moved,
				 &r->before);
}

/* NULL: nobody moved, or it was taken off again by the same request. */
static const struct binding *find_moved(const struct registration *r)
{
	const struct location_entry *moved = r->moved ? r->moved : r->left ? r->put : NULL;

	for (size_t i = 0; i < r->change.count && moved; i++) {
		if (r->change.after[i] == moved)
			return &moved->binding;
	}
	return NULL;
}

/* The bindings of registrar->aor change, or not at all. */
static void work(struct registration *r, struct sip_server_tx *tx)
{
	struct registrar *registrar = r->registrar;
	bool changes = sip_has_header(r->request, "Contact");
	const struct binding *moved;

	if (location_change_begin(&r->change, registrar->location, buf_str(&registrar->aor))) {
		refuse(r, 500, NULL);
		return;
	}
	if (take_contacts(r)) {
		write_ok(r);
		if (buf_error(&registrar->text))
			refuse(r, 500, NULL);
	}
	if (r->status || !changes) {
		location_change_abandon(&r->change);
		if (!r->status)
			sip_server_tx_send(tx, buf_str(&registrar->text));
		return;
	}
	moved = find_moved(r);
	log_debug(registrar->log, NULL, "%s registers: %zu bindings, %zu before",
		  registrar->aor.data, r->change.count, r->change.user->count);
	location_change_commit(&r->change);
	sip_server_tx_send(tx, buf_str(&registrar->text));
	if (moved)
		tell_of_move(r, moved);
}

/* Step 4: may who proved to be `proven` change the bindings of registrar->aor? */
static bool check_right(struct registration *r, struct str proven)
{
	struct registrar *registrar = r->registrar;
	int status = registrar_target(registrar, r->request);

	if (status)
		return refuse(r, status, NULL);
	if (str_eq(buf_str(&registrar->aor), proven))
		return true;
	/* Who may not do it is not told who exists. */
	if (!registrar->config.third_party)
		return refuse(r, 403, NULL);
	return registrar_has_subscriber(registrar, buf_str(&registrar->aor)) ? true
									     : refuse(r, 404, NULL);
}

void registrar_receive(struct registrar *registrar, struct sip_server_tx *tx,
		       struct sip_message *request)
{
	struct registration r = {
		.registrar = registrar,
		.request = request,
		.now = wheel_now_ms(),
		.direct = is_direct(request),
	};

	if (check_request(&r)) {
		if (!registrar_authenticate(registrar, tx, request, false, &registrar->params))
			return; /* answered */
		if (check_right(&r, buf_str(&registrar->params)))
			work(&r, tx);
	}
	if (r.status)
		answer_refused(&r, tx);
}
