/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The records that the kernel programs (bpf/) and user space (relay/) share through pinned maps.
 *
 * Conventions
 *   - Addresses are 16 bytes in network byte order; an IPv4 address is v4-mapped (::ffff:a.b.c.d).
 *   - Fields named __be16/__be32 are in network byte order, everything else in host order.
 *   - Times are nanoseconds of CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns().
 *   - User space writes configuration, the kernel writes run-time state; user space zeroes run-time
 *     state only in a slot that no packet can reach.
 *   - A change of any layout here is a change of SG_ABI_VERSION and of SG_MAP_VERSION.
 */
#ifndef SEGUE_ABI_H
#define SEGUE_ABI_H

#include <linux/types.h>

#define SG_MAGIC 0x53454755u /* "SEGU" */
#define SG_ABI_VERSION 1u
#define SG_MAP_VERSION "v1"

/* ---- sizes -------------------------------------------------------------------------------- */

#define SG_SIDES 2u	 /* A (who called us), B (whom we called) */
#define SG_PATHS 4u	 /* paths of one side that may be live at once */
#define SG_PATH_SLOTS 6u /* live ones and those that rest until no packet can hold them */
#define SG_COMPONENTS 2u /* RTP, RTCP: index of the port and checksum pairs of a path */
#define SG_SSRCS 4u	 /* windows of one side of a stream (MP-8) */
#define SG_NAME_LEN 64u	 /* bytes of a stream's name, the closing NUL included */
#define SG_NICS 16u	 /* interfaces with our program */
#define SG_FANOUT_BASE (SG_NICS + 1u) /* a digit of a fan-out key: nic + 1, or 0 for "no copy" */
#define SG_ADDRESS_SLOTS 32u	      /* media addresses of this machine */
#define SG_ADDRESS_BUCKETS 256u	      /* open addressing over SG_ADDRESS_SLOTS entries */
#define SG_ADDRESS_PROBES 8u
#define SG_PORTS_PER_ADDRESS 65536u
#define SG_STREAM_CAPACITY 131072u /* default; a power of two is not required */
#define SG_NEXTHOPS 16384u	   /* entry 0 is never used: "no next hop" */
#define SG_EVENT_BYTES (256u * 1024u)
#define SG_BANS 65536u	       /* sources that may be banned at once */
#define SG_GUARD_ALLOWED 8192u /* networks that are never refused */
#define SG_GUARD_PORTS 256u    /* ports of the host that bans are about, and their addresses */

/* ---- sg_meta: ARRAY of one, mmapable, written by user space -------------------------------- */

struct sg_meta {
	__u32 magic;	     /* SG_MAGIC once user space has initialised the maps */
	__u32 abi;	     /* SG_ABI_VERSION */
	__u32 window;	     /* W of MP-5 in packets, 64..1024; 0 reads as SG_WINDOW_MAX */
	__u32 capacity;	     /* max_entries of sg_stream */
	__u64 reset_ns;	     /* nothing accepted for so long: accept anything (MP-5) */
	__u64 restart_ns;    /* guard of a source restart (MP-5) */
	__u64 drain_ns;	     /* a path that left `send` stays in `listen` for so long (MP-16) */
	__u64 rest_ns;	     /* ports and stream slots are not reused for so long (MP-16) */
	__u64 epoch;	     /* counts changes of configuration: other processes re-read */
	__u32 nic[SG_NICS];  /* ifindex of each NIC slot, 0 = free */
	__u32 generic_clone; /* enum sg_generic_clone: what the experiment found */
	__u32 stream_high;   /* no slot of sg_stream at or above this was ever used: bounds scans */
	__u32 dirty;	     /* a writer is at work; set with the lock free: it died, so recover */
	__u32 reserved;
};

enum sg_generic_clone {
	SG_GENERIC_CLONE_UNKNOWN = 0,
	SG_GENERIC_CLONE_PRIVATE =
		1, /* each copy of a generic-mode broadcast has bytes of its own */
	SG_GENERIC_CLONE_SHARED =
		2, /* copies share bytes: duplication in generic mode is refused */
};

#define SG_RESET_NS_DEFAULT 2000000000ull
#define SG_RESTART_NS_DEFAULT 200000000ull
#define SG_DRAIN_NS_DEFAULT 500000000ull
#define SG_REST_NS_DEFAULT 32000000000ull
#define SG_PATH_REST_NS                                                                            \
	1000000000ull /* a path slot out of the route: far beyond any packet's stay */

/* ---- sg_address: ARRAY[SG_ADDRESS_BUCKETS], mmapable, written by user space ----------------- */

/*
 * One media address of this machine. Found by linear probing from sg_address_hash(), at most
 * SG_ADDRESS_PROBES entries. `used` is stored last (release) on insert and first on removal.
 */
struct sg_address {
	__be32 addr[4];
	__u32 slot; /* 0..SG_ADDRESS_SLOTS-1, first index into sg_port */
	__u32 used;
	__u64 reserved;
};

static inline __u32 sg_address_hash(const __be32 addr[4])
{
	return ((addr[0] ^ addr[1] ^ addr[2] ^ addr[3]) * 0x9E3779B1u) >> 24;
}

/* ---- sg_port: ARRAY[SG_ADDRESS_SLOTS * 65536] of __u64, mmapable, written by user space ------ */

/*
 * Where a packet to (address slot, UDP port) belongs. 0: not ours, the packet goes to the stack.
 *   live:    bit 63 set; bits 0-23 stream, 24 side, 25-27 path (a hint: the path that last used the
 *            port), 28-29 enum sg_component, 32-47 low bits of the stream's generation
 *   resting: bit 62 set; bits 0-31 the second of CLOCK_MONOTONIC from which it may be used again
 */
#define SG_PORT_LIVE (1ull << 63)
#define SG_PORT_RESTING (1ull << 62)

enum sg_component {
	SG_RTP = 0,
	SG_RTCP = 1,
	SG_MUX = 2,    /* both on the RTP port (RFC 5761) */
	SG_OPAQUE = 3, /* any datagram: not numbered, and so neither measured for loss nor copied */
};

static inline __u64 sg_port_live(__u32 stream, __u32 side, __u32 path, __u32 component,
				 __u32 generation)
{
	return SG_PORT_LIVE | (stream & 0xffffffu) | (__u64)(side & 1u) << 24 |
	       (__u64)(path & 7u) << 25 | (__u64)(component & 3u) << 28 |
	       (__u64)(generation & 0xffffu) << 32;
}

static inline __u64 sg_port_resting(__u32 until_second)
{
	return SG_PORT_RESTING | until_second;
}

static inline __u32 sg_port_stream(__u64 port)
{
	return (__u32)(port & 0xffffffu);
}

static inline __u32 sg_port_side(__u64 port)
{
	return (__u32)(port >> 24) & 1u;
}

static inline __u32 sg_port_path(__u64 port)
{
	return (__u32)(port >> 25) & 7u;
}

static inline __u32 sg_port_component(__u64 port)
{
	return (__u32)(port >> 28) & 3u;
}

static inline __u32 sg_port_generation(__u64 port)
{
	return (__u32)(port >> 32) & 0xffffu;
}

static inline __u32 sg_port_until_second(__u64 port)
{
	return (__u32)port;
}

/* ---- sg_stream: ARRAY[capacity], mmapable, written by user space --------------------------- */

/*
 * The route of a stream: one aligned 64-bit word, changed by one store (release order).
 *   bits  0-7   side A: mask of paths that are sent to     bits  8-15  side A: listened to
 *   bits 16-23  side B: mask of paths that are sent to     bits 24-31  side B: listened to
 *   bits 32-34  side A: active path (RTCP leaves on it)    bits 36-38  side B: active path
 *   bit  40     RTP from A to B is open                    bit  41     RTP from B to A is open
 *   bits 48-63  version, one more at each store
 * A route of 0 is closed: nothing passes.
 */
#define SG_ROUTE_OPEN_AB (1ull << 40)
#define SG_ROUTE_OPEN_BA (1ull << 41)
#define SG_ROUTE_VERSION_SHIFT 48

static inline __u32 sg_route_send(__u64 route, __u32 side)
{
	return (__u32)(route >> (side ? 16 : 0)) & 0xffu;
}

static inline __u32 sg_route_listen(__u64 route, __u32 side)
{
	return (__u32)(route >> (side ? 24 : 8)) & 0xffu;
}

static inline __u32 sg_route_active(__u64 route, __u32 side)
{
	return (__u32)(route >> (side ? 36 : 32)) & 7u;
}

/* May RTP that arrived from `side` go to the other side? */
static inline int sg_route_open(__u64 route, __u32 side)
{
	return (route & (side ? SG_ROUTE_OPEN_BA : SG_ROUTE_OPEN_AB)) != 0;
}

enum sg_path_state {
	SG_PATH_FREE = 0,
	SG_PATH_LIVE = 1,     /* in the route */
	SG_PATH_DRAINING = 2, /* only listened to, until until_ns */
	SG_PATH_RESTING = 3,  /* out of the route; the slot is free from until_ns on */
};

#define SG_PATH_IPV6 0x0001u	  /* both addresses are IPv6; else both are v4-mapped */
#define SG_PATH_KEEP_DSCP 0x0002u /* the copy carries the DSCP that came in; else `dscp` */
#define SG_PATH_LEARN 0x0004u	  /* another source may be learned (user space decides) */

/*
 * What the kernel knows of one leg of one stream. One cache line. Never edited while it is in the
 * route, except for `nexthop`, `mtu` and `state`, which are single aligned stores of their own.
 */
struct sg_path {
	__be32 local[4];  /* our media address, and the source of what we send */
	__be32 remote[4]; /* the party's address: the only admitted source, and where we send */
	__be16 local_port[SG_COMPONENTS]; /* RTP, RTCP; with mux both are the same */
	__be16 remote_port[SG_COMPONENTS];
	__u16 sum[SG_COMPONENTS]; /* sg_path_sum(): the path's part of a UDP checksum */
	__u16 nexthop;		  /* index into sg_nexthop, 0 = none */
	__u16 mtu;		  /* of the path as learned from ICMP, 0 = the next hop's */
	__u16 flags;		  /* SG_PATH_* */
	__u8 dscp;		  /* 0..63, used unless SG_PATH_KEEP_DSCP */
	__u8 state;		  /* enum sg_path_state; the kernel does not look at it */
	__u8 learn_bits;	  /* a learned source shares so many leading bits with `remote` */
	__u8 reserved[3];
	__u64 until_ns; /* end of DRAINING or RESTING; while LIVE with SG_PATH_LEARN: end of the
			 * window in which any source of the prefix may be learned */
};

/*
 * The path's part of the ones' complement sum of a UDP checksum (RFC 768, RFC 1071): both addresses
 * and the ports of one component, folded to 16 bits, in memory order. A packet that comes in on the
 * path and one that goes out on it have the same sum, so a rewrite costs one subtraction and one
 * addition.
 */
static inline __u16 sg_path_sum(const struct sg_path *path, __u32 component)
{
	__u32 sum = (__u32)path->local_port[component] + path->remote_port[component];
	__u32 first = path->flags & SG_PATH_IPV6 ? 0 : 3;

	for (__u32 i = first; i < 4; i++) {
		sum += (path->local[i] & 0xffffu) + (path->local[i] >> 16);
		sum += (path->remote[i] & 0xffffu) + (path->remote[i] >> 16);
	}
	sum = (sum & 0xffffu) + (sum >> 16);
	sum = (sum & 0xffffu) + (sum >> 16);
	return (__u16)sum;
}

enum sg_stream_state {
	SG_STREAM_FREE = 0,
	SG_STREAM_INSTALLING = 1, /* filled, route closed: collected if its writer died */
	SG_STREAM_OPEN = 2,
	SG_STREAM_RESTING = 3, /* removed; the slot is free from rest_until_ns on */
};

#define SG_STREAM_MUX 0x0001u	  /* RTCP shares RTP's port */
#define SG_STREAM_CAPTURE 0x0002u /* its frames are copied into sg_capture */
#define SG_STREAM_OPAQUE 0x0004u  /* no RTP: any datagram (T.38, BFCP) */

/* What every packet of the stream reads, and no more: many fit a cache. */
struct sg_stream {
	__u64 route;
	__u32 tick_q8;	  /* nanoseconds of one RTP timestamp unit, times 256 (8 kHz: 32000000) */
	__u16 generation; /* one more at each reuse of the slot; sg_port carries it too */
	__u16 flags;	  /* SG_STREAM_* */
};

/* ---- sg_capture: PERF_EVENT_ARRAY, filled by the kernel: a head, and the frame behind it --------
 */

#define SG_CAPTURE_CPUS 1024u /* beyond that CPU nothing is copied */

enum sg_capture_direction {
	SG_CAPTURE_IN = 1,  /* as it came to a port of the stream, whatever became of it */
	SG_CAPTURE_OUT = 2, /* as it was given to a NIC */
};

struct sg_capture_head {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 stream;
	__u32 ifindex; /* of the NIC that it came by, or leaves by */
	__u32 length;  /* octets of the frame */
	__u8 direction;
	__u8 reserved[3];
};
_Static_assert(sizeof(struct sg_capture_head) == 24, "a head has no holes");

/* ---- sg_record: ARRAY[capacity], mmapable, written by user space; no program reads it ----------
 */

struct sg_record {
	__u32 state; /* enum sg_stream_state */
	__u32 reserved;
	__u64 rest_until_ns;
	__u64 created_ns;
	char name[SG_NAME_LEN];
};

/* ---- sg_path: ARRAY[capacity * SG_SIDES * SG_PATH_SLOTS] of struct sg_path, mmapable, written by
 * user space; sg_path_stat: the same shape, written by the kernel -------------------------------
 */

/*
 * Index of a path in sg_path and sg_path_stat. Slots are the slowest dimension: ordinary calls use
 * slot 0 of both sides, so what packets touch stays dense (few pages, few cache lines) however
 * many slots a handover may need.
 */
static inline __u32 sg_path_index(__u32 capacity, __u32 stream, __u32 side, __u32 slot)
{
	return (slot * capacity + stream) * SG_SIDES + side;
}

/* ---- sg_nexthop: ARRAY[SG_NEXTHOPS], mmapable, written by user space ------------------------ */

#define SG_NEXTHOP_USABLE 0x01u /* neighbour resolved, link up: packets may leave */

struct sg_hop {
	__u8 dst[6];
	__u8 src[6];
	__be16 vlan;   /* 802.1Q tag control of the frames, 0 = untagged */
	__u16 mtu;     /* of the device that the route names: largest IP packet */
	__u32 ifindex; /* of the physical NIC that XDP sends on */
	__u8 nic;      /* NIC slot of sg_meta.nic, for the fan-out key */
	__u8 flags;    /* SG_NEXTHOP_* */
	__u8 reserved[2];
};

/*
 * Shared by every path that leaves through one gateway. The half that `current` does not name is
 * written, then `current` is stored: readers never see a mixed address. A half rests for 1 ms
 * before it is written again.
 */
struct sg_nexthop {
	struct sg_hop half[2];
	__u32 current;
	__u32 used; /* 1: the entry has an owner */
	__u64 changed_ns;
	__be32 gateway[4]; /* the neighbour: the gateway, or the party itself when on link */
	__u32 l3_ifindex;  /* the device that the route names (a VLAN device, or ifindex) */
	__u32 paths;	   /* path slots that name this entry, resting ones included */
	__u32 route_mtu;   /* the route's own MTU, 0 = the device's; part of the entry's identity */
	__u32 managed;	   /* 1: we asked the kernel to keep the neighbour fresh */
	__u32 reserved[8];
};

/* ---- sg_path_stat, see sg_path_index ----------------------------------------------------------
 */

/*
 * The window of one SSRC (MP-5): what every packet reads of it; segue/window.h says how it works.
 * All zero: free.
 */
struct sg_window_ssrc {
	__u64 id;      /* 1 << 32 | SSRC, 0 = free */
	__u64 last_ns; /* last acceptance */
	__u64 newest;  /* the newest word of history */
	__u32 highest; /* highest accepted, extended */
	__u32 suspect; /* 1 << 16 | the sequence number that would confirm a restart; 0 = none */
};

/*
 * What a packet changes on its way, in two neighbouring cache lines. The first is about the path
 * that it came on. The second is about what leaves the path's side: a packet from slot 0 of side A
 * that leaves on slot 0 of side B changes two lines, not four.
 *
 * Packets arrive almost always on one CPU (RSS keeps a flow on a queue), so the first CPU to count
 * becomes the owner and adds without a lock prefix; any other CPU adds atomically to the other_
 * fields of sg_path_rare. A total is the sum of both, exact on any number of CPUs.
 */
struct sg_path_stat {
	/* line 0: packets that arrived on the path of this index */
	__u64 rx_packets; /* RTP admitted on this path: first copies, late ones and duplicates */
	__u64 rx_octets;  /* their UDP payload */
	__u64 last_ns;	  /* arrival of the last admitted RTP packet */
	__u64 timed_ns;	  /* arrival of the last packet that was timed */
	__u32 rx_owner;	  /* CPU + 1 */
	__u32 ssrc;	  /* of the last admitted packet (host order) */
	__u32 timestamp;  /* RTP timestamp of the last packet that was timed */
	__u32 jitter_ns; /* RFC 3550 A.8, in nanoseconds, over the packets that were timed: each one
			  * up to some thousand a second on a CPU, one in 16 beyond */
	__u32 base;	 /* extended sequence number of the first packet since the SSRC began */
	__u32 highest;	 /* highest extended sequence number */
	__u32 received;	 /* packets since the SSRC began: lost = highest - base + 1 - received */
	__u32 lost_before; /* losses of earlier SSRCs (0 if negative) */
	/* line 1: packets from this side that leave on the same slot of the other side */
	__u64 tx_packets;
	__u64 tx_octets;
	__u32 tx_owner;
	/* ... and the side's window number `slot`, for the first SG_SSRCS slots: it is the side's,
	 * not the path's. The lock, of slot 0 only, is held while an SSRC is given its place. */
	__u32 window_lock;
	struct sg_window_ssrc window;
	__u64 reserved;
};

/* ---- sg_path_rare, see sg_path_index -----------------------------------------------------------
 */

#define SG_STAT_REASONS 14u /* enum sg_reason below this have a counter per path */

/* What only unusual packets touch. Atomic, except event_ns and first_ns. */
struct sg_path_rare {
	__u64 event_ns; /* last event about the path, to bound their rate */
	__u64 first_ns; /* arrival of the path's first admitted RTP packet; 0: none yet */
	__u64 other_rx_packets;
	__u64 other_rx_octets;
	__u64 other_tx_packets; /* unlike tx_packets, of this very path */
	__u64 other_tx_octets;
	__u64 rtcp_packets; /* RTCP admitted on this path */
	__u32 late;	    /* first copies that arrived behind the highest sequence number */
	__u32 reserved;
	__u32 reason[SG_STAT_REASONS]; /* by enum sg_reason */
};

/* ---- sg_drop: PERCPU_ARRAY[SG_REASON_ROOM] of __u64, written by the kernel ------------------ */

/*
 * Why a packet that was not simply forwarded was not. Dense, never renumbered; append only.
 * X(symbol, name, fate, explanation); fate: drop = XDP_DROP, pass = to the network stack,
 * answer = dropped, and an ICMP error sent back.
 */
#define SG_REASONS(X)                                                                              \
	X(NONE, "none", pass, "unused")                                                            \
	X(SOURCE, "source", drop, "source address was neither signalled nor learned")              \
	X(STANDBY, "standby", drop, "the path is not listened to")                                 \
	X(DIRECTION, "direction", drop, "media is closed in this direction (hold)")                \
	X(BAD_RTP, "bad-rtp", drop, "not RTP or RTCP version 2, or shorter than its header")       \
	X(DUPLICATE, "duplicate", drop, "another copy of this packet went first")                  \
	X(TOO_LATE, "too-late", drop, "behind the de-duplication window")                          \
	X(JUMP, "jump", drop, "3000 or more ahead, not yet confirmed as a restart")                \
	X(NO_PATH, "no-path", drop, "the other side has no path to send to")                       \
	X(NEXT_HOP, "next-hop", drop, "next hop unresolved or its link down")                      \
	X(TOO_BIG, "too-big", answer, "larger than the path's MTU")                                \
	X(NOT_MEDIA, "not-media", pass, "STUN, DTLS or other non-RTP first byte (RFC 7983)")       \
	X(NO_ROOM, "no-room", drop, "the frame has no head or tail room for the rewrite")          \
	X(FAN_OUT, "fan-out", drop, "no device map for this set of interfaces")                    \
	X(COPY, "copy", drop, "a copy found no path of its own at egress")                         \
	X(TTL, "ttl", pass, "TTL or hop limit of 1 or less")                                       \
	X(CLOSED, "closed", drop, "the stream is installed but its route is closed")               \
	X(STALE, "stale", drop, "the port names an older generation of the stream")                \
	X(RESTING, "resting", drop, "the port rests after its stream or path was removed")         \
	X(OPTIONS, "ip-options", pass, "IPv4 options or IPv6 extension headers")                   \
	X(FRAGMENT, "fragment", pass, "IP fragment")                                               \
	X(ICMP, "icmp", pass, "ICMP too-big about a packet of ours: reported as an event")         \
	X(BANNED, "banned", drop, "to a port of the host, from a source that is banned")

enum sg_reason {
#define SG_REASON_ENUM(symbol, name, fate, text) SG_##symbol,
	SG_REASONS(SG_REASON_ENUM)
#undef SG_REASON_ENUM
		SG_REASON_COUNT
};

#define SG_REASON_ROOM 64u /* entries of sg_drop: a further reason does not change its shape */

/* ---- sg_event: RINGBUF, written by the kernel ------------------------------------------------ */

enum sg_event_type {
	SG_EVENT_FIRST_PACKET = 1, /* first admitted packet on a path */
	SG_EVENT_NEW_SOURCE = 2,   /* a source that is no path's remote sent valid media */
	SG_EVENT_SSRC_CHANGE = 3,  /* a path's SSRC changed */
	SG_EVENT_NEXT_HOP = 4,	   /* a packet found its next hop unusable */
	SG_EVENT_PATH_MTU = 5,	   /* ICMP said that a packet of ours was too big */
};

struct sg_event {
	__u64 time_ns;
	__u32 type; /* enum sg_event_type */
	__u32 stream;
	__u32 generation; /* of the stream: an event about a recycled slot is stale */
	__u8 side;
	__u8 slot;	/* path slot */
	__u8 component; /* SG_RTP or SG_RTCP */
	__u8 reserved;
	__be32 addr[4];	    /* the packet's source address; for PATH_MTU the router's */
	__be16 port;	    /* its source port */
	__u16 mtu;	    /* PATH_MTU only */
	__u32 ssrc;	    /* host order */
	__u32 old_ssrc;	    /* SSRC_CHANGE: before; NEW_SOURCE: the path's own, for continuity */
	__u16 sequence;	    /* host order */
	__u16 old_sequence; /* NEW_SOURCE: the path's highest */
};

/* ---- the guard: sg_ban, sg_allow, sg_guard, written by user space ------------------
 */

/* A source: an IPv4 address, or the network of an IPv6 one (/64), which one subscriber has whole.
 */
struct sg_ban_key {
	__be32 addr[4];
};

#define SG_BAN_CAUSE_LEN 16u /* with the closing NUL */

/* ---- sg_ban: LRU_HASH[SG_BANS]; the kernel counts in `dropped` alone ---- */
struct sg_ban {
	__u64 until_ns; /* packets are dropped before */
	__u64 since_ns;
	__u64 dropped;		      /* packets */
	char cause[SG_BAN_CAUSE_LEN]; /* a word of whoever banned it */
};

/* ---- sg_allow: LPM_TRIE[SG_GUARD_ALLOWED] of __u32 ---- */
struct sg_guard_allow_key {
	__u32 bits; /* of 128 */
	__be32 addr[4];
};

/*
 * ---- sg_guard: HASH[SG_GUARD_PORTS] of __u32 ----
 * Each port that bans are about, and for each address of these ports one entry with port and
 * protocol 0, which stands for packets whose port is not to be read: fragments, options.
 */
struct sg_guard_port_key {
	__be32 addr[4];
	__be16 port;
	__u8 protocol; /* IPPROTO_UDP, IPPROTO_TCP */
	__u8 reserved;
};

_Static_assert(sizeof(struct sg_ban) == 40, "sg_ban layout");
_Static_assert(sizeof(struct sg_guard_port_key) == 20, "sg_guard_port_key has no holes");
_Static_assert(SG_REASON_COUNT <= SG_REASON_ROOM, "sg_drop has an entry for each reason");
_Static_assert(sizeof(struct sg_address) == 32, "sg_address layout");
_Static_assert(sizeof(struct sg_path) == 64, "sg_path is one cache line");
_Static_assert(sizeof(struct sg_stream) == 16, "four streams to a cache line");
_Static_assert(sizeof(struct sg_record) == 88, "sg_record layout");
_Static_assert(sizeof(struct sg_hop) == 24, "sg_hop layout");
_Static_assert(sizeof(struct sg_nexthop) == 128, "sg_nexthop layout");
_Static_assert(sizeof(struct sg_path_stat) == 128, "sg_path_stat is two cache lines");
_Static_assert(sizeof(struct sg_path_rare) == 120, "sg_path_rare layout");
_Static_assert(SG_SSRCS <= SG_PATH_SLOTS, "each window has a slot to stand in");
_Static_assert(sizeof(struct sg_event) == 56, "sg_event layout");
_Static_assert(SG_COPY == SG_STAT_REASONS, "the reasons that a path counts come first");

#endif
