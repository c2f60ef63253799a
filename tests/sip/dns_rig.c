// SPDX-License-Identifier: BSD-2-Clause
#include "dns_rig.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MESSAGE 4096

struct message {
	unsigned char data[MESSAGE];
	size_t len;
};

static void add16(struct message *m, unsigned value)
{
	m->data[m->len++] = (unsigned char)(value >> 8);
	m->data[m->len++] = (unsigned char)value;
}

static void add_text(struct message *m, const char *text)
{
	size_t len = strlen(text);

	m->data[m->len++] = (unsigned char)len;
	memcpy(m->data + m->len, text, len);
	m->len += len;
}

static void add_name(struct message *m, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		m->data[m->len++] = (unsigned char)len;
		memcpy(m->data + m->len, name, len);
		m->len += len;
		name += len + (name[len] == '.');
	}
	m->data[m->len++] = 0;
}

static void add_data(struct message *m, const struct zone_record *record)
{
	switch (record->type) {
	case ZONE_A:
		inet_pton(AF_INET, record->text, m->data + m->len);
		m->len += 4;
		break;
	case ZONE_AAAA:
		inet_pton(AF_INET6, record->text, m->data + m->len);
		m->len += 16;
		break;
	case ZONE_SRV:
		add16(m, record->order);
		add16(m, record->preference);
		add16(m, record->port);
		add_name(m, record->text);
		break;
	default:
		add16(m, record->order);
		add16(m, record->preference);
		add_text(m, "s");
		add_text(m, record->service);
		add_text(m, "");
		add_name(m, record->text);
		break;
	}
}

static void add_record(struct message *m, const struct zone_record *record)
{
	size_t size_at;

	add16(m, 0xc00c); /* the name of the question */
	add16(m, record->type);
	add16(m, 1);
	add16(m, 0);
	add16(m, record->ttl);
	size_at = m->len;
	add16(m, 0);
	add_data(m, record);
	m->data[size_at] = (unsigned char)((m->len - size_at - 2) >> 8);
	m->data[size_at + 1] = (unsigned char)(m->len - size_at - 2);
}

/* The question's name as text, and how long it is on the wire. */
static size_t read_name(const unsigned char *at, char *name)
{
	size_t len = 0;

	name[0] = '\0';
	for (; at[len]; len += at[len] + 1u)
		snprintf(name + strlen(name), 256 - strlen(name), "%s%.*s", len ? "." : "", at[len],
			 (const char *)at + len + 1);
	return len + 1;
}

static bool is_known(const struct dns_rig *rig, const char *name)
{
	for (size_t i = 0; i < rig->records; i++) {
		if (!strcmp(rig->zone[i].name, name))
			return true;
	}
	return false;
}

static void answer(struct dns_rig *rig, struct message *m)
{
	char name[256];
	size_t at = 12 + read_name(m->data + 12, name);
	unsigned type = (unsigned)m->data[at] << 8 | m->data[at + 1], count = 0;

	rig->queries++;
	rig->of[type % 64]++;
	m->len = at + 4;
	for (size_t i = 0; i < rig->records; i++) {
		if (rig->zone[i].type == type && !strcmp(rig->zone[i].name, name)) {
			add_record(m, &rig->zone[i]);
			count++;
		}
	}
	m->data[2] = 0x84;
	m->data[3] = is_known(rig, name) ? 0x80 : 0x83;
	m->data[7] = (unsigned char)count;
	m->data[8] = m->data[9] = m->data[10] = m->data[11] = 0;
}

static void on_query(evutil_socket_t fd, short what, void *context)
{
	struct dns_rig *rig = context;
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	struct message m;
	ssize_t len = recvfrom(fd, m.data, sizeof(m.data), MSG_DONTWAIT, (struct sockaddr *)&from,
			       &length);

	(void)what;
	if (len < 17 || len > 512)
		return;
	m.len = (size_t)len;
	answer(rig, &m);
	if (!rig->silent)
		sendto(fd, m.data, m.len, 0, (struct sockaddr *)&from, length);
}

void dns_rig_bind(struct dns_rig *rig, const struct zone_record *zone, size_t records)
{
	dns_rig_bind_at(rig, "127.0.0.1", zone, records);
}

void dns_rig_bind_at(struct dns_rig *rig, const char *host, const struct zone_record *zone,
		     size_t records)
{
	struct sockaddr_storage storage;
	struct netaddr at;
	socklen_t length;

	*rig = (struct dns_rig){.zone = zone, .records = records};
	netaddr_parse_host(&at, str_of(host), 0);
	length = netaddr_to_sockaddr(&at, &storage);
	rig->fd = socket(((struct sockaddr *)&storage)->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (rig->fd < 0 || bind(rig->fd, (struct sockaddr *)&storage, length) ||
	    getsockname(rig->fd, (struct sockaddr *)&storage, &length))
		abort();
	netaddr_from_sockaddr(&rig->at, (struct sockaddr *)&storage);
}

void dns_rig_serve(struct dns_rig *rig, struct event_base *base)
{
	rig->event = event_new(base, rig->fd, EV_READ | EV_PERSIST, on_query, rig);
	if (!rig->event || event_add(rig->event, NULL))
		abort();
}

void dns_rig_close(struct dns_rig *rig)
{
	event_free(rig->event);
	close(rig->fd);
}
