// SPDX-License-Identifier: BSD-2-Clause
/* Records of calls that are over: the newest ones of the store. */
#include <errno.h>

#include "ops/json_memory.h"
#include "ops/rooms.h"
#include "store/lines.h"

#define LIST_MAX 1000u /* rows: they are read from a disk between two packets */

struct listing {
	json_t *rows;
	int ret; /* -ENOMEM: not all of them are there */
};

/* A copy of what was read, whose memory goes. */
static int append(json_t *rows, const struct buf *line)
{
	struct json_memory_text text;
	int ret = json_memory_read(&text, line->data, line->len, NULL);

	if (!ret && json_array_append_new(rows, json_deep_copy(text.value)))
		ret = -ENOMEM;
	json_memory_forget(&text);
	return ret;
}

/* As it stands in the file of CDRs. One that somebody else wrote, and is no JSON, is passed over.
 */
static int add_row(void *context, const struct store_cdr *cdr)
{
	struct listing *listing = context;
	struct buf line = BUF_EMPTY;
	int ret;

	lines_format(&line, cdr);
	ret = buf_error(&line);
	if (!ret)
		ret = append(listing->rows, &line);
	buf_free(&line);
	if (ret == -ENOMEM)
		listing->ret = ret;
	return listing->ret;
}

static int list(struct control_request *request, struct str id, size_t most, json_t **rows)
{
	struct listing listing = {.rows = json_array()};
	int ret = store_cdrs(rooms_of(request)->store, id, most, add_row, &listing, request->err);

	*rows = listing.rows;
	return ret ? ret : listing.ret;
}

static int cdr_list(struct control_request *request)
{
	size_t most;
	int ret = control_count_optional(request, "most", &most);

	if (ret)
		return ret;
	if (!most || most > LIST_MAX)
		most = LIST_MAX;
	return list(request, STR_NONE, most, &request->data);
}

static int cdr_show(struct control_request *request)
{
	json_t *rows = NULL;
	struct str id;
	int ret = control_text(request, "id", &id);

	if (!ret)
		ret = list(request, id, 1, &rows);
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
