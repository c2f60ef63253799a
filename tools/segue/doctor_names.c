/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of names: do our domains lead to us, and are the certificates good for them? */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "doctor.h"

#define DNS_SECONDS 2
#define EXPIRES_DAYS 30
#define ANSWER_MAX 4096
#define RECORDS 16

/* ---- DNS ------------------------------------------------------------------------------------- */

/*
 * The resolver keeps IPv6 servers beside its list, whose place for them has no family. It would
 * free its own, so that ours, which are the caller's, have to be taken out before it is closed.
 */
static void set_server6(struct __res_state *state, int place, struct sockaddr_in6 *server)
{
	free(state->_u._ext.nsaddrs[place]);
	state->_u._ext.nsaddrs[place] = server;
	state->_u._ext.nssocks[place] = -1;
	state->nsaddr_list[place] = (struct sockaddr_in){.sin_family = 0};
}

static void take_servers6(struct __res_state *state, struct sockaddr_in6 own[MAXNS])
{
	for (int i = 0; i < MAXNS; i++) {
		if (state->_u._ext.nsaddrs[i] == &own[i])
			state->_u._ext.nsaddrs[i] = NULL;
	}
}

static bool set_server(struct __res_state *state, int place, const json_t *server,
		       struct sockaddr_in6 own[MAXNS])
{
	const char *text = json_string_value(json_object_get(server, "address"));
	json_int_t port = json_integer_value(json_object_get(server, "port"));
	in_port_t at = htons((uint16_t)(port ? port : NS_DEFAULTPORT));
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = at};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = at};

	if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		own[place] = v6;
		set_server6(state, place, &own[place]);
		return true;
	}
	if (inet_pton(AF_INET, text, &v4.sin_addr) != 1)
		return false;
	state->nsaddr_list[place] = v4;
	return true;
}

static void use_servers(struct __res_state *state, const json_t *servers,
			struct sockaddr_in6 own[MAXNS])
{
	const json_t *server;
	int count = 0;
	size_t i;

	state->retrans = DNS_SECONDS;
	state->retry = 1;
	json_array_foreach(servers, i, server)
	{
		if (count < MAXNS && set_server(state, count, server, own))
			state->nscount = ++count;
	}
}

/* The protocols that we listen at, and the names of their SRV records (RFC 3263 4.2). */
static const struct service {
	const char *proto, *name;
} services[] = {{"udp", "_sip._udp"}, {"tcp", "_sip._tcp"}, {"tls", "_sips._tcp"}};

/* Is there a listener of that kind; at that address and port, if one is given? */
static bool is_listened_at(const struct doctor *doctor, const char *proto, const char *address,
			   json_int_t port)
{
	const json_t *listener;
	size_t i;

	json_array_foreach(json_object_get(doctor->config, "listen"), i, listener)
	{
		if (strcmp(json_string_value(json_object_get(listener, "proto")), proto) != 0)
			continue;
		if (!address ||
		    (!strcmp(json_string_value(json_object_get(listener, "address")), address) &&
		     json_integer_value(json_object_get(listener, "port")) == port))
			return true;
	}
	return false;
}

/* Is one of the addresses in that answer, with that port, ours? */
static bool has_ours(const struct doctor *doctor, const struct service *service, unsigned port,
		     const unsigned char *answer, int length)
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
			ours |= is_listened_at(doctor, service->proto, text, port);
	}
	return ours;
}

/* Asked of the same servers, and of no file of this machine: as others see the name. */
static bool leads_to_us(const struct doctor *doctor, struct __res_state *state,
			const struct service *service, const char *name, unsigned port)
{
	static const int types[] = {ns_t_a, ns_t_aaaa};
	unsigned char answer[ANSWER_MAX];
	bool ours = false;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int length = res_nquery(state, name, ns_c_in, types[i], answer, sizeof(answer));

		ours |= length > 0 && has_ours(doctor, service, port, answer, length);
	}
	return ours;
}

/* Over the records of an answer; how many name us, of *count. */
static unsigned count_ours(const struct doctor *doctor, struct __res_state *state,
			   const struct service *service, const unsigned char *answer, int length,
			   unsigned *count)
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
		ours += leads_to_us(doctor, state, service, name,
				    ns_get16(ns_rr_rdata(record) + 4));
	}
	return ours;
}

/* False when no name server answers: then there is no use in asking more. */
static bool look_at_service(struct doctor *doctor, struct __res_state *state,
			    const struct service *service, const char *domain)
{
	unsigned char answer[ANSWER_MAX];
	char name[NS_MAXDNAME], cure[CURE_LEN];
	unsigned count = 0, ours;
	int length;

	snprintf(name, sizeof(name), "%s.%.900s", service->name, domain);
	snprintf(cure, sizeof(cure), "in the zone: %.120s. SRV 10 0 %s HOST", name,
		 strcmp(service->proto, "tls") == 0 ? "5061" : "5060");
	length = res_nquery(state, name, ns_c_in, ns_t_srv, answer, sizeof(answer));
	if (length < 0 && state->res_h_errno == TRY_AGAIN) {
		doctor_report(doctor, RESULT_WARNING, domain,
			      "cat /etc/resolv.conf (or sip.nameservers)",
			      "no name server answers: calls to other domains find no way");
		return false;
	}
	ours = length < 0 ? 0 : count_ours(doctor, state, service, answer, length, &count);
	if (!count)
		doctor_report(doctor, RESULT_WARNING, domain, cure,
			      "has no SRV record %s: phones and other domains must be told our "
			      "address",
			      service->name);
	else if (!ours)
		doctor_report(doctor, RESULT_WARNING, domain, cure,
			      "its SRV records %s lead elsewhere than to an address and port of "
			      "sip.listen",
			      service->name);
	else
		doctor_report(doctor, RESULT_OK, domain, NULL, "%u of %u SRV records %s lead to us",
			      ours, count, service->name);
	return true;
}

static void look_at_domain(struct doctor *doctor, struct __res_state *state, const char *domain)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		if (is_listened_at(doctor, services[i].proto, NULL, 0) &&
		    !look_at_service(doctor, state, &services[i], domain))
			return;
	}
}

static bool is_literal(const char *domain)
{
	unsigned char address[16];

	return inet_pton(AF_INET, domain, address) == 1 || strchr(domain, ':');
}

void doctor_dns(struct doctor *doctor)
{
	struct __res_state state = {0};
	struct sockaddr_in6 own[MAXNS];
	const json_t *domain;
	size_t i;

	if (!doctor->config || res_ninit(&state) < 0) {
		doctor_report(doctor, RESULT_OK, NULL, NULL, "no domains are known");
		return;
	}
	use_servers(&state, json_object_get(doctor->config, "nameservers"), own);
	json_array_foreach(json_object_get(doctor->config, "domains"), i, domain)
	{
		const char *name = json_string_value(domain);

		if (is_literal(name))
			doctor_report(doctor, RESULT_OK, name, NULL,
				      "is an address, and needs no DNS");
		else
			look_at_domain(doctor, &state, name);
	}
	take_servers6(&state, own);
	res_nclose(&state);
}

/* ---- certificates -----------------------------------------------------------------------------
 */

#define SUBJECT_LEN 300

/* The next one of a file; NULL at its end, and with *broken where a block is none. */
static X509 *next_certificate(FILE *file, bool *broken)
{
	X509 *certificate;

	ERR_clear_error();
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	*broken = !certificate && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	ERR_clear_error();
	return certificate;
}

/* What a finding about the `number`th certificate of a file is about. */
static void name_certificate(const char *path, unsigned number, X509 *certificate,
			     char out[SUBJECT_LEN])
{
	char name[100] = "";

	if (certificate)
		X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof(name));
	if (number == 1)
		snprintf(out, SUBJECT_LEN, "%s", path);
	else
		snprintf(out, SUBJECT_LEN, "%.150s, certificate %u%s%s", path, number,
			 *name ? " " : "", name);
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

/* True for one that is good, of which nothing is said yet. */
static bool look_at_life(struct doctor *doctor, const char *subject, const char *cure,
			 X509 *certificate, int *days)
{
	int seconds = 0;

	*days = 0;
	if (!ASN1_TIME_diff(days, &seconds, NULL, X509_get0_notAfter(certificate)))
		doctor_report(doctor, RESULT_PROBLEM, subject, cure,
			      "says no time that can be read");
	else if (*days < 0 || seconds < 0)
		doctor_report(doctor, RESULT_PROBLEM, subject, cure, "expired %d days ago", -*days);
	else if (*days < EXPIRES_DAYS)
		doctor_report(doctor, RESULT_WARNING, subject, cure, "expires in %d days", *days);
	else
		return true;
	return false;
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

/* The certificate itself, then those between it and an authority, which peers need as well. */
static unsigned look_at_chain(struct doctor *doctor, const char *path, const char *key, FILE *file)
{
	static const char cure[] = "renew it, then: systemctl reload segued";
	char subject[SUBJECT_LEN];
	unsigned count = 0;
	X509 *certificate;
	bool broken;
	int days;

	while ((certificate = next_certificate(file, &broken))) {
		name_certificate(path, ++count, certificate, subject);
		if (look_at_life(doctor, subject, cure, certificate, &days))
			doctor_report(doctor, RESULT_OK, subject, NULL, "good for %d more days",
				      days);
		if (count == 1) {
			look_at_key(doctor, key, certificate);
			if (!fits_a_domain(doctor, certificate))
				doctor_report(doctor, RESULT_WARNING, path,
					      "one whose names have a domain of sip.domains",
					      "is good for no domain of ours: peers that check it "
					      "go away");
		}
		X509_free(certificate);
	}
	name_certificate(path, count + 1, NULL, subject);
	if (broken && count)
		doctor_report(doctor, RESULT_PROBLEM, subject,
			      "segued --check, and sip.tls.certificate",
			      "cannot be read: peers get those before it only");
	return count;
}

static void look_at_pair(struct doctor *doctor, const json_t *pair)
{
	const char *path = json_string_value(json_object_get(pair, "certificate"));
	const char *key = json_string_value(json_object_get(pair, "key"));
	FILE *file = fopen(path, "re");

	if (!file || !look_at_chain(doctor, path, key, file))
		doctor_report(doctor, RESULT_PROBLEM, path, "ls -l, and sip.tls.certificate",
			      "cannot be read as a certificate");
	if (file)
		fclose(file);
}

/* Often a bundle of many: only those with which something is wrong are named. */
static void look_at_authorities(struct doctor *doctor, const char *path)
{
	static const char cure[] = "renew the file, then: systemctl reload segued";
	unsigned count = 0, good = 0;
	FILE *file = fopen(path, "re");
	char subject[SUBJECT_LEN];
	X509 *certificate;
	bool broken = false;
	int days;

	while (file && (certificate = next_certificate(file, &broken))) {
		name_certificate(path, ++count, certificate, subject);
		good += look_at_life(doctor, subject, cure, certificate, &days);
		X509_free(certificate);
	}
	if (file)
		fclose(file);
	if (!count || broken)
		doctor_report(doctor, RESULT_PROBLEM, path, "ls -l, and sip.tls.authorities",
			      "cannot be read as certificates beyond the first %u", count);
	else
		doctor_report(doctor, good ? RESULT_OK : RESULT_PROBLEM, path, good ? NULL : cure,
			      "%u of %u authorities are good for a month", good, count);
}

void doctor_certificates(struct doctor *doctor)
{
	const json_t *pairs = json_object_get(doctor->config, "certificates"), *pair;
	const char *authorities = json_string_value(json_object_get(doctor->config, "authorities"));
	size_t i;

	if (!json_array_size(pairs) && !authorities)
		doctor_report(doctor, RESULT_OK, NULL, NULL, "none is configured");
	json_array_foreach(pairs, i, pair)
	{
		look_at_pair(doctor, pair);
	}
	if (authorities)
		look_at_authorities(doctor, authorities);
}
