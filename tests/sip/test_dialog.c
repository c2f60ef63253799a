// SPDX-License-Identifier: BSD-2-Clause
/* Dialogs: made, found, forked, routed, refreshed, kept (RFC 3261 12). */
#include <errno.h>
#include <stdio.h>

#include "sip/dialog.h"
#include "wire.h"

struct fixture {
	struct sip_dialogs *dialogs;
	struct sip_message *invite;
};

#define INVITE                                                                                     \
	"INVITE sip:us@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa\n"       \
	"From: \"Alice\" <sip:alice@example.net>;tag=alice\nTo: Bob <sip:bob@example.net>;x=y\n"   \
	"Call-ID: call\nCSeq: 7 INVITE\nContact: <sip:alice@192.0.2.9:5070>\n"

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(sip_dialogs_alloc(&f->dialogs), 0);
	f->invite = wire_message(INVITE "Record-Route: <sip:p2;lr>, \"x\" <sip:p1;lr>;y\n\n");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sip_message_unref(f->invite);
	assert_int_equal(sip_dialogs_count(f->dialogs), 0);
	sip_dialogs_free(f->dialogs);
	free(f);
	return 0;
}

static struct sip_dialog *accept_text(struct fixture *f, const char *text)
{
	struct sip_message *request = wire_message(text);
	struct sip_dialog *dialog;

	assert_int_equal(sip_dialog_accept(&dialog, f->dialogs, request, STR("ours")), 0);
	sip_message_unref(request);
	return dialog;
}

static struct sip_dialog *create(struct fixture *f)
{
	struct sip_dialog *dialog;

	assert_int_equal(sip_dialog_create(&dialog, f->dialogs, STR("out"), STR("ours"),
					   STR("<sip:us@example.net>"),
					   STR("<sip:bob@example.net>"), STR("sip:bob@192.0.2.7")),
			 0);
	return dialog;
}

static struct sip_message *response(int status, const char *tag, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "SIP/2.0 %d X\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\nFrom: "
		 "<sip:us@example.net>;tag=ours\nTo: <sip:bob@example.net>%s%s\nCall-ID: "
		 "out\nCSeq: 1 INVITE\n%s\n",
		 status, tag[0] ? ";tag=" : "", tag, more);
	return wire_message(text);
}

static void learn(struct sip_dialog *dialog, int status, const char *tag, const char *more,
		  int wanted)
{
	struct sip_message *m = response(status, tag, more);

	assert_int_equal(sip_dialog_learn(dialog, m), wanted);
	sip_message_unref(m);
}

static void writes(struct sip_dialog *dialog, const char *method, uint32_t cseq, const char *wanted)
{
	struct buf out = BUF_EMPTY;
	size_t len;
	char *bytes = wire_text(wanted, &len);

	sip_dialog_write(dialog, &out, str_of(method), cseq);
	if (!str_eq(buf_str(&out), (struct str){bytes, len}))
		print_error("%s\n", out.data);
	assert_true(str_eq(buf_str(&out), (struct str){bytes, len}));
	free(bytes);
	buf_free(&out);
}

static void aims_at(const struct sip_dialog *dialog, const char *uri, bool flow)
{
	struct sip_outgoing outgoing = {0};

	sip_dialog_aim(dialog, &outgoing);
	assert_str(outgoing.uri, uri);
	assert_ptr_equal(outgoing.flow, flow ? &dialog->flow : NULL);
}

static void the_asked_side_takes_all_from_the_request(void **state)
{
	struct fixture *f = *state;
	struct sip_dialog *d;

	assert_int_equal(sip_dialog_accept(&d, f->dialogs, f->invite, STR("ours")), 0);
	assert_int_equal(d->state, SIP_DIALOG_EARLY);
	assert_string_equal(d->call_id, "call");
	assert_string_equal(d->local_tag, "ours");
	assert_string_equal(d->remote_tag, "alice");
	assert_string_equal(d->local_uri, "Bob <sip:bob@example.net>");
	assert_string_equal(d->remote_uri, "\"Alice\" <sip:alice@example.net>");
	assert_string_equal(d->target, "sip:alice@192.0.2.9:5070");
	assert_string_equal(d->routes, "<sip:p2;lr>, <sip:p1;lr>");
	assert_int_equal(d->remote_cseq, 7);
	writes(d, "BYE", 0,
	       "BYE sip:alice@192.0.2.9:5070 SIP/2.0\nRoute: <sip:p2;lr>, <sip:p1;lr>\n"
	       "From: Bob <sip:bob@example.net>;tag=ours\nTo: \"Alice\" "
	       "<sip:alice@example.net>;tag=alice\nCall-ID: call\nCSeq: 1 BYE\nMax-Forwards: 70\n");
	aims_at(d, "sip:p2;lr", false);
	sip_dialog_free(d);
	sip_dialog_free(NULL);
}

static void no_contact_no_dialog(void **state)
{
	struct fixture *f = *state;
	struct sip_message *m = wire_message("INVITE sip:us@x SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: "
					     "sip:a@b;tag=1\nTo: sip:c@d\nCall-ID: 1\nCSeq: 1 "
					     "INVITE\n\n");
	struct sip_dialog *d;

	assert_int_equal(sip_dialog_accept(&d, f->dialogs, m, STR("t")), -EINVAL);
	sip_message_unref(m);
}

static void the_asking_side_turns_routes_round(void **state)
{
	struct sip_dialog *d = create(*state);

	writes(d, "INVITE", 0,
	       "INVITE sip:bob@192.0.2.7 SIP/2.0\nFrom: <sip:us@example.net>;tag=ours\nTo: "
	       "<sip:bob@example.net>\nCall-ID: out\nCSeq: 1 INVITE\nMax-Forwards: 70\n");
	aims_at(d, "sip:bob@192.0.2.7", false);
	learn(d, 180, "bob", "Record-Route: <sip:near;lr>\n", 0);
	assert_int_equal(d->state, SIP_DIALOG_EARLY);
	assert_string_equal(d->routes, "<sip:near;lr>");
	assert_string_equal(d->target, "sip:bob@192.0.2.7"); /* no Contact: as it was */
	/* The 2xx's route set counts (13.2.2.4). */
	learn(d, 200, "bob",
	      "Record-Route: <sip:far;lr>\nRecord-Route: <sip:m,d@mid;lr>,<sip:near;lr>\nContact: "
	      "\"B\" <sip:bob@10.0.0.1;x=1>;q=1\n",
	      0);
	assert_int_equal(d->state, SIP_DIALOG_CONFIRMED);
	assert_string_equal(d->routes, "<sip:near;lr>, <sip:m,d@mid;lr>, <sip:far;lr>");
	assert_string_equal(d->target, "sip:bob@10.0.0.1;x=1");
	writes(d, "ACK", 1,
	       "ACK sip:bob@10.0.0.1;x=1 SIP/2.0\nRoute: <sip:near;lr>, <sip:m,d@mid;lr>, "
	       "<sip:far;lr>\nFrom: <sip:us@example.net>;tag=ours\nTo: "
	       "<sip:bob@example.net>;tag=bob\nCall-ID: out\nCSeq: 1 ACK\nMax-Forwards: 70\n");
	assert_int_equal(d->local_cseq, 1);
	/* A ringing that the 2xx overtook changes nothing. */
	learn(d, 180, "bob", "", 0);
	assert_int_equal(d->state, SIP_DIALOG_CONFIRMED);
	assert_string_equal(d->routes, "<sip:near;lr>, <sip:m,d@mid;lr>, <sip:far;lr>");
	learn(d, 100, "bob", "", -EINVAL);
	learn(d, 404, "bob", "", -EINVAL);
	sip_dialog_free(d);
}

/* RFC 3261 12.2.1.1 */
static void strict_routers_get_their_own_uri(void **state)
{
	struct sip_dialog *d = create(*state);

	learn(d, 200, "bob",
	      "Record-Route: <sip:far;lr>\nRecord-Route: <sip:strict:5061?a=b>\nContact: "
	      "<sip:bob@192.0.2.9>\n",
	      0);
	writes(d, "BYE", 0,
	       "BYE sip:strict:5061 SIP/2.0\nRoute: <sip:far;lr>, <sip:bob@192.0.2.9>\nFrom: "
	       "<sip:us@example.net>;tag=ours\nTo: <sip:bob@example.net>;tag=bob\nCall-ID: "
	       "out\nCSeq: 1 BYE\nMax-Forwards: 70\n");
	aims_at(d, "sip:strict:5061?a=b", false);
	learn(d, 200, "bob", "Record-Route: <sip:strict>\nContact: <sip:bob@192.0.2.9>\n", 0);
	writes(d, "BYE", 0,
	       "BYE sip:strict SIP/2.0\nRoute: <sip:bob@192.0.2.9>\nFrom: "
	       "<sip:us@example.net>;tag=ours\nTo: <sip:bob@example.net>;tag=bob\nCall-ID: "
	       "out\nCSeq: 2 BYE\nMax-Forwards: 70\n");
	sip_dialog_free(d);
}

static void forks_are_dialogs_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct sip_dialog *first = create(f), *second;
	struct sip_message *m = response(183, "carol", "Contact: <sip:carol@192.0.2.8>\n");
	struct buf out = BUF_EMPTY;

	snprintf(first->contact_user, sizeof(first->contact_user), "leg");
	sip_dialog_write(first, &out, STR("INVITE"), 0);
	buf_free(&out);
	learn(first, 180, "bob", "Contact: <sip:bob@192.0.2.9>\n", 0);
	assert_int_equal(sip_dialog_learn(first, m), -EINVAL);
	assert_ptr_equal(sip_dialog_of(f->dialogs, m), NULL);
	assert_int_equal(sip_dialog_fork(&second, first, m), 0);
	assert_ptr_equal(sip_dialog_of(f->dialogs, m), second);
	assert_string_equal(second->remote_tag, "carol");
	assert_string_equal(second->target, "sip:carol@192.0.2.8");
	assert_string_equal(second->contact_user, "leg");
	assert_int_equal(second->local_cseq, 1);
	assert_ptr_equal(sip_dialog_find(f->dialogs, STR("out"), STR("ours"), STR("bob")), first);
	assert_ptr_equal(sip_dialog_find(f->dialogs, STR("out"), STR("ours"), STR("carol")),
			 second);
	assert_non_null(sip_dialog_find(f->dialogs, STR("out"), STR("ours"), STR_NONE));
	assert_null(sip_dialog_find(f->dialogs, STR("out"), STR("ours"), STR("dave")));
	assert_null(sip_dialog_find(f->dialogs, STR("out"), STR("bob"), STR("ours")));
	assert_null(sip_dialog_find(f->dialogs, STR("OUT"), STR("ours"), STR("bob")));
	assert_int_equal(sip_dialogs_count(f->dialogs), 2);
	sip_message_unref(m);
	sip_dialog_free(first);
	sip_dialog_free(second);
}

static struct sip_message *in_dialog(const char *method, unsigned cseq, const char *from_tag,
				     const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "%s sip:us@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc\nFrom: "
		 "<sip:alice@example.net>;tag=%s\nTo: <sip:bob@example.net>;tag=ours\nCall-ID: "
		 "call\nCSeq: %u %s\n%s\n",
		 method, from_tag, cseq, method, more);
	return wire_message(text);
}

static void requests_find_it_and_keep_their_order(void **state)
{
	static const struct {
		unsigned cseq;
		int wanted;
	} steps[] = {{8, 0}, {8, 500}, {7, 500}, {20, 0}, {19, 500}, {21, 0}};
	struct fixture *f = *state;
	struct sip_dialog *d = accept_text(f, INVITE "\n");
	struct sip_message *m;

	assert_ptr_equal(sip_dialog_of(f->dialogs, f->invite), NULL); /* no To tag yet */
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		m = in_dialog("INFO", steps[i].cseq, "alice", "");
		assert_ptr_equal(sip_dialog_of(f->dialogs, m), d);
		assert_int_equal(sip_dialog_in_order(d, m), steps[i].wanted);
		sip_message_unref(m);
	}
	m = in_dialog("INFO", 30, "mallory", "");
	assert_null(sip_dialog_of(f->dialogs, m));
	sip_message_unref(m);
	sip_dialog_free(d);
}

/* RFC 6665 4.4.1: a NOTIFY may come before the 2xx that tells the tag. */
static void a_peer_may_speak_before_it_is_known(void **state)
{
	struct fixture *f = *state;
	struct sip_message *m = in_dialog("NOTIFY", 1, "new", "");
	struct sip_dialog *d;

	assert_int_equal(sip_dialog_create(&d, f->dialogs, STR("call"), STR("ours"),
					   STR("<sip:u@x>"), STR("<sip:b@x>"), STR("sip:b@x")),
			 0);
	assert_ptr_equal(sip_dialog_of(f->dialogs, m), d);
	sip_message_unref(m);
	sip_dialog_free(d);
}

/* SG-40: the target and the flow follow, the routes stay. */
static void a_refresh_moves_the_target(void **state)
{
	struct fixture *f = *state;
	struct sip_dialog *d;
	struct sip_message *m;

	assert_int_equal(sip_dialog_accept(&d, f->dialogs, f->invite, STR("ours")), 0);
	m = in_dialog("INVITE", 8, "alice",
		      "Contact: <sip:alice@203.0.113.5:5090>\nRecord-Route: <sip:other;lr>\n");
	assert_int_equal(netaddr_parse(&m->flow.remote, STR("203.0.113.5:5090")), 0);
	assert_int_equal(sip_dialog_refresh(d, m), 0);
	assert_string_equal(d->target, "sip:alice@203.0.113.5:5090");
	assert_string_equal(d->routes, "<sip:p2;lr>, <sip:p1;lr>");
	assert_true(netaddr_eq(&d->flow.remote, &m->flow.remote));
	sip_message_unref(m);
	m = in_dialog("UPDATE", 9, "alice", "");
	assert_int_equal(sip_dialog_refresh(d, m), 0);
	assert_string_equal(d->target, "sip:alice@203.0.113.5:5090");
	sip_message_unref(m);
	sip_dialog_free(d);
}

static void uses_flow(struct fixture *f, const char *via, const char *contact, const char *routes,
		      enum sip_proto proto, bool wanted)
{
	char text[1024];
	struct sip_message *m;
	struct sip_dialog *d;

	snprintf(text, sizeof(text),
		 "INVITE sip:us@x SIP/2.0\nVia: SIP/2.0/UDP h%s\nFrom: sip:a@b;tag=1\nTo: "
		 "sip:c@d\nCall-ID: 1\nCSeq: 1 INVITE\nContact: <%s>\n%s\n",
		 via, contact, routes);
	m = wire_message(text);
	m->flow.proto = proto;
	assert_int_equal(sip_dialog_accept(&d, f->dialogs, m, STR("t")), 0);
	assert_int_equal(d->use_flow, wanted);
	aims_at(d, routes[0] ? "sip:192.0.2.3;lr" : contact, wanted);
	sip_message_unref(m);
	sip_dialog_free(d);
}

static void the_flow_is_used_where_the_contact_is_elsewhere(void **state)
{
	const char *route = "Record-Route: <sip:192.0.2.3;lr>\n";

	/* It came from 192.0.2.9. */
	uses_flow(*state, "", "sip:a@192.0.2.9:5999", "", SIP_UDP, false);
	uses_flow(*state, "", "sip:a@10.0.0.9", "", SIP_UDP, true);
	uses_flow(*state, "", "sip:a@[2001:db8::9]", "", SIP_UDP, true);
	uses_flow(*state, "", "sip:a@phone.invalid", "", SIP_UDP, true);
	uses_flow(*state, "", "sip:a@192.0.2.9", "", SIP_TCP, true);
	uses_flow(*state, "", "sip:a@192.0.2.9", "", SIP_TLS, true);
	uses_flow(*state, "", "sip:a@10.0.0.9", route, SIP_UDP, true);
	/* Through a proxy that stays out of the dialog: the flow is the proxy's. */
	uses_flow(*state, ", SIP/2.0/UDP g", "sip:a@10.0.0.9", "", SIP_UDP, false);
	uses_flow(*state, ", SIP/2.0/UDP g", "sip:a@10.0.0.9", "", SIP_TCP, false);
}

static void a_null_character_in_a_name_is_left_out(void **state)
{
	static const char text[] =
		"INVITE sip:u@x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: \"a\\\0b\" "
		"<sip:a@b>;tag=1\r\n"
		"To: sip:c@d\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@b>\r\n\r\n";
	struct fixture *f = *state;
	const struct sip_flow flow = wire_flow();
	struct sip_message *m;
	struct sip_verdict verdict;
	struct sip_dialog *d;

	assert_int_equal(
		sip_message_parse(&m, &flow, (struct str){text, sizeof(text) - 1}, &verdict), 0);
	assert_int_equal(sip_dialog_accept(&d, f->dialogs, m, STR("t")), 0);
	assert_string_equal(d->remote_uri, "<sip:a@b>");
	sip_message_unref(m);
	sip_dialog_free(d);
}

static void what_is_saved_comes_back(void **state)
{
	struct fixture *f = *state;
	struct sip_dialog *d, *back;
	struct buf first = BUF_EMPTY, second = BUF_EMPTY;

	assert_int_equal(sip_dialog_accept(&d, f->dialogs, f->invite, STR("ours")), 0);
	snprintf(d->contact_user, sizeof(d->contact_user), "leg");
	d->state = SIP_DIALOG_CONFIRMED;
	d->local_cseq = 12;
	d->use_flow = true;
	sip_dialog_save(d, &first);
	assert_int_equal(buf_error(&first), 0);
	assert_null(strchr(first.data, '\n'));
	sip_dialog_free(d);
	assert_int_equal(sip_dialog_restore(&back, f->dialogs, buf_str(&first)), 0);
	assert_ptr_equal(sip_dialog_find(f->dialogs, STR("call"), STR("ours"), STR("alice")), back);
	assert_int_equal(back->state, SIP_DIALOG_CONFIRMED);
	assert_int_equal(back->local_cseq, 12);
	assert_int_equal(back->remote_cseq, 7);
	assert_true(back->use_flow);
	assert_int_equal(back->flow.remote.port, 5070);
	assert_string_equal(back->contact_user, "leg");
	assert_string_equal(back->remote_uri, "\"Alice\" <sip:alice@example.net>");
	sip_dialog_save(back, &second);
	assert_string_equal(first.data, second.data);
	sip_dialog_free(back);
	buf_free(&first);
	buf_free(&second);
}

static void a_damaged_line_is_refused(void **state)
{
	struct fixture *f = *state;
	struct sip_dialog *d, *back;
	struct buf saved = BUF_EMPTY;

	assert_int_equal(sip_dialog_accept(&d, f->dialogs, f->invite, STR("ours")), 0);
	sip_dialog_save(d, &saved);
	sip_dialog_free(d);
	for (size_t cut = 0; cut < saved.len; cut++)
		assert_int_equal(
			sip_dialog_restore(&back, f->dialogs, (struct str){saved.data, cut}),
			-EINVAL);
	buf_add_char(&saved, 'x');
	assert_int_equal(sip_dialog_restore(&back, f->dialogs, buf_str(&saved)), -EINVAL);
	assert_int_equal(sip_dialog_restore(&back, f->dialogs, STR("dialog1,9,1,1,0,0,")), -EINVAL);
	buf_free(&saved);
}

static void many_are_found(void **state)
{
	enum { MANY = 20000 };
	struct fixture *f = *state;
	struct sip_dialog **all = calloc(MANY, sizeof(struct sip_dialog *));
	char call_id[32];

	assert_non_null(all);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(call_id, sizeof(call_id), "%u@x", i);
		assert_int_equal(sip_dialog_create(&all[i], f->dialogs, str_of(call_id), STR("t"),
						   STR("<sip:u@x>"), STR("<sip:b@x>"),
						   STR("sip:b@x")),
				 0);
	}
	assert_int_equal(sip_dialogs_count(f->dialogs), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(call_id, sizeof(call_id), "%u@x", i);
		assert_ptr_equal(sip_dialog_find(f->dialogs, str_of(call_id), STR("t"), STR_NONE),
				 all[i]);
		sip_dialog_free(all[i]);
	}
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_asked_side_takes_all_from_the_request, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_contact_no_dialog, setup, teardown),
		cmocka_unit_test_setup_teardown(the_asking_side_turns_routes_round, setup,
						teardown),
		cmocka_unit_test_setup_teardown(strict_routers_get_their_own_uri, setup, teardown),
		cmocka_unit_test_setup_teardown(forks_are_dialogs_of_their_own, setup, teardown),
		cmocka_unit_test_setup_teardown(requests_find_it_and_keep_their_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_peer_may_speak_before_it_is_known, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_refresh_moves_the_target, setup, teardown),
		cmocka_unit_test_setup_teardown(the_flow_is_used_where_the_contact_is_elsewhere,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_null_character_in_a_name_is_left_out, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_saved_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_line_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(many_are_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
