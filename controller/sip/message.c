// SPDX-License-Identifier: BSD-2-Clause
/*
 * From a datagram to a message: the lines (screen.c), then each header that a layer above relies
 * on. The first thing that is wrong makes the verdict; what was found until then is kept, for the
 * answer.
 */
#include "sip/message.h"

#include <errno.h>
#include <stdlib.h>

#include "sip/message_check.h"

static const struct str methods[SIP_METHODS] = {
	[SIP_UNKNOWN] = STR(""),	[SIP_INVITE] = STR("INVITE"),
	[SIP_ACK] = STR("ACK"),		[SIP_BYE] = STR("BYE"),
	[SIP_CANCEL] = STR("CANCEL"),	[SIP_REGISTER] = STR("REGISTER"),
	[SIP_OPTIONS] = STR("OPTIONS"), [SIP_PRACK] = STR("PRACK"),
	[SIP_UPDATE] = STR("UPDATE"),	[SIP_INFO] = STR("INFO"),
	[SIP_MESSAGE] = STR("MESSAGE"), [SIP_SUBSCRIBE] = STR("SUBSCRIBE"),
	[SIP_NOTIFY] = STR("NOTIFY"),	[SIP_PUBLISH] = STR("PUBLISH"),
	[SIP_REFER] = STR("REFER"),
};

struct str sip_method_name(enum sip_method method)
{
	return methods[method];
}

enum sip_method sip_method_of(struct str name)
{
	for (unsigned i = SIP_UNKNOWN + 1; i < SIP_METHODS; i++) {
		if (str_eq(methods[i], name)) /* case counts: RFC 3261 7.1 */
			return (enum sip_method)i;
	}
	return SIP_UNKNOWN;
}

/* One block: the message, its headers, its text with a NUL behind it. */
static struct sip_message *message_new(const struct sip_flow *flow, struct str data, size_t headers,
				       char **text)
{
	size_t room = headers * sizeof(struct sip_header);
	struct sip_message *message = malloc(sizeof(*message) + room + data.n + 1);

	if (!message)
		return NULL;
	*message = (struct sip_message){.refs = 1, .flow = *flow, .max_forwards = 70};
	*text = (char *)message + sizeof(*message) + room;
	if (data.n)
		memcpy(*text, data.p, data.n);
	(*text)[data.n] = '\0';
	message->raw = (struct str){*text, data.n};
	return message;
}

/* May it be answered? ACK never is (RFC 3261 17), a response neither; without a Via nobody would
 * know. */
static bool can_be_answered(const struct sip_message *message)
{
	return !message->status && message->method != SIP_ACK && message->via.host.n;
}

int sip_message_parse(struct sip_message **out, const struct sip_flow *flow, struct str data,
		      struct sip_verdict *verdict)
{
	struct screen screen = {.room = screen_count(data)};
	struct sip_message *message;
	char *text;
	int ret;

	*out = NULL;
	*verdict = (struct sip_verdict){0};
	message = message_new(flow, data, screen.room, &text);
	if (!message)
		return -ENOMEM;
	screen.header = message->header;
	ret = screen_lines(&screen, text, data.n);
	message->headers = screen.headers;
	if (!ret)
		ret = message_check(message, &screen, verdict);
	if (ret == -EBADMSG && !can_be_answered(message))
		ret = -EINVAL;
	if (ret == -EINVAL) {
		verdict->status = 0;
		sip_message_unref(message);
		return ret;
	}
	*out = message;
	return ret;
}

struct sip_message *sip_message_ref(struct sip_message *message)
{
	message->refs++;
	return message;
}

void sip_message_unref(struct sip_message *message)
{
	if (message && !--message->refs)
		free(message);
}
