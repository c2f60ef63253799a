// SPDX-License-Identifier: BSD-2-Clause
#include "config_yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define KEYS_MAX 32u /* of one table: their presence is a bit mask */

static void report(struct config_reader *reader, size_t line, size_t column, const char *text)
{
	char sentence[640];
	const char *path = reader->path;

	reader->errors++;
	snprintf(sentence, sizeof(sentence), "%s:%zu:%zu: %s%s%s", reader->file, line + 1,
		 column + 1, path, *path ? ": " : "", text);
	reader->report(reader->context, sentence);
}

int config_wrong(struct config_reader *reader, const yaml_node_t *node, const char *format, ...)
{
	char text[400];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	report(reader, node->start_mark.line, node->start_mark.column, text);
	return -EINVAL;
}

/* ---- the path of the key that is being read ----------------------------------------------------
 */

static size_t enter(struct config_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Returns what `leave` wants. */
static size_t enter(struct config_reader *reader, const char *format, ...)
{
	size_t length = strlen(reader->path);
	va_list list;

	va_start(list, format);
	vsnprintf(reader->path + length, sizeof(reader->path) - length, format, list);
	va_end(list);
	return length;
}

static void leave(struct config_reader *reader, size_t length)
{
	reader->path[length] = '\0';
}

/* ---- mappings and lists ------------------------------------------------------------------------
 */

static const char *kind(const yaml_node_t *node)
{
	if (node->type == YAML_SEQUENCE_NODE)
		return "a list";
	return node->type == YAML_MAPPING_NODE ? "a mapping" : "a single value";
}

int config_scalar(struct config_reader *reader, yaml_node_t *node, struct str *out)
{
	*out = STR_NONE;
	if (node->type != YAML_SCALAR_NODE) {
		config_wrong(reader, node, "is %s, and must be a single value", kind(node));
		return -EINVAL;
	}
	*out = (struct str){(const char *)node->data.scalar.value, node->data.scalar.length};
	if (memchr(out->p, '\0', out->n))
		return config_wrong(reader, node, "holds a NUL character");
	return 0;
}

static int unknown_key(struct config_reader *reader, yaml_node_t *node, struct str name,
		       const struct config_key *keys)
{
	char known[256] = "";
	size_t used = 0;

	for (const struct config_key *key = keys; key->name && used < sizeof(known); key++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 key == keys ? "" : ", ", key->name);
	return config_wrong(reader, node, "unknown key '%.*s'; known are %s",
			    STR_ARG(name.n > 64 ? ((struct str){name.p, 64}) : name), known);
}

static int read_preset(struct config_reader *reader, const struct config_key *key, void *field)
{
	yaml_document_t *outer = reader->document, document;
	yaml_parser_t parser;
	int ret = -ENOMEM;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)key->preset,
				     strlen(key->preset));
	if (yaml_parser_load(&parser, &document)) {
		reader->document = &document;
		ret = key->read(reader, yaml_document_get_root_node(&document), key, field);
		reader->document = outer;
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return ret;
}

static int read_value(struct config_reader *reader, yaml_node_t *node, const struct config_key *key,
		      void *base)
{
	size_t length = enter(reader, "%s%s", *reader->path ? "." : "", key->name);
	void *field = (char *)base + key->offset;
	int ret;

	if (!node && key->read != config_read_mapping)
		ret = read_preset(reader, key, field);
	else
		ret = key->read(reader, node, key, field);
	leave(reader, length);
	return ret;
}

/* Keeps the first error, but lets memory that is missing win: the rest would be noise. */
static int worse(int so_far, int ret)
{
	return ret == -ENOMEM || !so_far ? ret : so_far;
}

static int read_pair(struct config_reader *reader, const yaml_node_pair_t *pair,
		     const struct config_key *keys, void *base, uint32_t *seen)
{
	yaml_node_t *name_node = yaml_document_get_node(reader->document, pair->key);
	struct str name;
	int ret = config_scalar(reader, name_node, &name);

	for (unsigned i = 0; !ret && i < KEYS_MAX && keys[i].name; i++) {
		if (!str_eq(name, str_of(keys[i].name)))
			continue;
		if (*seen & 1u << i)
			return config_wrong(reader, name_node, "'%s' is there twice", keys[i].name);
		*seen |= 1u << i;
		return read_value(reader, yaml_document_get_node(reader->document, pair->value),
				  &keys[i], base);
	}
	return ret ? ret : unknown_key(reader, name_node, name, keys);
}

static int read_missing(struct config_reader *reader, yaml_node_t *node,
			const struct config_key *key, void *base)
{
	if (key->required && node)
		return config_wrong(reader, node, "the key '%s' is missing: %s", key->name,
				    key->value);
	if (!key->preset && key->read != config_read_mapping)
		return 0;
	return read_value(reader, NULL, key, base);
}

int config_read_keys(struct config_reader *reader, yaml_node_t *node, const struct config_key *keys,
		     void *base)
{
	uint32_t seen = 0;
	int ret = 0;

	if (node && node->type != YAML_MAPPING_NODE)
		return config_wrong(reader, node, "is %s, and must be a mapping (key: value)",
				    kind(node));
	for (yaml_node_pair_t *pair = node ? node->data.mapping.pairs.start : NULL;
	     pair && pair < node->data.mapping.pairs.top; pair++)
		ret = worse(ret, read_pair(reader, pair, keys, base, &seen));
	for (unsigned i = 0; i < KEYS_MAX && keys[i].name; i++) {
		if (!(seen & 1u << i))
			ret = worse(ret, read_missing(reader, node, &keys[i], base));
	}
	return ret;
}

int config_read_mapping(struct config_reader *reader, yaml_node_t *node,
			const struct config_key *key, void *field)
{
	/* Inner tables have offsets of the outer structure. */
	return config_read_keys(reader, node, key->inner, (char *)field - key->offset);
}

int config_read_list(struct config_reader *reader, yaml_node_t *node, config_element_fn *fn,
		     const void *param, size_t size, void **array, size_t *count)
{
	yaml_node_item_t *item = NULL;
	size_t room = 1;
	int ret = 0;

	if (node->type == YAML_SEQUENCE_NODE) {
		item = node->data.sequence.items.start;
		room = (size_t)(node->data.sequence.items.top - item);
	}
	if (room > CONFIG_LIST_MAX)
		return config_wrong(reader, node, "has %zu elements; the most is %u", room,
				    CONFIG_LIST_MAX);
	*count = 0;
	*array = calloc(room ? room : 1, size);
	if (!*array)
		return -ENOMEM;
	for (size_t i = 0; i < room; i++) {
		yaml_node_t *element =
			item ? yaml_document_get_node(reader->document, item[i]) : node;
		size_t length = item ? enter(reader, "[%zu]", i) : strlen(reader->path);

		/* Counted even when it failed: what it holds is freed with the rest. */
		ret = worse(ret, fn(reader, element, param, (char *)*array + (*count)++ * size));
		leave(reader, length);
	}
	return ret;
}

yaml_node_t *config_find(struct config_reader *reader, yaml_node_t *root, const char *path)
{
	struct str rest = str_of(path), name;
	yaml_node_t *node = root;

	while (node->type == YAML_MAPPING_NODE && str_split(&rest, '.', &name)) {
		yaml_node_t *found = NULL;

		for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		     pair < node->data.mapping.pairs.top; pair++) {
			yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);

			if (key->type == YAML_SCALAR_NODE &&
			    str_eq(name, str_of((const char *)key->data.scalar.value)))
				found = yaml_document_get_node(reader->document, pair->value);
		}
		if (!found)
			break;
		node = found;
	}
	return node;
}

/* ---- ordinary values ---------------------------------------------------------------------------
 */

int config_read_text(struct config_reader *reader, yaml_node_t *node, const struct config_key *key,
		     void *field)
{
	struct str text;
	int ret = config_scalar(reader, node, &text);

	if (ret)
		return ret;
	if (!text.n)
		return config_wrong(reader, node, "is empty, and must be %s", key->value);
	*(char **)field = str_dup(text);
	return *(char **)field ? 0 : -ENOMEM;
}

int config_read_bool(struct config_reader *reader, yaml_node_t *node, const struct config_key *key,
		     void *field)
{
	struct str text;
	int ret = config_scalar(reader, node, &text);

	(void)key;
	if (ret)
		return ret;
	*(bool *)field = str_eq(text, STR("true"));
	if (!*(bool *)field && !str_eq(text, STR("false")))
		return config_wrong(reader, node, "'%.64s' is neither true nor false", text.p);
	return 0;
}

int config_read_number(struct config_reader *reader, yaml_node_t *node,
		       const struct config_key *key, void *field)
{
	const struct config_range *range = key->param;
	struct str text;
	uint32_t value;
	int ret = config_scalar(reader, node, &text);

	if (ret)
		return ret;
	if (range->none && str_eq(text, STR("none")))
		value = 0;
	else if (!str_to_u32(text, &value) || value < range->min || value > range->max)
		return config_wrong(reader, node, "'%.64s' is not a whole number from %u to %u%s",
				    text.p, range->min, range->max,
				    range->none ? ", nor 'none'" : "");
	*(uint32_t *)field = value;
	return 0;
}

/* "500ms", "10s", "5m", "2h": a bare number says no unit, and is refused. */
static bool parse_duration(struct str text, uint64_t *ms)
{
	static const struct {
		struct str name;
		uint64_t ms;
	} unit[] = {
		{STR("ms"), 1}, {STR("s"), 1000}, {STR("m"), 60 * 1000}, {STR("h"), 3600 * 1000}};
	size_t digits = 0;
	uint32_t value;

	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	if (!str_to_u32((struct str){text.p, digits}, &value))
		return false;
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
		if (str_eq(unit[i].name, str_from(text.p + digits, text.p + text.n))) {
			*ms = value * unit[i].ms;
			return true;
		}
	}
	return false;
}

int config_read_duration(struct config_reader *reader, yaml_node_t *node,
			 const struct config_key *key, void *field)
{
	const struct config_time *time = key->param;
	const char *unit = time->unit_ms == 1 ? "ms" : "s";
	uint64_t ms = 0;
	struct str text;
	int ret = config_scalar(reader, node, &text);

	if (ret)
		return ret;
	if (time->none && str_eq(text, STR("none"))) {
		*(unsigned *)field = 0;
		return 0;
	}
	if (!parse_duration(text, &ms))
		return config_wrong(reader, node,
				    "'%.64s' is not a time: write a number and ms, s, m or h, "
				    "like 10s%s",
				    text.p, time->none ? ", or 'none'" : "");
	if (ms % time->unit_ms || ms / time->unit_ms < time->min || ms / time->unit_ms > time->max)
		return config_wrong(reader, node, "'%.64s' is not from %u%s to %u%s%s", text.p,
				    time->min, unit, time->max, unit,
				    time->unit_ms == 1 ? "" : " in whole seconds");
	*(unsigned *)field = (unsigned)(ms / time->unit_ms);
	return 0;
}

int config_choose(struct config_reader *reader, const yaml_node_t *node, struct str text,
		  const struct config_choice *choices)
{
	char all[160] = "";
	size_t used = 0;

	for (const struct config_choice *c = choices; c->name; c++) {
		if (str_eq(text, str_of(c->name)))
			return c->value;
	}
	for (const struct config_choice *c = choices; c->name && used < sizeof(all); c++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
					 c == choices ? "" : ", ", c->name);
	return config_wrong(reader, node, "'%.64s' is none of %s", text.p, all);
}

int config_read_choice(struct config_reader *reader, yaml_node_t *node,
		       const struct config_key *key, void *field)
{
	struct str text;
	int ret = config_scalar(reader, node, &text);

	if (!ret)
		ret = config_choose(reader, node, text, key->param);
	if (ret < 0)
		return ret;
	*(int *)field = ret;
	return 0;
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static int open_file(struct config_reader *reader, FILE **out)
{
	char sentence[640];
	struct stat status;
	FILE *file = fopen(reader->file, "re");
	int ret = 0;

	if (!file || fstat(fileno(file), &status))
		ret = -errno;
	else if (status.st_size > CONFIG_FILE_MAX)
		ret = -EFBIG;
	else if (S_ISDIR(status.st_mode))
		ret = -EISDIR;
	if (!ret) {
		*out = file;
		return 0;
	}
	snprintf(sentence, sizeof(sentence), "%s: %s", reader->file, strerror(-ret));
	reader->errors++;
	reader->report(reader->context, sentence);
	if (file)
		fclose(file);
	return ret;
}

static int grammar_error(struct config_reader *reader, const yaml_parser_t *parser)
{
	char text[256];

	/* libyaml 0.2.5 does not say so of each allocation. */
	if (parser->error == YAML_MEMORY_ERROR || parser->error == YAML_NO_ERROR)
		return -ENOMEM;
	snprintf(text, sizeof(text), "%s%s%s", parser->context ? parser->context : "",
		 parser->context ? ": " : "", parser->problem ? parser->problem : "not YAML");
	report(reader, parser->problem_mark.line, parser->problem_mark.column, text);
	return -EINVAL;
}

/* Behind "---": it would be ignored, and somebody wrote it. */
static int no_second_document(struct config_reader *reader, yaml_parser_t *parser)
{
	yaml_document_t document;
	yaml_node_t *root;
	int ret = 0;

	if (!yaml_parser_load(parser, &document))
		return grammar_error(reader, parser);
	root = yaml_document_get_root_node(&document);
	if (root)
		ret = config_wrong(reader, root, "a second document begins here; one is the most");
	yaml_document_delete(&document);
	return ret;
}

static int read_document(struct config_reader *reader, yaml_parser_t *parser,
			 const struct config_key *keys, void *base,
			 int (*check)(struct config_reader *reader, yaml_node_t *root, void *base))
{
	yaml_node_t *root = yaml_document_get_root_node(reader->document);
	int ret;

	if (!root) {
		report(reader, 0, 0, "the file is empty");
		return -EINVAL;
	}
	ret = config_read_keys(reader, root, keys, base);
	ret = worse(ret, no_second_document(reader, parser));
	/* What is wrong by itself would only make the comparisons say it again. */
	return ret ? ret : check(reader, root, base);
}

int config_read_file(struct config_reader *reader, const struct config_key *keys, void *base,
		     int (*check)(struct config_reader *reader, yaml_node_t *root, void *base))
{
	yaml_document_t document;
	yaml_parser_t parser;
	FILE *file;
	int ret = open_file(reader, &file);

	if (ret)
		return ret;
	if (!yaml_parser_initialize(&parser)) {
		fclose(file);
		return -ENOMEM;
	}
	yaml_parser_set_input_file(&parser, file);
	if (yaml_parser_load(&parser, &document)) {
		reader->document = &document;
		ret = read_document(reader, &parser, keys, base, check);
		reader->document = NULL;
		yaml_document_delete(&document);
	} else {
		ret = grammar_error(reader, &parser);
	}
	yaml_parser_delete(&parser);
	fclose(file);
	return ret;
}
