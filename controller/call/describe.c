// SPDX-License-Identifier: BSD-2-Clause
/* A call as an operator sees it: JSON for list and show. */
#include "call/handover.h"
#include "call/newest.h"

#include <errno.h>
#include <stdlib.h>

static const char *state_name(const struct call *call)
{
	switch (call->state) {
	case CALL_SETUP:
		return "setup";
	case CALL_UP:
		return call->subscription ? "subscription" : "established";
	case CALL_OVER:
		break;
	}
	return "ended";
}

/* Text of the network: what is no UTF-8 would be no JSON. */
static json_t *text_of(struct str text)
{
	json_t *value = text.p ? json_stringn(text.p, text.n) : json_null();

	return value ? value : json_string("(not UTF-8)");
}

static json_t *address_of(const struct netaddr *address)
{
	char text[NETADDR_STRLEN];

	return json_string(netaddr_format(address, text));
}

static json_int_t us_of(uint64_t ns)
{
	return (json_int_t)(ns / 1000u);
}

static void add_head(json_t *object, struct call *call)
{
	json_object_set_new(object, "id", json_string(call->id));
	json_object_set_new(object, "state", json_string(state_name(call)));
	json_object_set_new(object, "caller", text_of(str_of(call->from)));
	json_object_set_new(object, "callee", text_of(str_of(call->to)));
	json_object_set_new(
		object, "age_ms",
		json_integer((json_int_t)((call_now_ns(call) - call->started_ns) / 1000000u)));
	json_object_set_new(object, "started_us", json_integer(us_of(call->started_ns)));
	json_object_set_new(object, "answered_us", json_integer(us_of(call->answered_ns)));
	json_object_set_new(object, "streams", json_integer((json_int_t)call->streams));
	json_object_set_new(object, "legs",
			    json_integer((json_int_t)call->side[SG_SIDE_A].count +
					 (json_int_t)call->side[SG_SIDE_B].count));
	json_object_set_new(object, "handovers", json_integer(call->handovers));
	json_object_set_new(object, "anchored", json_boolean(!call->assisted));
}

static void append_head(json_t *list, struct call *call)
{
	json_t *object = json_object();

	if (object)
		add_head(object, call);
	json_array_append_new(list, object);
}

static int append_newest(json_t *list, struct calls *calls, size_t most)
{
	struct hash_node *node = NULL;
	struct newest newest;
	size_t cursor = 0;
	struct call *call;

	if (newest_init(&newest, most))
		return -ENOMEM;
	while ((node = hash_walk(&calls->by_id, &cursor, node ? node->next : NULL))) {
		call = container_of(node, struct call, node);
		newest_add(&newest, call, call->started_ns);
	}
	for (size_t i = 0; i < newest.count; i++)
		append_head(list, newest.item[i].what);
	newest_free(&newest);
	return 0;
}

json_t *calls_list(struct calls *calls, size_t most)
{
	json_t *list = json_array();
	struct hash_node *node = NULL;
	size_t cursor = 0;

	if (list && most) {
		if (!append_newest(list, calls, most))
			return list;
		json_decref(list);
		return NULL;
	}
	while (list && (node = hash_walk(&calls->by_id, &cursor, node ? node->next : NULL)))
		append_head(list, container_of(node, struct call, node));
	return list;
}

/* ---- legs
 * ---------------------------------------------------------------------------------------- */

static json_t *leg_of(const struct leg *leg)
{
	const struct sip_dialog *dialog = leg->dialog;
	json_t *object = json_object();

	if (!object)
		return NULL;
	json_object_set_new(object, "side", json_string(leg->side == SG_SIDE_A ? "a" : "b"));
	json_object_set_new(object, "leg", json_integer(leg->story_leg));
	json_object_set_new(object, "main", json_boolean(leg->call->side[leg->side].main == leg));
	json_object_set_new(object, "standby", json_boolean(leg->standby));
	json_object_set_new(object, "user", text_of(str_of(leg->user)));
	json_object_set_new(object, "trunk", text_of(str_of(leg->trunk)));
	json_object_set_new(object, "call_id", text_of(str_of(dialog->call_id)));
	json_object_set_new(object, "local_tag", text_of(str_of(dialog->local_tag)));
	json_object_set_new(object, "remote_tag", text_of(str_of(dialog->remote_tag)));
	json_object_set_new(object, "target", text_of(str_of(dialog->target)));
	json_object_set_new(object, "proto", json_string(sip_proto_name(dialog->flow.proto)));
	json_object_set_new(object, "remote", address_of(&dialog->flow.remote));
	json_object_set_new(object, "session_interval_s", json_integer(leg->session.interval_s));
	return object;
}

static json_t *legs_of(const struct call *call)
{
	json_t *list = json_array();

	for (unsigned side = 0; list && side < SG_SIDES; side++) {
		list_for_each(node, after, &call->side[side].legs)
			json_array_append_new(list, leg_of(container_of(node, struct leg, link)));
	}
	return list;
}

/* ---- streams
 * -------------------------------------------------------------------------------------- */

static json_t *path_of(const struct stream *stream, const struct sg_path_info *path)
{
	struct netaddr local = {.port = path->local.port}, remote = {.port = path->remote.port};
	struct media_quality quality;
	json_t *object = json_object();

	if (!object)
		return NULL;
	memcpy(local.addr, path->local.addr, sizeof(local.addr));
	memcpy(remote.addr, path->remote.addr, sizeof(remote.addr));
	media_quality(&quality, path, stream->encoding);
	json_object_set_new(object, "side", json_string(path->side == SG_SIDE_A ? "a" : "b"));
	json_object_set_new(object, "slot", json_integer(path->slot));
	json_object_set_new(object, "local", address_of(&local));
	json_object_set_new(object, "remote", address_of(&remote));
	json_object_set_new(object, "send", json_boolean(path->send));
	json_object_set_new(object, "listen", json_boolean(path->listen));
	json_object_set_new(object, "packets", json_integer((json_int_t)path->packets));
	json_object_set_new(object, "octets", json_integer((json_int_t)path->octets));
	json_object_set_new(object, "duplicates", json_integer((json_int_t)path->duplicates));
	json_object_set_new(object, "late", json_integer((json_int_t)path->late));
	json_object_set_new(object, "lost", json_integer((json_int_t)path->lost));
	json_object_set_new(object, "jitter_ms", json_real(path->jitter_ms));
	json_object_set_new(object, "mos", json_real(quality.mos));
	return object;
}

static const char *direction_name(enum sg_direction direction)
{
	switch (direction) {
	case SG_DIRECTION_BOTH:
		return "both";
	case SG_DIRECTION_A_TO_B:
		return "a to b";
	case SG_DIRECTION_B_TO_A:
		return "b to a";
	case SG_DIRECTION_NONE:
		break;
	}
	return "none";
}

static json_t *stream_of(struct stream *stream)
{
	struct sg_stream_info info;
	json_t *object = json_object(), *paths = json_array();

	if (!object || !paths) {
		json_decref(object);
		json_decref(paths);
		return NULL;
	}
	json_object_set_new(object, "encoding", json_string(stream->encoding));
	json_object_set_new(object, "direction", json_string(direction_name(stream->direction)));
	if (stream->media && !media_info(stream->media, &info)) {
		json_object_set_new(object, "name", json_string(media_name(stream->media)));
		json_object_set_new(object, "number", json_integer(media_number(stream->media)));
		for (size_t i = 0; i < info.paths; i++)
			json_array_append_new(paths, path_of(stream, &info.path[i]));
	}
	json_object_set_new(object, "paths", paths);
	return object;
}

static json_t *streams_of(struct call *call)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < call->streams; i++)
		json_array_append_new(list, stream_of(&call->stream[i]));
	return list;
}

/* ---- from outside
 * --------------------------------------------------------------------------------- */

json_t *calls_list_ended(struct calls *calls, size_t most)
{
	return stories_list(calls->stories, most);
}

json_t *calls_show(struct calls *calls, struct str id)
{
	struct call *call = call_find(calls, id);
	json_t *object = call ? json_object() : stories_show(calls->stories, id);

	if (!object || !call)
		return object;
	add_head(object, call);
	json_object_set_new(object, "legs", legs_of(call));
	json_object_set_new(object, "streams", streams_of(call));
	json_object_set_new(object, "handover_reports", handover_reports(call));
	story_describe(call->story, object);
	return object;
}
