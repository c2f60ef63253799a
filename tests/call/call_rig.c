// SPDX-License-Identifier: BSD-2-Clause
#include "call_rig.h"

#include <event2/event.h>
#include <sqlite3.h>
#include <unistd.h>

static void on_request(void *context, struct sip_server_tx *tx, struct sip_message *request)
{
	struct call_rig *rig = context;

	if (request->method == SIP_REGISTER)
		registrar_receive(rig->registrar, tx, request);
	else
		calls_receive(rig->calls, tx, request);
}

static void on_ack(void *context, struct sip_message *ack)
{
	calls_receive_ack(((struct call_rig *)context)->calls, ack);
}

static void on_stray(void *context, struct sip_message *response)
{
	calls_receive_stray(((struct call_rig *)context)->calls, response);
}

static void on_seen(void *context, const struct sip_seen *seen)
{
	struct call_rig *rig = context;

	if (rig->calls)
		calls_seen(rig->calls, seen);
}

static const struct sip_stack_handlers handlers = {
	.seen = on_seen, .request = on_request, .ack = on_ack, .stray = on_stray};

static void configure(struct call_rig *rig)
{
	rig->domain[0] = (char *)(uintptr_t) "example.net";
	rig->trunk[0] = (struct config_trunk){.name = (char *)(uintptr_t) "carrier", .prefix = 32};
	rig->trunk[1] = (struct config_trunk){.name = (char *)(uintptr_t) "six", .prefix = 128};
	assert_int_equal(netaddr_parse_host(&rig->trunk[0].source, STR(TRUNK), 0), 0);
	assert_int_equal(netaddr_parse_host(&rig->trunk[1].source, STR("::1"), 0), 0);
	rig->config = (struct config){
		.domains = rig->domain,
		.domain_count = 1,
		.trunk = rig->trunk,
		.trunks = 2,
		.foreign = true,
	};
}

static void open_stack(struct call_rig *rig, const struct netaddr *at)
{
	struct sip_stack_config config = {
		.worker = 3, .t1_ms = RIG_T1_MS, .t2_ms = RIG_T2_MS, .t4_ms = RIG_T4_MS};
	struct error err;

	rig->rig = (struct rig){.base = event_base_new()};
	assert_non_null(rig->rig.base);
	assert_int_equal(wheel_alloc(&rig->rig.wheel, rig->rig.base), 0);
	assert_int_equal(log_open(&rig->rig.log, LOG_LEVEL_ERROR), 0);
	if (sip_stack_alloc(&rig->rig.stack, rig->rig.base, rig->rig.wheel, rig->rig.log, &config,
			    &handlers, rig, &err))
		fail_msg("%s", err.text);
	if (!at) {
		rig_listen(&rig->rig, SIP_UDP, "127.0.0.1", NULL);
		return;
	}
	rig->rig.at[SIP_UDP] = *at;
	if (sip_transport_listen(sip_stack_transport(rig->rig.stack), SIP_UDP, at, NULL, &err))
		fail_msg("%s", err.text);
}

static void open_rooms(struct call_rig *rig)
{
	struct registrar_config config = {.domains = rig->domain, .domain_count = 1};
	struct log *log = rig->rig.log;
	char url[96];
	struct error err;

	snprintf(url, sizeof(url), "sqlite:%s/segue.db", rig->directory);
	if (store_open(&rig->store, url, log, &err) ||
	    location_alloc(&rig->location, rig->rig.wheel, rig->store, log) ||
	    location_load(rig->location, &err) ||
	    registrar_alloc(&rig->registrar, rig->rig.stack, rig->location, rig->store, log,
			    &config, &err) ||
	    calls_alloc(&rig->calls, rig->rig.stack, rig->registrar, rig->location, rig->store,
			&rig->media, log, &rig->config, &err))
		fail_msg("%s", err.text);
}

void call_rig_open(struct call_rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	fake_media_init(&rig->media);
	configure(rig);
	snprintf(rig->directory, sizeof(rig->directory), "/tmp/segue-call-XXXXXX");
	assert_non_null(mkdtemp(rig->directory));
	open_stack(rig, NULL);
	open_rooms(rig);
}

static void close_all(struct call_rig *rig)
{
	calls_free(rig->calls);
	registrar_free(rig->registrar);
	location_free(rig->location);
	store_close(rig->store);
	sip_stack_free(rig->rig.stack);
	log_close(rig->rig.log);
	wheel_free(rig->rig.wheel);
	event_base_free(rig->rig.base);
}

void call_rig_restart(struct call_rig *rig)
{
	struct netaddr at = rig->rig.at[SIP_UDP];
	struct error err;

	close_all(rig);
	open_stack(rig, &at);
	open_rooms(rig);
	if (calls_adopt(rig->calls, &err))
		fail_msg("%s", err.text);
}

void call_rig_close(struct call_rig *rig)
{
	char command[128];

	close_all(rig);
	snprintf(command, sizeof(command), "rm -rf '%s'", rig->directory);
	assert_int_equal(system(command), 0);
}

void call_rig_expect_empty(struct call_rig *rig)
{
	struct sip_stack_stats stats;

	rig_skip_idle(&rig->rig);
	sip_stack_stats(rig->rig.stack, &stats);
	assert_int_equal(calls_count(rig->calls), 0);
	assert_int_equal(fake_media_streams(&rig->media), 0);
	assert_int_equal(rig->media.reserved, 0);
	assert_int_equal(stats.dialogs, 0);
}

static int take_row(void *context, int columns, char **value, char **name)
{
	(void)columns;
	(void)name;
	snprintf(context, 256, "%s %s", value[0], value[1]);
	return 0;
}

/* The last CDR's row by that query; into `text`. */
static void read_cdr(struct call_rig *rig, const char *query,
		     int (*take)(void *, int, char **, char **), char *text)
{
	char file[96];
	sqlite3 *db;

	assert_int_equal(store_flush(rig->store), 0);
	snprintf(file, sizeof(file), "%s/segue.db", rig->directory);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	text[0] = '\0';
	assert_int_equal(sqlite3_exec(db, query, take, text, NULL), SQLITE_OK);
	sqlite3_close(db);
}

const char *call_rig_cdr(struct call_rig *rig)
{
	static char text[256];

	read_cdr(rig, "SELECT status, reason FROM cdr ORDER BY rowid DESC LIMIT 1", take_row, text);
	return text;
}

#define DETAILS_LEN 16384

static int take_details(void *context, int columns, char **value, char **name)
{
	(void)columns;
	(void)name;
	snprintf(context, DETAILS_LEN, "%s", value[0] ? value[0] : "");
	return 0;
}

json_t *call_rig_cdr_details(struct call_rig *rig)
{
	char text[DETAILS_LEN];
	json_t *details;

	read_cdr(rig, "SELECT details FROM cdr ORDER BY rowid DESC LIMIT 1", take_details, text);
	details = json_loads(text, 0, NULL);
	assert_non_null(details);
	return details;
}
