/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEGUE_CONFIG_JSON_H
#define SEGUE_CONFIG_JSON_H

#include <stdio.h>

/*
 * The file as one line of JSON: "file", "errors" (sentences), and if there is none what concerns
 * the machine: domains, listeners, certificates, interfaces, ports, store. 0, or why it is not
 * good.
 */
int config_print_json(const char *file, FILE *out);

#endif
