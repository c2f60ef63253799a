/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams and paths as JSON and as text, for every command that shows them. */
#ifndef SEGUE_TOOL_VIEW_H
#define SEGUE_TOOL_VIEW_H

#include "cli.h"

json_t *view_endpoint(const struct sg_endpoint *endpoint);
json_t *view_address(const uint8_t addr[16]);
/* An interface's name, or null if there is none of that index in this namespace. */
json_t *view_interface(uint32_t ifindex);

json_t *view_path(const struct sg_path_info *path);
/* Everything: what `stream show` answers. */
json_t *view_stream(const struct sg_stream_info *stream);
/* One row of `stream list`: totals of each side. */
json_t *view_stream_row(const struct sg_stream_info *stream);
const char *view_path_state(enum sg_path_state state);

extern const struct column view_path_columns[];
extern const struct column view_stream_row_columns[];
output_text_fn view_stream_text; /* of view_stream() */

#endif
