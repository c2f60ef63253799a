/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of libsegue-relay know of each other. Nothing outside relay/ includes this.
 *
 * Who owns what
 *   dataplane.c  opening; the lock; sg_meta and its tunables
 *   shape.c      the maps' names and shapes; pins.c their directory
 *   object.c     the files of the kernel programs
 *   maps.c       the maps: opening, making, mapping; snapshot.c what may only be read
 *   share.c      the pins given to a user
 *   program.c    the kernel programs: loading, telling ours from others
 *   interface.c  attach and detach; sg_meta.nic
 *   address.c    endpoints as text; sg_address
 *   ports.c      sg_port
 *   change.c     what surrounds every change: lock, index, what is due, recovery
 *   slot.c       slots of sg_path and sg_stream: filled, drained, rested, freed
 *   path.c       paths join, leave and move; stream.c: streams come and go, sg_record
 *   index.c      this process's view of them: names, free slots, what is due when
 *   nexthop.c    sg_nexthop: routes and neighbours resolved, shared and released
 *   netlink.c    the netlink socket under nexthop.c, interface.c and follow.c
 *   answers.c    what the kernel said of routes and neighbours, while it holds
 *   fanout.c     sg_fanout: device maps for sets of NICs, the egress program
 *   probe.c      the experiment on generic-mode clones
 *   counters.c   reading sg_path_stat, sg_path_rare, sg_history and sg_drop
 *   guard.c      sg_ban, sg_allow, sg_guard
 *   events.c     reading sg_event without consuming
 *   follow.c     netlink and events followed; learn.c decides about sources
 *   tell.c       what following says
 */
#ifndef SG_RELAY_INTERNAL_H
#define SG_RELAY_INTERNAL_H

#include <stdio.h>

#include <segue/relay.h>

enum sg_map {
	SG_MAP_META,
	SG_MAP_ADDRESS,
	SG_MAP_PORT,
	SG_MAP_STREAM,
	SG_MAP_PATH,
	SG_MAP_RECORD,
	SG_MAP_NEXTHOP,
	SG_MAP_PATH_RARE,
	SG_MAP_HISTORY,
	SG_MAP_PATH_STAT,
	SG_MAP_DROP,
	SG_MAP_FANOUT,
	SG_MAP_EVENT,
	SG_MAP_COPY, /* per-CPU state of the egress program: which copy comes next */
	SG_MAP_BAN,
	SG_MAP_ALLOW,
	SG_MAP_GUARD,
	SG_MAP_CAPTURE,
	SG_MAP_COUNT
};

struct sg_netlink; /* netlink.c */
struct sg_answers; /* answers.c */
struct sg_index;   /* index.c: what the maps hold, arranged for finding */

struct sg_relay {
	char pin_dir[256];
	char object_dir[256];
	bool read_only;
	bool resident;
	bool made; /* by this handle: it takes unused maps along */
	uint32_t capacity;
	int map_fd[SG_MAP_COUNT];
	/* mmapped, NULL where read_only forbids writing but never NULL for reading */
	struct sg_meta *meta;
	struct sg_address *address;
	uint64_t *port; /* SG_ADDRESS_SLOTS * SG_PORTS_PER_ADDRESS */
	struct sg_stream *stream;
	struct sg_path *path; /* sg_path_at() */
	struct sg_record *record;
	struct sg_nexthop *nexthop;
	/* mapped by resident handles only, else NULL: large, and other handles look once */
	struct sg_path_stat *path_stat;
	struct sg_path_rare *path_rare;
	int lock_fd;
	unsigned lock_depth;
	void (*recover)(
		struct sg_relay *relay); /* called with the lock held, after a writer died */
	struct sg_index *index;		 /* made at first use */
	struct sg_netlink *netlink;	 /* opened at first use */
	struct sg_answers *answers;	 /* of resident handles, else NULL */
};

/* Formats into err (if not NULL) and returns code, so that callers write `return sg_fail(...)`. */
__attribute__((format(printf, 3, 4))) int sg_fail(struct sg_error *err, int code,
						  const char *format, ...);
uint64_t sg_now_ns(void); /* CLOCK_MONOTONIC */

static inline struct sg_path *sg_path_at(const struct sg_relay *relay, uint32_t stream,
					 uint32_t side, uint32_t slot)
{
	return &relay->path[sg_path_index(relay->capacity, stream, side, slot)];
}

/* ---- lock.c --------------------------------------------------------------------------------- */

/* Opens the pin directory and takes the lock; with `make` a missing directory is made. */
int sg_lock_open(struct sg_relay *relay, bool make, struct sg_error *err);
/* With the lock of sg_lock_open() held and the maps there: recovers if need be, and releases it. */
void sg_lock_adopt(struct sg_relay *relay);
/*
 * Takes the writers' lock (flock on pin_dir itself), marks sg_meta.dirty; -EROFS on a read-only
 * handle, -ESTALE where the maps were taken away since they were opened. If a writer died,
 * relay->recover() runs before this returns. Nests.
 */
int sg_lock(struct sg_relay *relay, struct sg_error *err);
/* `changed`: configuration was changed, so sg_meta.epoch moves. Clears dirty. */
void sg_unlock(struct sg_relay *relay, bool changed);

/* ---- interface.c ---------------------------------------------------------------------------- */

/* Removes the pins if no interface came to use the maps and no stream is installed. */
void sg_interface_retire_unused(struct sg_relay *relay);

/* ---- address.c ------------------------------------------------------------------------------ */

/* Slot of a media address; with `create`, a free slot is taken. -ENOENT, -ENOSPC. */
int sg_address_slot(struct sg_relay *relay, const uint8_t addr[16], bool create);
/* The address of a slot; false if the slot is free. */
bool sg_address_of_slot(const struct sg_relay *relay, uint32_t slot, uint8_t addr[16]);

/* ---- ports.c -------------------------------------------------------------------------------- */

/* 0 if (local) is free, or belongs to the same stream and side; -EEXIST with who has it. */
int sg_port_check(struct sg_relay *relay, const struct sg_endpoint *local, uint32_t stream,
		  uint32_t side, struct sg_error *err);
void sg_port_install(struct sg_relay *relay, const struct sg_endpoint *local, uint64_t entry);
/* Clears a live entry and lets the port rest until `until_ns`. */
void sg_port_rest(struct sg_relay *relay, const struct sg_endpoint *local, uint64_t until_ns);

/* When a rest until `until_ns` ends: rests are kept in whole seconds. */
uint64_t sg_port_rest_end(uint64_t until_ns);
/* Frees what rested long enough, so that the port is the stack's again; *next_ns, if not NULL, is
 * set to the end of the first rest that lasts on, 0 if there is none. */
void sg_port_sweep(struct sg_relay *relay, uint64_t now_ns, uint64_t *next_ns);

/* ---- counters.c ----------------------------------------------------------------------------- */

/*
 * sg_path_stat and sg_path_rare are read by system calls (1 us each) and only mapped by resident
 * handles: they are large arrays, and mapping all of them costs a process many milliseconds before
 * it has done anything.
 */
/* One element as the kernel keeps it (see abi.h: it is not all about one path); all zero if it
 * cannot be read. */
void sg_path_stat_read(const struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
		       struct sg_path_stat *out);
/* Zeroes the counters of one path, which is out of the route of a stream that may be running. */
void sg_path_stat_clear(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot);
/* Zeroes the windows of a stream that no packet can reach, their history, and the counters of the
 * slots that the windows stand in; those of the others are cleared when a path takes them. */
void sg_stat_clear(struct sg_relay *relay, uint32_t stream);
/* Fills the counters of `out`, packets to dropped[]; the rest of it is left alone. */
void sg_path_read_stat(const struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
		       struct sg_path_info *out);
/* ---- program.c ------------------------------------------------------------------------------ */

/* Loads the entry program with our maps; returns its descriptor, which the caller closes. */
int sg_entry_program(const struct sg_relay *relay, struct sg_error *err);
/* Loads and pins it anew, for who may not load it. */
int sg_entry_pin(const struct sg_relay *relay, struct sg_error *err);
/* Does the program use our maps? name (16 bytes) may be NULL. -EPERM where one may not ask. */
int sg_program_is_ours(const struct sg_relay *relay, uint32_t prog_id, char *name);
/* The egress program, loaded and pinned by whoever first needs it; the caller closes the fd. */
int sg_egress_program(struct sg_relay *relay, struct sg_error *err);

/* Its id, 0 if there is none yet. */
uint32_t sg_egress_id(const struct sg_relay *relay);
/* Are they of different versions? 0, 1 or a negative errno. */
int sg_program_differs(int one, int other);
/* Pins ours where another version is pinned: 1, else 0. Device maps follow by a refresh. */
int sg_egress_renew(struct sg_relay *relay, struct sg_error *err);

/* ---- nexthop.c ------------------------------------------------------------------------------ */

/*
 * The entry for packets from `local` to `remote`: route looked up, entry found or made, neighbour
 * resolved within resolve_ms and kept fresh (NTF_EXT_MANAGED where the kernel has it). Counts a
 * user. -EHOSTUNREACH, -ENODEV (leaves through a NIC without our program), -ENOSPC; with
 * SG_RESOLVE_NOWAIT -EINPROGRESS instead of waiting.
 */
int sg_nexthop_get(struct sg_relay *relay, const uint8_t local[16], const uint8_t remote[16],
		   unsigned resolve_ms, uint16_t *index, struct sg_error *err);
/*
 * Does what may take resolve_ms of sg_nexthop_get, and changes nothing. Called before the lock is
 * taken, it spares every other writer, `segue follow` above all, the wait for a silent neighbour.
 */
int sg_nexthop_resolve(struct sg_relay *relay, const uint8_t local[16], const uint8_t remote[16],
		       unsigned resolve_ms, struct sg_error *err);
/* One user less; the last one frees the entry. The caller holds the lock. */
void sg_nexthop_put(struct sg_relay *relay, uint16_t index);
/* Frees entries that a dead writer left without users. The caller holds the lock. */
void sg_nexthop_collect(struct sg_relay *relay);
/* The half that the kernel reads now. */
const struct sg_hop *sg_nexthop_hop(const struct sg_relay *relay, uint16_t index);

/* ---- fanout.c ------------------------------------------------------------------------------- */

/*
 * Makes sure that sg_fanout has a device map for one copy to each of these next hops (2..SG_PATHS).
 * -EOPNOTSUPP where a generic-mode NIC would share bytes between copies.
 */
int sg_fanout_ensure(struct sg_relay *relay, const uint16_t *nexthop, unsigned count,
		     struct sg_error *err);
/* Key of sg_fanout for NIC slots: digits nic + 1 in descending order, base SG_FANOUT_BASE. */
uint32_t sg_fanout_key(const uint8_t *nic, unsigned count);
/* A NIC got or lost its slot, or a next hop will move to another NIC: device maps follow. */
int sg_fanout_refresh(struct sg_relay *relay, struct sg_error *err);

/* ---- probe.c -------------------------------------------------------------------------------- */

/* Experiment in a namespace of its own; stores the result in sg_meta.generic_clone. */
int sg_probe_generic_clone(struct sg_relay *relay, struct sg_error *err);

/* ---- stream.c ------------------------------------------------------------------------------- */

/* Is `stream` an open stream? */
bool sg_stream_is_open(const struct sg_relay *relay, uint32_t stream);

/* ---- change.c ------------------------------------------------------------------------------- */

/* Begins a change: lock, this process's index, what is due. */
int sg_change_begin(struct sg_relay *relay, struct sg_error *err);
/* Ends it; returns `ret`, and a failure has changed nothing. */
int sg_change_end(struct sg_relay *relay, int ret);
/* After a writer died: collects half-installed slots, counts next hop users, clears lost ports. */
void sg_change_recover(struct sg_relay *relay);

/* ---- slot.c --------------------------------------------------------------------------------- */

/* A path that is checked and resolved but not yet in any map. */
struct sg_path_plan {
	struct sg_path path;
	struct sg_endpoint local[SG_COMPONENTS]; /* as ports.c wants them; equal with mux */
};

/*
 * Checks, and takes a next hop, which the plan holds until it is installed or dropped.
 * -EINPROGRESS if the next hop is not resolved yet: it is not waited for, since the lock is held.
 */
int sg_path_plan(struct sg_relay *relay, struct sg_path_plan *plan, uint32_t stream, uint32_t side,
		 const struct sg_path_spec *spec, bool mux, struct sg_error *err);
/* Waits for the next hop of a path that was refused so, or with SG_RESOLVE_NOWAIT only begins to
 * resolve it. Without the lock: a party that does not answer must not hold up anybody else's
 * change. */
int sg_path_resolve(struct sg_relay *relay, const struct sg_path_spec *spec, unsigned resolve_ms,
		    struct sg_error *err);
void sg_path_plan_drop(struct sg_relay *relay, struct sg_path_plan *plan);
/* Writes the path into a slot that is out of the route and has fresh counters, and its ports. */
/* Its ports lead to it again, as what the stream is now. */
void sg_path_point_ports(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot);
void sg_path_install(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
		     const struct sg_path_plan *plan);
/* Lets the ports of a path rest, unless another path of the side that stays has them too. */
void sg_path_rest_ports(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot,
			uint64_t until_ns);
/* The slot is free: its next hop has a user less. */
void sg_path_release(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot);
/* The drain is over. */
void sg_path_drained(struct sg_relay *relay, uint32_t stream, uint32_t side, uint32_t slot);
/* The stream's slot rested long enough: it and its paths' slots are free. */
void sg_stream_release(struct sg_relay *relay, uint32_t stream);
/* One store of the route. */
void sg_route_store(struct sg_relay *relay, uint32_t stream, uint64_t route);
/* `route` with other masks for one side; the active path stays if it is still sent to. */
uint64_t sg_route_with(uint64_t route, uint32_t side, uint32_t send, uint32_t listen,
		       uint32_t active);

#endif
