// SPDX-License-Identifier: BSD-2-Clause
#include "ops/rooms.h"

#include <errno.h>
#include <stdlib.h>

json_t *rooms_text(struct str text)
{
	json_t *value = json_stringn(text.n ? text.p : "", text.n);
	char *copy;

	if (value)
		return value;
	copy = str_dup(text);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	value = json_string(copy);
	free(copy);
	return value;
}

int rooms_no_such_call(struct control_request *request, struct str id)
{
	return error_set(request->err, -ENOENT,
			 "no call has the id '%.*s': `segue call list` shows them",
			 (int)(id.n < 64 ? id.n : 64), id.p);
}
