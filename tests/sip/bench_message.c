// SPDX-License-Identifier: BSD-2-Clause
/*
 * Processor time of reading an ordinary INVITE, of writing a response to it, and of the slowest
 * datagrams that one can think of, a byte: "name value unit", a line each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sip/message.h"

static const char invite[] =
	"INVITE sip:bob@biloxi.example.com SIP/2.0\r\n"
	"Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9a1;rport\r\n"
	"Max-Forwards: 70\r\n"
	"From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
	"To: \"Bob\" <sip:bob@biloxi.example.com>\r\n"
	"Call-ID: 3848276298220188511@atlanta.example.com\r\n"
	"CSeq: 2 INVITE\r\n"
	"Contact: <sip:alice@192.0.2.101:5060;transport=udp>\r\n"
	"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, UPDATE\r\n"
	"Supported: replaces, timer, 100rel\r\n"
	"User-Agent: Softphone/4.2.1\r\n"
	"Content-Type: application/sdp\r\n"
	"Content-Length: 150\r\n"
	"\r\n"
	"v=0\r\n"
	"o=alice 2890844526 2890844526 IN IP4 192.0.2.101\r\n"
	"s=-\r\n"
	"c=IN IP4 192.0.2.101\r\n"
	"t=0 0\r\n"
	"m=audio 49172 RTP/AVP 0 8\r\n"
	"a=rtpmap:0 PCMU/8000\r\n"
	"a=sendrecv\r\n";

#define TIMES 200000u

static double processor_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double parse_ns(const struct sip_flow *flow, struct str data, unsigned times)
{
	double begin = processor_ns();

	for (unsigned i = 0; i < times; i++) {
		struct sip_message *message;
		struct sip_verdict verdict;

		sip_message_parse(&message, flow, data, &verdict);
		sip_message_unref(message);
	}
	return (processor_ns() - begin) / times;
}

static double response_ns(const struct sip_message *request, unsigned times)
{
	struct buf out = BUF_EMPTY;
	double begin = processor_ns();

	for (unsigned i = 0; i < times; i++) {
		buf_reset(&out);
		sip_write_response(&out, request, 180, NULL, STR("7a8b9c"), true);
		sip_write_body(&out, STR_NONE, STR_NONE);
	}
	buf_free(&out);
	return (processor_ns() - begin) / times;
}

/* 64 kB of one pattern behind an INVITE's first lines. */
static void slow(const struct sip_flow *flow, const char *name, const char *before,
		 const char *pattern)
{
	struct buf buf = BUF_EMPTY;
	struct str head = {invite, (size_t)(strstr(invite, "Allow:") - invite)};

	buf_add(&buf, head);
	buf_add(&buf, str_of(before));
	while (buf.len + strlen(pattern) + 4 < SIP_MESSAGE_MAX)
		buf_add(&buf, str_of(pattern));
	buf_add(&buf, STR("\r\n\r\n"));
	printf("sip.parse.%s %.2f ns/byte\n", name,
	       parse_ns(flow, buf_str(&buf), 200) / (double)buf.len);
	buf_free(&buf);
}

int main(void)
{
	struct sip_flow flow = {.proto = SIP_TCP};
	const struct str data = {invite, sizeof(invite) - 1};
	struct sip_message *message;
	struct sip_verdict verdict;
	double ns;

	if (netaddr_parse(&flow.remote, STR("192.0.2.101:5060")) ||
	    sip_message_parse(&message, &flow, data, &verdict)) {
		fprintf(stderr, "the INVITE is refused: %s\n", verdict.reason);
		return 1;
	}
	parse_ns(&flow, data, TIMES / 10);
	ns = parse_ns(&flow, data, TIMES);
	printf("sip.parse.invite %.0f ns (%zu bytes, %.2f ns/byte)\n", ns, data.n,
	       ns / (double)data.n);
	printf("sip.write.response %.0f ns\n", response_ns(message, TIMES));
	sip_message_unref(message);
	slow(&flow, "headers", "a:b", "\r\na:b");
	slow(&flow, "parameters", "Contact: <sip:a@b>", ";a=b");
	slow(&flow, "uri_parameters", "Contact: <sip:a@b", ";a");
	slow(&flow, "vias", "Via: SIP/2.0/UDP a", ",SIP/2.0/UDP a");
	slow(&flow, "quotes", "Contact: ", "\\\"");
	slow(&flow, "folds", "Subject: a", "\r\n ");
	slow(&flow, "blanks", "Contact: ", " ");
	slow(&flow, "contacts", "Contact: <sip:a@b>", ",<sip:a@b>");
	slow(&flow, "escapes", "Contact: <sip:", "%41");
	slow(&flow, "controls", "Subject: \"", "\\\001");
	return 0;
}
