// SPDX-License-Identifier: BSD-2-Clause
#include "call/dialog_ids.h"

#include <errno.h>

/* A tag that is there twice, or is empty, names nothing. */
static int take_tag(struct str *tag, struct str value)
{
	if (tag->n || !value.n)
		return -EINVAL;
	*tag = value;
	return 0;
}

static int take_param(struct dialog_ids *out, struct str param)
{
	size_t at = str_index(param, '=');
	struct str name = str_trim((struct str){param.p, at});
	struct str value = STR_NONE;

	if (at < param.n)
		value = str_trim((struct str){param.p + at + 1, param.n - at - 1});
	if (str_case_eq(name, STR("to-tag")))
		return take_tag(&out->to_tag, value);
	if (str_case_eq(name, STR("from-tag")))
		return take_tag(&out->from_tag, value);
	if (str_case_eq(name, STR("early-only")))
		out->early_only = true;
	return 0;
}

int dialog_ids_parse(struct dialog_ids *out, struct str value)
{
	struct dialog_ids ids = {.call_id = STR_NONE};
	struct str rest = value, part;
	int ret = 0;

	if (!str_split(&rest, ';', &part))
		return -EINVAL;
	ids.call_id = str_trim(part);
	/* One dialog to a header: a list would name several. */
	if (!ids.call_id.n || str_index(value, ',') < value.n)
		return -EINVAL;
	while (!ret && str_split(&rest, ';', &part))
		ret = take_param(&ids, part);
	if (ret || !ids.to_tag.n || !ids.from_tag.n)
		return -EINVAL;
	*out = ids;
	return 0;
}

void dialog_ids_write(struct buf *out, const char *name, const struct dialog_ids *ids)
{
	buf_add(out, str_of(name));
	buf_add(out, STR(": "));
	buf_add(out, ids->call_id);
	buf_add(out, STR(";to-tag="));
	buf_add(out, ids->to_tag);
	buf_add(out, STR(";from-tag="));
	buf_add(out, ids->from_tag);
	buf_add(out, ids->early_only ? STR(";early-only\r\n") : STR("\r\n"));
}
