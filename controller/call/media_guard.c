// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "call/media_internal.h"

int media_ban(struct media *media, const struct netaddr *source, uint64_t for_ms, const char *cause,
	      struct error *err)
{
	uint64_t until_ns = SG_BAN_FOREVER;
	struct sg_error why;
	int ret;

	if (for_ms != UINT64_MAX)
		until_ns = (wheel_now_ms() + for_ms) * 1000000;
	ret = sg_ban_set(media->relay, source->addr, until_ns, cause, &why);
	return ret < 0 ? error_set(err, ret, "%s", why.text) : 0;
}

int media_unban(struct media *media, const struct netaddr *source, struct error *err)
{
	struct sg_error why;
	int ret = sg_ban_clear(media->relay, source->addr, &why);

	return ret < 0 ? error_set(err, ret, "%s", why.text) : 0;
}

int media_bans(struct media *media, sg_ban_fn *fn, void *context)
{
	return sg_ban_each(media->relay, fn, context);
}

static int guard_ports(struct media *media, const struct config *config, struct sg_error *why)
{
	struct sg_guard_port *port = calloc(config->listens, sizeof(*port));
	int ret;

	if (!port)
		return -ENOMEM;
	for (size_t i = 0; i < config->listens; i++) {
		media_endpoint(&port[i].at, &config->listen[i].at);
		port[i].protocol =
			sip_proto_is_stream(config->listen[i].proto) ? IPPROTO_TCP : IPPROTO_UDP;
	}
	ret = sg_guard_ports(media->relay, port, config->listens, why);
	free(port);
	return ret;
}

static void network(struct sg_network *out, const struct netaddr *at, unsigned bits)
{
	memcpy(out->addr, at->addr, sizeof(out->addr));
	out->bits = (uint8_t)(netaddr_is_ipv4(at) ? bits + 96 : bits);
}

static int guard_allow(struct media *media, const struct config *config, struct sg_error *why)
{
	size_t count = config->trunks + config->ban.allows;
	struct sg_network *networks = calloc(count + 1, sizeof(*networks));
	int ret;

	if (!networks)
		return -ENOMEM;
	for (size_t i = 0; i < config->trunks; i++)
		network(&networks[i], &config->trunk[i].source, config->trunk[i].prefix);
	for (size_t i = 0; i < config->ban.allows; i++)
		network(&networks[config->trunks + i], &config->ban.allow[i].at,
			config->ban.allow[i].bits);
	ret = sg_guard_allow(media->relay, networks, count, why);
	free(networks);
	return ret;
}

int media_guard(struct media *media, const struct config *config, struct error *err)
{
	struct sg_error why = {"out of memory"};
	int ret = guard_allow(media, config, &why);

	if (!ret)
		ret = guard_ports(media, config, &why);
	return ret < 0 ? error_set(err, ret, "the guard: %s", why.text) : 0;
}
