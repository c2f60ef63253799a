// SPDX-License-Identifier: BSD-2-Clause
#include "config_values.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <segue/relay.h>

#define SIP_PORT 5060
#define SIPS_PORT 5061

/* The structure whose member at `offset` is `field`. */
static void *whole(const struct config_key *key, void *field)
{
	return (char *)field - key->offset;
}

static int read_by_keys(struct config_reader *reader, yaml_node_t *node, const void *param,
			void *element)
{
	return config_read_keys(reader, node, param, element);
}

/* ---- addresses ---------------------------------------------------------------------------------
 */

/* Asked of the kernel by binding: it knows more than the lists of addresses do (127.0.0.2, routes
 * of type local, ip_nonlocal_bind). */
static bool is_on_machine(const struct netaddr *address)
{
	struct netaddr any_port = *address;
	struct sockaddr_storage storage;
	socklen_t length;
	bool bound;
	int fd;

	any_port.port = 0;
	length = netaddr_to_sockaddr(&any_port, &storage);
	fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	bound = !bind(fd, (struct sockaddr *)&storage, length);
	close(fd);
	return bound;
}

/* Phones have to be told where to send: "any address" is nowhere. */
static int check_ours(struct config_reader *reader, const yaml_node_t *node,
		      const struct netaddr *address)
{
	char text[NETADDR_STRLEN];

	if (netaddr_is_any(address))
		return config_wrong(reader, node,
				    "'%s' is every address; name the one that phones reach",
				    netaddr_format_host(address, text));
	if (!is_on_machine(address))
		return config_wrong(reader, node,
				    "'%s' is no address of this machine; `ip address` lists them",
				    netaddr_format_host(address, text));
	return 0;
}

static int read_address(struct config_reader *reader, yaml_node_t *node, const void *param,
			void *element)
{
	struct str text;
	int ret = config_scalar(reader, node, &text);

	(void)param;
	if (!ret && netaddr_parse_host(element, text, 0))
		ret = config_wrong(reader, node, "'%.64s' is no IPv4 or IPv6 address", text.p);
	return ret ? ret : check_ours(reader, node, element);
}

int config_read_addresses(struct config_reader *reader, yaml_node_t *node,
			  const struct config_key *key, void *field)
{
	struct config_interface *interface = whole(key, field);

	return config_read_list(reader, node, read_address, NULL, sizeof(*interface->address),
				(void **)&interface->address, &interface->addresses);
}

static int read_nameserver(struct config_reader *reader, yaml_node_t *node, const void *param,
			   void *element)
{
	struct str text;
	int ret = config_scalar(reader, node, &text);

	(void)param;
	if (!ret && netaddr_parse(element, text) && netaddr_parse_host(element, text, 53))
		ret = config_wrong(reader, node, "'%.64s' is no address, nor ADDRESS:PORT", text.p);
	return ret;
}

int config_read_nameservers(struct config_reader *reader, yaml_node_t *node,
			    const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);

	return config_read_list(reader, node, read_nameserver, NULL, sizeof(*config->nameserver),
				(void **)&config->nameserver, &config->nameservers);
}

/* ---- SIP ---------------------------------------------------------------------------------------
 */

static bool is_host_name(struct str text)
{
	if (!text.n || text.n > 253 || text.p[0] == '.' || text.p[0] == '-')
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (!isalnum((unsigned char)text.p[i]) && text.p[i] != '-' && text.p[i] != '.')
			return false;
	}
	return true;
}

static int read_domain(struct config_reader *reader, yaml_node_t *node, const void *param,
		       void *element)
{
	struct netaddr address;
	struct str text;
	char *name;
	int ret = config_scalar(reader, node, &text);

	(void)param;
	if (ret)
		return ret;
	if (!is_host_name(text) && netaddr_parse_host(&address, text, 0))
		return config_wrong(reader, node, "'%.64s' is no domain name", text.p);
	name = str_dup(text);
	if (!name)
		return -ENOMEM;
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*(char **)element = name;
	return 0;
}

int config_read_domains(struct config_reader *reader, yaml_node_t *node,
			const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);
	int ret = config_read_list(reader, node, read_domain, NULL, sizeof(*config->domains),
				   (void **)&config->domains, &config->domain_count);

	if (!ret && !config->domain_count)
		ret = config_wrong(reader, node, "is empty, and must have %s", key->value);
	return ret;
}

int config_read_redirects(struct config_reader *reader, yaml_node_t *node,
			  const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);

	return config_read_list(reader, node, read_domain, NULL, sizeof(*config->redirect),
				(void **)&config->redirect, &config->redirects);
}

static int read_listen(struct config_reader *reader, yaml_node_t *node, const void *param,
		       void *element)
{
	struct config_listen *listen = element;
	struct str text, rest, proto;
	uint16_t port = SIP_PORT;
	int ret = config_scalar(reader, node, &text);

	(void)param;
	if (ret)
		return ret;
	rest = text;
	if (!str_split(&rest, ':', &proto) || sip_proto_parse(&listen->proto, proto))
		return config_wrong(reader, node,
				    "'%.64s' begins with none of udp:, tcp: and tls:; write "
				    "udp:192.0.2.10:5060",
				    text.p);
	if (listen->proto == SIP_TLS)
		port = SIPS_PORT;
	if (netaddr_parse(&listen->at, rest) && netaddr_parse_host(&listen->at, rest, port))
		return config_wrong(reader, node,
				    "'%.64s' has no address behind its protocol; write "
				    "udp:192.0.2.10:5060 or udp:[2001:db8::10]:5060",
				    text.p);
	if (!listen->at.port)
		return config_wrong(reader, node, "'%.64s': port 0 is any port; name one", text.p);
	return check_ours(reader, node, &listen->at);
}

static int no_double_listener(struct config_reader *reader, yaml_node_t *node,
			      const struct config *config)
{
	char text[NETADDR_STRLEN];

	for (size_t i = 0; i < config->listens; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct config_listen *a = &config->listen[i], *b = &config->listen[j];
			/* TLS is TCP to the kernel. */
			bool same_kind =
				sip_proto_is_stream(a->proto) == sip_proto_is_stream(b->proto);

			if (!same_kind || !netaddr_eq(&a->at, &b->at))
				continue;
			return config_wrong(
				reader,
				yaml_document_get_node(reader->document,
						       node->data.sequence.items.start[i]),
				"[%zu] listens at %s:%s, as [%zu] does; leave one out", i,
				sip_proto_parameter(a->proto), netaddr_format(&a->at, text), j);
		}
	}
	return 0;
}

int config_read_listens(struct config_reader *reader, yaml_node_t *node,
			const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);
	int ret = config_read_list(reader, node, read_listen, NULL, sizeof(*config->listen),
				   (void **)&config->listen, &config->listens);

	if (!ret && !config->listens)
		ret = config_wrong(reader, node, "is empty, and must have %s", key->value);
	return ret ? ret : no_double_listener(reader, node, config);
}

int config_read_tls_others(struct config_reader *reader, yaml_node_t *node,
			   const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);

	return config_read_list(reader, node, read_by_keys, key->inner, sizeof(*config->tls_other),
				(void **)&config->tls_other, &config->tls_others);
}

struct digest_list {
	size_t count;
	enum digest_algorithm *algorithm;
};

static int read_digest(struct config_reader *reader, yaml_node_t *node, const void *param,
		       void *element)
{
	static const struct config_choice choices[] = {
		{"sha-256", DIGEST_SHA256}, {"md5", DIGEST_MD5}, {NULL, 0}};
	struct str text;
	int ret = config_scalar(reader, node, &text);

	(void)param;
	if (!ret)
		ret = config_choose(reader, node, text, choices);
	if (ret < 0)
		return ret;
	*(enum digest_algorithm *)element = (enum digest_algorithm)ret;
	return 0;
}

int config_read_digests(struct config_reader *reader, yaml_node_t *node,
			const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);
	struct digest_list list = {0};
	int ret = config_read_list(reader, node, read_digest, NULL, sizeof(*list.algorithm),
				   (void **)&list.algorithm, &list.count);

	if (!ret && (!list.count || list.count > DIGEST_ALGORITHMS ||
		     (list.count == 2 && list.algorithm[0] == list.algorithm[1])))
		ret = config_wrong(reader, node,
				   "wants each of sha-256 and md5 at most once, and "
				   "one of them at least");
	if (!ret) {
		memcpy(config->digest, list.algorithm, list.count * sizeof(*list.algorithm));
		config->digests = list.count;
	}
	free(list.algorithm);
	return ret;
}

int config_read_sip_uri(struct config_reader *reader, yaml_node_t *node,
			const struct config_key *key, void *field)
{
	struct str text;
	int ret = config_scalar(reader, node, &text);

	if (ret)
		return ret;
	if (!str_case_starts(text, STR("sip:")) && !str_case_starts(text, STR("sips:")))
		return config_wrong(reader, node, "'%.64s' is no SIP URI; write %s", text.p,
				    key->value);
	*(char **)field = str_dup(text);
	return *(char **)field ? 0 : -ENOMEM;
}

/* ---- trunks ------------------------------------------------------------------------------------
 */

static int read_network(struct config_reader *reader, yaml_node_t *node, const void *param,
			void *element)
{
	struct config_network *network = element;
	struct str text, rest, host;
	uint32_t bits;
	int ret = config_scalar(reader, node, &text);

	(void)param;
	if (ret)
		return ret;
	rest = text;
	if (!str_split(&rest, '/', &host) || netaddr_parse_host(&network->at, host, 0))
		return config_wrong(reader, node, "'%.64s' is no address, nor ADDRESS/BITS",
				    text.p);
	network->bits = netaddr_is_ipv4(&network->at) ? 32 : 128;
	if (host.n == text.n)
		return 0;
	if (!str_to_u32(rest, &bits) || bits > network->bits)
		return config_wrong(reader, node, "'%.64s': behind the / is a number from 0 to %u",
				    text.p, network->bits);
	network->bits = bits;
	return 0;
}

int config_read_prefix(struct config_reader *reader, yaml_node_t *node,
		       const struct config_key *key, void *field)
{
	struct config_trunk *trunk = whole(key, field);
	struct config_network network = {0};
	int ret = read_network(reader, node, NULL, &network);

	trunk->source = network.at;
	trunk->prefix = network.bits;
	return ret;
}

int config_read_networks(struct config_reader *reader, yaml_node_t *node,
			 const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);

	return config_read_list(reader, node, read_network, NULL, sizeof(*config->ban.allow),
				(void **)&config->ban.allow, &config->ban.allows);
}

static int read_agent(struct config_reader *reader, yaml_node_t *node, const void *param,
		      void *element)
{
	struct str text;
	int ret = config_scalar(reader, node, &text);

	(void)param;
	if (!ret && !text.n)
		ret = config_wrong(reader, node, "is empty: every User-Agent begins so");
	if (ret)
		return ret;
	*(char **)element = str_dup(text);
	return *(char **)element ? 0 : -ENOMEM;
}

int config_read_agents(struct config_reader *reader, yaml_node_t *node,
		       const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);

	return config_read_list(reader, node, read_agent, NULL, sizeof(*config->ban.agent),
				(void **)&config->ban.agent, &config->ban.agents);
}

static int read_digits(struct config_reader *reader, yaml_node_t *node, const void *param,
		       void *element)
{
	struct str text;
	int ret = config_scalar(reader, node, &text);

	(void)param;
	if (!ret && (!text.n || strspn(text.p, "+0123456789*#") != text.n))
		ret = config_wrong(reader, node,
				   "'%.64s' is not the beginning of a number; write digits, behind "
				   "a + or not",
				   text.p);
	if (ret)
		return ret;
	*(char **)element = str_dup(text);
	return *(char **)element ? 0 : -ENOMEM;
}

int config_read_barred(struct config_reader *reader, yaml_node_t *node,
		       const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);

	return config_read_list(reader, node, read_digits, NULL, sizeof(*config->barred),
				(void **)&config->barred, &config->barreds);
}

int config_read_trunks(struct config_reader *reader, yaml_node_t *node,
		       const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);

	return config_read_list(reader, node, read_by_keys, key->inner, sizeof(*config->trunk),
				(void **)&config->trunk, &config->trunks);
}

/* ---- media -------------------------------------------------------------------------------------
 */

int config_read_nic(struct config_reader *reader, yaml_node_t *node, const struct config_key *key,
		    void *field)
{
	struct str text;
	int ret = config_read_text(reader, node, key, field);

	if (ret)
		return ret;
	text = str_of(*(char **)field);
	if (text.n >= IF_NAMESIZE || !if_nametoindex(text.p))
		return config_wrong(reader, node,
				    "'%.64s' is no interface of this machine; `ip link` lists them",
				    text.p);
	return 0;
}

int config_read_interfaces(struct config_reader *reader, yaml_node_t *node,
			   const struct config_key *key, void *field)
{
	struct config *config = whole(key, field);
	int ret =
		config_read_list(reader, node, read_by_keys, key->inner, sizeof(*config->interface),
				 (void **)&config->interface, &config->interfaces);

	if (!ret && !config->interfaces)
		ret = config_wrong(reader, node, "is empty, and must have %s", key->value);
	for (size_t i = 0; !ret && i < config->interfaces; i++) {
		for (size_t j = 0; !ret && j < i; j++) {
			if (!strcmp(config->interface[i].name, config->interface[j].name))
				ret = config_wrong(reader, node, "[%zu] and [%zu] are both '%s'", j,
						   i, config->interface[i].name);
		}
	}
	return ret;
}

int config_read_ports(struct config_reader *reader, yaml_node_t *node, const struct config_key *key,
		      void *field)
{
	struct config *config = whole(key, field);
	struct str text, rest, first;
	uint32_t from, to;
	int ret = config_scalar(reader, node, &text);

	if (ret)
		return ret;
	rest = text;
	if (!str_split(&rest, '-', &first) || !str_to_u32(str_trim(first), &from) ||
	    !str_to_u32(str_trim(rest), &to))
		return config_wrong(reader, node, "'%.64s' is no range; write %s", text.p,
				    key->value);
	if (from < 1024 || to > UINT16_MAX || from >= to)
		return config_wrong(reader, node,
				    "'%.64s' must lie between 1024 and 65535, the smaller first",
				    text.p);
	/* RTP on the even port, RTCP on the odd one above it (RFC 3550 11). */
	if (from % 2 || !(to % 2))
		return config_wrong(reader, node,
				    "'%.64s' must begin even and end odd, since a stream takes an "
				    "even port and the one above it; write %u-%u",
				    text.p, from - from % 2, to | 1);
	if (to - from < 3)
		return config_wrong(reader, node,
				    "'%.64s' has no room for a call, which takes four ports",
				    text.p);
	config->first_port = (uint16_t)from;
	config->last_port = (uint16_t)to;
	return 0;
}

int config_read_dscp(struct config_reader *reader, yaml_node_t *node, const struct config_key *key,
		     void *field)
{
	struct str text;
	uint32_t value = SG_DSCP_KEEP;
	int ret = config_scalar(reader, node, &text);

	(void)key;
	if (ret)
		return ret;
	if (!str_eq(text, STR("keep")) && (!str_to_u32(text, &value) || value > 63))
		return config_wrong(reader, node, "'%.64s' is neither 'keep' nor from 0 to 63",
				    text.p);
	*(uint8_t *)field = (uint8_t)value;
	return 0;
}

/* ---- the rest ----------------------------------------------------------------------------------
 */

int config_read_store(struct config_reader *reader, yaml_node_t *node, const struct config_key *key,
		      void *field)
{
	struct str text;
	int ret = config_scalar(reader, node, &text);

	if (ret)
		return ret;
	if (!str_starts(text, STR("sqlite:/")))
		return config_wrong(reader, node, "'%.64s' is no store; write %s", text.p,
				    key->value);
	*(char **)field = str_dup(text);
	return *(char **)field ? 0 : -ENOMEM;
}

int config_read_http(struct config_reader *reader, yaml_node_t *node, const struct config_key *key,
		     void *field)
{
	struct netaddr address;
	struct str text;
	int ret = config_scalar(reader, node, &text);

	if (ret)
		return ret;
	if (netaddr_parse(&address, text) || !address.port)
		return config_wrong(reader, node, "'%.64s' is not ADDRESS:PORT; write %s", text.p,
				    key->value);
	*(char **)field = str_dup(text);
	return *(char **)field ? 0 : -ENOMEM;
}

int config_read_hep(struct config_reader *reader, yaml_node_t *node, const struct config_key *key,
		    void *field)
{
	struct str text, proto, rest;
	struct netaddr address;
	int ret = config_scalar(reader, node, &text);

	if (ret)
		return ret;
	rest = text;
	str_split(&rest, ':', &proto);
	if (!str_eq(proto, STR("udp")) || netaddr_parse(&address, rest) || !address.port)
		return config_wrong(reader, node, "'%.64s' is not udp:ADDRESS:PORT; write %s",
				    text.p, key->value);
	*(struct netaddr *)field = address;
	return 0;
}

void config_values_free(struct config *config)
{
	for (size_t i = 0; i < config->ban.agents; i++)
		free(config->ban.agent[i]);
	free(config->ban.agent);
	free(config->ban.allow);
	for (size_t i = 0; i < config->barreds; i++)
		free(config->barred[i]);
	free(config->barred);
	for (size_t i = 0; i < config->domain_count; i++)
		free(config->domains[i]);
	for (size_t i = 0; i < config->redirects; i++)
		free(config->redirect[i]);
	for (size_t i = 0; i < config->interfaces; i++) {
		free(config->interface[i].name);
		free(config->interface[i].address);
	}
	for (size_t i = 0; i < config->trunks; i++) {
		free(config->trunk[i].name);
		free(config->trunk[i].uri);
		free(config->trunk[i].prefix_match);
	}
	for (size_t i = 0; i < config->tls_others; i++) {
		free((char *)config->tls_other[i].certificate);
		free((char *)config->tls_other[i].key);
	}
	free(config->domains);
	free(config->redirect);
	free(config->tls_other);
	free(config->listen);
	free(config->nameserver);
	free(config->interface);
	free(config->trunk);
}
