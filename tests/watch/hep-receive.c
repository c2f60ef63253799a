// SPDX-License-Identifier: BSD-2-Clause
/*
 * hep-receive ADDRESS PORT: a collector of HEP version 3. Takes each packet apart chunk by chunk,
 * by the book and not by what the sender does, and prints it as a line of JSON. A packet that is
 * wrong anywhere is a line {"wrong": WHY}.
 */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static json_t *number_of(const uint8_t *at, unsigned length)
{
	json_int_t value = 0;

	while (length--)
		value = value << 8 | *at++;
	return json_integer(value);
}

static json_t *address_of(const uint8_t *at, int family)
{
	char text[INET6_ADDRSTRLEN];

	return json_string(inet_ntop(family, at, text, sizeof(text)));
}

static json_t *hex_of(const uint8_t *at, unsigned length)
{
	char *text = malloc(2 * length + 1);
	json_t *value;

	for (unsigned i = 0; i < length; i++)
		snprintf(text + 2 * i, 3, "%02x", at[i]);
	text[2 * length] = '\0';
	value = json_string(text);
	free(text);
	return value;
}

static const struct {
	unsigned type, length; /* 0: any */
	const char *name;
	enum { NUMBER, IPV4, IPV6, TEXT, HEX } kind;
} chunks[] = {
	{1, 1, "family", NUMBER},   {2, 1, "ip_protocol", NUMBER}, {3, 4, "src", IPV4},
	{4, 4, "dst", IPV4},	    {5, 16, "src", IPV6},	   {6, 16, "dst", IPV6},
	{7, 2, "src_port", NUMBER}, {8, 2, "dst_port", NUMBER},	   {9, 4, "seconds", NUMBER},
	{10, 4, "micros", NUMBER},  {11, 1, "protocol", NUMBER},   {12, 4, "agent", NUMBER},
	{15, 0, "payload", HEX},    {17, 0, "correlation", TEXT},
};

static json_t *value_of(size_t row, const uint8_t *at, unsigned length)
{
	switch (chunks[row].kind) {
	case IPV4:
		return address_of(at, AF_INET);
	case IPV6:
		return address_of(at, AF_INET6);
	case TEXT:
		return json_stringn((const char *)at, length);
	case HEX:
		return hex_of(at, length);
	default:
		return number_of(at, length);
	}
}

/* NULL, or what is wrong with it. */
static const char *add_chunk(json_t *out, const uint8_t *at, unsigned length)
{
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		if (get16(at) != 0 || get16(at + 2) != chunks[i].type)
			continue;
		if (chunks[i].length && chunks[i].length + 6 != length)
			return "a chunk's length";
		if (json_object_get(out, chunks[i].name))
			return "a chunk twice";
		json_object_set_new(out, chunks[i].name, value_of(i, at + 6, length - 6));
		return NULL;
	}
	return "an unknown chunk";
}

static const char *take_apart(json_t *out, const uint8_t *packet, size_t size)
{
	const char *wrong = NULL;
	size_t at = 6;

	if (size < 6 || memcmp(packet, "HEP3", 4) != 0)
		return "no HEP3";
	if (get16(packet + 4) != size)
		return "the length";
	while (!wrong && at < size) {
		unsigned length = size - at < 6 ? 0 : get16(packet + at + 4);

		if (length < 6 || length > size - at)
			return "a chunk beyond the end";
		wrong = add_chunk(out, packet + at, length);
		at += length;
	}
	return wrong;
}

int main(int argc, char **argv)
{
	static uint8_t packet[65536];
	struct sockaddr_in own = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	ssize_t size;

	if (argc != 3 || inet_pton(AF_INET, argv[1], &own.sin_addr) != 1)
		return 2;
	own.sin_port = htons((uint16_t)atoi(argv[2]));
	if (bind(fd, (const struct sockaddr *)&own, sizeof(own))) {
		perror("hep-receive");
		return 1;
	}
	while ((size = recv(fd, packet, sizeof(packet), 0)) >= 0) {
		json_t *out = json_object();
		const char *wrong = take_apart(out, packet, (size_t)size);

		if (wrong)
			json_object_set_new(out, "wrong", json_string(wrong));
		json_dumpf(out, stdout, JSON_COMPACT);
		puts("");
		fflush(stdout);
		json_decref(out);
	}
	close(fd);
	return 1;
}
