/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request of ours, by one of our networks. A challenge is answered by itself (the same request
 * with the next CSeq: HH-18), and the last challenge ahead of the next one (HH-4).
 */
#ifndef SEGUE_UA_REQUEST_H
#define SEGUE_UA_REQUEST_H

#include "sip/dialog.h"

struct ua;
struct ua_network;
struct ua_request;

/* Provisional and final responses. NULL: there was none, and `status` is 408 or 503. */
typedef void ua_response_fn(void *context, int status, struct sip_message *response);

struct ua_request_spec {
	enum sip_method method;
	struct ua_network *network;
	struct sip_dialog *dialog; /* outlives the request */
	bool contact;		   /* with a Contact of that network */
	struct str headers;	   /* whole lines; copied, as is the body */
	struct str content_type, body;
	ua_response_fn *fn;
	void *context;
};

/* 0 or a negative errno. fn is never called from inside. */
int ua_request_send(struct ua_request **out, struct ua *ua, const struct ua_request_spec *spec);
/* Nobody is told any more; it may be called from inside fn. NULL is fine. */
void ua_request_free(struct ua_request *request);
/* INVITE: CANCEL. */
void ua_request_cancel(struct ua_request *request);
/* It goes on by that network: a CANCEL leaves there. */
void ua_request_follow(struct ua_request *request, struct ua_network *network);
/* It belongs to that dialog from here on. NULL is fine. */
void ua_request_change_dialog(struct ua_request *request, struct sip_dialog *dialog);
/* As it was last sent. */
uint32_t ua_request_cseq(const struct ua_request *request);

#endif
