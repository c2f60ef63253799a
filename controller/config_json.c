// SPDX-License-Identifier: BSD-2-Clause
/* The configuration for other programs (`segued --check --json`): what of it concerns the machine.
 */
#include <jansson.h>
#include <stdlib.h>

#include "config.h"
#include "config_json.h"

static json_t *text_of(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *address_of(const struct netaddr *at)
{
	char text[NETADDR_STRLEN];

	return json_string(netaddr_format_host(at, text));
}

static json_t *domains_of(const struct config *config)
{
	json_t *list = json_array();

	for (size_t i = 0; i < config->domain_count; i++)
		json_array_append_new(list, text_of(config->domains[i]));
	return list;
}

static json_t *listeners_of(const struct config *config)
{
	json_t *list = json_array();

	for (size_t i = 0; i < config->listens; i++)
		json_array_append_new(list, json_pack("{s:s, s:o, s:i}", "proto",
						      sip_proto_parameter(config->listen[i].proto),
						      "address", address_of(&config->listen[i].at),
						      "port", (int)config->listen[i].at.port));
	return list;
}

static void add_pair(json_t *list, const char *certificate, const char *key)
{
	if (certificate)
		json_array_append_new(list, json_pack("{s:o, s:o}", "certificate",
						      text_of(certificate), "key", text_of(key)));
}

static json_t *certificates_of(const struct config *config)
{
	json_t *list = json_array();

	add_pair(list, config->tls_certificate, config->tls_key);
	for (size_t i = 0; i < config->tls_others; i++)
		add_pair(list, config->tls_other[i].certificate, config->tls_other[i].key);
	return list;
}

static json_t *interfaces_of(const struct config *config)
{
	json_t *list = json_array();

	for (size_t i = 0; i < config->interfaces; i++) {
		const struct config_interface *one = &config->interface[i];
		json_t *addresses = json_array();

		for (size_t j = 0; j < one->addresses; j++)
			json_array_append_new(addresses, address_of(&one->address[j]));
		json_array_append_new(list, json_pack("{s:o, s:o}", "name", text_of(one->name),
						      "addresses", addresses));
	}
	return list;
}

static json_t *servers_of(const struct config *config)
{
	json_t *list = json_array();

	for (size_t i = 0; i < config->nameservers; i++)
		json_array_append_new(list, json_pack("{s:o, s:i}", "address",
						      address_of(&config->nameserver[i]), "port",
						      (int)config->nameserver[i].port));
	return list;
}

static void describe(json_t *object, const struct config *config)
{
	json_object_set_new(object, "domains", domains_of(config));
	json_object_set_new(object, "listen", listeners_of(config));
	json_object_set_new(object, "certificates", certificates_of(config));
	json_object_set_new(object, "authorities", text_of(config->tls_ca));
	json_object_set_new(object, "nameservers", servers_of(config));
	json_object_set_new(object, "interfaces", interfaces_of(config));
	json_object_set_new(object, "first_port", json_integer(config->first_port));
	json_object_set_new(object, "last_port", json_integer(config->last_port));
	json_object_set_new(object, "store", text_of(config->store));
	json_object_set_new(object, "control", text_of(config->control));
}

static void add_sentence(void *context, const char *sentence)
{
	json_array_append_new(context, json_string(sentence));
}

int config_print_json(const char *file, FILE *out)
{
	json_t *errors = json_array(), *object;
	struct config *config = NULL;
	struct error err = {""};
	int ret = config_examine(file, add_sentence, errors);

	object = json_pack("{s:s, s:o}", "file", file, "errors", errors);
	if (!ret)
		ret = config_load(&config, file, &err);
	if (!ret)
		describe(object, config);
	config_free(config);
	json_dumpf(object, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
	fputc('\n', out);
	json_decref(object);
	return ret;
}
