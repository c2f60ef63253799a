/* SPDX-License-Identifier: BSD-2-Clause */
/* The two sides of TLS of one listener: as server, and as client of others. Private to sip/. */
#ifndef SEGUE_SIP_TLS_H
#define SEGUE_SIP_TLS_H

#include <openssl/types.h>

#include "sip/transport.h"

struct tls;

/* -EINVAL: the files are not there or do not fit; the text says which. -ENOMEM. */
int tls_alloc(struct tls **out, const struct sip_tls_config *config, struct error *err);
void tls_free(struct tls *tls); /* NULL is fine; connections of it go on */

/* Is there a certificate of ours that a client could be shown? */
bool tls_accepts(const struct tls *tls);
/* When the first of them expires, in seconds since 1970 (UTC); INT64_MAX: there is none. */
int64_t tls_not_after(const struct tls *tls);
/* For a connection; NULL: out of memory. */
SSL *tls_accept(struct tls *tls);
/* The peer's certificate has to be good for `name`, or for its address where that is empty. */
SSL *tls_connect(struct tls *tls, struct str name, const struct netaddr *remote);
/*
 * OpenSSL's word for its error code, and ours: -ENOMEM, or -EPROTO. Clears what this thread has
 * collected of errors.
 */
int tls_error_text(unsigned long code, char *out, size_t size);

#endif
