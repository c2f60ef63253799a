/* SPDX-License-Identifier: BSD-2-Clause */
/* What registrar.c, identity.c and register.c share. */
#ifndef SEGUE_REGISTRAR_PRIVATE_H
#define SEGUE_REGISTRAR_PRIVATE_H

#include <time.h>

#include "registrar/registrar.h"
#include "registrar/subscriber.h"

struct registrar {
	struct sip_stack *stack;
	struct location *location;
	struct store *store;
	struct log *log;
	struct registrar_config config; /* with domains of its own, lower case */
	struct digest *digest;
	struct subscribers *subscribers;
	registrar_moved_fn *moved;
	void *moved_context;
	registrar_proof_fn *proof;
	void *proof_context;
	/* Kept between requests, so that none allocates: the response, and pieces of it. */
	struct buf text, aor, path, params, unescaped;
	time_t date_at; /* second that `date` is of */
	char date[40];
};

/* "user@domain" of the To of a REGISTER, into registrar->aor. 0, or the status to answer. */
int registrar_target(struct registrar *registrar, const struct sip_message *request);
/* Answers with the reason's own phrase (NULL) or another one; `headers` may be empty. */
void registrar_refuse(struct registrar *registrar, struct sip_server_tx *tx, int status,
		      const char *reason, struct str headers);

#endif
