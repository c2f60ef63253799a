/* SPDX-License-Identifier: BSD-2-Clause */
/* The handle: opening and closing the maps, sg_meta and its tunables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <segue/window.h>

#include "answers.h"
#include "index.h"
#include "maps.h"
#include "netlink.h"
#include "pins.h"
#include "shape.h"

/* ---- opening -------------------------------------------------------------------------------- */

static int copy_path(char *out, size_t size, const char *path, const char *what,
		     struct sg_error *err)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len >= size)
		return sg_fail(err, -ENAMETOOLONG, "%s '%.100s...' is longer than %zu bytes", what,
			       path, size - 1);
	memcpy(out, path, len);
	out[len] = '\0';
	return 0;
}

static int settle_paths(struct sg_relay *relay, const struct sg_relay_options *options,
			struct sg_error *err)
{
	const char *pins = options->pin_dir ? options->pin_dir : SG_PIN_DIR_DEFAULT;
	const char *objects = options->object_dir;
	int ret;

	if (pins[0] != '/')
		return sg_fail(err, -EINVAL, "pin directory '%.100s' is not an absolute path",
			       pins);
	ret = copy_path(relay->pin_dir, sizeof(relay->pin_dir), pins, "pin directory", err);
	if (ret < 0)
		return ret;
	if (!objects)
		objects = getenv("SEGUE_OBJECT_DIR");
	return copy_path(relay->object_dir, sizeof(relay->object_dir),
			 objects && objects[0] ? objects : SG_OBJECT_DIR, "object directory", err);
}

/* `ip link` makes zeroed maps: whoever first opens them for writing says what they are. */
static void init_meta(struct sg_relay *relay)
{
	struct sg_meta *meta = relay->meta;

	meta->abi = SG_ABI_VERSION;
	meta->capacity = relay->capacity;
	meta->window = SG_WINDOW_MAX;
	meta->reset_ns = SG_RESET_NS_DEFAULT;
	meta->restart_ns = SG_RESTART_NS_DEFAULT;
	meta->drain_ns = SG_DRAIN_NS_DEFAULT;
	meta->rest_ns = SG_REST_NS_DEFAULT;
	__atomic_store_n(&meta->magic, SG_MAGIC, __ATOMIC_RELEASE);
}

/* A magic of 0 is a map that nobody initialised yet. */
static int check_meta(const struct sg_relay *relay, struct sg_error *err)
{
	const struct sg_meta *meta = relay->meta;

	if (meta->magic && meta->magic != SG_MAGIC)
		return sg_fail(err, -EPROTO, "%s/%s is not a map of ours (magic 0x%08x)",
			       relay->pin_dir, sg_map_name(SG_MAP_META), meta->magic);
	if (meta->magic && meta->abi != SG_ABI_VERSION)
		return sg_fail(err, -EPROTO,
			       "the maps in %s have ABI %u, this program has %u: detach all "
			       "interfaces with the version that made them",
			       relay->pin_dir, meta->abi, SG_ABI_VERSION);
	return 0;
}

static int map_and_check(struct sg_relay *relay, struct sg_error *err)
{
	int ret = sg_maps_mmap(relay, err);

	return ret < 0 ? ret : check_meta(relay, err);
}

static int open_reading(struct sg_relay *relay, struct sg_error *err)
{
	int missing = sg_pins_check(relay, err);

	if (missing == 0)
		missing = sg_maps_open(relay, err);
	if (missing < 0)
		return missing;
	if (missing == SG_MAP_COUNT)
		return sg_fail(err, -ENOENT, "no maps in %s: attach an interface first",
			       relay->pin_dir);
	if (missing)
		return sg_fail(err, -EPROTO, "%d of the maps in %s are missing: attach again",
			       missing, relay->pin_dir);
	return map_and_check(relay, err);
}

/* Maps that are there in part, after `ip link` with another build, are completed. */
static int open_or_create(struct sg_relay *relay, const struct sg_relay_options *options,
			  struct sg_error *err)
{
	int missing = sg_maps_open(relay, err);

	if (missing <= 0)
		return missing;
	if (missing == SG_MAP_COUNT && !(options->flags & SG_OPEN_CREATE))
		return sg_fail(err, -ENOENT, "no maps in %s: attach an interface first",
			       relay->pin_dir);
	relay->made = missing == SG_MAP_COUNT;
	return sg_maps_create(relay, options->capacity ? options->capacity : SG_STREAM_CAPACITY,
			      err);
}

static int open_writing(struct sg_relay *relay, const struct sg_relay_options *options,
			struct sg_error *err)
{
	bool create = options->flags & SG_OPEN_CREATE;
	int ret = sg_lock_open(relay, create, err);

	if (ret == 0)
		ret = open_or_create(relay, options, err);
	if (ret == 0)
		ret = map_and_check(relay, err);
	if (ret < 0 && create)
		sg_pins_tidy(relay);
	if (ret < 0)
		return ret;
	if (!relay->meta->magic)
		init_meta(relay);
	sg_lock_adopt(relay);
	sg_relay_tick(relay);
	return 0;
}

static int check_options(const struct sg_relay_options *options, struct sg_error *err)
{
	if ((options->flags & SG_OPEN_CREATE) && (options->flags & SG_OPEN_READ_ONLY))
		return sg_fail(err, -EINVAL, "maps cannot be made by a read-only handle");
	if (options->capacity > 1u << 24)
		return sg_fail(err, -EINVAL, "a capacity of %u streams: at most %u",
			       options->capacity, 1u << 24);
	return 0;
}

int sg_relay_open(struct sg_relay **out, const struct sg_relay_options *options,
		  struct sg_error *err)
{
	static const struct sg_relay_options defaults;
	struct sg_relay *relay;
	int ret;

	if (!options)
		options = &defaults;
	ret = check_options(options, err);
	if (ret < 0)
		return ret;
	relay = calloc(1, sizeof(*relay));
	if (!relay)
		return sg_fail(err, -ENOMEM, "no memory for a handle");
	relay->lock_fd = -1;
	relay->recover = sg_change_recover;
	for (int i = 0; i < SG_MAP_COUNT; i++)
		relay->map_fd[i] = -1;
	relay->read_only = options->flags & SG_OPEN_READ_ONLY;
	relay->resident = options->flags & SG_OPEN_RESIDENT;
	ret = settle_paths(relay, options, err);
	if (ret == 0)
		ret = relay->read_only ? open_reading(relay, err)
				       : open_writing(relay, options, err);
	if (ret == 0 && relay->resident && !relay->read_only)
		ret = sg_answers_open(&relay->answers, err);
	if (ret < 0) {
		sg_relay_close(relay);
		return ret;
	}
	*out = relay;
	return 0;
}

void sg_relay_close(struct sg_relay *relay)
{
	if (!relay)
		return;
	if (relay->made && relay->meta)
		sg_interface_retire_unused(relay);
	sg_index_free(relay);
	sg_netlink_close(relay->netlink);
	sg_answers_close(relay->answers);
	sg_maps_close(relay);
	if (relay->lock_fd >= 0)
		close(relay->lock_fd);
	free(relay);
}

/* ---- sg_meta -------------------------------------------------------------------------------- */

int sg_relay_meta(struct sg_relay *relay, struct sg_meta *out)
{
	*out = *relay->meta;
	out->capacity = relay->capacity; /* 0 in the map until a writer opened it */
	return 0;
}

/* MP-16 sets a floor under drains and rests; tests must not wait that long. */
static bool short_times_allowed(void)
{
	const char *value = getenv("SEGUE_SHORT_TIMES");

	return value && strcmp(value, "1") == 0;
}

static int check_floor(const char *what, uint64_t ns, uint64_t floor_ns, struct sg_error *err)
{
	if (!ns || ns >= floor_ns || short_times_allowed())
		return 0;
	return sg_fail(err, -EINVAL, "%s of %.3f ms: at least %.0f ms", what, (double)ns / 1e6,
		       (double)floor_ns / 1e6);
}

static int check_tunables(const struct sg_tunables *tunables, struct sg_error *err)
{
	uint32_t window = tunables->window;
	int ret;

	if (window && (window < SG_WINDOW_MIN || window > SG_WINDOW_MAX))
		return sg_fail(err, -EINVAL, "a window of %u packets: from %u to %u", window,
			       SG_WINDOW_MIN, SG_WINDOW_MAX);
	ret = check_floor("a drain", tunables->drain_ns, SG_DRAIN_NS_DEFAULT, err);
	if (ret < 0)
		return ret;
	return check_floor("a rest", tunables->rest_ns, SG_REST_NS_DEFAULT, err);
}

/* The kernel reads each tunable by itself, so each is one store of its own. */
static void tune(__u64 *field, uint64_t value)
{
	if (value)
		__atomic_store_n(field, value, __ATOMIC_RELAXED);
}

int sg_relay_tune(struct sg_relay *relay, const struct sg_tunables *tunables, struct sg_error *err)
{
	int ret = check_tunables(tunables, err);

	if (ret == 0)
		ret = sg_lock(relay, err);
	if (ret < 0)
		return ret;
	if (tunables->window)
		__atomic_store_n(&relay->meta->window, tunables->window, __ATOMIC_RELAXED);
	tune(&relay->meta->reset_ns, tunables->reset_ns);
	tune(&relay->meta->restart_ns, tunables->restart_ns);
	tune(&relay->meta->drain_ns, tunables->drain_ns);
	tune(&relay->meta->rest_ns, tunables->rest_ns);
	sg_unlock(relay, true);
	return 0;
}
