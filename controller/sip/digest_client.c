// SPDX-License-Identifier: BSD-2-Clause
/* The client's side of digest authentication: answers a challenge. */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "sip/digest_fields.h"
#include "sip/digest_hash.h"

struct answer {
	struct digest_fields challenge;
	enum digest_algorithm algorithm;
	bool qop; /* false: a server of RFC 2069, which knows no counts */
	char cnonce[33], nc[9];
};

/* qop="auth,auth-int": is auth among them? */
static bool offers_auth(struct str list)
{
	for (struct str part; str_split(&list, ',', &part);) {
		if (str_case_eq(str_trim(part), STR("auth")))
			return true;
	}
	return false;
}

static bool can_answer(struct answer *answer)
{
	const struct str *field = answer->challenge.field;

	answer->qop = field[DIGEST_QOP].n;
	return field[DIGEST_REALM].p && field[DIGEST_NONCE].n &&
	       digest_algorithm_of(field[DIGEST_ALGORITHM], &answer->algorithm) &&
	       (!answer->qop || offers_auth(field[DIGEST_QOP]));
}

/* The first challenge that we can answer, with its hash open. -EOPNOTSUPP, -ENOMEM. */
static int choose(struct answer *answer, const struct sip_message *message, const char *header,
		  struct digest_hash *hash)
{
	struct str value;

	for (size_t i = 0; (value = sip_header(message, header, i)).p; i++) {
		int ret;

		if (digest_fields_parse(&answer->challenge, value) || !can_answer(answer))
			continue;
		ret = digest_hash_init(hash, answer->algorithm);
		if (ret || digest_hash_there(hash))
			return ret;
		digest_hash_free(hash);
	}
	return -EOPNOTSUPP;
}

static int make_cnonce(struct answer *answer, uint32_t count)
{
	uint8_t random[16];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	digest_to_hex(random, sizeof(random), answer->cnonce);
	snprintf(answer->nc, sizeof(answer->nc), "%08x", (unsigned)count);
	return 0;
}

static int make_response(struct digest_hash *hash, const struct answer *answer,
			 const struct digest_credentials *credentials, struct str method,
			 struct str uri, char response[DIGEST_HEX_LEN])
{
	const struct str *field = answer->challenge.field;
	const struct str a1[] = {str_of(credentials->user), field[DIGEST_REALM],
				 str_of(credentials->password)};
	const struct digest_proof proof = {.method = method,
					   .uri = uri,
					   .nonce = field[DIGEST_NONCE],
					   .nc = str_of(answer->nc),
					   .cnonce = str_of(answer->cnonce),
					   .qop = answer->qop ? STR("auth") : STR_NONE};
	char ha1[DIGEST_HEX_LEN];
	int ret = digest_hash_of(hash, a1, 3, ha1);

	return ret ? ret : digest_response(hash, ha1, &proof, response);
}

static void add_quoted(struct buf *out, const char *name, struct str value)
{
	buf_add(out, str_of(name));
	buf_add(out, STR("=\""));
	buf_add(out, value);
	buf_add_char(out, '"');
}

static void write_answer(struct buf *out, const struct answer *answer, const char *user,
			 struct str uri, const char *response)
{
	const struct str *field = answer->challenge.field;

	add_quoted(out, "Digest username", str_of(user));
	add_quoted(out, ", realm", field[DIGEST_REALM]);
	add_quoted(out, ", nonce", field[DIGEST_NONCE]);
	add_quoted(out, ", uri", uri);
	add_quoted(out, ", response", str_of(response));
	if (field[DIGEST_ALGORITHM].n) {
		buf_add(out, STR(", algorithm="));
		buf_add(out, digest_algorithm_name(answer->algorithm));
	}
	if (answer->qop) {
		add_quoted(out, ", cnonce", str_of(answer->cnonce));
		buf_add(out, STR(", qop=auth, nc="));
		buf_add(out, str_of(answer->nc));
	}
	if (field[DIGEST_OPAQUE].p)
		add_quoted(out, ", opaque", field[DIGEST_OPAQUE]);
	buf_add(out, STR("\r\n"));
}

int digest_answer(struct buf *out, const struct sip_message *challenge,
		  const struct digest_credentials *credentials, struct str method, struct str uri,
		  uint32_t count)
{
	bool proxy = challenge->status == 407;
	struct answer answer;
	struct digest_hash hash;
	char response[DIGEST_HEX_LEN];
	int ret;

	if (strpbrk(credentials->user, "\"\\\r\n"))
		return -EINVAL;
	ret = choose(&answer, challenge, proxy ? "Proxy-Authenticate" : "WWW-Authenticate", &hash);
	if (ret)
		return ret;
	ret = make_cnonce(&answer, count);
	if (!ret)
		ret = make_response(&hash, &answer, credentials, method, uri, response);
	if (!ret) {
		buf_add(out, proxy ? STR("Proxy-Authorization: ") : STR("Authorization: "));
		write_answer(out, &answer, credentials->user, uri, response);
		ret = buf_error(out);
	}
	digest_hash_free(&hash);
	return ret;
}
