/* SPDX-License-Identifier: BSD-2-Clause */
/* H(a:b:c) in hexadecimal, of one algorithm. */
#ifndef SEGUE_SIP_DIGEST_HASH_H
#define SEGUE_SIP_DIGEST_HASH_H

#include <openssl/evp.h>

#include "sip/digest.h"

struct digest_hash {
	EVP_MD *md; /* NULL: this machine does not have it (MD5 under FIPS) */
	EVP_MD_CTX *context;
};

/* 0 (also when the machine lacks the algorithm) or -ENOMEM. */
int digest_hash_init(struct digest_hash *hash, enum digest_algorithm algorithm);
void digest_hash_free(struct digest_hash *hash);
static inline bool digest_hash_there(const struct digest_hash *hash)
{
	return hash->md;
}

/* The parts with colons between them. 0 or -EIO. */
int digest_hash_of(struct digest_hash *hash, const struct str *part, size_t parts,
		   char hex[DIGEST_HEX_LEN]);
/* What a response proves the password for. qop empty: as RFC 2069 had it, without counts. */
struct digest_proof {
	struct str method, uri, nonce, nc, cnonce, qop;
};
/* RFC 7616 3.4.1. 0 or -EIO. */
int digest_response(struct digest_hash *hash, const char *ha1, const struct digest_proof *proof,
		    char hex[DIGEST_HEX_LEN]);
/* As it stands in "algorithm=". */
struct str digest_algorithm_name(enum digest_algorithm algorithm);
/* An empty name is MD5 (RFC 7616 3.3). False: none of ours. */
bool digest_algorithm_of(struct str name, enum digest_algorithm *out);
void digest_to_hex(const uint8_t *bytes, size_t count, char *hex);

#endif
