/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a YAML file by tables of keys. Every node keeps its line and column, so that each
 * complaint, of a value as well as of the grammar, can say where. (libcyaml knows the place of
 * grammar errors only: by the time that values are compared it has forgotten theirs.)
 */
#ifndef SEGUE_CONFIG_YAML_H
#define SEGUE_CONFIG_YAML_H

#include <yaml.h>

#include "config.h"

#define CONFIG_FILE_MAX (1024u * 1024u) /* bytes */
#define CONFIG_LIST_MAX 4096u		/* elements of any list */

struct config_reader {
	const char *file;
	yaml_document_t *document; /* the one whose nodes are being read */
	char path[128];		   /* of the key that is being read: "media.interfaces[0].name" */
	config_error_fn *report;
	void *context;
	unsigned errors;
};

struct config_key;

/* Reads `node` into `field`. 0, or -EINVAL after config_wrong(), or -ENOMEM. */
typedef int config_read_fn(struct config_reader *reader, yaml_node_t *node,
			   const struct config_key *key, void *field);

struct config_key {
	const char *name; /* NULL ends the table */
	config_read_fn *read;
	size_t offset;	    /* of the field in what the table fills */
	const void *param;  /* for `read` */
	const char *value;  /* what may stand there, for people */
	const char *preset; /* YAML that is read where the key is missing; NULL: all zero */
	bool required;
	const char *help;		/* one sentence */
	const struct config_key *inner; /* the keys of a mapping, or of each in a list of them */
};

/* Complains about the node: "FILE:LINE:COLUMN: PATH: ...". Returns -EINVAL. */
int config_wrong(struct config_reader *reader, const yaml_node_t *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Reads the file into `base` by the table. All that is wrong is reported, not only what comes
 * first. 0, -EINVAL, -ENOMEM, or what opening the file failed with.
 */
int config_read_file(struct config_reader *reader, const struct config_key *keys, void *base,
		     int (*check)(struct config_reader *reader, yaml_node_t *root, void *base));
/* The mapping's keys by the table; a NULL node gives all presets. */
int config_read_keys(struct config_reader *reader, yaml_node_t *node, const struct config_key *keys,
		     void *base);
/* The node of a key, "sip.tls.key": for checks across keys. Where it is missing: the innermost
 * mapping that is there. */
yaml_node_t *config_find(struct config_reader *reader, yaml_node_t *root, const char *path);

/*
 * A list, or a single value in place of a list of one. `fn` reads each element into zeroed memory
 * of `size` bytes. The array and its length replace what was in *array and *count (nothing, or
 * NULL).
 */
typedef int config_element_fn(struct config_reader *reader, yaml_node_t *node, const void *param,
			      void *element);
int config_read_list(struct config_reader *reader, yaml_node_t *node, config_element_fn *fn,
		     const void *param, size_t size, void **array, size_t *count);

/* The text of a scalar; complains about lists, mappings and NULs. */
int config_scalar(struct config_reader *reader, yaml_node_t *node, struct str *out);

/* ---- readers of ordinary values ----------------------------------------------------------------
 */

config_read_fn config_read_mapping;  /* by `inner`, whose fields are those of the outer structure */
config_read_fn config_read_text;     /* char *; param: NULL */
config_read_fn config_read_bool;     /* bool */
config_read_fn config_read_number;   /* unsigned, uint32_t; param: struct config_range */
config_read_fn config_read_duration; /* unsigned; param: struct config_time */
config_read_fn config_read_choice;   /* int-sized enum; param: struct config_choice[] */

struct config_range {
	unsigned min, max;
	bool none; /* the word "none" is 0 */
};

struct config_time {
	unsigned unit_ms; /* of the field: 1 or 1000 */
	unsigned min, max;
	bool none;
};

struct config_choice {
	const char *name; /* NULL ends */
	int value;
};

/* The value of the choice's name, or -EINVAL after complaining with all names. */
int config_choose(struct config_reader *reader, const yaml_node_t *node, struct str text,
		  const struct config_choice *choices);

#endif
