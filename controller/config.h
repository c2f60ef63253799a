/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration file: YAML, every error with line and column, unknown keys refused. */
#ifndef SEGUE_CONFIG_H
#define SEGUE_CONFIG_H

#include "base/error.h"
#include "base/netaddr.h"
#include "sip/digest.h"

struct config_listen {
	enum sip_proto proto;
	struct netaddr at;
};

enum config_attach {
	CONFIG_ATTACH_AUTO,
	CONFIG_ATTACH_NATIVE,
	CONFIG_ATTACH_GENERIC,
	CONFIG_ATTACH_EXTERNAL
};

struct config_interface {
	char *name;
	struct netaddr *address; /* media addresses on it: the first of each family is used */
	size_t addresses;
	enum config_attach attach;
};

struct config_trunk { /* a peer whose requests need no authentication (SG-26, VO-11) */
	char *name;
	struct netaddr source;
	unsigned prefix;    /* bits */
	char *uri;	    /* where calls to it go; NULL: none */
	char *prefix_match; /* request URIs whose user starts with it go there; NULL: none */
	unsigned most;	    /* legs at once, from and to it; 0: no limit */
};

struct config_network {
	struct netaddr at;
	unsigned bits; /* of 32 or 128 */
};

struct config_ban {	   /* what sources are banned for, and how long */
	unsigned offences; /* so many within `window` are too many; 0: none are */
	unsigned window;   /* s */
	unsigned time;	   /* s */
	unsigned udp_time; /* s, for what came over UDP, whose sources can be forged; 0: not at all
			    */
	struct config_network *allow;
	size_t allows;
	char **agent; /* User-Agents that are banned at once begin with one of these */
	size_t agents;
};

enum config_anchor { CONFIG_ANCHOR_ALWAYS, CONFIG_ANCHOR_AUTO };
enum config_page { CONFIG_PAGE_LOCAL, CONFIG_PAGE_ANY, CONFIG_PAGE_NONE };
enum config_probe { CONFIG_PROBE_REQUIRE, CONFIG_PROBE_SUPPORTED };

struct config {
	char **domains;
	size_t domain_count;
	char **redirect; /* of these domains: others are told where their users are (SG-20) */
	size_t redirects;
	struct config_listen *listen;
	size_t listens;
	char *tls_certificate, *tls_key, *tls_ca;
	struct sip_tls_pair *tls_other; /* for other names than the certificate above has */
	size_t tls_others;
	bool tls_require_client;
	enum digest_algorithm digest[DIGEST_ALGORITHMS];
	size_t digests;
	unsigned nonce_seconds;
	bool third_party_registration;
	unsigned min_expires, max_expires, default_expires; /* s */
	unsigned udp_max;				    /* bytes of a request; 0: all by UDP */
	unsigned requests_per_second, burst;		    /* of one source: the token bucket */
	unsigned strangers_per_second; /* of all that are not known together; 0: no limit */
	struct config_ban ban;
	struct netaddr *nameserver;
	size_t nameservers;
	struct config_trunk *trunk;
	size_t trunks;

	struct config_interface *interface;
	size_t interfaces;
	uint16_t first_port, last_port;
	uint32_t stream_capacity; /* 0: the relay's default */
	uint8_t dscp;		  /* 0..63; 255: keep (SG_DSCP_KEEP) */
	bool symmetric;		  /* learn the source of parties behind NAT */

	char *store;			  /* "sqlite:/var/lib/segue/segue.db" */
	char *cdr_file;			  /* NULL: none */
	unsigned cdr_megabytes, cdr_days; /* 0: no limit */
	char *control;			  /* path of the control socket */
	char *http;			  /* "127.0.0.1:9810", or NULL */
	enum config_page page;
	struct netaddr hep; /* port 0: no copies */
	unsigned hep_agent;

	unsigned handover_window_ms;
	unsigned handover_silence_ms; /* 0: not looked at */
	unsigned handover_most;	      /* that run at once; 0: no limit */
	bool follow_register;	      /* follow: register */
	enum config_anchor handover_anchor;
	enum config_probe handover_probe; /* HH-8 */
	unsigned session_expires, min_se; /* s: RFC 4028; 0: no session timers */
	unsigned max_duration;		  /* s; 0: none */
	unsigned media_timeout;		  /* s without a packet from either side; 0: none */
	unsigned max_calls;
	unsigned subscriber_most; /* calls that one subscriber began; 0: no limit */
	char **barred;		  /* numbers that begin with one of these are called by nobody */
	size_t barreds;
	bool foreign; /* subscribers may call other domains than ours and the trunks' */
	enum log_level log_level;
};

/* Reads and checks the file. On failure *out is untouched and err names file, line, column, key and
 * value. */
int config_load(struct config **out, const char *file, struct error *err);
void config_free(struct config *config);

/* Tells of everything that is wrong with the file, a sentence at a time. 0 when nothing is. */
typedef void config_error_fn(void *context, const char *sentence);
int config_examine(const char *file, config_error_fn *fn, void *context);

/* Every key that there is, in the order of the tables: "sip.listen", what may stand there, what it
 * is where the key is missing ("" none, "(required)"), and a sentence. */
typedef void config_key_fn(void *context, const char *path, const char *value, const char *preset,
			   const char *help);
void config_keys(config_key_fn *fn, void *context);

#endif
