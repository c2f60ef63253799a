/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard: sg_ban, sg_allow and sg_guard. Each change is one element of a hash, which
 * the kernel replaces whole, so none of this takes the writers' lock: a flood that gets sources
 * banned must not hold up calls.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "internal.h"

#define BATCH 1024u

static int changeable(const struct sg_relay *relay, struct sg_error *err)
{
	if (relay->read_only)
		return sg_fail(err, -EROFS, "the handle is read-only");
	if (relay->meta->magic != SG_MAGIC)
		return sg_fail(err, -ESTALE, "the maps in %s were taken away", relay->pin_dir);
	return 0;
}

/* ---- bans ------------------------------------------------------------------------------------ */

static void ban_key(struct sg_ban_key *key, const uint8_t addr[16])
{
	memcpy(key->addr, addr, sizeof(key->addr));
	if (!sg_address_is_ipv4(addr))
		memset(&key->addr[2], 0, 2 * sizeof(key->addr[2]));
}

int sg_ban_set(struct sg_relay *relay, const uint8_t addr[16], uint64_t until_ns, const char *cause,
	       struct sg_error *err)
{
	struct sg_ban ban = {.until_ns = until_ns, .since_ns = sg_now_ns()};
	char text[SG_ENDPOINT_STRLEN];
	struct sg_ban_key key;
	struct sg_ban before;
	int ret = changeable(relay, err);

	if (ret < 0)
		return ret;
	ban_key(&key, addr);
	snprintf(ban.cause, sizeof(ban.cause), "%s", cause);
	if (bpf_map_lookup_elem(relay->map_fd[SG_MAP_BAN], &key, &before) == 0)
		ban.dropped = before.dropped;
	if (bpf_map_update_elem(relay->map_fd[SG_MAP_BAN], &key, &ban, BPF_ANY) < 0)
		return sg_fail(err, -errno, "cannot ban %s: %s", sg_address_format(addr, text),
			       strerror(errno));
	return 0;
}

int sg_ban_clear(struct sg_relay *relay, const uint8_t addr[16], struct sg_error *err)
{
	char text[SG_ENDPOINT_STRLEN];
	struct sg_ban_key key;
	int ret = changeable(relay, err);

	if (ret < 0)
		return ret;
	ban_key(&key, addr);
	if (bpf_map_delete_elem(relay->map_fd[SG_MAP_BAN], &key) < 0)
		return sg_fail(err, -errno, "%s is not banned", sg_address_format(addr, text));
	return 0;
}

struct ban_batch {
	struct sg_ban_key key[BATCH];
	struct sg_ban ban[BATCH];
};

static void tell(const struct sg_ban_key *key, const struct sg_ban *ban, sg_ban_fn *fn,
		 void *context)
{
	struct sg_ban_info info = {
		.since_ns = ban->since_ns, .until_ns = ban->until_ns, .dropped = ban->dropped};

	memcpy(info.addr, key->addr, sizeof(info.addr));
	memcpy(info.cause, ban->cause, sizeof(info.cause));
	info.cause[sizeof(info.cause) - 1] = '\0';
	fn(context, &info);
}

/* What is over goes, if the handle may; the others are told. How many those are. */
static int take_batch(struct sg_relay *relay, const struct ban_batch *batch, uint32_t count,
		      sg_ban_fn *fn, void *context)
{
	uint64_t now_ns = sg_now_ns();
	int running = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (batch->ban[i].until_ns > now_ns) {
			running++;
			if (fn)
				tell(&batch->key[i], &batch->ban[i], fn, context);
		} else if (!relay->read_only) {
			bpf_map_delete_elem(relay->map_fd[SG_MAP_BAN], &batch->key[i]);
		}
	}
	return running;
}

int sg_ban_each(struct sg_relay *relay, sg_ban_fn *fn, void *context)
{
	struct ban_batch *batch = malloc(sizeof(*batch));
	uint32_t bucket = 0;
	bool more = true, begun = false;
	int running = 0;

	if (!batch)
		return -ENOMEM;
	while (more && running >= 0) {
		uint32_t next, count = BATCH;

		more = bpf_map_lookup_batch(relay->map_fd[SG_MAP_BAN], begun ? &bucket : NULL,
					    &next, batch->key, batch->ban, &count, NULL) == 0;
		if (!more && errno != ENOENT)
			running = -errno;
		else
			running += take_batch(relay, batch, count, fn, context);
		bucket = next;
		begun = true;
	}
	free(batch);
	return running;
}

/* ---- who is never refused, and where the guard stands -------------------------------------------
 */

/*
 * Elements are written with a mark, and those without it go: so nothing that stays is missing for a
 * moment. `key` has room for two keys of the map.
 */
static void drop_unmarked(int fd, uint32_t mark, void *key, size_t size)
{
	void *next = (char *)key + size;
	bool more = bpf_map_get_next_key(fd, NULL, key) == 0;
	uint32_t value;

	while (more) {
		more = bpf_map_get_next_key(fd, key, next) == 0;
		if (bpf_map_lookup_elem(fd, key, &value) == 0 && value != mark)
			bpf_map_delete_elem(fd, key);
		memcpy(key, next, size);
	}
}

static uint32_t new_mark(void)
{
	return (uint32_t)(sg_now_ns() >> 10) | 1u;
}

int sg_guard_allow(struct sg_relay *relay, const struct sg_network *networks, size_t count,
		   struct sg_error *err)
{
	struct sg_guard_allow_key key[2];
	uint32_t mark = new_mark();
	int fd = relay->map_fd[SG_MAP_ALLOW];
	int ret = changeable(relay, err);

	for (size_t i = 0; i < count && ret == 0; i++) {
		key[0].bits = networks[i].bits;
		memcpy(key[0].addr, networks[i].addr, sizeof(key[0].addr));
		if (bpf_map_update_elem(fd, &key[0], &mark, BPF_ANY) < 0)
			ret = sg_fail(err, -errno, "allowing network %zu of %zu: %s", i + 1, count,
				      strerror(errno));
	}
	if (ret == 0)
		drop_unmarked(fd, mark, key, sizeof(key[0]));
	return ret;
}

static int guard_port(int fd, const struct sg_guard_port *port, uint32_t mark)
{
	struct sg_guard_port_key key = {.port = htons(port->at.port), .protocol = port->protocol};

	memcpy(key.addr, port->at.addr, sizeof(key.addr));
	if (bpf_map_update_elem(fd, &key, &mark, BPF_ANY) < 0)
		return -errno;
	key.port = 0;
	key.protocol = 0;
	return bpf_map_update_elem(fd, &key, &mark, BPF_ANY) < 0 ? -errno : 0;
}

int sg_guard_ports(struct sg_relay *relay, const struct sg_guard_port *ports, size_t count,
		   struct sg_error *err)
{
	struct sg_guard_port_key key[2];
	uint32_t mark = new_mark();
	int fd = relay->map_fd[SG_MAP_GUARD];
	int ret = changeable(relay, err);

	for (size_t i = 0; i < count && ret == 0; i++) {
		ret = guard_port(fd, &ports[i], mark);
		if (ret < 0)
			sg_fail(err, ret, "guarding port %u: %s", ports[i].at.port, strerror(-ret));
	}
	if (ret == 0)
		drop_unmarked(fd, mark, key, sizeof(key[0]));
	return ret;
}
