/* SPDX-License-Identifier: BSD-2-Clause */
#include <net/if.h>

#include "values.h"
#include "view.h"

const struct column view_path_columns[] = {
	{"SIDE", "side", CELL_PLAIN},
	{"INDEX", "index", CELL_PLAIN},
	{"STATE", "state", CELL_PLAIN},
	{"LOCAL", "local", CELL_PLAIN},
	{"REMOTE", "remote", CELL_PLAIN},
	{"SEND", "send", CELL_YES_NO},
	{"LISTEN", "listen", CELL_YES_NO},
	{"ACTIVE", "active", CELL_YES_NO},
	{"PACKETS", "packets", CELL_PLAIN},
	{"SENT", "sent_packets", CELL_PLAIN},
	{"DUPLICATES", "duplicates", CELL_PLAIN},
	{"LATE", "late", CELL_PLAIN},
	{"LOST", "lost", CELL_PLAIN},
	{"JITTER ms", "jitter_ms", CELL_PLAIN},
	{"LAST", "last_packet_ms", CELL_DURATION},
	{NULL, NULL, CELL_PLAIN},
};

const struct column view_stream_row_columns[] = {
	{"NAME", "name", CELL_PLAIN},
	{"ID", "id", CELL_PLAIN},
	{"DIRECTION", "direction", CELL_PLAIN},
	{"AGE", "age_ms", CELL_DURATION},
	{"A PATHS", "a.paths", CELL_PLAIN},
	{"A PACKETS", "a.packets", CELL_PLAIN},
	{"B PATHS", "b.paths", CELL_PLAIN},
	{"B PACKETS", "b.packets", CELL_PLAIN},
	{"DUPLICATES", "duplicates", CELL_PLAIN},
	{"LOST", "lost", CELL_PLAIN},
	{NULL, NULL, CELL_PLAIN},
};

static const struct column stream_columns[] = {
	{"name", "name", CELL_PLAIN},
	{"id", "id", CELL_PLAIN},
	{"generation", "generation", CELL_PLAIN},
	{"direction", "direction", CELL_PLAIN},
	{"RTCP muxed", "rtcp_mux", CELL_PLAIN},
	{"opaque", "opaque", CELL_PLAIN},
	{"clock Hz", "clock_hz", CELL_PLAIN},
	{"age", "age_ms", CELL_DURATION},
	{"route version", "route.version", CELL_PLAIN},
	{NULL, NULL, CELL_PLAIN},
};

static const struct column dropped_columns[] = {
	{"SIDE", "side", CELL_PLAIN},	   {"INDEX", "index", CELL_PLAIN},
	{"DROPPED", "reason", CELL_PLAIN}, {"COUNT", "count", CELL_PLAIN},
	{NULL, NULL, CELL_PLAIN},
};

json_t *view_endpoint(const struct sg_endpoint *endpoint)
{
	char text[SG_ENDPOINT_STRLEN];

	return json_string(sg_endpoint_format(endpoint, text));
}

json_t *view_address(const uint8_t addr[16])
{
	char text[SG_ENDPOINT_STRLEN];

	return json_string(sg_address_format(addr, text));
}

json_t *view_interface(uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	return output_optional(if_indextoname(ifindex, name));
}

const char *view_path_state(enum sg_path_state state)
{
	static const char *const name[] = {"free", "live", "draining", "resting"};

	return state <= SG_PATH_RESTING ? name[state] : "?";
}

static json_t *view_dropped(const struct sg_path_info *path)
{
	json_t *dropped = json_object();

	for (unsigned i = SG_NONE + 1; i < SG_STAT_REASONS; i++) {
		const char *name = sg_reason_name((enum sg_reason)i);

		if (name)
			json_object_set_new(dropped, name,
					    json_integer((json_int_t)path->dropped[i]));
	}
	return dropped;
}

json_t *view_path(const struct sg_path_info *path)
{
	json_t *view = json_pack("{s:s, s:i, s:s, s:o, s:o, s:i, s:i, s:b, s:b, s:b}", "side",
				 side_name(path->side), "index", (int)path->slot, "state",
				 view_path_state(path->state), "local", view_endpoint(&path->local),
				 "remote", view_endpoint(&path->remote), "local_rtcp_port",
				 (int)path->local_rtcp_port, "remote_rtcp_port",
				 (int)path->remote_rtcp_port, "send", path->send, "listen",
				 path->listen, "active", path->active);
	json_t *counters = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:I}", "packets",
		(json_int_t)path->packets, "octets", (json_int_t)path->octets, "sent_packets",
		(json_int_t)path->sent_packets, "sent_octets", (json_int_t)path->sent_octets,
		"rtcp_packets", (json_int_t)path->rtcp_packets, "duplicates",
		(json_int_t)path->duplicates, "late", (json_int_t)path->late, "lost",
		(json_int_t)path->lost, "jitter_ms", path->jitter_ms, "first_packet_ms",
		cli_since_ms(path->first_packet_ns), "last_packet_ms",
		cli_since_ms(path->last_packet_ns), "ssrc", (json_int_t)path->ssrc);
	json_t *rest = json_pack(
		"{s:o, s:o, s:b, s:i, s:I, s:b}", "dropped", view_dropped(path), "dscp",
		path->dscp == SG_DSCP_KEEP ? json_string("keep") : json_integer(path->dscp),
		"learn", path->learn, "mtu", (int)path->mtu, "nexthop", (json_int_t)path->nexthop,
		"nexthop_usable", path->nexthop_usable);

	json_object_update(view, counters);
	json_object_update(view, rest);
	json_decref(counters);
	json_decref(rest);
	return view;
}

static json_t *view_mask(uint32_t mask)
{
	json_t *slots = json_array();

	for (unsigned i = 0; i < SG_PATH_SLOTS; i++) {
		if (mask & 1u << i)
			json_array_append_new(slots, json_integer(i));
	}
	return slots;
}

static json_t *view_route_side(uint64_t route, enum sg_side side)
{
	return json_pack("{s:o, s:o, s:i}", "send", view_mask(sg_route_send(route, side)), "listen",
			 view_mask(sg_route_listen(route, side)), "active",
			 (int)sg_route_active(route, side));
}

static json_t *view_route(uint64_t route)
{
	return json_pack("{s:i, s:b, s:b, s:o, s:o}", "version",
			 (int)(route >> SG_ROUTE_VERSION_SHIFT), "a_to_b",
			 sg_route_open(route, SG_SIDE_A), "b_to_a", sg_route_open(route, SG_SIDE_B),
			 "a", view_route_side(route, SG_SIDE_A), "b",
			 view_route_side(route, SG_SIDE_B));
}

static json_t *view_stream_head(const struct sg_stream_info *stream)
{
	return json_pack("{s:o, s:I, s:I, s:s, s:b, s:b, s:I, s:o}", "name",
			 output_string(stream->name), "id", (json_int_t)stream->stream,
			 "generation", (json_int_t)stream->generation, "direction",
			 choice_name(direction_choices, (int)stream->direction + 1), "rtcp_mux",
			 stream->rtcp_mux, "opaque", stream->opaque, "clock_hz",
			 (json_int_t)stream->clock_hz, "age_ms", cli_since_ms(stream->created_ns));
}

json_t *view_stream(const struct sg_stream_info *stream)
{
	json_t *view = view_stream_head(stream);
	json_t *paths = json_array();

	for (size_t i = 0; i < stream->paths; i++)
		json_array_append_new(paths, view_path(&stream->path[i]));
	json_object_set_new(view, "route", view_route(stream->route));
	json_object_set_new(view, "paths", paths);
	return view;
}

static json_t *view_side_totals(const struct sg_stream_info *stream, enum sg_side side)
{
	json_int_t packets = 0, octets = 0, sent_packets = 0, sent_octets = 0;
	int paths = 0;

	for (size_t i = 0; i < stream->paths; i++) {
		const struct sg_path_info *path = &stream->path[i];

		if (path->side != side)
			continue;
		paths++;
		packets += (json_int_t)path->packets;
		octets += (json_int_t)path->octets;
		sent_packets += (json_int_t)path->sent_packets;
		sent_octets += (json_int_t)path->sent_octets;
	}
	return json_pack("{s:i, s:I, s:I, s:I, s:I}", "paths", paths, "packets", packets, "octets",
			 octets, "sent_packets", sent_packets, "sent_octets", sent_octets);
}

json_t *view_stream_row(const struct sg_stream_info *stream)
{
	json_t *row = view_stream_head(stream);
	json_int_t duplicates = 0, late = 0, lost = 0;

	for (size_t i = 0; i < stream->paths; i++) {
		duplicates += (json_int_t)stream->path[i].duplicates;
		late += (json_int_t)stream->path[i].late;
		lost += (json_int_t)stream->path[i].lost;
	}
	json_object_set_new(row, "a", view_side_totals(stream, SG_SIDE_A));
	json_object_set_new(row, "b", view_side_totals(stream, SG_SIDE_B));
	json_object_set_new(row, "duplicates", json_integer(duplicates));
	json_object_set_new(row, "late", json_integer(late));
	json_object_set_new(row, "lost", json_integer(lost));
	return row;
}

/* Text shows the reasons that counted something; JSON has them all. */
static json_t *dropped_rows(const json_t *paths)
{
	json_t *rows = json_array();
	const json_t *path, *count;
	const char *reason;
	size_t i;

	json_array_foreach(paths, i, path)
	{
		json_t *dropped = json_object_get(path, "dropped");

		json_object_foreach(dropped, reason, count)
		{
			if (!json_integer_value(count))
				continue;
			json_array_append_new(rows,
					      json_pack("{s:O, s:O, s:s, s:O}", "side",
							json_object_get(path, "side"), "index",
							json_object_get(path, "index"), "reason",
							reason, "count", count));
		}
	}
	return rows;
}

void view_stream_text(const struct output *out, const json_t *data)
{
	const json_t *paths = json_object_get(data, "paths");
	json_t *dropped = dropped_rows(paths);

	text_fields(out, stream_columns, data);
	putchar('\n');
	text_table(out, view_path_columns, paths);
	if (json_array_size(dropped)) {
		putchar('\n');
		text_table(out, dropped_columns, dropped);
	}
	json_decref(dropped);
}
