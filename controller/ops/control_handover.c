// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "ops/rooms.h"

static int handover_list(struct control_request *request)
{
	size_t most;
	int ret = control_count_optional(request, "most", &most);

	if (!ret)
		request->data = calls_handovers(rooms_of(request)->calls, most);
	return ret;
}

static int handover_show(struct control_request *request)
{
	struct str id;
	int ret = control_text(request, "id", &id);

	if (ret)
		return ret;
	if (!id.n)
		return rooms_no_such_call(request, id);
	request->data = calls_handovers_of(rooms_of(request)->calls, id);
	return request->data ? 0 : rooms_no_such_call(request, id);
}

static int handover_start(struct control_request *request)
{
	struct str id;
	int ret = control_text(request, "id", &id);

	if (ret)
		return ret;
	ret = calls_handover_start(rooms_of(request)->calls, id);
	if (ret == -ENOENT)
		return rooms_no_such_call(request, id);
	if (ret == -ESRCH)
		return error_set(request->err, ret,
				 "no party of that call is registered from a second network: "
				 "`segue registration list` shows who is registered from where");
	if (ret == -EBUSY)
		return error_set(request->err, ret,
				 "something else changes in that call now: try again");
	if (ret)
		return error_set(request->err, ret, "the other network could not be asked: %s",
				 strerror(-ret));
	request->data = json_pack("{s:o}", "id", rooms_text(id));
	return 0;
}

static int end(struct control_request *request, bool keep_new)
{
	struct str id;
	int ret = control_text(request, "id", &id);

	if (ret)
		return ret;
	ret = calls_handover_end(rooms_of(request)->calls, id, keep_new);
	if (ret == -ENOENT)
		return rooms_no_such_call(request, id);
	if (ret == -EAGAIN)
		return error_set(request->err, ret,
				 "no handover runs in that call: `segue handover list` shows them");
	if (!ret)
		request->data = json_pack("{s:o}", "id", rooms_text(id));
	return ret;
}

static int handover_finish_command(struct control_request *request)
{
	return end(request, true);
}

static int handover_abort_command(struct control_request *request)
{
	return end(request, false);
}

const struct control_command handover_commands[] = {
	{"handover", "list", handover_list},
	{"handover", "show", handover_show},
	{"handover", "start", handover_start},
	{"handover", "finish", handover_finish_command},
	{"handover", "abort", handover_abort_command},
	{0},
};
