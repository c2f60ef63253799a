// SPDX-License-Identifier: BSD-2-Clause
#include "endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool parse_port(const char *text, in_port_t *out)
{
	char *rest;
	unsigned long port = strtoul(text, &rest, 10);

	if (rest == text || *rest || !port || port > 65534)
		return false;
	*out = htons((uint16_t)port);
	return true;
}

static bool parse_endpoint(struct sockaddr_storage *out, char *text)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	char *colon = strrchr(text, ':');

	memset(out, 0, sizeof(*out));
	if (!colon)
		return false;
	*colon = '\0';
	if (*text == '[' && colon > text + 1 && colon[-1] == ']') {
		colon[-1] = '\0';
		out->ss_family = AF_INET6;
		return inet_pton(AF_INET6, text + 1, &v6->sin6_addr) == 1 &&
		       parse_port(colon + 1, &v6->sin6_port);
	}
	out->ss_family = AF_INET;
	return inet_pton(AF_INET, text, &v4->sin_addr) == 1 && parse_port(colon + 1, &v4->sin_port);
}

bool endpoint_pair_parse(struct endpoint_pair *out, const char *text)
{
	char copy[160];
	char *equals;
	int length = snprintf(copy, sizeof(copy), "%s", text);

	if (length < 0 || (size_t)length >= sizeof(copy) || !(equals = strchr(copy, '=')))
		return false;
	*equals = '\0';
	return parse_endpoint(&out->local, copy) && parse_endpoint(&out->remote, equals + 1) &&
	       out->local.ss_family == out->remote.ss_family;
}

static socklen_t move_port(struct sockaddr_storage *address, uint16_t offset)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET) {
		v4->sin_port = htons((uint16_t)(ntohs(v4->sin_port) + offset));
		return sizeof(*v4);
	}
	v6->sin6_port = htons((uint16_t)(ntohs(v6->sin6_port) + offset));
	return sizeof(*v6);
}

int endpoint_pair_open(const struct endpoint_pair *pair, uint16_t offset)
{
	struct endpoint_pair moved = *pair;
	socklen_t size = move_port(&moved.local, offset);
	int fd = socket(moved.local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	move_port(&moved.remote, offset);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&moved.local, size) ||
	    connect(fd, (struct sockaddr *)&moved.remote, size)) {
		close(fd);
		return -1;
	}
	return fd;
}
