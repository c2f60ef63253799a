/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user agent: its networks, one registration or more, one call at a time, and what carries
 * them. Everything hangs from here; nothing is global.
 */
#ifndef SEGUE_UA_UA_H
#define SEGUE_UA_UA_H

#include <jansson.h>

#include "network.h"
#include "options.h"
#include "sip/dialog.h"
#include "sip/digest.h"
#include "sip/resolve.h"

#define UA_ALLOW "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO, MESSAGE"

struct event;
struct event_base;
struct ua_call;
struct ua_media;
struct ua_registration;
struct ua_command;
struct ua_follow;

struct ua {
	const struct ua_options *options;
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	struct sip_stack *stack;
	struct sip_resolver *resolver;
	struct sip_query *query;
	struct sip_targets proxy; /* count 0: none; requests go to where their URI says */
	enum sip_proto proto;	  /* that we speak */
	void (*on_way)(void *context, int error);
	struct ua_network network[UA_NETWORKS];
	size_t networks;
	struct ua_media *media[UA_KINDS];		   /* NULL: that kind is not wanted */
	struct ua_registration *registration[UA_NETWORKS]; /* by network; NULL: none */
	struct ua_call *call;				   /* NULL: none */
	struct ua_command *command;
	struct ua_follow *follow;
	/* The last challenge, answered ahead in the next request (HH-4). */
	struct sip_message *challenge;
	uint32_t nonce_count;
	char instance[48];     /* "urn:uuid:...", one for this run */
	char user[64];	       /* of our Contact */
	json_t *moves, *calls; /* for the statistics */
	struct event *signals[2];
	struct timer ending;
	bool quitting, failed;
};

/* Opens everything and starts; the loop is the caller's. */
int ua_alloc(struct ua **out, const struct ua_options *options, struct error *err);
void ua_free(struct ua *ua);
/* 0, or 1 when what was asked for failed. */
int ua_run(struct ua *ua);
/* Hangs up, deregisters, and ends the loop; at the latest after three seconds. */
void ua_quit(struct ua *ua);
/* Something ended: when quitting and nothing is left, the loop ends. */
void ua_check_end(struct ua *ua);

/* NULL: none of that name. By address as well. */
struct ua_network *ua_network_find(struct ua *ua, struct str name);
/* Microseconds of CLOCK_MONOTONIC. */
uint64_t ua_now_us(void);
/* Answers a request that makes no dialog. `headers`: whole lines. */
void ua_refuse(struct ua *ua, struct sip_server_tx *tx, int status, struct str headers);
/* A line on standard output: `name`, the time, and `more` (an object, taken over; may be NULL). */
void ua_event(struct ua *ua, const char *name, json_t *more);

#endif
