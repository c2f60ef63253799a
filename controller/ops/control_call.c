// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "ops/rooms.h"

static int call_list(struct control_request *request)
{
	struct calls *calls = rooms_of(request)->calls;
	bool ended = json_is_true(json_object_get(request->body, "ended"));
	size_t most;
	int ret = control_count_optional(request, "most", &most);

	if (!ret)
		request->data = ended ? calls_list_ended(calls, most) : calls_list(calls, most);
	return ret;
}

static int call_show(struct control_request *request)
{
	struct str id;
	int ret = control_text(request, "id", &id);

	if (ret)
		return ret;
	request->data = calls_show(rooms_of(request)->calls, id);
	return request->data ? 0 : rooms_no_such_call(request, id);
}

static int call_end(struct control_request *request)
{
	struct str id, reason;
	int ret = control_text(request, "id", &id);

	if (!ret)
		ret = control_text_optional(request, "reason", &reason);
	if (ret)
		return ret;
	ret = calls_end(rooms_of(request)->calls, id,
			reason.n ? reason : STR("ended by the operator"));
	if (ret == -ENOENT)
		return rooms_no_such_call(request, id);
	if (!ret)
		request->data = json_pack("{s:o}", "id", rooms_text(id));
	return ret;
}

const struct control_command call_commands[] = {
	{"call", "list", call_list},
	{"call", "show", call_show},
	{"call", "end", call_end},
	{0},
};
