// SPDX-License-Identifier: BSD-2-Clause
/* Records of calls that are over: the newest ones of the store. */
#include <errno.h>

#include "ops/rooms.h"
#include "store/lines.h"

#define LIST_MAX 1000u /* rows: they are read from a disk between two packets */

/* As it stands in the file of CDRs. */
static int add_row(void *context, const struct store_cdr *cdr)
{
	struct buf text = BUF_EMPTY;
	json_t *rows = context;

	lines_format(&text, cdr);
	if (!buf_error(&text))
		json_array_append_new(rows, json_loadb(text.data, text.len, 0, NULL));
	buf_free(&text);
	return 0;
}

static int cdr_list(struct control_request *request)
{
	size_t most;
	int ret = control_count_optional(request, "most", &most);

	if (ret)
		return ret;
	if (!most || most > LIST_MAX)
		most = LIST_MAX;
	request->data = json_array();
	return store_cdrs(rooms_of(request)->store, STR_NONE, most, add_row, request->data,
			  request->err);
}

static int cdr_show(struct control_request *request)
{
	json_t *rows = json_array();
	struct str id;
	int ret = control_text(request, "id", &id);

	if (!ret)
		ret = store_cdrs(rooms_of(request)->store, id, 1, add_row, rows, request->err);
	if (!ret && !json_array_size(rows))
		ret = error_set(request->err, -ENOENT,
				"none of the newest 20000 CDRs is of the call '%.*s'",
				(int)(id.n < 64 ? id.n : 64), id.p);
	if (!ret)
		request->data = json_incref(json_array_get(rows, 0));
	json_decref(rows);
	return ret;
}

const struct control_command cdr_commands[] = {
	{"cdr", "list", cdr_list},
	{"cdr", "show", cdr_show},
	{0},
};
