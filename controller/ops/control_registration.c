// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "ops/rooms.h"

#define LIST_MAX 100000u /* rows of one answer; `left` says how many more there are */

static json_t *flow_json(const struct sip_flow *flow)
{
	char text[NETADDR_STRLEN];

	return json_sprintf("%s:%s", sip_proto_parameter(flow->proto),
			    netaddr_format(&flow->remote, text));
}

static json_t *binding_json(struct str aor, const struct binding *binding)
{
	uint64_t now = wheel_now_ms();
	uint64_t left = binding->expires_ms > now ? binding->expires_ms - now : 0;

	return json_pack(
		"{s:o, s:o, s:f, s:o, s:i, s:f, s:o, s:o, s:I, s:I}", "aor", rooms_text(aor),
		"contact", rooms_text(str_of(binding->contact)), "q", (double)binding->q / 1000,
		"instance", rooms_text(str_of(binding->instance)), "reg_id", (int)binding->reg_id,
		"if_q", (double)binding->if_q / 1000, "path", rooms_text(str_of(binding->path)),
		"from", flow_json(&binding->flow), "expires_ms", (json_int_t)left, "changed_ms",
		(json_int_t)(now - binding->changed_ms));
}

struct listing {
	json_t *rows;
	struct str aor; /* empty: all */
	size_t most;	/* rows */
};

static int add_row(void *context, struct str aor, const struct binding *binding)
{
	struct listing *listing = context;

	if (listing->aor.n && !str_eq(listing->aor, aor))
		return 0;
	json_array_append_new(listing->rows, binding_json(aor, binding));
	return json_array_size(listing->rows) >= listing->most;
}

/* One user's are found by a look-up, not by a walk. */
static void list_one(struct location *location, struct listing *listing)
{
	const struct binding *found[LOCATION_BINDINGS];
	size_t count = location_lookup(location, listing->aor, found, LOCATION_BINDINGS);

	for (size_t i = 0; i < count && i < LOCATION_BINDINGS; i++)
		add_row(listing, listing->aor, found[i]);
}

static int registration_list(struct control_request *request)
{
	struct location *location = rooms_of(request)->location;
	struct listing listing = {.rows = json_array()};
	size_t total;
	int ret = control_text_optional(request, "aor", &listing.aor);

	if (!ret)
		ret = control_count_optional(request, "most", &listing.most);
	if (!listing.most || listing.most > LIST_MAX)
		listing.most = LIST_MAX;
	if (!ret && listing.aor.n)
		list_one(location, &listing);
	else if (!ret)
		location_each(location, add_row, &listing);
	total = listing.aor.n ? json_array_size(listing.rows) : location_count(location);
	request->data =
		json_pack("{s:o, s:I}", "registrations", listing.rows, "total", (json_int_t)total);
	return ret;
}

static int registration_del(struct control_request *request)
{
	struct str aor, contact;
	size_t removed;
	int ret = control_text(request, "aor", &aor);

	if (!ret)
		ret = control_text_optional(request, "contact", &contact);
	if (ret)
		return ret;
	removed = location_remove(rooms_of(request)->location, aor, contact);
	if (!removed)
		return error_set(request->err, -ENOENT, "'%.*s' has no such registration",
				 (int)(aor.n < 128 ? aor.n : 128), aor.p);
	request->data =
		json_pack("{s:o, s:I}", "aor", rooms_text(aor), "removed", (json_int_t)removed);
	return 0;
}

const struct control_command registration_commands[] = {
	{"registration", "list", registration_list},
	{"registration", "del", registration_del},
	{0},
};
