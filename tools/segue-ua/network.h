/* SPDX-License-Identifier: BSD-2-Clause */
/* One of the networks that the party is on: an address of ours, with sockets for SIP and media. */
#ifndef SEGUE_UA_NETWORK_H
#define SEGUE_UA_NETWORK_H

#include "options.h"
#include "sip/transport.h"

struct event;
struct event_base;

struct ua_traffic {
	uint64_t sent, sent_bytes, failed; /* packets; failed: the socket refused them */
	uint64_t received, received_bytes;
	uint64_t duplicates; /* came by another network before */
	uint64_t refused;    /* neither RTP of the call nor from its peer */
	uint64_t first_sent_us, last_sent_us, first_us, last_us;
};

enum ua_kind { UA_AUDIO, UA_VIDEO, UA_KINDS };

/* Where media of a kind are received, RTCP at the port above. */
struct ua_port {
	struct netaddr at;
	int rtp_fd, rtcp_fd; /* -1: not opened */
	struct event *rtp_readable, *rtcp_readable;
	struct ua_traffic traffic;
	/* Since a move hither began: */
	uint64_t since_first_us, since_packets;
};

struct ua_network {
	char name[UA_NAME_LEN], device[UA_NAME_LEN];
	size_t index;
	struct netaddr sip;   /* where we listen */
	struct netaddr proxy; /* where requests go from here; port 0: as from everywhere */
	struct ua_port port[UA_KINDS];
	bool up;	/* as far as netlink says; true where nobody watches */
	bool abandoned; /* its connections are being ended by us */
};

/* Opens a pair of media ports for each kind. */
int ua_network_open(struct ua_network *network, const struct ua_network_options *options,
		    uint16_t rtp_port, bool video, struct error *err);
/* Listens for SIP by that protocol; `tls` for SIP_TLS. */
int ua_network_listen(struct ua_network *network, struct sip_transport *transport,
		      enum sip_proto proto, uint16_t port, const struct sip_tls_config *tls,
		      struct error *err);
void ua_network_close(struct ua_network *network);

#endif
