/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and endpoints as text, and the table of our media addresses (sg_address). */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool sg_address_is_ipv4(const uint8_t addr[16])
{
	return memcmp(addr, v4_mapped, sizeof(v4_mapped)) == 0;
}

/* ---- text ----------------------------------------------------------------------------------- */

/* Digits only: strtoul would take blanks, signs and numbers that overflow 16 bits. */
static int parse_port(const char *text, uint16_t *port)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value;

	if (digits == 0 || digits > 5 || text[digits] != '\0' || text[0] == '0')
		return -EINVAL;
	value = strtoul(text, NULL, 10);
	if (value > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

/* `text` is "[address]:port"; *address_len is set to what stands before the colon. */
static int parse_bracketed(uint8_t addr[16], const char *text, size_t *address_len,
			   struct sg_error *err, const char *whole)
{
	char literal[INET6_ADDRSTRLEN];
	const char *end = strchr(text, ']');
	size_t len = end ? (size_t)(end - text) - 1 : 0;

	if (!end)
		return sg_fail(err, -EINVAL, "'%.80s': no ']' after the IPv6 address", whole);
	if (len >= sizeof(literal))
		return sg_fail(err, -EINVAL, "'%.80s': the IPv6 address is too long", whole);
	memcpy(literal, text + 1, len);
	literal[len] = '\0';
	if (strchr(literal, '%'))
		return sg_fail(err, -EINVAL, "'%.80s': an address with a zone cannot carry media",
			       whole);
	if (inet_pton(AF_INET6, literal, addr) != 1)
		return sg_fail(err, -EINVAL, "'%.80s': '%.48s' is not an IPv6 address", whole,
			       literal);
	if (sg_address_is_ipv4(addr))
		return sg_fail(err, -EINVAL, "'%.80s': write an IPv4 address as 192.0.2.1:5004",
			       whole);
	*address_len = len + 2;
	return 0;
}

static int parse_dotted(uint8_t addr[16], const char *text, size_t *address_len,
			struct sg_error *err)
{
	char literal[INET_ADDRSTRLEN];
	size_t len = strcspn(text, ":");

	if (text[len] == ':' && strchr(text + len + 1, ':'))
		return sg_fail(err, -EINVAL,
			       "'%.80s': write an IPv6 endpoint as [2001:db8::1]:5004", text);
	if (len >= sizeof(literal))
		return sg_fail(err, -EINVAL, "'%.80s': not an IPv4 address", text);
	memcpy(literal, text, len);
	literal[len] = '\0';
	memcpy(addr, v4_mapped, sizeof(v4_mapped));
	if (inet_pton(AF_INET, literal, addr + sizeof(v4_mapped)) != 1)
		return sg_fail(err, -EINVAL, "'%.80s': '%s' is not an IPv4 address", text, literal);
	*address_len = len;
	return 0;
}

int sg_endpoint_parse(struct sg_endpoint *out, const char *text, struct sg_error *err)
{
	struct sg_endpoint endpoint;
	size_t len = 0;
	int ret;

	if (text[0] == '[')
		ret = parse_bracketed(endpoint.addr, text, &len, err, text);
	else
		ret = parse_dotted(endpoint.addr, text, &len, err);
	if (ret < 0)
		return ret;
	if (text[len] != ':')
		return sg_fail(err, -EINVAL, "'%.80s': no port after the address: ADDRESS:PORT",
			       text);
	if (parse_port(text + len + 1, &endpoint.port) < 0)
		return sg_fail(err, -EINVAL, "'%.80s': '%.16s' is not a port from 1 to 65535", text,
			       text + len + 1);
	*out = endpoint;
	return 0;
}

char *sg_address_format(const uint8_t addr[16], char out[SG_ENDPOINT_STRLEN])
{
	if (sg_address_is_ipv4(addr))
		inet_ntop(AF_INET, addr + sizeof(v4_mapped), out, SG_ENDPOINT_STRLEN);
	else
		inet_ntop(AF_INET6, addr, out, SG_ENDPOINT_STRLEN);
	return out;
}

char *sg_endpoint_format(const struct sg_endpoint *endpoint, char out[SG_ENDPOINT_STRLEN])
{
	char literal[SG_ENDPOINT_STRLEN];
	const char *form = sg_address_is_ipv4(endpoint->addr) ? "%.45s:%u" : "[%.45s]:%u";

	sg_address_format(endpoint->addr, literal);
	snprintf(out, SG_ENDPOINT_STRLEN, form, literal, endpoint->port);
	return out;
}

/* ---- the table ------------------------------------------------------------------------------ */

static uint32_t load_used(const struct sg_address *entry)
{
	return __atomic_load_n(&entry->used, __ATOMIC_ACQUIRE);
}

/* A slot that no address has; an address keeps its slot, because ports may rest on it. */
static int free_slot(const struct sg_relay *relay)
{
	uint32_t taken = 0;

	for (unsigned i = 0; i < SG_ADDRESS_BUCKETS; i++)
		if (load_used(&relay->address[i]))
			taken |= 1u << relay->address[i].slot;
	for (unsigned slot = 0; slot < SG_ADDRESS_SLOTS; slot++)
		if (!(taken & 1u << slot))
			return (int)slot;
	return -ENOSPC;
}

static int insert(struct sg_relay *relay, struct sg_address *entry, const __be32 key[4])
{
	int slot = free_slot(relay);

	if (slot < 0)
		return slot;
	memcpy(entry->addr, key, sizeof(entry->addr));
	entry->slot = (uint32_t)slot;
	__atomic_store_n(&entry->used, 1, __ATOMIC_RELEASE);
	return slot;
}

int sg_address_slot(struct sg_relay *relay, const uint8_t addr[16], bool create)
{
	struct sg_address *room = NULL;
	__be32 key[4];
	uint32_t hash;

	memcpy(key, addr, sizeof(key));
	hash = sg_address_hash(key);
	for (unsigned i = 0; i < SG_ADDRESS_PROBES; i++) {
		struct sg_address *entry = &relay->address[(hash + i) % SG_ADDRESS_BUCKETS];

		if (!load_used(entry)) {
			room = entry;
			break;
		}
		if (memcmp(entry->addr, key, sizeof(key)) == 0)
			return (int)entry->slot;
	}
	if (!create)
		return -ENOENT;
	return room ? insert(relay, room, key) : -ENOSPC;
}

bool sg_address_of_slot(const struct sg_relay *relay, uint32_t slot, uint8_t addr[16])
{
	for (unsigned i = 0; i < SG_ADDRESS_BUCKETS; i++) {
		const struct sg_address *entry = &relay->address[i];

		if (load_used(entry) && entry->slot == slot) {
			memcpy(addr, entry->addr, sizeof(entry->addr));
			return true;
		}
	}
	return false;
}
