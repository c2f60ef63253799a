/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sg_fanout: a device map for each set of NICs that some stream copies to, made when it is first
 * needed and shared by all streams: a map per call would wait for RCU on every removal. And one for
 * each single NIC, through which single copies leave: with the same program, since what waits in a
 * NIC's queue goes through the program of the first of it (bq_enqueue in the kernel's devmap.c).
 * All calls that change it are made with the lock held.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "answers.h"
#include "fanout.h"
#include "index.h"
#include "netlink.h"

/* ---- keys ----------------------------------------------------------------------------------- */

/* Digits nic + 1, largest first, 0 where there is no copy. */
static void sort_digits(uint32_t digit[SG_PATHS], const uint8_t *nic, unsigned count)
{
	memset(digit, 0, SG_PATHS * sizeof(*digit));
	for (unsigned i = 0; i < count && i < SG_PATHS; i++) {
		unsigned at = i;

		for (; at > 0 && digit[at - 1] < nic[i] + 1u; at--)
			digit[at] = digit[at - 1];
		digit[at] = nic[i] + 1u;
	}
}

static uint32_t key_of(const uint32_t digit[SG_PATHS])
{
	uint32_t key = 0;

	for (unsigned i = 0; i < SG_PATHS; i++)
		key = key * SG_FANOUT_BASE + digit[i];
	return key;
}

uint32_t sg_fanout_key(const uint8_t *nic, unsigned count)
{
	uint32_t digit[SG_PATHS];

	sort_digits(digit, nic, count);
	return key_of(digit);
}

/* ---- device maps ---------------------------------------------------------------------------- */

static int fill(const struct sg_relay *relay, int map, int program, const uint32_t digit[SG_PATHS])
{
	for (uint32_t i = 0; i < SG_PATHS && digit[i]; i++) {
		struct bpf_devmap_val value = {
			.ifindex = relay->meta->nic[digit[i] - 1],
			.bpf_prog.fd = program,
		};

		if (bpf_map_update_elem(map, &i, &value, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

/* Makes the device map for these digits, or puts a new one in the place of an outdated one. */
static int make(struct sg_relay *relay, const uint32_t digit[SG_PATHS], struct sg_error *err)
{
	int program = sg_egress_program(relay, err);
	uint32_t key = key_of(digit);
	int map, error;

	if (program < 0)
		return program;
	map = bpf_map_create(BPF_MAP_TYPE_DEVMAP_HASH, "sg_devices", sizeof(uint32_t),
			     sizeof(struct bpf_devmap_val), SG_PATHS, NULL);
	error = map < 0 ? -errno : fill(relay, map, program, digit);
	if (!error && bpf_map_update_elem(relay->map_fd[SG_MAP_FANOUT], &key, &map, BPF_ANY) < 0)
		error = -errno;
	if (map >= 0)
		close(map);
	close(program);
	if (error)
		return sg_fail(err, error, "device map for copies to NIC slots %d %d %d %d: %s",
			       (int)digit[0] - 1, (int)digit[1] - 1, (int)digit[2] - 1,
			       (int)digit[3] - 1, strerror(-error));
	return 0;
}

/* -EPERM without CAP_SYS_ADMIN: it exists, and as nobody can say what is in it, it is made anew. */
static int lookup(const struct sg_relay *relay, uint32_t key)
{
	uint32_t id;

	if (bpf_map_lookup_elem(relay->map_fd[SG_MAP_FANOUT], &key, &id) < 0)
		return -errno;
	return bpf_map_get_fd_by_id(id);
}

static int ensure_digits(struct sg_relay *relay, const uint32_t digit[SG_PATHS],
			 struct sg_error *err)
{
	uint32_t key = key_of(digit), id;

	int error = 0;

	if (sg_index_knows_fanout(relay, key))
		return 0;
	if (bpf_map_lookup_elem(relay->map_fd[SG_MAP_FANOUT], &key, &id) < 0)
		error = make(relay, digit, err);
	if (!error)
		sg_index_note_fanout(relay, key);
	return error;
}

/* ---- generic mode --------------------------------------------------------------------------- */

/* Packets of any stream may come in on any NIC, and it is there that the mode decides. */
static bool find_generic(struct sg_relay *relay, struct sg_link *link, struct sg_error *err)
{
	if (!sg_netlink_of(relay, err))
		return false;
	for (unsigned i = 0; i < SG_NICS; i++) {
		uint32_t ifindex = relay->meta->nic[i];

		if (ifindex && sg_answer_link(relay, ifindex, link) == 0 && link->xdp_generic)
			return true;
	}
	return false;
}

static int check_generic(struct sg_relay *relay, struct sg_error *err)
{
	struct sg_link link;
	int error;

	if (relay->meta->generic_clone == SG_GENERIC_CLONE_PRIVATE ||
	    !find_generic(relay, &link, err))
		return 0;
	if (relay->meta->generic_clone == SG_GENERIC_CLONE_UNKNOWN) {
		error = sg_probe_generic_clone(relay, err);
		if (error)
			return error;
	}
	if (relay->meta->generic_clone == SG_GENERIC_CLONE_PRIVATE)
		return 0;
	return sg_fail(err, -EOPNOTSUPP,
		       "%s runs XDP in generic mode, where this kernel lets the copies of a packet "
		       "share their bytes: attach %s in native mode, or use a kernel from 6.18 or "
		       "6.1.192 on",
		       link.name, link.name);
}

int sg_relay_settle_generic(struct sg_relay *relay, struct sg_error *err)
{
	int ret = sg_lock(relay, err);

	if (ret < 0)
		return ret;
	ret = check_generic(relay, err);
	sg_unlock(relay, false);
	return ret;
}

/* ---- what others call ----------------------------------------------------------------------- */

int sg_fanout_ensure_nics(struct sg_relay *relay, const uint8_t *nic, unsigned count,
			  struct sg_error *err)
{
	uint8_t live[SG_PATHS];
	unsigned lives = 0;
	int error;

	for (unsigned i = 0; i < count && lives < SG_PATHS; i++)
		if (nic[i] < SG_NICS && relay->meta->nic[nic[i]])
			live[lives++] = nic[i];
	if (lives < 2)
		return 0;
	error = check_generic(relay, err);
	/* Every subset too: a copy whose next hop is down is left out, and the others must go on.
	 */
	for (unsigned mask = 1; !error && mask < 1u << lives; mask++) {
		uint8_t subset[SG_PATHS];
		uint32_t digit[SG_PATHS];
		unsigned members = 0;

		for (unsigned i = 0; i < lives; i++)
			if (mask & 1u << i)
				subset[members++] = live[i];
		sort_digits(digit, subset, members);
		if (members > 1)
			error = ensure_digits(relay, digit, err);
	}
	return error;
}

int sg_fanout_ensure(struct sg_relay *relay, const uint16_t *nexthop, unsigned count,
		     struct sg_error *err)
{
	uint8_t nic[SG_PATHS];

	if (count > SG_PATHS)
		return sg_fail(err, -EINVAL, "%u copies: at most %u", count, SG_PATHS);
	for (unsigned i = 0; i < count; i++)
		nic[i] = sg_nexthop_hop(relay, nexthop[i])->nic;
	return sg_fanout_ensure_nics(relay, nic, count, err);
}

/* Does the device map name the NICs that are in these slots now, and the egress program? */
static bool is_current(const struct sg_relay *relay, int map, const uint32_t digit[SG_PATHS])
{
	uint32_t egress = sg_egress_id(relay);

	for (uint32_t i = 0; i < SG_PATHS && digit[i]; i++) {
		struct bpf_devmap_val value;

		if (bpf_map_lookup_elem(map, &i, &value) < 0 ||
		    value.ifindex != relay->meta->nic[digit[i] - 1] || value.bpf_prog.id != egress)
			return false;
	}
	return true;
}

static bool all_present(const struct sg_relay *relay, const uint32_t digit[SG_PATHS])
{
	for (unsigned i = 0; i < SG_PATHS && digit[i]; i++)
		if (!relay->meta->nic[digit[i] - 1])
			return false;
	return true;
}

static int refresh_digits(struct sg_relay *relay, const uint32_t digit[SG_PATHS],
			  struct sg_error *err)
{
	uint32_t key = key_of(digit);
	int map = lookup(relay, key);
	bool current;

	/* Sets are made when they are needed; single NICs are always there. */
	if (map == -ENOENT)
		return digit[1] || !all_present(relay, digit) ? 0 : make(relay, digit, err);
	if (map < 0 && map != -EPERM)
		return sg_fail(err, map, "device map of key %u: %s", key, strerror(-map));
	current = map >= 0 && is_current(relay, map, digit);
	if (map >= 0)
		close(map);
	if (current)
		return 0;
	if (all_present(relay, digit))
		return make(relay, digit, err);
	if (bpf_map_delete_elem(relay->map_fd[SG_MAP_FANOUT], &key) < 0)
		return sg_fail(err, -errno, "device map of key %u: %s", key, strerror(errno));
	return 0;
}

/* The next set of one to SG_PATHS digits, largest first; false after the last one. */
static bool next_digits(uint32_t digit[SG_PATHS])
{
	for (unsigned i = SG_PATHS; i-- > 0;) {
		uint32_t limit = i ? digit[i - 1] : SG_NICS;

		if (digit[i] < limit) {
			digit[i]++;
			memset(digit + i + 1, 0, (SG_PATHS - i - 1) * sizeof(*digit));
			return true;
		}
	}
	return false;
}

/* Does a slot's own device map still say what is in the slot, or rightly not exist? */
static int is_settled(const struct sg_relay *relay, uint32_t nic, bool *known, struct sg_error *err)
{
	uint32_t digit[SG_PATHS] = {nic + 1};
	uint32_t key = key_of(digit);
	int map = lookup(relay, key), settled;

	*known = relay->meta->nic[nic] || map != -ENOENT;
	if (map == -ENOENT)
		return !relay->meta->nic[nic];
	if (map == -EPERM)
		return false;
	if (map < 0)
		return sg_fail(err, map, "device map of key %u: %s", key, strerror(-map));
	settled = relay->meta->nic[nic] && is_current(relay, map, digit);
	close(map);
	return settled;
}

/* Masks of the slots that are or were in use, and of those among them that changed since. */
static int find_changed(const struct sg_relay *relay, uint32_t *known, uint32_t *changed,
			struct sg_error *err)
{
	*known = *changed = 0;
	for (uint32_t nic = 0; nic < SG_NICS; nic++) {
		bool is_known;
		int settled = is_settled(relay, nic, &is_known, err);

		if (settled < 0)
			return settled;
		*known |= (uint32_t)is_known << nic;
		*changed |= (uint32_t)!settled << nic;
	}
	return 0;
}

static uint32_t slots_of(const uint32_t digit[SG_PATHS])
{
	uint32_t slots = 0;

	for (unsigned i = 0; i < SG_PATHS && digit[i]; i++)
		slots |= 1u << (digit[i] - 1);
	return slots;
}

/*
 * Looks only at the sets that a changed slot is in: there are 4844 sets, and 6.1 waits for RCU at
 * each look into a map of maps (16 ms in an emulated machine: 80 s for all). The map of a single
 * NIC goes last: it is what tells a change, should this process die on the way.
 */
int sg_fanout_refresh(struct sg_relay *relay, struct sg_error *err)
{
	uint32_t digit[SG_PATHS] = {1}, known, changed;
	int error = find_changed(relay, &known, &changed, err);

	if (error || !changed)
		return error;
	do {
		uint32_t slots = slots_of(digit);

		if (digit[1] && (slots & changed) && !(slots & ~known))
			error = refresh_digits(relay, digit, err);
	} while (!error && next_digits(digit));
	for (uint32_t nic = 0; !error && nic < SG_NICS; nic++) {
		uint32_t single[SG_PATHS] = {nic + 1};

		if (changed & 1u << nic)
			error = refresh_digits(relay, single, err);
	}
	return error;
}
