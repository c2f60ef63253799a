// SPDX-License-Identifier: BSD-2-Clause
/* c-ares on our loop, and the memory of what it found. */
#include "sip/resolve_dns.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#define ENTRIES 2048u	 /* remembered or being asked */
#define MOST_TTL_S 3600u /* what DNS says for longer is asked again all the same */
#define NONE_TTL_S 10u	 /* "there is none": DNS mends itself sooner than its SOA says */
#define FAILED_TTL_S 2u	 /* the server does not answer: not each call has to find out */
#define TRY_MS 1000
#define TRIES 3
#define SOCKETS 32u

struct entry {
	struct hash_node node;
	struct list age; /* in dns->known; the oldest first */
	struct list waiters;
	struct dns *dns;
	struct dns_answer *answer; /* NULL: being asked */
	uint64_t until_ms;
	enum dns_type type;
	char name[SIP_NAME_MAX];
};

struct watched {
	struct event *event;
	int fd;
	struct dns *dns;
};

struct dns {
	ares_channel channel;
	struct event_base *base;
	struct wheel *wheel;
	struct timer timer;
	struct hash entries;
	struct hash_seed seed;
	struct list known;
	struct watched socket[SOCKETS];
	bool closing;
};

/* Both stand for "too many": nothing is remembered of them. */
static const struct dns_answer no_memory = {.error = -ENOMEM};
static const struct dns_answer too_many = {.error = -EHOSTUNREACH};

/* ---- the loop -------------------------------------------------------------------------------- */

static void on_timer(void *context);

static void arm(struct dns *dns)
{
	struct timeval left, *wait = ares_timeout(dns->channel, NULL, &left);

	if (!wait)
		timer_stop(&dns->timer);
	else
		timer_start(dns->wheel, &dns->timer,
			    (uint64_t)left.tv_sec * 1000 + (uint64_t)left.tv_usec / 1000 + 1,
			    on_timer, dns);
}

static void on_timer(void *context)
{
	struct dns *dns = context;

	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm(dns);
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
	struct dns *dns = ((struct watched *)context)->dns;

	ares_process_fd(dns->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
			what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	arm(dns);
}

static struct watched *slot_for(struct dns *dns, int fd)
{
	struct watched *unused = NULL;

	for (size_t i = 0; i < SOCKETS; i++) {
		struct watched *socket = &dns->socket[i];

		if (socket->event && socket->fd == fd)
			return socket;
		if (!socket->event)
			unused = socket;
	}
	return unused;
}

/* One that cannot be watched is a server that does not answer: the timer moves on. */
static void watch(void *context, ares_socket_t fd, int readable, int writable)
{
	const int what = (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0);
	struct dns *dns = context;
	struct watched *socket = slot_for(dns, fd);

	if (!socket)
		return;
	if (socket->event)
		event_free(socket->event);
	socket->event = NULL;
	socket->fd = fd;
	socket->dns = dns;
	if (what)
		socket->event =
			event_new(dns->base, fd, (short)(what | EV_PERSIST), on_socket, socket);
	if (socket->event)
		event_add(socket->event, NULL);
}

/* ---- what is remembered ---------------------------------------------------------------------- */

static uint64_t entry_key(const struct dns *dns, enum dns_type type, const char *name)
{
	const char kind = (char)type;

	return hash_more(&dns->seed, hash_text(&dns->seed, str_of(name)), (struct str){&kind, 1});
}

static struct entry *find(const struct dns *dns, enum dns_type type, const char *name)
{
	struct hash_node *node = hash_first(&dns->entries, entry_key(dns, type, name));

	for (; node; node = hash_next(node)) {
		struct entry *entry = container_of(node, struct entry, node);

		if (entry->type == type && !strcmp(entry->name, name))
			return entry;
	}
	return NULL;
}

static void entry_free(struct entry *entry)
{
	hash_remove(&entry->dns->entries, &entry->node);
	list_remove(&entry->age);
	list_for_each(node, after, &entry->waiters) list_remove(node);
	free(entry->answer);
	free(entry);
}

/* Room for one more: the oldest that is not being asked goes. */
static bool make_room(struct dns *dns)
{
	if (dns->entries.count < ENTRIES)
		return true;
	if (list_empty(&dns->known))
		return false;
	entry_free(container_of(dns->known.next, struct entry, age));
	return true;
}

static struct entry *entry_new(struct dns *dns, enum dns_type type, const char *name)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->dns = dns;
	entry->type = type;
	memcpy(entry->name, name, strlen(name) + 1);
	list_init(&entry->waiters);
	hash_add(&dns->entries, &entry->node, entry_key(dns, type, name));
	return entry;
}

static uint32_t seconds(const struct dns_answer *answer, const unsigned char *data, int len)
{
	uint32_t ttl;

	if (answer->error == -ENOENT)
		return NONE_TTL_S;
	if (answer->error)
		return FAILED_TTL_S;
	ttl = dns_read_ttl(data, len);
	return ttl < MOST_TTL_S ? ttl : MOST_TTL_S;
}

/* Waiters may ask again, and forget others, from inside. */
static void tell(struct entry *entry, const struct dns_answer *answer)
{
	while (!list_empty(&entry->waiters)) {
		struct dns_waiter *waiter =
			container_of(entry->waiters.next, struct dns_waiter, node);

		list_remove(&waiter->node);
		waiter->fn(waiter, answer);
	}
}

static void on_answer(void *context, int status, int timeouts, unsigned char *data, int len)
{
	struct entry *entry = context;
	struct dns *dns = entry->dns;
	struct dns_answer *answer;

	(void)timeouts;
	if (dns->closing) {
		entry_free(entry);
		return;
	}
	answer = dns_read(entry->type, status, data, len);
	if (answer) {
		/* It joins `known` only when nobody looks at it: eviction must not take it now. */
		entry->answer = answer;
		entry->until_ms = wheel_now_ms() + 1000ull * seconds(answer, data, len);
		tell(entry, answer);
		list_append(&dns->known, &entry->age);
	} else {
		tell(entry, &no_memory);
		entry_free(entry);
	}
}

/* ---- asking ---------------------------------------------------------------------------------- */

static const int wire_types[] = {
	[DNS_A] = ns_t_a, [DNS_AAAA] = ns_t_aaaa, [DNS_SRV] = ns_t_srv, [DNS_NAPTR] = ns_t_naptr};

static const struct dns_answer *ask(struct dns *dns, enum dns_type type, const char *name,
				    struct dns_waiter *waiter)
{
	struct entry *entry;

	if (!make_room(dns))
		return &too_many;
	entry = entry_new(dns, type, name);
	if (!entry)
		return &no_memory;
	ares_query(dns->channel, name, ns_c_in, wire_types[type], on_answer, entry);
	arm(dns);
	/* c-ares may have answered from inside (a name that is none, no server). */
	entry = find(dns, type, name);
	if (!entry)
		return &no_memory;
	if (!entry->answer)
		list_append(&entry->waiters, &waiter->node);
	return entry->answer;
}

const struct dns_answer *dns_lookup(struct dns *dns, enum dns_type type, const char *name,
				    struct dns_waiter *waiter)
{
	struct entry *entry = find(dns, type, name);

	if (entry && !entry->answer) {
		list_append(&entry->waiters, &waiter->node);
		return NULL;
	}
	if (entry && wheel_now_ms() < entry->until_ms)
		return entry->answer;
	/* One whose waiters are just being told is not on the list yet, and stays. */
	if (entry && list_empty(&entry->age))
		return entry->answer;
	if (entry)
		entry_free(entry);
	return ask(dns, type, name, waiter);
}

void dns_forget(struct dns_waiter *waiter)
{
	list_remove(&waiter->node);
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static void fill_server(struct ares_addr_port_node *node, const struct netaddr *at)
{
	node->udp_port = node->tcp_port = at->port ? at->port : 53;
	if (netaddr_is_ipv4(at)) {
		node->family = AF_INET;
		memcpy(&node->addr.addr4, at->addr + 12, 4);
	} else {
		node->family = AF_INET6;
		memcpy(&node->addr.addr6, at->addr, 16);
	}
}

static int use_servers(struct dns *dns, const struct netaddr *nameserver, size_t nameservers)
{
	struct ares_addr_port_node *nodes;
	int status;

	if (!nameservers)
		return 0;
	nodes = calloc(nameservers, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	for (size_t i = 0; i < nameservers; i++) {
		fill_server(&nodes[i], &nameserver[i]);
		nodes[i].next = i + 1 < nameservers ? &nodes[i + 1] : NULL;
	}
	status = ares_set_servers_ports(dns->channel, nodes);
	free(nodes);
	return status == ARES_SUCCESS ? 0 : -ENOMEM;
}

static int open_channel(struct dns *dns)
{
	struct ares_options options = {
		.timeout = TRY_MS,
		.tries = TRIES,
		.sock_state_cb = watch,
		.sock_state_cb_data = dns,
	};

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return -ENOMEM;
	if (ares_init_options(&dns->channel, &options,
			      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) ==
	    ARES_SUCCESS)
		return 0;
	dns->channel = NULL;
	return -ENOMEM;
}

int dns_alloc(struct dns **out, struct event_base *base, struct wheel *wheel,
	      const struct netaddr *nameserver, size_t nameservers)
{
	struct dns *dns = calloc(1, sizeof(*dns));
	int ret;

	if (!dns)
		return -ENOMEM;
	dns->base = base;
	dns->wheel = wheel;
	list_init(&dns->known);
	ret = hash_seed_make(&dns->seed);
	if (!ret)
		ret = hash_init(&dns->entries);
	if (!ret)
		ret = open_channel(dns);
	if (!ret)
		ret = use_servers(dns, nameserver, nameservers);
	if (ret < 0) {
		dns_free(dns);
		return ret;
	}
	*out = dns;
	return 0;
}

void dns_free(struct dns *dns)
{
	if (!dns)
		return;
	dns->closing = true;
	timer_stop(&dns->timer);
	if (dns->channel) {
		ares_destroy(dns->channel); /* ends what is being asked */
		ares_library_cleanup();
	}
	list_for_each(node, after, &dns->known) entry_free(container_of(node, struct entry, age));
	for (size_t i = 0; i < SOCKETS; i++) {
		if (dns->socket[i].event)
			event_free(dns->socket[i].event);
	}
	hash_free(&dns->entries);
	free(dns);
}
