// SPDX-License-Identifier: BSD-2-Clause
#include "sip/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "sip/digest_fields.h"
#include "sip/digest_hash.h"
#include "sip/digest_nonce.h"

#define NONCE_SECONDS 300u
#define NONCES 100000u

struct digest {
	char *realm;
	enum digest_algorithm order[DIGEST_ALGORITHMS];
	size_t algorithms;
	struct digest_hash hash[DIGEST_ALGORITHMS];
	struct nonces *nonces;
	struct digest_ha1 nobody; /* of users that we do not know: nothing hashes to it */
};

/* Those of the configuration that this machine has. */
static void choose_algorithms(struct digest *digest, const struct digest_config *config)
{
	static const enum digest_algorithm both[] = {DIGEST_SHA256, DIGEST_MD5};
	const enum digest_algorithm *order = config->algorithms ? config->order : both;
	size_t count = config->algorithms ? config->algorithms : DIGEST_ALGORITHMS;

	for (size_t i = 0; i < count && i < DIGEST_ALGORITHMS; i++) {
		if (digest_hash_there(&digest->hash[order[i]]))
			digest->order[digest->algorithms++] = order[i];
	}
}

static int make_nobody(struct digest_ha1 *nobody)
{
	uint8_t random[DIGEST_HEX_LEN / 2];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	digest_to_hex(random, sizeof(random), nobody->hex[DIGEST_SHA256]);
	digest_to_hex(random, 16, nobody->hex[DIGEST_MD5]);
	return 0;
}

static int digest_fill(struct digest *digest, const struct digest_config *config)
{
	int ret;

	digest->realm = str_dup(str_of(config->realm));
	if (!digest->realm)
		return -ENOMEM;
	for (unsigned i = 0; i < DIGEST_ALGORITHMS; i++) {
		ret = digest_hash_init(&digest->hash[i], (enum digest_algorithm)i);
		if (ret)
			return ret;
	}
	choose_algorithms(digest, config);
	if (!digest->algorithms)
		return -EOPNOTSUPP;
	ret = make_nobody(&digest->nobody);
	if (ret)
		return ret;
	return nonces_alloc(&digest->nonces, config->secret,
			    config->nonces ? config->nonces : NONCES,
			    config->nonce_seconds ? config->nonce_seconds : NONCE_SECONDS);
}

int digest_alloc(struct digest **out, const struct digest_config *config, struct error *err)
{
	struct digest *digest;
	int ret;

	if (!config->realm || !config->realm[0] || strpbrk(config->realm, "\"\\\r\n"))
		return error_set(err, -EINVAL, "realm '%s': empty, or with quotes or backslashes",
				 config->realm ? config->realm : "");
	digest = calloc(1, sizeof(*digest));
	if (!digest)
		return error_set(err, -ENOMEM, "out of memory");
	ret = digest_fill(digest, config);
	if (ret) {
		digest_free(digest);
		return error_set(err, ret, "digest authentication: %s",
				 ret == -EOPNOTSUPP
					 ? "this machine's OpenSSL has none of the algorithms"
					 : strerror(-ret));
	}
	*out = digest;
	return 0;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	nonces_free(digest->nonces);
	for (unsigned i = 0; i < DIGEST_ALGORITHMS; i++)
		digest_hash_free(&digest->hash[i]);
	free(digest->realm);
	free(digest);
}

void digest_challenge(struct digest *digest, struct buf *out, bool proxy, bool stale)
{
	char nonce[NONCE_LEN];

	if (nonce_make(digest->nonces, time(NULL), nonce)) {
		out->error = out->error ? out->error : -EIO;
		return;
	}
	/* RFC 8760 2.3: one header for each algorithm, the preferred one first; qop always. */
	for (size_t i = 0; i < digest->algorithms; i++) {
		buf_add(out, proxy ? STR("Proxy-Authenticate") : STR("WWW-Authenticate"));
		buf_add(out, STR(": Digest realm=\""));
		buf_add(out, str_of(digest->realm));
		buf_add(out, STR("\", qop=\"auth\", nonce=\""));
		buf_add(out, str_of(nonce));
		buf_add(out, stale ? STR("\", stale=true, algorithm=") : STR("\", algorithm="));
		buf_add(out, digest_algorithm_name(digest->order[i]));
		buf_add(out, STR("\r\n"));
	}
}

/* The credentials for our realm; others are for others. 0, -ENOENT, -EINVAL. */
static int find_credentials(const struct digest *digest, const struct sip_message *request,
			    bool proxy, struct digest_fields *out)
{
	const char *name = proxy ? "Proxy-Authorization" : "Authorization";
	struct str value;

	for (size_t i = 0; (value = sip_header(request, name, i)).p; i++) {
		int ret = digest_fields_parse(out, value);

		if (ret == -EINVAL)
			return ret;
		if (!ret && str_eq(out->field[DIGEST_REALM], str_of(digest->realm)))
			return 0;
	}
	return -ENOENT;
}

static bool parse_count(struct str text, uint32_t *out)
{
	uint32_t count = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = str_lower(text.p[i]);

		if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
			return false;
		count = count << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*out = count;
	return text.n == 8; /* RFC 7616 3.4 */
}

static bool is_complete(const struct digest_fields *fields, uint32_t *count)
{
	static const enum digest_field wanted[] = {DIGEST_USERNAME, DIGEST_NONCE, DIGEST_URI,
						   DIGEST_RESPONSE, DIGEST_CNONCE};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!fields->field[wanted[i]].n)
			return false;
	}
	/* We always offer qop=auth: who leaves it out has no count, and could be replayed. */
	return str_case_eq(fields->field[DIGEST_QOP], STR("auth")) &&
	       parse_count(fields->field[DIGEST_NC], count);
}

static bool is_offered(const struct digest *digest, enum digest_algorithm algorithm)
{
	for (size_t i = 0; i < digest->algorithms; i++) {
		if (digest->order[i] == algorithm)
			return true;
	}
	return false;
}

/*
 * The digest URI is taken as it is: proxies on the way may have changed the Request-URI (RFC 3261
 * 22.4).
 */
static bool response_is_right(struct digest *digest, const struct digest_fields *fields,
			      struct str method, enum digest_algorithm algorithm, const char *ha1)
{
	const struct str *field = fields->field;
	const struct digest_proof proof = {
		method,		  field[DIGEST_URI],	field[DIGEST_NONCE],
		field[DIGEST_NC], field[DIGEST_CNONCE], field[DIGEST_QOP]};
	char right[DIGEST_HEX_LEN];

	return !digest_response(&digest->hash[algorithm], ha1, &proof, right) &&
	       field[DIGEST_RESPONSE].n == strlen(right) &&
	       !CRYPTO_memcmp(field[DIGEST_RESPONSE].p, right, strlen(right));
}

enum digest_outcome digest_check(struct digest *digest, const struct sip_message *request,
				 bool proxy, digest_lookup_fn *lookup, void *context,
				 struct str *user)
{
	struct digest_fields fields;
	struct digest_ha1 ha1;
	enum digest_algorithm algorithm;
	uint32_t count;
	bool known, right;
	int ret = find_credentials(digest, request, proxy, &fields);

	if (ret)
		return ret == -EINVAL ? DIGEST_MALFORMED : DIGEST_MISSING;
	if (!is_complete(&fields, &count))
		return DIGEST_MALFORMED;
	if (!digest_algorithm_of(fields.field[DIGEST_ALGORITHM], &algorithm) ||
	    !is_offered(digest, algorithm))
		return DIGEST_WRONG;
	/* Nobody can tell from time or answer whether a user exists: all is computed for all. */
	known = lookup(context, fields.field[DIGEST_USERNAME], &ha1) && ha1.hex[algorithm][0];
	right = response_is_right(digest, &fields, request->method_name, algorithm,
				  (known ? &ha1 : &digest->nobody)->hex[algorithm]);
	if (!known || !right)
		return DIGEST_WRONG;
	if (!nonce_is_good(digest->nonces, time(NULL), fields.field[DIGEST_NONCE]))
		return DIGEST_STALE;
	ret = nonce_use(digest->nonces, fields.field[DIGEST_NONCE], count);
	if (ret)
		return ret == -EEXIST ? DIGEST_WRONG : DIGEST_STALE;
	*user = fields.field[DIGEST_USERNAME];
	return DIGEST_GOOD;
}

int digest_ha1(struct digest_ha1 *out, struct str user, struct str realm, struct str password)
{
	const struct str parts[] = {user, realm, password};
	int ret = 0;

	*out = (struct digest_ha1){0};
	for (unsigned i = 0; !ret && i < DIGEST_ALGORITHMS; i++) {
		struct digest_hash hash;

		ret = digest_hash_init(&hash, (enum digest_algorithm)i);
		if (!ret && digest_hash_there(&hash)) /* else empty: nobody gets in with it */
			ret = digest_hash_of(&hash, parts, 3, out->hex[i]);
		digest_hash_free(&hash);
	}
	return ret;
}
