/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session description that is read and edited, not rebuilt (RFC 8866): the lines that a relay has
 * to change are found in place, everything else leaves byte for byte as it came.
 */
#ifndef SEGUE_SDP_H
#define SEGUE_SDP_H

#include "base/buf.h"
#include "base/error.h"
#include "base/netaddr.h"

#define SDP_MEDIA 16u	    /* m= lines; more are refused */
#define SDP_FORMATS 32u	    /* formats of one m= line that are looked at */
#define SDP_TEXT_MAX 16384u /* bytes */

enum sdp_direction { /* bits: what the describer does */
		     SDP_INACTIVE = 0,
		     SDP_SENDONLY = 1,
		     SDP_RECVONLY = 2,
		     SDP_SENDRECV = 3,
};

struct sdp_media {
	struct str lines; /* from "m=" to the end of the section */
	struct str type;  /* "audio", "video" ... */
	uint16_t port;	  /* 0: refused, or switched off */
	struct str proto; /* "RTP/AVP" ... */
	bool rtp;    /* its transport is one that the relay carries: RTP/AVP, AVPF, SAVP, SAVPF,
			UDP/TLS/RTP/... */
	bool opaque; /* UDP, and no RTP: udptl (T.38), UDP/BFCP, ...; the relay carries it as it is
		      */
	struct str format[SDP_FORMATS];
	size_t formats;
	bool has_address; /* c=, here or of the session, with an address of the network "IN" */
	struct netaddr rtp_at,
		rtcp_at;   /* where the describer receives; rtcp: a=rtcp, else port + 1 */
	bool host_is_name; /* c= holds a name, not an address: has_address is false */
	bool held_by_zero; /* c=0.0.0.0: the old way to hold (RFC 2543); the direction says it, and
			      rtp_at is all zeros */
	bool rtcp_mux;
	enum sdp_direction direction; /* here, else of the session, else sendrecv */
	uint32_t clock_hz;  /* of the first format: rtpmap, else the static table of RFC 3551; 0:
			       unknown */
	bool rtcp_explicit; /* a=rtcp was there */
};

struct sdp {
	struct str text;
	struct str session;			/* the lines before the first m= */
	struct str origin;			/* value of o= */
	struct str session_id, session_version; /* of o= */
	size_t medias;
	struct sdp_media media[SDP_MEDIA];
};

/*
 * Reads it; `text` must outlive *out. Lenient in what does not concern us (no t=, lines out of
 * order, bare LF, no final line end, unknown lines), strict in what does. -EINVAL names the line.
 */
int sdp_parse(struct sdp *out, struct str text, struct error *err);

struct sdp_media_edit {
	/*
	 * Leave the section as it is, byte for byte (not RTP): its media go past the relay, and
	 * where it relied on the session's c= it takes the old one along. Of a line with port 0
	 * only the addresses go.
	 */
	bool keep;
	bool refuse;	    /* port 0; a line that has it already keeps it, whatever is said here */
	struct netaddr rtp; /* ours: c= and the port of m= */
	uint16_t rtcp_port; /* a=rtcp is corrected, or added when this is not rtp.port + 1; 0: with
			       mux, a=rtcp then says the port of m= */
	enum sdp_direction direction;
};

struct sdp_edit {
	struct str username;	      /* of o=: "-" */
	uint64_t session_id, version; /* of o=: ours, the version counted by us (SG-30) */
	struct netaddr origin;	      /* address of o= and of the session's c= */
	struct sdp_media_edit media[SDP_MEDIA];
};

/*
 * Writes the edited description behind what is in *out: o=, c=, m= ports, a=rtcp, direction; ICE
 * candidates and what would tell the other side's address (SG-53) are left out. Everything else as
 * it was (a last line without its end gets one). Every c= becomes one of the family of the edit.
 * -ENOMEM, -EMSGSIZE.
 */
int sdp_write(const struct sdp *sdp, const struct sdp_edit *edit, struct buf *out);

/* Do both say the same but for addresses, ports and o=? Then a move needs nobody else's consent
 * (SG-40). */
bool sdp_same_but_address(const struct sdp *a, const struct sdp *b);
/* Is a format of that name (PT, or encoding name by rtpmap, any case) in the media? */
bool sdp_has_encoding(const struct sdp *sdp, size_t media, struct str encoding);
/* "audio PCMU 192.0.2.1:4000, video off": the first lines, for whoever reads a trace. Any text. */
void sdp_brief(struct str text, struct buf *out);
const char *sdp_direction_name(enum sdp_direction direction); /* "sendrecv" */
/* What the other side does when this side does `direction`. */
enum sdp_direction sdp_direction_reversed(enum sdp_direction direction);

#endif
