/* SPDX-License-Identifier: BSD-2-Clause */
/* The object files of the kernel programs. */
#ifndef SG_RELAY_OBJECT_H
#define SG_RELAY_OBJECT_H

#include "internal.h"

struct bpf_object;

/* Opens object_dir/NAME; NULL with errno set. The caller closes it. */
struct bpf_object *sg_object_open(const struct sg_relay *relay, const char *name,
				  struct sg_error *err);

#endif
