// SPDX-License-Identifier: BSD-2-Clause
#include "registrar/registrar.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "registrar/registrar_private.h"

#define MIN_EXPIRES 60u
#define MAX_EXPIRES 7200u
#define DEFAULT_EXPIRES 3600u

void registrar_refuse(struct registrar *registrar, struct sip_server_tx *tx, int status,
		      const char *reason, struct str headers)
{
	char tag[SIP_TOKEN_LEN];

	sip_token(registrar->stack, tag);
	sip_server_tx_reply(tx, status, reason, str_of(tag), headers);
}

/* ---- the secret that nonces are signed with: in the store, so that they outlive us --------------
 */

#define SECRET_KEY STR("digest")

struct secret {
	uint8_t bytes[DIGEST_SECRET_LEN];
	bool found;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_secret(void *context, struct str key, struct str value)
{
	struct secret *secret = context;

	if (!str_eq(key, SECRET_KEY) || value.n != 2 * DIGEST_SECRET_LEN)
		return 0;
	for (size_t i = 0; i < DIGEST_SECRET_LEN; i++) {
		int high = hex_digit(value.p[2 * i]), low = hex_digit(value.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return 0;
		secret->bytes[i] = (uint8_t)(high << 4 | low);
	}
	secret->found = true;
	return 1;
}

static int make_secret(struct registrar *registrar, struct secret *secret, struct error *err)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * DIGEST_SECRET_LEN];
	int error;

	if (getrandom(secret->bytes, DIGEST_SECRET_LEN, 0) != DIGEST_SECRET_LEN)
		return error_set(err, -EIO, "secret: the kernel gives no random bytes");
	for (size_t i = 0; i < DIGEST_SECRET_LEN; i++) {
		hex[2 * i] = digits[secret->bytes[i] >> 4];
		hex[2 * i + 1] = digits[secret->bytes[i] & 15];
	}
	error = store_put(registrar->store, "secret", SECRET_KEY, (struct str){hex, sizeof(hex)});
	return error ? error_set(err, error, "secret: cannot be stored: %s", strerror(-error)) : 0;
}

static int make_digest(struct registrar *registrar, struct error *err)
{
	const struct registrar_config *config = &registrar->config;
	struct digest_config digest = {.realm = config->domains[0],
				       .algorithms = config->algorithms,
				       .nonce_seconds = config->nonce_seconds};
	struct secret secret = {0};
	int error = store_each(registrar->store, "secret", read_secret, &secret, err);

	if (!error && !secret.found)
		error = make_secret(registrar, &secret, err);
	memcpy(digest.order, config->order, sizeof(digest.order));
	memcpy(digest.secret, secret.bytes, sizeof(digest.secret));
	if (!error)
		error = digest_alloc(&registrar->digest, &digest, err);
	explicit_bzero(&secret, sizeof(secret));
	explicit_bzero(digest.secret, sizeof(digest.secret));
	return error;
}

/* ---- configuration ----------------------------------------------------------------------------
 */

static void free_domains(struct registrar_config *config)
{
	for (size_t i = 0; config->domains && i < config->domain_count; i++)
		free(config->domains[i]);
	free(config->domains);
}

static int copy_domains(struct registrar_config *out, const struct registrar_config *config)
{
	out->domains = calloc(config->domain_count, sizeof(*out->domains));
	if (!out->domains)
		return -ENOMEM;
	for (size_t i = 0; i < config->domain_count; i++) {
		out->domains[i] = str_dup(str_of(config->domains[i]));
		if (!out->domains[i])
			return -ENOMEM;
		for (char *c = out->domains[i]; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	}
	return 0;
}

static int copy_config(struct registrar_config *out, const struct registrar_config *config,
		       struct error *err)
{
	*out = *config;
	out->domains = NULL;
	if (!config->domain_count) {
		error_set(err, -EINVAL, "sip.domains: name at least one");
		return -EINVAL;
	}
	if (copy_domains(out, config)) {
		error_set(err, -ENOMEM, "registrar: out of memory");
		return -ENOMEM;
	}
	out->min_expires = config->min_expires ? config->min_expires : MIN_EXPIRES;
	out->max_expires = config->max_expires ? config->max_expires : MAX_EXPIRES;
	out->default_expires = config->default_expires ? config->default_expires : DEFAULT_EXPIRES;
	if (out->min_expires > out->max_expires) {
		error_set(err, -EINVAL, "sip.expires: min %u s is more than max %u s",
			  out->min_expires, out->max_expires);
		return -EINVAL;
	}
	if (out->default_expires > out->max_expires)
		out->default_expires = out->max_expires;
	if (out->default_expires < out->min_expires)
		out->default_expires = out->min_expires;
	return 0;
}

/* ---- the registrar ----------------------------------------------------------------------------
 */

static int fill(struct registrar *registrar, const struct registrar_config *config,
		struct error *err)
{
	int error = copy_config(&registrar->config, config, err);

	if (!error)
		error = make_digest(registrar, err);
	if (error)
		return error;
	error = subscribers_alloc(&registrar->subscribers, registrar->store, registrar->log,
				  registrar->config.domains[0]);
	if (error)
		return error_set(err, error, "subscribers: out of memory");
	return subscribers_load(registrar->subscribers, err);
}

int registrar_alloc(struct registrar **out, struct sip_stack *stack, struct location *location,
		    struct store *store, struct log *log, const struct registrar_config *config,
		    struct error *err)
{
	struct registrar *registrar = calloc(1, sizeof(*registrar));
	int error;

	if (!registrar)
		return error_set(err, -ENOMEM, "registrar: out of memory");
	registrar->stack = stack;
	registrar->location = location;
	registrar->store = store;
	registrar->log = log;
	error = fill(registrar, config, err);
	if (error)
		registrar_free(registrar);
	else
		*out = registrar;
	return error;
}

void registrar_free(struct registrar *registrar)
{
	if (!registrar)
		return;
	subscribers_free(registrar->subscribers);
	digest_free(registrar->digest);
	free_domains(&registrar->config);
	buf_free(&registrar->text);
	buf_free(&registrar->aor);
	buf_free(&registrar->path);
	buf_free(&registrar->params);
	buf_free(&registrar->unescaped);
	free(registrar);
}

void registrar_on_move(struct registrar *registrar, registrar_moved_fn *fn, void *context)
{
	registrar->moved = fn;
	registrar->moved_context = context;
}

void registrar_on_proof(struct registrar *registrar, registrar_proof_fn *fn, void *context)
{
	registrar->proof = fn;
	registrar->proof_context = context;
}

/* ---- subscribers ------------------------------------------------------------------------------
 */

/* The same with its domain in lower case, into registrar->aor; -EINVAL when that is none of ours.
 */
static int our_aor(struct registrar *registrar, struct str aor, struct error *err)
{
	const struct registrar_config *config = &registrar->config;
	struct str user, domain;

	buf_reset(&registrar->aor);
	for (size_t i = 0; subscriber_split(aor, &user, &domain) && i < config->domain_count; i++) {
		if (!str_case_eq(domain, str_of(config->domains[i])))
			continue;
		buf_add(&registrar->aor, user);
		buf_add_char(&registrar->aor, '@');
		buf_add(&registrar->aor, str_of(config->domains[i]));
		return buf_error(&registrar->aor);
	}
	return error_set(err, -EINVAL,
			 "subscriber \"%.*s\": write user@domain, the domain one of "
			 "sip.domains",
			 STR_ARG(aor));
}

int registrar_subscriber_add(struct registrar *registrar, struct str aor, struct str password,
			     bool replace, struct error *err)
{
	int error = our_aor(registrar, aor, err);

	return error ? error
		     : subscribers_add(registrar->subscribers, buf_str(&registrar->aor), password,
				       replace, err);
}

/* What a subscriber registered goes with it. */
int registrar_subscriber_delete(struct registrar *registrar, struct str aor, struct error *err)
{
	int error = our_aor(registrar, aor, err);

	if (!error)
		error = subscribers_delete(registrar->subscribers, buf_str(&registrar->aor), err);
	if (!error)
		location_remove(registrar->location, buf_str(&registrar->aor), STR_NONE);
	return error;
}

void registrar_subscriber_each(struct registrar *registrar, registrar_subscriber_fn *fn,
			       void *context)
{
	subscribers_each(registrar->subscribers, fn, context);
}
