// SPDX-License-Identifier: BSD-2-Clause
/*
 * segued-memory CONFIG serve | start: segued as a whole, while one allocation after the
 * other fails: its own, and those of all libraries; with sanitizers only of jansson, libevent,
 * SQLite, c-ares and OpenSSL. Run by memory.sh, in namespaces, with a call of two real parties.
 * What ends the call, or moves it, is tests/call/test_operator_memory.
 *
 * serve: waits for the call, then asks for every page, gives commands, and loads the configuration
 * again; whoever asks gets all of the answer, or is told that there is none, and the call is still
 * there. start: starts again and again. A start that finds no memory fails with a sentence, and
 * loses no call.
 */
#include "ops_test.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../sip/oom_libraries.h"
#include "../store/oom_sqlite.h"
#include "worker_private.h"

#define LAST_ALLOCATION 5000u
#define PATIENCE_MS 3000u
#define CALL_MS 20000u

static struct world {
	const char *file;
	struct worker *worker;
	const char *request;   /* the last one, and how far it was let come */
	unsigned long failing; /* allocation of it; 0: none */
	char text[4000000];    /* the answer */
	size_t length;
} world;

/* ---- asking, in the same thread that answers
 * -----------------------------------------------------
 */

static int dial(int family, const void *at, socklen_t length)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, at, length), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static int dial_http(void)
{
	struct sockaddr_storage at;
	struct netaddr address;

	assert_int_equal(netaddr_parse(&address, str_of(world.worker->config->http)), 0);
	return dial(AF_INET, &at, netaddr_to_sockaddr(&address, &at));
}

static int dial_control(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", world.worker->config->control);
	return dial(AF_UNIX, &at, sizeof(at));
}

/* Until the other end closes, or a whole line came where one is the answer. Nobody is left waiting.
 */
static void hear(int fd, bool line)
{
	uint64_t began = wheel_now_ms();
	ssize_t got;

	world.length = 0;
	do {
		if (wheel_now_ms() > began + PATIENCE_MS)
			fail_msg("%s: allocation %lu: no answer and no end after '%.200s'",
				 world.request, world.failing, world.length ? world.text : "");
		event_base_loop(world.worker->base, EVLOOP_NONBLOCK);
		got = read(fd, world.text + world.length, sizeof(world.text) - 1 - world.length);
		if (got > 0)
			world.length += (size_t)got;
	} while ((got > 0 || (got < 0 && errno == EAGAIN)) &&
		 !(line && world.length && world.text[world.length - 1] == '\n'));
	world.text[world.length] = '\0';
}

/* Asks while the n-th allocation fails; true when it came to that. */
static bool ask(int fd, const char *request, bool line, unsigned long n)
{
	size_t length = strlen(request);

	world.request = request;
	world.failing = n;
	oom_arm(n);
	assert_int_equal(write(fd, request, length), length);
	hear(fd, line);
	close(fd);
	return oom_disarm();
}

static bool get(const char *path, unsigned long n)
{
	char request[256];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n\r\n", path);
	return ask(dial_http(), request, false, n);
}

static bool command(const char *members, unsigned long n)
{
	char request[512];

	snprintf(request, sizeof(request), "{\"segue\":1,%s}\n", members);
	return ask(dial_control(), request, true, n);
}

/* ---- pages
 * ---------------------------------------------------------------------------------------
 */

/* The body of an answer that is whole; NULL where the connection was closed without one. */
static const char *body(int *status)
{
	const char *end = strstr(world.text, "\r\n\r\n");
	const char *length = strstr(world.text, "Content-Length: ");

	if (!world.length)
		return NULL;
	if (!end || !length || sscanf(world.text, "HTTP/1.1 %d ", status) != 1)
		fail_msg("half an answer: '%.200s'", world.text);
	assert_int_equal(strlen(end + 4), strtoul(length + 16, NULL, 10));
	return end + 4;
}

static size_t lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void count_values(const json_t *value, size_t *count)
{
	const char *key;
	json_t *inner;
	size_t i;

	++*count;
	json_array_foreach((json_t *)(uintptr_t)value, i, inner) count_values(inner, count);
	json_object_foreach((json_t *)(uintptr_t)value, key, inner) count_values(inner, count);
}

/* How much a good answer says: values of JSON, lines of other text. */
static size_t worth(const char *text)
{
	json_t *value = json_loads(text, 0, NULL);
	size_t count = 0;

	if (!value)
		return lines(text);
	count_values(value, &count);
	json_decref(value);
	return count;
}

/* The relay's figures may be missing in the metrics, and a list (then it is null) on the live page.
 */
static bool says_what_is_missing(const char *text)
{
	json_t *value = json_loads(text, 0, NULL), *list;
	bool says = strstr(text, "\nsegue_relay_readable 0\n") != NULL;
	const char *key;

	json_object_foreach(value, key, list) says |= json_is_null(list);
	json_decref(value);
	return says;
}

static unsigned long ask_for(const char *path)
{
	size_t whole;
	unsigned long n;
	int status = 0;

	get(path, 0); /* what grows once has grown */
	whole = worth(body(&status));
	assert_int_equal(status, 200);
	for (n = 1; n < LAST_ALLOCATION && get(path, n); n++) {
		const char *text = body(&status);

		if (!text)
			continue;
		if (status == 200 && worth(text) != whole && !says_what_is_missing(text))
			fail_msg("%s, allocation %lu: %zu of %zu: %s", path, n, worth(text), whole,
				 text);
		if (status != 200 && status != 500 && status != 503)
			fail_msg("%s, allocation %lu: %.200s", path, n, world.text);
	}
	assert_non_null(body(&status));
	assert_int_equal(status, 200);
	return n;
}

static const char *call_id(void)
{
	static char id[64];
	json_t *list = calls_list(world.worker->rooms.calls, 1);
	const char *text = json_string_value(json_object_get(json_array_get(list, 0), "id"));

	snprintf(id, sizeof(id), "%s", text ? text : "");
	json_decref(list);
	return id;
}

static void pages_find_no_memory(void **state)
{
	static const char *const paths[] = {"/", "/page.js", "/metrics", "/health",
					    "/api/overview"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_in_range(ask_for(paths[i]), 3, LAST_ALLOCATION - 1);
	snprintf(path, sizeof(path), "/api/call?id=%s", call_id());
	assert_in_range(ask_for(path), 10, LAST_ALLOCATION - 1);
}

/* ---- commands
 * ------------------------------------------------------------------------------------
 */

/* What the answer says, or 0 where it says what went wrong. */
static size_t told(void)
{
	json_t *reply = json_loadb(world.text, world.length, 0, NULL), *data, *error;
	size_t count = 0;

	if (!world.length)
		return 0;
	if (!reply)
		fail_msg("no JSON: '%.200s'", world.text);
	data = json_object_get(reply, "data");
	error = json_object_get(reply, "error");
	if (data && !json_is_null(data))
		count_values(data, &count);
	else if (!json_string_length(json_object_get(error, "text")))
		fail_msg("neither data nor a sentence: '%.200s'", world.text);
	json_decref(reply);
	return count;
}

/* Every attempt gets all of the answer, or an error; `undo`: for the next one, or NULL. */
static void give(const char *members, const char *undo)
{
	size_t whole;
	unsigned long n;

	command(members, 0);
	whole = told();
	if (!whole)
		fail_msg("%s: %.200s", members, world.text);
	for (n = 1; n < LAST_ALLOCATION; n++) {
		size_t got;
		bool hit;

		if (undo)
			command(undo, 0);
		hit = command(members, n);
		got = told();
		if (got != whole && (got || !hit))
			fail_msg("%s, allocation %lu: %zu of %zu: %.500s", members, n, got, whole,
				 world.text);
		if (!hit)
			break;
	}
	assert_in_range(n, 5, LAST_ALLOCATION - 1);
}

static void commands_find_no_memory(void **state)
{
#define COMMAND(object, name) "\"object\":\"" object "\",\"command\":\"" name "\""
#define BAN ",\"source\":\"192.0.2.77\""
#define SUBSCRIBER ",\"aor\":\"carol@example.net\",\"password\":\"carol-secret\""
	static const char *const lists[] = {
		COMMAND("status", "show"),
		COMMAND("call", "list"),
		COMMAND("handover", "list"),
		COMMAND("registration", "list"),
		COMMAND("subscriber", "list"),
		COMMAND("drop", "list"),
		COMMAND("cdr", "list"),
		COMMAND("call", "list") ",\"most\":5",
		COMMAND("handover", "list") ",\"most\":5",
	};
	const struct store_cdr cdr = {.call_id = STR("over"), .reason = STR("a \"test\"")};
	char show[160];

	(void)state;
	assert_int_equal(store_add_cdr(world.worker->rooms.store, &cdr), 0);
	assert_int_equal(store_flush(world.worker->rooms.store), 0);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		give(lists[i], NULL);
	snprintf(show, sizeof(show), COMMAND("call", "show") ",\"id\":\"%s\"", call_id());
	give(show, NULL);
	snprintf(show, sizeof(show), COMMAND("handover", "show") ",\"id\":\"%s\"", call_id());
	give(show, NULL);
	give(COMMAND("cdr", "show") ",\"id\":\"over\"", NULL);
	give(COMMAND("ban", "add") BAN, COMMAND("ban", "del") BAN);
	give(COMMAND("ban", "list"), NULL);
	give(COMMAND("ban", "del") BAN, COMMAND("ban", "add") BAN);
	give(COMMAND("subscriber", "add") SUBSCRIBER, COMMAND("subscriber", "del") SUBSCRIBER);
	give(COMMAND("subscriber", "del") SUBSCRIBER, COMMAND("subscriber", "add") SUBSCRIBER);
}

/* ---- the configuration again
 * ---------------------------------------------------------------------
 */

/* All of the new one holds, or all of the former one. */
static void reload_finds_no_memory(void **state)
{
	const struct config *before;
	unsigned long n, kept = 0;
	bool hit = true;

	(void)state;
	for (n = 1; n < LAST_ALLOCATION && hit; n++) {
		before = world.worker->config;
		oom_arm(n);
		worker_reload(world.worker);
		hit = oom_disarm();
		kept += before == world.worker->config;
		assert_ptr_equal(world.worker->rooms.config, world.worker->config);
	}
	assert_in_range(kept, 10, n - 2);
	get("/health", 0);
	assert_non_null(strstr(world.text, "\r\n\r\nok\n"));
}

/* ---- starting
 * ------------------------------------------------------------------------------------
 */

static void start_finds_no_memory(void **state)
{
	struct error err;
	unsigned long n;
	int ret = 0;

	(void)state;
	for (n = 1; n < LAST_ALLOCATION; n++) {
		err.text[0] = '\0';
		oom_arm(n);
		ret = worker_alloc(&world.worker, world.file, &err);
		if (!oom_disarm())
			break;
		if (ret && !err.text[0])
			fail_msg("allocation %lu: %d without a sentence", n, ret);
		if (!ret && calls_count(world.worker->rooms.calls) != 1)
			fail_msg("allocation %lu: the call was not taken over", n);
		if (!ret)
			worker_free(world.worker);
	}
	assert_int_equal(ret, 0);
	assert_in_range(n, 50, LAST_ALLOCATION - 1);
	assert_int_equal(calls_count(world.worker->rooms.calls), 1);
	worker_free(world.worker);
}

/* ---- the whole
 * -----------------------------------------------------------------------------------
 */

static bool is_established(void)
{
	json_t *list = calls_list(world.worker->rooms.calls, 1);
	const char *state = json_string_value(json_object_get(json_array_get(list, 0), "state"));
	bool yes = state && !strcmp(state, "established");

	json_decref(list);
	return yes;
}

static int begin_serving(void **state)
{
	uint64_t began = wheel_now_ms();
	struct error err = {""};

	(void)state;
	if (worker_alloc(&world.worker, world.file, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	while (!is_established() && wheel_now_ms() < began + CALL_MS)
		event_base_loop(world.worker->base, EVLOOP_ONCE);
	return is_established() ? 0 : -1;
}

static int end_serving(void **state)
{
	bool lives = is_established();

	(void)state;
	worker_free(world.worker);
	return lives ? 0 : -1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest serve[] = {
		cmocka_unit_test(pages_find_no_memory),
		cmocka_unit_test(commands_find_no_memory),
		cmocka_unit_test(reload_finds_no_memory),
	};
	const struct CMUnitTest start[] = {
		cmocka_unit_test(start_finds_no_memory),
	};

	if (argc != 3)
		return 2;
	world.file = argv[1];
	if (!oom_reach_libraries() || !oom_sqlite_reach())
		return 1;
	if (!strcmp(argv[2], "serve"))
		return cmocka_run_group_tests(serve, begin_serving, end_serving);
	return cmocka_run_group_tests(start, NULL, NULL);
}
