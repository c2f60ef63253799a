// SPDX-License-Identifier: BSD-2-Clause
/*
 * controller/sip on any bytes: screen, parse, validate (all of it our own code, instrumented;
 * libosip2 has no part in it). Nothing outside the bytes is read; what is taken apart lies within
 * them; what is good can be answered, makes a dialog, and comes back from the journal as it went.
 * The first byte says whether it came over UDP or TCP.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"

#include "sip/dialog.h"

static void inside(const struct sip_message *message, struct str part)
{
	FUZZ_ASSERT(!part.n || (part.p >= message->raw.p &&
				part.p + part.n <= message->raw.p + message->raw.n));
}

static bool is_one_line(struct str text)
{
	return str_index(text, '\n') == text.n && str_index(text, '\r') == text.n;
}

static void check_headers(const struct sip_message *message)
{
	FUZZ_ASSERT(message->headers <= SIP_HEADERS);
	for (size_t i = 0; i < message->headers; i++) {
		const struct sip_header *header = &message->header[i];
		char name[64];
		size_t cursor = 0, walked = 0;
		struct str value;

		FUZZ_ASSERT(header->name.n);
		inside(message, header->value);
		FUZZ_ASSERT(is_one_line(header->value) || message->status == 0);
		if (header->name.n >= sizeof(name))
			continue;
		memcpy(name, header->name.p, header->name.n);
		name[header->name.n] = '\0';
		FUZZ_ASSERT(sip_has_header(message, name));
		while (sip_header_list(message, name, &cursor, &value)) {
			inside(message, value);
			FUZZ_ASSERT(value.n && ++walked <= message->raw.n);
		}
	}
}

static void check_parts(const struct sip_message *message)
{
	const struct str parts[] = {
		message->method_name, message->reason,	   message->request_uri,  message->call_id,
		message->from.whole,  message->from.uri,   message->from.params,  message->to.whole,
		message->to.uri,      message->to.params,  message->from_tag,	  message->to_tag,
		message->via.host,    message->via.branch, message->content_type, message->body,
		message->uri.host,    message->uri.user,   message->uri.params,
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		inside(message, parts[i]);
}

/* Near the limit of parameters what we add may go over it; near that of headers likewise. */
static bool is_near_a_limit(const struct sip_message *message)
{
	bool near = message->headers > SIP_HEADERS - 4;

	for (size_t i = 0; i < message->headers; i++) {
		struct str rest = message->header[i].value, part;
		size_t parts = 0;

		while (str_split(&rest, ';', &part))
			parts++;
		near |= parts > 60;
	}
	return near;
}

static struct sip_message *again(struct buf *text)
{
	struct sip_flow flow = {.proto = SIP_TCP};
	struct sip_message *message;
	struct sip_verdict verdict;
	int ret;

	FUZZ_ASSERT(!buf_error(text));
	ret = sip_message_parse(&message, &flow, buf_str(text), &verdict);
	if (ret)
		fprintf(stderr, "%s\n%d %s\n", text->data, verdict.status, verdict.reason);
	FUZZ_ASSERT(!ret);
	buf_free(text);
	return message;
}

static void check_answer(const struct sip_message *request)
{
	struct buf text = BUF_EMPTY;
	struct sip_message *response;

	sip_write_response(&text, request, 200, NULL, STR("ours"), true);
	sip_write_body(&text, STR("text/plain"), request->body);
	response = again(&text);
	FUZZ_ASSERT(response->status == 200 && response->method == request->method);
	FUZZ_ASSERT(str_eq(response->call_id, request->call_id));
	FUZZ_ASSERT(str_eq(response->via.branch, request->via.branch));
	FUZZ_ASSERT(str_eq(response->from_tag, request->from_tag));
	FUZZ_ASSERT(str_eq(response->body, request->body));
	sip_message_unref(response);
}

static void check_dialog(const struct sip_message *message)
{
	struct sip_dialogs *dialogs;
	struct sip_dialog *dialog, *back;
	struct sip_message *bye;
	struct buf saved = BUF_EMPTY, twice = BUF_EMPTY, text = BUF_EMPTY;

	FUZZ_ASSERT(!sip_dialogs_alloc(&dialogs));
	if (sip_dialog_accept(&dialog, dialogs, message, STR("ours"))) {
		sip_dialogs_free(dialogs);
		return;
	}
	sip_dialog_write(dialog, &text, STR("BYE"), 0);
	buf_add(&text, STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n"));
	bye = again(&text);
	FUZZ_ASSERT(str_eq(bye->from_tag, STR("ours")) && bye->cseq == 1);
	FUZZ_ASSERT(str_eq(bye->to_tag, message->from_tag));
	sip_message_unref(bye);
	sip_dialog_save(dialog, &saved);
	sip_dialog_free(dialog);
	FUZZ_ASSERT(!sip_dialog_restore(&back, dialogs, buf_str(&saved)));
	sip_dialog_save(back, &twice);
	FUZZ_ASSERT(str_eq(buf_str(&saved), buf_str(&twice)));
	sip_dialog_free(back);
	sip_dialogs_free(dialogs);
	buf_free(&saved);
	buf_free(&twice);
}

static void check_good(const struct sip_message *message)
{
	FUZZ_ASSERT(message->via.host.n && message->call_id.n && message->from.uri.n);
	if (message->status)
		return;
	FUZZ_ASSERT(sip_uri_eq(&message->uri, &message->uri));
	if (is_near_a_limit(message))
		return;
	check_answer(message);
	check_dialog(message);
}

static void check_refused(const struct sip_message *message, const struct sip_verdict *verdict)
{
	struct buf text = BUF_EMPTY;

	FUZZ_ASSERT(verdict->status >= 400 && verdict->status < 600 && verdict->reason[0]);
	FUZZ_ASSERT(!message->status && message->method != SIP_ACK);
	sip_write_response(&text, message, verdict->status, verdict->reason, STR("t"), false);
	FUZZ_ASSERT(!buf_error(&text));
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_flow flow = {.proto = size && data[0] & 1 ? SIP_TCP : SIP_UDP};
	struct sip_message *message;
	struct sip_verdict verdict;
	char *text = malloc(size ? size : 1);
	int ret;

	if (!size || !text) {
		free(text);
		return 0;
	}
	memcpy(text, data + 1, size - 1);
	ret = sip_message_parse(&message, &flow, (struct str){text, size - 1}, &verdict);
	free(text); /* the message has its own */
	FUZZ_ASSERT(ret == 0 || ret == -EBADMSG || (ret == -EINVAL && !message));
	if (message) {
		check_headers(message);
		check_parts(message);
	}
	if (!ret)
		check_good(message);
	else if (message)
		check_refused(message, &verdict);
	sip_message_unref(message);
	return 0;
}
