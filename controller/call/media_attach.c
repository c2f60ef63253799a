// SPDX-License-Identifier: BSD-2-Clause
/*
 * The configured NICs. One that goes and returns is the relay's matter (sg_follow attaches it
 * again); here are those that have not been there yet.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "call/media_internal.h"

struct media_attach {
	struct media *media;
	bool *attached; /* [config->interfaces] */
};

/* `external`: somebody else puts our program on (ip link); we only take a slot for the NIC. */
static int check_external(struct media *media, const struct config_interface *interface,
			  struct sg_error *err)
{
	struct sg_interface found;
	int ret = sg_interface_get(media->relay, interface->name, &found, err);

	if (ret == -ENOENT || (!ret && !found.ours)) {
		snprintf(err->text, sizeof(err->text),
			 "%s has no program yet (attach: external): ip link set dev %s xdp obj "
			 "segue.bpf.o sec xdp",
			 interface->name, interface->name);
		return -ENODEV;
	}
	return ret;
}

static int attach(struct media *media, const struct config_interface *interface,
		  struct sg_error *err)
{
	static const enum sg_attach_mode mode[] = {
		[CONFIG_ATTACH_AUTO] = SG_ATTACH_AUTO,
		[CONFIG_ATTACH_NATIVE] = SG_ATTACH_NATIVE,
		[CONFIG_ATTACH_GENERIC] = SG_ATTACH_GENERIC,
		[CONFIG_ATTACH_EXTERNAL] = SG_ATTACH_AUTO,
	};
	int ret = 0;

	if (interface->attach == CONFIG_ATTACH_EXTERNAL)
		ret = check_external(media, interface, err);
	return ret ? ret
		   : sg_interface_attach(media->relay, interface->name, mode[interface->attach],
					 false, err);
}

/* -ENODEV may change, and so is no reason to give up. */
static int attach_all(struct media_attach *at, bool first, struct error *err)
{
	struct media *media = at->media;

	for (size_t i = 0; i < media->config->interfaces; i++) {
		const struct config_interface *interface = &media->config->interface[i];
		struct sg_error why;
		int ret;

		if (at->attached[i])
			continue;
		ret = attach(media, interface, &why);
		at->attached[i] = !ret;
		if (ret && ret != -ENODEV && first)
			return error_set(err, ret, "%s", why.text);
		if (ret && (first || ret != -ENODEV))
			log_warning(media->log, NULL, "media: %s: tried again when links change",
				    why.text);
		else if (!ret)
			log_info(media->log, NULL, "media: %s is attached", interface->name);
	}
	return 0;
}

int media_attach_alloc(struct media_attach **out, struct media *media, struct error *err)
{
	struct media_attach *at = calloc(1, sizeof(*at));
	struct sg_error why;
	int ret;

	if (at)
		at->attached = calloc(media->config->interfaces, sizeof(*at->attached));
	if (!at || !at->attached) {
		media_attach_free(at);
		return error_set(err, -ENOMEM, "no memory for interfaces");
	}
	at->media = media;
	ret = attach_all(at, true, err);
	if (ret) {
		media_attach_free(at);
		return ret;
	}
	/* Where copies cannot be had (-EOPNOTSUPP), the party that wants some is told. */
	if (sg_interface_prepare(media->relay, &why))
		log_info(media->log, NULL, "media: %s", why.text);
	*out = at;
	return 0;
}

void media_attach_free(struct media_attach *at)
{
	if (!at)
		return;
	free(at->attached);
	free(at);
}

void media_attach_again(struct media_attach *at)
{
	attach_all(at, false, NULL);
}
