// SPDX-License-Identifier: BSD-2-Clause
#include <unistd.h>

#include "ops/rooms.h"

static json_t *listeners(const struct config *config)
{
	char text[NETADDR_STRLEN];
	json_t *list = json_array();

	for (size_t i = 0; i < config->listens; i++)
		json_array_append_new(
			list, json_sprintf("%s:%s", sip_proto_parameter(config->listen[i].proto),
					   netaddr_format(&config->listen[i].at, text)));
	return list;
}

static json_t *sip_json(const struct rooms *rooms)
{
	struct sip_stack_stats stats;
	struct limit_stats limit;

	sip_stack_stats(rooms->stack, &stats);
	limit_stats(rooms->limit, &limit);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "received",
			 (json_int_t)stats.received, "refused", (json_int_t)stats.refused,
			 "limited", (json_int_t)limit.refused, "sent", (json_int_t)stats.sent,
			 "retransmitted_in", (json_int_t)stats.retransmitted_in,
			 "retransmitted_out", (json_int_t)stats.retransmitted_out,
			 "server_transactions", (json_int_t)stats.server_transactions,
			 "client_transactions", (json_int_t)stats.client_transactions, "dialogs",
			 (json_int_t)stats.dialogs);
}

static json_t *store_json(struct store *store)
{
	struct store_stats stats;

	store_stats(store, &stats);
	return json_pack("{s:b, s:I, s:I, s:I, s:I}", "healthy", stats.healthy, "written",
			 (json_int_t)stats.written, "failed", (json_int_t)stats.failed, "lost",
			 (json_int_t)stats.lost, "queued", (json_int_t)stats.queued);
}

static int status_show(struct control_request *request)
{
	const struct rooms *rooms = rooms_of(request);

	request->data = json_pack(
		"{s:i, s:I, s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:o}", "pid", (int)getpid(),
		"uptime_ms", (json_int_t)(wheel_now_ms() - rooms->started_ms), "state",
		rooms->draining ? "draining" : "running", "config", rooms->config_file, "listen",
		listeners(rooms->config), "calls", (json_int_t)calls_count(rooms->calls),
		"registrations", (json_int_t)location_count(rooms->location), "media_ports_free",
		(json_int_t)media_ports_free(rooms->media), "sip", sip_json(rooms), "store",
		store_json(rooms->store));
	return 0;
}

const struct control_command status_commands[] = {
	{"status", "show", status_show},
	{0},
};
