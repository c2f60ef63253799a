/* SPDX-License-Identifier: BSD-2-Clause */
/* Readers of the values that only this configuration has. */
#ifndef SEGUE_CONFIG_VALUES_H
#define SEGUE_CONFIG_VALUES_H

#include "config_yaml.h"

config_read_fn config_read_domains;	/* struct config: domains */
config_read_fn config_read_redirects;	/* struct config: redirect */
config_read_fn config_read_listens;	/* struct config: listen */
config_read_fn config_read_tls_others;	/* struct config: tls_other; each by `inner` */
config_read_fn config_read_digests;	/* struct config: digest */
config_read_fn config_read_nameservers; /* struct config: nameserver */
config_read_fn config_read_networks;	/* struct config: ban.allow */
config_read_fn config_read_agents;	/* struct config: ban.agent */
config_read_fn config_read_barred;	/* struct config: barred */
config_read_fn config_read_interfaces;	/* struct config: interface; each by `inner` */
config_read_fn config_read_trunks;	/* struct config: trunk; each by `inner` */
config_read_fn config_read_ports;	/* struct config: first_port */
config_read_fn config_read_dscp;	/* struct config: dscp */
config_read_fn config_read_store;	/* struct config: store */
config_read_fn config_read_http;	/* struct config: http */
config_read_fn config_read_hep;		/* struct config: hep */

config_read_fn config_read_nic;	      /* struct config_interface: name */
config_read_fn config_read_addresses; /* struct config_interface: address */
config_read_fn config_read_prefix;    /* struct config_trunk: source */
config_read_fn config_read_sip_uri;   /* struct config_trunk: uri */

/* Frees what they read, in a configuration that may be half read. */
void config_values_free(struct config *config);

#endif
