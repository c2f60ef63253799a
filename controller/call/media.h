/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only room that speaks to the relay (include/segue/relay.h). It owns the relay's handle, the
 * pool of media ports and what is installed; it knows calls only by the names of their streams.
 *
 * What has to wait for a next hop (an unresolved neighbour) says so: a call returns 0 when all is
 * done, -EINPROGRESS when `done` will be called later from the loop (with 0 or a negative errno,
 * -EHOSTUNREACH after 2.5 s), or another negative errno. `done` is never called from inside the
 * call itself; it may do anything to the stream. Nothing here blocks. Sides are the relay's:
 * SG_SIDE_A, SG_SIDE_B.
 *
 * Who has a port: media_reserve() gives it to the caller. A call that takes it (install, move,
 * join) and returns 0 or -EINPROGRESS makes it the stream's, which brings it back by itself after
 * its rest, also when `done` then reports a failure. A call that fails at once leaves it with the
 * caller (media_release).
 *
 * Path numbers ("slot", 0 to SG_PATHS - 1 on each side) are this room's own: installing gives 0,
 * joining the first free one, and moving or a learned source changes none. After a restart they may
 * be others: media_find_path() tells them by local port.
 */
#ifndef SEGUE_CALL_MEDIA_H
#define SEGUE_CALL_MEDIA_H

#include <segue/relay.h>

#include "base/netaddr.h"
#include "config.h"
#include "sdp/sdp.h"

struct media;
struct media_stream; /* one m= line of a call, installed or about to be */

typedef void media_done_fn(void *context, int result);

/* What the kernel reported, for whoever registered: paths that speak, lose their link, get it back.
 */
enum media_event_kind {
	MEDIA_FIRST_PACKET, /* of a path, since it was installed, joined or moved; once */
	MEDIA_LINK_DOWN,    /* the NIC or the next hop of a path is unusable now */
	MEDIA_LINK_UP,	    /* ... usable again */
};
struct media_event {
	enum media_event_kind kind;
	enum sg_side side;
	unsigned slot;
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	const struct media_stream *stream;
};
typedef void media_event_fn(void *context, const struct media_event *event);

struct event_base;

/*
 * Opens or makes the maps, attaches the configured interfaces (`external`: only takes the slot),
 * follows netlink and the event ring. -EBUSY another process follows these maps already. A NIC that
 * is not there is no failure: it is attached when it comes, or comes again. `config` must live as
 * long as what is made.
 */
int media_alloc(struct media **out, struct event_base *base, struct wheel *wheel, struct log *log,
		const struct config *config, struct error *err);
/*
 * As root, before another user calls media_alloc(): makes the maps, attaches the interfaces, and
 * gives the pins to that user (sg_relay_share).
 */
int media_prepare(const struct config *config, struct log *log, uid_t user, gid_t group,
		  struct error *err);
/* Whether maps that there are have the layout that we know: -EPROTO. Nothing is changed. */
int media_check(struct error *err);
/* Streams, programs and maps stay: media goes on without us. Every struct media_stream is gone. */
void media_free(struct media *media);

/* ---- ports ---------------------------------------------------------------------------------- */

/*
 * Reserves an even port and the one above it on our media address of the family of `towards` (the
 * party's signalled address; its route decides among several interfaces; where the family is ours
 * on no interface: -EAFNOSUPPORT). -ENOSPC: the pool is empty. *local is what goes into SDP.
 */
int media_reserve(struct media *media, const struct netaddr *towards, struct netaddr *local);
/* One that was never installed goes back at once. For one that a stream has, does nothing. */
void media_release(struct media *media, const struct netaddr *local);
/* Can packets reach a party of that family at all? */
bool media_has_family(const struct media *media, bool ipv4);
size_t media_ports_free(const struct media *media);

/* ---- figures -------------------------------------------------------------------------------- */

struct media_figures {
	uint64_t ended[SG_REASON_COUNT]; /* packets, by enum sg_reason, since the maps were made */
	size_t streams, ports_free;
	uint32_t capacity; /* streams */
	struct sg_interface interface[SG_NICS];
	size_t interfaces;
};
/* 0 or a negative errno: the maps cannot be read, or netlink does not answer. */
int media_figures(struct media *media, struct media_figures *out);

/* ---- the guard: who is kept from SIP, in XDP ------------------------------------------------- */

/* As sg_ban_set() ...: with the error said as its sentence. `for_ms` UINT64_MAX: until it is
 * lifted. */
int media_ban(struct media *media, const struct netaddr *source, uint64_t for_ms, const char *cause,
	      struct error *err);
int media_unban(struct media *media, const struct netaddr *source, struct error *err);
/* Tells of each ban that holds (`fn` may be NULL) and removes the others; how many hold. */
int media_bans(struct media *media, sg_ban_fn *fn, void *context);
/* Where bans count (all that the configuration listens at), and for whom they never do (its trunks
 * and what it allows). */
int media_guard(struct media *media, const struct config *config, struct error *err);

/* ---- streams -------------------------------------------------------------------------------- */

struct media_path {
	struct netaddr local;	   /* from media_reserve */
	struct netaddr remote;	   /* RTP, as signalled */
	uint16_t remote_rtcp_port; /* 0: remote.port + 1, or muxed */
	bool learn;		   /* behind NAT: the source may be learned right after this */
};

struct media_spec {
	const char *name; /* "CALL.0": unique, < 64 characters, no blanks */
	struct media_path side[SG_SIDES];
	bool rtcp_mux;
	bool opaque;	   /* no RTP: any datagram */
	uint32_t clock_hz; /* 0: 8000 */
	enum sg_direction direction;
};

/*
 * Installs it, closed until it is whole ("map first"). *out is set on 0 and -EINPROGRESS; on a
 * failure that `done` reports, the stream is gone. What is asked of a stream that still waits
 * (move, join) waits with it. -EINVAL a port that is not reserved, or a bad spec; -EEXIST the name
 * is taken, or somebody else took the port; -EHOSTUNREACH no route, or the link is down; -ENODEV
 * the route leaves through a NIC without our program; -ENOSPC the relay is full.
 */
int media_install(struct media *media, const struct media_spec *spec, media_done_fn *done,
		  void *context, struct media_stream **out);
/* Whatever state it is in; what waits ends and its `done` is not called. NULL is fine. */
void media_remove(struct media_stream *stream);
/* Who is told about the stream's events. */
void media_watch(struct media_stream *stream, media_event_fn *fn, void *context);
int media_set_direction(struct media_stream *stream, enum sg_direction direction);
/* It is no RTP from now on, or RTP again; ports and paths stay. Nothing happens if it was that. */
int media_set_opaque(struct media_stream *stream, bool opaque);

/*
 * The party of that side receives elsewhere now: slot `slot`'s path is replaced by one store of the
 * route; the old one is listened to while it drains. path->local may stay what it was. *new_slot
 * (NULL: nobody asks) is set on success, to `slot`; while the call waits it must stay valid. To
 * repeat the address that the path was last given does nothing, so that what was learned since
 * stays. A move that still waits ends with -ECANCELED when a newer one of the same path begins.
 * -ENOENT no such path.
 */
int media_move(struct media_stream *stream, enum sg_side side, unsigned slot,
	       const struct media_path *path, unsigned *new_slot, media_done_fn *done,
	       void *context);
/* A second path joins: sent to and listened to. Its local port is one of its own. *slot as for
 * media_move. -ENOSPC four are live, -EOPNOTSUPP (see sg_path_add). */
int media_join(struct media_stream *stream, enum sg_side side, const struct media_path *path,
	       unsigned *slot, media_done_fn *done, void *context);
/* It leaves: not sent to from now on, listened to for its drain. -EBUSY the side's last. */
int media_leave(struct media_stream *stream, enum sg_side side, unsigned slot);
/* Closes and opens single paths (a standby leg sends and receives nothing: PH-7). */
int media_path_set(struct media_stream *stream, enum sg_side side, unsigned slot, bool send,
		   bool listen, bool active);

/* With the path numbers of this room; of a path that drains: SG_PATH_SLOTS. -EAGAIN it waits. */
int media_info(struct media_stream *stream, struct sg_stream_info *out);
/*
 * What paths that are over had counted: those that left, and those in whose place a move or a
 * learned source put another. Oldest first, with their path numbers; of a stream with more than
 * some eight the oldest of a side are added up. Returns how many there are (may exceed `room`).
 * media_info() has them too while they drain: for a sum take its LIVE paths only.
 */
size_t media_past(struct media_stream *stream, struct sg_path_info *out, size_t room);
const char *media_name(const struct media_stream *stream);
/* The stream's number in the relay: for the journal and the inspector. */
uint32_t media_number(const struct media_stream *stream);

/* ---- after a restart ------------------------------------------------------------------------ */

/* Takes a stream of that name over, with its ports. -ENOENT; -EEXIST it is taken already. */
int media_adopt(struct media *media, const char *name, struct media_stream **out);
/* The number that the path with this local port has now. -ENOENT. */
int media_find_path(struct media_stream *stream, enum sg_side side, const struct netaddr *local,
		    unsigned *slot);
/* Removes the streams named like ours ("CALL.N", N a number) that nobody adopted; returns how many.
 * Once, when the journal was read: a stream that waits is none of them. */
int media_collect(struct media *media);

/* ---- quality (ITU-T G.107, as far as one relay sees it) ------------------------------------- */

struct media_quality {
	double loss; /* 0..1 */
	double jitter_ms;
	double r, mos; /* E-model; 0 when nothing was received */
};
/* `encoding` ("PCMU", "G729" ...; unknown or NULL: as G.711) chooses Ie and Bpl; the delay is a
 * packet and what the jitter buffer would add. */
void media_quality(struct media_quality *out, const struct sg_path_info *path,
		   const char *encoding);

#endif
