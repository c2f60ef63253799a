// SPDX-License-Identifier: BSD-2-Clause
/* Calls that follow their party's registration: `handover.follow: register`. */
#include "ua.h"

#define DEVICE ";+sip.instance=\"<urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128>\";reg-id=1"

struct world {
	struct call_rig rig;
	struct ua alice, bob, again; /* bob's device at another address */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	call_rig_open(&w->rig);
	ua_open(&w->alice, &w->rig, "alice", TRUNK);
	ua_open(&w->bob, &w->rig, "bob", "127.0.0.3");
	ua_open(&w->again, &w->rig, "bob", "127.0.0.44");
	ua_register(&w->bob, DEVICE);
	ua_connect(&w->alice, &w->bob);
	fake_media_tell(&w->rig.media);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ua_close(&w->alice);
	ua_close(&w->bob);
	ua_close(&w->again);
	call_rig_close(&w->rig);
	free(w);
	return 0;
}

/* bob's dialog goes on at the new address. */
static void settle(struct world *w)
{
	struct peer old = w->bob.peer;

	w->bob.peer = w->again.peer;
	w->again.peer = old;
}

static void test_follows(void **state)
{
	struct world *w = *state;
	const char *text;

	w->rig.config.follow_register = true;
	ua_register(&w->again, DEVICE);
	text = ua_expect(&w->again, "INVITE ");
	assert_non_null(strstr(text, "m=audio"));
	ua_reply(&w->again, text, 200, "", ua_sdp("203.0.113.44", 7000, ""));
	ua_expect(&w->again, "ACK ");
	call_rig_until(&w->rig, *w->rig.media.story);
	assert_string_equal(w->rig.media.story, "move b to 203.0.113.44:7000; ");
	assert_int_equal(peer_drain(&w->alice.peer, ""), 0);
	settle(w);
	ua_hang_up(&w->alice, &w->bob);
}

/* Off by default: the dialog stays where it is. */
static void test_stays(void **state)
{
	struct world *w = *state;

	ua_register(&w->again, DEVICE);
	rig_run_ms(&w->rig.rig, 50);
	assert_int_equal(peer_drain(&w->again.peer, "INVITE"), 0);
	assert_string_equal(w->rig.media.story, "");
	ua_hang_up(&w->alice, &w->bob);
}

/* Another device of the same user: nobody's dialog moves. */
static void test_other_device(void **state)
{
	struct world *w = *state;

	w->rig.config.follow_register = true;
	ua_register(&w->again, ";+sip.instance=\"<urn:uuid:other>\";reg-id=1");
	rig_run_ms(&w->rig.rig, 50);
	assert_int_equal(peer_drain(&w->again.peer, "INVITE"), 0);
	ua_hang_up(&w->alice, &w->bob);
}

/* The device does not want it: the old path plays on. */
static void test_refused(void **state)
{
	struct world *w = *state;

	w->rig.config.follow_register = true;
	ua_register(&w->again, DEVICE);
	ua_reply(&w->again, ua_expect(&w->again, "INVITE "), 488, "", NULL);
	ua_expect(&w->again, "ACK ");
	assert_string_equal(w->rig.media.story, "");
	settle(w);
	ua_hang_up(&w->alice, &w->bob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_follows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
