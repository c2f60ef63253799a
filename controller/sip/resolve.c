// SPDX-License-Identifier: BSD-2-Clause
/*
 * RFC 3263 4: NAPTR says by which protocols, SRV by which servers, A and AAAA by which addresses.
 * Each stage asks all its questions at once and goes on when the last one is answered; what is
 * known already is answered on the spot.
 */
#include "sip/resolve.h"

#include <errno.h>
#include <stdlib.h>

#include "sip/resolve_dns.h"

#define SERVICES 3u	      /* protocols of one domain */
#define SERVERS SIP_TARGETS   /* of all its protocols */
#define LOOKUPS (2 * SERVERS) /* at one time: A and AAAA of each server */
#define LONGEST_MS 8000u      /* then a caller has waited long enough */

struct sip_resolver {
	struct dns *dns;
	struct wheel *wheel;
	struct log *log;
	struct list queries;
	uint64_t random;
};

enum stage { STAGE_NAPTR, STAGE_SRV, STAGE_ADDRESS, STAGE_DONE };

struct service {
	enum sip_proto proto;
	char name[SIP_NAME_MAX]; /* "_sip._udp.example.net" */
};

struct server {
	enum sip_proto proto;
	uint16_t port;
	char name[SIP_NAME_MAX];
	struct netaddr address[DNS_RECORDS * 2];
	size_t addresses;
};

struct lookup {
	struct dns_waiter waiter;
	struct sip_query *query;
	size_t of; /* service or server that it is for */
};

/* What the URI itself says of the protocol. */
struct wish {
	bool secure, chosen; /* sips; it is `proto` and no other */
	enum sip_proto proto;
};

struct sip_query {
	struct list node;
	struct sip_resolver *resolver;
	sip_resolve_fn *fn;
	void *context;
	struct timer timer;
	enum stage stage;
	struct wish wish;
	size_t pending;
	struct lookup lookup[LOOKUPS];
	struct service service[SERVICES]; /* in the order in which they are wanted */
	size_t services;
	struct dns_record srv[SERVICES][DNS_RECORDS];
	size_t srvs[SERVICES];
	struct server server[SERVERS];
	size_t servers;
	bool timed_out; /* a server of the DNS was silent */
	struct sip_targets targets;
};

int sip_resolver_alloc(struct sip_resolver **out, struct event_base *base, struct wheel *wheel,
		       struct log *log, const struct netaddr *nameserver, size_t nameservers)
{
	struct sip_resolver *resolver = calloc(1, sizeof(*resolver));
	struct hash_seed seed;
	int ret;

	if (!resolver)
		return -ENOMEM;
	resolver->wheel = wheel;
	resolver->log = log;
	list_init(&resolver->queries);
	ret = hash_seed_make(&seed);
	if (!ret)
		ret = dns_alloc(&resolver->dns, base, wheel, nameserver, nameservers);
	if (ret < 0) {
		free(resolver);
		return ret;
	}
	resolver->random = seed.k0;
	*out = resolver;
	return 0;
}

static void query_free(struct sip_query *query)
{
	for (size_t i = 0; i < LOOKUPS; i++)
		dns_forget(&query->lookup[i].waiter);
	timer_stop(&query->timer);
	list_remove(&query->node);
	free(query);
}

void sip_resolver_free(struct sip_resolver *resolver)
{
	if (!resolver)
		return;
	list_for_each(node, after, &resolver->queries)
		query_free(container_of(node, struct sip_query, node));
	dns_free(resolver->dns);
	free(resolver);
}

void sip_query_cancel(struct sip_query *query)
{
	if (query)
		query_free(query);
}

/* ---- what the URI itself says (RFC 3263 4.1) ------------------------------------------------- */

static uint16_t default_port(enum sip_proto proto)
{
	return proto == SIP_TLS ? 5061 : 5060;
}

/* sips means TLS, whatever else it says, and never anything less (RFC 3261 26.2.2, RFC 5630). */
static int read_wish(struct wish *wish, const struct sip_uri *uri)
{
	struct str transport;

	wish->secure = str_case_eq(uri->scheme, STR("sips"));
	if (!wish->secure && !str_case_eq(uri->scheme, STR("sip")))
		return -EINVAL;
	wish->proto = wish->secure ? SIP_TLS : SIP_UDP;
	wish->chosen = sip_param(uri->params, "transport", &transport);
	if (wish->chosen && sip_proto_parse(&wish->proto, transport) < 0)
		return -EINVAL;
	if (wish->secure && wish->proto == SIP_UDP)
		return -EINVAL;
	if (wish->secure)
		wish->proto = SIP_TLS;
	return 0;
}

/* Lower case, so that it is remembered once; without the dot at the end. */
static int copy_name(char out[SIP_NAME_MAX], struct str name)
{
	if (name.n && name.p[name.n - 1] == '.')
		name.n--;
	if (!name.n || name.n >= SIP_NAME_MAX - sizeof("_sips._tcp."))
		return -EINVAL;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c == '\0')
			return -EINVAL;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 32);
		out[i] = c;
	}
	out[name.n] = '\0';
	return 0;
}

static void add_server(struct sip_query *query, enum sip_proto proto, const char *name,
		       uint16_t port)
{
	struct server *server;

	if (query->servers >= SERVERS)
		return;
	server = &query->server[query->servers++];
	server->proto = proto;
	server->port = port;
	server->addresses = 0;
	memcpy(server->name, name, strlen(name) + 1);
}

static void add_service(struct sip_query *query, enum sip_proto proto)
{
	static const char *const prefixes[] = {
		[SIP_UDP] = "_sip._udp.", [SIP_TCP] = "_sip._tcp.", [SIP_TLS] = "_sips._tcp."};
	struct service *service = &query->service[query->services++];
	size_t len = strlen(prefixes[proto]);

	service->proto = proto;
	memcpy(service->name, prefixes[proto], len);
	memcpy(service->name + len, query->targets.name, strlen(query->targets.name) + 1);
}

/* Where to begin: the more the URI says, the less is asked. */
static void begin(struct sip_query *query, const struct sip_uri *uri)
{
	if (uri->port) {
		add_server(query, query->wish.proto, query->targets.name, uri->port);
		query->stage = STAGE_ADDRESS;
	} else if (query->wish.chosen) {
		add_service(query, query->wish.proto);
		query->stage = STAGE_SRV;
	} else {
		query->stage = STAGE_NAPTR;
	}
}

/* ---- stages ---------------------------------------------------------------------------------- */

static void on_answer(struct dns_waiter *waiter, const struct dns_answer *answer);
static void take_answer(const struct lookup *lookup, const struct dns_answer *answer);

static void ask(struct sip_query *query, size_t index, enum dns_type type, const char *name,
		size_t of)
{
	struct lookup *lookup = &query->lookup[index];
	const struct dns_answer *answer;

	lookup->query = query;
	lookup->of = of;
	lookup->waiter.fn = on_answer;
	answer = dns_lookup(query->resolver->dns, type, name, &lookup->waiter);
	if (answer)
		take_answer(lookup, answer);
	else
		query->pending++;
}

/* Asks what the stage wants to know. */
static void ask_stage(struct sip_query *query)
{
	query->pending++; /* so that nothing ends before all is asked */
	if (query->stage == STAGE_NAPTR)
		ask(query, 0, DNS_NAPTR, query->targets.name, 0);
	for (size_t i = 0; query->stage == STAGE_SRV && i < query->services; i++)
		ask(query, i, DNS_SRV, query->service[i].name, i);
	for (size_t i = 0; query->stage == STAGE_ADDRESS && i < query->servers; i++) {
		ask(query, 2 * i, DNS_A, query->server[i].name, i);
		ask(query, 2 * i + 1, DNS_AAAA, query->server[i].name, i);
	}
	query->pending--;
}

static bool naptr_before(const struct dns_record *a, const struct dns_record *b)
{
	return a->order != b->order ? a->order < b->order : a->preference < b->preference;
}

/* Each protocol once, the most wanted first; for sips only TLS. */
static void take_naptr(struct sip_query *query, const struct dns_answer *answer)
{
	bool used[DNS_RECORDS] = {false};

	for (size_t round = 0; round < answer->count && query->services < SERVICES; round++) {
		const struct dns_record *best = NULL;

		for (size_t i = 0; i < answer->count; i++) {
			const struct dns_record *record = &answer->record[i];

			if (!used[i] && (!best || naptr_before(record, best)))
				best = record;
		}
		used[best - answer->record] = true;
		if (query->wish.secure && best->proto != SIP_TLS)
			continue;
		query->service[query->services].proto = best->proto;
		memcpy(query->service[query->services++].name, best->name, SIP_NAME_MAX);
	}
}

static void take_srv(struct sip_query *query, size_t of, const struct dns_answer *answer)
{
	memcpy(query->srv[of], answer->record, answer->count * sizeof(answer->record[0]));
	query->srvs[of] = answer->count;
	srv_order(query->srv[of], answer->count, &query->resolver->random);
}

static void take_addresses(struct server *server, const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		server->address[server->addresses] = answer->record[i].address;
		server->address[server->addresses++].port = server->port;
	}
}

static void take_answer(const struct lookup *lookup, const struct dns_answer *answer)
{
	struct sip_query *query = lookup->query;

	query->timed_out = query->timed_out || answer->error == -ETIMEDOUT;
	if (query->stage == STAGE_NAPTR)
		take_naptr(query, answer);
	else if (query->stage == STAGE_SRV)
		take_srv(query, lookup->of, answer);
	else if (query->stage == STAGE_ADDRESS)
		take_addresses(&query->server[lookup->of], answer);
}

/* Without NAPTR records: the services that there could be (RFC 3263 4.1). */
static void guess_services(struct sip_query *query)
{
	if (!query->wish.secure) {
		add_service(query, SIP_UDP);
		add_service(query, SIP_TCP);
	}
	add_service(query, SIP_TLS);
}

/* Without SRV records: the domain itself is the server (RFC 3263 4.2). */
static void list_servers(struct sip_query *query)
{
	for (size_t i = 0; i < query->services; i++) {
		for (size_t k = 0; k < query->srvs[i]; k++)
			add_server(query, query->service[i].proto, query->srv[i][k].name,
				   query->srv[i][k].port);
	}
	if (!query->servers)
		add_server(query, query->wish.proto, query->targets.name,
			   default_port(query->wish.proto));
}

/* IPv4 of a server first: who has no IPv6 there would wait long for it on UDP. */
static void list_targets(struct sip_query *query)
{
	struct sip_targets *targets = &query->targets;

	for (size_t i = 0; i < query->servers; i++) {
		const struct server *server = &query->server[i];

		for (unsigned round = 0; round < 2; round++) {
			for (size_t k = 0; k < server->addresses; k++) {
				if (netaddr_is_ipv4(&server->address[k]) == (round != 0) ||
				    targets->count >= SIP_TARGETS)
					continue;
				targets->target[targets->count++] =
					(struct sip_target){server->proto, server->address[k]};
			}
		}
	}
}

static void next_stage(struct sip_query *query)
{
	if (query->stage == STAGE_NAPTR && !query->services)
		guess_services(query);
	else if (query->stage == STAGE_SRV)
		list_servers(query);
	else if (query->stage == STAGE_ADDRESS)
		list_targets(query);
	query->stage++;
}

/* As far as the answers reach. */
static void run(struct sip_query *query)
{
	while (query->stage != STAGE_DONE) {
		ask_stage(query);
		if (query->pending)
			return;
		next_stage(query);
	}
}

static int outcome(const struct sip_query *query)
{
	if (query->targets.count)
		return 0;
	return query->timed_out ? -ETIMEDOUT : -EHOSTUNREACH;
}

static void finish(struct sip_query *query, int error)
{
	const struct sip_targets targets = query->targets;
	sip_resolve_fn *fn = query->fn;
	void *context = query->context;

	query_free(query);
	fn(context, &targets, error);
}

static void on_answer(struct dns_waiter *waiter, const struct dns_answer *answer)
{
	struct lookup *lookup = container_of(waiter, struct lookup, waiter);
	struct sip_query *query = lookup->query;

	take_answer(lookup, answer);
	if (--query->pending)
		return;
	next_stage(query);
	run(query);
	if (query->stage == STAGE_DONE)
		finish(query, outcome(query));
}

static void on_timer(void *context)
{
	finish(context, -ETIMEDOUT);
}

/* ---- the door -------------------------------------------------------------------------------- */

static int resolve_name(struct sip_query *query, const struct sip_uri *uri, struct sip_targets *now)
{
	begin(query, uri);
	run(query);
	if (query->stage != STAGE_DONE) {
		timer_start(query->resolver->wheel, &query->timer, LONGEST_MS, on_timer, query);
		return -EINPROGRESS;
	}
	*now = query->targets;
	return outcome(query);
}

static struct str target_host(const struct sip_uri *uri)
{
	struct str maddr;

	return sip_param(uri->params, "maddr", &maddr) && maddr.n ? maddr : uri->host;
}

static int numeric(const struct wish *wish, struct str host, uint16_t port, struct sip_targets *now)
{
	struct sip_target *target = &now->target[0];

	if (!port)
		port = default_port(wish->proto);
	if (netaddr_parse_host(&target->address, host, port) < 0)
		return -ENOENT;
	target->proto = wish->proto;
	now->count = 1;
	now->name[0] = '\0';
	return 0;
}

int sip_resolve(struct sip_resolver *resolver, const struct sip_uri *uri, struct sip_targets *now,
		sip_resolve_fn *fn, void *context, struct sip_query **later)
{
	struct sip_query *query;
	struct wish wish;
	int ret = read_wish(&wish, uri);

	*later = NULL;
	now->count = 0;
	if (ret < 0 || !numeric(&wish, target_host(uri), uri->port, now))
		return ret;
	query = calloc(1, sizeof(*query));
	if (!query)
		return -ENOMEM;
	query->resolver = resolver;
	query->fn = fn;
	query->context = context;
	query->wish = wish;
	list_append(&resolver->queries, &query->node);
	ret = copy_name(query->targets.name, target_host(uri));
	if (!ret)
		ret = resolve_name(query, uri, now);
	if (ret == -EINPROGRESS)
		*later = query;
	else
		query_free(query);
	return ret;
}
