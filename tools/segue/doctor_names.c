/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of names: do our domains lead to us, and are the certificates good for them? */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "doctor.h"

#define DNS_SECONDS 2
#define EXPIRES_DAYS 30
#define ANSWER_MAX 4096
#define RECORDS 16

/* ---- DNS ------------------------------------------------------------------------------------- */

static void use_servers(struct __res_state *state, const json_t *servers)
{
	const json_t *server;
	size_t i;

	state->retrans = DNS_SECONDS;
	state->retry = 1;
	json_array_foreach(servers, i, server)
	{
		const char *text = json_string_value(json_object_get(server, "address"));
		json_int_t port = json_integer_value(json_object_get(server, "port"));
		struct sockaddr_in at = {.sin_family = AF_INET,
					 .sin_port = htons((uint16_t)(port ? port : 53))};

		if (i >= MAXNS || !inet_pton(AF_INET, text, &at.sin_addr))
			continue;
		state->nsaddr_list[i] = at;
		state->nscount = (int)i + 1;
	}
}

static bool is_listened_at(const struct doctor *doctor, const char *address)
{
	const json_t *listener;
	size_t i;

	json_array_foreach(json_object_get(doctor->config, "listen"), i, listener)
	{
		if (!strcmp(json_string_value(json_object_get(listener, "address")), address))
			return true;
	}
	return false;
}

/* Is one of the addresses in that answer ours? */
static bool has_ours(const struct doctor *doctor, const unsigned char *answer, int length)
{
	char text[INET6_ADDRSTRLEN];
	bool ours = false;
	ns_msg message;
	ns_rr record;

	if (ns_initparse(answer, length, &message) < 0)
		return false;
	for (int i = 0; i < ns_msg_count(message, ns_s_an) && i < RECORDS; i++) {
		if (ns_parserr(&message, ns_s_an, i, &record) < 0)
			continue;
		if ((ns_rr_type(record) == ns_t_a && ns_rr_rdlen(record) == 4 &&
		     inet_ntop(AF_INET, ns_rr_rdata(record), text, sizeof(text))) ||
		    (ns_rr_type(record) == ns_t_aaaa && ns_rr_rdlen(record) == 16 &&
		     inet_ntop(AF_INET6, ns_rr_rdata(record), text, sizeof(text))))
			ours |= is_listened_at(doctor, text);
	}
	return ours;
}

/* Asked of the same servers, and of no file of this machine: as others see the name. */
static bool leads_to_us(const struct doctor *doctor, struct __res_state *state, const char *name)
{
	static const int types[] = {ns_t_a, ns_t_aaaa};
	unsigned char answer[ANSWER_MAX];
	bool ours = false;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int length = res_nquery(state, name, ns_c_in, types[i], answer, sizeof(answer));

		ours |= length > 0 && has_ours(doctor, answer, length);
	}
	return ours;
}

/* Over the records of an answer; how many name us, of *count. */
static unsigned count_ours(const struct doctor *doctor, struct __res_state *state,
			   const unsigned char *answer, int length, unsigned *count)
{
	unsigned ours = 0;
	ns_msg message;
	ns_rr record;

	*count = 0;
	if (ns_initparse(answer, length, &message) < 0)
		return 0;
	for (int i = 0; i < ns_msg_count(message, ns_s_an) && i < RECORDS; i++) {
		char name[NS_MAXDNAME];

		if (ns_parserr(&message, ns_s_an, i, &record) < 0 ||
		    ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) < 7 ||
		    dn_expand(ns_msg_base(message), ns_msg_end(message), ns_rr_rdata(record) + 6,
			      name, sizeof(name)) < 0)
			continue;
		++*count;
		ours += leads_to_us(doctor, state, name);
	}
	return ours;
}

static void look_at_domain(struct doctor *doctor, struct __res_state *state, const char *domain)
{
	unsigned char answer[ANSWER_MAX];
	char name[NS_MAXDNAME], cure[CURE_LEN];
	unsigned count, ours;
	int length;

	snprintf(name, sizeof(name), "_sip._udp.%.900s", domain);
	snprintf(cure, sizeof(cure), "in the zone: _sip._udp.%.100s. SRV 10 0 5060 HOST", domain);
	length = res_nquery(state, name, ns_c_in, ns_t_srv, answer, sizeof(answer));
	if (length < 0 && state->res_h_errno == TRY_AGAIN) {
		doctor_report(doctor, RESULT_WARNING, domain,
			      "cat /etc/resolv.conf (or sip.nameservers)",
			      "no name server answers: calls to other domains find no way");
		return;
	}
	ours = length < 0 ? 0 : count_ours(doctor, state, answer, length, &count);
	if (length < 0 || !count)
		doctor_report(
			doctor, RESULT_WARNING, domain, cure,
			"has no SRV record for SIP: phones and other domains must be told our "
			"address");
	else if (!ours)
		doctor_report(doctor, RESULT_WARNING, domain, cure,
			      "its SRV records lead elsewhere than to an address of sip.listen");
	else
		doctor_report(doctor, RESULT_OK, domain, NULL, "%u of %u SRV records lead to us",
			      ours, count);
}

static bool is_literal(const char *domain)
{
	unsigned char address[16];

	return inet_pton(AF_INET, domain, address) == 1 || strchr(domain, ':');
}

void doctor_dns(struct doctor *doctor)
{
	struct __res_state state = {0};
	const json_t *domain;
	size_t i;

	if (!doctor->config || res_ninit(&state) < 0) {
		doctor_report(doctor, RESULT_OK, NULL, NULL, "no domains are known");
		return;
	}
	use_servers(&state, json_object_get(doctor->config, "nameservers"));
	json_array_foreach(json_object_get(doctor->config, "domains"), i, domain)
	{
		const char *name = json_string_value(domain);

		if (is_literal(name))
			doctor_report(doctor, RESULT_OK, name, NULL,
				      "is an address, and needs no DNS");
		else
			look_at_domain(doctor, &state, name);
	}
	res_nclose(&state);
}

/* ---- certificates -----------------------------------------------------------------------------
 */

static X509 *read_certificate(const char *path)
{
	FILE *file = fopen(path, "re");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

	if (file)
		fclose(file);
	return certificate;
}

/* Is there a domain of ours that it is good for? */
static bool fits_a_domain(const struct doctor *doctor, X509 *certificate)
{
	const json_t *domain;
	size_t i;

	json_array_foreach(json_object_get(doctor->config, "domains"), i, domain)
	{
		const char *name = json_string_value(domain);

		if (X509_check_host(certificate, name, strlen(name), 0, NULL) == 1)
			return true;
	}
	return false;
}

static void look_at_life(struct doctor *doctor, const char *path, X509 *certificate)
{
	static const char cure[] = "renew it, then: systemctl reload segued";
	int days = 0, seconds = 0;

	if (!ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)))
		doctor_report(doctor, RESULT_PROBLEM, path, cure, "says no time that can be read");
	else if (days < 0 || seconds < 0)
		doctor_report(doctor, RESULT_PROBLEM, path, cure, "expired %d days ago", -days);
	else if (days < EXPIRES_DAYS)
		doctor_report(doctor, RESULT_WARNING, path, cure, "expires in %d days", days);
	else
		doctor_report(doctor, RESULT_OK, path, NULL, "good for %d more days", days);
}

static void look_at_key(struct doctor *doctor, const char *path, X509 *certificate)
{
	FILE *file = fopen(path, "re");
	EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

	if (!file && errno == EACCES)
		doctor_report(doctor, RESULT_OK, path, NULL,
			      "not for us to read: as root it is compared");
	else if (!key)
		doctor_report(doctor, RESULT_PROBLEM, path, "ls -l, and sip.tls.key",
			      "cannot be read as a key without a password");
	else if (X509_check_private_key(certificate, key) != 1)
		doctor_report(doctor, RESULT_PROBLEM, path,
			      "name the key that the certificate was made for",
			      "is not the key of its certificate");
	if (file)
		fclose(file);
	EVP_PKEY_free(key);
}

static void look_at_pair(struct doctor *doctor, const json_t *pair)
{
	const char *path = json_string_value(json_object_get(pair, "certificate"));
	X509 *certificate = read_certificate(path);

	if (!certificate) {
		doctor_report(doctor, RESULT_PROBLEM, path, "ls -l, and sip.tls.certificate",
			      "cannot be read as a certificate");
		return;
	}
	look_at_life(doctor, path, certificate);
	look_at_key(doctor, json_string_value(json_object_get(pair, "key")), certificate);
	if (!fits_a_domain(doctor, certificate))
		doctor_report(doctor, RESULT_WARNING, path,
			      "one whose names have a domain of sip.domains",
			      "is good for no domain of ours: peers that check it go away");
	X509_free(certificate);
}

void doctor_certificates(struct doctor *doctor)
{
	const json_t *pairs = json_object_get(doctor->config, "certificates"), *pair;
	size_t i;

	if (!json_array_size(pairs))
		doctor_report(doctor, RESULT_OK, NULL, NULL, "none is configured");
	json_array_foreach(pairs, i, pair)
	{
		look_at_pair(doctor, pair);
	}
}
