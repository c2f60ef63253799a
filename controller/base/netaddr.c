// SPDX-License-Identifier: BSD-2-Clause
#include "base/netaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void set_ipv4(struct netaddr *out, const void *four)
{
	memcpy(out->addr, mapped, sizeof(mapped));
	memcpy(out->addr + sizeof(mapped), four, 4);
}

/*
 * The grammar of RFC 3261 allows a third colon before an IPv4 tail, and RFC 5118 4.10 has us bear
 * with it: "2001:db8:::192.0.2.1" is "2001:db8::192.0.2.1".
 */
static void drop_third_colon(char *text)
{
	char *colons = strstr(text, ":::");

	if (colons && colons[3 + strspn(colons + 3, "0123456789.")] == '\0' && strchr(text, '.'))
		memmove(colons, colons + 1, strlen(colons));
}

int netaddr_parse_host(struct netaddr *out, struct str host, uint16_t port)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in_addr four;
	struct in6_addr six;

	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = (struct str){host.p + 1, host.n - 2};
	if (!host.n || host.n >= sizeof(text))
		return -EINVAL;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (strlen(text) != host.n)
		return -EINVAL;
	drop_third_colon(text);
	if (inet_pton(AF_INET, text, &four) == 1)
		set_ipv4(out, &four);
	else if (inet_pton(AF_INET6, text, &six) == 1)
		memcpy(out->addr, &six, sizeof(out->addr));
	else
		return -EINVAL;
	out->port = port;
	return 0;
}

int netaddr_parse(struct netaddr *out, struct str text)
{
	size_t colon = text.n;
	uint32_t port;

	while (colon && text.p[colon - 1] != ':')
		colon--;
	if (!colon || !str_to_u32((struct str){text.p + colon, text.n - colon}, &port) ||
	    port > UINT16_MAX)
		return -EINVAL;
	/* "2001:db8::1" is an address without a port, not one with port 1. */
	if (text.p[0] != '[' && str_index(text, ':') != colon - 1)
		return -EINVAL;
	return netaddr_parse_host(out, (struct str){text.p, colon - 1}, (uint16_t)port);
}

bool netaddr_is_ipv4(const struct netaddr *a)
{
	return !memcmp(a->addr, mapped, sizeof(mapped));
}

bool netaddr_is_any(const struct netaddr *a)
{
	static const uint8_t zero[16];

	return !memcmp(a->addr, zero, sizeof(zero)) ||
	       (netaddr_is_ipv4(a) && !memcmp(a->addr + sizeof(mapped), zero, 4));
}

bool netaddr_same_host(const struct netaddr *a, const struct netaddr *b)
{
	return !memcmp(a->addr, b->addr, sizeof(a->addr));
}

bool netaddr_eq(const struct netaddr *a, const struct netaddr *b)
{
	return netaddr_same_host(a, b) && a->port == b->port;
}

bool netaddr_in_prefix(const struct netaddr *a, const struct netaddr *prefix, unsigned bits)
{
	unsigned whole, rest;

	if (netaddr_is_ipv4(a) != netaddr_is_ipv4(prefix))
		return false;
	bits += netaddr_is_ipv4(prefix) ? 96 : 0;
	bits = bits > 128 ? 128 : bits;
	whole = bits / 8;
	rest = bits % 8;
	return !memcmp(a->addr, prefix->addr, whole) &&
	       (!rest || (a->addr[whole] ^ prefix->addr[whole]) >> (8 - rest) == 0);
}

/* printf() and inet_ntop() take longer than all else in a message, and addresses are everywhere. */
static char *write_decimal(char *out, unsigned value)
{
	char digits[5];
	unsigned count = 0;

	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (count)
		*out++ = digits[--count];
	return out;
}

char *netaddr_format_host(const struct netaddr *a, char out[NETADDR_STRLEN])
{
	char *end = out;

	if (!netaddr_is_ipv4(a)) {
		inet_ntop(AF_INET6, a->addr, out, NETADDR_STRLEN);
		return out;
	}
	for (size_t i = sizeof(mapped); i < sizeof(a->addr); i++) {
		end = write_decimal(end, a->addr[i]);
		*end++ = '.';
	}
	end[-1] = '\0';
	return out;
}

char *netaddr_format_uri(const struct netaddr *a, char out[NETADDR_STRLEN])
{
	size_t length;

	if (netaddr_is_ipv4(a))
		return netaddr_format_host(a, out);
	out[0] = '[';
	inet_ntop(AF_INET6, a->addr, out + 1, INET6_ADDRSTRLEN);
	length = strlen(out);
	out[length] = ']';
	out[length + 1] = '\0';
	return out;
}

char *netaddr_format(const struct netaddr *a, char out[NETADDR_STRLEN])
{
	char *end = out + strlen(netaddr_format_uri(a, out));

	*end++ = ':';
	*write_decimal(end, a->port) = '\0';
	return out;
}

socklen_t netaddr_to_sockaddr(const struct netaddr *a, struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (netaddr_is_ipv4(a)) {
		four->sin_family = AF_INET;
		four->sin_port = htons(a->port);
		memcpy(&four->sin_addr, a->addr + sizeof(mapped), 4);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(a->port);
	memcpy(&six->sin6_addr, a->addr, sizeof(a->addr));
	return sizeof(*six);
}

void netaddr_from_sockaddr(struct netaddr *out, const struct sockaddr *sa)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)sa;

	memset(out, 0, sizeof(*out));
	if (sa->sa_family == AF_INET) {
		set_ipv4(out, &four->sin_addr);
		out->port = ntohs(four->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(out->addr, &six->sin6_addr, sizeof(out->addr));
		out->port = ntohs(six->sin6_port);
	}
}

static int read_mtu(unsigned *mtu, int fd, int family)
{
	int value, level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	socklen_t length = sizeof(value);

	if (getsockopt(fd, level, family == AF_INET ? IP_MTU : IPV6_MTU, &value, &length))
		return -errno;
	*mtu = (unsigned)value;
	return 0;
}

int netaddr_source_for(struct netaddr *out, unsigned *mtu, const struct netaddr *remote)
{
	struct sockaddr_storage storage;
	socklen_t length = netaddr_to_sockaddr(remote, &storage);
	int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&storage, length))
		ret = -errno;
	if (!ret && mtu)
		ret = read_mtu(mtu, fd, storage.ss_family);
	length = sizeof(storage);
	if (!ret && getsockname(fd, (struct sockaddr *)&storage, &length))
		ret = -errno;
	close(fd);
	if (ret)
		return ret;
	netaddr_from_sockaddr(out, (struct sockaddr *)&storage);
	out->port = 0;
	return 0;
}
