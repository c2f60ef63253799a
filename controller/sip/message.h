/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A received SIP message: screened, its lines found in place, the parts that every layer needs
 * parsed, and validated (RFC 3261 8.1.1, 8.2, 16.3; RFC 4475 says what to make of odd ones).
 *
 * The scanner is our own: libosip2's parsers allocate each part (an INVITE costs them three times
 * what it costs here), let through what RFC 4475 refuses, and stop at a NUL that it allows. The
 * tests have them as an oracle.
 */
#ifndef SEGUE_SIP_MESSAGE_H
#define SEGUE_SIP_MESSAGE_H

#include "base/buf.h"
#include "sip/transport.h"

#define SIP_HEADERS 64u	       /* lines of headers that a message may have */
#define SIP_MESSAGE_UDP 8192u  /* bytes; longer datagrams are refused */
#define SIP_MESSAGE_MAX 65535u /* on connections */

enum sip_method {
	SIP_UNKNOWN,
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_REGISTER,
	SIP_OPTIONS,
	SIP_PRACK,
	SIP_UPDATE,
	SIP_INFO,
	SIP_MESSAGE,
	SIP_SUBSCRIBE,
	SIP_NOTIFY,
	SIP_PUBLISH,
	SIP_REFER,
	SIP_METHODS
};

struct str sip_method_name(enum sip_method method);
enum sip_method sip_method_of(struct str name); /* SIP_UNKNOWN if it is none of these */

struct sip_header {
	struct str name;  /* in its long form, whatever was written */
	struct str value; /* trimmed; folded lines joined by blanks, in place */
};

/* "Alice" <sip:a@example.net>;tag=x */
struct sip_nameaddr {
	struct str whole;
	struct str display; /* with its quotes */
	struct str uri;	    /* without brackets */
	struct str params;  /* of the header: from the first ';', empty if none */
};

/* All parts point into the text that was parsed. */
struct sip_uri {
	struct str scheme;  /* "sip", "sips", "tel" ... */
	struct str user;    /* as written: escapes are kept */
	struct str host;    /* IPv6 with its brackets */
	uint16_t port;	    /* 0: not given */
	struct str params;  /* from the first ';' after the host */
	struct str headers; /* after '?' */
};

struct sip_via {
	enum sip_proto proto;
	struct str host; /* sent-by */
	uint16_t port;	 /* 0: not given */
	struct str branch;
	bool rport; /* asked for (RFC 3581) */
};

struct sip_message {
	unsigned refs;
	struct sip_flow flow;
	uint64_t arrived_ns;	/* CLOCK_MONOTONIC: of struct sip_arrival */
	enum sip_method method; /* of a response: its CSeq's */
	struct str method_name;
	int status;		/* 0: a request */
	struct str reason;	/* of a response */
	struct str request_uri; /* of a request */
	struct sip_uri uri;	/* of a request, parsed */
	struct str call_id;
	struct sip_nameaddr from, to;
	struct str from_tag, to_tag; /* empty: none */
	uint32_t cseq;
	struct sip_via via;    /* the topmost */
	uint32_t max_forwards; /* 70 where there is none */
	struct str content_type, body;
	struct str raw; /* what came, as edited in place: all the above points into it */
	size_t headers;
	struct sip_header header[]; /* as many as there are; the text stands behind them */
};

/* What is wrong with a request, so that it can be answered (or not: status 0). */
struct sip_verdict {
	int status;	 /* 400, 413, 416, 420, 505 ...; 0: drop it in silence */
	char reason[96]; /* the reason phrase, names what is wrong */
};

/*
 * Screens, parses and validates. *out is set (with one reference) also when a request is refused
 * with a status but can be answered: then -EBADMSG. -EINVAL: not worth an answer, *out is NULL.
 * -ENOMEM. Cost is linear in len, whatever it holds.
 */
int sip_message_parse(struct sip_message **out, const struct sip_flow *flow, struct str data,
		      struct sip_verdict *verdict);
struct sip_message *sip_message_ref(struct sip_message *message);
void sip_message_unref(struct sip_message *message); /* NULL is fine */

/* The index-th header of that name (long form, any case), from 0; STR_NONE (p NULL) when there is
 * none. */
struct str sip_header(const struct sip_message *message, const char *name, size_t index);
bool sip_has_header(const struct sip_message *message, const char *name);
/*
 * Walks the values of a list header (Route, Contact, Supported ...) over lines and commas that
 * stand outside quotes and brackets. *cursor starts at 0. False at the end.
 */
bool sip_header_list(const struct sip_message *message, const char *name, size_t *cursor,
		     struct str *value);
/* Is the token in such a list (Supported, Require, Allow)? Any case. */
bool sip_header_has_token(const struct sip_message *message, const char *name, struct str token);

/* -EINVAL when malformed. "*" is not a name-addr. Accepts an addr-spec without brackets. */
int sip_nameaddr_parse(struct sip_nameaddr *out, struct str text);
int sip_uri_parse(struct sip_uri *out, struct str text);
/* RFC 3261 19.1.4, escapes included. */
bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b);
/*
 * The value of ";name" or ";name=value" in a list of parameters; `value` empty for a bare one,
 * quotes kept. False when it is not there.
 */
bool sip_param(struct str params, const char *name, struct str *value);
/* Text inside quotes, the quotes and escapes gone; others as they are. Into `out`, which may fail.
 */
void sip_unquote(struct buf *out, struct str quoted);
/*
 * Does a telephone number begin with these digits, in the eyes of whoever dials it: with %2B for +,
 * and without what people write between digits (RFC 3966 5.1.1)?
 */
bool sip_number_starts(struct str number, struct str digits);
/* %41 becomes A: for keys of tables only (VO-9). */
void sip_unescape(struct buf *out, struct str escaped);

/* ---- writing ----------------------------------------------------------------------------------
 */

#define SIP_USER_AGENT "Segue"

/* "SIP/2.0 200 OK" and what a response copies (RFC 3261 8.2.6): all Via (received, rport), From, To
 * (with `to_tag` unless the request had one; empty: none), Call-ID, CSeq, and Timestamp on a 100.
 * Record-Route is copied on 101..299 when `record_route`. */
void sip_write_response(struct buf *out, const struct sip_message *request, int status,
			const char *reason, struct str to_tag, bool record_route);
void sip_write_request_line(struct buf *out, struct str method, struct str uri);
void sip_write_header(struct buf *out, const char *name, struct str value);
void sip_write_header_u64(struct buf *out, const char *name, uint64_t value);
/* Content-Type (unless there is no body), Content-Length, the empty line and the body. */
void sip_write_body(struct buf *out, struct str content_type, struct str body);
/* "OK" for 200 ...; a general phrase for the class where it is not known. */
const char *sip_reason(int status);

#endif
