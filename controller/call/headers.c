// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which headers cross from one leg to the other (SG-53): what concerns the parties. What concerns
 * the way (Via, Route, Contact ...), the dialog or the hop's extensions is each leg's own.
 */
#include "call/internal.h"

static const struct str passed[] = {
	/* By length, so that most are told apart by one comparison. */
	STR("Date"),
	STR("Event"),
	STR("Accept"),
	STR("Expires"),
	STR("Reason"),
	STR("Subject"),
	STR("Warning"),
	STR("Privacy"),
	STR("Priority"),
	STR("Call-Info"),
	STR("Reply-To"),
	STR("SIP-ETag"),
	STR("Diversion"),
	STR("Recv-Info"),
	STR("Alert-Info"),
	STR("Error-Info"),
	STR("In-Reply-To"),
	STR("Min-Expires"),
	STR("Answer-Mode"),
	STR("Referred-By"),
	STR("Retry-After"),
	STR("Allow-Events"),
	STR("Info-Package"),
	STR("MIME-Version"),
	STR("Organization"),
	STR("SIP-If-Match"),
	STR("History-Info"),
	STR("User-to-User"),
	STR("P-Early-Media"),
	STR("Accept-Language"),
	STR("Accept-Encoding"),
	STR("Content-Encoding"),
	STR("Content-Language"),
	STR("Resource-Priority"),
	STR("Subscription-State"),
	STR("Content-Disposition"),
};

static bool is_passed(struct str name)
{
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if (passed[i].n == name.n && str_case_eq(passed[i], name))
			return true;
	/* What users have agreed among themselves. */
	return name.n > 2 && (name.p[0] | 0x20) == 'x' && name.p[1] == '-';
}

static bool has_body(const struct sip_message *message)
{
	return message->body.n != 0;
}

void headers_pass(const struct sip_message *message, struct buf *out)
{
	for (size_t i = 0; i < message->headers; i++) {
		const struct sip_header *header = &message->header[i];

		if (!is_passed(header->name))
			continue;
		if (str_case_starts(header->name, STR("Content-")) && !has_body(message))
			continue;
		buf_add(out, header->name);
		buf_add(out, STR(": "));
		buf_add(out, header->value);
		buf_add(out, STR("\r\n"));
	}
}

/*
 * What a trunk asserts is passed on, what a user says of itself is not: it is replaced by what it
 * proved. Towards a callee an identity whose privacy was asked for is kept back (RFC 3323, 3325).
 */
void headers_identity(const struct leg *to, const struct sip_message *invite, struct buf *out)
{
	const struct leg *caller = to->call->caller;
	struct str asserted = sip_header(invite, "P-Asserted-Identity", 0);
	bool private = sip_has_header(invite, "Privacy") &&
		       !sip_header_has_token(invite, "Privacy", STR("none"));

	if (private && !to->trunk)
		return;
	if (caller->trunk && asserted.p) {
		sip_write_header(out, "P-Asserted-Identity", asserted);
	} else if (caller->user) {
		buf_add(out, STR("P-Asserted-Identity: <sip:"));
		buf_add(out, str_of(caller->user));
		buf_add(out, STR(">\r\n"));
	}
}

void headers_allow(struct buf *out)
{
	buf_add(out, STR("Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, MESSAGE, "
			 "SUBSCRIBE, NOTIFY, PUBLISH, REFER, REGISTER\r\n"));
}

void headers_supported(struct buf *out, bool reliable)
{
	buf_add(out, reliable ? STR("Supported: 100rel, timer, replaces, handover\r\n")
			      : STR("Supported: timer, replaces, handover\r\n"));
}

bool headers_knows_option(struct str tag)
{
	static const struct str known[] = {STR("100rel"),   STR("timer"),    STR("path"),
					   STR("handover"), STR("replaces"), STR("norefersub")};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_case_eq(known[i], tag))
			return true;
	return false;
}

struct str headers_reason(const struct sip_message *message)
{
	struct str reason = sip_header(message, "Reason", 0);

	return reason.p ? reason : STR_NONE;
}
