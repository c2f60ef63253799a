/* SPDX-License-Identifier: BSD-2-Clause */
/* REGISTER over the wire: RFC 3261 10.3 (SG-5), PH-1 to PH-5, RFC 3327, RFC 5626, and who may. */
#include <errno.h>

#include "phone.h"

#define ALICE STR("alice@example.net")

static struct phone *alice(struct server *s)
{
	return phone_new(s, "alice", "wonderland", "127.0.0.1", false);
}

/* "contact contact", in the order to try them. */
static const char *targets(struct server *s, struct str aor)
{
	const struct binding *found[LOCATION_BINDINGS];
	size_t count = location_lookup(s->w.location, aor, found, LOCATION_BINDINGS), len = 0;
	static char text[2048];

	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
					found[i]->contact);
	return text;
}

static const struct binding *first(struct server *s, struct str aor)
{
	const struct binding *found[1];

	assert_int_equal(location_lookup(s->w.location, aor, found, 1), 1);
	return found[0];
}

/* ---- add, refresh, remove, fetch --------------------------------------------------------------
 */

static void a_contact_is_added(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@127.0.0.1:6000>\r\nExpires: 600\r\n"), 200);
	assert_true(phone_got(p, "\r\nContact: <sip:a@127.0.0.1:6000>;expires=600\r\n"));
	assert_true(phone_got(p, "\r\nDate: "));
	assert_string_equal(targets(*state, ALICE), "sip:a@127.0.0.1:6000");
	assert_int_equal(first(*state, ALICE)->cseq, p->cseq);
	phone_free(p);
}

static void nobody_gets_in_without_a_proof(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_send(p, "Contact: <sip:a@127.0.0.1:6000>\r\n"), 401);
	assert_true(phone_got(p, "algorithm=SHA-256"));
	assert_true(phone_got(p, "algorithm=MD5"));
	assert_true(phone_got(p, "realm=\"example.net\""));
	assert_string_equal(targets(*state, ALICE), "");
	snprintf(p->password, sizeof(p->password), "wrong");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@127.0.0.1:6000>\r\n"), 401);
	assert_string_equal(targets(*state, ALICE), "");
	phone_free(p);
}

static void a_refresh_changes_the_expiry_only(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@127.0.0.1:6000>;expires=100\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: <sip:%%61@127.0.0.1:6000>;expires=300\r\n"), 200);
	assert_int_equal(phone_count(p, "\r\nContact: "), 1);
	assert_true(phone_got(p, ";expires=300"));
	phone_free(p);
}

static void the_contacts_own_expires_wins(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=90, <sip:b@h>\r\n"
				      "Expires: 120\r\n"),
			 200);
	assert_true(phone_got(p, "<sip:a@h>;expires=90\r\n"));
	assert_true(phone_got(p, "<sip:b@h>;expires=120\r\n"));
	phone_free(p);
}

static void intervals_have_a_default_and_a_limit(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 200);
	assert_true(phone_got(p, ";expires=3600\r\n"));
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=100000000000\r\n"), 200);
	assert_true(phone_got(p, ";expires=7200\r\n"));
	phone_free(p);
}

static void too_brief_is_refused(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=59\r\n"), 423);
	assert_true(phone_got(p, "\r\nMin-Expires: 60\r\n"));
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\nExpires: 1\r\n"), 423);
	assert_string_equal(targets(*state, ALICE), "");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=60\r\n"), 200);
	phone_free(p);
}

static void an_hour_is_never_too_brief(void **state) /* RFC 3261 10.3, step 7 */
{
	struct server *s = *state;
	struct phone *p;

	s->config.min_expires = 7000;
	server_restart(s);
	p = alice(s);
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=3599\r\n"), 423);
	assert_true(phone_got(p, "\r\nMin-Expires: 7000\r\n"));
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=3600\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: <sip:b@h>\r\n"), 200);
	assert_true(phone_got(p, "<sip:b@h>;expires=7000\r\n"));
	phone_free(p);
}

static void bad_intervals_are_no_configuration(void **state)
{
	struct server *s = *state;
	struct registrar_config config = s->config;
	struct registrar *registrar;
	struct error err = {""};

	config.min_expires = 100;
	config.max_expires = 99;
	assert_int_equal(registrar_alloc(&registrar, s->stack, s->w.location, s->w.store, s->w.log,
					 &config, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "sip.expires"));
	config = s->config;
	config.domain_count = 0;
	assert_int_equal(registrar_alloc(&registrar, s->stack, s->w.location, s->w.store, s->w.log,
					 &config, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "sip.domains"));
}

static void a_contact_is_removed(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>, <sip:b@h>\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: <sip:A@h>;expires=0\r\n"), 200); /* none such */
	assert_int_equal(phone_count(p, "\r\nContact: "), 2);
	assert_int_equal(phone_ask(p, "Contact: <sip:a@H>;expires=0\r\n"), 200);
	assert_int_equal(phone_count(p, "\r\nContact: "), 1);
	assert_string_equal(targets(*state, ALICE), "sip:b@h");
	phone_free(p);
}

static void fetching_changes_nothing(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, ""), 200);
	assert_int_equal(phone_count(p, "\r\nContact: "), 0);
	assert_int_equal(phone_ask(p, "Contact: \"A\" <sip:a@h>;q=0.5;x\r\n"), 200);
	assert_int_equal(phone_ask(p, ""), 200);
	assert_true(phone_got(p, "Contact: <sip:a@h>;q=0.5;x;expires=3600\r\n"));
	phone_free(p);
}

static void a_star_removes_all(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>, <sip:b@h>\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: *\r\n"), 400);
	assert_int_equal(phone_ask(p, "Contact: *\r\nExpires: 60\r\n"), 400);
	assert_int_equal(phone_ask(p, "Contact: *\r\nContact: <sip:c@h>\r\nExpires: 0\r\n"), 400);
	assert_int_equal(phone_ask(p, "Contact: <sip:c@h>\r\nContact: *\r\nExpires: 0\r\n"), 400);
	assert_int_equal(location_count(((struct server *)*state)->w.location), 2);
	assert_int_equal(phone_ask(p, "Contact: *\r\nExpires: 0\r\n"), 200);
	assert_int_equal(phone_count(p, "\r\nContact: "), 0);
	assert_string_equal(targets(*state, ALICE), "");
	phone_free(p);
}

static void a_late_request_changes_nothing(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=100\r\n"), 200);
	p->cseq -= 1; /* the same number again, in another transaction */
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=200\r\n"), 500);
	p->cseq -= 2;
	assert_int_equal(phone_ask(p, "Contact: <sip:b@h>, <sip:a@h>;expires=0\r\n"), 500);
	p->cseq -= 1;
	assert_int_equal(phone_ask(p, "Contact: *\r\nExpires: 0\r\n"), 500);
	assert_int_equal(phone_ask(p, ""), 200);
	assert_int_equal(phone_count(p, "\r\nContact: "), 1);
	assert_true(phone_got(p, ";expires=100\r\n"));
	p->cseq = 1; /* but another Call-ID has an order of its own */
	snprintf(p->call_id, sizeof(p->call_id), "rebooted");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=300\r\n"), 200);
	phone_free(p);
}

static void one_bad_contact_spoils_all(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=0, <sip:b@h>, <sip:c@h>;q=7\r\n"),
			 400);
	assert_int_equal(phone_ask(p, "Contact: <sip:b@h>, <sip:c@h>;expires=3\r\n"), 423);
	assert_int_equal(phone_ask(p, "Contact: <sip:b@h>, <tel:+49>\r\n"), 400);
	assert_string_equal(targets(*state, ALICE), "sip:a@h");
	phone_free(p);
}

static void contacts_are_bounded(void **state)
{
	struct phone *p = alice(*state);
	struct buf list = BUF_EMPTY;

	for (unsigned i = 0; i < LOCATION_BINDINGS; i++)
		buf_addf(&list, "%s<sip:%u@h>", i ? ", " : "", i);
	assert_int_equal(phone_ask(p, "Contact: %s\r\n", list.data), 200);
	assert_int_equal(phone_count(p, "\r\nContact: "), LOCATION_BINDINGS);
	assert_int_equal(phone_ask(p, "Contact: <sip:more@h>\r\n"), 403);
	assert_int_equal(phone_ask(p, "Contact: <sip:3@h>;expires=0, <sip:more@h>\r\n"), 200);
	buf_reset(&list);
	for (unsigned i = 0; i < 33; i++)
		buf_addf(&list, "%s<sip:0@h>", i ? ", " : "");
	assert_int_equal(phone_ask(p, "Contact: %s\r\n", list.data), 400);
	assert_int_equal(location_count(((struct server *)*state)->w.location), LOCATION_BINDINGS);
	buf_free(&list);
	phone_free(p);
}

/* ---- who, and for whom ------------------------------------------------------------------------
 */

static void unknown_users_look_like_wrong_passwords(void **state)
{
	struct phone *known = phone_new(*state, "alice", "wrong", "127.0.0.1", false);
	struct phone *unknown = phone_new(*state, "nobody", "wrong", "127.0.0.1", false);
	size_t length[2];

	assert_int_equal(phone_ask(known, "Contact: <sip:a@h>\r\n"), 401);
	assert_int_equal(phone_ask(unknown, "Contact: <sip:a@h>\r\n"), 401);
	for (unsigned i = 0; i < 2; i++) {
		char *text = strstr((i ? unknown : known)->text, "WWW-Authenticate");

		assert_non_null(text);
		length[i] = strlen(text);
	}
	assert_int_equal(length[0], length[1]);
	phone_free(known);
	phone_free(unknown);
}

static void others_addresses_are_not_ours_to_change(void **state)
{
	struct phone *p = alice(*state);

	snprintf(p->to, sizeof(p->to), "bob@example.net");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 403);
	assert_int_equal(phone_ask(p, ""), 403);
	snprintf(p->to, sizeof(p->to), "nobody@example.net"); /* nor do we tell who exists */
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 403);
	phone_free(p);
}

static void third_parties_register_by_policy(void **state)
{
	struct server *s = *state;
	struct phone *p;

	s->config.third_party = true;
	server_restart(s);
	p = alice(s);
	snprintf(p->to, sizeof(p->to), "bob@example.net");
	assert_int_equal(phone_ask(p, "Contact: <sip:b@h>\r\n"), 200);
	assert_string_equal(targets(s, STR("bob@example.net")), "sip:b@h");
	assert_string_equal(targets(s, ALICE), "");
	snprintf(p->to, sizeof(p->to), "nobody@example.net");
	assert_int_equal(phone_ask(p, "Contact: <sip:b@h>\r\n"), 404);
	phone_free(p);
}

static void foreign_domains_are_not_found(void **state)
{
	struct phone *p = alice(*state);

	snprintf(p->ruri, sizeof(p->ruri), "sip:elsewhere.example");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 404);
	snprintf(p->ruri, sizeof(p->ruri), "sip:EXAMPLE.NET");
	snprintf(p->to, sizeof(p->to), "alice@elsewhere.example");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 404);
	phone_free(p);
}

static void our_address_stands_for_the_first_domain(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s);

	snprintf(p->ruri, sizeof(p->ruri), "sip:127.0.0.1:%u", s->udp.local.port);
	snprintf(p->to, sizeof(p->to), "alice@127.0.0.1");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 200);
	assert_string_equal(targets(s, ALICE), "sip:a@h");
	snprintf(p->ruri, sizeof(p->ruri), "sip:127.0.0.1:1");
	assert_int_equal(phone_ask(p, ""), 404);
	phone_free(p);
}

static void domains_have_their_own_users(void **state)
{
	struct server *s = *state;
	struct phone *p = phone_new(s, "alice", "other", "127.0.0.1", false);

	snprintf(p->ruri, sizeof(p->ruri), "sip:second.example");
	snprintf(p->to, sizeof(p->to), "alice@SECOND.example");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 200);
	assert_string_equal(targets(s, STR("alice@second.example")), "sip:a@h");
	assert_string_equal(targets(s, ALICE), "");
	phone_free(p);
}

static void a_user_name_may_be_the_whole_address(void **state)
{
	struct phone *p = phone_new(*state, "alice@example.net", "wonderland", "127.0.0.1", false);

	snprintf(p->to, sizeof(p->to), "alice@example.net");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 200);
	phone_free(p);
}

static void users_are_unescaped_and_passwords_in_uris_ignored(void **state)
{
	struct phone *p = alice(*state);

	snprintf(p->to, sizeof(p->to), "%%61lice:pw@example.net");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 200);
	assert_string_equal(targets(*state, ALICE), "sip:a@h");
	snprintf(p->to, sizeof(p->to), "alice%%00x@example.net");
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 404);
	phone_free(p);
}

static void malformed_credentials_are_told(void **state)
{
	struct phone *p = alice(*state);

	p->credentials = "Authorization: Digest realm=\"example.net\", username=\"alice\"\r\n";
	assert_int_equal(phone_send(p, "Contact: <sip:a@h>\r\n"), 400);
	phone_free(p);
}

static void nonces_outlive_a_restart(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s), *again;

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 200);
	server_restart(s);
	again = alice(s); /* the port may be another one now */
	again->challenge = sip_message_ref(p->challenge);
	again->nc = p->nc;
	again->cseq = p->cseq;
	assert_int_equal(phone_ask(again, "Contact: <sip:a@h>\r\n"), 200);
	phone_free(p);
	phone_free(again);
}

static void a_nonce_of_another_secret_is_stale(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s), *again;

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 200);
	store_delete(s->w.store, "secret", STR("digest"));
	server_restart(s);
	again = alice(s);
	again->challenge = sip_message_ref(p->challenge);
	again->nc = p->nc;
	again->cseq = p->cseq;
	assert_int_equal(phone_ask(again, "Contact: <sip:b@h>\r\n"), 401);
	assert_true(phone_got(again, "stale=true"));
	phone_learn(again);
	assert_int_equal(phone_ask(again, "Contact: <sip:b@h>\r\n"), 200);
	snprintf(again->password, sizeof(again->password), "wrong");
	assert_int_equal(phone_ask(again, "Contact: <sip:b@h>\r\n"), 401);
	assert_false(phone_got(again, "stale"));
	phone_free(p);
	phone_free(again);
}

static void a_used_nonce_count_is_refused(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\n"), 200);
	p->nc--;
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>;expires=0\r\n"), 401);
	assert_string_equal(targets(*state, ALICE), "sip:a@h");
	phone_free(p);
}

static void bindings_outlive_a_restart(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@127.0.0.1:6000>;q=0.25\r\n"), 200);
	server_restart(s);
	assert_string_equal(targets(s, ALICE), "sip:a@127.0.0.1:6000");
	phone_free(p);
	p = alice(s);
	assert_int_equal(phone_ask(p, ""), 200);
	assert_true(phone_got(p, ";q=0.25;expires=3"));
	phone_free(p);
}

/* ---- other requests: who sends them? ------------------------------------------------------------
 */

static void callers_prove_who_they_are(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s);

	p->method = "MESSAGE";
	assert_int_equal(phone_ask(p, ""), 200);
	assert_string_equal(s->proven, "alice@example.net");
	phone_free(p);
}

static void proxies_ask_with_407(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s);

	s->proxy = true;
	p->method = "MESSAGE";
	assert_int_equal(phone_send(p, ""), 407);
	assert_true(phone_got(p, "\r\nProxy-Authenticate: Digest"));
	assert_int_equal(phone_ask(p, ""), 200);
	assert_string_equal(s->proven, "alice@example.net");
	phone_free(p);
}

static void nobody_calls_in_anothers_name(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s);

	p->method = "MESSAGE";
	snprintf(p->to, sizeof(p->to), "bob@example.net"); /* From, too */
	assert_int_equal(phone_ask(p, ""), 403);
	assert_string_equal(s->proven, "");
	snprintf(p->to, sizeof(p->to), "anonymous@anonymous.invalid");
	assert_int_equal(phone_ask(p, ""), 200);
	assert_string_equal(s->proven, "alice@example.net");
	phone_free(p);
}

/* ---- what we understand -----------------------------------------------------------------------
 */

static void unknown_extensions_are_refused(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_send(p, "Require: path, foo, outbound\r\nRequire: bar\r\n"), 420);
	assert_true(phone_got(p, "\r\nUnsupported: foo, bar\r\n"));
	phone_free(p);
}

static void handover_and_replaces_belong_elsewhere(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_send(p, "Handover: x;to-tag=1;from-tag=2\r\n"), 400);
	assert_int_equal(phone_send(p, "Replaces: x;to-tag=1;from-tag=2\r\n"), 400);
	phone_free(p);
}

static void a_path_is_kept_and_given_back(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@192.0.2.9>\r\nSupported: path\r\n"
				      "Path: <sip:p2.example;lr>\r\nPath: <sip:p1.example;lr>\r\n"),
			 200);
	assert_true(phone_got(p, "\r\nPath: <sip:p2.example;lr>, <sip:p1.example;lr>\r\n"));
	assert_string_equal(first(*state, ALICE)->path, "<sip:p2.example;lr>, <sip:p1.example;lr>");
	assert_false(first(*state, ALICE)->use_flow); /* the proxy knows the way */
	assert_int_equal(phone_ask(p, "Contact: <sip:a@192.0.2.9>\r\nRequire: path\r\n"
				      "Path: <sip:p1.example;lr>\r\n"),
			 200);
	assert_string_equal(first(*state, ALICE)->path, "<sip:p1.example;lr>");
	phone_free(p);
}

static void a_path_behind_the_phones_back_is_refused(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\nPath: <sip:p.example;lr>\r\n"), 420);
	assert_true(phone_got(p, "\r\nUnsupported: path\r\n"));
	assert_int_equal(phone_ask(p, "Contact: <sip:a@h>\r\nSupported: path\r\nPath: <sip:\r\n"),
			 400);
	assert_string_equal(targets(*state, ALICE), "");
	phone_free(p);
}

static void we_are_no_contact(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s);

	assert_int_equal(phone_ask(p, "Contact: <sip:bob@example.net>\r\n"), 400);
	assert_int_equal(phone_ask(p, "Contact: <sip:bob@127.0.0.1:%u>\r\n", s->udp.local.port),
			 400);
	assert_int_equal(phone_ask(p, "Contact: <sip:bob@127.0.0.1>\r\n"), 200);
	phone_free(p);
}

/* ---- flows ------------------------------------------------------------------------------------
 */

static void phones_behind_nat_are_reached_by_their_flow(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s);

	assert_int_equal(phone_ask(p, "Contact: <sip:a@10.0.0.3:5060>\r\n"), 200);
	assert_true(first(s, ALICE)->use_flow);
	assert_int_equal(first(s, ALICE)->flow.remote.port, p->at.port);
	assert_string_equal(first(s, ALICE)->contact, "sip:a@10.0.0.3:5060"); /* as it was */
	assert_int_equal(phone_ask(p, "Contact: <sip:a@10.0.0.3:5060>;expires=0\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: <sip:a@127.0.0.1:6000>\r\n"), 200);
	assert_false(first(s, ALICE)->use_flow);
	phone_free(p);
}

static void a_proxys_source_is_no_nat(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Via: SIP/2.0/UDP 10.0.0.3;branch=z9hG4bKinner\r\n"
				      "Contact: <sip:a@10.0.0.3:5060>\r\n"),
			 200);
	assert_false(first(*state, ALICE)->use_flow);
	phone_free(p);
}

static void connections_are_used_while_they_last(void **state)
{
	struct server *s = *state;
	struct phone *p = phone_new(s, "alice", "wonderland", "127.0.0.1", true);

	assert_int_equal(phone_ask(p,
				   "Contact: <sip:ephemeral@127.0.0.1:%u;transport=tcp>;q=0.1,"
				   "<sip:listens@127.0.0.1:6000;transport=tcp>,"
				   "<sip:nat@10.0.0.3;transport=tcp>;q=0.1\r\n",
				   p->at.port),
			 200);
	assert_true(first(s, ALICE)->use_flow);
	assert_int_not_equal(first(s, ALICE)->flow.conn, 0);
	phone_free(p);
	for (unsigned ms = 0; ms < ANSWER_MS * 5 && location_count(s->w.location) > 1; ms++)
		server_turn(s);
	assert_string_equal(targets(s, ALICE), "sip:listens@127.0.0.1:6000;transport=tcp");
	assert_false(first(s, ALICE)->use_flow);
}

#define INSTANCE "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\""

static void outbound_flows_replace_their_like(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s);

	assert_int_equal(phone_ask(p, "Supported: outbound, path\r\n"
				      "Contact: <sip:a@127.0.0.1:6000>;reg-id=1;" INSTANCE "\r\n"),
			 200);
	assert_true(phone_got(p, "\r\nRequire: outbound\r\n"));
	assert_true(phone_got(p, "<sip:a@127.0.0.1:6000>;reg-id=1;" INSTANCE ";expires=3600\r\n"));
	assert_true(first(s, ALICE)->use_flow);
	assert_int_equal(phone_ask(p, "Supported: outbound\r\n"
				      "Contact: <sip:a@127.0.0.1:6001>;reg-id=2;" INSTANCE "\r\n"),
			 200);
	assert_int_equal(phone_count(p, "\r\nContact: "), 2);
	assert_int_equal(phone_ask(p, "Contact: <sip:a@127.0.0.1:7000>;reg-id=1;" INSTANCE "\r\n"),
			 200);
	assert_false(phone_got(p, "Require"));
	assert_int_equal(phone_count(p, "\r\nContact: "), 2);
	assert_string_equal(targets(s, ALICE), "sip:a@127.0.0.1:7000 sip:a@127.0.0.1:6001");
	assert_int_equal(phone_ask(p, "Contact: <sip:x@h>;reg-id=2;expires=0;" INSTANCE "\r\n"),
			 200);
	assert_string_equal(targets(s, ALICE), "sip:a@127.0.0.1:7000");
	phone_free(p);
}

static void a_first_hop_without_outbound_is_told(void **state)
{
	struct phone *p = alice(*state);
	const char *request = "Via: SIP/2.0/UDP 10.0.0.3;branch=z9hG4bKinner\r\n"
			      "Supported: outbound, path\r\nPath: <sip:edge.example;lr%s>\r\n"
			      "Contact: <sip:a@10.0.0.3>;reg-id=1;" INSTANCE "\r\n";

	assert_int_equal(phone_ask(p, request, ""), 439);
	assert_int_equal(phone_ask(p, request, ";ob"), 200);
	assert_true(phone_got(p, "\r\nRequire: outbound\r\n"));
	phone_free(p);
}

/* ---- the backup scheme: ua_id, if_q, if_no ------------------------------------------------------
 */

static void interfaces_are_numbered_and_ranked(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s);

	assert_int_equal(phone_ask(p, "Contact: <sip:u@main>;ua_id=TOK;if_q=1.0\r\n"), 200);
	assert_true(phone_got(p, "<sip:u@main>;expires=3600;ua_id=TOK;if_q=1.0;if_no=1\r\n"));
	assert_int_equal(phone_ask(p, "Contact: <sip:u@backup>;ua_id=TOK;if_q=0.5\r\n"), 200);
	assert_true(phone_got(p, "<sip:u@main>;expires=3600;ua_id=TOK;if_q=1.0;if_no=1\r\n"));
	assert_true(phone_got(p, "<sip:u@backup>;expires=3600;ua_id=TOK;if_q=0.5;if_no=2\r\n"));
	assert_string_equal(targets(s, ALICE), "sip:u@main sip:u@backup");
	/* PH-11: one REGISTER swaps the ranks; the numbers stay with their interfaces. */
	assert_int_equal(phone_ask(p, "Contact: <sip:u@main>;ua_id=TOK;if_q=0.5, "
				      "<sip:u@backup>;ua_id=TOK;if_q=1.0\r\n"),
			 200);
	assert_true(phone_got(p, "<sip:u@backup>;expires=3600;ua_id=TOK;if_q=1.0;if_no=2\r\n"));
	assert_string_equal(targets(s, ALICE), "sip:u@backup sip:u@main");
	/* A number that became free is given again. */
	assert_int_equal(phone_ask(p, "Contact: <sip:u@main>;ua_id=TOK;expires=0\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: <sip:u@third>;ua_id=TOK;if_q=0.1\r\n"), 200);
	assert_true(phone_got(p, "<sip:u@third>;expires=3600;ua_id=TOK;if_q=0.1;if_no=1\r\n"));
	phone_free(p);
}

static void a_numbered_interface_is_replaced(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s);

	assert_int_equal(phone_ask(p, "Contact: <sip:u@old>;ua_id=TOK;if_no=2\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: <sip:u@new>;ua_id=TOK;if_no=2;if_q=0.3\r\n"), 200);
	assert_true(phone_got(p, "<sip:u@new>;expires=3600;ua_id=TOK;if_q=0.3;if_no=2\r\n"));
	assert_string_equal(targets(s, ALICE), "sip:u@new");
	phone_free(p);
}

static void a_bad_rank_changes_nothing(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:u@main>;ua_id=TOK;if_q=1.0\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: <sip:u@main>;ua_id=TOK;if_q=2\r\n"), 400);
	assert_int_equal(phone_ask(p, ""), 200);
	assert_true(phone_got(p, ";if_q=1.0;if_no=1\r\n"));
	phone_free(p);
}

static void plain_phones_see_none_of_it(void **state)
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:u@h>;" INSTANCE "\r\n"), 200);
	assert_false(phone_got(p, "ua_id") || phone_got(p, "if_q") || phone_got(p, "if_no"));
	phone_free(p);
}

static void a_plain_contact_may_remove_an_interface(void **state) /* PH-4 */
{
	struct phone *p = alice(*state);

	assert_int_equal(phone_ask(p, "Contact: <sip:u@main>;ua_id=TOK;if_q=1.0\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: <sip:u@main>;expires=0\r\n"), 200);
	assert_string_equal(targets(*state, ALICE), "");
	phone_free(p);
}

/* ---- who moved --------------------------------------------------------------------------------
 */

static struct phone *elsewhere(struct server *s, const char *host, const struct phone *before)
{
	struct phone *p = phone_new(s, "alice", "wonderland", host, false);

	snprintf(p->call_id, sizeof(p->call_id), "%s", before->call_id);
	p->cseq = before->cseq + 100;
	return p;
}

static void an_instance_from_another_address_moved(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s), *q = elsewhere(s, "127.0.0.2", p);

	assert_int_equal(phone_ask(p, "Contact: <sip:u@127.0.0.1>;reg-id=1;" INSTANCE "\r\n"), 200);
	assert_int_equal(phone_ask(p, "Contact: <sip:u@127.0.0.1>;reg-id=1;" INSTANCE "\r\n"), 200);
	assert_int_equal(s->moves, 0);
	assert_int_equal(phone_ask(q, "Contact: <sip:u@127.0.0.2>;reg-id=1;" INSTANCE "\r\n"), 200);
	assert_int_equal(s->moves, 1);
	assert_string_equal(s->moved, "alice@example.net sip:u@127.0.0.2 127.0.0.1");
	assert_string_equal(targets(s, ALICE), "sip:u@127.0.0.2");
	phone_free(p);
	phone_free(q);
}

static void an_instance_without_numbers_moved(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s), *q = elsewhere(s, "127.0.0.2", p);

	assert_int_equal(phone_ask(p, "Contact: <sip:u@127.0.0.1>;" INSTANCE "\r\n"), 200);
	assert_int_equal(phone_ask(q, "Contact: <sip:u@127.0.0.2>;" INSTANCE "\r\n"), 200);
	assert_int_equal(s->moves, 1);
	assert_string_equal(s->moved, "alice@example.net sip:u@127.0.0.2 127.0.0.1");
	/* RFC 3261: two URIs, two bindings; the new one is tried first. */
	assert_string_equal(targets(s, ALICE), "sip:u@127.0.0.2 sip:u@127.0.0.1");
	phone_free(p);
	phone_free(q);
}

static void a_swap_of_contacts_is_a_move(void **state) /* VO-1 */
{
	struct server *s = *state;
	struct phone *p = alice(s), *q = elsewhere(s, "127.0.0.2", p);

	assert_int_equal(phone_ask(p, "Contact: <sip:u@127.0.0.1>\r\n"), 200);
	assert_int_equal(
		phone_ask(q, "Contact: <sip:u@127.0.0.2>, <sip:u@127.0.0.1>;expires=0\r\n"), 200);
	assert_string_equal(targets(s, ALICE), "sip:u@127.0.0.2");
	assert_int_equal(s->moves, 1);
	assert_string_equal(s->moved, "alice@example.net sip:u@127.0.0.2 127.0.0.1");
	phone_free(p);
	phone_free(q);
}

static void another_phone_or_interface_did_not_move(void **state)
{
	struct server *s = *state;
	struct phone *p = alice(s), *q = elsewhere(s, "127.0.0.2", p);

	assert_int_equal(phone_ask(p, "Contact: <sip:u@127.0.0.1>;ua_id=T;if_q=1.0\r\n"), 200);
	assert_int_equal(phone_ask(q, "Contact: <sip:u@127.0.0.2>;ua_id=T;if_q=0.5\r\n"), 200);
	assert_int_equal(phone_ask(q, "Contact: <sip:v@127.0.0.2>\r\n"), 200);
	assert_int_equal(phone_ask(q, "Contact: <sip:v@127.0.0.2>;expires=0\r\n"), 200);
	assert_int_equal(phone_ask(q, "Contact: <sip:u@127.0.0.1>;ua_id=T;expires=0\r\n"), 200);
	assert_int_equal(s->moves, 0);
	phone_free(p);
	phone_free(q);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, server_setup, server_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_contact_is_added),
		TEST(nobody_gets_in_without_a_proof),
		TEST(a_refresh_changes_the_expiry_only),
		TEST(the_contacts_own_expires_wins),
		TEST(intervals_have_a_default_and_a_limit),
		TEST(too_brief_is_refused),
		TEST(an_hour_is_never_too_brief),
		TEST(bad_intervals_are_no_configuration),
		TEST(a_contact_is_removed),
		TEST(fetching_changes_nothing),
		TEST(a_star_removes_all),
		TEST(a_late_request_changes_nothing),
		TEST(one_bad_contact_spoils_all),
		TEST(contacts_are_bounded),
		TEST(unknown_users_look_like_wrong_passwords),
		TEST(others_addresses_are_not_ours_to_change),
		TEST(third_parties_register_by_policy),
		TEST(foreign_domains_are_not_found),
		TEST(our_address_stands_for_the_first_domain),
		TEST(domains_have_their_own_users),
		TEST(a_user_name_may_be_the_whole_address),
		TEST(users_are_unescaped_and_passwords_in_uris_ignored),
		TEST(malformed_credentials_are_told),
		TEST(nonces_outlive_a_restart),
		TEST(a_nonce_of_another_secret_is_stale),
		TEST(a_used_nonce_count_is_refused),
		TEST(bindings_outlive_a_restart),
		TEST(callers_prove_who_they_are),
		TEST(proxies_ask_with_407),
		TEST(nobody_calls_in_anothers_name),
		TEST(unknown_extensions_are_refused),
		TEST(handover_and_replaces_belong_elsewhere),
		TEST(a_path_is_kept_and_given_back),
		TEST(a_path_behind_the_phones_back_is_refused),
		TEST(we_are_no_contact),
		TEST(phones_behind_nat_are_reached_by_their_flow),
		TEST(a_proxys_source_is_no_nat),
		TEST(connections_are_used_while_they_last),
		TEST(outbound_flows_replace_their_like),
		TEST(a_first_hop_without_outbound_is_told),
		TEST(interfaces_are_numbered_and_ranked),
		TEST(a_numbered_interface_is_replaced),
		TEST(a_bad_rank_changes_nothing),
		TEST(plain_phones_see_none_of_it),
		TEST(a_plain_contact_may_remove_an_interface),
		TEST(an_instance_from_another_address_moved),
		TEST(an_instance_without_numbers_moved),
		TEST(a_swap_of_contacts_is_a_move),
		TEST(another_phone_or_interface_did_not_move),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
