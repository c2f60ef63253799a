// SPDX-License-Identifier: BSD-2-Clause
#include "base/event_memory.h"
#include "ops/json_memory.h"
#include "ops/metrics.h"
#include "ops/page.h"
#include "worker_private.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DRAIN_LOOK_MS 200u

/* ---- what the stack hands up -------------------------------------------------------------------
 */

static bool is_trunk(void *context, const struct netaddr *source)
{
	const struct worker *worker = context;

	for (size_t i = 0; i < worker->config->trunks; i++) {
		const struct config_trunk *trunk = &worker->config->trunk[i];

		if (netaddr_in_prefix(source, &trunk->source, trunk->prefix))
			return true;
	}
	return false;
}

static bool on_admit(void *context, const struct sip_flow *flow)
{
	struct worker *worker = context;

	uint64_t now_ms = wheel_now_ms();

	if (limit_admit(worker->rooms.limit, &flow->remote, now_ms))
		return limit_admit_stranger(worker->rooms.limit, &flow->remote, now_ms);
	guard_offend(worker->rooms.guard, flow, GUARD_FLOOD);
	return false;
}

static void on_offence(void *context, const struct sip_flow *flow, enum sip_offence offence)
{
	struct worker *worker = context;

	guard_offend(worker->rooms.guard, flow,
		     offence == SIP_OFFENCE_SLOW ? GUARD_SLOW : GUARD_GARBAGE);
}

static void on_proof(void *context, const struct sip_flow *flow, bool good)
{
	struct worker *worker = context;

	guard_proof(worker->rooms.guard, flow, good);
}

static void on_request(void *context, struct sip_server_tx *tx, struct sip_message *request)
{
	struct worker *worker = context;

	guard_request(worker->rooms.guard, request);
	if (request->method == SIP_REGISTER)
		registrar_receive(worker->rooms.registrar, tx, request);
	else
		calls_receive(worker->rooms.calls, tx, request);
}

static void on_ack(void *context, struct sip_message *ack)
{
	struct worker *worker = context;

	calls_receive_ack(worker->rooms.calls, ack);
}

static void on_stray(void *context, struct sip_message *response)
{
	struct worker *worker = context;

	calls_receive_stray(worker->rooms.calls, response);
}

static void on_seen(void *context, const struct sip_seen *seen)
{
	struct worker *worker = context;

	hep_copy(worker->rooms.hep, seen, calls_seen(worker->rooms.calls, seen));
}

static void on_closed(void *context, const struct sip_flow *flow)
{
	struct worker *worker = context;

	location_closed(worker->rooms.location, flow);
}

static const struct sip_stack_handlers stack_handlers = {
	.admit = on_admit,
	.request = on_request,
	.ack = on_ack,
	.stray = on_stray,
	.closed = on_closed,
	.offence = on_offence,
	.seen = on_seen,
};

static void on_hup(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	worker_reload(context);
}

/* ---- the end -----------------------------------------------------------------------------------
 */

/* Calls that are in the journal are adopted by whoever comes next: their media needs nobody. */
static bool journal_holds(struct worker *worker)
{
	struct store_stats stats;

	store_stats(worker->rooms.store, &stats);
	return stats.healthy && !store_flush(worker->rooms.store);
}

static void look_at_drain(void *context)
{
	struct worker *worker = context;
	size_t count = calls_count(worker->rooms.calls);

	if (count && !journal_holds(worker)) {
		timer_start(worker->wheel, &worker->drain, DRAIN_LOOK_MS, look_at_drain, worker);
		return;
	}
	if (count)
		log_info(worker->log, NULL,
			 "%zu calls go on in the kernel; the next start adopts them", count);
	event_base_loopbreak(worker->base);
}

static void on_drained(void *context)
{
	struct worker *worker = context;

	log_info(worker->log, NULL, "the last call is over");
	event_base_loopbreak(worker->base);
}

static void on_term(evutil_socket_t number, short what, void *context)
{
	struct worker *worker = context;

	(void)what;
	if (worker->rooms.draining) {
		log_warning(worker->log, NULL, "signal %d again: ending now", (int)number);
		event_base_loopbreak(worker->base);
		return;
	}
	log_info(worker->log, NULL, "signal %d: new calls are refused; %zu calls there are",
		 (int)number, calls_count(worker->rooms.calls));
	worker->rooms.draining = true;
	notify_stopping(worker->notify, "refusing new calls");
	/* From the loop, not from in here: a journal that is full takes a moment. */
	timer_start(worker->wheel, &worker->drain, 0, look_at_drain, worker);
	calls_drain(worker->rooms.calls, on_drained, worker);
}

/* ---- the rooms ---------------------------------------------------------------------------------
 */

/* The directory of the store and of the socket: made where only the last part is missing. */
static void make_directory(struct worker *worker, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory;

	if (!slash || slash == path)
		return;
	directory = str_dup(str_from(path, slash));
	if (directory && !mkdir(directory, 0755))
		log_info(worker->log, NULL, "made the directory %s", directory);
	free(directory);
}

static int open_loop(struct worker *worker, struct error *err)
{
	static const int numbers[SIGNALS] = {SIGHUP, SIGTERM, SIGINT};
	static const event_callback_fn handlers[SIGNALS] = {on_hup, on_term, on_term};
	int ret = -ENOMEM;

	worker->base = event_base_new();
	if (worker->base)
		ret = wheel_alloc(&worker->wheel, worker->base);
	for (int i = 0; !ret && i < SIGNALS; i++) {
		worker->signal[i] = evsignal_new(worker->base, numbers[i], handlers[i], worker);
		if (!worker->signal[i] || evsignal_add(worker->signal[i], NULL))
			ret = -ENOMEM;
	}
	return ret ? error_set(err, ret, "no event loop: %s", strerror(-ret)) : 0;
}

static int open_stack(struct worker *worker, struct error *err)
{
	const struct config *config = worker->config;
	const struct sip_stack_config stack = {
		.nameserver = config->nameserver,
		.nameservers = config->nameservers,
		.datagram_max = config->udp_max,
	};
	int ret = limit_alloc(&worker->rooms.limit, worker->log, 0, is_trunk, worker);

	if (ret)
		return error_set(err, ret, "no table of sources: %s", strerror(-ret));
	limit_set(worker->rooms.limit, config->requests_per_second, config->burst);
	limit_set_strangers(worker->rooms.limit, config->strangers_per_second);
	return sip_stack_alloc(&worker->rooms.stack, worker->base, worker->wheel, worker->log,
			       &stack, &stack_handlers, worker, err);
}

static int open_registrar(struct worker *worker, struct error *err)
{
	struct config *config = worker->config;
	struct rooms *rooms = &worker->rooms;
	struct registrar_config registrar = {
		.domains = config->domains,
		.domain_count = config->domain_count,
		.min_expires = config->min_expires,
		.max_expires = config->max_expires,
		.default_expires = config->default_expires,
		.algorithms = config->digests,
		.nonce_seconds = config->nonce_seconds,
		.third_party = config->third_party_registration,
	};
	int ret;

	memcpy(registrar.order, config->digest, sizeof(registrar.order));
	ret = location_alloc(&rooms->location, worker->wheel, rooms->store, worker->log);
	if (ret)
		return error_set(err, ret, "no table of registrations: %s", strerror(-ret));
	ret = location_load(rooms->location, err);
	if (ret)
		return ret;
	return registrar_alloc(&rooms->registrar, rooms->stack, rooms->location, rooms->store,
			       worker->log, &registrar, err);
}

static int open_calls(struct worker *worker, struct error *err)
{
	struct rooms *rooms = &worker->rooms;
	int ret = media_alloc(&rooms->media, worker->base, worker->wheel, worker->log,
			      worker->config, err);

	if (!ret)
		ret = calls_alloc(&rooms->calls, rooms->stack, rooms->registrar, rooms->location,
				  rooms->store, rooms->media, worker->log, worker->config, err);
	if (!ret)
		ret = calls_adopt(rooms->calls, err);
	return ret;
}

/* Whoever is registered showed a password, before we were started. */
static int on_binding(void *context, struct str aor, const struct binding *binding)
{
	struct worker *worker = context;
	uint64_t now_ms = wheel_now_ms();

	(void)aor;
	if (binding->expires_ms > now_ms)
		limit_prove(worker->rooms.limit, &binding->flow.remote, now_ms,
			    binding->expires_ms - now_ms);
	return 0;
}

/* Before anybody is listened to. */
static int open_guard(struct worker *worker, struct error *err)
{
	struct rooms *rooms = &worker->rooms;
	int ret = guard_alloc(&rooms->guard, rooms->limit, rooms->media, worker->log);

	if (ret)
		return error_set(err, ret, "no guard: %s", strerror(-ret));
	location_each(rooms->location, on_binding, worker);
	registrar_on_proof(rooms->registrar, on_proof, worker);
	return guard_set(rooms->guard, worker->config, err);
}

static int open_hep(struct worker *worker, struct error *err)
{
	const struct config *config = worker->config;

	if (!config->hep.port)
		return 0;
	return hep_alloc(&worker->rooms.hep, worker->base, worker->log, worker->rooms.calls,
			 &config->hep, config->hep_agent, err);
}

static int open_http(struct worker *worker, struct error *err)
{
	static const struct http_page *const pages[] = {page_pages, metrics_pages, NULL};
	const char *text = worker->config->http;
	struct netaddr at;

	if (!text)
		return 0;
	if (netaddr_parse(&at, str_of(text)))
		return error_set(err, -EINVAL, "http: '%s' is not ADDRESS:PORT", text);
	return http_alloc(&worker->http, worker->base, worker->wheel, worker->log, &at, pages,
			  &worker->rooms, err);
}

static int open_cdrs(struct worker *worker, struct error *err)
{
	const struct config *config = worker->config;

	store_keep_cdrs(worker->rooms.store, config->cdr_days);
	if (!config->cdr_file)
		return 0;
	return store_copy_cdrs(worker->rooms.store, config->cdr_file,
			       config->cdr_megabytes * UINT64_C(1000000), err);
}

/* Listening comes last: nobody is answered by half a house. */
static int open_rooms(struct worker *worker, struct error *err)
{
	struct rooms *rooms = &worker->rooms;
	int ret;

	make_directory(worker, worker->config->store + strlen("sqlite:"));
	make_directory(worker, worker->config->control);
	if (worker->config->cdr_file)
		make_directory(worker, worker->config->cdr_file);
	ret = store_open(&rooms->store, worker->config->store, worker->log, err);
	if (!ret)
		ret = open_cdrs(worker, err);
	if (!ret)
		ret = open_stack(worker, err);
	if (!ret)
		ret = open_registrar(worker, err);
	if (!ret)
		ret = open_calls(worker, err);
	if (!ret)
		ret = open_guard(worker, err);
	if (!ret)
		ret = control_alloc(&worker->control, worker->base, worker->wheel, worker->log,
				    worker->config->control, control_tables, rooms, err);
	if (!ret)
		ret = open_hep(worker, err);
	if (!ret)
		ret = open_http(worker, err);
	if (!ret)
		worker_limit_connections(worker);
	if (!ret)
		ret = worker_listen(worker, worker->config, NULL, err);
	return ret;
}

int worker_alloc(struct worker **out, const char *config_file, struct error *err)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int ret;

	if (!worker)
		return error_set(err, -ENOMEM, "out of memory");
	json_memory_watch();
	event_memory_watch();
	worker->file = config_file;
	ret = config_load(&worker->first, config_file, err);
	worker->config = worker->first;
	if (!ret && (ret = log_open(&worker->log, worker->config->log_level)))
		error_set(err, ret, "no log: %s", strerror(-ret));
	if (!ret) {
		log_take_libevent(worker->log);
		ret = open_loop(worker, err);
	}
	if (!ret)
		ret = notify_alloc(&worker->notify, worker->wheel, worker->log, err);
	if (!ret) {
		worker->rooms.config = worker->config;
		worker->rooms.config_file = config_file;
		worker->rooms.started_ms = wheel_now_ms();
		ret = open_rooms(worker, err);
	}
	if (ret) {
		worker_free(worker);
		return ret;
	}
	*out = worker;
	return 0;
}

int worker_run(struct worker *worker)
{
	log_info(worker->log, NULL, "ready: %zu calls, %zu registrations; control socket %s",
		 calls_count(worker->rooms.calls), location_count(worker->rooms.location),
		 worker->config->control);
	notify_ready(worker->notify, "running");
	if (event_base_dispatch(worker->base) < 0)
		return -EIO;
	log_info(worker->log, NULL, "ended");
	return 0;
}

static void close_rooms(struct rooms *rooms)
{
	if (rooms->calls)
		calls_free(rooms->calls);
	if (rooms->media)
		media_free(rooms->media);
	if (rooms->registrar)
		registrar_free(rooms->registrar);
	if (rooms->location)
		location_free(rooms->location);
	if (rooms->stack)
		sip_stack_free(rooms->stack);
	guard_free(rooms->guard);
	hep_free(rooms->hep);
	limit_free(rooms->limit);
	if (rooms->store)
		store_close(rooms->store);
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	http_free(worker->http);
	control_free(worker->control);
	timer_stop(&worker->drain);
	close_rooms(&worker->rooms);
	notify_free(worker->notify);
	for (int i = 0; i < SIGNALS; i++) {
		if (worker->signal[i])
			event_free(worker->signal[i]);
	}
	if (worker->wheel)
		wheel_free(worker->wheel);
	if (worker->base)
		event_base_free(worker->base);
	if (worker->config != worker->first)
		config_free(worker->config);
	config_free(worker->first);
	if (worker->log)
		log_close(worker->log);
	free(worker);
}
