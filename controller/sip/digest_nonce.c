// SPDX-License-Identifier: BSD-2-Clause
#include "sip/digest_nonce.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <sys/random.h>

#include "sip/digest_hash.h"

#define TIME_BYTES 4u
#define RANDOM_BYTES 8u
#define SIGNED_BYTES (TIME_BYTES + RANDOM_BYTES)
#define MAC_BYTES 16u
#define CLOCK_SLACK 60 /* seconds that a clock may have been set back */
#define WINDOW 64u     /* counts that may overtake each other on UDP */

_Static_assert(NONCE_LEN == 2 * (SIGNED_BYTES + MAC_BYTES) + 1, "hexadecimal and a NUL");

struct used {
	struct hash_node node;
	struct list recent;
	char text[NONCE_LEN];
	uint32_t highest;
	uint64_t seen; /* bit i: highest - i was used */
};

struct nonces {
	EVP_MAC_CTX *mac;
	struct hash table;
	struct hash_seed seed;
	struct list recent; /* the one that was not used for longest comes first */
	size_t most;
	unsigned seconds;
	/*
	 * No nonce made at this time or before is good unless it is remembered: one of them was
	 * forgotten for want of room, and might be tried again.
	 */
	uint32_t forgotten;
};

static EVP_MAC_CTX *mac_new(const uint8_t secret[DIGEST_SECRET_LEN])
{
	char sha256[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", sha256, 0),
			       OSSL_PARAM_construct_end()};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *context = hmac ? EVP_MAC_CTX_new(hmac) : NULL;

	if (context && !EVP_MAC_init(context, secret, DIGEST_SECRET_LEN, params)) {
		EVP_MAC_CTX_free(context);
		context = NULL;
	}
	EVP_MAC_free(hmac); /* the context has its own reference */
	return context;
}

int nonces_alloc(struct nonces **out, const uint8_t secret[DIGEST_SECRET_LEN], size_t most,
		 unsigned seconds)
{
	struct nonces *nonces = calloc(1, sizeof(*nonces));
	int ret;

	if (!nonces)
		return -ENOMEM;
	list_init(&nonces->recent);
	nonces->most = most;
	nonces->seconds = seconds;
	nonces->mac = mac_new(secret);
	ret = nonces->mac ? hash_seed_make(&nonces->seed) : -EIO;
	if (!ret)
		ret = hash_init(&nonces->table);
	if (ret)
		nonces_free(nonces);
	else
		*out = nonces;
	return ret;
}

static void forget(struct nonces *nonces, struct used *used)
{
	hash_remove(&nonces->table, &used->node);
	list_remove(&used->recent);
	free(used);
}

void nonces_free(struct nonces *nonces)
{
	if (!nonces)
		return;
	while (!list_empty(&nonces->recent))
		forget(nonces, container_of(nonces->recent.next, struct used, recent));
	hash_free(&nonces->table);
	EVP_MAC_CTX_free(nonces->mac);
	free(nonces);
}

size_t nonces_count(const struct nonces *nonces)
{
	return nonces->table.count;
}

static int sign(struct nonces *nonces, const char *text, char hex[2 * MAC_BYTES + 1])
{
	uint8_t bytes[EVP_MAX_MD_SIZE];
	size_t length;

	/* Without a key it begins again with the one that it has. */
	if (!EVP_MAC_init(nonces->mac, NULL, 0, NULL) ||
	    !EVP_MAC_update(nonces->mac, (const uint8_t *)text, 2 * SIGNED_BYTES) ||
	    !EVP_MAC_final(nonces->mac, bytes, &length, sizeof(bytes)) || length < MAC_BYTES)
		return -EIO;
	digest_to_hex(bytes, MAC_BYTES, hex);
	return 0;
}

int nonce_make(struct nonces *nonces, int64_t now, char out[NONCE_LEN])
{
	uint8_t bytes[SIGNED_BYTES];

	for (unsigned i = 0; i < TIME_BYTES; i++)
		bytes[i] = (uint8_t)((uint64_t)now >> 8 * (TIME_BYTES - 1 - i));
	if (getrandom(bytes + TIME_BYTES, RANDOM_BYTES, 0) != RANDOM_BYTES)
		return -EIO;
	digest_to_hex(bytes, SIGNED_BYTES, out);
	return sign(nonces, out, out + 2 * SIGNED_BYTES);
}

static uint32_t time_of(struct str nonce)
{
	uint32_t time = 0;

	for (unsigned i = 0; i < 2 * TIME_BYTES; i++) {
		char c = nonce.p[i];

		time = time << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return time;
}

bool nonce_is_good(struct nonces *nonces, int64_t now, struct str nonce)
{
	char mac[2 * MAC_BYTES + 1];
	int64_t age;

	if (nonce.n != NONCE_LEN - 1 || sign(nonces, nonce.p, mac) ||
	    CRYPTO_memcmp(mac, nonce.p + 2 * SIGNED_BYTES, 2 * MAC_BYTES))
		return false;
	age = now - time_of(nonce);
	return age <= (int64_t)nonces->seconds && age >= -CLOCK_SLACK;
}

static struct used *find(const struct nonces *nonces, uint64_t key, struct str nonce)
{
	struct hash_node *node = hash_first(&nonces->table, key);

	for (; node; node = hash_next(node)) {
		struct used *used = container_of(node, struct used, node);

		if (str_eq((struct str){used->text, NONCE_LEN - 1}, nonce))
			return used;
	}
	return NULL;
}

static int remember(struct nonces *nonces, uint64_t key, struct str nonce, struct used **out)
{
	struct used *used;
	uint32_t time;

	if (nonces->forgotten && time_of(nonce) <= nonces->forgotten)
		return -ESTALE;
	used = calloc(1, sizeof(*used));
	if (!used)
		return -ENOMEM;
	if (nonces->table.count >= nonces->most) {
		struct used *oldest = container_of(nonces->recent.next, struct used, recent);

		time = time_of((struct str){oldest->text, NONCE_LEN - 1});
		if (time > nonces->forgotten)
			nonces->forgotten = time;
		forget(nonces, oldest);
	}
	memcpy(used->text, nonce.p, NONCE_LEN - 1);
	hash_add(&nonces->table, &used->node, key);
	*out = used;
	return 0;
}

static int use_count(struct used *used, uint32_t count)
{
	uint32_t ahead = count - used->highest, behind = used->highest - count;

	if (count > used->highest) {
		used->seen = ahead < WINDOW ? used->seen << ahead | 1 : 1;
		used->highest = count;
		return 0;
	}
	if (behind >= WINDOW || used->seen >> behind & 1)
		return -EEXIST;
	used->seen |= 1ull << behind;
	return 0;
}

int nonce_use(struct nonces *nonces, struct str nonce, uint32_t count)
{
	uint64_t key = hash_text(&nonces->seed, nonce);
	struct used *used = find(nonces, key, nonce);
	int ret = used ? 0 : remember(nonces, key, nonce, &used);

	if (ret)
		return ret;
	list_remove(&used->recent);
	list_append(&nonces->recent, &used->recent);
	return use_count(used, count);
}
