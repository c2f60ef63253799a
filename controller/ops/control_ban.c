// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "ops/rooms.h"

#define LIST_MAX 10000u /* rows of one answer; `total` says how many there are */
#define SECONDS_MAX (3650u * 86400u)

struct listing {
	json_t *rows;
	uint64_t now_ns;
};

static json_t *left_json(const struct listing *listing, const struct sg_ban_info *ban)
{
	if (ban->until_ns == SG_BAN_FOREVER)
		return json_null();
	return json_integer((json_int_t)((ban->until_ns - listing->now_ns) / 1000000));
}

static void add_row(void *context, const struct sg_ban_info *ban)
{
	struct listing *listing = context;
	char text[SG_ENDPOINT_STRLEN];

	if (json_array_size(listing->rows) >= LIST_MAX || ban->until_ns <= listing->now_ns)
		return;
	sg_address_format(ban->addr, text);
	json_array_append_new(
		listing->rows,
		json_pack("{s:o, s:s, s:o, s:I, s:I}", "source",
			  json_sprintf("%s%s", text, sg_address_is_ipv4(ban->addr) ? "" : "/64"),
			  "cause", ban->cause, "expires_ms", left_json(listing, ban), "since_ms",
			  (json_int_t)((listing->now_ns - ban->since_ns) / 1000000), "dropped",
			  (json_int_t)ban->dropped));
}

static int ban_list(struct control_request *request)
{
	struct listing listing = {json_array(), wheel_now_ms() * 1000000};
	int total = media_bans(rooms_of(request)->media, add_row, &listing);

	if (total < 0) {
		json_decref(listing.rows);
		return error_set(request->err, total, "cannot read the bans: %s", strerror(-total));
	}
	request->data = json_pack("{s:o, s:i}", "bans", listing.rows, "total", total);
	return 0;
}

/* An address, or "ADDRESS/64" as the list writes it. */
static int source_of(struct control_request *request, struct netaddr *source)
{
	struct str text, host, bits;
	int ret = control_text(request, "source", &text);

	if (ret)
		return ret;
	bits = text;
	if (!str_split(&bits, '/', &host) || netaddr_parse_host(source, host, 0) ||
	    (host.n < text.n && (netaddr_is_ipv4(source) || !str_eq(bits, STR("64")))))
		return error_set(
			request->err, -EINVAL,
			"'%.*s' is no IPv4 or IPv6 address; a ban is of an IPv4 address, or "
			"of the /64 of an IPv6 one",
			(int)(text.n < 64 ? text.n : 64), text.p);
	return 0;
}

static int answer(struct control_request *request, const struct netaddr *source)
{
	char text[NETADDR_STRLEN];

	request->data = json_pack("{s:s}", "source", netaddr_format_host(source, text));
	return 0;
}

static int ban_add(struct control_request *request)
{
	const json_t *seconds = json_object_get(request->body, "seconds");
	json_int_t value = json_integer_value(seconds);
	struct netaddr source;
	int ret = source_of(request, &source);

	if (!ret && seconds && (!json_is_integer(seconds) || value < 1 || value > SECONDS_MAX))
		ret = error_set(request->err, -EINVAL, "seconds: a number from 1 to %u",
				SECONDS_MAX);
	if (!ret)
		ret = guard_ban(rooms_of(request)->guard, &source,
				seconds ? (uint64_t)value * 1000 : UINT64_MAX, request->err);
	return ret ? ret : answer(request, &source);
}

static int ban_del(struct control_request *request)
{
	struct netaddr source;
	int ret = source_of(request, &source);

	if (!ret)
		ret = guard_unban(rooms_of(request)->guard, &source, request->err);
	return ret ? ret : answer(request, &source);
}

const struct control_command ban_commands[] = {
	{"ban", "list", ban_list},
	{"ban", "add", ban_add},
	{"ban", "del", ban_del},
	{0},
};
