// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "base/log.h"
#include "call/media_internal.h"

static int open_relay(struct media *media, struct error *err)
{
	const struct sg_relay_options options = {.capacity = media->config->stream_capacity,
						 .flags = SG_OPEN_CREATE};
	struct sg_error why = {""};
	int ret = sg_relay_open(&media->relay, &options, &why);

	return ret ? error_set(err, ret, "%s", why.text) : 0;
}

static int share(struct media *media, uid_t user, gid_t group, struct error *err)
{
	struct sg_error why = {""};
	int ret = sg_relay_share(media->relay, user, group, &why);

	return ret ? error_set(err, ret, "%s", why.text) : 0;
}

/* The experiment takes a network namespace, which the user may not make: it is done now. */
static void settle_generic(struct media *media)
{
	struct sg_error why = {""};
	int ret = sg_relay_settle_generic(media->relay, &why);

	if (ret)
		log_warning(media->log, NULL, "media: no second path in generic mode: %s",
			    why.text);
}

/* Programs of the version that ran before an upgrade go on until here. */
static int renew(struct media *media, struct error *err)
{
	struct sg_error why = {""};
	int ret = sg_relay_renew(media->relay, &why);

	if (ret < 0)
		return error_set(err, ret, "%s", why.text);
	if (ret)
		log_info(media->log, NULL,
			 "media: %d kernel programs of another version were replaced", ret);
	return 0;
}

int media_check(struct error *err)
{
	const struct sg_relay_options options = {.flags = SG_OPEN_READ_ONLY};
	struct sg_relay *relay = NULL;
	struct sg_error why = {""};
	int ret = sg_relay_open(&relay, &options, &why);

	sg_relay_close(relay);
	return ret && ret != -ENOENT ? error_set(err, ret, "%s", why.text) : 0;
}

int media_prepare(const struct config *config, struct log *log, uid_t user, gid_t group,
		  struct error *err)
{
	struct media media = {.config = config, .log = log};
	int ret = open_relay(&media, err);

	if (!ret)
		ret = media_attach_alloc(&media.attach, &media, err);
	if (!ret)
		ret = renew(&media, err);
	if (!ret) {
		settle_generic(&media);
		ret = share(&media, user, group, err);
	}
	media_attach_free(media.attach);
	if (media.relay)
		sg_relay_close(media.relay);
	return ret;
}
