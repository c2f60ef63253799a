/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The voice, or the picture: a packet every 20 or 40 ms to everybody whom it is aimed at, the same
 * bytes to each; what comes by any network goes through one window. The picture is a pattern: it is
 * there to be carried.
 */
#ifndef SEGUE_UA_MEDIA_H
#define SEGUE_UA_MEDIA_H

#include <jansson.h>

#include "g711.h"
#include "network.h"

#define UA_PATHS 4u
#define UA_PTIME_MS 20u
#define UA_VIDEO_TYPE 34u /* payload type: H263 */
#define UA_SAMPLES (G711_RATE / 1000u * UA_PTIME_MS)

struct ua;
struct ua_media;

struct ua_path {
	struct ua_network *network;
	struct netaddr remote;
};

struct ua_codec {
	enum g711_law law;
	uint8_t payload_type;
};

/* Opens what the options name. The networks are open already. */
int ua_media_alloc(struct ua_media **out, struct ua *ua, enum ua_kind kind, struct error *err);
void ua_media_free(struct ua_media *media); /* NULL is fine */
/* Starts the clock; again: only the codec changes. */
int ua_media_start(struct ua_media *media, const struct ua_codec *codec);
void ua_media_stop(struct ua_media *media);
/* Where each packet goes from now on; none: time passes, nothing is sent. */
void ua_media_aim(struct ua_media *media, const struct ua_path *paths, size_t count);
/*
 * Who may be heard: these, and whoever sends what they sent until now (the first packets by a new
 * way are here before the answer that names it).
 */
void ua_media_hear(struct ua_media *media, const struct netaddr *from, size_t count);
/* An offer of ours is out, and nobody is known yet: whoever answers may be quicker with packets
 * than with SIP (RFC 3264 5.1), so anybody is heard. */
void ua_media_await(struct ua_media *media, bool awaits);
/* Time passes, nothing is sent; the call stays as it is. */
void ua_media_mute(struct ua_media *media, bool muted);
/* A note among the packets. */
void ua_media_note(struct ua_media *media, const char *note);
/* {"sent": ..., "received": ..., "networks": [...]}; NULL: out of memory. */
json_t *ua_media_report(const struct ua_media *media);

#endif
