/* SPDX-License-Identifier: BSD-2-Clause */
/* The pinned maps, opened, made and mapped; with what names and places they have. */
#ifndef SG_RELAY_MAPS_H
#define SG_RELAY_MAPS_H

#include "internal.h"

struct bpf_object;

/*
 * Opens what is pinned, into map_fd[]; -1 for a map without a pin. Returns how many pins are
 * missing. -EPROTO for a map of another layout.
 */
int sg_maps_open(struct sg_relay *relay, struct sg_error *err);
/* Makes and pins the maps that are missing, of `capacity` streams unless some exist already. */
int sg_maps_create(struct sg_relay *relay, uint32_t capacity, struct sg_error *err);
/* Maps the arrays into memory, once map_fd[] is complete. */
int sg_maps_mmap(struct sg_relay *relay, struct sg_error *err);
void sg_maps_close(struct sg_relay *relay);
/* Lets every map of `object` that is one of ours stand for the opened one. */
int sg_maps_reuse(const struct sg_relay *relay, struct bpf_object *object, struct sg_error *err);

#endif
