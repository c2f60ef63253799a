/* SPDX-License-Identifier: BSD-2-Clause */
/* segue map list|show */
#include <stdlib.h>
#include <string.h>

#include "view.h"

static const struct column columns[] = {
	{"NAME", "name", CELL_PLAIN},
	{"TYPE", "type", CELL_PLAIN},
	{"ID", "id", CELL_PLAIN},
	{"KEY", "key_size", CELL_PLAIN},
	{"VALUE", "value_size", CELL_PLAIN},
	{"ENTRIES", "max_entries", CELL_PLAIN},
	{"MEMORY", "memory", CELL_BYTES},
	{"PIN", "pin", CELL_PLAIN},
	{NULL, NULL, CELL_PLAIN},
};

static json_t *view_map(const struct sg_map_info *map)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "name", map->name, "type",
			 map->type, "id", (json_int_t)map->id, "key_size",
			 (json_int_t)map->key_size, "value_size", (json_int_t)map->value_size,
			 "max_entries", (json_int_t)map->max_entries, "memory",
			 map->memory ? json_integer((json_int_t)map->memory) : json_null(), "pin",
			 output_optional(map->pin));
}

static int read_maps(struct cli *cli, struct sg_map_info **out, size_t *count)
{
	int total = sg_map_list(cli->relay, NULL, 0);
	int got;

	if (total < 0)
		return output_error(&cli->out, EXIT_FAILED, "maps: %s", strerror(-total));
	*out = cli_alloc((size_t)total * sizeof(**out));
	got = sg_map_list(cli->relay, *out, (size_t)total);
	*count = (size_t)(got < 0 ? 0 : got < total ? got : total);
	return EXIT_OK;
}

static int map_list(struct cli *cli)
{
	struct sg_map_info *maps = NULL;
	size_t count = 0;
	int code = read_maps(cli, &maps, &count);

	if (code != EXIT_OK)
		return code;
	output_list_begin(&cli->out, columns);
	for (size_t i = 0; i < count; i++)
		output_list_row(&cli->out, view_map(&maps[i]));
	output_list_end(&cli->out);
	free(maps);
	return EXIT_OK;
}

/* The layout version at the end of a name need not be typed. */
static bool is_called(const struct sg_map_info *map, const char *name)
{
	size_t length = strlen(name);

	return strncmp(map->name, name, length) == 0 &&
	       (!map->name[length] || !strcmp(map->name + length, "_" SG_MAP_VERSION));
}

static void map_text(const struct output *out, const json_t *data)
{
	text_fields(out, columns, data);
}

static int map_show(struct cli *cli)
{
	struct sg_map_info *maps = NULL;
	json_t *found = NULL;
	size_t count = 0;
	int code = read_maps(cli, &maps, &count);

	if (code != EXIT_OK)
		return code;
	for (size_t i = 0; i < count && !found; i++) {
		if (is_called(&maps[i], cli->operand[0]))
			found = view_map(&maps[i]);
	}
	free(maps);
	if (!found)
		return output_error(&cli->out, EXIT_NOT_FOUND,
				    "no map is named '%s': `segue map list` shows them",
				    cli->operand[0]);
	output_data(&cli->out, found, map_text);
	return EXIT_OK;
}

static const struct command commands[] = {
	{
		.name = "list",
		.operands = "",
		.help = "Lists the maps, their sizes and their memory.",
		.run = map_list,
		.access = ACCESS_READ,
		.repeats = true,
	},
	{
		.name = "show",
		.operands = "NAME",
		.help = "Shows one map.",
		.run = map_show,
		OPERANDS(1, 1),
		.access = ACCESS_READ,
		.repeats = true,
	},
};

const struct object map_object = {
	.name = "map",
	.help = "the pinned maps",
	OBJECT_COMMANDS(commands),
};
