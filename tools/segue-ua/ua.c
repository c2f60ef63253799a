// SPDX-License-Identifier: BSD-2-Clause
#include "ua.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "call.h"
#include "command.h"
#include "follow.h"
#include "media.h"
#include "receive.h"
#include "registration.h"
#include "way.h"

#define PATIENCE_MS 3000u /* for answers to BYE and REGISTER when we go */
#define MAIN_QUALITY 1000u
#define BACKUP_QUALITY 500u
#define PRECISION JSON_REAL_PRECISION(6)

/* ---- small things ---------------------------------------------------------------------------- */

uint64_t ua_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct ua_network *ua_network_find(struct ua *ua, struct str name)
{
	struct netaddr address;
	bool literal = !netaddr_parse_host(&address, name, 0);

	for (size_t i = 0; i < ua->networks; i++) {
		if (str_eq(str_of(ua->network[i].name), name) ||
		    (literal && netaddr_same_host(&ua->network[i].sip, &address)))
			return &ua->network[i];
	}
	return NULL;
}

void ua_refuse(struct ua *ua, struct sip_server_tx *tx, int status, struct str headers)
{
	char tag[SIP_TOKEN_LEN];

	sip_token(ua->stack, tag);
	sip_server_tx_reply(tx, status, sip_reason(status), str_of(tag), headers);
}

static void print_text(const char *name, const json_t *more, uint64_t now_us)
{
	const char *key;
	json_t *value;

	printf("%" PRIu64 ".%06" PRIu64 " %s", now_us / 1000000, now_us % 1000000, name);
	json_object_foreach((json_t *)more, key, value)
	{
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		printf(" %s=%s", key, text ? text : "?");
		free(text);
	}
	putchar('\n');
}

void ua_event(struct ua *ua, const char *name, json_t *more)
{
	uint64_t now_us = ua_now_us();
	json_t *event = json_pack("{s:s, s:I}", "event", name, "at_us", (json_int_t)now_us);

	if (ua->options->json_events && event) {
		json_object_update(event, more);
		json_dumpf(event, stdout, JSON_COMPACT | PRECISION);
		putchar('\n');
	} else {
		print_text(name, more, now_us);
	}
	fflush(stdout);
	json_decref(event);
	json_decref(more);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void on_unregistered(void *context, int status)
{
	(void)status;
	ua_check_end(context);
}

static bool leave_registrars(struct ua *ua)
{
	bool waits = false;

	for (size_t i = 0; i < ua->networks; i++) {
		struct ua_registration *registration = ua->registration[i];

		if (registration && ua_registration_is_up(registration))
			waits = !ua_registration_stop(registration, on_unregistered, ua) || waits;
	}
	return waits;
}

void ua_check_end(struct ua *ua)
{
	if (!ua->quitting || ua->call)
		return;
	if (!leave_registrars(ua))
		event_base_loopexit(ua->base, NULL);
}

static void on_patience(void *context)
{
	struct ua *ua = context;

	event_base_loopexit(ua->base, NULL);
}

void ua_quit(struct ua *ua)
{
	if (ua->quitting)
		return;
	ua->quitting = true;
	timer_start(ua->wheel, &ua->ending, PATIENCE_MS, on_patience, ua);
	if (ua->call)
		ua_call_end(ua->call, "quit");
	else
		ua_check_end(ua);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	ua_quit(context);
}

static void fail(struct ua *ua, const char *what, int status)
{
	ua->failed = true;
	ua_event(ua, "failed", json_pack("{s:s, s:i}", "what", what, "status", status));
	ua_quit(ua);
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void place_call(struct ua *ua)
{
	int ret;

	if (ua->options->mode != UA_CALL || ua->call)
		return;
	ret = ua_call_start(ua, &ua->network[0], ua->options->callee);
	if (ret)
		fail(ua, strerror(-ret), 0);
}

static void on_registered(void *context, int status)
{
	struct ua *ua = context;

	if (status >= 300)
		fail(ua, "REGISTER", status);
	else
		place_call(ua);
}

/* The first network, and with the backup scheme the network of the standby leg too (PH-2). */
static int register_all(struct ua *ua)
{
	bool backup = ua->options->scheme == UA_BACKUP;
	int ret = ua_registration_start(&ua->registration[0], ua, &ua->network[0],
					backup ? MAIN_QUALITY : 0, on_registered, ua);
	struct ua_network *other = backup ? ua_network_find(ua, str_of(ua->options->backup)) : NULL;

	if (!ret && other && other != &ua->network[0])
		ret = ua_registration_start(&ua->registration[other->index], ua, other,
					    BACKUP_QUALITY, NULL, NULL);
	return ret;
}

static void tell_ready(struct ua *ua)
{
	json_t *networks = json_array();
	char sip[NETADDR_STRLEN], rtp[NETADDR_STRLEN];

	for (size_t i = 0; i < ua->networks; i++)
		json_array_append_new(
			networks,
			json_pack("{s:s, s:s, s:s}", "name", ua->network[i].name, "sip",
				  netaddr_format(&ua->network[i].sip, sip), "rtp",
				  netaddr_format(&ua->network[i].port[UA_AUDIO].at, rtp)));
	ua_event(ua, "ready", json_pack("{s:o}", "networks", networks));
}

static int begin(struct ua *ua, struct error *err)
{
	int ret = ua_way_open(ua, err);

	if (ret)
		return ret;
	tell_ready(ua);
	if (ua->options->aor && ua->options->expires)
		ret = register_all(ua);
	else
		place_call(ua);
	if (ret)
		fail(ua, strerror(-ret), 0);
	return 0;
}

static void on_way(void *context, int error)
{
	struct error err = {""};
	struct ua *ua = context;

	if (error) {
		fail(ua, "no way to the proxy", 0);
	} else if (begin(ua, &err)) {
		fprintf(stderr, "segue-ua: %s\n", err.text);
		fail(ua, "cannot listen", 0);
	}
}

static int make_identity(struct ua *ua, struct error *err)
{
	struct sip_uri uri = {0};
	uint8_t r[16];

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return error_set(err, -EIO, "the kernel has no random numbers");
	snprintf(ua->instance, sizeof(ua->instance),
		 "urn:uuid:%02x%02x%02x%02x-%02x%02x-4%01x%02x-a%01x%02x-%02x%02x%02x%02x%02x%02x",
		 r[0], r[1], r[2], r[3], r[4], r[5], r[6] & 15, r[7], r[8] & 15, r[9], r[10], r[11],
		 r[12], r[13], r[14], r[15]);
	if (ua->options->aor && sip_uri_parse(&uri, str_of(ua->options->aor)))
		return error_set(err, -EINVAL, "--aor wants a URI like sip:alice@example.net");
	if (uri.user.n >= sizeof(ua->user))
		return error_set(err, -EINVAL, "--aor: the user's name is too long");
	snprintf(ua->user, sizeof(ua->user), "%.*s", uri.user.n ? (int)uri.user.n : 5,
		 uri.user.n ? uri.user.p : "segue");
	return 0;
}

static int open_networks(struct ua *ua, struct error *err)
{
	const struct ua_options *options = ua->options;
	int ret = 0;

	for (size_t i = 0; !ret && i < options->networks; i++) {
		ua->network[i].index = i;
		ret = ua_network_open(&ua->network[i], &options->network[i], options->rtp_port,
				      options->video, err);
		ua->networks += !ret;
	}
	return ret;
}

static int watch_signals(struct ua *ua)
{
	static const int numbers[] = {SIGINT, SIGTERM};

	for (size_t i = 0; i < 2; i++) {
		ua->signals[i] = evsignal_new(ua->base, numbers[i], on_signal, ua);
		if (!ua->signals[i] || event_add(ua->signals[i], NULL))
			return -ENOMEM;
	}
	return 0;
}

static int make_base(struct ua *ua)
{
	struct event_config *config = event_config_new();

	if (!config)
		return -ENOMEM;
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	ua->base = event_base_new_with_config(config);
	event_config_free(config);
	ua->moves = json_array();
	ua->calls = json_array();
	if (!ua->base || !ua->moves || !ua->calls || wheel_alloc(&ua->wheel, ua->base) ||
	    log_open(&ua->log, ua->options->level))
		return -ENOMEM;
	log_take_libevent(ua->log);
	return watch_signals(ua);
}

static int make_parts(struct ua *ua, struct error *err)
{
	const struct ua_options *options = ua->options;
	const struct sip_stack_config config = {.t1_ms = options->t1_ms,
						.nameserver = options->nameserver,
						.nameservers = options->nameserver ? 1 : 0};
	int ret = make_base(ua);

	if (ret)
		return error_set(err, ret, "cannot start: %s", strerror(-ret));
	ret = make_identity(ua, err);
	if (!ret)
		ret = sip_stack_alloc(&ua->stack, ua->base, ua->wheel, ua->log, &config,
				      &ua_stack_handlers, ua, err);
	if (!ret)
		ret = open_networks(ua, err);
	if (!ret)
		ret = sip_resolver_alloc(&ua->resolver, ua->base, ua->wheel, ua->log,
					 options->nameserver, config.nameservers);
	if (!ret)
		ret = ua_media_alloc(&ua->media[UA_AUDIO], ua, UA_AUDIO, err);
	if (!ret && options->video)
		ret = ua_media_alloc(&ua->media[UA_VIDEO], ua, UA_VIDEO, err);
	if (!ret)
		ret = ua_follow_open(&ua->follow, ua, err);
	if (!ret && options->control)
		ret = ua_command_open(&ua->command, ua, options->control, err);
	return ret;
}

int ua_alloc(struct ua **out, const struct ua_options *options, struct error *err)
{
	struct ua *ua = calloc(1, sizeof(*ua));
	int ret;

	if (!ua)
		return error_set(err, -ENOMEM, "out of memory");
	ua->options = options;
	ret = make_parts(ua, err);
	if (!ret)
		ret = ua_way_find(ua, on_way, err);
	if (!ret)
		ret = begin(ua, err);
	if (ret && ret != -EINPROGRESS) {
		ua_free(ua);
		return ret;
	}
	*out = ua;
	return 0;
}

void ua_free(struct ua *ua)
{
	if (!ua)
		return;
	timer_stop(&ua->ending);
	ua_command_close(ua->command);
	ua_follow_close(ua->follow);
	ua_call_free(ua->call);
	for (size_t i = 0; i < UA_NETWORKS; i++)
		ua_registration_free(ua->registration[i]);
	for (unsigned kind = 0; kind < UA_KINDS; kind++)
		ua_media_free(ua->media[kind]);
	for (size_t i = 0; i < ua->networks; i++)
		ua_network_close(&ua->network[i]);
	sip_query_cancel(ua->query);
	sip_resolver_free(ua->resolver);
	sip_message_unref(ua->challenge);
	sip_stack_free(ua->stack);
	for (size_t i = 0; i < 2; i++) {
		if (ua->signals[i])
			event_free(ua->signals[i]);
	}
	json_decref(ua->moves);
	json_decref(ua->calls);
	wheel_free(ua->wheel);
	log_close(ua->log);
	if (ua->base)
		event_base_free(ua->base);
	free(ua);
}

/* ---- running --------------------------------------------------------------------------------- */

static int write_statistics(struct ua *ua)
{
	const char *path = ua->options->statistics;
	json_t *all = json_pack("{s:i, s:b, s:O, s:O, s:o}", "version", 1, "failed", ua->failed,
				"calls", ua->calls, "moves", ua->moves, "media",
				ua_media_report(ua->media[UA_AUDIO]));
	int ret;

	if (ua->media[UA_VIDEO])
		json_object_set_new(all, "video", ua_media_report(ua->media[UA_VIDEO]));

	if (path && strcmp(path, "-")) {
		ret = json_dump_file(all, path, JSON_INDENT(2) | PRECISION);
		if (ret)
			fprintf(stderr, "segue-ua: %s: cannot be written\n", path);
	} else {
		size_t form = ua->options->json_events ? JSON_COMPACT : JSON_INDENT(2);

		ret = json_dumpf(all, stdout, form | PRECISION);
		putchar('\n');
	}
	json_decref(all);
	return ret;
}

int ua_run(struct ua *ua)
{
	event_base_dispatch(ua->base);
	return write_statistics(ua) || ua->failed ? 1 : 0;
}
