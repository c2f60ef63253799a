// SPDX-License-Identifier: BSD-2-Clause
/* Records as c-ares reads them, in our form. */
#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "sip/resolve_dns.h"

static struct dns_answer *answer_new(int error)
{
	struct dns_answer *answer =
		calloc(1, sizeof(*answer) + DNS_RECORDS * sizeof(answer->record[0]));

	if (answer)
		answer->error = error;
	return answer;
}

static bool is_full(const struct dns_answer *answer)
{
	return answer->count >= DNS_RECORDS;
}

/* Of one that is not full. */
static struct dns_record *next_record(struct dns_answer *answer)
{
	return &answer->record[answer->count++];
}

static bool set_name(struct dns_record *record, const char *name)
{
	return snprintf(record->name, sizeof(record->name), "%s", name) < (int)sizeof(record->name);
}

static int read_ipv4(struct dns_answer *answer, const unsigned char *data, int len)
{
	struct ares_addrttl found[DNS_RECORDS];
	int count = DNS_RECORDS;
	int status = ares_parse_a_reply(data, len, NULL, found, &count);

	for (int i = 0; !status && i < count; i++) {
		const struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = found[i].ipaddr};

		netaddr_from_sockaddr(&next_record(answer)->address, (const struct sockaddr *)&at);
	}
	return status;
}

static int read_ipv6(struct dns_answer *answer, const unsigned char *data, int len)
{
	struct ares_addr6ttl found[DNS_RECORDS];
	int count = DNS_RECORDS;
	int status = ares_parse_aaaa_reply(data, len, NULL, found, &count);

	for (int i = 0; !status && i < count; i++)
		memcpy(next_record(answer)->address.addr, &found[i].ip6addr, 16);
	return status;
}

static int read_srv(struct dns_answer *answer, const unsigned char *data, int len)
{
	struct ares_srv_reply *list = NULL;
	int status = ares_parse_srv_reply(data, len, &list);

	for (struct ares_srv_reply *srv = status ? NULL : list; srv && !is_full(answer);
	     srv = srv->next) {
		struct dns_record *record = next_record(answer);

		record->order = srv->priority;
		record->preference = srv->weight;
		record->port = srv->port;
		if (!srv->host[0] || !srv->port || !set_name(record, srv->host))
			answer->count--; /* "." says that there is no such service (RFC 2782) */
	}
	if (list)
		ares_free_data(list);
	return status;
}

/* RFC 3263 4.1: services that lead to SRV records (flag "s"). */
static bool read_service(struct dns_record *record, const struct ares_naptr_reply *naptr)
{
	static const struct {
		const char *service;
		enum sip_proto proto;
	} known[] = {{"SIP+D2U", SIP_UDP}, {"SIP+D2T", SIP_TCP}, {"SIPS+D2T", SIP_TLS}};

	if (!str_case_eq(str_of((const char *)naptr->flags), STR("s")))
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_case_eq(str_of((const char *)naptr->service), str_of(known[i].service))) {
			record->proto = known[i].proto;
			return true;
		}
	}
	return false;
}

static int read_naptr(struct dns_answer *answer, const unsigned char *data, int len)
{
	struct ares_naptr_reply *list = NULL;
	int status = ares_parse_naptr_reply(data, len, &list);

	for (struct ares_naptr_reply *naptr = status ? NULL : list; naptr && !is_full(answer);
	     naptr = naptr->next) {
		struct dns_record *record = next_record(answer);

		record->order = naptr->order;
		record->preference = naptr->preference;
		if (!naptr->replacement[0] || !read_service(record, naptr) ||
		    !set_name(record, naptr->replacement))
			answer->count--;
	}
	if (list)
		ares_free_data(list);
	return status;
}

static int error_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
		return -ENOENT;
	case ARES_ETIMEOUT:
		return -ETIMEDOUT;
	case ARES_ENOMEM:
		return -ENOMEM;
	default:
		return -EHOSTUNREACH;
	}
}

struct dns_answer *dns_read(enum dns_type type, int status, const unsigned char *data, int len)
{
	static int (*const readers[])(struct dns_answer *, const unsigned char *, int) = {
		[DNS_A] = read_ipv4,
		[DNS_AAAA] = read_ipv6,
		[DNS_SRV] = read_srv,
		[DNS_NAPTR] = read_naptr,
	};
	struct dns_answer *answer = answer_new(0);

	if (!answer)
		return NULL;
	if (status == ARES_SUCCESS)
		status = readers[type](answer, data, len);
	answer->error = error_of(status);
	if (!answer->error && !answer->count)
		answer->error = -ENOENT;
	if (answer->error)
		answer->count = 0;
	return answer;
}

/* ---- times to live: c-ares gives them for addresses only ------------------------------------- */

static unsigned get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Behind the name that begins there; NULL: malformed. */
static const unsigned char *skip_name(const unsigned char *at, const unsigned char *data, int len)
{
	char *name = NULL;
	long used = 0;

	if (at >= data + len || ares_expand_name(at, data, len, &name, &used) != ARES_SUCCESS)
		return NULL;
	ares_free_string(name);
	return at + used;
}

uint32_t dns_read_ttl(const unsigned char *data, int len)
{
	const unsigned char *end = data + len, *at = data + 12;
	uint32_t least = UINT32_MAX;
	unsigned questions, answers;

	if (len < 12)
		return 0;
	questions = get16(data + 4);
	answers = get16(data + 6);
	while (questions-- && (at = skip_name(at, data, len)) && end - at >= 4)
		at += 4;
	while (at && answers-- && (at = skip_name(at, data, len)) && end - at >= 10) {
		uint32_t ttl = get16(at + 4) << 16 | get16(at + 6);
		unsigned size = get16(at + 8);

		least = ttl < least ? ttl : least;
		if (size > (size_t)(end - at - 10))
			break;
		at += 10 + size;
	}
	return least == UINT32_MAX ? 0 : least;
}
