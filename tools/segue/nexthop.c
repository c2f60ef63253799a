/* SPDX-License-Identifier: BSD-2-Clause */
/* segue nexthop list|show */
#include <arpa/inet.h>

#include "view.h"

static const struct column columns[] = {
	{"INDEX", "index", CELL_PLAIN},
	{"GATEWAY", "gateway", CELL_PLAIN},
	{"INTERFACE", "interface", CELL_PLAIN},
	{"VLAN", "vlan", CELL_PLAIN},
	{"DESTINATION", "destination_mac", CELL_PLAIN},
	{"SOURCE", "source_mac", CELL_PLAIN},
	{"MTU", "mtu", CELL_PLAIN},
	{"USABLE", "usable", CELL_PLAIN},
	{"PATHS", "paths", CELL_PLAIN},
	{"CHANGED", "changed_ms", CELL_DURATION},
	{NULL, NULL, CELL_PLAIN},
};

static json_t *view_mac(const uint8_t mac[6])
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return json_string(text);
}

static json_t *view_nexthop(const struct sg_nexthop_info *info)
{
	const struct sg_hop *hop = &info->hop;
	unsigned vlan = ntohs(hop->vlan) & 0xfffu;

	return json_pack(
		"{s:I, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:i, s:b, s:I, s:i, s:o}", "index",
		(json_int_t)info->index, "gateway", view_address(info->gateway), "interface",
		view_interface(hop->ifindex), "ifindex", (json_int_t)hop->ifindex,
		"route_interface", view_interface(info->l3_ifindex), "vlan",
		vlan ? json_integer(vlan) : json_null(), "destination_mac", view_mac(hop->dst),
		"source_mac", view_mac(hop->src), "mtu", (int)hop->mtu, "usable",
		(hop->flags & SG_NEXTHOP_USABLE) != 0, "paths", (json_int_t)info->paths, "nic",
		(int)hop->nic, "changed_ms", cli_since_ms(info->changed_ns));
}

static int nexthop_list(struct cli *cli)
{
	struct sg_nexthop_info info;
	uint32_t cursor = 0;

	output_list_begin(&cli->out, columns);
	while (sg_nexthop_next(cli->relay, &cursor, &info))
		output_list_row(&cli->out, view_nexthop(&info));
	output_list_end(&cli->out);
	return EXIT_OK;
}

static void nexthop_text(const struct output *out, const json_t *data)
{
	text_fields(out, columns, data);
}

struct show_args {
	unsigned index;
};

static int check_show(struct cli *cli)
{
	const struct range range = {1, SG_NEXTHOPS - 1};
	struct show_args *args = cli->args;
	struct sg_error err;

	if (parse_number(cli->operand[0], range, &args->index, &err) < 0)
		return cli_usage_error(cli, "next hop index: %s", err.text);
	return EXIT_OK;
}

static int nexthop_show(struct cli *cli)
{
	unsigned wanted = ((const struct show_args *)cli->args)->index;
	struct sg_nexthop_info info;
	uint32_t cursor = 0;

	while (sg_nexthop_next(cli->relay, &cursor, &info)) {
		if (info.index != wanted)
			continue;
		output_data(&cli->out, view_nexthop(&info), nexthop_text);
		return EXIT_OK;
	}
	return output_error(&cli->out, EXIT_NOT_FOUND,
			    "next hop %u is not in use: `segue nexthop list` shows them", wanted);
}

static const struct command commands[] = {
	{
		.name = "list",
		.operands = "",
		.help = "Lists the next hops and how many paths use each.",
		.run = nexthop_list,
		.access = ACCESS_READ,
		.repeats = true,
	},
	{
		.name = "show",
		.operands = "INDEX",
		.help = "Shows one next hop.",
		.check = check_show,
		.run = nexthop_show,
		.args_size = sizeof(struct show_args),
		OPERANDS(1, 1),
		.access = ACCESS_READ,
		.repeats = true,
	},
};

const struct object nexthop_object = {
	.name = "nexthop",
	.help = "a gateway or neighbour",
	OBJECT_COMMANDS(commands),
};
