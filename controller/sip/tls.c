// SPDX-License-Identifier: BSD-2-Clause
#include "sip/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct tls {
	SSL_CTX *client;
	size_t count;
	SSL_CTX *server[]; /* one for each certificate; the first is shown where none fits */
};

int tls_error_text(unsigned long code, char *out, size_t size)
{
	bool no_memory = ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
	const char *reason = ERR_reason_error_string(code);

	snprintf(out, size, "%s", reason ? reason : "unknown TLS error");
	ERR_clear_error();
	return no_memory ? -ENOMEM : -EPROTO;
}

static int refuse(struct error *err, const char *what, const char *file)
{
	char text[160];
	int ret = tls_error_text(ERR_get_error(), text, sizeof(text));

	return error_set(err, ret == -ENOMEM ? ret : -EINVAL, "%s '%s' cannot be used: %s", what,
			 file ? file : "", text);
}

/* RFC 9325: 1.2 at least. Nothing is renegotiated, and idle connections give their buffers back. */
static SSL_CTX *make_context(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (!context)
		return NULL;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return context;
}

static int use_files(SSL_CTX *context, const struct sip_tls_config *config,
		     const struct sip_tls_pair *own, struct error *err)
{
	if (own->certificate && SSL_CTX_use_certificate_chain_file(context, own->certificate) != 1)
		return refuse(err, "TLS certificate", own->certificate);
	if (own->key && SSL_CTX_use_PrivateKey_file(context, own->key, SSL_FILETYPE_PEM) != 1)
		return refuse(err, "TLS key", own->key);
	if (own->key && SSL_CTX_check_private_key(context) != 1)
		return refuse(err, "the certificate does not belong to it: TLS key", own->key);
	if (config->ca && SSL_CTX_load_verify_locations(context, config->ca, NULL) != 1)
		return refuse(err, "TLS authorities", config->ca);
	if (!config->ca && SSL_CTX_set_default_verify_paths(context) != 1)
		return refuse(err, "TLS authorities", "of the system");
	return 0;
}

/* The context whose certificate is good for the name; by a wildcard only if the flags let it. */
static SSL_CTX *find_for(const struct tls *tls, const char *name, unsigned flags)
{
	for (size_t i = 0; i < tls->count; i++) {
		X509 *certificate = SSL_CTX_get0_certificate(tls->server[i]);

		if (X509_check_host(certificate, name, 0, flags, NULL) == 1)
			return tls->server[i];
	}
	return NULL;
}

/*
 * The client says which name it has come for (RFC 6066 3). Names are those of the certificates
 * themselves: with another one the client would turn away in any case. A name that none is good for
 * is no error, since many a client checks a fingerprint, or nothing.
 */
static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct tls *tls = arg;
	SSL_CTX *context;

	(void)alert;
	if (!name)
		return SSL_TLSEXT_ERR_NOACK;
	context = find_for(tls, name, X509_CHECK_FLAG_NO_WILDCARDS);
	if (!context)
		context = find_for(tls, name, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (!context || !SSL_set_SSL_CTX(ssl, context))
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_TLSEXT_ERR_OK;
}

static int make_server(struct tls *tls, const struct sip_tls_config *config,
		       const struct sip_tls_pair *own, struct error *err)
{
	static const unsigned char session[] = "segue";
	SSL_CTX *context = make_context(TLS_server_method());
	int ret;

	if (!context)
		return error_set(err, -ENOMEM, "no memory for TLS");
	tls->server[tls->count++] = context;
	ret = use_files(context, config, own, err);
	if (ret)
		return ret;
	SSL_CTX_set_session_id_context(context, session, sizeof(session) - 1);
	if (config->require_client)
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	return 0;
}

static int make_all(struct tls *tls, const struct sip_tls_config *config, struct error *err)
{
	int ret;

	tls->client = make_context(TLS_client_method());
	if (!tls->client)
		return error_set(err, -ENOMEM, "no memory for TLS");
	ret = use_files(tls->client, config, &config->own, err);
	if (!ret && config->own.certificate)
		ret = make_server(tls, config, &config->own, err);
	for (size_t i = 0; !ret && i < config->others; i++)
		ret = make_server(tls, config, &config->other[i], err);
	if (ret)
		return ret;
	SSL_CTX_set_verify(tls->client, config->unchecked ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
			   NULL);
	if (!tls->count)
		return 0;
	SSL_CTX_set_tlsext_servername_callback(tls->server[0], on_server_name);
	SSL_CTX_set_tlsext_servername_arg(tls->server[0], tls);
	return 0;
}

int tls_alloc(struct tls **out, const struct sip_tls_config *config, struct error *err)
{
	struct tls *tls;
	int ret;

	if (!config || !config->own.certificate != !config->own.key)
		return error_set(err, -EINVAL, "TLS wants a certificate and a key");
	if (!config->own.certificate && (config->others || config->require_client))
		return error_set(err, -EINVAL, "TLS wants a certificate to accept connections");
	tls = calloc(1, sizeof(*tls) + (1 + config->others) * sizeof(SSL_CTX *));
	if (!tls)
		return error_set(err, -ENOMEM, "no memory for TLS");
	ERR_clear_error();
	ret = make_all(tls, config, err);
	if (ret)
		tls_free(tls);
	else
		*out = tls;
	return ret;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->client);
	for (size_t i = 0; i < tls->count; i++) {
		/* Connections that still shake hands hold the context; they get what it has. */
		SSL_CTX_set_tlsext_servername_callback(tls->server[i], NULL);
		SSL_CTX_free(tls->server[i]);
	}
	free(tls);
}

bool tls_accepts(const struct tls *tls)
{
	return tls->count > 0;
}

int64_t tls_not_after(const struct tls *tls)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < tls->count; i++) {
		const X509 *certificate = SSL_CTX_get0_certificate(tls->server[i]);
		struct tm tm;
		int64_t end;

		if (!ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm))
			continue;
		end = timegm(&tm);
		first = end < first ? end : first;
	}
	return first;
}

SSL *tls_accept(struct tls *tls)
{
	return SSL_new(tls->server[0]);
}

/* An address is looked for among the certificate's addresses, a name among its names; SNI (RFC 6066
 * 3) carries names only. */
static bool expect(SSL *ssl, const char *name, const struct netaddr *remote)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char address[NETADDR_STRLEN];

	if (!name[0])
		return X509_VERIFY_PARAM_set1_ip_asc(param, netaddr_format_host(remote, address)) ==
		       1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

SSL *tls_connect(struct tls *tls, struct str name, const struct netaddr *remote)
{
	SSL *ssl = SSL_new(tls->client);
	char *text = str_dup(name);

	if (ssl && (!text || !expect(ssl, text, remote))) {
		SSL_free(ssl);
		ssl = NULL;
	}
	free(text);
	return ssl;
}
