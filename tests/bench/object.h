/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF objects of the bench, loaded from one directory; a failure ends the bench. */
#ifndef SG_BENCH_OBJECT_H
#define SG_BENCH_OBJECT_H

#include <stddef.h>

struct bpf_object;

struct bpf_object *object_load(const char *dir, const char *name);
/* Descriptors, by name. */
int object_program(struct bpf_object *object, const char *name);
int object_map(struct bpf_object *object, const char *name);
/* A map's memory, shared with the kernel. */
void *object_memory(struct bpf_object *object, const char *map, size_t size);

#endif
