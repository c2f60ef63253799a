/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the room know of each other: media.c opens and closes it and adopts after a
 * restart, media_stream.c has what is installed, media_op.c what waits for a next hop,
 * media_past.c what paths that are over had counted, media_watch.c what the relay reports,
 * media_attach.c the NICs, media_source.c our addresses.
 */
#ifndef SEGUE_CALL_MEDIA_INTERNAL_H
#define SEGUE_CALL_MEDIA_INTERNAL_H

#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "call/media.h"
#include "call/media_source.h"

struct media_attach;
struct media_links;
struct media_watch;

struct media {
	struct event_base *base;
	struct wheel *wheel;
	struct log *log;
	const struct config *config;
	struct sg_relay *relay;
	uint32_t capacity;
	struct media_stream **by_number; /* [capacity]: whose stream that is; NULL: not ours */
	uint32_t high;			 /* no stream of ours has had this number or a higher one */
	struct media_source *source;
	struct media_attach *attach;
	struct media_links *links;
	struct media_watch *watch;
	struct list streams; /* all of them, installed or not */
	unsigned waiting;    /* operations that wait for a next hop */
	uint64_t tried_ms;   /* the moment that `tries` is about */
	unsigned tries;
};

/* A live path. Its number is ours, since the relay's slots change when a source is learned; the
 * local port finds the slot. */
struct media_place {
	bool used;
	bool spoke; /* its first packet was reported */
	bool down;  /* MEDIA_LINK_DOWN was reported last */
	struct sg_endpoint local;
	struct sg_endpoint remote; /* as signalled, whatever was learned since */
	uint16_t remote_rtcp_port;
};

struct media_stream {
	struct list node; /* media->streams */
	struct media *media;
	char name[SG_NAME_LEN];
	bool installed;
	bool opaque;
	uint32_t number;
	uint64_t since_ns; /* events that are older are about another stream */
	struct media_place place[SG_SIDES][SG_PATHS];
	struct list ops;  /* waiting ones */
	struct list past; /* paths that are over */
	unsigned pasts;
	media_event_fn *fn;
	void *context;
};

static inline void media_endpoint(struct sg_endpoint *out, const struct netaddr *at)
{
	memcpy(out->addr, at->addr, sizeof(out->addr));
	out->port = at->port;
}

static inline uint16_t media_rtcp_port(const struct sg_path_spec *spec)
{
	return spec->remote_rtcp_port ? spec->remote_rtcp_port : (uint16_t)(spec->remote.port + 1);
}

/* ---- media.c -------------------------------------------------------------------------------- */

uint64_t media_drain_ms(struct media *media);
/* The port rests as long as the relay lets it rest. */
void media_rest(struct media *media, const struct sg_endpoint *local);
/* Nobody got an answer from it: it is reserved, and on an address of ours. */
bool media_is_reserved(struct media *media, const struct sg_endpoint *local);
void media_hold(struct media *media, const struct sg_endpoint *local);

/* ---- media_stream.c ------------------------------------------------------------------------- */

struct media_stream *media_stream_new(struct media *media, const char *name);
/* It has this number in the relay from now on. */
void media_stream_enter(struct media_stream *stream, uint32_t number);
/* Forgets it and what waits for it; what is installed stays. */
void media_stream_forget(struct media_stream *stream);
/* Says in the log what is wrong with it. */
void media_stream_complain(const struct media_stream *stream, enum log_level level,
			   const char *what, const char *why);
void media_place_set(struct media_place *place, const struct sg_path_spec *spec);
/* The relay's slot of that path now; -ENOENT. */
int media_stream_slot(struct media_stream *stream, unsigned side, unsigned place);
/* The place that has that slot of the relay; -ENOENT. */
int media_stream_place(struct media_stream *stream, unsigned side, unsigned slot);

/* ---- media_past.c --------------------------------------------------------------------------- */

/* The path that was number `place` and has the relay's slot `slot` begins to drain. */
void media_past_add(struct media_stream *stream, unsigned side, unsigned place, unsigned slot);
void media_past_forget(struct media_stream *stream);

/* ---- media_op.c ----------------------------------------------------------------------------- */

struct media_op;

enum media_op_kind { MEDIA_OP_INSTALL, MEDIA_OP_MOVE, MEDIA_OP_JOIN };

struct media_op_request {
	enum media_op_kind kind;
	const struct sg_stream_spec *install;
	const struct sg_path_spec *path; /* move, join */
	enum sg_side side;
	unsigned place; /* move */
	unsigned *out;	/* move, join: where the path's number goes */
	media_done_fn *done;
	void *context;
};

/* 0 done, -EINPROGRESS waiting, or failed, in which case nothing is left of it. */
int media_op_start(struct media_stream *stream, const struct media_op_request *request);
/* The stream's waiting operations end; nobody is told. Their ports rest. */
void media_op_cancel_all(struct media_stream *stream);
/* A waiting install takes this direction. */
void media_op_set_direction(struct media_stream *stream, enum sg_direction direction);
/* ... is of this kind. */
void media_op_set_opaque(struct media_stream *stream, bool opaque);

/* ---- media_watch.c -------------------------------------------------------------------------- */

int media_watch_alloc(struct media_watch **out, struct media *media, struct error *err);
void media_watch_free(struct media_watch *watch);

/* ---- media_attach.c ------------------------------------------------------------------------- */

/* Attaches what is there; what is not there yet is attached when it comes. */
int media_attach_alloc(struct media_attach **out, struct media *media, struct error *err);
void media_attach_free(struct media_attach *attach);
/* Links changed: tries what was not there. */
void media_attach_again(struct media_attach *attach);

#endif
