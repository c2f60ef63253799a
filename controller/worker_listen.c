// SPDX-License-Identifier: BSD-2-Clause
#include <sys/resource.h>

#include "worker_private.h"

/* Files that are no connection: maps, listeners, the store, DNS, clients of the control socket and
 * of http. */
#define OTHER_FILES 128u

static struct sip_transport *transport(struct worker *worker)
{
	return sip_stack_transport(worker->rooms.stack);
}

void worker_limit_connections(struct worker *worker)
{
	struct sip_transport_limits limits = {0};
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= SIP_CONNECTIONS + OTHER_FILES)
		return;
	limits.connections =
		files.rlim_cur > OTHER_FILES ? (unsigned)files.rlim_cur - OTHER_FILES : 1;
	sip_transport_limit(transport(worker), &limits);
	log_warning(worker->log, NULL,
		    "%lu files may be open: %u TCP and TLS connections are the most",
		    (unsigned long)files.rlim_cur, limits.connections);
}

static struct sip_tls_config tls_of(const struct config *config)
{
	return (struct sip_tls_config){
		.own = {config->tls_certificate, config->tls_key},
		.other = config->tls_other,
		.others = config->tls_others,
		.ca = config->tls_ca,
		.require_client = config->tls_require_client,
	};
}

static int listen_at(struct worker *worker, const struct config *config,
		     const struct config_listen *listen, struct error *err)
{
	const struct sip_tls_config tls = tls_of(config);
	char text[NETADDR_STRLEN];
	int ret = sip_transport_listen(transport(worker), listen->proto, &listen->at,
				       listen->proto == SIP_TLS ? &tls : NULL, err);

	if (!ret)
		log_info(worker->log, NULL, "listening at %s:%s",
			 sip_proto_parameter(listen->proto), netaddr_format(&listen->at, text));
	return ret;
}

static void unlisten_at(struct worker *worker, const struct config_listen *listen)
{
	char text[NETADDR_STRLEN];

	sip_transport_unlisten(transport(worker), listen->proto, &listen->at);
	log_info(worker->log, NULL, "no longer listening at %s:%s",
		 sip_proto_parameter(listen->proto), netaddr_format(&listen->at, text));
}

static bool listens_at(const struct config *config, const struct config_listen *listen)
{
	for (size_t i = 0; config && i < config->listens; i++) {
		if (config->listen[i].proto == listen->proto &&
		    netaddr_eq(&config->listen[i].at, &listen->at))
			return true;
	}
	return false;
}

int worker_listen(struct worker *worker, const struct config *config, const struct config *before,
		  struct error *err)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < config->listens; i++) {
		if (!listens_at(before, &config->listen[i]))
			ret = listen_at(worker, config, &config->listen[i], err);
	}
	/* i is one behind the listener that failed. */
	for (size_t undo = 0; ret && undo + 1 < i; undo++) {
		if (!listens_at(before, &config->listen[undo]))
			unlisten_at(worker, &config->listen[undo]);
	}
	return ret;
}

/* A certificate that was renewed is read again; its file was checked with the configuration. */
static void renew_tls(struct worker *worker, const struct config *config,
		      const struct config *before)
{
	const struct sip_tls_config tls = tls_of(config);
	struct error err = {""};

	for (size_t i = 0; i < config->listens; i++) {
		const struct config_listen *listen = &config->listen[i];

		if (listen->proto != SIP_TLS || !listens_at(before, listen))
			continue;
		if (sip_transport_renew(transport(worker), &listen->at, &tls, &err))
			log_error(worker->log, NULL, "the former certificates stay: %s", err.text);
	}
}

void worker_unlisten(struct worker *worker, const struct config *config,
		     const struct config *before)
{
	for (size_t i = 0; i < before->listens; i++) {
		if (!listens_at(config, &before->listen[i]))
			unlisten_at(worker, &before->listen[i]);
	}
	renew_tls(worker, config, before);
}
