/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nonces: the time and a random number, signed. Nothing is kept of one that was only given out; of
 * those that a user has proved to know, the counts that were used.
 */
#ifndef SEGUE_SIP_DIGEST_NONCE_H
#define SEGUE_SIP_DIGEST_NONCE_H

#include "base/list.h"
#include "sip/digest.h"

#define NONCE_LEN 57u /* 4 bytes of time, 8 random, 16 of signature in hexadecimal; the NUL */

struct nonces;

/* `most` nonces have their counts remembered. 0, -ENOMEM, -EIO. */
int nonces_alloc(struct nonces **out, const uint8_t secret[DIGEST_SECRET_LEN], size_t most,
		 unsigned seconds);
void nonces_free(struct nonces *nonces);
/* `now`: seconds of the real-time clock, since a nonce outlives the process. 0 or -EIO. */
int nonce_make(struct nonces *nonces, int64_t now, char out[NONCE_LEN]);
/* Is it ours and young enough? */
bool nonce_is_good(struct nonces *nonces, int64_t now, struct str nonce);
/*
 * Uses a count of a good nonce: 0; -EEXIST when it was used before; -ESTALE when that is no longer
 * known; -ENOMEM.
 */
int nonce_use(struct nonces *nonces, struct str nonce, uint32_t count);
size_t nonces_count(const struct nonces *nonces);

#endif
