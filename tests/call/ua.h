/* SPDX-License-Identifier: BSD-2-Clause */
/* A scripted party: it knows how to write messages, the test says which. */
#ifndef SEGUE_TESTS_UA_H
#define SEGUE_TESTS_UA_H

#include "call_rig.h"

struct ua {
	struct peer peer;
	struct call_rig *rig;
	const char *name;
	char call_id[128], from[256], to[256], target[256]; /* From and To of its requests */
	unsigned cseq, branches;
	bool hidden;	   /* behind NAT: it registers an address that nobody reaches */
	char invite[4096]; /* the last one that it got */
	char branch[64];   /* of its last request */
	char last[4096];   /* that request */
};

void ua_open(struct ua *ua, struct call_rig *rig, const char *name, const char *host);
void ua_close(struct ua *ua);
/* Makes it a subscriber, and binds its address; `params`: of the Contact, ";q=0.5" or "". */
void ua_register(struct ua *ua, const char *params);
/* Registered as another one's further device. */
void ua_register_as(struct ua *ua, const char *user, const char *params);

/* An audio description of that host and port; static, several may be in use. `attributes`: whole
 * lines, or "". */
const char *ua_sdp(const char *host, unsigned port, const char *attributes);

/* INVITE sip:TO@example.net; `headers`: whole lines. */
void ua_invite(struct ua *ua, const char *to, const char *headers, const char *sdp);
/*
 * A subscriber calls TO@example.net and is challenged (407): `out` becomes `headers` and the answer
 * to that, for the INVITE that the test sends next by ua_request.
 */
void ua_prove(struct ua *ua, const char *to, const char *headers, char *out, size_t size);
/* Waits for what begins so; the text stays until the next call. */
const char *ua_expect(struct ua *ua, const char *start);
/* ... an INVITE without To tag: remembers it, and takes the dialog from it. */
const char *ua_expect_invite(struct ua *ua);
/* A request in the dialog of the party, CSeq counted up. */
void ua_request(struct ua *ua, const char *method, const char *headers, const char *sdp);
/* A response to a request that came; to an INVITE with Contact. */
void ua_reply(struct ua *ua, const char *request, int status, const char *headers, const char *sdp);
/* ... with another To tag than the party's. */
void ua_reply_as(struct ua *ua, const char *request, int status, const char *tag,
		 const char *headers, const char *sdp);
/* The caller learns tag and target from the 2xx, and sends ACK. */
void ua_ack(struct ua *ua, const char *response, const char *sdp);
/* ... only learns: also from a provisional. */
void ua_learn(struct ua *ua, const char *response);
void ua_cancel(struct ua *ua);
/* Its last request once more, as lost packets make it. */
void ua_again(struct ua *ua);
/* The body of a message. */
const char *ua_body(const char *message);
/* Port of its m=audio line; 0: none. */
unsigned ua_port(const char *message);

/* A call between both, answered and ACKed. */
void ua_connect(struct ua *alice, struct ua *bob);
/* `who` says BYE, the other one gets it, all is empty. */
void ua_hang_up(struct ua *who, struct ua *other);

/* What most tests begin with: Alice, who is a trunk, and Bob, a subscriber at one address. */
struct pair {
	struct call_rig rig;
	struct ua alice, bob;
};

void pair_open(struct pair *pair);
void pair_close(struct pair *pair);
/* For cmocka: *state is a struct pair. */
int pair_setup(void **state);
int pair_teardown(void **state);

#endif
