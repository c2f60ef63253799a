/* SPDX-License-Identifier: BSD-2-Clause */
/* Installing the stream, and emptying what the last test left. */
#include "rig.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../model/generator.h"
#include "../model/tap.h"

/* ---- maps ------------------------------------------------------------------------------------ */

static uint32_t path_index(unsigned side, unsigned slot)
{
	return sg_path_index(KERNEL_CAPACITY, RIG_STREAM, side, slot);
}

static unsigned hop_index(unsigned side, unsigned slot)
{
	return 1 + side * SG_PATH_SLOTS + slot;
}

struct sg_path *rig_path(struct rig *rig, unsigned side, unsigned slot)
{
	return &rig->kernel->path[path_index(side, slot)];
}

struct sg_path_stat *rig_stat(struct rig *rig, unsigned side, unsigned slot)
{
	return &rig->kernel->stat[path_index(side, slot)];
}

/* What leaves on a path is counted with the same slot of the other side. */
struct sg_path_stat *rig_sent(struct rig *rig, unsigned side, unsigned slot)
{
	return rig_stat(rig, !side, slot);
}

struct sg_path_rare *rig_rare(struct rig *rig, unsigned side, unsigned slot)
{
	return &rig->kernel->rare[path_index(side, slot)];
}

struct sg_hop *rig_hop(struct rig *rig, unsigned side, unsigned slot)
{
	struct sg_nexthop *nexthop = &rig->kernel->nexthop[hop_index(side, slot)];

	return &nexthop->half[nexthop->current];
}

/* Finds or makes the slot of one of our addresses, as segue/abi.h says. */
static uint32_t address_slot(struct rig *rig, const uint8_t addr[16])
{
	static const uint8_t unset[16];
	uint32_t used = 0;
	__be32 words[4];
	uint32_t bucket;

	memcpy(words, addr, sizeof(words));
	bucket = sg_address_hash(words);
	for (uint32_t i = 0; i < SG_ADDRESS_BUCKETS; i++)
		used += rig->kernel->address[i].used;
	for (uint32_t i = 0; i < SG_ADDRESS_PROBES; i++) {
		struct sg_address *entry = &rig->kernel->address[(bucket + i) % SG_ADDRESS_BUCKETS];

		if (memcmp(entry->addr, unset, sizeof(unset)) == 0) {
			memcpy(entry->addr, addr, sizeof(entry->addr));
			assert_in_range(used, 0, KERNEL_ADDRESSES - 1);
			entry->slot = used;
			entry->used = 1;
		}
		if (memcmp(entry->addr, addr, sizeof(entry->addr)) == 0)
			return entry->slot;
	}
	fail_msg("no bucket for an address");
	return 0;
}

uint64_t *rig_port(struct rig *rig, unsigned side, unsigned slot, unsigned component)
{
	const struct model_endpoint *local = &rig->stream.path[side][slot].local[component];

	return &rig->kernel
			->port[address_slot(rig, local->addr) * SG_PORTS_PER_ADDRESS + local->port];
}

/* What a path adds to a UDP checksum: both addresses and both ports, in memory order. */
static uint16_t path_sum(const struct model_endpoint *local, const struct model_endpoint *remote)
{
	const struct model_endpoint *ends[2] = {local, remote};
	uint32_t sum = 0;

	for (int i = 0; i < 2; i++) {
		int first = frame_is_v4(ends[i]->addr) ? 12 : 0;
		uint16_t word;

		for (int at = first; at < 16; at += 2) {
			memcpy(&word, ends[i]->addr + at, sizeof(word));
			sum += word;
		}
		sum += htons(ends[i]->port);
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void install_hop(struct rig *rig, unsigned side, unsigned slot)
{
	struct sg_nexthop *nexthop = &rig->kernel->nexthop[hop_index(side, slot)];
	struct sg_hop *hop = &nexthop->half[1];

	/* The other half holds rubbish: `current` must be obeyed. */
	memset(&nexthop->half[0], 0xee, sizeof(nexthop->half[0]));
	nexthop->current = 1;
	nexthop->used = 1;
	if (!hop->ifindex) {
		memcpy(hop->src, rig_our_mac, 6);
		memcpy(hop->dst, rig_router_mac, 6);
		hop->dst[3] = (uint8_t)side;
		hop->dst[4] = (uint8_t)slot;
		hop->mtu = 1500;
		hop->ifindex = rig->kernel->ifindex[KERNEL_LOOPBACK];
		hop->nic = KERNEL_LOOPBACK;
	}
	hop->flags = rig->stream.path[side][slot].hop_usable ? SG_NEXTHOP_USABLE : 0;
}

static void install_path(struct rig *rig, unsigned side, unsigned slot)
{
	const struct model_path *from = &rig->stream.path[side][slot];
	struct sg_path *path = rig_path(rig, side, slot);

	memcpy(path->local, from->local[0].addr, 16);
	memcpy(path->remote, from->remote[0].addr, 16);
	path->flags = (uint16_t)((path->flags & ~SG_PATH_IPV6) |
				 (frame_is_v4(from->local[0].addr) ? 0 : SG_PATH_IPV6));
	path->nexthop = (uint16_t)hop_index(side, slot);
	path->state = SG_PATH_LIVE;
	for (unsigned c = 0; c < SG_COMPONENTS; c++) {
		uint32_t component = rig->mux ? SG_MUX : c;

		path->local_port[c] = htons(from->local[c].port);
		path->remote_port[c] = htons(from->remote[c].port);
		path->sum[c] = path_sum(&from->local[c], &from->remote[c]);
		*rig_port(rig, side, slot, c) =
			sg_port_live(RIG_STREAM, side, slot, component, RIG_GENERATION);
	}
}

void rig_route(struct rig *rig, uint64_t route)
{
	rig->stream.route = route;
	__atomic_store_n(&rig->kernel->stream[RIG_STREAM].route, route, __ATOMIC_RELEASE);
}

void rig_install(struct rig *rig)
{
	struct sg_meta *meta = rig->kernel->meta;
	struct sg_stream *stream = &rig->kernel->stream[RIG_STREAM];

	meta->magic = SG_MAGIC;
	meta->abi = SG_ABI_VERSION;
	meta->capacity = KERNEL_CAPACITY;
	meta->window = rig->stream.params.window;
	meta->reset_ns = rig->stream.params.reset_ns;
	meta->restart_ns = rig->stream.params.restart_ns;
	for (int i = 1; i < KERNEL_NICS; i++)
		meta->nic[i] = rig->kernel->ifindex[i];
	stream->generation = RIG_GENERATION;
	stream->flags = rig->mux ? SG_STREAM_MUX : 0;
	stream->tick_q8 = 32000000;
	for (unsigned side = 0; side < SG_SIDES; side++) {
		for (unsigned slot = 0; slot < SG_PATH_SLOTS; slot++) {
			if (!rig->stream.path[side][slot].used)
				continue;
			install_hop(rig, side, slot);
			install_path(rig, side, slot);
		}
	}
	rig_route(rig, rig->stream.route);
}

static void clear_map(struct rig *rig, const char *name, uint32_t entries, size_t size)
{
	void *zero = calloc(1, size);

	for (uint32_t i = 0; i < entries; i++)
		assert_int_equal(bpf_map_update_elem(kernel_map(rig->kernel, name), &i, zero, 0),
				 0);
	free(zero);
}

static uint32_t value_size(struct rig *rig, const char *name)
{
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);

	bpf_obj_get_info_by_fd(kernel_map(rig->kernel, name), &info, &length);
	return info.value_size;
}

void rig_move(struct rig *rig, unsigned side, unsigned slot, enum kernel_nic nic)
{
	struct sg_hop *hop = rig_hop(rig, side, slot);

	hop->ifindex = rig->kernel->ifindex[nic];
	hop->nic = (uint8_t)nic;
}

/* Digits nic + 1 in descending order, 0 for no copy. */
static uint32_t fanout_key(const enum kernel_nic *nic, unsigned count)
{
	uint32_t key = 0;

	for (uint32_t digit = SG_NICS; digit > 0; digit--) {
		for (unsigned i = 0; i < count; i++) {
			if (nic[i] + 1 == digit)
				key = key * SG_FANOUT_BASE + digit;
		}
	}
	for (unsigned i = count; i < SG_PATHS; i++)
		key *= SG_FANOUT_BASE;
	return key;
}

void rig_fanout(struct rig *rig, const enum kernel_nic *nic, unsigned count)
{
	uint32_t key = fanout_key(nic, count);
	int devices = bpf_map_create(BPF_MAP_TYPE_DEVMAP_HASH, "devices", 4,
				     sizeof(struct bpf_devmap_val), SG_PATHS, NULL);

	assert_true(devices >= 0);
	for (uint32_t i = 0; i < count; i++) {
		struct bpf_devmap_val device = {.ifindex = rig->kernel->ifindex[nic[i]]};

		assert_int_equal(bpf_map_update_elem(devices, &i, &device, 0), 0);
	}
	assert_int_equal(
		bpf_map_update_elem(kernel_map(rig->kernel, "sg_fanout"), &key, &devices, 0), 0);
	close(devices);
}

/* ---- set-up ---------------------------------------------------------------------------------- */

/* With the device map of each NIC, through which single copies leave. */
int rig_setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->kernel = kernel_open();
	for (enum kernel_nic nic = KERNEL_LOOPBACK; nic < KERNEL_NICS; nic++)
		rig_fanout(rig, &nic, 1);
	*state = rig;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	kernel_close(rig->kernel);
	free(rig);
	return 0;
}

uint64_t rig_make_route(uint32_t send_a, uint32_t listen_a, uint32_t send_b, uint32_t listen_b)
{
	return (uint64_t)send_a | (uint64_t)listen_a << 8 | (uint64_t)send_b << 16 |
	       (uint64_t)listen_b << 24 | SG_ROUTE_OPEN_AB | SG_ROUTE_OPEN_BA |
	       1ull << SG_ROUTE_VERSION_SHIFT;
}

static void clear(struct rig *rig)
{
	struct kernel *k = rig->kernel;
	uint32_t windows = KERNEL_CAPACITY * SG_SIDES;

	memset(k->address, 0, SG_ADDRESS_BUCKETS * sizeof(*k->address));
	memset(k->port, 0, KERNEL_ADDRESSES * SG_PORTS_PER_ADDRESS * sizeof(*k->port));
	memset(k->stream, 0, KERNEL_CAPACITY * sizeof(*k->stream));
	memset(k->path, 0, windows * SG_PATH_SLOTS * sizeof(*k->path));
	memset(k->stat, 0, windows * SG_PATH_SLOTS * sizeof(*k->stat));
	memset(k->rare, 0, windows * SG_PATH_SLOTS * sizeof(*k->rare));
	memset(k->nexthop, 0, 64 * sizeof(*k->nexthop));
	memset(k->meta, 0, sizeof(*k->meta));
	clear_map(rig, "sg_history", windows, value_size(rig, "sg_history"));
	for (uint32_t nic = 0; nic < KERNEL_NICS; nic++) {
		for (uint32_t other = 0; other < KERNEL_NICS; other++) {
			enum kernel_nic pair[] = {nic, other};
			uint32_t key = fanout_key(pair, 2);

			bpf_map_delete_elem(kernel_map(k, "sg_fanout"), &key);
		}
	}
}

int rig_reset(void **state)
{
	struct rig *rig = *state;
	struct generator *generator = calloc(1, sizeof(*generator));
	struct generator_options options = {
		.seed = 1,
		.params = {1024, RIG_NEVER_NS, RIG_NEVER_NS},
	};

	clear(rig);
	generator_init(generator, &options);
	generator_stream(generator, &rig->stream);
	free(generator);
	rig->mux = false;
	rig->sequence = 65530; /* so that every test crosses the wrap (MP-7) */
	rig->stream.route = rig_make_route(1, 1, 1, 1);
	rig_install(rig);
	return 0;
}
