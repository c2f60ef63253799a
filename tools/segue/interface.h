/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEGUE_TOOL_INTERFACE_H
#define SEGUE_TOOL_INTERFACE_H

#include "cli.h"

/* All of sg_interface_list(); *out is the caller's to free (NULL when it cannot be read). */
size_t interface_read(struct sg_relay *relay, struct sg_interface **out);

#endif
