/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates that are made here. */
#ifndef SEGUE_TESTS_TLS_RIG_H
#define SEGUE_TESTS_TLS_RIG_H

#include <openssl/x509.h>

/* Signed by `issuer`, or by itself; `names` NULL: an authority's. */
X509 *tls_rig_certificate(const char *name, const char *names, EVP_PKEY *key, X509 *issuer,
			  EVP_PKEY *issuer_key);
void tls_rig_write(const char *file, X509 *certificate);
void tls_rig_write_key(const char *file, EVP_PKEY *key);

#endif
