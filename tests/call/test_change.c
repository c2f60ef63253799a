// SPDX-License-Identifier: BSD-2-Clause
/* What changes inside a call: moves, holds, new media, requests that cross (RFC 3665 3.7, RFC
 * 5407). */
#include "ua.h"

static int setup(void **state)
{
	struct pair *w;

	pair_setup(state);
	w = *state;
	ua_connect(&w->alice, &w->bob);
	fake_media_tell(&w->rig.media);
	peer_drain(&w->bob.peer, "");
	return 0;
}

static struct media_stream *stream_of(struct pair *w)
{
	struct media_stream *stream = fake_media_only(&w->rig.media);

	assert_non_null(stream);
	return stream;
}

/* Nothing but the address changes: answered by us, B hears nothing, B's port stays (SG-40). */
static void test_move(void **state)
{
	struct pair *w = *state;
	struct netaddr before = stream_of(w)->path[SG_SIDE_B].local;
	unsigned port = stream_of(w)->path[SG_SIDE_A].local.port;
	const char *text;

	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.77", 4100, ""));
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(w->rig.media.story, "move a to 198.51.100.77:4100; ");
	assert_int_equal(ua_port(text), port);
	ua_ack(&w->alice, text, NULL);
	rig_run_ms(&w->rig.rig, 30);
	assert_int_equal(peer_drain(&w->bob.peer, ""), 0);
	assert_true(netaddr_eq(&before, &stream_of(w)->path[SG_SIDE_B].local));
	ua_hang_up(&w->alice, &w->bob);
}

/*
 * Bob has agreed to what Alice asked for, but the relay cannot do it: she is refused, and he is put
 * back on what they had.
 */
static void test_put_back(void **state)
{
	struct pair *w = *state;
	char before[2048];
	const char *text;

	snprintf(before, sizeof(before), "%.2000s", ua_body(w->bob.invite));
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.77", 4100, "a=ptime:60\r\n"));
	text = ua_expect(&w->bob, "INVITE ");
	assert_non_null(strstr(ua_body(text), "a=ptime:60"));
	w->rig.media.refuse = -EHOSTUNREACH;
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, "a=ptime:60\r\n"));
	ua_expect(&w->bob, "ACK ");
	ua_expect(&w->alice, "SIP/2.0 488");
	ua_request(&w->alice, "ACK", "", NULL);
	w->rig.media.refuse = 0;
	text = ua_expect(&w->bob, "INVITE ");
	assert_null(strstr(ua_body(text), "a=ptime:60"));
	assert_string_equal(strstr(ua_body(text), "\r\ns="), strstr(before, "\r\ns="));
	assert_string_not_equal(ua_body(text), before); /* the version counts on */
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->bob, "ACK ");
	assert_string_equal(w->rig.media.story, "");
	/* Both may change it again. */
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.77", 4100, ""));
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(w->rig.media.story, "move a to 198.51.100.77:4100; ");
	ua_ack(&w->alice, text, NULL);
	ua_hang_up(&w->alice, &w->bob);
}

/* One path has moved when the other one cannot: both are where they were, in the end. */
static void test_put_back_with_media(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.77", 4100, "a=ptime:60\r\n"));
	text = ua_expect(&w->bob, "INVITE ");
	w->rig.media.refuse_b = -EHOSTUNREACH;
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.9", 5000, "a=ptime:60\r\n"));
	ua_expect(&w->bob, "ACK ");
	ua_expect(&w->alice, "SIP/2.0 488");
	ua_request(&w->alice, "ACK", "", NULL);
	w->rig.media.refuse_b = 0;
	ua_reply(&w->bob, ua_expect(&w->bob, "INVITE "), 200, "", ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(&w->bob, "ACK ");
	assert_string_equal(w->rig.media.story,
			    "move a to 198.51.100.77:4100; move a to 198.51.100.1:4000; ");
	ua_hang_up(&w->bob, &w->alice);
}

/* He does not go back: the call goes on, and so do later changes. */
static void test_put_back_refused(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.77", 4100, "a=ptime:60\r\n"));
	text = ua_expect(&w->bob, "INVITE ");
	w->rig.media.refuse = -EHOSTUNREACH;
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, "a=ptime:60\r\n"));
	ua_expect(&w->bob, "ACK ");
	ua_expect(&w->alice, "SIP/2.0 488");
	ua_request(&w->alice, "ACK", "", NULL);
	w->rig.media.refuse = 0;
	ua_reply(&w->bob, ua_expect(&w->bob, "INVITE "), 488, "", NULL);
	ua_expect(&w->bob, "ACK ");
	ua_request(&w->bob, "INVITE", "", ua_sdp("203.0.113.2", 5000, "a=sendonly\r\n"));
	ua_reply(&w->alice, ua_expect(&w->alice, "INVITE "), 200, "",
		 ua_sdp("198.51.100.1", 4000, "a=recvonly\r\n"));
	ua_expect(&w->alice, "ACK ");
	ua_ack(&w->bob, ua_expect(&w->bob, "SIP/2.0 200"), NULL);
	ua_hang_up(&w->alice, &w->bob);
}

/* The Contact moves along: later requests go to the new one, whatever side moved. */
static void test_contact_moves(void **state)
{
	struct pair *w = *state;
	struct peer old = w->bob.peer;
	const char *text;

	peer_udp(&w->bob.peer, &w->rig.rig, "127.0.0.3");
	ua_request(&w->bob, "INVITE", "", ua_sdp("203.0.113.99", 5100, ""));
	text = ua_expect(&w->bob, "SIP/2.0 200");
	assert_string_equal(w->rig.media.story, "move b to 203.0.113.99:5100; ");
	ua_ack(&w->bob, text, NULL);
	ua_hang_up(&w->alice, &w->bob);
	assert_int_equal(peer_drain(&old, ""), 0);
	peer_close(&old);
}

/* From another host the dialog's identifiers are not enough (HH-4, HH-17); nothing changes. */
static void test_move_unproven(void **state)
{
	struct pair *w = *state;
	struct peer old = w->bob.peer;

	peer_udp(&w->bob.peer, &w->rig.rig, "127.0.0.44");
	ua_request(&w->bob, "INVITE", "", ua_sdp("203.0.113.99", 5100, ""));
	ua_expect(&w->bob, "SIP/2.0 407");
	ua_request(&w->bob, "BYE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 407");
	peer_close(&w->bob.peer);
	w->bob.peer = old;
	assert_string_equal(w->rig.media.story, "");
	ua_hang_up(&w->alice, &w->bob);
}

/* The trunk's leg from elsewhere: refused. */
static void test_move_off_trunk(void **state)
{
	struct pair *w = *state;
	struct peer old = w->alice.peer;

	peer_udp(&w->alice.peer, &w->rig.rig, "127.0.0.45");
	ua_request(&w->alice, "INVITE", "", ua_sdp("203.0.113.99", 5100, ""));
	ua_expect(&w->alice, "SIP/2.0 403");
	peer_close(&w->alice.peer);
	w->alice.peer = old;
	assert_string_equal(w->rig.media.story, "");
	ua_hang_up(&w->alice, &w->bob);
}

static void test_hold(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, "a=sendonly\r\n"));
	text = ua_expect(&w->bob, "INVITE ");
	assert_non_null(strstr(text, "a=sendonly"));
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, "a=recvonly\r\n"));
	ua_expect(&w->bob, "ACK ");
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_non_null(strstr(text, "a=recvonly"));
	assert_string_equal(w->rig.media.story, "direction a-to-b; ");
	ua_ack(&w->alice, text, NULL);
	fake_media_tell(&w->rig.media);
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, ""));
	text = ua_expect(&w->bob, "INVITE ");
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	assert_string_equal(w->rig.media.story, "direction both; ");
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

/* RFC 2543's way: c=0.0.0.0 is a hold, not a place to send to. */
/* As a gateway offers a fax. */
static const char *fax_sdp(const char *host, unsigned port)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		 "v=0\r\no=- 1 2 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
		 "m=image %u udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
		 "a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxBuffer:200\r\n"
		 "a=T38FaxMaxDatagram:320\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n",
		 host, host, port);
	return text;
}

/* Port of the first m= line, which is a fax's with all that was said of it. */
static unsigned fax_port(const char *text)
{
	const char *line = strstr(text, "\r\nm=image ");

	assert_non_null(line);
	assert_non_null(strstr(line, " udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\n"
				     "a=T38FaxRateManagement:transferredTCF\r\n"));
	assert_null(strstr(line, "a=rtcp"));
	return (unsigned)atoi(line + strlen("\r\nm=image "));
}

/* The answering gateway hears the tone of a fax and says so (T.38 D.2.2); our ports stay. */
static void test_fax(void **state)
{
	struct pair *w = *state;
	unsigned port[] = {stream_of(w)->path[SG_SIDE_A].local.port,
			   stream_of(w)->path[SG_SIDE_B].local.port};
	const char *text;

	ua_request(&w->bob, "INVITE", "", fax_sdp("203.0.113.2", 5000));
	text = ua_expect(&w->alice, "INVITE ");
	assert_int_equal(fax_port(text), port[0]);
	assert_string_equal(w->rig.media.story, "");
	ua_reply(&w->alice, text, 200, "", fax_sdp("198.51.100.1", 4100));
	text = ua_expect(&w->bob, "SIP/2.0 200");
	assert_int_equal(fax_port(text), port[1]);
	assert_string_equal(w->rig.media.story, "opaque; move a to 198.51.100.1:4100; ");
	ua_ack(&w->bob, text, NULL);
	ua_expect(&w->alice, "ACK ");
	/* It survives us, and the call goes back to voice. */
	call_rig_restart(&w->rig);
	fake_media_tell(&w->rig.media);
	ua_request(&w->bob, "INVITE", "", ua_sdp("203.0.113.2", 5000, ""));
	text = ua_expect(&w->alice, "INVITE ");
	ua_reply(&w->alice, text, 200, "", ua_sdp("198.51.100.1", 4100, ""));
	ua_ack(&w->bob, ua_expect(&w->bob, "SIP/2.0 200"), NULL);
	assert_string_equal(w->rig.media.story, "RTP; ");
	ua_expect(&w->alice, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

static void test_fax_refused(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(&w->bob, "INVITE", "", fax_sdp("203.0.113.2", 5000));
	text = ua_expect(&w->alice, "INVITE ");
	ua_reply(&w->alice, text, 488, "", NULL);
	ua_expect(&w->alice, "ACK ");
	ua_ack(&w->bob, ua_expect(&w->bob, "SIP/2.0 488"), NULL);
	assert_string_equal(w->rig.media.story, "");
	ua_hang_up(&w->alice, &w->bob);
}

/* What goes by TCP is not ours to carry: that line is declined (RFC 3264 6), the others are not. */
static void test_messages_are_declined(void **state)
{
	static const char msrp[] =
		"m=message 7394 TCP/MSRP *\r\na=path:msrp://198.51.100.1:7394/x;tcp\r\n";
	struct pair *w = *state;
	const char *text;

	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, msrp));
	text = ua_expect(&w->bob, "INVITE ");
	assert_non_null(strstr(text, "\r\nm=message 0 TCP/MSRP *"));
	assert_non_null(strstr(text, "\r\nm=audio "));
	assert_null(strstr(text, "198.51.100.1"));
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, "m=message 0 TCP/MSRP *\r\n"));
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_non_null(strstr(text, "\r\nm=message 0 TCP/MSRP *"));
	ua_ack(&w->alice, text, NULL);
	ua_expect(&w->bob, "ACK ");
	assert_int_equal(fake_media_streams(&w->rig.media), 1);
	ua_hang_up(&w->alice, &w->bob);
}

static void test_old_hold(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(&w->bob, "INVITE", "", ua_sdp("0.0.0.0", 5000, ""));
	text = ua_expect(&w->alice, "INVITE ");
	ua_reply(&w->alice, text, 200, "", ua_sdp("198.51.100.1", 4000, "a=recvonly\r\n"));
	ua_ack(&w->bob, ua_expect(&w->bob, "SIP/2.0 200"), NULL);
	assert_string_equal(w->rig.media.story, "direction b-to-a; ");
	ua_expect(&w->alice, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

static void test_refused(void **state)
{
	struct pair *w = *state;
	const char *text, *video = "m=video 4002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";

	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, video));
	text = ua_expect(&w->bob, "INVITE ");
	ua_reply(&w->bob, text, 488, "Warning: 304 bob \"no\"\r\n", NULL);
	ua_expect(&w->bob, "ACK ");
	text = ua_expect(&w->alice, "SIP/2.0 488");
	assert_string_equal(header_of(text, "Warning"), "304 bob \"no\"");
	ua_request(&w->alice, "ACK", "", NULL);
	assert_string_equal(w->rig.media.story, "");
	/* What was agreed holds: a move is still a move. */
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.2", 4000, ""));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	assert_string_equal(w->rig.media.story, "move a to 198.51.100.2:4000; ");
	ua_hang_up(&w->alice, &w->bob);
}

static void test_add_and_remove_video(void **state)
{
	struct pair *w = *state;
	const char *text, *format = "m=video %u RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
	char line[128];

	snprintf(line, sizeof(line), format, 4002);
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, line));
	text = ua_expect(&w->bob, "INVITE ");
	snprintf(line, sizeof(line), format, 5002);
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, line));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	ua_expect(&w->bob, "ACK ");
	assert_int_equal(fake_media_streams(&w->rig.media), 2);
	snprintf(line, sizeof(line), format, 0);
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, line));
	text = ua_expect(&w->bob, "INVITE ");
	assert_non_null(strstr(text, "m=video 0 "));
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, line));
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	ua_expect(&w->bob, "ACK ");
	assert_int_equal(fake_media_streams(&w->rig.media), 1);
	ua_hang_up(&w->alice, &w->bob);
}

/* Both change at the same time: whose offer comes second hears 491 (RFC 3261 14.2). */
static void test_glare(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, "a=sendonly\r\n"));
	text = ua_expect(&w->bob, "INVITE ");
	snprintf(w->bob.invite, sizeof(w->bob.invite), "%s", text);
	ua_request(&w->bob, "INVITE", "", ua_sdp("203.0.113.2", 5000, "a=sendonly\r\n"));
	ua_expect(&w->bob, "SIP/2.0 491");
	ua_request(&w->bob, "ACK", "", NULL);
	ua_reply(&w->bob, w->bob.invite, 491, "", NULL);
	ua_expect(&w->bob, "ACK ");
	ua_expect(&w->alice, "SIP/2.0 491");
	ua_request(&w->alice, "ACK", "", NULL);
	assert_string_equal(w->rig.media.story, "");
	ua_hang_up(&w->alice, &w->bob);
}

/* A second one before the first was answered: 500, with a time (RFC 3261 14.2). */
static void test_overlap(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, "a=sendonly\r\n"));
	snprintf(w->bob.invite, sizeof(w->bob.invite), "%s", ua_expect(&w->bob, "INVITE "));
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, "a=inactive\r\n"));
	text = ua_expect(&w->alice, "SIP/2.0 500");
	assert_string_not_equal(header_of(text, "Retry-After"), "");
	ua_reply(&w->bob, w->bob.invite, 200, "", ua_sdp("203.0.113.2", 5000, "a=recvonly\r\n"));
	text = ua_expect(&w->alice, "SIP/2.0 200");
	w->alice.cseq--;
	ua_ack(&w->alice, text, NULL);
	w->alice.cseq++;
	ua_expect(&w->bob, "ACK ");
	ua_hang_up(&w->alice, &w->bob);
}

static void test_old_cseq(void **state)
{
	struct pair *w = *state;

	w->alice.cseq -= 1;
	ua_request(&w->alice, "INFO", "", NULL);
	ua_expect(&w->alice, "SIP/2.0 500");
	ua_hang_up(&w->alice, &w->bob);
}

/* UPDATE goes as what the other end knows. */
static void test_update(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(&w->alice, "UPDATE", "", ua_sdp("198.51.100.3", 4000, ""));
	ua_expect(&w->alice, "SIP/2.0 200");
	assert_string_equal(w->rig.media.story, "move a to 198.51.100.3:4000; ");
	fake_media_tell(&w->rig.media);
	ua_request(&w->alice, "UPDATE", "", ua_sdp("198.51.100.3", 4000, "a=inactive\r\n"));
	text = ua_expect(&w->bob, "INVITE "); /* its answers never said Allow: UPDATE */
	ua_reply(&w->bob, text, 200, "", ua_sdp("203.0.113.2", 5000, "a=inactive\r\n"));
	ua_expect(&w->bob, "ACK ");
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_non_null(strstr(text, "a=inactive"));
	assert_string_equal(w->rig.media.story, "direction none; ");
	ua_hang_up(&w->alice, &w->bob);
}

/* A re-INVITE without offer: the other end makes it. */
static void test_late_reinvite(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(&w->bob, "INVITE", "", NULL);
	text = ua_expect(&w->alice, "INVITE ");
	assert_string_equal(ua_body(text), "");
	ua_reply(&w->alice, text, 200, "", ua_sdp("198.51.100.1", 4000, ""));
	text = ua_expect(&w->bob, "SIP/2.0 200");
	assert_int_not_equal(ua_port(text), 0);
	ua_ack(&w->bob, text, ua_sdp("203.0.113.8", 5008, ""));
	text = ua_expect(&w->alice, "ACK ");
	assert_int_not_equal(ua_port(text), 0);
	assert_string_equal(w->rig.media.story, "move b to 203.0.113.8:5008; ");
	ua_hang_up(&w->alice, &w->bob);
}

/* From IPv4 to IPv6 in mid-call: A gets a port of the other family, B's stays. */
static void test_family_changes(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(&w->alice, "INVITE", "", ua_sdp("2001:db8::77", 4100, ""));
	text = ua_expect(&w->alice, "SIP/2.0 200");
	assert_non_null(strstr(text, "c=IN IP6 2001:db8::1"));
	assert_string_equal(w->rig.media.story, "move a to [2001:db8::77]:4100; ");
	assert_int_equal(ua_port(text), stream_of(w)->path[SG_SIDE_A].local.port);
	ua_ack(&w->alice, text, NULL);
	ua_hang_up(&w->alice, &w->bob);
}

static void test_pool_empty(void **state)
{
	struct pair *w = *state;
	unsigned ports = w->rig.media.ports;

	w->rig.media.ports = 0;
	ua_request(&w->alice, "INVITE", "", ua_sdp("2001:db8::77", 4100, ""));
	ua_expect(&w->alice, "SIP/2.0 488");
	ua_request(&w->alice, "ACK", "", NULL);
	assert_string_equal(w->rig.media.story, "");
	w->rig.media.ports = ports;
	ua_hang_up(&w->alice, &w->bob);
}

/* The relay has to wait for a next hop; the answer waits with it, and a BYE does not. */
static void test_slow_move(void **state)
{
	struct pair *w = *state;

	w->rig.media.slow = true;
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.77", 4100, ""));
	call_rig_until(&w->rig, w->rig.media.story[0]);
	rig_run_ms(&w->rig.rig, 30);
	assert_int_equal(peer_drain(&w->alice.peer, "SIP/2.0 200"), 0);
	fake_media_finish(&w->rig.media, 0);
	ua_ack(&w->alice, ua_expect(&w->alice, "SIP/2.0 200"), NULL);
	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.78", 4100, ""));
	call_rig_until(&w->rig, strstr(w->rig.media.story, ".78"));
	ua_hang_up(&w->bob, &w->alice);
}

static void test_others_cross(void **state)
{
	struct pair *w = *state;
	const char *text;

	ua_request(
		&w->alice, "INFO",
		"Info-Package: dtmf\r\nContent-Type: application/dtmf-relay\r\nVia-Secret: x\r\n",
		NULL);
	text = ua_expect(&w->bob, "INFO ");
	assert_string_equal(header_of(text, "Info-Package"), "dtmf");
	assert_string_equal(header_of(text, "Via-Secret"), "");
	ua_reply(&w->bob, text, 469, "Recv-Info: none\r\n", NULL);
	text = ua_expect(&w->alice, "SIP/2.0 469");
	assert_string_equal(header_of(text, "Recv-Info"), "none");
	ua_request(&w->bob, "OPTIONS", "", NULL);
	ua_reply(&w->alice, ua_expect(&w->alice, "OPTIONS "), 200, "", NULL);
	ua_expect(&w->bob, "SIP/2.0 200");
	ua_request(&w->bob, "DANCE", "", NULL);
	ua_expect(&w->bob, "SIP/2.0 501");
	ua_hang_up(&w->alice, &w->bob);
}

/* One end knows nothing of the call any more: it is over (RFC 3261 12.2.1.2). */
static void test_peer_is_gone(void **state)
{
	struct pair *w = *state;

	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, "a=sendonly\r\n"));
	ua_reply(&w->bob, ua_expect(&w->bob, "INVITE "), 481, "", NULL);
	ua_expect(&w->bob, "ACK ");
	ua_expect(&w->alice, "SIP/2.0 481");
	ua_request(&w->alice, "ACK", "", NULL);
	ua_reply(&w->alice, ua_expect(&w->alice, "BYE "), 200, "", NULL);
	ua_reply(&w->bob, ua_expect(&w->bob, "BYE "), 481, "", NULL);
	call_rig_expect_empty(&w->rig);
}

static void test_cancel_reinvite(void **state)
{
	struct pair *w = *state;

	ua_request(&w->alice, "INVITE", "", ua_sdp("198.51.100.1", 4000, "a=sendonly\r\n"));
	snprintf(w->bob.invite, sizeof(w->bob.invite), "%s", ua_expect(&w->bob, "INVITE "));
	ua_reply(&w->bob, w->bob.invite, 180, "", NULL);
	ua_cancel(&w->alice);
	ua_expect(&w->alice, "SIP/2.0 200");
	ua_reply(&w->bob, ua_expect(&w->bob, "CANCEL "), 200, "", NULL);
	ua_reply(&w->bob, w->bob.invite, 487, "", NULL);
	ua_expect(&w->alice, "SIP/2.0 487");
	ua_request(&w->alice, "ACK", "", NULL);
	assert_string_equal(w->rig.media.story, "");
	ua_hang_up(&w->bob, &w->alice);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_move),
		TEST(test_put_back),
		TEST(test_put_back_with_media),
		TEST(test_put_back_refused),
		TEST(test_contact_moves),
		TEST(test_move_unproven),
		TEST(test_move_off_trunk),
		TEST(test_hold),
		TEST(test_fax),
		TEST(test_fax_refused),
		TEST(test_messages_are_declined),
		TEST(test_old_hold),
		TEST(test_refused),
		TEST(test_add_and_remove_video),
		TEST(test_glare),
		TEST(test_overlap),
		TEST(test_old_cseq),
		TEST(test_update),
		TEST(test_late_reinvite),
		TEST(test_family_changes),
		TEST(test_pool_empty),
		TEST(test_slow_move),
		TEST(test_others_cross),
		TEST(test_peer_is_gone),
		TEST(test_cancel_reinvite),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
