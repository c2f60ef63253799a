// SPDX-License-Identifier: BSD-2-Clause
#include "sip/digest_hash.h"

#include <errno.h>
#include <openssl/err.h>
#include <threads.h>

static const struct str names[DIGEST_ALGORITHMS] = {
	[DIGEST_SHA256] = STR("SHA-256"),
	[DIGEST_MD5] = STR("MD5"),
};

struct str digest_algorithm_name(enum digest_algorithm algorithm)
{
	return names[algorithm];
}

bool digest_algorithm_of(struct str name, enum digest_algorithm *out)
{
	if (!name.n)
		name = names[DIGEST_MD5];
	for (unsigned i = 0; i < DIGEST_ALGORITHMS; i++) {
		if (str_case_eq(names[i], name)) {
			*out = (enum digest_algorithm)i;
			return true;
		}
	}
	return false;
}

/* Kept: a look-up by name costs more than the hash, and takes memory. */
static thread_local EVP_MD *fetched[DIGEST_ALGORITHMS];

/* Why it was not fetched. OpenSSL calls it unsupported, too, where it was memory that was missing.
 */
static bool memory_was_missing(void)
{
	bool missing = !ERR_peek_error();

	for (unsigned long code; (code = ERR_get_error());)
		missing |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
	return missing;
}

int digest_hash_init(struct digest_hash *hash, enum digest_algorithm algorithm)
{
	EVP_MD **md = &fetched[algorithm];

	*hash = (struct digest_hash){0};
	ERR_clear_error();
	if (!*md)
		*md = EVP_MD_fetch(NULL, algorithm == DIGEST_SHA256 ? "SHA256" : "MD5", NULL);
	if (!*md && memory_was_missing())
		return -ENOMEM;
	hash->md = *md;
	hash->context = EVP_MD_CTX_new();
	return hash->context ? 0 : -ENOMEM;
}

void digest_hash_free(struct digest_hash *hash)
{
	EVP_MD_CTX_free(hash->context);
	*hash = (struct digest_hash){0};
}

void digest_to_hex(const uint8_t *bytes, size_t count, char *hex)
{
	for (size_t i = 0; i < count; i++) {
		hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	hex[2 * count] = '\0';
}

int digest_hash_of(struct digest_hash *hash, const struct str *part, size_t parts,
		   char hex[DIGEST_HEX_LEN])
{
	uint8_t bytes[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	bool good = EVP_DigestInit_ex2(hash->context, hash->md, NULL);

	for (size_t i = 0; i < parts; i++) {
		good = good && (!i || EVP_DigestUpdate(hash->context, ":", 1)) &&
		       EVP_DigestUpdate(hash->context, part[i].p, part[i].n);
	}
	good = good && EVP_DigestFinal_ex(hash->context, bytes, &length) &&
	       2 * length < DIGEST_HEX_LEN;
	if (!good)
		return -EIO;
	digest_to_hex(bytes, length, hex);
	return 0;
}

int digest_response(struct digest_hash *hash, const char *ha1, const struct digest_proof *proof,
		    char hex[DIGEST_HEX_LEN])
{
	char ha2[DIGEST_HEX_LEN];
	const struct str a2[] = {proof->method, proof->uri};
	struct str all[] = {str_of(ha1),   proof->nonce, proof->nc,
			    proof->cnonce, proof->qop,	 STR_NONE};
	int ret = digest_hash_of(hash, a2, 2, ha2);

	if (ret)
		return ret;
	if (proof->qop.n) {
		all[5] = str_of(ha2);
		return digest_hash_of(hash, all, 6, hex);
	}
	all[2] = str_of(ha2);
	return digest_hash_of(hash, all, 3, hex);
}
