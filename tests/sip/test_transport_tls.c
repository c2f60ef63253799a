// SPDX-License-Identifier: BSD-2-Clause
/*
 * TLS: a stack that calls itself under names, with certificates made here; and clients that are
 * OpenSSL alone (RFC 3261 26, RFC 5922).
 */
#include "stack_rig.h"

#include <event2/util.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "dns_rig.h"
#include "tls_rig.h"

static const struct zone_record zone[] = {
	{ZONE_A, "good.test", "127.0.0.1", 60, 0, 0, 0, NULL},
	{ZONE_A, "bad.test", "127.0.0.1", 60, 0, 0, 0, NULL},
};

static struct rig rig;
static struct dns_rig dns;
static char directory[] = "/tmp/segue-tls-XXXXXX";
static char ca_file[64], certificate_file[64], key_file[64], other_file[64];
/* Under the same key, for a second name and for all names of a domain. */
static char second_file[64], wild_file[64];

/* ---- certificates ---------------------------------------------------------------------------- */

static void make_other_names(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key)
{
	X509 *second = tls_rig_certificate("second.test", "DNS:second.test,DNS:a.wild.test", key,
					   ca, ca_key);
	X509 *wild = tls_rig_certificate("wild.test", "DNS:*.wild.test", key, ca, ca_key);

	snprintf(second_file, sizeof(second_file), "%s/second.pem", directory);
	snprintf(wild_file, sizeof(wild_file), "%s/wild.pem", directory);
	tls_rig_write(second_file, second);
	tls_rig_write(wild_file, wild);
	X509_free(second);
	X509_free(wild);
}

static int make_files(void **state)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca, *certificate, *other;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", directory);
	snprintf(certificate_file, sizeof(certificate_file), "%s/cert.pem", directory);
	snprintf(key_file, sizeof(key_file), "%s/key.pem", directory);
	snprintf(other_file, sizeof(other_file), "%s/other.pem", directory);
	ca = tls_rig_certificate("Test authority", NULL, ca_key, NULL, NULL);
	certificate =
		tls_rig_certificate("good.test", "DNS:good.test,IP:127.0.0.1", key, ca, ca_key);
	other = tls_rig_certificate("Other authority", NULL, key, NULL, NULL);
	tls_rig_write(ca_file, ca);
	tls_rig_write(certificate_file, certificate);
	tls_rig_write(other_file, other);
	make_other_names(key, ca, ca_key);
	tls_rig_write_key(key_file, key);
	X509_free(other);
	X509_free(certificate);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	unlink(ca_file);
	unlink(certificate_file);
	unlink(key_file);
	unlink(other_file);
	unlink(second_file);
	unlink(wild_file);
	rmdir(directory);
	return 0;
}

/* ---- the rig --------------------------------------------------------------------------------- */

static struct sip_tls_config files(void)
{
	return (struct sip_tls_config){.own = {certificate_file, key_file}, .ca = ca_file};
}

static int set_up(void **state)
{
	struct sip_stack_config config = {.nameservers = 1};

	(void)state;
	dns_rig_bind(&dns, zone, sizeof(zone) / sizeof(zone[0]));
	config.nameserver = &dns.at;
	rig_open(&rig, &config);
	dns_rig_serve(&dns, rig.base);
	rig.answer = 200;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dns_rig_close(&dns);
	rig_close(&rig);
	return 0;
}

static void send_to(const char *host)
{
	char uri[80];

	snprintf(uri, sizeof(uri), "sips:%s:%u", host, rig.at[SIP_TLS].port);
	rig_send(&rig, SIP_OPTIONS, NULL, uri);
}

static void the_right_name_is_let_in(void **state)
{
	struct sip_tls_config config = files();

	(void)state;
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	send_to("good.test");
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.status[0], 200);
	assert_int_equal(rig.request->flow.proto, SIP_TLS);
	assert_true(str_starts(sip_header(rig.request, "Via", 0), STR("SIP/2.0/TLS 127.0.0.1:")));
	send_to("127.0.0.1"); /* by the address in the certificate */
	rig_wait(&rig, &rig.responses, 2);
	assert_int_equal(rig.failures, 0);
}

static void another_name_is_not(void **state)
{
	struct sip_tls_config config = files();

	(void)state;
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	send_to("good.test");
	rig_wait(&rig, &rig.responses, 1);
	/* The connection that stands there is good for the other name only. */
	send_to("bad.test");
	rig_wait(&rig, &rig.failures, 1);
	assert_int_equal(rig.failure, 503);
	assert_int_equal(rig.requests, 1);
}

static void an_unknown_authority_is_not(void **state)
{
	struct sip_tls_config config = files();

	(void)state;
	config.ca = other_file;
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	send_to("good.test");
	rig_wait(&rig, &rig.failures, 1);
	assert_int_equal(rig.failure, 503);
	assert_int_equal(rig.requests, 0);
}

static void a_client_may_be_asked_for_a_certificate(void **state)
{
	struct sip_tls_config config = files();

	(void)state;
	config.require_client = true;
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	send_to("good.test"); /* it shows ours */
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.status[0], 200);
}

/* ---- a client that is OpenSSL alone ---------------------------------------------------------- */

struct client {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
};

static void client_open(struct client *client, int most_version)
{
	struct sockaddr_storage storage;
	socklen_t length = netaddr_to_sockaddr(&rig.at[SIP_TLS], &storage);

	client->context = SSL_CTX_new(TLS_client_method());
	assert_non_null(client->context);
	SSL_CTX_set_security_level(client->context, 0);
	SSL_CTX_set_min_proto_version(client->context, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(client->context, most_version);
	client->ssl = SSL_new(client->context);
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client->fd, (struct sockaddr *)&storage, length), 0);
	evutil_make_socket_nonblocking(client->fd);
	SSL_set_fd(client->ssl, client->fd);
}

static void client_close(struct client *client)
{
	SSL_free(client->ssl);
	SSL_CTX_free(client->context);
	close(client->fd);
	ERR_clear_error();
}

/* 1, or what OpenSSL says of its failure. */
static int finish(struct client *client, int ret)
{
	int error = SSL_get_error(client->ssl, ret);

	rig_turn(&rig);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : error;
}

static bool shake_hands(struct client *client)
{
	int ret, failure = 0;

	while ((ret = SSL_connect(client->ssl)) != 1 && !failure)
		failure = finish(client, ret);
	return ret == 1;
}

/* What comes, or "" when the connection ends. */
static void client_read(struct client *client, char *out, int size)
{
	int ret, failure = 0;

	while ((ret = SSL_read(client->ssl, out, size - 1)) <= 0 && !failure)
		failure = finish(client, ret);
	out[ret > 0 ? ret : 0] = '\0';
}

static const char options[] = "OPTIONS sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/TLS "
			      "127.0.0.1:9;branch=z9hG4bKt\r\n" DIALOG("t", "OPTIONS") END;

static void who_has_no_certificate_is_let_in_unless_asked(void **state)
{
	struct sip_tls_config config = files();
	struct client client;
	char text[4096];

	(void)state;
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	client_open(&client, TLS1_3_VERSION);
	assert_true(shake_hands(&client));
	assert_int_equal(SSL_write(client.ssl, options, (int)strlen(options)), strlen(options));
	client_read(&client, text, sizeof(text));
	assert_memory_equal(text, "SIP/2.0 200", 11);
	assert_int_equal(SSL_write(client.ssl, "\r\n\r\n", 4), 4);
	client_read(&client, text, sizeof(text));
	assert_string_equal(text, "\r\n");
	client_close(&client);
	rig_wait(&rig, &rig.closed, 1);
	assert_int_equal(
		sip_transport_unlisten(sip_stack_transport(rig.stack), SIP_TLS, &rig.at[SIP_TLS]),
		0);
	config.require_client = true;
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	client_open(&client, TLS1_3_VERSION);
	shake_hands(&client); /* in TLS 1.3 the client learns of it afterwards */
	SSL_write(client.ssl, options, (int)strlen(options));
	client_read(&client, text, sizeof(text));
	assert_string_equal(text, "");
	client_close(&client);
	assert_int_equal(rig.requests, 1);
}

/* The common name of the certificate that who asks for `name` (NULL: for none) is shown. */
static void shown_for(const char *name, char out[64])
{
	struct client client;
	X509 *shown;

	client_open(&client, TLS1_3_VERSION);
	if (name)
		assert_int_equal(SSL_set_tlsext_host_name(client.ssl, name), 1);
	assert_true(shake_hands(&client));
	shown = SSL_get0_peer_certificate(client.ssl);
	assert_non_null(shown);
	X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, out, 64);
	client_close(&client);
}

static void assert_shown(const char *name, const char *wanted)
{
	char common_name[64];

	shown_for(name, common_name);
	assert_string_equal(common_name, wanted);
}

static void the_name_that_is_asked_for_chooses_the_certificate(void **state)
{
	const struct sip_tls_pair others[] = {{wild_file, key_file}, {second_file, key_file}};
	struct sip_tls_config config = files();

	(void)state;
	config.other = others;
	config.others = 2;
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	assert_shown(NULL, "good.test");
	assert_shown("good.test", "good.test");
	assert_shown("second.test", "second.test");
	assert_shown("SECOND.test", "second.test");
	assert_shown("b.wild.test", "wild.test");
	assert_shown("a.wild.test", "second.test"); /* by its own name before the wildcard */
	assert_shown("a.b.wild.test", "good.test");
	assert_shown("nobody.test", "good.test");
}

/* Who had connected before shakes hands all the same; what cannot be read changes nothing. */
static void certificates_are_renewed(void **state)
{
	struct sip_transport *transport = sip_stack_transport(rig.stack);
	const struct sip_tls_pair others[] = {{second_file, key_file}};
	struct sip_tls_config config = files();
	struct client early;
	struct error err;

	(void)state;
	config.other = others;
	config.others = 1;
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	client_open(&early, TLS1_3_VERSION);
	rig_turn(&rig); /* accepted */
	config.own.certificate = wild_file;
	config.others = 0;
	assert_int_equal(sip_transport_renew(transport, &rig.at[SIP_TLS], &config, &err), 0);
	assert_true(shake_hands(&early));
	client_close(&early);
	assert_shown("good.test", "wild.test");
	assert_shown("second.test", "wild.test");
	config.own.certificate = "/nonexistent/cert.pem";
	assert_int_equal(sip_transport_renew(transport, &rig.at[SIP_TLS], &config, &err), -EINVAL);
	assert_shown("good.test", "wild.test");
}

static void old_versions_are_refused(void **state)
{
	struct sip_tls_config config = files();
	struct client client;

	(void)state;
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	client_open(&client, TLS1_1_VERSION);
	assert_false(shake_hands(&client));
	client_close(&client);
	client_open(&client, TLS1_2_VERSION);
	assert_true(shake_hands(&client));
	client_close(&client);
}

static void who_never_shakes_hands_is_let_go(void **state)
{
	const struct sip_transport_limits limits = {.first_ms = 100};
	struct sip_tls_config config = files();
	struct client client;

	(void)state;
	sip_transport_limit(sip_stack_transport(rig.stack), &limits);
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	client_open(&client, TLS1_3_VERSION);
	rig_wait(&rig, &rig.closed, 1);
	client_close(&client);
	client_open(&client, TLS1_3_VERSION);
	assert_int_equal(write(client.fd, "GET / HTTP/1.0\r\n\r\n", 18), 18);
	rig_wait(&rig, &rig.closed, 2);
	client_close(&client);
}

static void bad_files_are_named(void **state)
{
	struct sip_transport *transport = sip_stack_transport(rig.stack);
	struct sip_tls_config config = files();
	struct netaddr at;
	struct error err;

	(void)state;
	assert_int_equal(netaddr_parse(&at, STR("127.0.0.1:0")), 0);
	assert_int_equal(sip_transport_listen(transport, SIP_TLS, &at, NULL, &err), -EINVAL);
	config.own.certificate = "/nonexistent/cert.pem";
	assert_int_equal(sip_transport_listen(transport, SIP_TLS, &at, &config, &err), -EINVAL);
	assert_non_null(strstr(err.text, "/nonexistent/cert.pem"));
	config = files();
	config.own.certificate = ca_file; /* not of that key */
	assert_int_equal(sip_transport_listen(transport, SIP_TLS, &at, &config, &err), -EINVAL);
	assert_non_null(strstr(err.text, key_file));
}

/* ---- ends that only connect ------------------------------------------------------------------ */

/* From 127.0.0.`host`, where nobody is accepted. */
static struct sip_flow connects_from(unsigned host, const struct sip_tls_config *config)
{
	struct sip_flow flow = {.proto = SIP_TLS, .remote = rig.at[SIP_TLS]};
	struct error err = {""};
	char text[32];

	snprintf(text, sizeof(text), "127.0.0.%u:5061", host);
	assert_int_equal(netaddr_parse(&flow.local, str_of(text)), 0);
	assert_int_equal(sip_transport_listen(sip_stack_transport(rig.stack), SIP_TLS, &flow.local,
					      config, &err),
			 0);
	return flow;
}

static void who_only_connects_needs_no_certificate(void **state)
{
	const struct sip_tls_config config = files(), known = {.ca = ca_file},
				    unknown = {.ca = other_file},
				    any = {.ca = other_file, .unchecked = true};
	struct sip_flow flow, accepted;

	(void)state;
	rig_listen(&rig, SIP_TLS, "127.0.0.1", &config);
	flow = connects_from(2, &known);
	rig_send(&rig, SIP_OPTIONS, &flow, "");
	rig_wait(&rig, &rig.responses, 1);
	assert_int_equal(rig.status[0], 200);
	assert_true(netaddr_same_host(&rig.request->flow.remote, &flow.local));
	accepted = flow;
	accepted.remote = flow.local; /* nobody is there */
	accepted.local = rig.at[SIP_TLS];
	rig_send(&rig, SIP_OPTIONS, &accepted, "");
	rig_wait(&rig, &rig.failures, 1);
	flow = connects_from(3, &unknown);
	rig_send(&rig, SIP_OPTIONS, &flow, "");
	rig_wait(&rig, &rig.failures, 2);
	flow = connects_from(4, &any);
	rig_send(&rig, SIP_OPTIONS, &flow, "");
	rig_wait(&rig, &rig.responses, 2);
	assert_int_equal(rig.status[1], 200);
}

static void half_a_pair_is_refused(void **state)
{
	const struct sip_tls_config half = {.own = {certificate_file, NULL}},
				    none = {.require_client = true};
	struct error err;
	struct netaddr at;

	(void)state;
	assert_int_equal(netaddr_parse(&at, STR("127.0.0.1:5061")), 0);
	assert_int_equal(
		sip_transport_listen(sip_stack_transport(rig.stack), SIP_TLS, &at, &half, &err),
		-EINVAL);
	assert_int_equal(
		sip_transport_listen(sip_stack_transport(rig.stack), SIP_TLS, &at, &none, &err),
		-EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_right_name_is_let_in),
		TEST(another_name_is_not),
		TEST(an_unknown_authority_is_not),
		TEST(who_only_connects_needs_no_certificate),
		TEST(half_a_pair_is_refused),
		TEST(a_client_may_be_asked_for_a_certificate),
		TEST(who_has_no_certificate_is_let_in_unless_asked),
		TEST(the_name_that_is_asked_for_chooses_the_certificate),
		TEST(certificates_are_renewed),
		TEST(old_versions_are_refused),
		TEST(who_never_shakes_hands_is_let_go),
		TEST(bad_files_are_named),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("TLS", tests, make_files, remove_files);
}
