// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "ops/rooms.h"

static int subscriber_add(struct control_request *request)
{
	bool replace = json_is_true(json_object_get(request->body, "replace"));
	struct str aor, password;
	int ret = control_text(request, "aor", &aor);

	if (!ret)
		ret = control_text(request, "password", &password);
	if (!ret)
		ret = registrar_subscriber_add(rooms_of(request)->registrar, aor, password, replace,
					       request->err);
	if (ret == -EEXIST)
		error_set(request->err, ret,
			  "%.*s is there already: --replace gives it another password",
			  (int)(aor.n < 128 ? aor.n : 128), aor.p);
	if (!ret)
		request->data = json_pack("{s:o}", "aor", rooms_text(aor));
	return ret;
}

static int subscriber_del(struct control_request *request)
{
	struct str aor;
	size_t removed;
	int ret = control_text(request, "aor", &aor);

	if (!ret)
		ret = registrar_subscriber_delete(rooms_of(request)->registrar, aor, request->err);
	if (ret)
		return ret;
	/* Nor may it be reached by what it registered before. */
	removed = location_remove(rooms_of(request)->location, aor, STR_NONE);
	request->data = json_pack("{s:o, s:I}", "aor", rooms_text(aor), "registrations_removed",
				  (json_int_t)removed);
	return 0;
}

struct listing {
	const struct rooms *rooms;
	json_t *rows;
};

static int add_row(void *context, struct str aor)
{
	const struct binding *found[LOCATION_BINDINGS];
	struct listing *listing = context;
	size_t count = location_lookup(listing->rooms->location, aor, found, LOCATION_BINDINGS);

	return json_array_append_new(listing->rows, json_pack("{s:o, s:I}", "aor", rooms_text(aor),
							      "registrations", (json_int_t)count));
}

static int subscriber_list(struct control_request *request)
{
	struct listing listing = {.rooms = rooms_of(request), .rows = json_array()};

	registrar_subscriber_each(listing.rooms->registrar, add_row, &listing);
	request->data = listing.rows;
	return 0;
}

const struct control_command subscriber_commands[] = {
	{"subscriber", "add", subscriber_add},
	{"subscriber", "list", subscriber_list},
	{"subscriber", "del", subscriber_del},
	{0},
};
