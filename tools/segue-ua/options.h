/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command line asks for. */
#ifndef SEGUE_UA_OPTIONS_H
#define SEGUE_UA_OPTIONS_H

#include "base/error.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "sip/transport.h"

#define UA_NETWORKS 4u
#define UA_NAME_LEN 16u /* of a network, with the NUL */

enum ua_mode { UA_REGISTER, UA_CALL, UA_ANSWER };

enum ua_scheme {
	UA_HANDOVER,   /* INVITE with Handover from the new address (HH-10) */
	UA_REPLACES,   /* INVITE with Replaces (SG-41) */
	UA_REINVITE,   /* re-INVITE in the dialog that there is (HH-17) */
	UA_BACKUP,     /* a standby leg, activated by re-INVITE (PH-7, PH-9) */
	UA_REREGISTER, /* REGISTER, then re-INVITE (VO-2) */
};

struct ua_network_options {
	char name[UA_NAME_LEN];
	char device[UA_NAME_LEN]; /* "": by the routes */
	struct netaddr address;	  /* of ours; no port */
	struct netaddr proxy;	  /* where requests go from there; port 0: as from everywhere */
};

struct ua_options {
	enum ua_mode mode;
	const char *callee; /* UA_CALL: a URI */
	struct ua_network_options network[UA_NETWORKS];
	size_t networks;
	const char *aor;  /* "sip:alice@example.net"; NULL: nobody in particular, no registration */
	const char *user; /* of the credentials; NULL: that of the AOR */
	char *password;	  /* owned; NULL: none */
	const char *proxy;     /* "host[:port]" or a URI; NULL: found by the AOR's domain */
	bool transport_chosen; /* else what the URI or DNS says */
	enum sip_proto transport;
	const char *tls_ca; /* file of authorities; NULL: the system's */
	const char
		*tls_name;  /* what the proxy's certificate has to be good for; NULL: its domain */
	bool tls_unchecked; /* it need not be good for anything */
	struct netaddr *nameserver;  /* owned; NULL: the system's */
	uint16_t sip_port, rtp_port; /* 0: any */
	unsigned expires;	     /* of registrations, seconds; 0: do not register */
	enum ua_scheme scheme;
	const char *backup;   /* the network of the standby leg */
	bool parallel;	      /* UA_REREGISTER: both at once */
	bool follow;	      /* moves by itself when a link goes */
	bool manual;	      /* the old leg is released by a command only */
	unsigned good;	      /* packets on the new leg before the old one is released */
	bool accept_handover; /* as far end: supports the extension itself (HH-5) */
	unsigned legs;	      /* likewise: at most so many of a call, 420 for more (HH-9) */
	unsigned answer_ms;   /* rings so long */
	int refuse;	      /* with that status instead; 0: not */
	bool early;	      /* answers in the 183, and plays from there on */
	bool late;	      /* INVITE without an offer */
	bool video;	      /* a second stream beside the voice */
	bool a_law;	      /* PCMA is preferred */
	const char *play, *record, *statistics, *control; /* files */
	const char *packets, *video_packets;
	unsigned tone_hz;
	uint32_t ssrc;	   /* 0: random */
	int sequence;	   /* of the first packet; -1: random */
	unsigned duration; /* of a call, seconds; 0: until told */
	unsigned t1_ms;	   /* 0: 500 */
	bool json_events;
	enum log_level level;
};

/* -EINVAL says what is wrong; -ECANCELED: help was asked for and printed. */
int ua_options_parse(struct ua_options *out, int argc, char **argv, struct error *err);
void ua_options_free(struct ua_options *options);
extern const char ua_usage[];
const char *ua_scheme_name(enum ua_scheme scheme);

#endif
