/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interfaces: our program put on NICs and taken off, and their slots in sg_meta.nic.
 *
 * Attached the way `ip link` does it and not by a bpf_link, so that the program outlives this
 * process and `ip link` can take it off. A set of maps serves the NICs of one network namespace.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "fanout.h"
#include "libbpf_text.h"
#include "maps.h"
#include "pins.h"
#include "xdp_link.h"

#define ENOTSUPP_KERNEL 524 /* ENOTSUPP of the kernel, which some drivers let out */

/* ---- NIC slots ------------------------------------------------------------------------------ */

static int slot_of(const struct sg_relay *relay, uint32_t ifindex)
{
	for (int i = 0; i < (int)SG_NICS; i++)
		if (relay->meta->nic[i] == ifindex)
			return i;
	return -ENOENT;
}

/* Does any next hop name the slot, be it only for paths that rest? */
static bool slot_is_named(const struct sg_relay *relay, int nic)
{
	for (uint16_t i = 1; i < SG_NEXTHOPS; i++)
		if (relay->nexthop[i].used && sg_nexthop_hop(relay, i)->nic == nic)
			return true;
	return false;
}

static bool device_exists(uint32_t ifindex)
{
	struct sg_xdp_link *links;
	int count = sg_xdp_link_all(&links);
	bool exists = count < 0; /* not known to be gone */

	for (int i = 0; i < count; i++)
		exists |= links[i].ifindex == ifindex;
	if (count >= 0)
		free(links);
	return exists;
}

/* A device keeps its slot; else a free one, else one whose device is gone and that nobody names. */
static int choose_slot(const struct sg_relay *relay, uint32_t ifindex)
{
	int slot = slot_of(relay, ifindex);

	if (slot < 0)
		slot = slot_of(relay, 0);
	for (int i = 0; i < (int)SG_NICS && slot < 0; i++)
		if (!device_exists(relay->meta->nic[i]) && !slot_is_named(relay, i))
			slot = i;
	return slot < 0 ? -ENOSPC : slot;
}

static void set_slot(struct sg_relay *relay, int slot, uint32_t ifindex)
{
	__atomic_store_n(&relay->meta->nic[slot], ifindex, __ATOMIC_RELEASE);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void describe(const struct sg_relay *relay, const struct sg_xdp_link *link,
		     struct sg_interface *out)
{
	int ours = 0;

	memset(out, 0, sizeof(*out));
	memcpy(out->name, link->name, sizeof(out->name));
	out->ifindex = link->ifindex;
	out->nic = slot_of(relay, link->ifindex);
	if (out->nic < 0)
		out->nic = -1;
	out->prog_id = link->prog_id;
	if (link->prog_id) {
		out->mode = link->generic ? SG_ATTACH_GENERIC : SG_ATTACH_NATIVE;
		ours = sg_program_is_ours(relay, link->prog_id, out->prog_name);
	}
	/* Asking about a program takes CAP_SYS_ADMIN. Without it the slot is the best witness. */
	out->ours = ours == -EPERM ? out->nic >= 0 : ours > 0;
	out->mtu = link->mtu;
	out->up = link->up;
}

int sg_interface_get(struct sg_relay *relay, const char *name, struct sg_interface *out,
		     struct sg_error *err)
{
	struct sg_xdp_link link;
	int ret = sg_xdp_link_get(name, &link);

	if (ret == -ENODEV)
		return sg_fail(err, ret, "there is no interface '%.32s'", name);
	if (ret < 0)
		return sg_fail(err, ret, "interface %s: %s", name, strerror(-ret));
	describe(relay, &link, out);
	sg_xdp_link_driver(name, out->driver);
	return 0;
}

int sg_interface_list(struct sg_relay *relay, struct sg_interface *out, size_t room)
{
	struct sg_xdp_link *links;
	struct sg_interface interface;
	int count = sg_xdp_link_all(&links);
	int listed = 0;

	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		describe(relay, &links[i], &interface);
		if (interface.nic < 0 && !interface.ours)
			continue;
		sg_xdp_link_driver(interface.name, interface.driver);
		if ((size_t)listed < room)
			out[listed] = interface;
		listed++;
	}
	free(links);
	return listed;
}

/* ---- putting a program on a NIC, or taking it off ------------------------------------------- */

static uint32_t mode_flags(enum sg_attach_mode mode)
{
	return mode == SG_ATTACH_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

static const char *mode_name(enum sg_attach_mode mode)
{
	return mode == SG_ATTACH_GENERIC ? "generic" : "native";
}

/* Only the program seen before is taken off or replaced, if we may name it. */
static int prog_fd_of(uint32_t prog_id)
{
	int fd = prog_id ? bpf_prog_get_fd_by_id(prog_id) : -1;

	return fd < 0 ? 0 : fd;
}

static int take_off(const struct sg_interface *interface, struct sg_error *err)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = prog_fd_of(interface->prog_id));
	struct sg_libbpf_text why;
	int ret;

	sg_libbpf_text_begin(&why);
	ret = bpf_xdp_detach((int)interface->ifindex, mode_flags(interface->mode), &opts);
	sg_libbpf_text_end();
	if (opts.old_prog_fd > 0)
		close(opts.old_prog_fd);
	if (ret < 0)
		return sg_fail(err, ret, "cannot take program %u off %s: %s: %s",
			       interface->prog_id, interface->name, strerror(-ret), why.text);
	return 0;
}

/* One try in one mode, over `old_fd` or (0) over nothing. */
static int put_on(const struct sg_interface *interface, enum sg_attach_mode mode, int prog_fd,
		  int old_fd, struct sg_libbpf_text *why)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = old_fd);
	uint32_t flags = mode_flags(mode) | (old_fd ? 0 : XDP_FLAGS_UPDATE_IF_NOEXIST);
	int ret;

	sg_libbpf_text_begin(why);
	ret = bpf_xdp_attach((int)interface->ifindex, prog_fd, flags, &opts);
	sg_libbpf_text_end();
	return ret;
}

static int refused(const struct sg_interface *interface, enum sg_attach_mode mode, int code,
		   const struct sg_libbpf_text *why, struct sg_error *err)
{
	const char *cure = "";

	if (code == -ENOTSUPP_KERNEL)
		code = -EOPNOTSUPP;
	if (code == -EOPNOTSUPP && mode == SG_ATTACH_NATIVE)
		cure = ": attach in generic mode";
	return sg_fail(err, code, "%s (driver %s) refuses the program in %s mode: %s%s%s%s",
		       interface->name, interface->driver[0] ? interface->driver : "unknown",
		       mode_name(mode), strerror(-code), why->text[0] ? ": " : "", why->text, cure);
}

/* Native first with AUTO; generic only where the driver says that it knows no native XDP. */
static int put_on_empty(const struct sg_interface *interface, enum sg_attach_mode mode, int prog_fd,
			struct sg_error *err)
{
	enum sg_attach_mode first = mode == SG_ATTACH_GENERIC ? mode : SG_ATTACH_NATIVE;
	struct sg_libbpf_text why;
	int ret = put_on(interface, first, prog_fd, 0, &why);

	if (mode == SG_ATTACH_AUTO && (ret == -EOPNOTSUPP || ret == -ENOTSUPP_KERNEL)) {
		first = SG_ATTACH_GENERIC;
		ret = put_on(interface, first, prog_fd, 0, &why);
	}
	return ret < 0 ? refused(interface, first, ret, &why, err) : 0;
}

/* Replaces in one step where the mode stays; the kernel knows no step from one mode to another. */
static int put_on_other(const struct sg_interface *interface, enum sg_attach_mode mode, int prog_fd,
			struct sg_error *err)
{
	struct sg_libbpf_text why;
	int old_fd, ret;

	if (mode != SG_ATTACH_AUTO && mode != interface->mode) {
		ret = take_off(interface, err);
		return ret < 0 ? ret : put_on_empty(interface, mode, prog_fd, err);
	}
	old_fd = prog_fd_of(interface->prog_id);
	if (!old_fd)
		return sg_fail(err, -EPERM, "no right to replace program %u on %s: run as root",
			       interface->prog_id, interface->name);
	ret = put_on(interface, interface->mode, prog_fd, old_fd, &why);
	close(old_fd);
	return ret < 0 ? refused(interface, interface->mode, ret, &why, err) : 0;
}

/* ---- attach --------------------------------------------------------------------------------- */

/* May we put our program here? 1: it is there already, in the wanted mode. */
static int check_present(const struct sg_interface *interface, enum sg_attach_mode mode, bool force,
			 struct sg_error *err)
{
	if (!interface->prog_id || force)
		return 0;
	if (!interface->ours)
		return sg_fail(err, -EBUSY,
			       "%s runs the XDP program '%s' (id %u), which is not ours: take it "
			       "off, or force its replacement",
			       interface->name, interface->prog_name, interface->prog_id);
	if (mode != SG_ATTACH_AUTO && mode != interface->mode)
		return sg_fail(err, -EBUSY,
			       "%s runs our program in %s mode already: detach it first, or force "
			       "its replacement",
			       interface->name, mode_name(interface->mode));
	return 1;
}

static int install(struct sg_relay *relay, const struct sg_interface *interface,
		   enum sg_attach_mode mode, struct sg_error *err)
{
	int fd = sg_entry_program(relay, err);
	int ret;

	if (fd < 0)
		return fd;
	if (interface->prog_id)
		ret = put_on_other(interface, mode, fd, err);
	else
		ret = put_on_empty(interface, mode, fd, err);
	close(fd);
	return ret;
}

/* Gives the NIC its slot; device maps follow. Undone if they cannot. */
static int enter(struct sg_relay *relay, int slot, uint32_t ifindex, struct sg_error *err)
{
	uint32_t before = relay->meta->nic[slot];
	int ret;

	set_slot(relay, slot, ifindex);
	ret = sg_fanout_refresh(relay, err);
	if (ret < 0)
		set_slot(relay, slot, before);
	return ret;
}

static int attach_locked(struct sg_relay *relay, const char *name, enum sg_attach_mode mode,
			 bool force, struct sg_error *err)
{
	struct sg_interface interface = {0};
	int ret = sg_interface_get(relay, name, &interface, err);
	int slot, present;

	if (ret < 0)
		return ret;
	slot = choose_slot(relay, interface.ifindex);
	if (slot < 0)
		return sg_fail(err, slot, "%s would be one more than %u interfaces: detach another",
			       name, SG_NICS);
	present = check_present(&interface, mode, force, err);
	if (present < 0)
		return present;
	ret = present ? 0 : install(relay, &interface, mode, err);
	if (ret < 0)
		return ret;
	ret = enter(relay, slot, interface.ifindex, err);
	if (ret < 0 && !present && sg_interface_get(relay, name, &interface, NULL) == 0)
		take_off(&interface, NULL);
	return ret;
}

int sg_interface_attach(struct sg_relay *relay, const char *name, enum sg_attach_mode mode,
			bool force, struct sg_error *err)
{
	int ret = sg_lock(relay, err);

	if (ret < 0)
		return ret;
	ret = attach_locked(relay, name, mode, force, err);
	sg_unlock(relay, ret == 0);
	return ret;
}

/* ---- another version ------------------------------------------------------------------------ */

/* Does another version of our program run there? 0, 1 or a negative errno. */
static int is_other(const struct sg_interface *interface, int prog_fd, struct sg_error *err)
{
	int running = bpf_prog_get_fd_by_id(interface->prog_id);
	int ret;

	if (running < 0)
		return sg_fail(err, running, "no right to look at program %u on %s: run as root",
			       interface->prog_id, interface->name);
	ret = sg_program_differs(prog_fd, running);
	close(running);
	return ret < 0 ? sg_fail(err, ret, "program %u on %s: %s", interface->prog_id,
				 interface->name, strerror(-ret))
		       : ret;
}

static int renew_all(struct sg_relay *relay, int prog_fd, struct sg_error *err)
{
	struct sg_interface interfaces[4 * SG_NICS];
	int count = sg_interface_list(relay, interfaces, 4 * SG_NICS);
	int renewed = 0;

	if (count < 0)
		return sg_fail(err, count, "cannot list interfaces: %s", strerror(-count));
	for (int i = 0; i < count && i < 4 * (int)SG_NICS; i++) {
		int ret = interfaces[i].ours ? is_other(&interfaces[i], prog_fd, err) : 0;

		if (ret == 1) {
			ret = put_on_other(&interfaces[i], SG_ATTACH_AUTO, prog_fd, err);
			renewed++;
		}
		if (ret < 0)
			return ret;
	}
	return renewed;
}

/* The device programs first: a packet's stamp is read by the version that wrote it or a newer one.
 */
static int renew_locked(struct sg_relay *relay, struct sg_error *err)
{
	int egress = sg_egress_renew(relay, err);
	int fd, ret = egress;

	if (ret == 1)
		ret = sg_fanout_refresh(relay, err);
	if (ret < 0)
		return ret;
	fd = sg_entry_program(relay, err);
	if (fd < 0)
		return fd;
	ret = renew_all(relay, fd, err);
	close(fd);
	return ret < 0 ? ret : ret + egress;
}

int sg_relay_renew(struct sg_relay *relay, struct sg_error *err)
{
	int ret = sg_lock(relay, err);

	if (ret < 0)
		return ret;
	ret = renew_locked(relay, err);
	sg_unlock(relay, false);
	return ret;
}

/* ---- detach --------------------------------------------------------------------------------- */

static int leave(struct sg_relay *relay, const struct sg_interface *interface, struct sg_error *err)
{
	int ret = interface->ours ? take_off(interface, err) : 0;

	if (ret < 0 || interface->nic < 0)
		return ret;
	set_slot(relay, interface->nic, 0);
	return sg_fanout_refresh(relay, err);
}

/* With no NIC left nothing can reach the maps: neighbours are let go and every pin goes. */
static int retire(struct sg_relay *relay, struct sg_error *err)
{
	for (uint16_t i = 1; i < SG_NEXTHOPS; i++)
		while (relay->nexthop[i].used && relay->nexthop[i].paths)
			sg_nexthop_put(relay, i);
	/* Handles that others hold see by this that their maps are nobody's any more. */
	__atomic_store_n(&relay->meta->magic, 0, __ATOMIC_RELEASE);
	return sg_pins_remove(relay, err);
}

void sg_interface_retire_unused(struct sg_relay *relay)
{
	if (sg_lock(relay, NULL) < 0)
		return;
	if (sg_interface_list(relay, NULL, 0) == 0 && sg_stream_count(relay) == 0)
		retire(relay, NULL);
	sg_unlock(relay, false);
}

/* Paths of one stream that packets may still take through the NIC: resting ones do not count. */
static unsigned paths_through(const struct sg_relay *relay, uint32_t stream, int nic)
{
	unsigned count = 0;

	for (uint32_t side = 0; side < SG_SIDES; side++)
		for (uint32_t slot = 0; slot < SG_PATH_SLOTS; slot++) {
			const struct sg_path *path = sg_path_at(relay, stream, side, slot);

			if ((path->state == SG_PATH_LIVE || path->state == SG_PATH_DRAINING) &&
			    path->nexthop && sg_nexthop_hop(relay, path->nexthop)->nic == nic)
				count++;
		}
	return count;
}

static int check_unused(struct sg_relay *relay, const struct sg_interface *interface, bool force,
			struct sg_error *err)
{
	unsigned users = 0;

	if (interface->nic < 0 && !interface->ours)
		return sg_fail(err, -ENOENT, "%s does not run our program", interface->name);
	if (interface->nic < 0 || force)
		return 0;
	for (uint32_t stream = 0; sg_stream_next(relay, &stream); stream++)
		users += paths_through(relay, stream, interface->nic);
	if (users)
		return sg_fail(err, -EBUSY,
			       "%u path%s of streams leave%s through %s: remove the streams, or "
			       "force it",
			       users, users == 1 ? "" : "s", users == 1 ? "s" : "",
			       interface->name);
	return 0;
}

static int detach_locked(struct sg_relay *relay, const char *name, bool force, struct sg_error *err)
{
	struct sg_interface interface = {0};
	int ret = sg_interface_get(relay, name, &interface, err);

	if (ret == 0)
		ret = check_unused(relay, &interface, force, err);
	if (ret == 0)
		ret = leave(relay, &interface, err);
	if (ret < 0)
		return ret;
	ret = sg_interface_list(relay, NULL, 0);
	if (ret == 0 && (force || sg_stream_count(relay) == 0))
		return retire(relay, err);
	return ret < 0 ? sg_fail(err, ret, "cannot list interfaces: %s", strerror(-ret)) : 0;
}

int sg_interface_detach(struct sg_relay *relay, const char *name, bool force, struct sg_error *err)
{
	int ret = sg_lock(relay, err);

	if (ret < 0)
		return ret;
	sg_relay_tick(relay);
	ret = detach_locked(relay, name, force, err);
	sg_unlock(relay, ret == 0);
	return ret;
}

static int detach_all_locked(struct sg_relay *relay, bool force, struct sg_error *err)
{
	struct sg_interface interfaces[4 * SG_NICS];
	size_t streams = sg_stream_count(relay);
	int count, ret = 0;

	if (streams && !force)
		return sg_fail(err, -EBUSY, "%zu streams are installed: remove them, or force it",
			       streams);
	/* NICs may run our program without a slot, attached by `ip link`: more than SG_NICS. */
	do {
		count = sg_interface_list(relay, interfaces, 4 * SG_NICS);
		for (int i = 0; i < count && i < 4 * (int)SG_NICS && ret == 0; i++)
			ret = leave(relay, &interfaces[i], err);
	} while (ret == 0 && count > 4 * (int)SG_NICS);
	if (count < 0)
		return sg_fail(err, count, "cannot list interfaces: %s", strerror(-count));
	return ret < 0 ? ret : retire(relay, err);
}

int sg_interface_detach_all(struct sg_relay *relay, bool force, struct sg_error *err)
{
	int ret = sg_lock(relay, err);

	if (ret < 0)
		return ret;
	sg_relay_tick(relay);
	ret = detach_all_locked(relay, force, err);
	sg_unlock(relay, ret == 0);
	return ret;
}

/* ---- copies -------------------------------------------------------------------------------------
 */

static int prepare_pairs(struct sg_relay *relay, struct sg_error *err)
{
	int ret = 0;

	for (uint8_t a = 0; !ret && a < SG_NICS; a++) {
		for (uint8_t b = 0; !ret && b <= a; b++) {
			const uint8_t pair[] = {a, b};

			if (relay->meta->nic[a] && relay->meta->nic[b])
				ret = sg_fanout_ensure_nics(relay, pair, 2, err);
		}
	}
	return ret;
}

int sg_interface_prepare(struct sg_relay *relay, struct sg_error *err)
{
	int ret = sg_change_begin(relay, err);

	return ret ? ret : sg_change_end(relay, prepare_pairs(relay, err));
}
