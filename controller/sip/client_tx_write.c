// SPDX-License-Identifier: BSD-2-Clause
/* The texts of a client transaction: the request with this hop's lines, its ACK, its CANCEL. */
#include <errno.h>
#include <stdlib.h>

#include "sip/client_tx.h"

#define CRLF STR("\r\n")

static struct str packet(const struct sip_client_tx *tx)
{
	return (struct str){tx->packet, tx->packet_len};
}

int client_tx_write_request(struct sip_client_tx *tx, struct str text)
{
	size_t line = str_index(text, '\n');

	if (line + 1 >= text.n || text.n > SIP_MESSAGE_MAX || !str_index(text, ' ') ||
	    str_index(text, ' ') > line)
		return -EINVAL;
	tx->packet = str_dup(text);
	if (!tx->packet)
		return -ENOMEM;
	tx->packet_len = (uint32_t)text.n;
	tx->hop_at = (uint32_t)line + 1;
	tx->hop_len = 0;
	return 0;
}

struct str client_tx_method(const struct sip_client_tx *tx)
{
	return (struct str){tx->packet, str_index(packet(tx), ' ')};
}

/* RFC 3261 18.1.1 and RFC 3581 3: sent-by is the listener that responses may come to. */
static void write_via(struct buf *out, const struct sip_flow *flow, struct str branch)
{
	buf_add(out, STR("Via: SIP/2.0/"));
	buf_add(out, str_of(sip_proto_name(flow->proto)));
	buf_add_char(out, ' ');
	stack_write_host_port(out, &flow->local);
	buf_add(out, STR(";rport;branch="));
	buf_add(out, branch);
	buf_add(out, CRLF);
}

static int put_hop(struct sip_client_tx *tx, struct str hop)
{
	size_t rest_at = tx->hop_at + tx->hop_len, rest = tx->packet_len - rest_at;
	size_t len = tx->hop_at + hop.n + rest;
	char *whole = len > SIP_MESSAGE_MAX ? NULL : malloc(len + 1);

	if (!whole)
		return len > SIP_MESSAGE_MAX ? -EMSGSIZE : -ENOMEM;
	memcpy(whole, tx->packet, tx->hop_at);
	memcpy(whole + tx->hop_at, hop.p, hop.n);
	memcpy(whole + tx->hop_at + hop.n, tx->packet + rest_at, rest);
	whole[len] = '\0';
	free(tx->packet);
	tx->packet = whole;
	tx->packet_len = (uint32_t)len;
	tx->hop_len = (uint32_t)hop.n;
	return 0;
}

int client_tx_write_hop(struct sip_client_tx *tx, struct str branch, bool contact,
			struct str contact_user)
{
	struct buf *hop = &tx->stack->scratch;

	buf_reset(hop);
	write_via(hop, &tx->flow, branch);
	if (contact) {
		buf_add(hop, STR("Contact: "));
		sip_write_contact(hop, &tx->flow, contact_user);
		buf_add(hop, CRLF);
	}
	return buf_error(hop) ? buf_error(hop) : put_hop(tx, buf_str(hop));
}

struct str client_tx_branch(const struct sip_client_tx *tx)
{
	struct str hop = {tx->packet + tx->hop_at,
			  str_index((struct str){tx->packet + tx->hop_at, tx->hop_len}, '\n')};
	struct str value = STR_NONE;

	while (hop.n && str_split(&hop, '=', &value))
		; /* the branch is the last parameter */
	return str_trim(value);
}

/* ---- requests made from the one that was sent ------------------------------------------------ */

static bool is_header(struct str line, struct str name, char compact)
{
	struct str word = str_trim((struct str){line.p, str_index(line, ':')});

	return str_case_eq(word, name) || (compact && word.n == 1 && (word.p[0] | 32) == compact);
}

static void add_line(struct buf *out, struct str line)
{
	buf_add(out, line);
	buf_add(out, CRLF);
}

static void write_cseq(struct buf *out, struct str line, struct str method)
{
	struct str value = {line.p + str_index(line, ':') + 1, 0};

	value.n = (size_t)(line.p + line.n - value.p);
	value = str_trim(value);
	buf_add(out, STR("CSeq: "));
	buf_add(out, (struct str){value.p, str_index(value, ' ')});
	buf_add_char(out, ' ');
	add_line(out, method);
}

/*
 * The lines that such a request has in common with its INVITE: the Via of this hop only, Route,
 * From, Call-ID, the number of CSeq, Max-Forwards; To unless another is given.
 */
static void write_from_request(struct buf *out, const struct sip_client_tx *tx, struct str method,
			       struct str to)
{
	struct str rest = packet(tx), line;
	size_t method_len = client_tx_method(tx).n;
	bool first = true, via = true;

	while (str_split(&rest, '\n', &line) && (line = str_trim(line)).n) {
		if (first) {
			buf_add(out, method);
			add_line(out, (struct str){line.p + method_len, line.n - method_len});
		} else if (is_header(line, STR("CSeq"), 0)) {
			write_cseq(out, line, method);
		} else if (is_header(line, STR("To"), 't') && to.p) {
			buf_add(out, STR("To: "));
			add_line(out, to);
		} else if ((via && is_header(line, STR("Via"), 0)) ||
			   is_header(line, STR("Route"), 0) || is_header(line, STR("From"), 'f') ||
			   is_header(line, STR("To"), 't') ||
			   is_header(line, STR("Call-ID"), 'i') ||
			   is_header(line, STR("Max-Forwards"), 0)) {
			add_line(out, line);
			via = via && !is_header(line, STR("Via"), 0);
		}
		first = false;
	}
}

void client_tx_write_ack(struct buf *out, const struct sip_client_tx *tx,
			 const struct sip_message *response)
{
	struct str to = sip_header(response, "To", 0);

	write_from_request(out, tx, STR("ACK"), to);
	sip_write_body(out, STR_NONE, STR_NONE);
}

void client_tx_write_cancel(struct buf *out, const struct sip_client_tx *tx)
{
	write_from_request(out, tx, STR("CANCEL"), STR_NONE);
	if (tx->reason && tx->reason[0])
		add_line(out, str_of(tx->reason));
	sip_write_body(out, STR_NONE, STR_NONE);
}
