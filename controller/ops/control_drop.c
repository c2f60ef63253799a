// SPDX-License-Identifier: BSD-2-Clause
/* What the relay did not forward: as `segue drop list` has it, for who has no maps. */
#include <errno.h>

#include "ops/rooms.h"

static int drop_list(struct control_request *request)
{
	struct media_figures media;
	int ret = media_figures(rooms_of(request)->media, &media);

	if (ret)
		return error_set(request->err, ret, "the relay's counters cannot be read: %s",
				 strerror(-ret));
	request->data = json_array();
	for (int i = SG_NONE + 1; i < SG_REASON_COUNT; i++)
		json_array_append_new(request->data,
				      json_pack("{s:s, s:s, s:I, s:s}", "name",
						sg_reason_name((enum sg_reason)i), "fate",
						sg_reason_fate((enum sg_reason)i), "count",
						(json_int_t)media.ended[i], "explanation",
						sg_reason_text((enum sg_reason)i)));
	return 0;
}

const struct control_command drop_commands[] = {
	{"drop", "list", drop_list},
	{0},
};
