/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "values.h"

const struct choice direction_choices[] = {
	{"both", SG_DIRECTION_BOTH + 1},
	{"a-to-b", SG_DIRECTION_A_TO_B + 1},
	{"b-to-a", SG_DIRECTION_B_TO_A + 1},
	{"none", SG_DIRECTION_NONE + 1},
	{NULL, 0},
};

const struct choice toggle_choices[] = {{"on", SG_ON}, {"off", SG_OFF}, {NULL, 0}};

static const struct choice side_choices[] = {{"a", 1}, {"b", 2}, {"both", 3}, {NULL, 0}};

const struct range learn_range = {1, 3600};
const struct range resolve_range = {1, 60000};
const struct range clock_range = {1, 1000000};

int parse_endpoints(const char *text, struct endpoints *out, struct sg_error *err)
{
	const char *equals = strchr(text, '=');
	struct sg_error why = {""};
	char local[96];

	if (!equals || (size_t)(equals - text) >= sizeof(local))
		return option_error(err, "'%s' is not LOCAL:PORT=REMOTE:PORT", text);
	memcpy(local, text, (size_t)(equals - text));
	local[equals - text] = 0;
	if (sg_endpoint_parse(&out->local, local, &why) < 0)
		return option_error(err, "local %.250s", why.text);
	if (sg_endpoint_parse(&out->remote, equals + 1, &why) < 0)
		return option_error(err, "remote %.250s", why.text);
	out->set = true;
	return 0;
}

int option_endpoints(const struct option *option, const char *text, void *field,
		     struct sg_error *err)
{
	(void)option;
	return parse_endpoints(text, field, err);
}

int option_dscp(const struct option *option, const char *text, void *field, struct sg_error *err)
{
	struct dscp *dscp = field;
	unsigned value = 0;

	(void)option;
	dscp->set = strcmp(text, "keep") != 0;
	if (dscp->set && parse_number(text, (struct range){0, 63}, &value, err) < 0)
		return option_error(err, "'%s' is neither 'keep' nor a number from 0 to 63", text);
	dscp->value = (uint8_t)value;
	return 0;
}

static int parse_bits(const char *text, unsigned *bits, struct sg_error *err)
{
	return parse_number(text, (struct range){1, 128}, bits, err);
}

int option_learn(const struct option *option, const char *text, void *field, struct sg_error *err)
{
	const char *equals = strchr(text, '=');
	struct learn *learn = field;
	unsigned bits = 0;
	char side[8];
	int sides = 0;

	(void)option;
	snprintf(side, sizeof(side), "%.*s", equals ? (int)(equals - text) : 7, text);
	for (const struct choice *c = side_choices; c->name; c++) {
		if (strcmp(c->name, side) == 0)
			sides = c->value;
	}
	if (!sides)
		return option_error(err, "'%s' is not a, b or both, with =BITS or without", text);
	if (equals && parse_bits(equals + 1, &bits, err) < 0)
		return -EINVAL;
	for (unsigned i = 0; i < SG_SIDES; i++) {
		if (sides & 1 << i) {
			learn->on[i] = true;
			learn->bits[i] = (uint8_t)bits;
		}
	}
	return 0;
}

int option_learn_path(const struct option *option, const char *text, void *field,
		      struct sg_error *err)
{
	struct learn *learn = field;
	unsigned bits = 0;

	(void)option;
	if (strcmp(text, "any") != 0 && parse_bits(text, &bits, err) < 0)
		return option_error(err, "'%s' is neither 'any' nor a number from 1 to 128", text);
	for (unsigned i = 0; i < SG_SIDES; i++) {
		learn->on[i] = true;
		learn->bits[i] = (uint8_t)bits;
	}
	return 0;
}

void path_args_apply(const struct path_args *args, enum sg_side side,
		     const struct endpoints *endpoints, struct sg_path_spec *spec)
{
	*spec = (struct sg_path_spec){
		.local = endpoints->local,
		.remote = endpoints->remote,
		.dscp = args->dscp.set ? args->dscp.value : SG_DSCP_KEEP,
		.learn = args->learn.on[side],
		.learn_bits = args->learn.bits[side],
		.learn_ns = args->learn_seconds * 1000000000ull,
	};
}

int operand_side(const struct cli *cli, const char *text, enum sg_side *side)
{
	if (strcmp(text, "a") != 0 && strcmp(text, "b") != 0)
		return cli_usage_error(cli, "side '%s' is neither a nor b", text);
	*side = *text == 'b' ? SG_SIDE_B : SG_SIDE_A;
	return EXIT_OK;
}

int operand_slot(const struct cli *cli, const char *text, unsigned *slot)
{
	struct sg_error err;

	if (parse_number(text, (struct range){0, SG_PATH_SLOTS - 1}, slot, &err) < 0)
		return cli_usage_error(cli, "path index: %s", err.text);
	return EXIT_OK;
}

const char *side_name(enum sg_side side)
{
	return side == SG_SIDE_B ? "b" : "a";
}
