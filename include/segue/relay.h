/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libsegue-relay: the relay's public API. It owns the pinned maps of segue/abi.h and knows no SIP.
 *
 * Conventions
 *   - Calls return 0 (or a count) on success and a negative errno on failure; `err`, where given
 * and not NULL, then holds a sentence that names the thing, the value and the way out. A call that
 *     fails has changed nothing.
 *   - Ports are in host byte order, addresses in network byte order (16 bytes, IPv4 v4-mapped),
 *     times in nanoseconds of CLOCK_MONOTONIC.
 *   - A handle is used by one thread at a time. Several processes may hold handles on the same
 * maps: calls that change configuration serialise on a lock of the pin directory.
 *   - Strings and structures passed in are copied; what is returned belongs to the caller.
 */
#ifndef SEGUE_RELAY_H
#define SEGUE_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <segue/abi.h>

struct sg_relay;

struct sg_error {
	char text[320];
};

/* ---- addresses ------------------------------------------------------------------------------ */

#define SG_ENDPOINT_STRLEN 56 /* "[ffff:...:ffff]:65535" and the NUL */

struct sg_endpoint {
	uint8_t addr[16]; /* network order; IPv4 as ::ffff:a.b.c.d */
	uint16_t port;	  /* host order */
};

/* "192.0.2.1:5004" or "[2001:db8::1]:5004"; -EINVAL with a reason if malformed or port 0. */
int sg_endpoint_parse(struct sg_endpoint *out, const char *text, struct sg_error *err);
/* Writes at most SG_ENDPOINT_STRLEN bytes, always terminated; returns `out`. */
char *sg_endpoint_format(const struct sg_endpoint *endpoint, char out[SG_ENDPOINT_STRLEN]);
/* The address alone, without brackets. */
char *sg_address_format(const uint8_t addr[16], char out[SG_ENDPOINT_STRLEN]);
bool sg_address_is_ipv4(const uint8_t addr[16]);

/* ---- opening -------------------------------------------------------------------------------- */

#define SG_PIN_DIR_DEFAULT "/sys/fs/bpf/xdp/globals"

enum sg_open_flags {
	SG_OPEN_CREATE = 1,    /* make the maps if they are not pinned yet */
	SG_OPEN_READ_ONLY = 2, /* maps are opened BPF_F_RDONLY; changing calls return -EROFS */
	/*
	 * The handle is held for long: opening takes some milliseconds more (all counters are
	 * mapped into memory) and a second netlink socket, and in return a call needs two or three
	 * system calls: what the kernel says of routes and neighbours is remembered until it says
	 * that it changed.
	 */
	SG_OPEN_RESIDENT = 4,
};

struct sg_relay_options {
	const char *pin_dir;	/* NULL: SG_PIN_DIR_DEFAULT */
	const char *object_dir; /* where segue.bpf.o and egress.bpf.o are; NULL: environment
				 * variable SEGUE_OBJECT_DIR, else the installed directory */
	uint32_t capacity;	/* streams, when the maps are made; 0: SG_STREAM_CAPACITY */
	unsigned flags;		/* enum sg_open_flags */
};

/*
 * Opens the pinned maps (or makes and pins them with SG_OPEN_CREATE). Refuses maps of another
 * layout: -EPROTO. No maps: -ENOENT. No right: -EPERM. bpffs not mounted: -ENODEV.
 * Collects what a writer that died left behind (half-installed streams, overdue drains).
 */
int sg_relay_open(struct sg_relay **out, const struct sg_relay_options *options,
		  struct sg_error *err);
/*
 * Somebody unmounted the bpffs, or removed the pins: packets do not notice, but nobody finds the
 * maps any more. Pins them again as soon as they can be. 0: they are where they were; 1: they are
 * again; else they are gone still, and why (-ENODEV no bpffs, -EPERM no right to write there,
 * -EEXIST others have pinned maps of their own).
 */
int sg_relay_repin(struct sg_relay *relay, struct sg_error *err);
/* Maps that this handle made and that got neither an interface nor a stream are removed again. */
void sg_relay_close(struct sg_relay *relay);
/*
 * Gives the pins, and the directory of them, to a user who may change the maps with CAP_BPF and
 * CAP_NET_ADMIN alone; members of the group may read them without any capability. Directories above
 * let everybody through. Maps that this handle made stay then, also without an interface.
 */
int sg_relay_share(struct sg_relay *relay, uid_t user, gid_t group, struct sg_error *err);
/*
 * Where a NIC runs in generic mode, finds out at once whether copies can be made in it, which else
 * happens when they are first needed and takes CAP_SYS_ADMIN. -EOPNOTSUPP: they cannot.
 */
int sg_relay_settle_generic(struct sg_relay *relay, struct sg_error *err);
/* A copy of the tunables and the NIC table. */
int sg_relay_meta(struct sg_relay *relay, struct sg_meta *out);

struct sg_tunables {	 /* zero = leave as it is */
	uint32_t window; /* packets, 64..1024 */
	uint64_t reset_ns;
	uint64_t restart_ns;
	uint64_t drain_ns; /* at least 500 ms (MP-16), or SEGUE_SHORT_TIMES=1 in the environment */
	uint64_t rest_ns;  /* at least 32 s, likewise */
};
int sg_relay_tune(struct sg_relay *relay, const struct sg_tunables *tunables, struct sg_error *err);

/*
 * Does what is due: ends drains, frees rested slots and ports. Returns the milliseconds until
 * something is due again (-1: nothing). Every other changing call does this too.
 */
int sg_relay_tick(struct sg_relay *relay);

/* ---- interfaces ----------------------------------------------------------------------------- */

enum sg_attach_mode {
	SG_ATTACH_AUTO = 0, /* native where the driver can, else generic */
	SG_ATTACH_NATIVE = 1,
	SG_ATTACH_GENERIC = 2,
};

struct sg_interface {
	char name[16];
	uint32_t ifindex;
	int nic;		  /* NIC slot, -1 if it has none */
	enum sg_attach_mode mode; /* NATIVE or GENERIC as attached */
	uint32_t prog_id;	  /* of the XDP program on the NIC, 0 = none */
	bool ours;		  /* that program uses these maps */
	char prog_name[16];
	uint32_t mtu;
	bool up;
	char driver[32]; /* "" if unknown */
};

/*
 * Puts the program on a NIC and gives it a NIC slot. A NIC that already runs our program (also by
 * `ip link`) only gets its slot. -ENODEV unknown NIC, -EBUSY somebody else's program (unless
 * force), -EOPNOTSUPP the driver cannot do the mode, -ENOSPC 16 NICs.
 */
int sg_interface_attach(struct sg_relay *relay, const char *name, enum sg_attach_mode mode,
			bool force, struct sg_error *err);
/*
 * Makes beforehand what copies to any two of the NICs will need: else the first path that joins a
 * stream on such a pair waits some 10 ms for the kernel (RCU). Takes as long for each pair.
 */
int sg_interface_prepare(struct sg_relay *relay, struct sg_error *err);
/*
 * Takes our program off. -EBUSY while a stream's next hop leaves through the NIC, unless force.
 * The last NIC takes the maps' pins with it when no stream is left (or with force).
 */
int sg_interface_detach(struct sg_relay *relay, const char *name, bool force, struct sg_error *err);
/* Removes all programs of ours and every pin. */
int sg_interface_detach_all(struct sg_relay *relay, bool force, struct sg_error *err);
/*
 * After an upgrade: where programs of another version of this library run with these maps, puts
 * ours in their place, each in one step, so that no packet meets a NIC without one. Returns how
 * many NICs and device programs were renewed. Takes CAP_SYS_ADMIN.
 */
int sg_relay_renew(struct sg_relay *relay, struct sg_error *err);
/* Interfaces that have a NIC slot or run our program; returns how many (may exceed `room`). */
int sg_interface_list(struct sg_relay *relay, struct sg_interface *out, size_t room);
int sg_interface_get(struct sg_relay *relay, const char *name, struct sg_interface *out,
		     struct sg_error *err);

/* ---- streams -------------------------------------------------------------------------------- */

enum sg_side { SG_SIDE_A = 0, SG_SIDE_B = 1 };

enum sg_direction {
	SG_DIRECTION_NONE = 0,
	SG_DIRECTION_A_TO_B = 1,
	SG_DIRECTION_B_TO_A = 2,
	SG_DIRECTION_BOTH = 3,
};

#define SG_DSCP_KEEP 255

/*
 * As a call's `resolve_ms`: do not wait for a next hop. Where its neighbour is not resolved yet,
 * its resolution is begun, the call changes nothing and returns -EINPROGRESS; the caller tries
 * again some milliseconds later and bounds by its own clock how long. (A neighbour that does not
 * answer is asked anew by each try: it is never refused for silence.) Both sides of a stream are
 * asked at once. What such a call may still wait for is another process's change: microseconds, and
 * milliseconds while an interface is attached or detached.
 */
#define SG_RESOLVE_NOWAIT UINT32_MAX

struct sg_path_spec {
	struct sg_endpoint local;  /* RTP; our address, which must be one of this machine */
	struct sg_endpoint remote; /* RTP; same family as local */
	uint16_t remote_rtcp_port; /* 0: remote port + 1, or the RTP port with mux */
	uint16_t local_rtcp_port;  /* 0: likewise */
	uint8_t dscp;		   /* 0..63, or SG_DSCP_KEEP */
	bool learn;		   /* behind NAT: another source may be learned */
	uint8_t learn_bits; /* ... that shares so many leading bits with remote (of 32 or 128);
			     * 0: any */
	uint64_t learn_ns;  /* ... for so long after the install; 0: 5 s */
};

struct sg_stream_spec {
	const char *name; /* 1..63 printable characters without blanks, unique */
	struct sg_path_spec side[SG_SIDES];
	bool rtcp_mux;
	bool opaque;	   /* no RTP: any datagram passes, on the active path only (T.38, BFCP) */
	uint32_t clock_hz; /* of the RTP timestamp, for jitter; 0: 8000 */
	enum sg_direction direction;
	/* How long a next hop may take to resolve; 0: 2500 ms. Or SG_RESOLVE_NOWAIT. */
	unsigned resolve_ms;
};

/*
 * Installs a stream in the order of DESIGN: slot with a closed route, next hops resolved, ports,
 * then the route. -EINVAL bad spec, -EEXIST name or port in use (or resting), -EADDRNOTAVAIL local
 * address is not ours, -EHOSTUNREACH no route or no answer from the next hop, -EINPROGRESS with
 * SG_RESOLVE_NOWAIT no answer yet, -ENODEV the route leaves through a NIC without our program,
 * -ENOSPC no slot.
 */
int sg_stream_add(struct sg_relay *relay, const struct sg_stream_spec *spec, uint32_t *stream,
		  struct sg_error *err);
/* Closes the route, clears the ports; slot and ports rest (MP-16). */
int sg_stream_remove(struct sg_relay *relay, uint32_t stream, struct sg_error *err);
int sg_stream_set_direction(struct sg_relay *relay, uint32_t stream, enum sg_direction direction,
			    struct sg_error *err);
/* The stream changes its kind, in place: a voice call becomes a fax (sg_stream_spec.opaque).
 * -ENOENT. */
int sg_stream_set_opaque(struct sg_relay *relay, uint32_t stream, bool opaque,
			 struct sg_error *err);
/* -ENOENT if no stream has the name. */
int sg_stream_find(struct sg_relay *relay, const char *name, uint32_t *stream);
/* Iterates: *stream is set to the first open stream at or after *stream; false at the end. */
bool sg_stream_next(struct sg_relay *relay, uint32_t *stream);
size_t sg_stream_count(struct sg_relay *relay);

/*
 * A path joins: it is sent to and listened to from the one store of the route on. The route's
 * active path stays. -ENOSPC when SG_PATHS are live (the text says so), -EOPNOTSUPP where copies
 * would share bytes (generic mode of some kernels); else as sg_stream_add.
 */
int sg_path_add(struct sg_relay *relay, uint32_t stream, enum sg_side side,
		const struct sg_path_spec *spec, unsigned resolve_ms, unsigned *slot,
		struct sg_error *err);
/*
 * A path leaves: not sent to from now on, listened to until its drain ends (sg_relay_tick), then
 * its ports rest. The last live path of a side is refused with -EBUSY.
 */
int sg_path_remove(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		   struct sg_error *err);
/*
 * The party's address changed: the new path goes to a spare slot and one store of the route
 * switches to it; the old one drains. `spec->local` may keep the old address and port.
 */
int sg_path_move(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		 const struct sg_path_spec *spec, unsigned resolve_ms, unsigned *new_slot,
		 struct sg_error *err);

enum sg_toggle { SG_KEEP = 0, SG_ON = 1, SG_OFF = 2 };

struct sg_path_change {
	enum sg_toggle send;
	enum sg_toggle listen;
	bool active; /* make it the path that RTCP leaves on */
};
int sg_path_set(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot,
		const struct sg_path_change *change, struct sg_error *err);

/* What one path is and has seen. Counters are totals over all CPUs. */
struct sg_path_info {
	enum sg_side side;
	unsigned slot;
	enum sg_path_state state;
	bool send, listen, active;
	struct sg_endpoint local, remote;
	uint16_t local_rtcp_port, remote_rtcp_port;
	uint8_t dscp;
	bool learn;
	uint16_t mtu; /* effective: the smaller of path and next hop */
	uint32_t nexthop;
	bool nexthop_usable;
	uint64_t packets, octets; /* received RTP, copies included; UDP payload */
	uint64_t sent_packets, sent_octets;
	uint64_t rtcp_packets;
	uint64_t duplicates, late;
	uint64_t lost;			 /* RFC 3550 A.3, on this path; 0 if negative */
	uint32_t first_seq, highest_seq; /* of the SSRC, extended by the wraps seen on this path */
	double jitter_ms;
	/* Arrival of the first and the last RTP packet on the path, 0 = none. Under load a time may
	 * be up to a jiffy (1 to 10 ms) early: the kernel's clock is not read for every packet. */
	uint64_t first_packet_ns, last_packet_ns;
	uint32_t ssrc;
	uint64_t dropped[SG_STAT_REASONS]; /* by enum sg_reason */
};

struct sg_stream_info {
	uint32_t stream;
	uint32_t generation;
	char name[SG_NAME_LEN];
	uint64_t route;
	enum sg_direction direction;
	bool rtcp_mux;
	bool opaque;
	uint32_t clock_hz;
	uint64_t created_ns;
	size_t paths; /* entries of path[] in use: live and draining */
	struct sg_path_info path[SG_SIDES * SG_PATH_SLOTS];
};
/*
 * Paths that left are told of until their drain is over, and a stream until it is removed: who
 * wants to account for either reads first. -ENOENT.
 */
int sg_stream_info(struct sg_relay *relay, uint32_t stream, struct sg_stream_info *out);
/* Can packets leave on that path (neighbour resolved, link up)? 1 or 0, without a system call;
 * -ENOENT no such live path. */
int sg_path_usable(struct sg_relay *relay, uint32_t stream, enum sg_side side, unsigned slot);

/* ---- ports, next hops, windows, drops, maps (reading) ---------------------------------------- */

struct sg_port_info {
	struct sg_endpoint local;
	bool resting;
	uint64_t rest_left_ms;
	uint32_t stream;
	enum sg_side side;
	unsigned slot;
	enum sg_component component;
};
/* Iterates over live and resting ports; *cursor starts at 0; false at the end. */
bool sg_port_next(struct sg_relay *relay, uint32_t *cursor, struct sg_port_info *out);
/* One of them, without a system call; false if the port is free. A live one's slot is its newest
 * path: where a source was learned, the one that took the signalled path's place. */
bool sg_port_get(struct sg_relay *relay, const struct sg_endpoint *local, struct sg_port_info *out);

struct sg_nexthop_info {
	uint32_t index;
	struct sg_hop hop; /* as the kernel sees it now */
	uint8_t gateway[16];
	uint32_t l3_ifindex;
	uint64_t changed_ns;
	uint32_t paths; /* live paths that use it */
};
bool sg_nexthop_next(struct sg_relay *relay, uint32_t *cursor, struct sg_nexthop_info *out);

struct sg_window_info {
	uint32_t ssrc;
	uint16_t highest; /* sequence number */
	uint64_t last_ns; /* last accepted packet */
};
/* Windows of a side, in use; returns how many. */
int sg_window_read(struct sg_relay *relay, uint32_t stream, enum sg_side side,
		   struct sg_window_info out[SG_SSRCS]);

/* Totals by reason over all CPUs. */
int sg_drop_read(struct sg_relay *relay, uint64_t out[SG_REASON_COUNT]);
const char *sg_reason_name(enum sg_reason reason); /* "source"; NULL if out of range */
const char *sg_reason_fate(enum sg_reason reason); /* "drop", "pass" or "answer" */
const char *sg_reason_text(enum sg_reason reason);

struct sg_map_info {
	char name[16];
	char type[24];
	uint32_t id, key_size, value_size, max_entries;
	uint64_t memory; /* bytes, as the kernel accounts them; 0 if it does not say */
	char pin[256];
};
int sg_map_list(struct sg_relay *relay, struct sg_map_info *out, size_t room);

/* ---- the guard ------------------------------------------------------------------------------ */

/*
 * What banned sources send to guarded ports of the host (never to media ports) is dropped in XDP,
 * and counted as SG_BANNED. A source is an IPv4 address or the /64 of an IPv6 one. SG_BANS sources
 * can be banned; then the one that was met longest ago makes room. A network that is allowed is
 * heard in any case. All of it stays when the handle is closed. One process decides about the
 * ports and the networks; bans may be set by several. No call waits for other writers. On a
 * read-only handle: -EROFS.
 */
#define SG_BAN_FOREVER UINT64_MAX

struct sg_ban_info {
	uint8_t addr[16]; /* network order; of an IPv6 source the last 64 bits are 0 */
	char cause[SG_BAN_CAUSE_LEN];
	uint64_t since_ns, until_ns; /* SG_BAN_FOREVER: until it is cleared */
	uint64_t dropped;	     /* packets */
};

/* Bans the source of that address, until `until_ns`; a ban that it has already is replaced. `cause`
 * is a word for whoever lists them; what is longer than SG_BAN_CAUSE_LEN is cut. */
int sg_ban_set(struct sg_relay *relay, const uint8_t addr[16], uint64_t until_ns, const char *cause,
	       struct sg_error *err);
/* -ENOENT: the source is not banned. */
int sg_ban_clear(struct sg_relay *relay, const uint8_t addr[16], struct sg_error *err);
typedef void sg_ban_fn(void *context, const struct sg_ban_info *ban);
/*
 * Tells of each ban that holds (`fn` may be NULL), in no order, and removes those that are over.
 * Returns how many hold. With all SG_BANS it takes some 10 ms.
 */
int sg_ban_each(struct sg_relay *relay, sg_ban_fn *fn, void *context);

struct sg_network {
	uint8_t addr[16]; /* bits behind the first `bits` do not matter */
	uint8_t bits;	  /* of 128: an IPv4 network has 96 more than one writes */
};
/* These are never refused, and no others. -ENOSPC: more than SG_GUARD_ALLOWED; then those of before
 * are allowed as well. */
int sg_guard_allow(struct sg_relay *relay, const struct sg_network *networks, size_t count,
		   struct sg_error *err);

struct sg_guard_port {
	struct sg_endpoint at;
	uint8_t protocol; /* IPPROTO_UDP, IPPROTO_TCP */
};
/*
 * The guard stands at these ports, and at no others. Fragments and packets with options to their
 * addresses count as sent to them. -E2BIG: more than SG_GUARD_PORTS, addresses counted too; then
 * the ports of before are guarded as well.
 */
int sg_guard_ports(struct sg_relay *relay, const struct sg_guard_port *ports, size_t count,
		   struct sg_error *err);

/* ---- capturing ------------------------------------------------------------------------------- */

struct sg_capture;

struct sg_frame {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint32_t stream;
	uint32_t ifindex;
	enum sg_capture_direction direction;
	const void *data; /* from the Ethernet header on; lent for the call */
	uint32_t length;
};
typedef void sg_frame_fn(void *context, const struct sg_frame *frame);

/*
 * Copies of the frames of single streams, as they come and as they leave. One at a time: -EBUSY
 * another captures. -EPERM: it takes root (CAP_BPF, CAP_PERFMON; on Debian's kernels
 * CAP_SYS_ADMIN), and perf_event_open(2), which a container may refuse. Frames of several CPUs come
 * in the order of each.
 */
int sg_capture_open(struct sg_capture **out, struct sg_relay *relay, sg_frame_fn *fn, void *context,
		    struct sg_error *err);
/* The stream's frames from now on; once more does no harm. -ENOENT there is no such stream. */
int sg_capture_stream(struct sg_capture *capture, uint32_t stream);
/* Waits up to timeout_ms and delivers what is there. 0 or a negative errno. */
int sg_capture_poll(struct sg_capture *capture, int timeout_ms);
/* Frames that found no room, since the reader was too slow. */
uint64_t sg_capture_lost(const struct sg_capture *capture);
/* Streams are captured no more. NULL is fine. */
void sg_capture_close(struct sg_capture *capture);

/* ---- events and following -------------------------------------------------------------------- */

struct sg_events;
typedef void sg_event_fn(const struct sg_event *event, void *context);

/*
 * Watches the ring without consuming it, so that it can be done beside `segue follow`. When nobody
 * consumes and the ring is full, the watcher takes the consumer's place.
 */
int sg_events_open(struct sg_events **out, struct sg_relay *relay, struct sg_error *err);
/* Waits up to timeout_ms for events; returns how many were delivered. */
int sg_events_poll(struct sg_events *events, int timeout_ms, sg_event_fn *fn, void *context);
void sg_events_close(struct sg_events *events);
const char *sg_event_name(uint32_t type); /* "first-packet" ...; NULL if unknown */

struct sg_follow;

enum sg_follow_what {
	SG_FOLLOW_NEIGHBOUR = 1, /* a next hop changed its MAC address or its state */
	SG_FOLLOW_ROUTE = 2,	 /* paths moved to another next hop */
	SG_FOLLOW_LINK = 3,	 /* a NIC went down, came up, returned (attached again) */
	SG_FOLLOW_LEARNED = 4,	 /* a source was learned */
	SG_FOLLOW_REFUSED = 5,	 /* a source was not learned */
	SG_FOLLOW_MTU = 6,	 /* a path's MTU was lowered */
	SG_FOLLOW_RESYNC = 7,	 /* netlink overran: everything was read again */
};
/* `text` is a line for a person. It is told in the middle of things: it must not change the maps.
 */
typedef void sg_follow_fn(enum sg_follow_what what, const char *text, void *context);

/*
 * Keeps next hops, NICs and learned sources true: netlink (links, addresses, neighbours, routes)
 * and the event ring, whose consumer it is. One at a time for one set of maps: -EBUSY.
 */
int sg_follow_open(struct sg_follow **out, struct sg_relay *relay, sg_follow_fn *fn, void *context,
		   struct sg_error *err);
/* Waits up to timeout_ms and handles what came. 0, or a negative errno that ends following. */
int sg_follow_poll(struct sg_follow *follow, int timeout_ms);
/*
 * Also hands on the events of the ring, of which following is the one consumer: those about streams
 * that still are as they were then, after following has done its part. It may change the maps. NULL
 * ends it.
 */
void sg_follow_on_event(struct sg_follow *follow, sg_event_fn *fn, void *context);
/*
 * An epoll descriptor that is readable when sg_follow_poll has work. With one, and a timeout of 0,
 * following lives in another's event loop, on the very handle that it changes streams with: it
 * waits for nothing but other writers (SG_RESOLVE_NOWAIT says how long).
 */
int sg_follow_fd(const struct sg_follow *follow);
void sg_follow_close(struct sg_follow *follow);

#endif
