/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Digest authentication (RFC 3261 22, RFC 8760, RFC 7616): SHA-256 and MD5, qop=auth. Nonces carry
 * their time and a signature, so that one stays good when its user's address changes and when the
 * controller starts again (the secret is in the store); nonce counts that were used are remembered,
 * bounded.
 */
#ifndef SEGUE_SIP_DIGEST_H
#define SEGUE_SIP_DIGEST_H

#include "base/hash.h"
#include "sip/message.h"

enum digest_algorithm { DIGEST_SHA256, DIGEST_MD5, DIGEST_ALGORITHMS };

#define DIGEST_HEX_LEN 65 /* of SHA-256, with the NUL */
#define DIGEST_SECRET_LEN 32

/* H(user:realm:password) in hex, lower case, for each algorithm: all that we keep of a password. */
struct digest_ha1 {
	char hex[DIGEST_ALGORITHMS][DIGEST_HEX_LEN];
};

struct digest_config {
	char *realm;
	enum digest_algorithm order[DIGEST_ALGORITHMS]; /* of challenges: the first is preferred */
	size_t algorithms;	/* 0: SHA-256, then MD5. What OpenSSL lacks (FIPS) is left out */
	unsigned nonce_seconds; /* 0: 300 */
	uint8_t secret[DIGEST_SECRET_LEN];
	size_t nonces; /* how many have their counts remembered; 0: 100 000 */
};

struct digest;

enum digest_outcome {
	DIGEST_GOOD,
	DIGEST_MISSING,	  /* no credentials for our realm: challenge */
	DIGEST_STALE,	  /* right, but the nonce is old, not ours, or its counts are forgotten:
			     challenge with stale=true */
	DIGEST_WRONG,	  /* wrong password, unknown user, or a nonce count again: challenge */
	DIGEST_MALFORMED, /* 400; also without qop=auth and a nonce count */
};

/* Looks the user up in our realm; false: unknown. */
typedef bool digest_lookup_fn(void *context, struct str user, struct digest_ha1 *out);

int digest_alloc(struct digest **out, const struct digest_config *config, struct error *err);
void digest_free(struct digest *digest);

/*
 * Checks the Authorization (or Proxy-Authorization) of the request. `user` is set for DIGEST_GOOD
 * (points into the request). An unknown user costs and answers the same as a wrong password.
 */
enum digest_outcome digest_check(struct digest *digest, const struct sip_message *request,
				 bool proxy, digest_lookup_fn *lookup, void *context,
				 struct str *user);
/* WWW-Authenticate (or Proxy-Authenticate) lines, one for each algorithm in order. */
void digest_challenge(struct digest *digest, struct buf *out, bool proxy, bool stale);

/* Leaves empty what OpenSSL lacks: nobody gets in with an empty one. 0, -ENOMEM, -EIO. */
int digest_ha1(struct digest_ha1 *out, struct str user, struct str realm, struct str password);

/* ---- the client's side (segue-ua, trunks that challenge us) -------------------------------------
 */

struct digest_credentials {
	const char *user, *password;
};
/*
 * Adds the Authorization (Proxy-Authorization on 407) that answers the challenge of a 401 or 407,
 * for the first algorithm there that we know. `count` is the nonce count to use, from 1.
 * -EOPNOTSUPP: none fits.
 */
int digest_answer(struct buf *out, const struct sip_message *challenge,
		  const struct digest_credentials *credentials, struct str method, struct str uri,
		  uint32_t count);

#endif
