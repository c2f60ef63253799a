// SPDX-License-Identifier: BSD-2-Clause
#include "worker_private.h"

static bool same_text(const char *a, const char *b)
{
	return str_eq(str_of(a), str_of(b));
}

static bool same_interfaces(const struct config *a, const struct config *b)
{
	if (a->interfaces != b->interfaces)
		return false;
	for (size_t i = 0; i < a->interfaces; i++) {
		const struct config_interface *x = &a->interface[i], *y = &b->interface[i];

		if (!same_text(x->name, y->name) || x->attach != y->attach ||
		    x->addresses != y->addresses)
			return false;
		for (size_t j = 0; j < x->addresses; j++) {
			if (!netaddr_eq(&x->address[j], &y->address[j]))
				return false;
		}
	}
	return true;
}

static bool same_domains(const struct config *a, const struct config *b)
{
	if (a->domain_count != b->domain_count)
		return false;
	for (size_t i = 0; i < a->domain_count; i++) {
		if (!same_text(a->domains[i], b->domains[i]))
			return false;
	}
	return true;
}

static bool same_digest(const struct config *a, const struct config *b)
{
	return a->digests == b->digests &&
	       !memcmp(a->digest, b->digest, a->digests * sizeof(a->digest[0]));
}

/* Silence would let the operator believe that all of the file holds. */
static void name_unchanged(struct worker *worker, const struct config *now)
{
	const struct config *first = worker->first;
	const struct {
		const char *key;
		bool same;
	} rows[] = {
		{"sip.domains", same_domains(first, now)},
		{"sip.digest", same_digest(first, now)},
		{"sip.nonce", first->nonce_seconds == now->nonce_seconds},
		{"sip.third_party_registration",
		 first->third_party_registration == now->third_party_registration},
		{"sip.expires", first->min_expires == now->min_expires &&
					first->max_expires == now->max_expires &&
					first->default_expires == now->default_expires},
		{"sip.udp_max", first->udp_max == now->udp_max},
		{"media.interfaces", same_interfaces(first, now)},
		{"media.ports",
		 first->first_port == now->first_port && first->last_port == now->last_port},
		{"media.dscp", first->dscp == now->dscp},
		{"store", same_text(first->store, now->store)},
		{"cdr.file", same_text(first->cdr_file, now->cdr_file)},
		{"cdr.size", first->cdr_megabytes == now->cdr_megabytes},
		{"control", same_text(first->control, now->control)},
		{"hep", netaddr_eq(&first->hep, &now->hep) && first->hep_agent == now->hep_agent},
		{"http", same_text(first->http, now->http)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].same)
			log_warning(worker->log, NULL,
				    "%s: %s changed, and only holds after a restart", worker->file,
				    rows[i].key);
	}
}

static void take_over(struct worker *worker, struct config *config)
{
	struct config *before = worker->config;
	struct error err = {""};

	worker_unlisten(worker, config, before);
	worker->config = config;
	worker->rooms.config = config;
	store_keep_cdrs(worker->rooms.store, config->cdr_days);
	limit_set(worker->rooms.limit, config->requests_per_second, config->burst);
	limit_set_strangers(worker->rooms.limit, config->strangers_per_second);
	if (guard_set(worker->rooms.guard, config, &err))
		log_error(worker->log, NULL, "%s", err.text);
	calls_reconfigure(worker->rooms.calls, config);
	log_set_level(worker->log, config->log_level);
	if (before != worker->first)
		config_free(before);
}

static void tell(void *context, const char *sentence)
{
	struct worker *worker = context;

	log_error(worker->log, NULL, "%s", sentence);
}

static void reload(struct worker *worker)
{
	struct error err = {""};
	struct config *config;

	if (config_load(&config, worker->file, &err)) {
		/* Good now that it is read again: memory was short, say. */
		if (!config_examine(worker->file, tell, worker))
			log_error(worker->log, NULL, "%s", err.text);
		log_error(worker->log, NULL, "%s was not loaded: everything stays as it was",
			  worker->file);
		return;
	}
	if (worker_listen(worker, config, worker->config, &err)) {
		log_error(worker->log, NULL, "%s: %s: everything stays as it was", worker->file,
			  err.text);
		config_free(config);
		return;
	}
	name_unchanged(worker, config);
	take_over(worker, config);
	log_info(worker->log, NULL, "%s was loaded again; %zu calls go on", worker->file,
		 calls_count(worker->rooms.calls));
}

void worker_reload(struct worker *worker)
{
	notify_reloading(worker->notify);
	reload(worker);
	notify_ready(worker->notify, "running");
}
