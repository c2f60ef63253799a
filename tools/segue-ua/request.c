// SPDX-License-Identifier: BSD-2-Clause
#include "request.h"

#include <errno.h>
#include <stdlib.h>

#include "ua.h"
#include "way.h"

#define CHALLENGES 2u /* a nonce that grew old, and its successor */

struct ua_request {
	struct ua *ua;
	struct ua_request_spec spec;
	char *headers, *body;
	struct sip_client_tx *tx;
	uint32_t cseq;
	unsigned challenges;
};

static void on_response(void *context, struct sip_message *response);
static void on_failure(void *context, int status);

static const struct sip_client_tx_handlers handlers = {on_response, on_failure};

static struct str request_uri(const struct buf *text)
{
	struct str rest = buf_str(text), uri = STR_NONE;

	str_split(&rest, ' ', &uri);
	str_split(&rest, ' ', &uri);
	return uri;
}

static int add_credentials(struct ua_request *request, struct buf *text)
{
	struct ua *ua = request->ua;
	const struct digest_credentials credentials = {
		ua->options->user ? ua->options->user : ua->user, ua->options->password};
	struct str method = sip_method_name(request->spec.method), uri = request_uri(text);
	char *copy;
	int ret;

	if (!ua->challenge || !credentials.password)
		return 0;
	copy = str_dup(uri); /* the text grows under it */
	if (!copy)
		return -ENOMEM;
	ret = digest_answer(text, ua->challenge, &credentials, method, str_of(copy),
			    ++ua->nonce_count);
	free(copy);
	return ret;
}

static int write_request(struct ua_request *request, struct buf *text)
{
	const struct ua_request_spec *spec = &request->spec;
	int ret;

	sip_dialog_write(spec->dialog, text, sip_method_name(spec->method), 0);
	request->cseq = spec->dialog->local_cseq;
	sip_write_header(text, "User-Agent", STR("segue-ua"));
	sip_write_header(text, "Allow", STR(UA_ALLOW));
	buf_add(text, spec->headers);
	ret = add_credentials(request, text);
	if (ret)
		return ret;
	sip_write_body(text, spec->content_type, spec->body);
	return buf_error(text);
}

static int transmit(struct ua_request *request)
{
	const struct ua_request_spec *spec = &request->spec;
	struct sip_outgoing outgoing = {.method = spec->method, .contact = spec->contact};
	struct buf text = BUF_EMPTY;
	struct ua_way way;
	int ret = ua_way_of(request->ua, spec->network, spec->dialog, &way);

	if (!ret)
		ret = write_request(request, &text);
	if (!ret) {
		outgoing.text = buf_str(&text);
		outgoing.contact_user = str_of(request->ua->user);
		outgoing.flow = &way.flow;
		outgoing.server_name = way.server_name;
		ret = sip_client_send(request->ua->stack, &outgoing, &handlers, request,
				      &request->tx);
	}
	buf_free(&text);
	return ret;
}

/* True: it was sent again, with an answer to the challenge. */
static bool answers_challenge(struct ua_request *request, struct sip_message *response)
{
	struct ua *ua = request->ua;

	if (response->status != 401 && response->status != 407)
		return false;
	sip_message_unref(ua->challenge);
	ua->challenge = sip_message_ref(response);
	ua->nonce_count = 0;
	if (!ua->options->password || request->challenges++ == CHALLENGES)
		return false;
	return !transmit(request);
}

static void on_response(void *context, struct sip_message *response)
{
	struct ua_request *request = context;

	if (response->status >= 300)
		request->tx = NULL;
	if (!answers_challenge(request, response))
		request->spec.fn(request->spec.context, response->status, response);
}

static void on_failure(void *context, int status)
{
	struct ua_request *request = context;

	request->tx = NULL;
	request->spec.fn(request->spec.context, status, NULL);
}

int ua_request_send(struct ua_request **out, struct ua *ua, const struct ua_request_spec *spec)
{
	struct ua_request *request = calloc(1, sizeof(*request));
	int ret = -ENOMEM;

	if (!request)
		return -ENOMEM;
	request->ua = ua;
	request->spec = *spec;
	request->headers = str_dup(spec->headers);
	request->body = str_dup(spec->body);
	if (request->headers && request->body) {
		request->spec.headers = str_of(request->headers);
		request->spec.body = str_of(request->body);
		ret = transmit(request);
	}
	if (ret)
		ua_request_free(request);
	else
		*out = request;
	return ret;
}

void ua_request_free(struct ua_request *request)
{
	if (!request)
		return;
	if (request->tx)
		sip_client_tx_forget(request->tx);
	free(request->headers);
	free(request->body);
	free(request);
}

void ua_request_cancel(struct ua_request *request)
{
	if (request->tx)
		sip_client_tx_cancel(request->tx, STR_NONE);
}

void ua_request_follow(struct ua_request *request, struct ua_network *network)
{
	struct ua_way way;

	request->spec.network = network;
	if (request->tx && !ua_way_of(request->ua, network, request->spec.dialog, &way))
		sip_client_tx_follow(request->tx, &way.flow);
}

void ua_request_change_dialog(struct ua_request *request, struct sip_dialog *dialog)
{
	if (request)
		request->spec.dialog = dialog;
}

uint32_t ua_request_cseq(const struct ua_request *request)
{
	return request->cseq;
}
