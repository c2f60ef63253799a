// SPDX-License-Identifier: BSD-2-Clause
#include "ua.h"

#include <errno.h>
#include <unistd.h>

#include "sip/digest.h"

void ua_open(struct ua *ua, struct call_rig *rig, const char *name, const char *host)
{
	memset(ua, 0, sizeof(*ua));
	ua->rig = rig;
	ua->name = name;
	peer_udp(&ua->peer, &rig->rig, host);
}

void ua_close(struct ua *ua)
{
	peer_close(&ua->peer);
}

static const struct netaddr *server(const struct ua *ua)
{
	return &ua->rig->rig.at[SIP_UDP];
}

static const char *at(const struct ua *ua)
{
	static char text[4][NETADDR_STRLEN];
	static unsigned turn;

	return netaddr_format(&ua->peer.at, text[turn++ % 4]);
}

const char *ua_sdp(const char *host, unsigned port, const char *attributes)
{
	static char text[8][1024];
	static unsigned turn;
	char *out = text[turn++ % 8];
	const char *family = strchr(host, ':') ? "IP6" : "IP4";

	snprintf(out, sizeof(text[0]),
		 "v=0\r\no=- 1 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n"
		 "m=audio %u RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n%s",
		 family, host, family, host, port, attributes);
	return out;
}

/* ---- sending -----------------------------------------------------------------------------------
 */

static void send_request(struct ua *ua, const char *method, const char *uri, const char *headers,
			 const char *sdp)
{
	bool ack = !strcmp(method, "ACK"), cancel = !strcmp(method, "CANCEL");

	char text[sizeof(ua->last)];

	if (!ack && !cancel)
		ua->cseq++;
	if (!cancel)
		snprintf(ua->branch, sizeof(ua->branch), "z9hG4bK-%s-%u-%u", ua->name,
			 ua->peer.at.port, ++ua->branches);
	snprintf(text, sizeof(text),
		 "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: 70\r\n"
		 "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
		 "Contact: <sip:%s@%s>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		 method, uri, at(ua), ua->branch, ua->from, ua->to, ua->call_id, ua->cseq, method,
		 ua->name, at(ua), headers, sdp ? "Content-Type: application/sdp\r\n" : "",
		 sdp ? strlen(sdp) : 0, sdp ? sdp : "");
	if (!ack) /* nobody repeats an ACK by itself */
		memcpy(ua->last, text, sizeof(text));
	peer_send(&ua->peer, server(ua), "%s", text);
}

void ua_again(struct ua *ua)
{
	peer_send(&ua->peer, server(ua), "%s", ua->last);
}

void ua_invite(struct ua *ua, const char *to, const char *headers, const char *sdp)
{
	static unsigned calls;
	char uri[128];

	snprintf(uri, sizeof(uri), "sip:%s@example.net", to);
	snprintf(ua->call_id, sizeof(ua->call_id), "call-%u-%d@%s.invalid", ++calls, getpid(),
		 ua->name);
	snprintf(ua->from, sizeof(ua->from), "\"%s\" <sip:%s@example.net>;tag=%s%u", ua->name,
		 ua->name, ua->name, calls);
	snprintf(ua->to, sizeof(ua->to), "<%s>", uri);
	snprintf(ua->target, sizeof(ua->target), "%s", uri);
	send_request(ua, "INVITE", uri, headers, sdp);
}

void ua_request(struct ua *ua, const char *method, const char *headers, const char *sdp)
{
	send_request(ua, method, ua->target, headers, sdp);
}

void ua_cancel(struct ua *ua)
{
	send_request(ua, "CANCEL", ua->target, "", NULL);
}

static void take_target(struct ua *ua, const char *message)
{
	const char *contact = header_of(message, "Contact");
	const char *from = strchr(contact, '<');

	if (from)
		snprintf(ua->target, sizeof(ua->target), "%.*s", (int)strcspn(from + 1, ">"),
			 from + 1);
}

void ua_learn(struct ua *ua, const char *response)
{
	snprintf(ua->to, sizeof(ua->to), "%s", header_of(response, "To"));
	take_target(ua, response);
}

void ua_ack(struct ua *ua, const char *response, const char *sdp)
{
	unsigned cseq = ua->cseq;

	ua_learn(ua, response);
	ua->cseq = (unsigned)atoi(header_of(response, "CSeq"));
	send_request(ua, "ACK", ua->target, "", sdp);
	ua->cseq = cseq;
}

void ua_reply_as(struct ua *ua, const char *request, int status, const char *tag,
		 const char *headers, const char *sdp)
{
	const char *to = header_of(request, "To");
	char with_tag[300];

	snprintf(with_tag, sizeof(with_tag), "%s%s%s", to,
		 strstr(to, ";tag=") ? "" : ";tag=", strstr(to, ";tag=") ? "" : tag);
	peer_send(&ua->peer, server(ua),
		  "SIP/2.0 %d Whatever\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
		  "CSeq: %s\r\nContact: <sip:%s@%s>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
		  status, header_of(request, "Via"), header_of(request, "From"), with_tag,
		  header_of(request, "Call-ID"), header_of(request, "CSeq"), ua->name, at(ua),
		  headers, sdp ? "Content-Type: application/sdp\r\n" : "", sdp ? strlen(sdp) : 0,
		  sdp ? sdp : "");
}

void ua_reply(struct ua *ua, const char *request, int status, const char *headers, const char *sdp)
{
	char tag[64];

	snprintf(tag, sizeof(tag), "%s-tag", ua->name);
	ua_reply_as(ua, request, status, tag, headers, sdp);
}

/* ---- receiving ---------------------------------------------------------------------------------
 */

void ua_prove(struct ua *ua, const char *to, const char *headers, char *out, size_t size)
{
	struct sip_flow flow = {
		.proto = SIP_UDP, .local = ua->peer.at, .remote = ua->rig->rig.at[SIP_UDP]};
	char uri[128], password[64];
	struct digest_credentials credentials = {.user = ua->name, .password = password};
	struct buf proof = BUF_EMPTY;
	struct sip_verdict verdict;
	struct sip_message *challenge;
	const char *text;

	snprintf(uri, sizeof(uri), "sip:%s@example.net", to);
	snprintf(password, sizeof(password), "%s-secret", ua->name);
	ua_invite(ua, to, headers, ua_sdp("203.0.113.2", 5000, ""));
	text = ua_expect(ua, "SIP/2.0 407");
	assert_int_equal(
		sip_message_parse(&challenge, &flow, (struct str){text, ua->peer.len}, &verdict),
		0);
	ua_request(ua, "ACK", "", NULL);
	assert_int_equal(
		digest_answer(&proof, challenge, &credentials, STR("INVITE"), str_of(uri), 1), 0);
	sip_message_unref(challenge);
	snprintf(out, size, "%s%s", headers, proof.data);
	buf_free(&proof);
}

const char *ua_expect(struct ua *ua, const char *start)
{
	return peer_expect(&ua->peer, start);
}

const char *ua_expect_invite(struct ua *ua)
{
	const char *invite = peer_expect(&ua->peer, "INVITE ");

	snprintf(ua->invite, sizeof(ua->invite), "%s", invite);
	snprintf(ua->call_id, sizeof(ua->call_id), "%s", header_of(invite, "Call-ID"));
	snprintf(ua->to, sizeof(ua->to), "%s", header_of(invite, "From"));
	snprintf(ua->from, sizeof(ua->from), "%s;tag=%s-tag", header_of(invite, "To"), ua->name);
	take_target(ua, invite);
	ua->cseq = 100;
	return ua->invite;
}

const char *ua_body(const char *message)
{
	const char *body = strstr(message, "\r\n\r\n");

	return body ? body + 4 : "";
}

unsigned ua_port(const char *message)
{
	const char *line = strstr(ua_body(message), "m=audio ");

	return line ? (unsigned)atoi(line + 8) : 0;
}

/* ---- registering -------------------------------------------------------------------------------
 */

static void send_register(struct ua *ua, const char *user, const char *params, const char *proof)
{
	char headers[1024], contact[256];

	snprintf(contact, sizeof(contact), "<sip:%s@%s>%s", user,
		 ua->hidden ? "192.0.2.99:5060" : at(ua), params);
	snprintf(headers, sizeof(headers), "%s", proof);
	ua->cseq++;
	peer_send(&ua->peer, server(ua),
		  "REGISTER sip:example.net SIP/2.0\r\n"
		  "Via: SIP/2.0/UDP %s;branch=z9hG4bK-r-%s-%u-%u;rport\r\nMax-Forwards: 70\r\n"
		  "From: <sip:%s@example.net>;tag=r1\r\nTo: <sip:%s@example.net>\r\n"
		  "Call-ID: register-%s-%u\r\nCSeq: %u REGISTER\r\nContact: %s\r\n%s"
		  "Content-Length: 0\r\n\r\n",
		  at(ua), ua->name, ua->peer.at.port, ++ua->branches, user, user, ua->name,
		  ua->peer.at.port, ua->cseq, contact, headers);
}

void ua_register_as(struct ua *ua, const char *user, const char *params)
{
	char aor[64], password[64];
	struct digest_credentials credentials = {.user = user, .password = password};
	struct sip_verdict verdict;
	struct sip_message *challenge;
	struct sip_flow flow = {.proto = SIP_UDP, .local = ua->peer.at, .remote = *server(ua)};
	struct buf proof = BUF_EMPTY;
	struct error err;
	const char *text;
	int ret;

	snprintf(aor, sizeof(aor), "%s@example.net", user);
	snprintf(password, sizeof(password), "%s-secret", user);
	ret = registrar_subscriber_add(ua->rig->registrar, str_of(aor), str_of(password), false,
				       &err);
	assert_true(!ret || ret == -EEXIST);
	send_register(ua, user, params, "");
	text = peer_expect(&ua->peer, "SIP/2.0 401");
	assert_int_equal(
		sip_message_parse(&challenge, &flow, (struct str){text, ua->peer.len}, &verdict),
		0);
	assert_int_equal(digest_answer(&proof, challenge, &credentials, STR("REGISTER"),
				       STR("sip:example.net"), 1),
			 0);
	sip_message_unref(challenge);
	send_register(ua, user, params, proof.data);
	buf_free(&proof);
	peer_expect(&ua->peer, "SIP/2.0 200");
}

void ua_register(struct ua *ua, const char *params)
{
	ua_register_as(ua, ua->name, params);
}

/* ---- whole calls -------------------------------------------------------------------------------
 */

void ua_connect(struct ua *alice, struct ua *bob)
{
	const char *invite;

	ua_invite(alice, bob->name, "", ua_sdp("198.51.100.1", 4000, ""));
	invite = ua_expect_invite(bob);
	ua_reply(bob, invite, 180, "", NULL);
	ua_expect(alice, "SIP/2.0 180");
	ua_reply(bob, invite, 200, "", ua_sdp("203.0.113.2", 5000, ""));
	ua_expect(bob, "ACK ");
	ua_ack(alice, ua_expect(alice, "SIP/2.0 200"), NULL);
}

void ua_hang_up(struct ua *who, struct ua *other)
{
	ua_request(who, "BYE", "", NULL);
	ua_expect(who, "SIP/2.0 200");
	ua_reply(other, ua_expect(other, "BYE "), 200, "", NULL);
	call_rig_expect_empty(who->rig);
}

/* ---- both --------------------------------------------------------------------------------------
 */

void pair_open(struct pair *pair)
{
	call_rig_open(&pair->rig);
	ua_open(&pair->alice, &pair->rig, "alice", TRUNK);
	ua_open(&pair->bob, &pair->rig, "bob", "127.0.0.3");
	ua_register(&pair->bob, "");
}

void pair_close(struct pair *pair)
{
	ua_close(&pair->alice);
	ua_close(&pair->bob);
	call_rig_close(&pair->rig);
}

int pair_setup(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	assert_non_null(pair);
	pair_open(pair);
	*state = pair;
	return 0;
}

int pair_teardown(void **state)
{
	pair_close(*state);
	free(*state);
	return 0;
}
